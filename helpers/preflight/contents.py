"""Checks of what pictures show: all alike, two labels for one, labels that nothing explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from helpers.preflight.order import times
from helpers.preflight.report import Finding, Skip
from helpers.preflight.scans import Scan
from helpers.preflight.setup import Setup

# From this share of pictures of one colour, or below this share of different ones, something in the
# reading of files is wrong.
BLANK, DIFFERENT = 0.05, 0.1
# So many pictures say whether features have to do with the labels. The correlation, measured on 150
# and 288 drawings: 0.83 and 0.84; with all labels shuffled 200 times, below `RELATED` 179 and 195
# times; with two fifths of them shuffled 50 times, 0.43 and 0.46 in the mean and never below it;
# with three fifths, which leaves 60 % right, 11 and 6 times.
ENOUGH, FOLDS, RELATED = 150, 5, 0.15
# What makes features say nothing, and is named by itself.
BEFORE = {"scaling", "random base", "untrained head", "outputs", "labels", "pictures", "imbalance"}


def check_pictures(setup: Setup) -> Iterator[Finding]:
    """Pictures of one colour, the same ones again and again, and two labels for one picture."""
    for data, scan in ((setup.train_data, setup.train), (setup.validation_data, setup.validation)):
        found = _blank(data.name, scan) or _repeated(data.name, scan)
        if found is not None:
            yield found
            continue
        yield from _contradicting(data.name, scan)


def _blank(name: str, scan: Scan) -> Finding | None:
    count = 0 if scan.prints is None else int(scan.prints.blank.sum())
    if count < BLANK * len(scan):
        return None
    return Finding(
        "pictures",
        "error" if 2 * count > len(scan) else "warning",
        f"{count:,} of {len(scan):,} pictures of {name} are of one colour, all values from "
        f"{scan.low:g} to {scan.high:g}.",
        "Show some with matplotlib's imshow. Pictures turned to whole numbers after a division by "
        "255 are black, and so is what a reader could not decode.",
    )


def _repeated(name: str, scan: Scan) -> Finding | None:
    different = len(set(scan.digests))
    if not scan.complete or different >= DIFFERENT * len(scan) or times(scan) > 1:
        return None
    return Finding(
        "pictures",
        "error",
        f"The {len(scan):,} pictures of {name} are only {different:,} different ones.",
        "Look at how they are read: a list or an array that is filled with the same ones again "
        "and again.",
    )


def _contradicting(name: str, scan: Scan) -> Iterator[Finding]:
    """The same picture, byte for byte, with different labels."""
    labels: dict[bytes, set[bytes]] = defaultdict(set)
    for digest, label in zip(scan.digests, scan.labels, strict=True):
        labels[digest].add(np.asarray(label).tobytes())
    count = sum(len(found) > 1 for found in labels.values())
    if count:
        yield Finding(
            "pictures",
            "warning",
            f"{count:,} pictures of {name} come more than once, with different labels.",
            "Find them by a digest of their bytes, decide on one label for each, drop the rest.",
        )


def check_link(setup: Setup) -> Iterator[Finding]:
    """Labels of which the frozen base's features hardly tell more than chance.

    A linear guess (ridge regression) from the features to the classes is cross-validated on the
    training pictures. Where labels belong to pictures, and the base sees anything of what they are
    about, guesses and labels are correlated.
    """
    if BEFORE & {found.check for found in setup.findings}:
        raise Skip("not judged because of what is found above")
    features = setup.pool_features
    if features is None:
        raise Skip("no frozen part stands before what trains")
    truth = setup.truth(setup.train.pooled)
    counts = np.bincount(truth)
    if len(truth) < ENOUGH or np.sort(counts)[-2:][0] < FOLDS:
        raise Skip(f"{len(truth)} pictures do not tell")
    if setup.is_trained:
        return
    if features.ndim > 2:
        features = features.mean(axis=tuple(range(1, features.ndim - 1)))
    related, right = _guessed(features.astype(float), truth)
    if related >= RELATED:
        return
    yield Finding(
        "labels and pictures",
        "warning",
        f"From the features of the frozen base, a linear guess at the labels of {len(truth)} "
        f"training pictures, cross-validated, has hardly to do with them: correlation "
        f"{related:.2f}, right {right:.2f}, always the largest class "
        f"{counts.max() / len(truth):.2f}.",
        "Show some pictures with their labels: the two may have been shuffled or sorted apart. If "
        "they belong together, this base sees nothing of what tells the classes apart.",
    )


def _guessed(features: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """How far guesses from `(n, d)` features, by the other folds alone, have to do with the truth.

    Returns:
        The correlation of guesses with truth over pictures and classes, and the share right.
    """
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    likeness = features @ features.T / features.shape[1]
    targets = np.eye(truth.max() + 1)[truth]
    fold = np.random.default_rng(0).permutation(len(truth)) % FOLDS
    guesses, rest = np.zeros_like(targets), np.zeros_like(targets)
    middles = np.zeros_like(targets)
    for number in range(FOLDS):
        known, asked = fold != number, fold == number
        middle = targets[known].mean(axis=0)
        kernel = likeness[np.ix_(known, known)] + np.eye(int(known.sum()))
        weights = np.linalg.solve(kernel, targets[known] - middle)
        guesses[asked] = likeness[np.ix_(asked, known)] @ weights
        middles[asked], rest[asked] = middle, targets[asked] - middle
    size = np.linalg.norm(guesses) * np.linalg.norm(rest)
    right = (guesses + middles).argmax(axis=1) == truth
    return float((guesses * rest).sum() / (size + 1e-12)), float(right.mean())
