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
# Fewer pictures of a class say nothing. Correlations below and above which labels and pictures have
# nothing, and something, to do with each other. Measured on 288 drawings to train and 96 for
# validation: 0.84 and 0.80, guessed across 0.84. With the labels of one set shuffled 300 times,
# that was said in 97 % for train and 77 % for validation (200 and 60 drawings: 95 and 69 %). With
# two fifths of all labels shuffled 50 times, which leaves 80 % right, it was never said; with three
# fifths, once.
FEWEST, FOLDS, UNRELATED, RELATED = 20, 5, 0.15, 0.45
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
    """Labels that have nothing to do with their pictures, in one of both sets.

    From the features of the frozen base a linear guess (ridge regression) is made at the labels,
    cross-validated. Where labels belong to pictures, and the base sees anything of what they are
    about, guesses and labels are correlated. Where they are in one set and not in the other, labels
    and pictures of the other were shuffled or sorted apart. Where they are in none, that may be so,
    or the base sees too little, which is a note.
    """
    if BEFORE & {found.check for found in setup.findings}:
        raise Skip("not judged because of what is found above")
    if setup.pool_features is None or setup.validation_features is None:
        raise Skip("no frozen part stands before what trains")
    own = _vectors(setup.pool_features), setup.truth(setup.train.pooled)
    others = _vectors(setup.validation_features), setup.truth(setup.validation.sampled)
    if min(_smallest(own[1]), _smallest(others[1])) < FEWEST:
        raise Skip(f"a class has fewer than {FEWEST} of the pictures looked at")
    trained, validated = _related(*own), _related(*others)
    # A set is small; what the other one knows of it says more than what it knows of itself.
    across = _correlation(_guess(*own, others[0]), _targets(others[1], own[1]))
    if trained < UNRELATED and validated > RELATED:
        yield _apart("warning", "train", "validation", trained, validated)
    elif trained > RELATED and max(across, validated) < UNRELATED:
        yield _apart("warning", "validation", "train", across, trained)
    elif max(trained, validated) < UNRELATED:
        yield _apart("note", "train", "", trained, 0.0)


def _apart(severity: str, name: str, other: str, value: float, known: float) -> Finding:
    beside = f", and with those of {other} it has: {known:.2f}" if other else ""
    rest = "" if other else " Or this base sees nothing of what the labels are about."
    return Finding(
        "labels and pictures",
        severity,
        f"From the features of the frozen base, a linear guess at the labels of {name} has hardly "
        f"to do with them: correlation {value:.2f}{beside}.",
        f"Show some pictures of {name} with their labels: the two may have been shuffled or sorted "
        f"apart.{rest}",
    )


def _vectors(features: np.ndarray) -> np.ndarray:
    """Features `(n, d)`, those of maps averaged over all places."""
    return features.mean(axis=tuple(range(1, features.ndim - 1))) if features.ndim > 2 else features


def _smallest(truth: np.ndarray) -> int:
    """How many pictures the second largest class has, 0 where there is only one."""
    counts = np.sort(np.bincount(truth))
    return int(counts[-2]) if len(counts) > 1 else 0


def _targets(truth: np.ndarray, known: np.ndarray) -> np.ndarray:
    """One-hot labels less the shares of the classes among those that are known."""
    classes = max(truth.max(), known.max()) + 1
    return np.eye(classes)[truth] - np.eye(classes)[known].mean(axis=0)


def _guess(features: np.ndarray, truth: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Guesses `(m, classes)` at the labels of features `(m, d)` from others with their labels."""
    middle, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    known, asked = ((part - middle) / spread for part in (features.astype(float), asked))
    kernel = known @ known.T / known.shape[1] + np.eye(len(known))
    weights = np.linalg.solve(kernel, _targets(truth, truth))
    return asked @ known.T / known.shape[1] @ weights


def _related(features: np.ndarray, truth: np.ndarray) -> float:
    """The correlation of labels with guesses from other pictures, over pictures and classes."""
    fold = np.random.default_rng(0).permutation(len(truth)) % FOLDS
    guesses, targets = np.zeros((2, len(truth), truth.max() + 1))
    for number in range(FOLDS):
        rest, own = fold != number, fold == number
        found = _guess(features[rest], truth[rest], features[own])
        guesses[own, : found.shape[1]] = found
        targets[own] = _targets(truth, truth[rest])[own]
    return _correlation(guesses, targets)


def _correlation(guesses: np.ndarray, targets: np.ndarray) -> float:
    targets = targets[:, : guesses.shape[1]]
    size = np.linalg.norm(guesses) * np.linalg.norm(targets)
    return float((guesses * targets).sum() / (size + 1e-12))
