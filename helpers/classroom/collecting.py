"""Bring notebooks that came by mail or from a learning platform to where nbgrader looks."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from helpers.classroom import places
from helpers.files import write_whole

MOODLE = re.compile(r"_\d+_assignsubmission_.*$")


@dataclass
class HandedIn:
    """One person's answers to one assignment.

    Attributes:
        person: the name under which the gradebook has them.
        assignment: its name.
        file: what was handed in.
        trouble: why it could not be read or graded, or nothing.
        claims: what the person's own `progress.json` says, by exercise.
    """

    person: str
    assignment: str
    file: str
    trouble: str = ""
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)


def collect(folder: Path) -> list[HandedIn]:
    """Put each notebook below `folder` in its place; the newest where a person sent several.

    Raises:
        ValueError: where there is no folder, no notebook, or no assignment was made.
    """
    if not places.assignments():
        raise ValueError(
            f"Received: {folder}, but no assignment was made yet. Expected: one to collect. "
            f"`course.py class assignment 1` makes it."
        )
    found = {}
    for path in notebooks(folder):
        handed_in = place(path, folder)
        found[handed_in.person, handed_in.assignment] = handed_in
    if not found:
        raise ValueError(f"Received: {folder}. Expected: a folder with notebooks in it.")
    keep(list(found.values()))
    return list(found.values())


def notebooks(folder: Path) -> list[Path]:
    """All notebooks below, the newest last."""
    paths = [path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts]
    return sorted(paths, key=lambda path: (path.stat().st_mtime, path))


def place(path: Path, folder: Path) -> HandedIn:
    """Copy one notebook's answers into a fresh copy of its assignment, for nbgrader to grade.

    What cannot be read is graded as one without answers, and says so.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        trouble = ""
    except Exception as error:  # nbformat lets through what json, or a stranger's file, raises
        notebook, trouble = None, f"could not be read ({type(error).__name__})"
    assignment = assignment_of(path, notebook)
    handed_in = HandedIn(person_of(path, folder, assignment), assignment, str(path), trouble)
    handed_in.claims = claims_beside(path, folder)
    release = nbformat.read(places.released(assignment), as_version=4)
    write_submission(handed_in, with_answers(release, notebook) if notebook else release)
    return handed_in


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
        elif cell.metadata.get("nbgrader", {}).get("solution") and name not in answers:
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
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def assignment_of(path: Path, notebook: NotebookNode | None) -> str:
    """Which assignment it answers: by its own note, else by its name, else the only one.

    Raises:
        ValueError: where none of these tells.
    """
    made = places.assignments()
    noted = notebook.metadata.get("course", {}).get("assignment") if notebook else None
    named = [name for name in made if name in str(path)]
    found = [noted] if noted in made else named or made
    if len(found) != 1:
        raise ValueError(
            f"Received: {path}, which does not tell its assignment. "
            f"Expected: one of {', '.join(made)} in its name or folder."
        )
    return found[0]


def person_of(path: Path, folder: Path, assignment: str) -> str:
    """Who handed it in: the folder's name below `folder`, or else the file's."""
    inside = path.relative_to(folder).parts
    name = inside[0] if len(inside) > 1 else path.stem.replace(assignment, "")
    name = MOODLE.sub("", name).partition("+")[0]  # nbgrader's exchange: person+assignment+time
    return re.sub(r"[^\w.@-]+", "_", name).strip("_.-") or "nobody"


def claims_beside(path: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """What a `progress.json` beside the notebook says, in the person's own folder only."""
    file = path.parent / "progress.json"
    if path.parent == folder or not file.is_file():
        return {}
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        return {str(key): dict(entry) for key, entry in entries.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def keep(new: list[HandedIn]) -> None:
    """Note what was handed in, in the place of what the same people sent before."""
    known = {(each.person, each.assignment): each for each in [*kept(), *new]}
    text = json.dumps([asdict(each) for each in known.values()], indent=1)
    write_whole(places.class_folder() / "collected.json", text)


def kept() -> Iterator[HandedIn]:
    """What was handed in so far."""
    file = places.class_folder() / "collected.json"
    if file.is_file():
        yield from (HandedIn(**each) for each in json.loads(file.read_text(encoding="utf-8")))
