"""What labels are: numbers of classes, one-hot rows, several tags a picture, words, or no classes.

Everything is told from the labels alone, before they meet a model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.preflight.report import Skip

# Classes are counted in arrays as long as the largest number; a larger one numbers no class.
LARGEST = 1_000_000
# Labels that were smoothed by hand have two values; labels that were mixed, one a picture.
FEW = 10
# Why labels of these kinds name no class each.
NO_CLASSES = {
    "words": "they are words and no numbers",
    "fractions": "they are no whole numbers",
    "numbers": "they are rows of numbers that are neither one-hot nor tags",
    "tags": "a picture has several labels, or none",
    "maps": "they are no single label a picture",
}


@dataclass(frozen=True, eq=False)
class Labels:
    """What labels are.

    Attributes:
        kind: `"integers"`; `"one-hot"`: a row of a 1 and 0 for the rest; `"soft"`: probabilities,
            which rows of classes that were smoothed or mixed are, and so are single numbers;
            `"tags"`: rows of 0 and 1, of which not each holds exactly one 1; `"words"`;
            `"fractions"`: single numbers that are not whole and no probabilities; `"numbers"`:
            other rows; `"maps"`: more than a row each.
        shape: of the array.
        values: the different values in order, empty for rows and maps.
        several: how many rows of tags hold more than one 1.
        none: how many hold none.
    """

    kind: str
    shape: tuple[int, ...]
    values: np.ndarray
    several: int = 0
    none: int = 0

    @property
    def is_rows(self) -> bool:
        """Whether each picture has a row of numbers."""
        return len(self.shape) == 2 and self.shape[1] > 1

    @property
    def are_classes(self) -> bool:
        """Whether each picture has one class, as a number or as a row."""
        return self.kind not in NO_CLASSES


def describe(labels: np.ndarray) -> Labels:
    """Tell what labels `(n, ...)` are."""
    labels = _numbers(labels)
    if labels.dtype.kind in "OSU":
        return Labels("words", labels.shape, np.unique(labels.astype(str)))
    if labels.ndim == 2 and labels.shape[1] > 1:
        return _rows(labels)
    if labels.size != len(labels):
        return Labels("maps", labels.shape, np.empty(0))
    values = np.unique(labels)
    return Labels(_kind_of_singles(values), labels.shape, values)


def _numbers(labels: np.ndarray) -> np.ndarray:
    """Labels as an array of numbers where they are numbers, kept as objects by a table or not."""
    labels = np.asarray(labels)
    if labels.dtype.kind == "O":
        try:
            labels = np.asarray(labels.tolist(), dtype=float)
        except (ValueError, TypeError):
            return labels
    return labels.astype(int) if labels.dtype.kind == "b" else labels


def _kind_of_singles(values: np.ndarray) -> str:
    if np.isfinite(values).all() and np.array_equal(values, np.round(values)):
        return "integers"
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        return "fractions"
    smoothed = len(values) == 2 and np.isclose(values.sum(), 1)
    return "soft" if smoothed or len(values) > FEW else "fractions"


def _rows(labels: np.ndarray) -> Labels:
    """Tell what rows of numbers are; tags that were smoothed have two values that sum to 1."""
    nothing, values = np.empty(0), np.unique(labels)
    sums = labels.sum(axis=1)
    if np.isin(values, (0, 1)).all():
        several, none = int((sums > 1).sum()), int((sums == 0).sum())
        kind = "tags" if several or none else "one-hot"
        return Labels(kind, labels.shape, nothing, several, none)
    if np.isfinite(values).all() and values.min() >= 0:
        if np.allclose(sums, 1, atol=1e-3):
            return Labels("soft", labels.shape, nothing)
        if len(values) == 2 and np.isclose(values.sum(), 1):
            marked = (labels > values.mean()).sum(axis=1)
            several, none = int((marked > 1).sum()), int((marked == 0).sum())
            return Labels("tags", labels.shape, nothing, several, none)
    return Labels("numbers", labels.shape, nothing)


def as_classes(labels: np.ndarray) -> np.ndarray:
    """Labels, integers, one-hot or probabilities, as int `(n,)`.

    Raises:
        Skip: where they name no class each, or number one below 0 or beyond `LARGEST`.
    """
    told = describe(labels)
    if not told.are_classes:
        raise Skip(f"the labels name no class for each picture: {NO_CLASSES[told.kind]}")
    labels = _numbers(labels)
    if told.is_rows:
        return labels.argmax(axis=1)
    flat = labels.reshape(len(labels))
    if told.kind == "soft":
        return (flat > 0.5).astype(int)
    if told.values[0] < 0 or told.values[-1] > LARGEST:
        raise Skip(
            f"labels from {told.values[0]:g} to {told.values[-1]:g} do not number classes from 0 up"
        )
    return flat.astype(int)
