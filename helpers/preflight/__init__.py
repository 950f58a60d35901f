"""Look at a compiled model and its data before `fit`, and list what is wrong, with the mend."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.preflight import data, fine_tuning, inputs, metrics, network, outputs, rates
from helpers.preflight.report import Finding, Inspection, Skip
from helpers.preflight.scans import Scan, as_data
from helpers.preflight.setup import Options, Original, Setup

if TYPE_CHECKING:
    import keras

__all__ = ["CHECKS", "Finding", "Inspection", "preflight"]

UNEXPECTED = "the check itself failed"
Check = Callable[[Setup], Iterable[Finding]]
CHECKS: dict[str, Check] = {
    "BatchNormalization": fine_tuning.check_batch_normalization,
    "trainable": fine_tuning.check_trainable,
    "untrained head": fine_tuning.check_head,
    "outputs": outputs.check_outputs,
    "logits": outputs.check_loss,
    "threshold": metrics.check_threshold,
    "metrics": metrics.check_metrics,
    "labels": outputs.check_labels,
    "layers": network.check_layers,
    "scaling": inputs.check_scaling,
    "learning rate": rates.check_rate,
    "shared pictures": data.check_shared,
    "class order": data.check_class_names,
    "reshuffling": data.check_passes,
    "augmentation": data.check_augmentation,
    "imbalance": data.check_imbalance,
    "validation size": data.check_size,
}


def preflight(
    model: keras.Model,
    train: Any,
    validation: Any,
    *,
    pictures: int = 2000,
    sample: int = 96,
    batch_size: int = 32,
    difference: float = 0.02,
    expected_accuracy: float = 0.9,
    class_names: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None),
    seed: int = 0,
) -> Inspection:
    """Look at a compiled model with one input and one output, and at its data.

    Nothing is changed: weights, optimizer, `trainable` and the global random states of Python and
    NumPy are afterwards as they were. A dataset that shuffles is iterated, so its next order is
    another.

    Args:
        model: compiled, before `fit`.
        train, validation: `(inputs, labels)`; or a split of `helpers.pictures`; or a batched
            `tf.data.Dataset` of such pairs.
        pictures: at most so many of each are looked at.
        sample: so many of these are sent through the model.
        batch_size: pictures in each step of the test of the learning rate.
        difference: the gain in accuracy that validation should be able to show, 0 to 1.
        expected_accuracy: for the same, where the model knows nothing yet.
        class_names: those of `train` and of `validation` in the order of their labels, where
            the data do not carry them.
        seed: of the sample.

    Raises:
        TypeError: where `model` is no Keras model.
        ValueError: where it is not compiled, or the data do not fit it.
    """
    _check_model(model)
    options = Options(pictures, sample, batch_size, difference, expected_accuracy, seed)
    sources = (
        as_data("train", train, class_names[0]),
        as_data("validation", validation, class_names[1]),
    )
    pool = rates.BATCHES * batch_size
    scans = [source.scan(pictures, sample, seed, pool) for source in sources]
    for source, scan in zip(sources, scans, strict=True):
        _check_shape(model, source.name, scan)
    return _judge(Setup(model, *sources, scans[0], scans[1], options))


def _judge(setup: Setup) -> Inspection:
    """Let each check look."""
    findings: list[Finding] = []
    passed, skipped = [], []
    original = Original(setup.model)
    for name, check in CHECKS.items():
        try:
            found, reason = _ask(check, setup)
        finally:
            original.restore()
        findings += found
        if reason is not None:
            skipped.append((name, reason))
        elif not found:
            passed.append(name)
    findings.sort(key=lambda finding: finding.severity)
    return Inspection(tuple(findings), tuple(passed), tuple(skipped), _looked_at(setup))


def _ask(check: Check, setup: Setup) -> tuple[list[Finding], str | None]:
    """What a check finds, and why it gave up, if it did; what it found before that is kept."""
    found: list[Finding] = []
    try:
        for finding in check(setup):
            found.append(finding)
    except Skip as reason:
        return found, str(reason)
    # An unusual model may make any check fail; the others still say what they see.
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        said = (str(error).splitlines() or [""])[0][:200]
        return found, (
            f"{UNEXPECTED}, at line {frame.lineno} of {Path(frame.filename).name}: "
            f"{type(error).__name__}: {said} "
            f"Please report this line, with how the model is built, as an issue of the course."
        )
    return found, None


def _looked_at(setup: Setup) -> str:
    """How many pictures were seen, in a sentence."""
    parts = []
    for name, scan in (("train", setup.train), ("validation", setup.validation)):
        of = "all" if scan.complete else "the first"
        parts.append(f"{of} {len(scan):,} of {name} ({len(scan.sampled)} through the model)")
    return f"Looked at {' and '.join(parts)}."


def _check_model(model: Any) -> None:
    """Refuse what is no compiled model with one input and one output."""
    import keras

    if not isinstance(model, keras.Model):
        raise TypeError(f"Received: {type(model).__name__}. Expected: a compiled keras.Model.")
    if not model.compiled:
        raise ValueError(
            f"Received: model '{model.name}', not compiled. Expected: the model as it goes into "
            f"fit. Call model.compile(...) first."
        )
    if not model.built:
        raise ValueError(
            f"Received: model '{model.name}' without weights. Expected: a built model. "
            f"Call it on one batch first, or give it a keras.Input."
        )
    counts = [len(getattr(model, side, None) or [None]) for side in ("inputs", "outputs")]
    if counts != [1, 1]:
        raise ValueError(
            f"Received: model '{model.name}' with {counts[0]} inputs and {counts[1]} outputs. "
            f"Expected: one each."
        )


def _check_shape(model: keras.Model, name: str, scan: Scan) -> None:
    """Refuse inputs that the model does not take."""
    if not getattr(model, "inputs", None):  # not a graph: only a call would say
        return
    expected = tuple(model.inputs[0].shape)[1:]
    received = scan.images.shape[1:]
    fits = len(expected) == len(received) and all(
        want in (None, got) for want, got in zip(expected, received, strict=True)
    )
    if not fits:
        raise ValueError(
            f"Received: {name} with inputs of shape {received}. Expected: {expected}, which is "
            f"what model '{model.name}' takes. Resize the pictures, or build the model for them."
        )
