"""Bring notebooks that came by mail or from a learning platform to where nbgrader looks."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from helpers.classroom import places
from helpers.files import write_whole

# What learning platforms, and nbgrader's exchange, make of a person's name.
MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_")
CANVAS = re.compile(r"(?P<name>[^_]+)(_LATE)?_(?P<number>\d+)_(?P<file>\d+)_")
EXCHANGE = re.compile(r"(?P<name>[^+]+)(?P<number>)\+.+\+\d{4}-")
# What browsers and JupyterLab add to the name of a second copy.
COPY = r"([\s_-]*(\(\d+\)|copy\d*|\d{1,2}(?!\d)))*"
LONGEST = 60  # letters of a person's name, for folders and logs have it in theirs


@dataclass
class HandedIn:
    """One person's answers to one assignment, or a file that does not tell whose or to what.

    Attributes:
        person: the name under which the gradebook has them.
        assignment: its name.
        file: what was handed in.
        trouble: why it could not be read or graded, or nothing.
        claims: what the person's own `progress.json` says, by exercise.
        handed_in_as: the name as it came, with the number that a platform put to it.
        note: what an instructor should know besides, or nothing.
    """

    person: str
    assignment: str
    file: str
    trouble: str = ""
    claims: dict[str, dict[str, int]] = field(default_factory=dict)
    handed_in_as: str = ""
    note: str = ""

    @property
    def is_graded(self) -> bool:
        """Whether it is known whose answers to what these are."""
        return bool(self.person and self.assignment)

    @property
    def key(self) -> tuple[str, str]:
        """By what one is known again when it comes a second time."""
        return self.handed_in_as or self.person, self.assignment or self.file

    def __str__(self) -> str:
        """Whom and what a message is about."""
        file = Path(self.file).name.encode(errors="replace").decode()  # its bytes may be no text
        return f"{self.person or 'nobody'}, {self.assignment or file}"


def collect(folder: Path) -> list[HandedIn]:
    """Put each notebook below `folder` in its place; the newest where a person sent several.

    A file without answers never displaces one with answers. What is not graded comes last.

    Raises:
        ValueError: where there is no folder, no notebook, or no assignment was made.
    """
    if not places.assignments():
        raise ValueError(
            f"Received: {folder}, but no assignment was made yet. Expected: one to collect. "
            f"`course.py class assignment 1` makes it."
        )
    found: dict[tuple[str, str], HandedIn] = {}
    aside = []
    for path in notebooks(folder):
        new = recognize(path, folder)
        known = found.get(new.key)
        if not new.is_graded:
            aside.append(new)
        elif new.trouble and known and not known.trouble:
            trouble = f"{new.trouble}; another file of theirs counts"
            aside.append(replace(new, assignment="", trouble=trouble))
        else:
            found[new.key] = new
    if not (found or aside):
        raise ValueError(f"Received: {folder}. Expected: a folder with notebooks in it.")
    tell_apart(list(found.values()), list(kept()))
    for each in found.values():
        place(each)
    keep([*found.values(), *aside])
    return [*found.values(), *aside]


def notebooks(folder: Path) -> list[Path]:
    """All notebooks below, the newest last; Canvas numbers files as they come."""
    paths = [path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts]

    def age(path: Path) -> tuple[int, float, Path]:
        canvas = CANVAS.match(path.name)
        return int(canvas["file"]) if canvas else 0, path.stat().st_mtime, path

    return sorted(filter(Path.is_file, paths), key=age)  # a link may lead nowhere


def recognize(path: Path, folder: Path) -> HandedIn:
    """Whose answers to what a file holds, as far as it tells."""
    inside = path.relative_to(folder)
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        answered = any(map(grade_id, notebook.cells))
        trouble = "" if answered else "has none of the assignment's cells"
    except Exception as error:  # nbformat lets through what json, or a stranger's file, raises
        notebook, trouble = None, unreadable(error)
    assignment = assignment_of(folder.name / inside, notebook)
    if not assignment:
        wanted = f"expected one of {', '.join(places.assignments())} in its name or folder"
        told = [*filter(None, [trouble]), f"does not tell its assignment: {wanted}"]
        return HandedIn("", "", str(path), "; ".join(told))
    name, number = name_of(inside, assignment)
    name = unicodedata.normalize("NFC", name).strip(" _.-")
    if not (person := clean(name)):
        return HandedIn("", "", str(path), "does not tell whose it is: rename it after the person")
    came_as = f"{name}_{number}" if number else name
    return HandedIn(person, assignment, str(path), trouble, claims_of(path, folder), came_as)


def unreadable(error: Exception) -> str:
    """What to say of a file that raises this."""
    return f"could not be read ({type(error).__name__})"


def tell_apart(new: Sequence[HandedIn], before: Sequence[HandedIn]) -> None:
    """Number people whose names would be one folder's; who is in the gradebook keeps the name.

    Upper and lower case are no difference, as some systems' folders have none.
    """
    known = {each.key: each for each in before}
    alike: dict[tuple[str, str], set[str]] = {}
    for each in [*before, *new]:
        alike.setdefault((each.person.casefold(), each.assignment), set()).add(each.key[0])
    groups = [sorted(alike[each.person.casefold(), each.assignment]) for each in new]
    for each, names in zip(new, groups, strict=True):
        if each.key in known:
            each.person, each.note = known[each.key].person, known[each.key].note
        elif len(names) > 1:
            numbered = clean(each.handed_in_as)
            by_place = f"{each.person}_{names.index(each.handed_in_as) + 1}"
            each.person = by_place if numbered == each.person else numbered
            each.note = f"came as {each.handed_in_as!r}: another has almost that name"


def place(handed_in: HandedIn) -> None:
    """Copy the answers into a fresh copy of the assignment, for nbgrader to grade.

    What cannot be read is graded as one without answers, and says so.
    """
    release = places.released(handed_in.assignment)
    if not handed_in.trouble:
        try:
            theirs = nbformat.read(handed_in.file, as_version=4)
            whole = with_answers(nbformat.read(release, as_version=4), theirs)
            return write_submission(handed_in, whole)
        except Exception as error:  # as above: nobody's file stops the others
            handed_in.trouble = unreadable(error)
    write_submission(handed_in, nbformat.read(release, as_version=4))


def write_submission(handed_in: HandedIn, notebook: NotebookNode) -> None:
    """Write a notebook to where nbgrader looks for this person's."""
    target = places.class_folder() / "submitted" / handed_in.person / handed_in.assignment
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    nbformat.write(notebook, target / f"{handed_in.assignment}.ipynb")


def with_answers(release: NotebookNode, theirs: NotebookNode) -> NotebookNode:
    """The assignment as it was handed out, with the learner's answers in it.

    So cells that were deleted, moved or changed are whole again. A learner's own cells stay in
    front of the answer that they stood above; those at the end are left out, for no answer
    comes after them.
    """
    answers: dict[str | None, str] = {}
    own: dict[str | None, list[NotebookNode]] = {}
    extra: list[NotebookNode] = []
    for cell in theirs.cells:
        name = grade_id(cell)
        if name is None and cell.cell_type == "code":
            extra.append(cell)
        elif object_in(cell.metadata, "nbgrader").get("solution") and name not in answers:
            answers[name], own[name], extra = cell.source, extra, []
    cells = []
    for cell in release.cells:
        cells += own.get(grade_id(cell), [])
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = answers.get(grade_id(cell), cell.source)
        cells.append(cell)
    for number, cell in enumerate(cells):
        if grade_id(cell) is None:
            cell.id = f"own-{number}"
    release.cells = cells
    return release


def grade_id(cell: NotebookNode) -> str | None:
    """The cell's name in the assignment, or None of a learner's own cell."""
    found = object_in(cell.metadata, "nbgrader").get("grade_id")
    return found if isinstance(found, str) else None


def object_in(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    """An object in a notebook's metadata, which in a stranger's may be anything else."""
    found = metadata.get(name)
    return found if isinstance(found, dict) else {}


def assignment_of(path: Path, notebook: NotebookNode | None) -> str:
    """Which assignment it answers: by its own note, else by its name, else the only one, or ""."""
    made = places.assignments()
    noted = object_in(notebook.metadata, "course").get("assignment") if notebook else None
    named = [name for name in made if name in str(path)]
    found = [str(noted)] if noted in made else named or made
    return found[0] if len(found) == 1 else ""


def name_of(inside: Path, assignment: str) -> tuple[str, str]:
    """A person's name, and the number that a platform put to it, from a path below the folder.

    Moodle's part may stand anywhere in it, Canvas' is the file's name; else it is the first
    folder's name, or the file's without the assignment's.
    """
    parts = inside.parts
    for pattern, searched in ((MOODLE, parts), (CANVAS, parts[-1:]), (EXCHANGE, parts[:1])):
        for part in searched:
            if found := pattern.match(part):
                return found["name"], found["number"]
    if len(parts) > 1:
        return parts[0], ""
    return re.sub(re.escape(assignment) + COPY, "", inside.stem, flags=re.IGNORECASE), ""


def clean(name: str) -> str:
    """A name as a folder can have it; an accented letter is the same from every system."""
    return re.sub(r"[^\w.@-]+", "_", unicodedata.normalize("NFC", name)).strip("_.-")[:LONGEST]


def claims_of(path: Path, folder: Path) -> dict[str, dict[str, int]]:
    """Tries and hints by `NAME.progress.json`, or by `progress.json` in the person's own folder."""
    shared = path.parent == folder or CANVAS.match(path.name) or MOODLE.match(path.name)
    files = [path.with_suffix(".progress.json"), path.parent / "progress.json"]
    file = next((each for each in files[: 1 if shared else 2] if each.is_file()), None)
    try:
        entries = json.loads(file.read_text(encoding="utf-8")) if file else {}
        return {
            str(key): {name: number for name, number in entry.items() if type(number) is int}
            for key, entry in entries.items()
        }
    except (ValueError, AttributeError, OSError, RecursionError):
        return {}


def keep(new: list[HandedIn]) -> None:
    """Note what was handed in, in the place of what the same people sent before."""
    files = {each.file for each in new}
    before = [
        each
        for each in kept()
        if each.is_graded or (each.file not in files and Path(each.file).exists())
    ]
    known = {each.key: each for each in [*before, *new]}
    text = json.dumps([asdict(each) for each in known.values()], indent=1)
    write_whole(places.class_folder() / "collected.json", text)


def kept() -> Iterator[HandedIn]:
    """What was handed in so far."""
    file = places.class_folder() / "collected.json"
    if file.is_file():
        yield from (HandedIn(**each) for each in json.loads(file.read_text(encoding="utf-8")))
