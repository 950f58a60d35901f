"""Checks of the compiled metrics: the threshold of each, and the form of labels that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.preflight.outputs import why_not
from helpers.preflight.report import Finding, Skip
from helpers.preflight.setup import Setup

ACCURACIES = {"accuracy", "acc"}
# Metrics by their name in small letters without underscores.
COUNTS = ("precision", "recall", "truepositives", "truenegatives", "falsepositives")
WITH_THRESHOLDS = {*COUNTS, "falsenegatives"}  # `thresholds`, by default 0.5
WITH_THRESHOLD = {"binaryaccuracy", "binaryiou"}  # `threshold`, by default 0.5
F_SCORES = {"f1score", "fbetascore"}  # `threshold`, by default the largest output counts
# Thresholds of their own between 0 and 1.
WITHIN = {
    "auc",
    "precisionatrecall",
    "recallatprecision",
    "sensitivityatspecificity",
    "specificityatsensitivity",
}
ROWS = {"categoricalaccuracy", "topkcategoricalaccuracy", "categoricalcrossentropy", *F_SCORES}
NUMBERS = {
    "sparsecategoricalaccuracy",
    "sparsetopkcategoricalaccuracy",
    "sparsecategoricalcrossentropy",
}
CROSSENTROPIES = {
    "binarycrossentropy",
    "categoricalcrossentropy",
    "sparsecategoricalcrossentropy",
}


@dataclass(frozen=True, eq=False)
class Metric:
    """A compiled metric.

    Attributes:
        said: how it was written, for messages.
        name: of its class or function, in small letters without underscores; `"accuracy"` is
            already what Keras takes it for.
        settings: its configuration.
    """

    said: str
    name: str
    settings: dict[str, Any]

    @property
    def thresholds(self) -> list[float]:
        """Where it parts outputs into two, empty where it does not."""
        if self.name in WITH_THRESHOLD:
            return [float(self.settings.get("threshold", 0.5))]
        if self.name in F_SCORES:
            threshold = self.settings.get("threshold")
            return [] if threshold is None else [float(threshold)]
        if self.name not in WITH_THRESHOLDS or self.settings.get("top_k") is not None:
            return []
        given = self.settings.get("thresholds")
        return [0.5] if given is None else np.ravel(given).astype(float).tolist()


def compiled_metrics(setup: Setup) -> Iterator[Metric]:
    """All compiled metrics of Keras, weighted ones, too."""
    for key in ("metrics", "weighted_metrics"):
        yield from _metrics(setup, setup.config.get(key))


def _metrics(setup: Setup, written: Any) -> Iterator[Metric]:
    """Those in what `get_compile_config` gives: a name, a configuration, or several of them."""
    if isinstance(written, str):
        yield _named(setup, written)
    elif isinstance(written, dict) and "class_name" in written:
        yield from _configured(written)
    elif isinstance(written, (dict, list, tuple)):
        for one in written.values() if isinstance(written, dict) else written:
            yield from _metrics(setup, one)


def _configured(written: dict[str, Any]) -> Iterator[Metric]:
    """A class of Keras, or a function; one of the learner's own may be called `accuracy`."""
    name, settings = written["class_name"], written.get("config")
    if name == "function" and isinstance(settings, str) and _plain(settings) not in ACCURACIES:
        yield Metric(settings, _plain(settings), {})
    elif str(written.get("module")).startswith("keras") and isinstance(settings, dict):
        yield Metric(name, _plain(name), settings)


def _named(setup: Setup, written: str) -> Metric:
    name = _plain(written)
    if name in ACCURACIES:
        name = setup.by_shape("binaryaccuracy", "categoricalaccuracy", "sparsecategoricalaccuracy")
    return Metric(f"the metric '{written}'", name, {})


def _plain(name: str) -> str:
    return name.rsplit(">", 1)[-1].replace("_", "").lower()


# Thresholds


def check_threshold(setup: Setup) -> Iterator[Finding]:
    """Metrics that part logits at 0.5, or probabilities at 0."""
    judged = [one for one in compiled_metrics(setup) if one.thresholds or one.name in WITHIN]
    outputs = setup.train_outputs
    if outputs.shape[-1] > 1:
        # What an accuracy of each output means there is asked by another check.
        judged = [one for one in judged if setup.has_tags or one.name != "binaryaccuracy"]
        if not judged:
            raise Skip("the model has more than one output, of which the largest counts")
    if reason := why_not(setup, "outputs"):
        raise Skip(reason)
    if not setup.gives_logits and _loss_wants_logits(setup):
        raise Skip("not judged because of 'logits': its mend changes what the outputs are")
    yield from _at_half(setup, judged) if setup.gives_logits else _at_zero(setup, judged)


def _loss_wants_logits(setup: Setup) -> bool:
    try:
        return setup.loss.from_logits
    except Skip:
        return False


def _at_half(setup: Setup, metrics: list[Metric]) -> Iterator[Finding]:
    """Metrics that take outputs for probabilities, where they are logits."""
    parting, ranging = _of_probabilities(metrics)
    if not parting and not ranging:
        return
    names = ", ".join(one.said for one in [*parting, *ranging])
    thresholds = {value for one in parting for value in one.thresholds}
    outputs = setup.train_outputs
    between = np.mean((outputs > 0) & (outputs <= 0.5))
    calls = (
        f"{names} calls outputs above {thresholds.pop():g} class 1"
        if len(thresholds) == 1 and not ranging
        else f"{names} parts outputs by thresholds within 0 to 1"
    )
    yield Finding(
        "threshold",
        "error",
        f"{calls}, and the model gives logits. "
        f"{between:.0%} of the outputs on {len(outputs)} pictures lie between 0 and 0.5.",
        _mend_for_logits([*parting, *ranging]),
    )


def _of_probabilities(metrics: list[Metric]) -> tuple[list[Metric], list[Metric]]:
    """Those with thresholds for probabilities, and those with such thresholds of their own."""
    parting = [one for one in metrics if one.thresholds and _are_of_probabilities(one.thresholds)]
    ranging = [one for one in metrics if one.name in WITHIN and not one.settings.get("from_logits")]
    return parting, ranging


def for_logits(setup: Setup) -> str:
    """What to make of the compiled metrics where outputs become logits; empty where nothing."""
    metrics = list(compiled_metrics(setup))
    wrong = [one for one in metrics if one.name in CROSSENTROPIES]
    wrong = [one for one in wrong if not one.settings.get("from_logits")]
    if setup.train_outputs.shape[-1] == 1 or setup.has_tags:
        parting, ranging = _of_probabilities(metrics)
        wrong = [*parting, *ranging, *wrong]
    return _mend_for_logits(wrong) if wrong else ""


def _are_of_probabilities(thresholds: list[float]) -> bool:
    """Whether thresholds are 0.5 alone, or several between 0 and 1, of which one is not 0."""
    if len(thresholds) == 1:
        return thresholds[0] == 0.5
    return all(0 <= value <= 1 for value in thresholds)


def _mend_for_logits(metrics: list[Metric]) -> str:
    """The same metrics for logits; where one cannot take them, a sigmoid at the model's end."""
    mends = []
    for one in metrics:
        if one.name == "binaryaccuracy":
            mends.append("keras.metrics.BinaryAccuracy(threshold=0.0, name='accuracy')")
        elif one.name == "auc" or one.name in CROSSENTROPIES:
            mends.append(f"keras.metrics.{_class(one)}(from_logits=True)")
        elif one.name in WITH_THRESHOLDS and len(one.thresholds) == 1:
            mends.append(f"keras.metrics.{_class(one)}(thresholds=0.0)")
        else:
            return (
                f"{one.said} takes probabilities only: activation='sigmoid' in the last layer, "
                f"from_logits=False in the loss, and metrics as for probabilities."
            )
    return f"metrics=[{', '.join(dict.fromkeys(mends))}]"


def _class(metric: Metric) -> str:
    """The name of the class, as `keras.metrics` spells it."""
    import keras

    return next(name for name in dir(keras.metrics) if name.lower() == metric.name)


def _at_zero(setup: Setup, metrics: list[Metric]) -> Iterator[Finding]:
    """Metrics with a threshold of 0, or for logits, where outputs are probabilities."""
    parting = [one for one in metrics if one.thresholds == [0.0]]
    ranging = [one for one in metrics if one.name == "auc" and one.settings.get("from_logits")]
    if not parting and not ranging:
        return
    names = ", ".join(one.said for one in [*parting, *ranging])
    outputs = setup.train_outputs
    between = np.mean((outputs > 0) & (outputs <= 0.5))
    calls = "calls outputs above 0 class 1" if parting else "takes outputs for logits"
    mends = {
        "keras.metrics.BinaryAccuracy(threshold=0.5, name='accuracy')"
        if one.name == "binaryaccuracy"
        else f"keras.metrics.{_class(one)}()"
        for one in [*parting, *ranging]
    }
    yield Finding(
        "threshold",
        "error",
        f"{names} {calls}, and the model gives probabilities. "
        f"{between:.0%} of the outputs on {len(outputs)} pictures lie between 0 and 0.5.",
        f"metrics=[{', '.join(sorted(mends))}]",
    )


# The form of labels, and the number of outputs


def check_metrics(setup: Setup) -> Iterator[Finding]:
    """Metrics that mean another number of outputs, or another form of labels, than there is."""
    metrics = list(compiled_metrics(setup))
    if not metrics:
        raise Skip("the model is compiled without metrics")
    if reason := why_not(setup, "outputs"):
        raise Skip(reason)
    if not all(labels.are_classes or labels.kind == "tags" for labels in setup.labels):
        raise Skip("not judged because of 'labels': they are no classes")
    one_output = setup.train_outputs.shape[-1] == 1
    for metric in metrics:
        fault = _of_equality(metric)
        fault = fault or (_on_one(metric) if one_output else _on_several(setup, metric))
        fault = fault or _of_all(setup, metric) or _of_logits(setup, metric)
        if fault is not None:
            severity, wrong, mend = fault
            yield Finding("metrics", severity, f"{metric.said} {wrong}.", mend)


Fault = tuple[str, str, str] | None


def _of_equality(metric: Metric) -> Fault:
    if metric.name != "accuracy":
        return None
    return (
        "error",
        "counts outputs that equal the label exactly, which numbers between 0 and 1 hardly do",
        "metrics=['accuracy'], which Keras takes for the accuracy that fits, or its own name.",
    )


def _on_one(metric: Metric) -> Fault:
    """What goes by the largest output says nothing of a single one."""
    by_largest = metric.name in F_SCORES and not metric.thresholds
    if by_largest or metric.name in {"categoricalaccuracy", "topkcategoricalaccuracy"}:
        wrong = "goes by the largest of several outputs, and there is one: it is always right"
    elif metric.name in {"sparsecategoricalaccuracy", "sparsetopkcategoricalaccuracy"}:
        wrong = "goes by the largest of several outputs, and there is one: it always says class 0"
    else:
        return None
    mend = (
        f"keras.metrics.{_class(metric)}(threshold=0.5), on probabilities"
        if by_largest
        else "metrics=[keras.metrics.BinaryAccuracy(threshold=0.5)], for logits threshold=0.0"
    )
    return "error", wrong, f"{mend}."


def _on_several(setup: Setup, metric: Metric) -> Fault:
    """One-hot labels for a metric of integers, the reverse, or outputs judged one by one."""
    rows, outputs = setup.labels[0].is_rows, setup.train_outputs.shape[-1]
    if setup.has_tags:
        return _on_tags(setup, metric)
    if metric.name in ROWS and not rows:
        return "error", "takes one-hot labels, and they are integers", _accuracy(metric, "Sparse")
    if metric.name in NUMBERS and rows:
        return "error", "takes integer labels, and they are one-hot", _accuracy(metric, "")
    binary = {"binaryaccuracy", "binaryiou", "binarycrossentropy"}
    if not rows and metric.name in {*binary, *WITH_THRESHOLDS, *WITHIN}:
        wrong = f"judges each output by a label of its own, and there is one label for {outputs}"
        return "error", wrong, _accuracy(metric, "Sparse")
    if metric.name == "binaryaccuracy":
        share = 1 - 1 / outputs
        wrong = (
            f"counts each of {outputs} outputs for itself: a model that never names any class has "
            f"{share:.2f}"
        )
        return "warning", wrong, _accuracy(metric, "")
    return None


def _accuracy(metric: Metric, form: str) -> str:
    """The metric for labels of that form, or the accuracy for them."""
    for kind in ("TopKCategoricalAccuracy", "CategoricalCrossentropy"):
        if metric.name.endswith(kind.lower()):
            return f"metrics=[keras.metrics.{form}{kind}(...)]"
    return f"metrics=[keras.metrics.{form}CategoricalAccuracy(name='accuracy')]"


def _on_tags(setup: Setup, metric: Metric) -> Fault:
    """Metrics that go by the largest output alone, where several may be right."""
    if metric.name not in {*ROWS, *NUMBERS} or metric.name in F_SCORES:
        return None
    at = "0.0" if setup.gives_logits else "0.5"
    return (
        "error" if metric.name in NUMBERS else "warning",
        "goes by the largest output alone, and a picture may have several labels, or none",
        f"metrics=[keras.metrics.BinaryAccuracy(threshold={at})]",
    )


def _of_all(setup: Setup, metric: Metric) -> Fault:
    """The right class among the largest k of no more than k outputs."""
    if not metric.name.endswith("topkcategoricalaccuracy"):
        return None
    k, outputs = int(metric.settings.get("k", 5)), setup.train_outputs.shape[-1]
    if k < outputs:
        return None
    wrong = f"asks whether the class is among the largest {k} of {outputs} outputs: it is always 1"
    return "error", wrong, f"A k well below {outputs}, or metrics=['accuracy']."


def _of_logits(setup: Setup, metric: Metric) -> Fault:
    """A crossentropy that takes logits for probabilities, or the reverse."""
    if metric.name not in CROSSENTROPIES:
        return None
    takes = bool(metric.settings.get("from_logits", False))
    if takes == setup.gives_logits or why_not(setup, "logits"):
        return None
    wants, gives = ("logits", "probabilities") if takes else ("probabilities", "logits")
    return (
        "error",
        f"takes {wants}, and the model gives {gives}",
        f"metrics=[keras.metrics.{_class(metric)}(from_logits={setup.gives_logits})]",
    )
