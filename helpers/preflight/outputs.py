"""Checks of the model's end: what it gives, what the loss takes, what the labels say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers.preflight.labels import Labels, as_classes
from helpers.preflight.report import Finding, Skip
from helpers.preflight.setup import Loss, Setup

NAMES_SHOWN = 5
NEVER_NEGATIVE = {"relu", "relu6", "softplus", "exponential", "gelu", "silu", "swish", "mish"}
BOUNDED = {"tanh", "hard_tanh"}
# One output is a probability by a sigmoid, several that share one are by a softmax.
RIGHT_END = {"binary": "sigmoid", "categorical": "softmax", "sparse": "softmax"}


# What the model gives


def check_outputs(setup: Setup) -> Iterator[Finding]:
    """Outputs that are no vectors or no numbers, or that the loss on these labels does not mean."""
    shape = _shape_fault(setup)
    if shape is not None:
        yield shape
        return
    outputs = setup.train_outputs
    if not np.isfinite(outputs).all():
        yield Finding(
            "outputs",
            "error",
            f"The model gives numbers that are not finite for "
            f"{np.mean(~np.isfinite(outputs).all(axis=1)):.0%} of {len(outputs)} pictures.",
            "Load weights that are sound, and look for a division by zero or a logarithm of 0.",
        )
        return
    yield from _halves(setup)
    yield from _end_faults(setup)


def _shape_fault(setup: Setup) -> Finding | None:
    """A map of outputs for a single label."""
    shape, labels = setup.raw_outputs.shape, setup.labels[0]
    if len(shape) < 3:
        return None
    if labels.kind == "maps":
        raise Skip(f"outputs of shape {shape[1:]} for labels of shape {labels.shape[1:]}: no class")
    return Finding(
        "outputs",
        "error",
        f"The model gives {shape[1:]} for a picture, which is no vector, and each picture has one "
        f"label: nothing pools the map of features.",
        "keras.layers.GlobalAveragePooling2D() between the base and the Dense layer.",
    )


def _halves(setup: Setup) -> Iterator[Finding]:
    """Outputs or weights of 16 bits."""
    kinds = {str(weight.dtype) for weight in setup.model.trainable_variables}
    given = setup.output_dtype
    if "float16" in kinds:
        yield Finding(
            "outputs",
            "error",
            "The weights that train are of dtype float16: small steps are lost in rounding.",
            "keras.config.set_dtype_policy('mixed_float16') before the model is built: weights "
            "stay float32.",
        )
    elif given in {"float16", "bfloat16"}:
        yield Finding(
            "outputs",
            "warning",
            f"The model's outputs are of dtype {given}: probabilities near 0 and 1 are rounded to "
            f"0 and 1, and the loss with them.",
            'dtype="float32" for the last layer, such as '
            f'keras.layers.Dense({setup.train_outputs.shape[-1]}, ..., dtype="float32").',
        )


def _end_faults(setup: Setup) -> Iterator[Finding]:
    """The table of ends, losses and labels."""
    try:
        loss = setup.loss
    except Skip:  # a loss of one's own takes what it takes
        return
    if loss.kind == "regression":
        yield from _numbers_for_classes(setup, loss)
    if not loss.is_crossentropy:
        return
    end, outputs = setup.end, setup.train_outputs.shape[-1]
    if end == "softmax" and outputs == 1:
        yield _one_softmax(loss)
    elif setup.has_tags:
        yield from _tags_faults(setup, loss)
    elif end not in {"linear", "sigmoid", "softmax"}:
        yield from _unusual_end(setup, loss)
    elif end == "sigmoid" and outputs > 1 and loss.kind != "binary" and not loss.from_logits:
        yield Finding(
            "outputs",
            "error",
            f"The model ends in a sigmoid for each of {outputs} outputs, which are then no "
            f"distribution over classes, and the loss {loss.name} takes one.",
            f"{_dense(outputs, 'softmax')} as the last layer.",
        )
    elif loss.kind == "binary" and outputs > 1:
        yield from _binary_for_one_of_many(setup, loss)


def _dense(outputs: int, activation: str | None) -> str:
    """The code of a last layer."""
    return f"keras.layers.Dense({outputs}" + (
        f', activation="{activation}")' if activation else ")"
    )


def _one_softmax(loss: Loss) -> Finding:
    # With the other losses, a second output would do as well; one is the smaller change.
    change = "" if loss.kind == "binary" else " with loss='binary_crossentropy'"
    activation = None if loss.kind == "binary" and loss.from_logits else "sigmoid"
    return Finding(
        "outputs",
        "error",
        "The model ends in a softmax over one output, which is 1 whatever comes in.",
        f"{_dense(1, activation)} as the last layer{change}.",
    )


def _tags_faults(setup: Setup, loss: Loss) -> Iterator[Finding]:
    """Several labels a picture need a probability each."""
    end = setup.end
    tags = next(labels for labels in setup.labels if labels.kind == "tags")
    if loss.kind == "binary" and end not in {"softmax", *NEVER_NEGATIVE, *BOUNDED}:
        return  # whether logits and loss agree is asked elsewhere
    logits = loss.kind == "binary" and loss.from_logits
    wrong = (
        "a softmax lets one label win over the others"
        if end == "softmax"
        else f"the loss {loss.name} on {end} outputs does not give each label a probability"
    )
    metric = "keras.metrics.BinaryAccuracy(" + ("threshold=0.0)" if logits else ")")
    yield Finding(
        "outputs",
        "error",
        f"{tags.several:,} of {tags.shape[0]:,} pictures have several labels, {tags.none:,} have "
        f"none, and {wrong}.",
        f"{_dense(tags.shape[1], None if logits else 'sigmoid')} as the last layer, "
        f"loss=keras.losses.BinaryCrossentropy({'from_logits=True' if logits else ''}), "
        f"metrics=[{metric}].",
    )


def _unusual_end(setup: Setup, loss: Loss) -> Iterator[Finding]:
    """An activation between the last weights and the loss that gives no probabilities."""
    end, outputs = setup.end, setup.train_outputs
    one = loss.kind == "binary"
    if loss.from_logits:
        held = end in NEVER_NEGATIVE or end in BOUNDED
        severity = "error" if one and end in NEVER_NEGATIVE else "warning"
        wrong = (
            f"takes logits, which are any numbers; {end} holds them "
            f"{'within -1 to 1' if end in BOUNDED else 'above a floor' if held else 'back'}"
        )
        mend = f"{_dense(outputs.shape[-1], None)}, without activation, as the last layer."
    else:
        severity = "error"
        wrong = f"takes probabilities, which {end} does not give"
        mend = f"{_dense(outputs.shape[-1], RIGHT_END[loss.kind])} as the last layer."
    yield Finding(
        "outputs",
        severity,
        f"The model ends in the activation {end} ({outputs.min():.3g} to {outputs.max():.3g} on "
        f"{len(outputs)} pictures), and the loss {loss.name} {wrong}.",
        mend,
    )


def _binary_for_one_of_many(setup: Setup, loss: Loss) -> Iterator[Finding]:
    """Binary crossentropy where each picture has exactly one label of several.

    Over two outputs of a softmax it is the categorical one.
    """
    outputs, end = setup.train_outputs.shape[-1], setup.end
    if setup.labels[0].kind not in {"one-hot", "soft"} or setup.labels[0].shape[1] != outputs:
        return
    if (outputs == 2 and end == "softmax") or (end != "linear") == loss.from_logits:
        return
    logits = "from_logits=True" if loss.from_logits else ""
    yield Finding(
        "outputs",
        "warning",
        f"Each of {len(setup.train):,} pictures of train has exactly one label of {outputs}, and "
        f"the loss {loss.name} judges each output for itself, as if several could be true.",
        f"{_dense(outputs, None if loss.from_logits else 'softmax')} as the last layer, "
        f"loss=keras.losses.CategoricalCrossentropy({logits}), metrics=['accuracy'].",
    )


def _numbers_for_classes(setup: Setup, loss: Loss) -> Iterator[Finding]:
    """A loss that measures distances, on labels that are classes."""
    labels, outputs = setup.labels[0], setup.train_outputs.shape[-1]
    if not _look_like_classes(setup, labels):
        return
    classes = 2 if labels.is_rows else len(labels.values)
    if outputs == 1 and classes <= 2:
        head, better = _dense(1, None), "BinaryCrossentropy"
    else:
        count = labels.shape[1] if labels.is_rows else max(classes, outputs)
        head = _dense(count, None)
        better = "Categorical" if labels.is_rows else "SparseCategorical"
        better += "Crossentropy"
    metric = "keras.metrics.BinaryAccuracy(threshold=0.0)" if "Bin" in better else "'accuracy'"
    yield Finding(
        "outputs",
        "warning",
        f"The loss {loss.name} measures how far numbers lie apart, and the labels are classes: "
        f"where the model is surely wrong, it hardly learns.",
        f"{head} as the last layer, loss=keras.losses.{better}(from_logits=True), "
        f"metrics=[{metric}].",
    )


def _look_like_classes(setup: Setup, labels: Labels) -> bool:
    """Whether labels are surely no quantities: one-hot, two of them, named, or with an accuracy."""
    if labels.kind == "one-hot":
        return True
    if labels.kind != "integers":
        return False
    named = setup.train_data.class_names is not None
    return len(labels.values) <= 2 or named or "acc" in str(setup.config.get("metrics"))


# Logits or probabilities


def check_loss(setup: Setup) -> Iterator[Finding]:
    """Probabilities for a loss that takes logits, or logits for one that takes probabilities."""
    from helpers.preflight.metrics import for_logits

    loss = setup.loss
    if not loss.is_crossentropy:
        raise Skip(f"the loss {loss.name} is not one of Keras's crossentropies")
    if reason := why_not(setup, "outputs"):
        raise Skip(reason)
    if setup.gives_logits == loss.from_logits:
        return
    metrics = "" if setup.gives_logits else for_logits(setup)  # else 'threshold' names them
    wants, gives = ("logits", "probabilities") if loss.from_logits else ("probabilities", "logits")
    outputs = setup.train_outputs
    yield Finding(
        "logits",
        "error",
        f"The model gives {gives} ({outputs.min():.3g} to {outputs.max():.3g} on "
        f"{len(outputs)} pictures) and the loss {loss.name} takes {wants} "
        f"(from_logits={loss.from_logits}).",
        _mend_of_loss(loss.name, metrics),
    )


def _mend_of_loss(name: str, metrics: str) -> str:
    """Logits for loss and metrics; where a metric takes probabilities only, what it says."""
    if metrics and not metrics.startswith("metrics="):
        return metrics
    also = f" and {metrics}" if metrics else ""
    return (
        "End the model in a Dense layer without activation, and compile with "
        f"loss=keras.losses.{_camel(name)}(from_logits=True){also}."
    )


def _camel(name: str) -> str:
    """`binary_crossentropy` as `BinaryCrossentropy`."""
    return name if name[:1].isupper() else "".join(part.title() for part in name.split("_"))


def why_not(setup: Setup, *checks: str) -> str | None:
    """Why what depends on outputs and labels is not judged, None where they have no error."""
    known = {"outputs": check_outputs, "logits": check_loss, "labels": check_labels}
    for name in checks:
        if any(found.severity == "error" for found in known[name](setup)):
            return f"not judged because of '{name}'"
    return None


# What the labels say


def check_labels(setup: Setup) -> Iterator[Finding]:
    """Labels that do not fit the loss or the head, or that validation numbers otherwise."""
    loss, fits = setup.loss, True
    parts = ((setup.train_data, setup.labels[0]), (setup.validation_data, setup.labels[1]))
    for data, labels in parts:
        fault = _kind_fault(setup, loss, data.name, labels) or _form_fault(setup, data.name, labels)
        fault = fault or _range_fault(setup, loss, data.name, labels)
        if fault is not None:
            yield fault
            fits = False
    if not fits:
        return
    if setup.has_tags:
        yield from _empty_tags(setup)
        return
    if not loss.is_crossentropy:
        return
    yield from _absent(setup)
    if loss.kind != "binary" or setup.train_outputs.shape[-1] == 1:
        yield from _below_chance(setup)


def _kind_fault(setup: Setup, loss: Loss, name: str, labels: Labels) -> Finding | None:
    """Labels that are no classes at all."""
    if labels.kind == "words":
        shown = ", ".join(f"'{word}'" for word in labels.values[:NAMES_SHOWN])
        more = " ..." if len(labels.values) > NAMES_SHOWN else ""
        what = f"{name} has words for labels ({shown}{more}); the loss {loss.name} takes numbers."
        mend = (
            "names = np.unique(train_labels); labels = np.searchsorted(names, labels) numbers "
            "them from 0, the same for train and validation."
        )
    elif not loss.is_crossentropy:
        return None
    elif labels.kind == "fractions" or (
        loss.kind == "sparse" and labels.kind == "soft" and not labels.is_rows
    ):
        what = (
            f"{name} has labels that are no whole numbers ({labels.values[0]:.3g} to "
            f"{labels.values[-1]:.3g}); the loss {loss.name} takes {_wanted(setup, loss)}."
        )
        mend = (
            "labels = np.unique(labels, return_inverse=True)[1] numbers classes from 0; for "
            "quantities, loss='mean_squared_error'."
        )
    elif labels.kind in {"numbers", "maps"}:
        what = (
            f"{name} has labels of shape {labels.shape}, neither numbers of classes nor rows of 0 "
            f"and 1; the loss {loss.name} takes {_wanted(setup, loss)}."
        )
        mend = "Labels of 0 and 1; labels = (labels + 1) / 2, if they are -1 and 1."
    else:
        return None
    as_probabilities = loss.kind == "binary" and labels.kind == "fractions" and _in_range(labels)
    return Finding("labels", "warning" if as_probabilities else "error", what, mend)


def _in_range(labels: Labels) -> bool:
    """Whether single numbers could be probabilities."""
    return bool(labels.values[0] >= 0 and labels.values[-1] <= 1)  # False for no number, too


def _wanted(setup: Setup, loss: Loss) -> str:
    return "one-hot ones" if _takes_rows(setup, loss) else f"0 to {setup.classes - 1}"


def _takes_rows(setup: Setup, loss: Loss) -> bool:
    """Whether a loss takes a row of numbers for each picture."""
    if loss.kind == "sparse":
        return False
    return loss.kind == "categorical" or setup.train_outputs.shape[-1] > 1


def _form_fault(setup: Setup, name: str, labels: Labels) -> Finding | None:
    """One-hot labels where integers are expected, or the other way round."""
    loss, outputs = setup.loss, setup.train_outputs.shape[-1]
    rows, wants = labels.is_rows, _takes_rows(setup, loss)
    if loss.kind == "sparse" and outputs == 1:
        return _sparse_on_one(setup, loss, name, labels)
    if rows == wants and (not rows or labels.shape[1] == outputs):
        return None
    form = {"tags": "several"}.get(labels.kind, "one-hot") if rows else "integer"
    return Finding(
        "labels",
        "error",
        f"{name} has {form} labels of shape {labels.shape}; the loss {loss.name} on "
        f"{outputs} outputs takes {'one-hot' if wants else 'integer'} ones.",
        _form_mend(setup, loss, labels),
    )


def _form_mend(setup: Setup, loss: Loss, labels: Labels) -> str:
    """A loss for these labels, labels for this loss, or a head for both."""
    outputs, logits = setup.train_outputs.shape[-1], setup.gives_logits
    if labels.is_rows and labels.shape[1] != outputs and (outputs > 1 or labels.kind == "tags"):
        return f"keras.layers.Dense({labels.shape[1]}) as the head."
    if labels.is_rows and outputs == 1:
        return "labels = labels.argmax(axis=1), for a model with one output."
    if outputs == 1:
        return f"loss=keras.losses.BinaryCrossentropy(from_logits={logits}) for one output."
    if labels.kind == "tags":
        return f"loss=keras.losses.BinaryCrossentropy(from_logits={logits})"
    kind = "CategoricalCrossentropy" if labels.is_rows else "SparseCategoricalCrossentropy"
    return f"loss=keras.losses.{kind}(from_logits={logits})"


def _sparse_on_one(setup: Setup, loss: Loss, name: str, labels: Labels) -> Finding:
    """One output names class 0 alone to a loss that looks up the output of the label's number."""
    count = labels.shape[1] if labels.is_rows else int(labels.values[-1]) + 1
    if count <= 2 and not labels.is_rows:
        mend = f"loss=keras.losses.BinaryCrossentropy(from_logits={setup.gives_logits})."
    else:
        mend = f"keras.layers.Dense({count}) as the head, with SparseCategoricalCrossentropy."
    return Finding(
        "labels",
        "error",
        f"{name} has labels of {count} classes; the loss {loss.name} on 1 output looks for an "
        f"output of each label's number, and there is number 0 alone.",
        mend,
    )


def _range_fault(setup: Setup, loss: Loss, name: str, labels: Labels) -> Finding | None:
    """Integer labels for which the head has no output."""
    if labels.kind != "integers" or loss.kind == "regression":
        return None
    values = labels.values[labels.values != loss.ignored]
    if not len(values) or loss.kind == "hinge":
        return None
    low, high = int(values[0]), int(values[-1])
    if low >= 0 and high < setup.classes:
        return None
    outputs = setup.train_outputs.shape[-1]
    return Finding(
        "labels",
        "error",
        f"{name} has labels from {low} to {high}; a head with {outputs} "
        f"output{'s' if outputs > 1 else ''} knows 0 to {setup.classes - 1}.",
        _range_mend(setup, values.astype(int).tolist()),
    )


def _range_mend(setup: Setup, values: list[int]) -> str:
    """Labels from 0 up where the head has enough outputs for them, else a larger head."""
    low, high, outputs = values[0], values[-1], setup.train_outputs.shape[-1]
    if values == [-1, 1]:
        return "labels = (labels + 1) // 2: labels from 0 up."
    if low > 0 and high - low < setup.classes:
        return f"labels = labels - {low}: labels from 0 up."
    if len(values) <= setup.classes or low < 0:
        return (
            "labels = np.searchsorted(np.unique(train_labels), labels): labels from 0 up, "
            "without gaps."
        )
    also = ", with SparseCategoricalCrossentropy" if outputs == 1 else ""
    return f"keras.layers.Dense({high + 1}) as the head{also}."


def _empty_tags(setup: Setup) -> Iterator[Finding]:
    """Tags that hold for no picture of train."""
    if not setup.train.complete:
        return
    held = np.asarray(setup.train.labels).max(axis=0) > 0.5
    if held.all():
        return
    absent = [str(number) for number in np.flatnonzero(~held)]
    yield Finding(
        "labels",
        "warning",
        f"{len(absent)} of {len(held)} labels hold for none of the {len(setup.train):,} pictures "
        f"of train: {_listed(absent)}.",
        "Add pictures of them, or leave out their outputs.",
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMES_SHOWN]) + (" ..." if len(names) > NAMES_SHOWN else "")


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
        more = "" if scan.complete else " Not all was looked at: it may be sorted by class."
        yield Finding(
            "labels",
            "warning",
            f"{len(absent)} of {setup.classes} classes never come in the {len(scan):,} pictures "
            f"of {data.name}: {_listed(absent)}.{more}",
            "Add pictures of them, leave out their outputs, or shuffle before you split.",
        )


def _below_chance(setup: Setup) -> Iterator[Finding]:
    """Good on training pictures and worse than guessing on the others: the labels differ.

    A validation set of one class says nothing of that.
    """
    if len(np.unique(as_classes(setup.validation.labels))) < 2:
        return
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
