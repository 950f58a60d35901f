"""Files sent through a browser: judged by their contents, kept under our own names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from helpers import archives, paths, pictures
from helpers.files import write_whole
from helpers.pictures import headers

# Bytes of one file; a phone's largest JPEG has about half of that.
MOST_BYTES = 40_000_000
MOST_FILES = 200
# Of an archive, which the notebook's connection carries as a whole.
MOST_ARCHIVE_BYTES = 200_000_000
SHOWN_NAME = 60


@dataclass(frozen=True, eq=False)
class Sent:
    """One file that was sent.

    Attributes:
        name: what the sender calls it, shortened; to be shown, never to be opened.
        contents: its bytes; none where there is a reason.
        image: uint8 `(size, size, 3)`, upright; None where it is no picture.
        reason: why it is none, in a short phrase.
    """

    name: str
    contents: bytes
    image: np.ndarray | None
    reason: str | None = None


def receive(value: Iterable[Mapping[str, Any]], size: int) -> list[Sent]:
    """Judge what an `ipywidgets.FileUpload` holds.

    Args:
        value: its `value`, a mapping a file with `name` and `content`.
        size: the side of the squares in pixels.

    Returns:
        One a file, in their order: a picture, or the reason why not. Nothing is raised for what a
        sender sends.
    """
    found = [
        _receive_one(str(one["name"]), one["content"], size) for one in list(value)[:MOST_FILES]
    ]
    rest = len(list(value)) - len(found)
    if rest > 0:
        found.append(Sent(f"{rest} more", b"", None, f"more than {MOST_FILES} files at a time"))
    return found


def _receive_one(name: str, content: Any, size: int) -> Sent:
    """One file: its size first, then its contents."""
    shown = name if len(name) <= SHOWN_NAME else f"{name[:SHOWN_NAME]}…"
    view = memoryview(content)
    if view.nbytes > MOST_BYTES:
        return Sent(shown, b"", None, f"larger than {MOST_BYTES // 1_000_000} MB")
    contents = view.tobytes()
    try:
        return Sent(shown, contents, pictures.decode(contents, size))
    except pictures.NotAPicture as error:
        return Sent(shown, b"", None, error.reason)


def keep_archive(sent: Mapping[str, Any]) -> Path:
    """Write an archive that was sent into the cache, in a folder named by its contents.

    Args:
        sent: of an `ipywidgets.FileUpload`'s value, with `name` and `content`.

    Raises:
        ValueError: where it is too large, or no archive.
    """
    name, view = str(sent["name"]), memoryview(sent["content"])
    if view.nbytes > MOST_ARCHIVE_BYTES:
        raise ValueError(
            f"Received: {view.nbytes / 1e6:,.0f} MB. Expected: an archive of at most "
            f"{MOST_ARCHIVE_BYTES // 10**6} MB. Type the path of a larger one instead."
        )
    contents = view.tobytes()
    stem = re.sub(r"[^\w\-]", "_", PurePath(name).stem)[:SHOWN_NAME] or "pictures"
    digest = hashlib.sha256(contents).hexdigest()[:12]
    path = paths.cache_folder() / "own" / digest / f"{stem}.archive"
    write_whole(path, contents)
    if not archives.is_archive(path):
        path.unlink()
        raise ValueError(
            f"Received: {name[:SHOWN_NAME]}, which is no zip or tar archive. Expected: a zip of a "
            f"folder of pictures. Pack the folder into one."
        )
    return path


def class_name(text: str) -> str:
    """A class's name that is safe as a folder's, with the spaces around it taken off.

    Raises:
        ValueError: where it is empty, too long, or has other signs than letters, digits, spaces,
            hyphens and underscores.
    """
    name = text.strip()
    if not re.fullmatch(r"[\w][\w \-]{0,49}", name) or name.upper() in archives.RESERVED:
        raise ValueError(
            f"Received: class name {text[:60]!r}. Expected: up to 50 letters, digits, spaces, "
            f"hyphens or underscores, beginning with a letter or digit. Choose another name."
        )
    return name


def store(folder: str | Path, name: str, sent: Iterable[Sent]) -> list[Path]:
    """Write pictures into the folder of their class, under new names; nothing is overwritten.

    Args:
        folder: of all classes; it is made where it is missing.
        name: of the class (`class_name`).
        sent: those without an image are passed over.

    Returns:
        The files written.

    Raises:
        ValueError: where the name is not safe, or the class's folder lies elsewhere.
    """
    top = Path(folder).resolve()
    inside = top / class_name(name)
    inside.mkdir(parents=True, exist_ok=True)
    if inside.resolve().parent != top:
        raise ValueError(
            f"Received: {inside}, which leads to {inside.resolve()}. Expected: a folder in {top}. "
            f"Remove the link, or choose another class."
        )
    return [_store_one(inside, one.contents) for one in sent if one.image is not None]


def _store_one(inside: Path, contents: bytes) -> Path:
    """Write one picture under the first free number."""
    suffix = headers.suffix(contents)
    number = 1 + sum(1 for _ in inside.iterdir())
    while True:
        path = inside / f"upload_{number:04d}.{suffix}"
        # Other suffixes count, too: numbers stay unique.
        if not any(inside.glob(f"upload_{number:04d}.*")):
            try:
                with path.open("xb") as file:
                    file.write(contents)
                return path
            except FileExistsError:
                pass
        number += 1


def counts(folder: str | Path) -> dict[str, int]:
    """How many files each class's folder holds, by name; hidden files do not count."""
    top = Path(folder)
    if not top.is_dir():
        return {}
    return {
        inside.name: sum(not path.name.startswith(".") for path in inside.iterdir())
        for inside in sorted(top.iterdir())
        if inside.is_dir() and not inside.name.startswith(".")
    }
