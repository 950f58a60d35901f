"""Which exercises were tried and solved, kept in one small file that survives a restart."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from helpers.files import write_whole
from helpers.paths import cache_folder

Entry = dict[str, Any]
FRESH: Entry = {"right": False, "tries": 0, "hints": 0}


def path() -> Path:
    """The file: `COURSE_PROGRESS`, or one in the course's cache folder."""
    chosen = os.environ.get("COURSE_PROGRESS")
    return Path(chosen).expanduser() if chosen else cache_folder() / "progress.json"


def read() -> dict[str, Entry]:
    """All entries by the exercise's key; a file that cannot be read is put aside, not lost."""
    try:
        entries = json.loads(path().read_text(encoding="utf-8"))
        # The first courses kept the lesson's number before the name: 'lesson_5.guessing'.
        return {key.rpartition(".")[2]: FRESH | dict(entry) for key, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        aside = path().with_suffix(".unreadable")
        os.replace(path(), aside)
        print(f"The record of your progress could not be read; it is now {aside.name}.")
        return {}


def record(key: str, *, right: bool) -> None:
    """Count a try; what was right once stays so."""
    _change(key, lambda entry: {"right": entry["right"] or right, "tries": entry["tries"] + 1})


def next_hint(key: str) -> int:
    """How many hints were given before this one."""
    return _change(key, lambda entry: {"hints": entry["hints"] + 1})["hints"] - 1


def forget() -> None:
    """Begin anew."""
    path().unlink(missing_ok=True)


def _change(key: str, new: Callable[[Entry], Entry]) -> Entry:
    """Change one entry; several kernels may do so at once."""
    folder = path().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path().with_suffix(".lock")):
            entries = read()
            entries[key] = FRESH | entries.get(key, {})
            entries[key] |= new(entries[key])
            write_whole(path(), json.dumps(entries, indent=1))
            return entries[key]
    except OSError as error:  # an exercise is checked where nothing can be written, too
        print(f"Your progress could not be kept in {folder} ({error}).")
        return FRESH | new(dict(FRESH))
