"""The learner's copies of the lessons: made, renewed where untouched, never overwritten."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from helpers import paths
from helpers.files import write_whole
from helpers.lessons import Lesson

RECORD = ".copied.json"
COPIED = ("*.ipynb", "figures/*.svg", "figures/*.png")
MADE, RENEWED, SAME, YOURS, OUTDATED, GONE = "made", "renewed", "same", "yours", "outdated", "gone"


@dataclass(frozen=True)
class Copy:
    """What became of one file.

    Attributes:
        name: its path below the folder of copies, such as `03_extract_features.ipynb`.
        state: `"made"`, `"renewed"`, `"same"` as the original; `"yours"`, changed by the learner;
            `"outdated"`, changed by the learner, and the original has changed since; `"gone"`, an
            untouched copy that was deleted, for its original is no more.
    """

    name: str
    state: str


def refresh(originals: Path = paths.NOTEBOOKS, work: Path | None = None) -> list[Copy]:
    """Make the copies that are missing and renew those that the learner did not touch.

    What a learner changed stays as it is, to the byte.

    Args:
        originals: the folder with the lessons and their figures.
        work: the learner's folder; by default `paths.work_folder()`.

    Raises:
        OSError: where the folder cannot be written to, or holds no lessons to copy.
    """
    work = work or paths.work_folder()
    names = _names(originals)
    if not names:
        raise FileNotFoundError(
            f"Received: {originals} without a lesson. Expected: the course's notebooks. "
            f"{paths.bring_back('notebooks')}"
        )
    with _at_work(work):
        known = _read(work)
        copies = [_refresh_one(originals / name, work / name, name, known, work) for name in names]
        for name in sorted(set(known) - set(names)):
            if _digest(work / name) in known[name]:
                (work / name).unlink()
                copies.append(Copy(name, GONE))
    return copies


def afresh(
    lesson: Lesson, originals: Path = paths.NOTEBOOKS, work: Path | None = None
) -> Path | None:
    """Move the learner's copy of a lesson aside, and copy the lesson anew.

    Returns:
        Where the learner's own is now, its name with the date and time; None where there was
        nothing of the learner's to keep.

    Raises:
        OSError: where the folder cannot be written to.
    """
    work = work or paths.work_folder()
    name = lesson.notebook.name
    copy, aside = work / name, None
    with _at_work(work):
        known = _read(work)
        if copy.is_file() and _digest(copy) not in {
            *known.get(name, []),
            _digest(originals / name),
        }:
            aside = _free(copy)
            copy.rename(aside)
        _copy(originals / name, copy, name, known, work)
    return aside


def told(copies: Sequence[Copy]) -> list[str]:
    """What a learner should know of a refresh, a sentence a line; none where nothing happened."""
    by_state = {
        state: [copy.name for copy in copies if copy.state == state and _is_lesson(copy.name)]
        for state in (MADE, RENEWED, OUTDATED, GONE)
    }
    lines = []
    if made := by_state[MADE]:
        lines.append(f"Copied {_lessons(made)} to {paths.work_folder()}: work there.")
    if renewed := by_state[RENEWED]:
        lines.append(f"Renewed, for the course has newer ones: {', '.join(renewed)}.")
    if gone := by_state[GONE]:
        lines.append(f"Removed, for the course has them no more: {', '.join(gone)}.")
    for name in by_state[OUTDATED]:
        lines.append(
            f"{name}: the course has a newer one. Yours stays as it is. To get the newer one, "
            f"`python3 course.py afresh {_called(name)}`; that keeps yours under another name."
        )
    return lines


def _lessons(names: Sequence[str]) -> str:
    """`03_extract_features.ipynb`, or how many there are."""
    return names[0] if len(names) == 1 else f"{len(names)} lessons"


def _called(name: str) -> str:
    """What the command line calls it: `3` for `03_extract_features.ipynb`, else the stem."""
    number = name[:2]
    return str(int(number)) if number.isdecimal() else name.removesuffix(".ipynb")


def _is_lesson(name: str) -> bool:
    return name.endswith(".ipynb")


def _names(originals: Path) -> list[str]:
    """What is copied, by its path below `originals`, with slashes on every system."""
    found = (path for pattern in COPIED for path in originals.glob(pattern))
    return sorted(path.relative_to(originals).as_posix() for path in found)


def _refresh_one(
    original: Path, copy: Path, name: str, known: dict[str, list[str]], work: Path
) -> Copy:
    """Make or renew one copy, unless the learner changed it."""
    new, now = _digest(original), _digest(copy)
    if now is None:
        _copy(original, copy, name, known, work)
        return Copy(name, MADE)
    if now == new:
        if new not in known.get(name, []):  # its record was lost
            _remember(new, name, known, work)
        return Copy(name, SAME)
    if now in known.get(name, []):
        _copy(original, copy, name, known, work)
        return Copy(name, RENEWED)
    return Copy(name, YOURS if new in known.get(name, []) else OUTDATED)


def _copy(original: Path, copy: Path, name: str, known: dict[str, list[str]], work: Path) -> None:
    """Note the digest, then write: who is killed in between has a copy that counts as untouched."""
    contents = original.read_bytes()
    _remember(hashlib.sha256(contents).hexdigest(), name, known, work)
    write_whole(copy, contents)


def _remember(digest: str, name: str, known: dict[str, list[str]], work: Path) -> None:
    """Keep the digest of an original that is, or is about to be, the copy."""
    known[name] = [*(old for old in known.get(name, []) if old != digest), digest]
    write_whole(work / RECORD, json.dumps(known, indent=1))


def _read(work: Path) -> dict[str, list[str]]:
    """The digests of all originals that were ever copied, by name; none where that was lost."""
    try:
        kept = json.loads((work / RECORD).read_text(encoding="utf-8"))
        return {name: [str(digest) for digest in digests] for name, digests in kept.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _digest(path: Path) -> str | None:
    """SHA-256 of a file's bytes, or None where there is no file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _free(copy: Path) -> Path:
    """A name beside the copy that no file has: `03_extract_features_2026-11-26_14.05.09.ipynb`."""
    when = datetime.now().strftime("%Y-%m-%d_%H.%M.%S")
    aside, number = copy.with_name(f"{copy.stem}_{when}{copy.suffix}"), 1
    while aside.exists():
        number += 1
        aside = copy.with_name(f"{copy.stem}_{when}_{number}{copy.suffix}")
    return aside


@contextlib.contextmanager
def _at_work(work: Path) -> Iterator[None]:
    """Have the folder to oneself, and say what to do where nothing can be written there.

    Raises:
        OSError: with a sentence.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        with FileLock(work / ".lock"):
            yield
    except OSError as error:
        raise OSError(
            f"Received: {work}, which cannot be written to ({error.strerror or error}). Expected: "
            f"a folder with some MB free for your copies of the lessons; what is in it is whole. "
            f"Make room, or set COURSE_WORK to a folder of your own."
        ) from error
