"""Look through a bounded number of pictures of any kind of data, and keep what checks need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.preflight import copies

BATCH = 64


@dataclass(frozen=True)
class Scan:
    """One pass over data.

    Attributes:
        labels: as they came, `(n,)`, `(n, 1)` or one-hot `(n, classes)`.
        digests: n digests of the pictures' bytes.
        prints: perceptual hashes, see `copies`, or None where the inputs are no pictures.
        images: a fair sample of the inputs, as they came, `(k, ...)`; k is at most `sample`.
        sampled: the labels of that sample.
        pool: a larger fair sample that begins with this one, for steps of training.
        pooled: the labels of the pool.
        low, high: the smallest and largest value of any input.
        complete: whether the pass saw all there was.
        total: how many there are, None where that is not known.
    """

    labels: np.ndarray
    digests: tuple[bytes, ...]
    prints: copies.Prints | None
    images: np.ndarray
    sampled: np.ndarray
    pool: np.ndarray
    pooled: np.ndarray
    low: float
    high: float
    complete: bool
    total: int | None

    def __len__(self) -> int:
        return len(self.digests)


@dataclass(frozen=True)
class Data:
    """Training or validation data that can be looked through again.

    Attributes:
        name: `"train"` or `"validation"`, for messages.
        source: a `tf.data.Dataset`, or a pair of arrays.
        is_dataset: whether it is a dataset, whose passes may differ.
        class_names: where the data carry them.
    """

    name: str
    source: Any
    is_dataset: bool
    class_names: tuple[str, ...] | None

    def batches(self, limit: int) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
        """Batches of inputs and labels, cut where `limit` is reached, and whether one was cut."""
        seen = 0
        for images, labels in self._all_batches():
            room = limit - seen
            yield images[:room], labels[:room], len(images) > room
            seen += len(images)
            if seen > limit:
                return

    def _all_batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if self.is_dataset:
            yield from self.source.as_numpy_iterator()
            return
        images, labels = self.source
        for start in range(0, len(labels), BATCH):
            rows = slice(start, start + BATCH)
            yield np.asarray(images[rows]), np.asarray(labels[rows])

    def scan(self, limit: int, sample: int, seed: int, pool: int = 0) -> Scan:
        """Look through at most `limit` pictures, keep `sample` of them, and a pool of `pool`."""
        kept = _Reservoir(max(sample, pool), seed)
        seen = _Seen()
        cut = False
        for images, labels, over in self.batches(limit):
            cut = over
            if len(images):
                kept.add(images, labels)
                seen.add(images, labels)
        if not seen.digests:
            raise ValueError(f"Received: no pictures in {self.name}. Expected: at least one batch.")
        inputs, truths = kept.shuffled()
        return Scan(
            labels=np.concatenate(seen.labels),
            digests=tuple(seen.digests),
            prints=copies.join(seen.prints) if seen.prints else None,
            images=inputs[:sample],
            sampled=truths[:sample],
            pool=inputs,
            pooled=truths,
            low=seen.low,
            high=seen.high,
            complete=not cut,
            total=self._size() if cut else len(seen.digests),
        )

    def digests(self, limit: int) -> tuple[bytes, ...]:
        """The digests of another pass over at most `limit` pictures."""
        return tuple(_digest(image) for images, *_ in self.batches(limit) for image in images)

    def _size(self) -> int | None:
        """How many pictures there are, where that is known without reading all."""
        return None if self.is_dataset else len(self.source[1])


def as_data(name: str, given: Any, class_names: Sequence[str] | None) -> Data:
    """Take what a learner has as data.

    Args:
        name: `"train"` or `"validation"`.
        given: `(inputs, labels)`; a split of `helpers.pictures`; or a batched
            `tf.data.Dataset` of such pairs.
        class_names: in the order of the labels, None to take those that a dataset carries.

    Raises:
        ValueError: where it is none of these, or does not fit together.
    """
    if hasattr(given, "element_spec"):
        _check_dataset(name, given)
        carried = class_names or getattr(given, "class_names", None)
        return Data(name, given, True, tuple(carried) if carried else None)
    if hasattr(given, "images") and hasattr(given, "labels"):
        given = (given.images, given.labels)
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ValueError(
            f"Received: {name} of type {type(given).__name__}. Expected: (images, labels), a "
            f"split of a picture set, or a batched tf.data.Dataset of (images, labels)."
        )
    images, labels = given
    images = images if hasattr(images, "shape") else np.asarray(images)
    labels = np.asarray(labels)
    if len(images) != len(labels) or len(labels) == 0 or len(images.shape) < 2:
        raise ValueError(
            f"Received: {name} with inputs of shape {tuple(images.shape)} and labels of shape "
            f"{labels.shape}. Expected: one label an input, and at least one."
        )
    return Data(name, (images, labels), False, tuple(class_names) if class_names else None)


def _check_dataset(name: str, dataset: Any) -> None:
    """Refuse datasets that are not batches of pairs."""
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2 or not all(hasattr(s, "shape") for s in spec):
        raise ValueError(
            f"Received: {name}, a dataset of {spec}. Expected: pairs (images, labels). "
            f"Use `dataset.map` to make them."
        )
    rank = spec[1].shape.rank
    if rank == 0:
        raise ValueError(
            f"Received: {name}, an unbatched dataset of inputs {spec[0].shape} and labels "
            f"{spec[1].shape}. Expected: batches. Use `{name}.batch(32)`."
        )


class _Seen:
    """What is noted of every input."""

    def __init__(self) -> None:
        self.labels: list[np.ndarray] = []
        self.digests: list[bytes] = []
        self.prints: list[copies.Prints] = []
        self.low, self.high = np.inf, -np.inf

    def add(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Note a batch."""
        self.labels.append(labels)
        self.digests += [_digest(image) for image in images]
        if copies.are_pictures(images):
            self.prints.append(copies.hash_pictures(images))
        self.low = min(self.low, float(images.min()))
        self.high = max(self.high, float(images.max()))


class _Reservoir:
    """A fair sample of fixed size from a stream of unknown length.

    Source: Vitter (1985), 'Random sampling with a reservoir', algorithm R.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seen = size, 0
        self.images: list[np.ndarray] = []
        self.labels: list[np.ndarray] = []
        self._generator = np.random.default_rng(seed)

    def add(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Let each input of a batch take its chance."""
        for image, label in zip(images, labels, strict=True):
            self.seen += 1
            if len(self.images) < self.size:
                self.images.append(np.array(image))
                self.labels.append(np.array(label))
                continue
            row = int(self._generator.integers(self.seen))
            if row < self.size:
                self.images[row], self.labels[row] = np.array(image), np.array(label)

    def shuffled(self) -> tuple[np.ndarray, np.ndarray]:
        """The sample in random order: any part of it is a fair sample, too."""
        order = self._generator.permutation(len(self.images))
        return np.stack(self.images)[order], np.stack(self.labels)[order]


def _digest(image: np.ndarray) -> bytes:
    """Equal for equal arrays, and for no others in practice."""
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=12).digest()
