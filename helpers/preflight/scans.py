"""Look through a bounded number of pictures of any kind of data, and keep what checks need."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from helpers.preflight import copies
from helpers.preflight.sources import Data


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
        sizes: of the batches, in order.
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
    sizes: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.digests)


def scan(data: Data, limit: int, sample: int, seed: int, pool: int = 0) -> Scan:
    """Look through at most `limit` pictures of data, keep `sample` of them, and a pool of `pool`.

    Raises:
        ValueError: where there are none.
    """
    kept = _Reservoir(max(sample, pool), seed)
    seen = _Seen()
    cut = False
    for images, labels, over in data.batches(limit):
        cut = over
        if len(images):
            kept.add(images, labels)
            seen.add(images, labels)
    if not seen.digests:
        raise ValueError(f"Received: no pictures in {data.name}. Expected: at least one batch.")
    inputs, truths = kept.shuffled()
    cut = cut or data.is_endless
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
        total=data.size if cut else len(seen.digests),
        sizes=tuple(map(len, seen.labels)),
    )


def digests(data: Data, limit: int) -> tuple[bytes, ...]:
    """The digests of another pass over at most `limit` pictures, as `fit` makes it."""
    return tuple(digest(image) for images, *_ in data.batches(limit, True) for image in images)


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
        self.digests += [digest(image) for image in images]
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


def digest(image: np.ndarray) -> bytes:
    """Equal for equal arrays, and for no others in practice."""
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=12).digest()
