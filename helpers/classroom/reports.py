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
EXAMPLE = (12, 200)  # the lines of one that it shows, and the letters of a line
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
        code: what was handed in.
    """

    person: str
    assignment: str
    exercise: str
    state: str
    said: str
    points: float
    most: float
    claimed: dict[str, Any]
    code: str = ""


# By a person's `id` and the assignment's name.
Collected = dict[tuple[str, str], HandedIn]


def write(people: Path | None = None) -> tuple[Path, list[str]]:
    """Write all tables and the page into the class's folder `report`.

    Args:
        people: a CSV of the class with the columns `id`, `name` and `email`, and, where people
            were collected under other names than `id`, `handed_in_as` with these, a `;` between;
            without it the class is whoever has handed in.

    Returns:
        The folder, and the names that were collected and are not in the class's list.

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
    collected, unlisted = by_id(listed, handed_in)
    found = results(listed, collected)
    folder = places.class_folder() / "report"
    folder.mkdir(exist_ok=True)
    table(folder / "exercises.csv", COLUMNS, map(as_row, found))
    moodle(folder / "moodle.csv", listed, found)
    canvas(folder / "canvas.csv", listed, found)
    write_whole(folder / "index.html", page(listed, found, collected, handed_in, unlisted))
    return folder, unlisted


def read_people(path: Path) -> list[dict[str, str]]:
    """The class's list.

    Raises:
        ValueError: where a column is missing, or two rows have one name.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"id", "name", "email"} <= rows[0].keys():
        raise ValueError(f"Received: {path}. Expected: a CSV with the columns id, name, email.")
    names = Counter(name for row in rows for name in names_of(row))
    twice = [name for name, times in names.items() if times > 1]
    if twice:
        raise ValueError(
            f"Received: {path}, where rows share {', '.join(twice)}. Expected: each name in "
            "`id` and `handed_in_as` in one row."
        )
    return rows


def names_of(person: dict[str, str]) -> list[str]:
    """The names under which one of the list may have been collected."""
    names = [person["id"], *(person.get("handed_in_as") or "").split(";")]
    return list(filter(None, dict.fromkeys(same(name or "") for name in names)))


def same(name: str) -> str:
    """What two spellings of a name have in common."""
    return collecting.clean(name.strip()).casefold()


def by_id(
    people: Sequence[dict[str, str]], handed_in: Iterable[HandedIn]
) -> tuple[Collected, list[str]]:
    """Who of the list has handed in what; and the names of those whom it lacks, or has twice."""
    ids = {name: each["id"] for each in people for name in names_of(each)}
    found: Collected = {}
    left = set()
    for each in filter(lambda each: each.is_graded, handed_in):
        person = ids.get(same(each.person)) or ids.get(same(each.handed_in_as))
        if person is None or (person, each.assignment) in found:
            left.add(each.person)
        else:
            found[person, each.assignment] = each
    return found, sorted(left)


def people_of(handed_in: Iterable[HandedIn]) -> list[dict[str, str]]:
    """A class's list made of those who handed in."""
    names = {same(each.person): each.person for each in handed_in if each.is_graded}
    return [{"id": name, "name": name, "email": ""} for name in sorted(names.values())]


def results(people: Sequence[dict[str, str]], collected: Collected) -> list[Result]:
    """Each person's answer to each exercise of the assignments that anyone handed in."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{places.class_folder() / 'gradebook.db'}") as gradebook:
        return [
            result
            for name in assignments_of(collected)
            for person in people
            for result in of_person(
                gradebook, person["id"], name, collected.get((person["id"], name))
            )
        ]


def assignments_of(collected: Collected) -> list[str]:
    """The names of those that anyone handed in."""
    return sorted({assignment for _, assignment in collected})


def of_person(
    gradebook: Any, person: str, assignment: str, handed_in: HandedIn | None
) -> Iterable[Result]:
    """One person's answers to one assignment."""
    cells = graded_cells(handed_in.person, assignment) if handed_in else {}
    for exercise in assignments.gradable(find(assignment)):
        asked = assignments.cell_name(exercise.name)
        name = f"{asked}-judged"
        most = gradebook.find_grade_cell(name, assignment, assignment).max_score
        state, said, points, code = NOT_HANDED_IN, "", 0.0, ""
        if handed_in:
            state, said = verdict_of(cells[name]) if name in cells else (WRONG, "")
            said = handed_in.trouble or said
            code = cells[asked].source if asked in cells else ""
        if handed_in and name in cells:
            points = gradebook.find_grade(name, assignment, assignment, handed_in.person).score
        claimed = handed_in.claims.get(exercise.key, {}) if handed_in else {}
        yield Result(person, assignment, exercise.name, state, said, points, most, claimed, code)


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
    people: Sequence[dict[str, str]],
    found: Sequence[Result],
    collected: Collected,
    handed_in: Iterable[HandedIn],
    unlisted: Sequence[str],
) -> str:
    """The page: the hardest exercises first, with the wrong answers given most often."""
    by_exercise: dict[tuple[str, str], list[Result]] = {}
    for result in found:
        by_exercise.setdefault((result.assignment, result.exercise), []).append(result)
    ordered = sorted(by_exercise.items(), key=lambda item: share_right(item[1]))
    sections = [section(*names, results) for names, results in ordered]
    return PAGE.format(
        missing=listing(not_begun(people, found, collected)),
        nothing="\n".join(handed_in_nothing(people, collected)),
        unlisted=listing(unlisted),
        troubles=listing(
            f"{each}: {'; '.join(filter(None, (each.trouble, each.note)))}"
            for each in handed_in
            if each.trouble or each.note
        ),
        sections="\n".join(sections),
    )


def share_right(results: Sequence[Result]) -> float:
    """Of those who handed in, the share that got it right."""
    there = [each for each in results if each.state != NOT_HANDED_IN]
    return sum(each.state == RIGHT for each in there) / max(len(there), 1)


def not_begun(
    people: Sequence[dict[str, str]], found: Iterable[Result], collected: Collected
) -> list[str]:
    """Who has answered nothing; what could not be read or run may hold answers."""
    begun = {each.person for each in found if each.state in (RIGHT, WRONG)}
    begun |= {person for (person, _), each in collected.items() if each.trouble}
    return [each["name"] for each in people if each["id"] not in begun]


def handed_in_nothing(people: Sequence[dict[str, str]], collected: Collected) -> Iterable[str]:
    """For each assignment, who has sent nothing."""
    for name in assignments_of(collected):
        missing = [each["name"] for each in people if (each["id"], name) not in collected]
        yield f"<h3>{html.escape(name)}</h3>\n{listing(missing)}"


def section(assignment: str, exercise: str, results: Sequence[Result]) -> str:
    """One exercise: how many got it right, what the judge said most often, and an example each."""
    counts = Counter(each.state for each in results)
    wrong = {alike(each.said): each.code for each in results if each.state == WRONG}
    said = Counter(alike(each.said) for each in results if each.state == WRONG)
    summary = (
        f"{counts[RIGHT]} right, {counts[WRONG]} wrong, {counts[OPEN]} not answered, "
        f"{counts[NOT_HANDED_IN]} not handed in"
    )
    items = "".join(
        f"<li>{html.escape(f'{number} x {text}')}{example(wrong[text])}</li>"
        for text, number in said.most_common(WORST)
    )
    name = html.escape(f"{exercise} ({assignment})")
    return f"<h3>{name}</h3>\n<p>{summary}</p>\n" + (f"<ul>{items}</ul>" if items else "")


def example(code: str) -> str:
    """The first lines of an answer as HTML, or nothing."""
    lines, letters = EXAMPLE
    shown = "\n".join(line[:letters] for line in code.strip().splitlines()[:lines])
    return f"<pre>{html.escape(shown)}</pre>" if shown else ""


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
pre {{ overflow-x: auto; }}
</style>
</head>
<body>
<h1>The class</h1>
<h2>Has not begun</h2>
{missing}
<h2>Has handed in nothing</h2>
{nothing}
<h2>Collected, but not in the class's list</h2>
{unlisted}
<h2>Could not be graded, or needs a look</h2>
{troubles}
<h2>Exercises, the hardest first</h2>
{sections}
</body>
</html>
"""
