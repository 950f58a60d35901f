"""Checks of the model's end: what it gives, what the loss and metrics take, what the labels say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers.preflight.learner import Learner, as_classes, is_one_hot
from helpers.preflight.report import Finding, Skip

NAMES_SHOWN = 5


def check_loss(learner: Learner) -> Iterator[Finding]:
    """Probabilities for a loss that takes logits, or logits for one that takes probabilities."""
    loss = learner.loss
    if learner.gives_logits == loss.from_logits:
        return
    wants, gives = ("logits", "probabilities") if loss.from_logits else ("probabilities", "logits")
    outputs = learner.train_outputs
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


def check_threshold(learner: Learner) -> Iterator[Finding]:
    """A binary accuracy that thresholds logits at 0.5, or probabilities at 0."""
    if learner.train_outputs.shape[-1] != 1:
        raise Skip("the model has more than one output, of which the largest counts")
    wrong = 0.0 if not learner.gives_logits else 0.5
    right = 0.5 - wrong
    found = [name for name, threshold in _thresholds(learner.config) if threshold == wrong]
    if not found:
        return
    outputs = learner.train_outputs[:, 0]
    between = np.mean((outputs > 0) & (outputs <= 0.5))
    yield Finding(
        "threshold",
        "error",
        f"{', '.join(found)} calls outputs above {wrong:g} class 1, and the model gives "
        f"{'logits' if learner.gives_logits else 'probabilities'}. "
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


def check_labels(learner: Learner) -> Iterator[Finding]:
    """Labels that do not fit the loss or the head, or that validation numbers otherwise."""
    loss, fits = learner.loss, True
    for data, scan in (
        (learner.train_data, learner.train),
        (learner.validation_data, learner.validation),
    ):
        faults = [*_form(learner, data.name, scan.labels), *_range(learner, data.name, scan.labels)]
        fits &= not faults
        yield from faults
    if not fits:
        return
    yield from _absent(learner)
    if loss.kind != "binary" or learner.train_outputs.shape[-1] == 1:
        yield from _below_chance(learner)


def _form(learner: Learner, name: str, labels: np.ndarray) -> Iterator[Finding]:
    """One-hot labels where integers are expected, or the other way round."""
    loss, outputs = learner.loss, learner.train_outputs.shape[-1]
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
        mend = f"loss=keras.losses.{kind}(from_logits={learner.gives_logits})"
    form = "one-hot" if one_hot else "integer"
    yield Finding(
        "labels",
        "error",
        f"{name} has {form} labels of shape {labels.shape}; the loss {loss.name} on "
        f"{outputs} outputs takes {'one-hot' if wants else 'integer'} ones.",
        mend,
    )


def _range(learner: Learner, name: str, labels: np.ndarray) -> Iterator[Finding]:
    """Integer labels for which the head has no output."""
    if is_one_hot(labels):
        return
    low, high = as_classes(labels).min(), as_classes(labels).max()
    if low >= 0 and high < learner.classes:
        return
    outputs = learner.train_outputs.shape[-1]
    need = "labels from 0 up" if low < 0 else f"keras.layers.Dense({high + 1}) as the head"
    also = ", with SparseCategoricalCrossentropy" if low >= 0 and outputs == 1 else ""
    yield Finding(
        "labels",
        "error",
        f"{name} has labels from {low} to {high}; a head with {outputs} "
        f"output{'s' if outputs > 1 else ''} knows 0 to {learner.classes - 1}.",
        f"{need}{also}.",
    )


def _absent(learner: Learner) -> Iterator[Finding]:
    """Classes that the head has an output for and that never come."""
    for data, scan in (
        (learner.train_data, learner.train),
        (learner.validation_data, learner.validation),
    ):
        names = data.class_names or range(learner.classes)
        present = set(as_classes(scan.labels).tolist())
        absent = [str(n) for label, n in enumerate(names) if label not in present]
        if not absent:
            continue
        listed = ", ".join(absent[:NAMES_SHOWN]) + (" ..." if len(absent) > NAMES_SHOWN else "")
        more = "" if scan.complete else " Not all was looked at: it may be sorted by class."
        yield Finding(
            "labels",
            "warning",
            f"{len(absent)} of {learner.classes} classes never come in the {len(scan):,} pictures "
            f"of {data.name}: {listed}.{more}",
            "Add pictures of them, leave out their outputs, or shuffle before you split.",
        )


def _below_chance(learner: Learner) -> Iterator[Finding]:
    """Good on training pictures and worse than guessing on the others: the labels differ."""
    train = learner.accuracy(learner.train, learner.train_outputs)
    validation = learner.accuracy(learner.validation, learner.validation_outputs)
    chance = 1 / learner.classes
    if learner.is_trained and validation.interval[1] < chance:
        yield Finding(
            "labels",
            "error",
            f"Accuracy is {train} on a sample of train and {validation} on validation, which is "
            f"below guessing ({chance:.2f}): the two number their classes differently.",
            "Compare train.class_names with validation.class_names; give both the same order.",
        )
