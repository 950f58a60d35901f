"""A learner's folder, or an archive of one, and what it shares with the course's own sets."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from helpers import archives, downloads, paths
from helpers.pictures import decoding, headers, near_copies
from helpers.pictures.arrangements import Listing, arrange
from helpers.pictures.splits import (
    File,
    Parts,
    PictureFiles,
    PictureSet,
    Shares,
    Split,
    check_classes,
    halves,
    shuffled,
)


def load(name: str, size: int, shares: Shares, in_memory: bool) -> PictureSet:
    """A learner's own pictures, split as they lie, or by class and seed.

    Near copies are kept in one split, where the split is the course's to make.
    """
    folder = find(name)
    if not folder:
        raise ValueError(unknown(name))
    listing = without_copies(arrange(folder))
    given = listing.given
    divide = (lambda files: _as_given(files, given, shares.seed)) if given else shares
    loaded = _decode(listing, divide(listing.files), size, in_memory)
    groups = loaded.groups()
    parts = _as_given(loaded.files, given, shares.seed) if given else shares(loaded.files, groups)
    check_classes(listing.class_names, parts, loaded.left_out, shares)
    found = loaded.split(parts)
    said = (*listing.said, *_said_of_groups(groups, parts), *_said_of_transparent(loaded.decoded))
    return replace(found, said=said, folder=str(listing.folder))


def is_there(name: str | os.PathLike[str]) -> bool:
    """Whether there is a folder or an archive of that path."""
    if not name:
        return False
    path = Path(name).expanduser().resolve()
    return path.is_dir() or (path.is_file() and archives.is_archive(path))


def find(name: str) -> Path | None:
    """The learner's folder of that path, or what an archive of that path holds, or None.

    An archive is unpacked into the course's cache, once for the same contents.

    Raises:
        ValueError: where an archive cannot be unpacked.
    """
    if not is_there(name):
        return None
    path = Path(name).expanduser().resolve()
    return path if path.is_dir() else _unpacked(path)


def _unpacked(archive: Path) -> Path:
    """The folder with what an archive holds."""
    stat = archive.stat()
    digest = _digest(archive, stat.st_size, stat.st_mtime_ns)
    stem = archive.name.split(".")[0]
    folder = paths.cache_folder() / "pictures" / "unpacked" / f"{stem}-{digest[:12]}"
    with downloads.alone(folder):
        if not folder.is_dir():
            archives.unpack(archive, folder, archives.OWN)
    return folder


@lru_cache(maxsize=8)
def _digest(path: Path, size: int, changed: int) -> str:
    """Of a file's contents, read once while its size and its time stay."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unknown(name: str) -> str:
    """What to say of a name that is no set, no folder and no archive."""
    path = Path(name).expanduser().resolve()
    looked = f" (no such folder as {path})" if name else ""
    if name and path.is_file():
        looked = f" ({path} is a file, and no zip or tar archive)"
    return (
        f"Received: pictures '{name}'{looked}. Expected: 'drawings', 'photos', 'tfds', or the path "
        f"of a folder with one subfolder a class, or of a zip or tar of one. Check the path; a "
        f"full one works from everywhere."
    )


def without_copies(listing: Listing) -> Listing:
    """The same without files that hold the very bytes of an earlier one."""
    copies = _copies(listing.files)
    files = [file for file in listing.files if file not in copies]
    left_out = [*listing.left_out, *((file.name, reason) for file, reason in copies.items())]
    return replace(listing, files=files, left_out=left_out)


def _copies(files: Sequence[File]) -> dict[File, str]:
    """Pictures that hold the very bytes of an earlier one, with the reason to leave them out.

    A copy in another split would be trained on and tested on; in another class, one of the two
    labels is wrong, and nobody knows which. What is no picture is left out as such.
    """
    by_size: dict[int, list[File]] = {}
    for file in files:
        with contextlib.suppress(OSError):  # decoding says what is wrong with it
            if size := os.path.getsize(file.path):
                by_size.setdefault(size, []).append(file)
    alike: dict[bytes, list[File]] = {}
    for file in (file for group in by_size.values() if len(group) > 1 for file in group):
        with contextlib.suppress(OSError):
            digest = hashlib.sha256(Path(file.path).read_bytes()).digest()
            alike.setdefault(digest, []).append(file)
    found: dict[File, str] = {}
    for first, *others in alike.values():
        if not others or not _is_picture(first):
            continue
        if any(other.label != first.label for other in others):
            names = " and ".join(file.name for file in (first, *others)[:2])
            found |= dict.fromkeys((first, *others), f"one picture in two classes: {names}")
        else:
            found |= dict.fromkeys(others, f"a copy of {first.name}")
    return found


def _is_picture(file: File) -> bool:
    with contextlib.suppress(OSError), open(file.path, "rb") as opened:
        return headers.inspect(opened).reason is None
    return False


def _as_given(files: Sequence[File], given: Mapping[str, str], seed: int) -> Parts:
    """Train, validation and test as the folder has them; without a test, half of the validation."""
    generator = np.random.default_rng(seed)
    train, validation, test = (
        [file for file in files if given[file.path] == part]
        for part in ("train", "validation", "test")
    )
    if "test" not in given.values():
        validation, test = halves(validation, generator)
    return tuple(shuffled(part, generator) for part in (train, validation, test))


def _said_of_groups(groups: Mapping[str, int], parts: Parts) -> list[str]:
    """How many groups of near copies there are, and whether a split of the folder's tears some."""
    if not groups:
        return []
    where: dict[int, set[int]] = {}
    for number, part in enumerate(parts):
        for file in part:
            if file.path in groups:
                where.setdefault(groups[file.path], set()).add(number)
    torn = sum(len(own) > 1 for own in where.values())
    several = len(where) > 1
    said = (
        f"{len(groups):,} pictures are near copies of another, in {len(where):,} "
        f"{'groups' if several else 'group'} (saved again, or a burst)"
    )
    if torn:
        lie = "lie" if torn > 1 else "lies"
        return [
            f"{said}: {torn:,} of these {lie} in more than one split, which makes scores too good."
        ]
    return [f"{said}: {'each group is' if several else 'it is'} kept in one split."]


def _said_of_transparent(decoded: decoding.Decoded) -> list[str]:
    """How many transparent pictures were laid on a background."""
    count = len(decoded.transparent)
    if not count:
        return []
    return [
        f"{count:,} transparent {'pictures were' if count > 1 else 'picture was'} laid on white."
    ]


# From files to pictures


@dataclass(frozen=True)
class Loaded:
    """A listing whose files were decoded.

    Attributes:
        listing: as it was.
        size: the side of a picture in pixels, as it was asked for.
        in_memory: whether the pictures are decoded at that size, or only tried, at a small one.
        decoded: in the order of `row_of`.
        row_of: the row of a file, by path.
        broken: why a file is no picture, by path.
    """

    listing: Listing
    size: int
    in_memory: bool
    decoded: decoding.Decoded
    row_of: dict[str, int]
    broken: dict[str, str]

    @property
    def files(self) -> list[File]:
        """Those that are pictures, as listed."""
        return [file for file in self.listing.files if file.path not in self.broken]

    def groups(self) -> dict[str, int]:
        """The group of each file that has near copies, by path."""
        files = self.files
        if not files:
            return {}
        rows = np.array([self.row_of[file.path] for file in files])
        return near_copies.groups(files, self.decoded.images, rows)

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """The listing's, and what is broken."""
        broken = [
            (file.name, self.broken[file.path])
            for file in self.listing.files
            if file.path in self.broken
        ]
        return sorted([*self.listing.left_out, *broken])

    def split(self, parts: Parts) -> PictureSet:
        """The set with these parts."""
        train, validation, test = map(self._as_split, parts)
        return PictureSet(
            self.listing.name,
            self.size,
            self.listing.class_names,
            train,
            validation,
            test,
            left_out=tuple(self.left_out),
        )

    def _as_split(self, files: Sequence[File]) -> Split:
        """The rows of these files; no copy where they lie side by side, as they mostly do."""
        rows = np.array([self.row_of[file.path] for file in files], dtype=np.int64)
        side_by_side = len(rows) > 0 and np.array_equal(rows, rows[0] + np.arange(len(rows)))
        chosen = slice(rows[0], rows[0] + len(rows)) if side_by_side else rows
        on_disk = PictureFiles([file.path for file in files], self.size)
        return Split(
            images=self.decoded.images[chosen] if self.in_memory else on_disk,
            labels=np.array([file.label for file in files], dtype=np.int32),
            files=tuple(file.name for file in files),
            sizes=self.decoded.sizes[chosen],
        )


def load_files(
    listing: Listing,
    divide: Callable[[Sequence[File]], Parts],
    size: int,
    in_memory: bool,
) -> PictureSet:
    """Decode the files, split those that are pictures, name the others."""
    parts = divide(listing.files)
    loaded = _decode(listing, parts, size, in_memory)
    # Split anew without what is broken: the same as if it had never been there.
    return loaded.split(divide(loaded.files) if loaded.broken else parts)


def _decode(listing: Listing, parts: Parts, size: int, in_memory: bool) -> Loaded:
    """Decode the files in the order of a split, so that its parts lie side by side."""
    ordered = [file for part in parts for file in part]
    side = size if in_memory else near_copies.SIDE_COMPARED
    decoded = decoding.decode_files([file.path for file in ordered], side)
    return Loaded(
        listing,
        size,
        in_memory,
        decoded,
        row_of={file.path: row for row, file in enumerate(ordered)},
        broken={ordered[row].path: reason for row, reason in decoded.failed.items()},
    )
