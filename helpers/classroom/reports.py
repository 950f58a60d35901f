"""What a class got: tables for the instructor and two learning platforms, and a page."""

from __future__ import annotations

import csv
import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from helpers.classroom import assignments, collecting, places
from helpers.classroom.collecting import HandedIn
from helpers.exercises.exercise import OPEN, RIGHT, WORDS, WRONG
from helpers.files import write_whole
from helpers.lessons import find

NOT_HANDED_IN = "not handed in"
WORST = 5  # wrong answers to an exercise that the page shows
COLUMNS = (
    "person",
    "assignment",
    "exercise",
    "state",
    "points",
    "of",
    "said",
    "tries claimed",
    "hints claimed",
)


@dataclass(frozen=True)
class Result:
    """One person's answer to one exercise, as it was judged here.

    Attributes:
        state: right, wrong, open (not answered), or not handed in.
        said: the judge's sentence, or why the notebook could not be graded.
        points: what the gradebook holds, an instructor's change by hand included.
        most: what it could be.
        claimed: tries and hints as the person's own record has them, or nothing.
    """

    person: str
    assignment: str
    exercise: str
    state: str
    said: str
    points: float
    most: float
    claimed: dict[str, Any]


def write(people: Path | None = None) -> Path:
    """Write all tables and the page into the class's folder `report`; that folder.

    Args:
        people: a CSV of the class with the columns `id`, `name` and `email`, of which `id` is as
            in the gradebook; without it the class is whoever has handed in.

    Raises:
        ValueError: where nothing was handed in, or the class's list is not of that form.
    """
    handed_in = list(collecting.kept())
    if not handed_in:
        raise ValueError(
            "Received: nothing was handed in yet. Expected: answers to report on. "
            "`course.py class collect FOLDER` takes them in."
        )
    listed = read_people(people) if people else people_of(handed_in)
    found = results(listed, handed_in)
    folder = places.class_folder() / "report"
    folder.mkdir(exist_ok=True)
    table(folder / "exercises.csv", COLUMNS, map(as_row, found))
    moodle(folder / "moodle.csv", listed, found)
    canvas(folder / "canvas.csv", listed, found)
    write_whole(folder / "index.html", page(listed, found, handed_in))
    return folder


def read_people(path: Path) -> list[dict[str, str]]:
    """The class's list.

    Raises:
        ValueError: where a column is missing.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"id", "name", "email"} <= rows[0].keys():
        raise ValueError(f"Received: {path}. Expected: a CSV with the columns id, name, email.")
    return rows


def people_of(handed_in: Iterable[HandedIn]) -> list[dict[str, str]]:
    """A class's list made of those who handed in."""
    names = sorted({each.person for each in handed_in})
    return [{"id": name, "name": name, "email": ""} for name in names]


def results(people: Sequence[dict[str, str]], handed_in: Sequence[HandedIn]) -> list[Result]:
    """Each person's answer to each exercise of the assignments that anyone handed in."""
    from nbgrader.api import Gradebook

    known = {(each.person, each.assignment): each for each in handed_in}
    names = sorted({each.assignment for each in handed_in})
    with Gradebook(f"sqlite:///{places.class_folder() / 'gradebook.db'}") as gradebook:
        return [
            result
            for name in names
            for person in people
            for result in of_person(gradebook, person["id"], name, known.get((person["id"], name)))
        ]


def of_person(
    gradebook: Any, person: str, assignment: str, handed_in: HandedIn | None
) -> Iterable[Result]:
    """One person's answers to one assignment."""
    cells = graded_cells(person, assignment) if handed_in else {}
    for exercise in assignments.gradable(find(assignment)):
        name = f"{assignments.cell_name(exercise.name)}-judged"
        most = gradebook.find_grade_cell(name, assignment, assignment).max_score
        state, said, points = NOT_HANDED_IN, "", 0.0
        if handed_in:
            state, said = verdict_of(cells[name]) if name in cells else (WRONG, "")
            said = handed_in.trouble or said
        if name in cells:
            points = gradebook.find_grade(name, assignment, assignment, person).score
        claimed = handed_in.claims.get(exercise.key, {}) if handed_in else {}
        yield Result(person, assignment, exercise.name, state, said, points, most, claimed)


def graded_cells(person: str, assignment: str) -> dict[str, NotebookNode]:
    """The cells of the notebook as nbgrader ran it, by name."""
    path = places.class_folder() / "autograded" / person / assignment / f"{assignment}.ipynb"
    if not path.is_file():
        return {}
    cells = nbformat.read(path, as_version=4).cells
    return {str(collecting.grade_id(cell)): cell for cell in cells}


def verdict_of(cell: NotebookNode) -> tuple[str, str]:
    """State and sentence of a graded cell's outputs."""
    for output in cell.outputs:
        text = output.get("data", {}).get("text/plain", "")
        for state, word in WORDS.items():
            if output.output_type == "display_data" and text.startswith(word):
                return state, text.removeprefix(word).strip()
    for output in cell.outputs:
        if output.output_type == "error":
            return WRONG, f"It ended in {output.ename}. {output.evalue}".strip()
    return WRONG, "It gave no verdict."


def table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A CSV that spreadsheets open as it is; no cell of a stranger's begins a formula."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([[harmless(cell) for cell in row] for row in rows])


def harmless(cell: Any) -> Any:
    """Text that a spreadsheet takes for text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r") else cell


def as_row(result: Result) -> list[Any]:
    """One line of the table."""
    tries, hints = (result.claimed.get(name, "") for name in ("tries", "hints"))
    first = [result.person, result.assignment, result.exercise, result.state]
    return [*first, result.points, result.most, result.said, tries, hints]


def sums(found: Iterable[Result]) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Points by person and assignment, and the most by assignment."""
    points: Counter[tuple[str, str]] = Counter()
    most: dict[str, dict[str, float]] = {}
    for result in found:
        points[result.person, result.assignment] += result.points  # type: ignore[assignment]
        most.setdefault(result.assignment, {})[result.exercise] = result.most
    return dict(points), {name: sum(each.values()) for name, each in most.items()}


def moodle(path: Path, people: Sequence[dict[str, str]], found: Sequence[Result]) -> None:
    """For Moodle's import of grades: identified by ID number or e-mail, a column an assignment."""
    points, most = sums(found)
    rows = [
        [each["id"], each["email"], *(points[each["id"], name] for name in most)] for each in people
    ]
    table(path, ["ID number", "Email address", *most], rows)


def canvas(path: Path, people: Sequence[dict[str, str]], found: Sequence[Result]) -> None:
    """For Canvas's import of its gradebook: five columns of its own, then the possible points."""
    points, most = sums(found)
    possible = ["    Points Possible", "", "", "", "", *most.values()]
    rows = [
        [each["name"], "", "", each["id"], "", *(points[each["id"], name] for name in most)]
        for each in people
    ]
    first = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    table(path, [*first, *most], [possible, *rows])


def page(
    people: Sequence[dict[str, str]], found: Sequence[Result], handed_in: Sequence[HandedIn]
) -> str:
    """The page: the hardest exercises first, with the wrong answers given most often."""
    by_exercise: dict[tuple[str, str], list[Result]] = {}
    for result in found:
        by_exercise.setdefault((result.assignment, result.exercise), []).append(result)
    ordered = sorted(by_exercise.items(), key=lambda item: share_right(item[1]))
    sections = [section(*names, results) for names, results in ordered]
    return PAGE.format(
        missing=listing(not_begun(people, found)),
        troubles=listing(f"{each.person}: {each.trouble}" for each in handed_in if each.trouble),
        sections="\n".join(sections),
    )


def share_right(results: Sequence[Result]) -> float:
    """Of those who handed in, the share that got it right."""
    there = [each for each in results if each.state != NOT_HANDED_IN]
    return sum(each.state == RIGHT for each in there) / max(len(there), 1)


def not_begun(people: Sequence[dict[str, str]], found: Sequence[Result]) -> list[str]:
    """Who has answered nothing, or handed in nothing."""
    begun = {each.person for each in found if each.state in (RIGHT, WRONG)}
    return [each["name"] for each in people if each["id"] not in begun]


def section(assignment: str, exercise: str, results: Sequence[Result]) -> str:
    """One exercise: how many got it right, and what the judge said most often."""
    counts = Counter(each.state for each in results)
    said = Counter(alike(each.said) for each in results if each.state == WRONG)
    summary = (
        f"{counts[RIGHT]} right, {counts[WRONG]} wrong, {counts[OPEN]} not answered, "
        f"{counts[NOT_HANDED_IN]} not handed in"
    )
    lines = [f"{number} x {text}" for text, number in said.most_common(WORST)]
    given = listing(lines) if lines else ""
    name = html.escape(f"{exercise} ({assignment})")
    return f"<h3>{name}</h3>\n<p>{summary}</p>\n{given}"


def alike(said: str) -> str:
    """What a judge said without the numbers in which the same mistake differs."""
    return re.sub(r"\d+(\.\d+)?", "#", said)


def listing(lines: Iterable[str]) -> str:
    """Lines as an HTML list, or a word where there are none."""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else "<p>None.</p>"


PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The class</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; }}
body {{ max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }}
li {{ overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>The class</h1>
<h2>Has not begun</h2>
{missing}
<h2>Could not be graded</h2>
{troubles}
<h2>Exercises, the hardest first</h2>
{sections}
</body>
</html>
"""
