"""Checks of the model's end: what it gives, what the loss and metrics take, what the labels say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers.preflight.report import Finding, Skip
from helpers.preflight.setup import Setup, as_classes, is_one_hot

NAMES_SHOWN = 5


def check_loss(setup: Setup) -> Iterator[Finding]:
    """Probabilities for a loss that takes logits, or logits for one that takes probabilities."""
    loss = setup.loss
    if setup.gives_logits == loss.from_logits:
        return
    wants, gives = ("logits", "probabilities") if loss.from_logits else ("probabilities", "logits")
    outputs = setup.train_outputs
    yield Finding(
        "logits",
        "error",
        f"The model gives {gives} ({outputs.min():.3g} to {outputs.max():.3g} on "
        f"{len(outputs)} pictures) and the loss {loss.name} takes {wants} "
        f"(from_logits={loss.from_logits}).",
        "End the model in a Dense layer without activation, and compile with "
        f"loss=keras.losses.{_camel(loss.name)}(from_logits=True).",
    )


def _camel(name: str) -> str:
    """`binary_crossentropy` as `BinaryCrossentropy`."""
    return name if name[:1].isupper() else "".join(part.title() for part in name.split("_"))


def check_threshold(setup: Setup) -> Iterator[Finding]:
    """A binary accuracy that thresholds logits at 0.5, or probabilities at 0."""
    if setup.train_outputs.shape[-1] != 1:
        raise Skip("the model has more than one output, of which the largest counts")
    wrong = 0.0 if not setup.gives_logits else 0.5
    right = 0.5 - wrong
    found = [name for name, threshold in _thresholds(setup.config) if threshold == wrong]
    if not found:
        return
    outputs = setup.train_outputs[:, 0]
    between = np.mean((outputs > 0) & (outputs <= 0.5))
    yield Finding(
        "threshold",
        "error",
        f"{', '.join(found)} calls outputs above {wrong:g} class 1, and the model gives "
        f"{'logits' if setup.gives_logits else 'probabilities'}. "
        f"{between:.0%} of the outputs on {len(outputs)} pictures lie between 0 and 0.5.",
        f"metrics=[keras.metrics.BinaryAccuracy(threshold={right}, name='accuracy')]",
    )


def _thresholds(config: dict) -> Iterator[tuple[str, float]]:
    """The compiled metrics with a threshold for one output; `"accuracy"` stands for 0.5."""
    for key in ("metrics", "weighted_metrics"):
        stack = [config.get(key)]
        while stack:
            metric = stack.pop()
            if isinstance(metric, str) and metric.lower() in {"accuracy", "acc", "binary_accuracy"}:
                yield f"the metric '{metric}'", 0.5
            elif isinstance(metric, dict) and metric.get("class_name") == "BinaryAccuracy":
                yield "BinaryAccuracy", float(metric["config"]["threshold"])
            elif isinstance(metric, dict) and "class_name" not in metric:
                stack += metric.values()
            elif isinstance(metric, (list, tuple)):
                stack += metric


def check_labels(setup: Setup) -> Iterator[Finding]:
    """Labels that do not fit the loss or the head, or that validation numbers otherwise."""
    loss, fits = setup.loss, True
    for data, scan in (
        (setup.train_data, setup.train),
        (setup.validation_data, setup.validation),
    ):
        faults = [*_form(setup, data.name, scan.labels), *_range(setup, data.name, scan.labels)]
        fits &= not faults
        yield from faults
    if not fits:
        return
    yield from _absent(setup)
    if loss.kind != "binary" or setup.train_outputs.shape[-1] == 1:
        yield from _below_chance(setup)


def _form(setup: Setup, name: str, labels: np.ndarray) -> Iterator[Finding]:
    """One-hot labels where integers are expected, or the other way round."""
    loss, outputs = setup.loss, setup.train_outputs.shape[-1]
    one_hot = is_one_hot(labels)
    wants = loss.kind == "categorical" or (loss.kind == "binary" and outputs > 1)
    if one_hot == wants and (not one_hot or labels.shape[1] == outputs):
        return
    if loss.kind == "categorical" and outputs == 1:
        mend = "loss=keras.losses.BinaryCrossentropy(from_logits=True) for one output."
    elif outputs == 1:
        mend = "labels = labels.argmax(axis=1), for a model with one output."
    elif one_hot and labels.shape[1] != outputs:
        mend = f"keras.layers.Dense({labels.shape[1]}) as the head."
    else:
        kind = "CategoricalCrossentropy" if one_hot else "SparseCategoricalCrossentropy"
        mend = f"loss=keras.losses.{kind}(from_logits={setup.gives_logits})"
    form = "one-hot" if one_hot else "integer"
    yield Finding(
        "labels",
        "error",
        f"{name} has {form} labels of shape {labels.shape}; the loss {loss.name} on "
        f"{outputs} outputs takes {'one-hot' if wants else 'integer'} ones.",
        mend,
    )


def _range(setup: Setup, name: str, labels: np.ndarray) -> Iterator[Finding]:
    """Integer labels for which the head has no output."""
    if is_one_hot(labels):
        return
    low, high = as_classes(labels).min(), as_classes(labels).max()
    if low >= 0 and high < setup.classes:
        return
    outputs = setup.train_outputs.shape[-1]
    need = "labels from 0 up" if low < 0 else f"keras.layers.Dense({high + 1}) as the head"
    also = ", with SparseCategoricalCrossentropy" if low >= 0 and outputs == 1 else ""
    yield Finding(
        "labels",
        "error",
        f"{name} has labels from {low} to {high}; a head with {outputs} "
        f"output{'s' if outputs > 1 else ''} knows 0 to {setup.classes - 1}.",
        f"{need}{also}.",
    )


def _absent(setup: Setup) -> Iterator[Finding]:
    """Classes that the head has an output for and that never come."""
    for data, scan in (
        (setup.train_data, setup.train),
        (setup.validation_data, setup.validation),
    ):
        names = data.class_names or range(setup.classes)
        present = set(as_classes(scan.labels).tolist())
        absent = [str(n) for label, n in enumerate(names) if label not in present]
        if not absent:
            continue
        listed = ", ".join(absent[:NAMES_SHOWN]) + (" ..." if len(absent) > NAMES_SHOWN else "")
        more = "" if scan.complete else " Not all was looked at: it may be sorted by class."
        yield Finding(
            "labels",
            "warning",
            f"{len(absent)} of {setup.classes} classes never come in the {len(scan):,} pictures "
            f"of {data.name}: {listed}.{more}",
            "Add pictures of them, leave out their outputs, or shuffle before you split.",
        )


def _below_chance(setup: Setup) -> Iterator[Finding]:
    """Good on training pictures and worse than guessing on the others: the labels differ."""
    train = setup.accuracy(setup.train, setup.train_outputs)
    validation = setup.accuracy(setup.validation, setup.validation_outputs)
    chance = 1 / setup.classes
    if setup.is_trained and validation.interval[1] < chance:
        yield Finding(
            "labels",
            "error",
            f"Accuracy is {train} on a sample of train and {validation} on validation, which is "
            f"below guessing ({chance:.2f}): the two number their classes differently.",
            "Compare train.class_names with validation.class_names; give both the same order.",
        )
