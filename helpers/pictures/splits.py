"""A picture set: its three splits, and how files are dealt into them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import versions
from helpers.pictures import apart, colours, decoding, headers

PARTS = ("train", "validation", "test")
# What of each class of a folder is kept apart, where the caller does not say: shares from 0 to 1.
VALIDATION_SHARE = TEST_SHARE = 0.15
LEFT_OUT_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Split:
    """The pictures of one split, in a shuffled order: any slice is a fair sample.

    Attributes:
        images: uint8 `(n, size, size, 3)`, red, green, blue; an array, or `PictureFiles`.
        labels: int32 `(n,)`, positions in `PictureSet.class_names`.
        files: n names, such as `cats/cat.1.jpg`.
        sizes: int32 `(n, 2)`, height and width of the upright original in pixels.
    """

    images: np.ndarray | PictureFiles
    labels: np.ndarray
    files: tuple[str, ...]
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"{len(self):,} pictures {self.images.shape[1:]}"


class PictureFiles:
    """Pictures that stay on disk until they are asked for: `files[10:20]` decodes ten of them.

    Args:
        paths: the files.
        size: the side of the square that each is resized to, in pixels.
    """

    dtype = np.dtype("uint8")

    def __init__(self, paths: Sequence[str], size: int) -> None:
        self.paths = tuple(paths)
        self.shape = (len(self.paths), size, size, 3)

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        return f"{len(self):,} files, decoded to {self.shape[1:]} when asked for"

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """Decode one picture, `(size, size, 3)`, or some, `(n, size, size, 3)`.

        Raises:
            ValueError: where a file is no picture any more.
        """
        chosen = np.arange(len(self))[rows]
        paths = [self.paths[row] for row in np.atleast_1d(chosen)]
        decoded = decoding.decode_files(paths, self.shape[1])
        if decoded.failed:
            row, reason = next(iter(decoded.failed.items()))
            raise ValueError(
                f"Received: {paths[row]} ({reason}). Expected: the picture that was "
                f"there when the set was loaded. Load the set again."
            )
        return decoded.images if np.ndim(chosen) else decoded.images[0]

    def fingerprint(self) -> str:
        """A digest of the files' contents in their order, the size, and what decodes them."""
        code = [versions.source_digest(each) for each in (decoding, headers, colours, apart)]
        decoder = code, versions.of("tensorflow", "pillow", "pillow-heif")
        digest = hashlib.sha256(f"{self.shape} {decoder}".encode())
        for path in self.paths:
            digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class PictureSet:
    """A set of labelled pictures in three splits that share no file; printing it sums it up.

    Attributes:
        name: "drawings", "photos", "tfds", or the name of the learner's folder.
        size: the side of each picture in pixels.
        class_names: sorted.
        train, validation, test: the splits.
        left_out: pairs of a file's name and why it is in no split.
    """

    name: str
    size: int
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    left_out: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return summary(self)


def summary(pictures: PictureSet) -> str:
    """What is in a set: counts per class and split, original sizes, what was left out and why."""
    splits = [pictures.train, pictures.validation, pictures.test]
    counts = [np.bincount(split.labels, minlength=len(pictures.class_names)) for split in splits]
    rows: list[tuple[str, ...]] = [("", *PARTS)]
    for label, class_name in enumerate(pictures.class_names):
        rows.append((class_name, *(f"{count[label]:,}" for count in counts)))
    rows.append(("together", *(f"{len(split):,}" for split in splits)))
    total = sum(map(len, splits))
    return "\n".join(
        [
            f"{pictures.name}: {total:,} pictures of {len(pictures.class_names)} classes, "
            f"{pictures.size} x {pictures.size} pixels each",
            *_aligned(rows),
            _size_range(np.concatenate([split.sizes for split in splits])),
            *_left_out_lines(pictures.left_out),
        ]
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of a table as text: the first column to the left, numbers to the right."""
    first = max(len(row[0]) for row in rows)
    width = max(len(cell) for row in rows for cell in row[1:])
    return [row[0].ljust(first) + "".join(f"  {cell:>{width}}" for cell in row[1:]) for row in rows]


def _size_range(sizes: np.ndarray) -> str:
    """The range of the originals' sizes, `(n, 2)` height and width, in a sentence."""
    heights, widths = (
        f"{low:,}" if low == high else f"{low:,} to {high:,}"
        for low, high in zip(sizes.min(axis=0), sizes.max(axis=0), strict=True)
    )
    return f"Originals: {widths} pixels wide, {heights} high."


def _left_out_lines(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """Which files were left out and why, the first few by name."""
    if not left_out:
        return ["Left out: nothing."]
    lines = [f"Left out: {len(left_out):,} {'file' if len(left_out) == 1 else 'files'}."]
    lines += [f"  {file}: {reason}" for file, reason in left_out[:LEFT_OUT_SHOWN]]
    rest = Counter(reason for _, reason in left_out[LEFT_OUT_SHOWN:])
    return lines + [f"  and {count:,} more: {reason}" for reason, count in rest.items()]


# Files dealt into splits


@dataclass(frozen=True)
class File:
    """A picture on disk: where it is, the name that is shown, its class."""

    path: str
    name: str
    label: int


# Train, validation and test.
Parts = tuple[list[File], ...]


@dataclass(frozen=True)
class Shares:
    """How to split each class of a folder; called with its files, it does so."""

    validation: float
    test: float
    seed: int

    def __post_init__(self) -> None:
        if min(self.validation, self.test) <= 0 or self.validation + self.test >= 1:
            raise ValueError(
                f"Received: validation_share={self.validation}, test_share={self.test}. "
                f"Expected: two shares above 0 that leave some pictures to train with."
            )

    def __call__(self, files: Sequence[File]) -> Parts:
        """Train, validation and test, each in a shuffled order."""
        generator = np.random.default_rng(self.seed)
        parts: Parts = ([], [], [])
        for label in sorted({file.label for file in files}):
            own = [file for file in files if file.label == label]
            own = [own[position] for position in generator.permutation(len(own))]
            validation = max(1, round(len(own) * self.validation))
            test = max(1, round(len(own) * self.test))
            parts[1].extend(own[:validation])
            parts[2].extend(own[validation : validation + test])
            parts[0].extend(own[validation + test :])
        return tuple(shuffled(part, generator) for part in parts)


def shuffled(files: Sequence[File], generator: np.random.Generator) -> list[File]:
    """The same files in another order."""
    return [files[position] for position in generator.permutation(len(files))]


def halves(files: Sequence[File], generator: np.random.Generator) -> tuple[list[File], list[File]]:
    """Two lists that share nothing, with half of each class in each."""
    first: list[File] = []
    second: list[File] = []
    for label in sorted({file.label for file in files}):
        own = shuffled([file for file in files if file.label == label], generator)
        middle = (len(own) + 1) // 2
        first += own[:middle]
        second += own[middle:]
    return first, second


def enough(shares: Shares, class_names: Sequence[str]) -> Callable[[Sequence[File]], Parts]:
    """`shares`, but each class must have a picture for each split."""

    def divide(files: Sequence[File]) -> Parts:
        parts = shares(files)
        for label, class_name in enumerate(class_names):
            own = [sum(file.label == label for file in part) for part in parts]
            if min(own) == 0:
                raise ValueError(
                    f"Received: {sum(own)} readable pictures in class '{class_name}'. Expected: at "
                    f"least 3, one for each split. Add pictures, or lower validation_share "
                    f"({shares.validation}) and test_share ({shares.test})."
                )
        return parts

    return divide
