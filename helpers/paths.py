"""Where the course keeps things: the repository, the cache, a cache that others filled."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = NOTEBOOKS / "source"
# A clone has the lessons and the data beside `helpers`, an installed package has other packages.
IN_A_CLONE = (ROOT / "course.py").is_file() and NOTEBOOKS.is_dir()


def cache_folder() -> Path:
    """What the course keeps besides `work_folder()`: `COURSE_CACHE`, or `.cache` in the repository.

    Of an installed package it is `~/.cache/transfer-learning-course`.
    """
    usual = ROOT / ".cache" if IN_A_CLONE else "~/.cache/transfer-learning-course"
    return Path(os.environ.get("COURSE_CACHE") or usual).expanduser().resolve()


def work_folder() -> Path:
    """The learner's copies of the lessons: `COURSE_WORK`, or `work` in the repository.

    Of an installed package it is `work` in the course's cache.
    """
    usual = ROOT / "work" if IN_A_CLONE else cache_folder() / "work"
    return Path(os.environ.get("COURSE_WORK") or usual).expanduser().resolve()


def shared_folder() -> Path | None:
    """A cache that others filled, `COURSE_SHARED`, or None: it is read, never written to."""
    chosen = os.environ.get("COURSE_SHARED")
    return Path(chosen).expanduser().resolve() if chosen else None


def caches() -> list[Path]:
    """Where to look for what was computed or downloaded before: one's own first."""
    return [folder for folder in (cache_folder(), shared_folder()) if folder]


def bring_back(folder: str) -> str:
    """What to do where a folder that comes with the course is not whole, as a sentence."""
    if IN_A_CLONE:
        return f"`git checkout {folder}` brings them back."
    return f"The installed package has no data: copy {folder} of a clone of the course there."


# The embedded drawings and their base.
DATA = (ROOT if IN_A_CLONE else cache_folder()) / "data"
