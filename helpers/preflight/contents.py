"""Checks of what pictures show: all alike, two labels for one, labels that nothing explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from helpers.preflight.accuracy import Accuracy
from helpers.preflight.order import times
from helpers.preflight.report import Finding, Skip
from helpers.preflight.scans import Scan
from helpers.preflight.setup import Setup

# From this share of pictures of one colour, or below this share of different ones, something in the
# reading of files is wrong.
BLANK, DIFFERENT = 0.05, 0.1
# So many pictures with their features say whether these have to do with the labels, where the guess
# is ahead of the largest class by more than `AHEAD`. Measured on 288 drawings: 0.91 right; with all
# labels shuffled, 0.42 to 0.60, and 198 of 200 times no further ahead; with four tenths of them
# shuffled, 0.71 in the mean, and always further.
ENOUGH, FOLDS, AHEAD = 150, 5, 0.05
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
    about, it is right more often than always naming the largest class.
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
    right = _guessed(features.astype(float), truth) == truth
    accuracy, share = Accuracy(int(right.sum()), len(truth)), counts.max() / len(truth)
    if accuracy.value > share + AHEAD:
        return
    yield Finding(
        "labels and pictures",
        "warning",
        f"From the features of the frozen base, a linear guess names the classes of "
        f"{accuracy.total} training pictures hardly better than chance: {accuracy.value:.2f}, "
        f"cross-validated (always the largest class: {share:.2f}).",
        "Show some pictures with their labels: the two may have been shuffled or sorted apart. If "
        "they belong together, this base sees nothing of what tells the classes apart.",
    )


def _guessed(features: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The class of each, `(n,)`, guessed from `(n, d)` features of the other folds alone."""
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    likeness = features @ features.T / features.shape[1]
    targets = np.eye(truth.max() + 1)[truth]
    fold = np.random.default_rng(0).permutation(len(truth)) % FOLDS
    guessed = np.empty(len(truth), int)
    for number in range(FOLDS):
        known, asked = fold != number, fold == number
        middle = targets[known].mean(axis=0)
        kernel = likeness[np.ix_(known, known)] + np.eye(int(known.sum()))
        weights = np.linalg.solve(kernel, targets[known] - middle)
        guessed[asked] = (likeness[np.ix_(asked, known)] @ weights + middle).argmax(axis=1)
    return guessed
