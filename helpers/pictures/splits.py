"""A picture set: its three splits, and how files are dealt into them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import versions
from helpers.pictures import apart, colours, decoding, headers

if TYPE_CHECKING:
    import pandas as pd
    import tensorflow as tf

PARTS = ("train", "validation", "test")
# What of each class of a folder is kept apart, where the caller does not say: shares from 0 to 1.
VALIDATION_SHARE = TEST_SHARE = 0.15
LEFT_OUT_SHOWN = 10
# Pictures that a class needs, one for each split; and short classes that an error names.
LEAST, SHORT_SHOWN = len(PARTS), 6


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

    def dataset(self, batch_size: int, seed: int | None = None) -> tf.data.Dataset:
        """Batches of pictures and labels; with a seed shuffled, anew in each pass."""
        import tensorflow as tf

        shape = self.images.shape[1:]
        rows = tf.data.Dataset.range(len(self))
        if seed is not None:
            rows = rows.shuffle(max(1, len(self)), seed=seed)

        def take(chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            images = tf.numpy_function(self.images.__getitem__, [chosen], tf.uint8)
            labels = tf.numpy_function(self.labels.__getitem__, [chosen], tf.int32)
            return tf.ensure_shape(images, (None, *shape)), tf.ensure_shape(labels, (None,))

        return rows.batch(batch_size).map(take).prefetch(tf.data.AUTOTUNE)


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
        said: how a learner's folder was read, a sentence each.
        folder: where its files lie, for those that the names of `left_out` are relative to.
    """

    name: str
    size: int
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    left_out: tuple[tuple[str, str], ...] = ()
    said: tuple[str, ...] = ()
    folder: str | None = None

    def __repr__(self) -> str:
        return summary(self)

    def _repr_html_(self) -> str:
        from helpers.pictures import load_report

        return load_report.html(self)

    def datasets(self, batch_size: int = 32, seed: int = 0) -> tuple[tf.data.Dataset, ...]:
        """Train, validation and test as batches of pictures and labels.

        Args:
            batch_size: pictures a batch.
            seed: of the order of the training pictures, which is another in each pass.

        Returns:
            Three datasets of uint8 `(batch, size, size, 3)` and int32 `(batch,)`.
        """
        train, validation, test = (
            split.dataset(batch_size, seed if split is self.train else None)
            for split in (self.train, self.validation, self.test)
        )
        return train, validation, test

    def table(self) -> pd.DataFrame:
        """A row for each picture: file, class, label, split, height, width."""
        import pandas as pd

        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "file": split.files,
                        "class": [self.class_names[label] for label in split.labels],
                        "label": split.labels,
                        "split": part,
                        "height": split.sizes[:, 0],
                        "width": split.sizes[:, 1],
                    }
                )
                for part, split in zip(PARTS, (self.train, self.validation, self.test), strict=True)
            ],
            ignore_index=True,
        )


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
            size_range(pictures),
            *pictures.said,
            *_left_out_lines(pictures.left_out),
        ]
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of a table as text: the first column to the left, numbers to the right."""
    first = max(len(row[0]) for row in rows)
    width = max(len(cell) for row in rows for cell in row[1:])
    return [row[0].ljust(first) + "".join(f"  {cell:>{width}}" for cell in row[1:]) for row in rows]


def size_range(pictures: PictureSet) -> str:
    """The range of the originals' sizes in a sentence."""
    splits = (pictures.train, pictures.validation, pictures.test)
    sizes = np.concatenate([split.sizes for split in splits])
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
    lines += [
        f"  {printable(file)}: {printable(reason)}" for file, reason in left_out[:LEFT_OUT_SHOWN]
    ]
    rest = Counter(reason for _, reason in left_out[LEFT_OUT_SHOWN:])
    return lines + [f"  and {count:,} more: {reason}" for reason, count in rest.items()]


def printable(name: str) -> str:
    """A name without what would break a line."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


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

    def __call__(self, files: Sequence[File], groups: Mapping[str, int] | None = None) -> Parts:
        """Train, validation and test, each in a shuffled order.

        Args:
            files: of any classes.
            groups: by path, the group of each file that must not be parted from others.
        """
        generator = np.random.default_rng(self.seed)
        parts: Parts = ([], [], [])
        for label in sorted({file.label for file in files}):
            own = [file for file in files if file.label == label]
            own = [own[position] for position in generator.permutation(len(own))]
            for part, dealt in zip(parts, self._deal(own, groups or {}), strict=True):
                part.extend(dealt)
        return tuple(shuffled(part, generator) for part in parts)

    def _deal(self, files: Sequence[File], groups: Mapping[str, int]) -> Parts:
        """One class: whole groups in turn, into validation, then test, as long as they fit."""
        units: dict[str | int, list[File]] = {}
        for file in files:
            units.setdefault(groups.get(file.path, file.path), []).append(file)
        wanted = [max(1, round(len(files) * share)) for share in (self.validation, self.test)]
        validation: list[File] = []
        test: list[File] = []
        train: list[list[File]] = []
        for unit in units.values():
            if len(validation) + len(unit) <= wanted[0]:
                validation += unit
            elif len(test) + len(unit) <= wanted[1]:
                test += unit
            else:
                train.append(unit)
        for part in (validation, test):
            if not part and len(train) > 1:  # each group was too large: the smallest will do
                smallest = min(train, key=len)
                train.remove(smallest)
                part += smallest
        return [file for unit in train for file in unit], validation, test


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


def check_classes(
    class_names: Sequence[str],
    parts: Parts,
    left_out: Sequence[tuple[str, str]],
    shares: Shares,
) -> None:
    """Each class must have a picture for each split.

    Raises:
        ValueError: where some have not, all of them named, with what was left out of each.
    """
    short = []
    counts = [Counter(file.label for file in part) for part in parts]
    for label, class_name in enumerate(class_names):
        own = [count[label] for count in counts]
        if min(own) == 0:
            short.append((class_name, sum(own)))
    if not short:
        return
    first = _short_class(*short[0], left_out, "readable pictures in class ")
    others = [_short_class(*one, left_out, "in ") for one in short[1:SHORT_SHOWN]]
    more = [f"and too few in {len(short) - SHORT_SHOWN} more"] if len(short) > SHORT_SHOWN else []
    raise ValueError(
        f"Received: {', '.join([first, *others, *more])}. Expected: at least {LEAST}, one for "
        f"each split. {_advice(short, shares)}"
    )


def _short_class(name: str, count: int, left_out: Sequence[tuple[str, str]], between: str) -> str:
    """How many pictures a class has, and what was left out of it."""
    own = [reason for file, reason in left_out if name in file.split("/")[:-1]]
    kinds = Counter(map(kind_of, own))
    listed = ", ".join(f"{number:,} x {kind}" for kind, number in kinds.most_common())
    return f"{count} {between}'{name}'" + (f" (left out: {listed})" if listed else "")


def _advice(short: Sequence[tuple[str, int]], shares: Shares) -> str:
    """What helps classes that are too small for the split."""
    if min(count for _, count in short) < LEAST:
        return f"Add pictures, or remove the {'folder' if len(short) == 1 else 'folders'}."
    if shares.validation + shares.test > 0.5:
        return (
            f"Lower validation_share ({shares.validation}) and test_share ({shares.test}), or add "
            f"pictures."
        )
    return "Near copies count as one: add pictures of other moments."


def kind_of(reason: str) -> str:
    """A reason without what it says of one file only, so that the same ones can be counted."""
    return "a copy of another" if reason.startswith("a copy of ") else reason.split(":")[0]
