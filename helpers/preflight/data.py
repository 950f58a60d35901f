"""Checks of the data alone: shared pictures, passes that differ, balance, size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers.preflight import copies
from helpers.preflight.accuracy import Accuracy
from helpers.preflight.layers import leaf_layers
from helpers.preflight.order import again, is_augmented
from helpers.preflight.report import Finding, Skip
from helpers.preflight.scans import Scan
from helpers.preflight.setup import Setup, as_classes, forward
from helpers.preflight.sources import Data
from helpers.preflight.views import check_views

# Below so many pictures a class, a network that trains its base soon knows them by heart: lesson 4
# sees training accuracy 1 within five epochs on 500 a class without views.
TINY = 100
# So many pictures are sent through the model a second time.
AGAIN = 32
# Where one class has so large a share, always naming it scores as much: higher than half of what
# a learner would call a success.
MAJORITY = 0.8
MIXING = ("AugMix", "CutMix", "MixUp", "AutoContrast", "Equalization", "Solarization")


def check_shared(setup: Setup) -> Iterator[Finding]:
    """Pictures of validation that are in train, also altered as one alters pictures."""
    train, validation = setup.train, setup.validation
    if train.prints is None or validation.prints is None:
        raise Skip("the inputs are no pictures of 1 or 3 channels")
    found = copies.find(validation.prints, train.prints)
    same = set(train.digests) & set(validation.digests)
    equal = sum(digest in same for digest in validation.digests)
    if not len(found.ours) and not equal:
        return
    pairs = ", ".join(
        f"validation {ours} = train {theirs}{f' ({how})' if how else ''}"
        for ours, theirs, how in zip(found.ours[:3], found.theirs[:3], found.how[:3], strict=True)
    )
    count = max(len(found.ours), equal)
    rest = ", ".join(sorted({how for how in found.how if how}))
    yield Finding(
        "shared pictures",
        "error" if count > 0.01 * len(validation) else "warning",
        f"{count:,} of {len(validation):,} pictures of validation are in train too, {equal:,} of "
        f"them byte for byte, the others resized or compressed again"
        f"{f', or {rest}' if rest else ''}{f' ({pairs})' if pairs else ''}.",
        "Split files, not shuffled datasets, and drop the copies from train.",
    )


def check_class_names(setup: Setup) -> Iterator[Finding]:
    """The same label must stand for the same class in both."""
    train, validation = setup.train_data.class_names, setup.validation_data.class_names
    if train is None or validation is None:
        raise Skip(
            "no class names, which map, batch, cache and prefetch drop from a dataset; pass "
            "class_names=(train.class_names, validation.class_names), taken before these steps"
        )
    if train == validation:
        return
    label = next(
        (n for n, pair in enumerate(zip(train, validation, strict=False)) if pair[0] != pair[1]),
        min(len(train), len(validation)),
    )
    ours, theirs = (
        f"'{names[label]}'" if label < len(names) else "no class" for names in (train, validation)
    )
    yield Finding(
        "class order",
        "error",
        f"Label {label} is {ours} of {len(train)} classes in train and {theirs} of "
        f"{len(validation)} in validation.",
        "image_dataset_from_directory(..., class_names=train.class_names) for both.",
    )


def check_augmentation(setup: Setup) -> Iterator[Finding]:
    """Augmentation where it disturbs, in evaluation; none where a tiny set needs it."""
    second = forward(setup.model, setup.train.images[:AGAIN])
    first = setup.train_outputs[:AGAIN]
    scale = float(np.abs(first).max()) or 1.0
    if not np.allclose(first, second, atol=1e-3 * scale, equal_nan=True):
        third = forward(setup.model, setup.train.images[:AGAIN])
        if np.allclose(second, third, atol=1e-3 * scale, equal_nan=True):
            yield _together(first, second)
            return
        yield Finding(
            "augmentation",
            "error",
            f"Two calls with training=False give different outputs (by up to "
            f"{np.abs(first - second).max():.3g}): something random is active in evaluation.",
            "Call random layers without training=True, so that fit alone switches them on.",
        )
    yield from check_views(setup)
    yield from _changing(setup)
    cached = list(_cached(setup))
    yield from cached
    if not cached:
        yield from _missing(setup)


def _together(first: np.ndarray, second: np.ndarray) -> Finding:
    """Outputs that change with the other pictures of a batch, and with nothing else."""
    return Finding(
        "augmentation",
        "error",
        f"With other pictures in the batch, a picture's outputs are others (by up to "
        f"{np.abs(first - second).max():.3g}), with training=False too: something is computed over "
        f"the batch.",
        "axis=-1 in softmax, not axis=0; and no training=True in the call of a base or of "
        "BatchNormalization.",
    )


def _changing(setup: Setup) -> Iterator[Finding]:
    """Validation pictures that come altered: anew in each pass, or once and for all."""
    data, first = setup.validation_data, setup.validation
    if not data.is_dataset:
        return
    mend = "Augment train only, or use augmentation layers within the model."
    if data.pipeline is not None and data.pipeline.is_cached_behind_a_random_map():
        what = "A map alters validation at random, and cache keeps what it made: it is augmented."
        yield Finding("augmentation", "error", what, mend)
        return
    if not first.complete:
        return
    second = again(data, first, setup)
    old, new = set(first.digests), set(second)
    if not old & new:
        what = (
            f"None of the {len(second):,} pictures of validation comes again in a second pass: "
            f"they are augmented anew (or drawn anew from a larger set)."
        )
    elif new != old and is_augmented(setup):
        what = (
            f"{sum(one not in old for one in second):,} of the {len(second):,} pictures of "
            f"validation come again altered in a second pass: they are augmented anew."
        )
    else:
        return
    yield Finding("augmentation", "error", what, mend)


def _cached(setup: Setup) -> Iterator[Finding]:
    """Training pictures that were augmented once and then kept."""
    pipeline = setup.train_data.pipeline
    if pipeline is None or not pipeline.is_cached_behind_a_random_map():
        return
    yield Finding(
        "augmentation",
        "error",
        "A map alters the pictures of train at random, and cache stands behind it: each epoch "
        "brings the same views again, as if nothing augmented them.",
        "Cache first, then augment: dataset.cache().shuffle(...).batch(32).map(augment).",
    )


def _missing(setup: Setup) -> Iterator[Finding]:
    """A base is fine-tuned on a tiny set of pictures that always come the same."""
    if setup.train.prints is None or setup.has_trained or not setup.fine_tuned:
        return
    total = setup.train.total
    classes = np.unique(as_classes(setup.train.labels))
    if total is None or total >= TINY * len(classes) or _has_augmentation(setup):
        return
    yield Finding(
        "augmentation",
        "warning",
        f"{total} training pictures of {len(classes)} classes (fewer than {TINY} a class) "
        f"fine-tune {len(setup.fine_tuned)} pretrained layers, and nothing augments them.",
        "Put keras.layers.RandomFlip('horizontal') and RandomRotation(0.1) in front of the base.",
    )


def _has_augmentation(setup: Setup) -> bool:
    """Whether the model has layers for it, or the training dataset brings other pictures anew."""
    import keras

    names = [n for n in dir(keras.layers) if n.startswith("Rand") or n in MIXING]
    kinds = tuple(getattr(keras.layers, name) for name in names)
    if any(isinstance(layer, kinds) for layer in leaf_layers(setup.model)):
        return True
    if not setup.train_data.is_dataset:
        return False
    return set(setup.train.digests) != set(again(setup.train_data, setup.train, setup))


def check_imbalance(setup: Setup) -> Iterator[Finding]:
    """One class so common that accuracy says nothing."""
    for data, scan in (
        (setup.train_data, setup.train),
        (setup.validation_data, setup.validation),
    ):
        counts = np.bincount(as_classes(scan.labels))
        largest, share = int(counts.argmax()), counts.max() / counts.sum()
        if share < MAJORITY:
            continue
        name = f"class {largest}"
        if data.class_names and largest < len(data.class_names):
            name = data.class_names[largest]
        if share == 1:
            yield _alone(data, scan, name)
            continue
        yield Finding(
            "imbalance",
            "warning",
            f"{share:.0%} of {data.name} is {name}: always naming it has accuracy {share:.2f}.",
            "Compare with that number; better, look at each class's recall, and pass class_weight.",
        )


def _alone(data: Data, scan: Scan, name: str) -> Finding:
    """All are of one class."""
    return Finding(
        "imbalance",
        "error",
        f"All {len(scan):,} pictures looked at of {data.name} are of one class, {name}: "
        f"always naming it has accuracy 1.",
        "Shuffle before you split, or split each class by itself, as "
        "sklearn.model_selection.train_test_split(..., stratify=labels) does.",
    )


def check_size(setup: Setup) -> Iterator[Finding]:
    """Validation too small to show the difference that the learner is after."""
    total, options = setup.validation.total, setup.options
    if total is None:
        raise Skip(f"validation has more than {len(setup.validation):,} pictures, not counted")
    value = options.expected_accuracy
    if setup.is_trained:
        value = setup.accuracy(setup.validation, setup.validation_outputs).value
    width = _half_width(value, total)
    if width <= options.difference:
        return
    enough = total
    while _half_width(value, enough) > options.difference:
        enough = int(enough * 1.05) + 1
    whose = "the model's" if setup.is_trained else "an expected"
    yield Finding(
        "validation size",
        "warning",
        f"With {total:,} validation pictures, {whose} accuracy of {value:.2f} has a 95 % interval "
        f"of +-{width:.3f}, more than the difference of {options.difference:g} it is to show.",
        f"About {enough:,} pictures would do; or compare two models picture by picture.",
    )


def _half_width(value: float, total: int) -> float:
    """Half the width of Wilson's interval of an accuracy."""
    low, high = Accuracy(round(value * total), total).interval
    return (high - low) / 2
