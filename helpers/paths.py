"""Where the course keeps things: the repository, the cache, a cache that others filled."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = NOTEBOOKS / "source"


def cache_folder() -> Path:
    """The one folder that the course writes to: `COURSE_CACHE`, or `.cache` in the repository."""
    return Path(os.environ.get("COURSE_CACHE") or ROOT / ".cache").expanduser().resolve()


def shared_folder() -> Path | None:
    """A cache that others filled, `COURSE_SHARED`, or None: it is read, never written to."""
    chosen = os.environ.get("COURSE_SHARED")
    return Path(chosen).expanduser().resolve() if chosen else None


def caches() -> list[Path]:
    """Where to look for what was computed or downloaded before: one's own first."""
    return [folder for folder in (cache_folder(), shared_folder()) if folder]
