"""Look at a compiled model and its data before `fit`, and list what is wrong, with the mend."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.preflight import (
    contents,
    data,
    fine_tuning,
    inputs,
    metrics,
    network,
    order,
    outputs,
    rates,
    refusals,
    views,
)
from helpers.preflight.parts import what_trains
from helpers.preflight.report import Finding, Inspection, PreflightError, Skip
from helpers.preflight.scans import scan
from helpers.preflight.setup import Options, Original, Setup
from helpers.preflight.sources import as_data
from helpers.preflight.stages import Stages, Tell

if TYPE_CHECKING:
    import keras

__all__ = ["CHECKS", "Finding", "Inspection", "PreflightError", "preflight"]

UNEXPECTED = "the check itself failed"
# Training pictures on which a head is judged, and of which steps are tried.
POOL = 288
Check = Callable[[Setup], Iterable[Finding]]
CHECKS: dict[str, Check] = {
    "BatchNormalization": fine_tuning.check_batch_normalization,
    "trainable": fine_tuning.check_trainable,
    "random base": fine_tuning.check_pretrained,
    "untrained head": fine_tuning.check_head,
    "outputs": outputs.check_outputs,
    "logits": outputs.check_loss,
    "threshold": metrics.check_threshold,
    "metrics": metrics.check_metrics,
    "labels": outputs.check_labels,
    "layers": network.check_layers,
    "pictures": contents.check_pictures,
    "scaling": inputs.check_scaling,
    "shared pictures": data.check_shared,
    "class order": data.check_class_names,
    "order": order.check_order,
    "repeat": order.check_repeat,
    "reshuffling": order.check_passes,
    "augmentation": data.check_augmentation,
    "batches": views.check_batches,
    "imbalance": data.check_imbalance,
    "labels and pictures": contents.check_link,
    "validation size": data.check_size,
    "learning rate": rates.check_rate,  # the slowest, so that a limit of time leaves out no other
}


def preflight(
    model: keras.Model,
    train: Any,
    validation: Any,
    *,
    pictures: int = 2000,
    sample: int = 96,
    batch_size: int = 16,
    difference: float = 0.02,
    expected_accuracy: float = 0.9,
    class_names: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None),
    seed: int = 0,
    seconds: float | None = None,
    progress: Tell | bool = True,
) -> Inspection:
    """Look at a compiled model with one input and one output, and at its data.

    Nothing is changed: weights, optimizer, `trainable` and the global random states of Python and
    NumPy are afterwards as they were. A dataset that shuffles is iterated, so its next order is
    another.

    Args:
        model: compiled, before `fit`.
        train, validation: `(inputs, labels)`; or a split of `helpers.pictures`; or a batched
            `tf.data.Dataset` of such pairs; or whatever else `fit` takes, see `sources`.
        pictures: at most so many of each are looked at.
        sample: so many of these are sent through the model.
        batch_size: pictures in each step of the test of the learning rate.
        difference: the gain in accuracy that validation should be able to show, 0 to 1.
        expected_accuracy: for the same, where the model knows nothing yet.
        class_names: those of `train` and of `validation` in the order of their labels, where
            the data do not carry them.
        seed: of the sample.
        seconds: no check begins after so many; those left are listed as skipped.
        progress: True shows a line in a terminal or notebook, which is wiped at the end. A function
            is told each stage instead, its number and how many there are.

    Raises:
        TypeError: where `model` is no Keras model.
        ValueError: where it is not compiled, or the data do not fit it.
    """
    start = time.monotonic()
    refusals.check_model(model)
    options = Options(pictures, sample, batch_size, difference, expected_accuracy, seed)
    with Stages(len(CHECKS) + 3, progress) as stages:
        setup = _look_through(model, (train, validation), class_names, options, stages)
        limit = None if seconds is None else start + seconds
        return _judge(setup, stages, limit)


def _look_through(
    model: keras.Model,
    given: tuple[Any, Any],
    class_names: tuple[Sequence[str] | None, Sequence[str] | None],
    options: Options,
    stages: Stages,
) -> Setup:
    """See both sets through, and send a sample through the model.

    Raises:
        ValueError: where the model does not take what it is to be trained on.
    """
    names = ("train", "validation")
    for name, one in zip(names, given, strict=True):
        refusals.check_given(name, one)
    sources = [as_data(*one) for one in zip(names, given, class_names, strict=True)]
    scans = []
    for source in sources:
        stages.begin(f"looking through {source.name}")
        pool = max(POOL, rates.BATCHES * options.batch_size)
        seen = scan(source, options.pictures, options.sample, options.seed, pool)
        refusals.check_shape(model, source.name, seen.images.shape[1:])
        scans.append(seen)
    setup = Setup(model, sources[0], sources[1], scans[0], scans[1], options)
    stages.begin("calling the model")
    refusals.check_call(setup)
    return setup


def _judge(setup: Setup, stages: Stages, limit: float | None) -> Inspection:
    """Let each check look, as long as the clock is below `limit`."""
    findings, notes = setup.findings, []
    passed: list[str] = []
    skipped: dict[str, str] = {}
    seconds: dict[str, float] = {}
    original = Original(setup.model)
    for name, check in CHECKS.items():
        start = time.monotonic()
        if limit is not None and start >= limit:
            skipped[name] = "not begun within seconds=, which was over; give it more"
            continue
        stages.begin(name)
        try:
            found, reason = _ask(check, setup)
        finally:
            original.restore()
        seconds[name] = time.monotonic() - start
        faults = [one for one in found if one.severity != "note"]
        findings += faults
        notes += [one for one in found if one not in faults]
        if reason is not None:
            skipped[name] = reason
        elif not faults:
            passed.append(name)
    findings.sort(key=lambda finding: finding.severity)
    _explain(skipped, findings)
    said = _looked_at(setup), _trains(setup.model)
    lists = tuple(findings), tuple(passed), tuple(skipped.items())
    return Inspection(*lists, *said, seconds, tuple(notes))


def _explain(skipped: dict[str, str], findings: list[Finding]) -> None:
    """Where another check found an error, that is why a check failed, as far as one can tell."""
    for name, reason in skipped.items():
        errors = {found.check for found in findings if found.severity == "error"} - {name}
        if errors and reason.startswith(UNEXPECTED):
            listed = ", ".join(f"'{check}'" for check in sorted(errors))
            skipped[name] = f"not judged because of {listed} above; mend that and look again"


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


def _trains(model: keras.Model) -> str:
    """What of a model trains, in a line; nothing where an unusual model does not tell."""
    try:
        return what_trains(model)
    except Exception:
        return ""


def _looked_at(setup: Setup) -> str:
    """How many pictures were seen, in a sentence."""
    parts = []
    for name, seen in (("train", setup.train), ("validation", setup.validation)):
        of = "all" if seen.complete else "the first"
        parts.append(f"{of} {len(seen):,} of {name} ({len(seen.sampled)} through the model)")
    return f"Looked at {' and '.join(parts)}."
