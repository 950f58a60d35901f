"""Checks of the order in which data come: sorted by class, repeated, another at each pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers.preflight import copies
from helpers.preflight.labels import as_classes
from helpers.preflight.report import Finding, Skip
from helpers.preflight.scans import Scan, digest, digests
from helpers.preflight.setup import Setup
from helpers.preflight.sources import Data

# Of what a perfectly sorted set has, 0 to 1: batches of shuffled pictures have 0 on average.
SORTED = 0.25
# So unlikely must the order be if it were one of chance.
CHANCE = 1e-6
# Batches below this size rarely hold all classes; several are looked at as one.
SMALL_BATCH = 8
GROUP = 32
FEWEST = 40


def check_order(setup: Setup) -> Iterator[Finding]:
    """Training batches that hold one class each, or few of many."""
    data, scan = setup.train_data, setup.train
    if data.kind == "arrays":
        return  # fit shuffles arrays
    classes = _classes(scan.labels)
    others = np.unique(_classes(setup.validation.labels))
    if len(np.unique(classes)) == 1 and not scan.complete and len(others) > 1:
        seen = f"The first {len(scan):,} pictures of train are all of one class"
    else:
        share, chance = mixture(classes, scan.sizes)
        if share < SORTED or chance > CHANCE:
            return
        seen = (
            f"Each batch of train holds mostly one class, or few: the batch alone tells "
            f"{share:.0%} of a picture's label, and should tell nothing"
        )
    yield Finding("order", "error", f"{seen}. The data are sorted by class.", _mend(data))


def _mend(data: Data) -> str:
    if data.kind == "sequence":
        return (
            "Shuffle the rows once before you make batches of them; with ImageDataGenerator, "
            "shuffle=True."
        )
    return (
        "Shuffle single pictures, before batch, with a buffer as large as the set: "
        "dataset.shuffle(number_of_pictures).batch(32); with image_dataset_from_directory, "
        "shuffle=True."
    )


def _classes(labels: np.ndarray) -> np.ndarray:
    """Labels as int `(n,)`; words are numbered in their order.

    Raises:
        Skip: where a picture has several labels.
    """
    if labels.size == len(labels) and labels.dtype.kind in "OSUbiu":
        return np.unique(labels.reshape(-1).astype(str), return_inverse=True)[1]
    return as_classes(labels)


def mixture(classes: np.ndarray, sizes: tuple[int, ...]) -> tuple[float, float]:
    """How far batches differ in their classes: 0 for chance, 1 where each holds one class.

    Args:
        classes: int `(n,)`, in the order in which they came.
        sizes: of the batches, n in sum.

    Returns:
        Goodman and Kruskal's tau of class and batch, less what chance gives; and how likely such a
        one is by chance.

    Source: Light and Margolin (1971), 'An analysis of variance for categorical data'.
    """
    from scipy.stats import chi2

    table = _table(classes, sizes)
    total, groups, kinds = table.sum(), len(table), table.shape[1]
    shares = table.sum(axis=0) / total
    left = 1 - (shares**2).sum()
    if groups < 2 or total < FEWEST or left == 0:
        return 0.0, 1.0
    within = (table**2).sum(axis=1) / table.sum(axis=1)
    tau = 1 - (1 - within.sum() / total) / left
    by_chance = (groups - 1) / (total - 1)
    chance = chi2.sf((total - 1) * (kinds - 1) * tau, (groups - 1) * (kinds - 1))
    return float((tau - by_chance) / (1 - by_chance)), float(chance)


def _table(classes: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """How often each class comes in each batch, `(batches, classes)`; small batches together."""
    if max(sizes) < SMALL_BATCH:
        batch = np.arange(len(classes)) // GROUP
    else:
        batch = np.repeat(np.arange(len(sizes)), sizes)
    known, numbers = np.unique(classes, return_inverse=True)
    table = np.zeros((batch[-1] + 1, len(known)))
    np.add.at(table, (batch, numbers), 1)
    return table[table.sum(axis=1) > 0]


def check_repeat(setup: Setup) -> Iterator[Finding]:
    """Data that never end, or bring each picture several times in one pass."""
    for data, scan in (
        (setup.train_data, setup.train),
        (setup.validation_data, setup.validation),
    ):
        steps = "steps_per_epoch" if data.name == "train" else "validation_steps"
        often = times(scan)
        if data.is_endless:
            yield Finding(
                "repeat",
                "warning" if data.name == "train" else "error",
                f"{data.name.capitalize()} is endless: fit waits for its end for ever, unless it "
                f"is told {steps}.",
                f"Leave out {data.name}.repeat(): fit begins anew at each epoch by itself.",
            )
        elif often > 1:
            yield Finding(
                "repeat",
                "warning",
                f"Each picture of {data.name} comes {often} times in one pass: "
                f"{len(set(scan.digests)):,} pictures make {len(scan):,}.",
                f"Leave out {data.name}.repeat(...), and pass epochs= to fit.",
            )


def times(scan: Scan) -> int:
    """How often nearly all pictures of a pass come in it; 1 where that differs."""
    _, counts = np.unique(np.array(scan.digests), return_counts=True)
    low, high = np.quantile(counts, (0.1, 0.9))
    return int(low) if len(counts) >= 10 and low == high else 1


def check_passes(setup: Setup) -> Iterator[Finding]:
    """Validation that brings other pictures at each pass, or the same in another order.

    The first is a dataset that shuffles under a cut. The second is a fault only where labels and
    predictions come from two passes. Pictures that come again mirrored, brightened or cut are
    augmented; see `check_augmentation`.
    """
    data, first = setup.validation_data, setup.validation
    if not data.is_dataset:
        raise Skip("validation is no tf.data.Dataset; arrays are the same at each pass")
    if not first.complete and data.pipeline is not None and data.pipeline.comes_in_another_order():
        yield _another_order(data)
    second = again(data, first, setup)
    old, new = set(first.digests), set(second)
    if old == new and first.digests != second:
        yield _another_order(data)
    if old == new or not old & new or is_augmented(setup):
        return
    seen = set(setup.train.digests)
    yield Finding(
        "reshuffling",
        "error",
        f"A second pass over validation brings {len(new - old):,} pictures that the first did not "
        f"(of {len(second):,}), and {len((old | new) & seen):,} of both are in train: "
        f"the dataset shuffles again under take or skip.",
        "Split files; or cut before you shuffle; or shuffle(..., reshuffle_each_iteration=False).",
    )


def _another_order(data: Data) -> Finding:
    by_hand = "labels, outputs = zip(*((y, model.predict_on_batch(x)) for x, y in validation))"
    return Finding(
        "reshuffling",
        "note",
        f"Validation comes in another order at each pass. fit and evaluate do not mind. But "
        f"{'its classes' if hasattr(data.source, 'classes') else 'labels'} taken from one pass and "
        f"model.predict(validation) from another do not belong together.",
        f"shuffle=False for validation; or take both from the same pass: {by_hand}.",
    )


def again(data: Data, first: Scan, setup: Setup) -> tuple[bytes, ...]:
    """The digests of a second pass.

    Raises:
        Skip: where the first did not see all, so that a second may differ rightly.
    """
    if data.is_endless:
        raise Skip(f"not judged because of 'repeat': {data.name} never ends")
    if not first.complete:
        raise Skip(
            f"{data.name} has more than pictures={len(first):,}, so that two passes may rightly "
            f"begin with different ones; raise pictures="
        )
    if data.name not in setup.second_passes:
        setup.second_passes[data.name] = digests(data, setup.options.pictures)
    return setup.second_passes[data.name]


def is_augmented(setup: Setup) -> bool:
    """Whether pictures of validation come again altered, each by itself, in a second pass."""
    first = setup.validation
    known, strange, copied = set(first.digests), 0, 0
    for images, *_ in setup.validation_data.batches(setup.options.pictures, later=True):
        rest = np.stack([image for image in images if digest(image) not in known] or [images[:0]])
        if rest.size == 0:
            continue
        strange += len(rest)
        mirrored = np.array([_is_mirrored(image, known) for image in rest])
        copied += int(mirrored.sum())
        others = rest[~mirrored]
        if first.prints is not None and len(others):
            copied += len(copies.find(copies.hash_pictures(others), first.prints).ours)
    return copied > strange / 2


def _is_mirrored(image: np.ndarray, known: set[bytes]) -> bool:
    flips = (image[:, ::-1], image[::-1], image[::-1, ::-1]) if image.ndim == 3 else ()
    return any(digest(flip) in known for flip in flips)
