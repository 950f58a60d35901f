"""The limit of what the course keeps: what was used least recently goes first."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

from filelock import FileLock, Timeout

# Of kept features, in GB (a billion bytes), where COURSE_CACHE_GB says nothing.
LIMIT_GB = 10.0


def limit_bytes() -> float:
    """The most bytes that kept features may take: `COURSE_CACHE_GB`, or `LIMIT_GB`.

    Raises:
        ValueError: where `COURSE_CACHE_GB` is not a number above 0.
    """
    text = os.environ.get("COURSE_CACHE_GB") or str(LIMIT_GB)
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = math.nan
    if not gigabytes > 0:
        raise ValueError(
            f"Received: COURSE_CACHE_GB={text}. Expected: a number above 0, in GB, such as "
            f"{LIMIT_GB:g}. Set it to one, or unset it."
        )
    return gigabytes * 1e9


def used_bytes(folder: Path) -> int:
    """What the files of a folder take together."""
    return sum(size for size, _ in _entries(folder).values())


def touch(path: Path) -> None:
    """Note that an entry was used just now, where that can be written."""
    with contextlib.suppress(OSError):
        os.utime(path)


def make_room(folder: Path, entry: str, size: int) -> None:
    """Remove what was used least recently, until an entry fits within the limit.

    An entry is all files of a folder that have the same name up to the first dot. One that a
    process is writing, told from the lock file beside it, stays.

    Args:
        folder: whose entries count.
        entry: the name of the one to be written; what there is of it stays.
        size: of the whole entry, in bytes.

    Raises:
        ValueError: where it would not fit into an empty folder.
    """
    limit = limit_bytes()
    if size > limit:
        raise ValueError(
            f"Received: {size / 1e9:.1f} GB to keep. Expected: at most {limit / 1e9:g} GB, the "
            f"limit of what is kept in {folder}. Set COURSE_CACHE_GB to a larger number, cut the "
            f"network further up, or take fewer views."
        )
    entries = _entries(folder)
    entries.pop(entry, None)
    total = size + sum(taken for taken, _ in entries.values())
    for name, (taken, _) in sorted(entries.items(), key=lambda entry: entry[1][1]):
        if total <= limit:
            return
        if _remove(folder, name):
            total -= taken


def _entries(folder: Path) -> dict[str, tuple[int, float]]:
    """The bytes of each entry and when it was last used; locks are not counted, and stay."""
    found: dict[str, tuple[int, float]] = {}
    for path in folder.glob("*"):
        if path.suffix != ".lock":
            with contextlib.suppress(OSError):  # another process has just removed it
                stat, name = path.stat(), path.name.partition(".")[0]
                size, used = found.get(name, (0, 0.0))
                found[name] = size + stat.st_size, max(used, stat.st_mtime)
    return found


def _remove(folder: Path, entry: str) -> bool:
    """Whether an entry is gone; one that is being written, or is open on Windows, stays."""
    try:
        with FileLock(folder / f"{entry}.lock", timeout=0):
            # The record first: without it, what a stop leaves behind is no finished entry.
            paths = sorted(folder.glob(f"{entry}.*"), key=lambda path: path.suffix != ".json")
            for path in (path for path in paths if path.suffix != ".lock"):
                path.unlink(missing_ok=True)
    except (Timeout, OSError):
        return False
    return True
