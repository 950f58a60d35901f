"""A learner's folder with one subfolder a class, and what it shares with the course's own sets."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from helpers.pictures import decoding
from helpers.pictures.splits import File, Parts, PictureFiles, PictureSet, Shares, Split, enough

# What operating systems leave in a folder, besides names that begin with a dot.
LITTER = {"thumbs.db", "desktop.ini", "__macosx"}


def load(name: str, size: int, shares: Shares, in_memory: bool) -> PictureSet:
    """A learner's own pictures, split by class and seed."""
    folder = find(name)
    if not folder:
        raise ValueError(unknown(name))
    class_names = class_folders(folder)
    files = [
        file
        for label, class_name in enumerate(class_names)
        for file in files_of(folder / class_name, label)
    ]
    stray = [
        path.name for path in sorted(folder.iterdir()) if path.is_file() and belongs(path.name)
    ]
    left_out = [(name, "not in the subfolder of a class") for name in stray]
    copies = _copies(files)
    files = [file for file in files if file not in copies]
    left_out += [(file.name, reason) for file, reason in copies.items()]
    divide = enough(shares, class_names)
    listing = Listing(folder.name, class_names, files, left_out)
    return load_files(listing, divide, size, in_memory)


def find(name: str) -> Path | None:
    """The learner's folder of that path, or None."""
    folder = Path(name).expanduser().resolve() if name else None
    return folder if folder and folder.is_dir() else None


def unknown(name: str) -> str:
    """What to say of a name that is no set and no folder."""
    looked = f" (no such folder as {Path(name).expanduser().resolve()})" if name else ""
    return (
        f"Received: pictures '{name}'{looked}. Expected: 'drawings', 'photos', 'tfds', or the path "
        f"of a folder with one subfolder a class. Check the path; a full one works from everywhere."
    )


def _copies(files: Sequence[File]) -> dict[File, str]:
    """Files that hold the very bytes of an earlier one, with the reason to leave them out.

    A copy in another split would be trained on and tested on; in another class, one of the two
    labels is wrong, and nobody knows which.
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
        if any(other.label != first.label for other in others):
            names = " and ".join(file.name for file in (first, *others)[:2])
            found |= dict.fromkeys((first, *others), f"one picture in two classes: {names}")
        else:
            found |= dict.fromkeys(others, f"a copy of {first.name}")
    return found


def class_folders(folder: Path) -> tuple[str, ...]:
    """The names of a folder's subfolders, one a class, sorted.

    Raises:
        ValueError: where there are fewer than two.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and belongs(path.name))
    if len(names) < 2:
        raise ValueError(
            f"Received: {folder} with {len(names)} subfolders {names}. Expected: at least 2, one "
            f"for each class, with its pictures inside. Sort the pictures into such folders."
        )
    return tuple(names)


def belongs(name: str) -> bool:
    """Whether a file or folder of that name is the learner's: neither hidden nor litter."""
    return not name.startswith(".") and name.lower() not in LITTER


def files_of(folder: Path, label: int) -> list[File]:
    """All files of one class in a fixed order, from the folders inside too, as Keras finds them."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = filter(belongs, folders)
        inside = PurePath(parent).relative_to(folder.parent).as_posix()
        found += [
            File(os.path.join(parent, name), f"{inside}/{name}", label)
            for name in filter(belongs, names)
        ]
    return sorted(found, key=lambda file: file.name)


# From files to pictures


@dataclass(frozen=True)
class Listing:
    """The files of a set before they are decoded."""

    name: str
    class_names: tuple[str, ...]
    files: list[File]
    left_out: list[tuple[str, str]]


def load_files(
    listing: Listing,
    divide: Callable[[Sequence[File]], Parts],
    size: int,
    in_memory: bool,
) -> PictureSet:
    """Decode the files, split those that are pictures, name the others."""
    parts = divide(listing.files)
    ordered = [file for part in parts for file in part]
    decoded = decoding.decode_files([file.path for file in ordered], size, keep=in_memory)
    broken = {ordered[row].path: reason for row, reason in decoded.failed.items()}
    if broken:
        # Split anew without them: the same as if they had never been there.
        parts = divide([file for file in listing.files if file.path not in broken])
    row_of = {file.path: row for row, file in enumerate(ordered)}
    train, validation, test = (_as_split(part, decoded, row_of) for part in parts)
    left_out = [(file.name, broken[file.path]) for file in listing.files if file.path in broken]
    return PictureSet(
        listing.name,
        size,
        listing.class_names,
        train,
        validation,
        test,
        left_out=tuple(sorted(listing.left_out + left_out)),
    )


def _as_split(files: Sequence[File], decoded: decoding.Decoded, row_of: dict[str, int]) -> Split:
    """The rows of these files; without a copy where they lie side by side, as they mostly do."""
    rows = np.array([row_of[file.path] for file in files], dtype=np.int64)
    side_by_side = len(rows) > 0 and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows)))
    chosen = slice(rows[0], rows[0] + len(rows)) if side_by_side else rows
    on_disk = PictureFiles([file.path for file in files], decoded.images.shape[1])
    return Split(
        images=decoded.images[chosen] if len(decoded.images) else on_disk,
        labels=np.array([file.label for file in files], dtype=np.int32),
        files=tuple(file.name for file in files),
        sizes=decoded.sizes[chosen],
    )
