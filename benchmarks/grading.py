"""Grade thirty submissions and five odd ones in one run; compare the points with those due.

    .venv/bin/python benchmarks/grading.py --folder FOLDER

Ten are right, ten half, ten with an answer that the tests call wrong. Beside these thirty, one
loops for ever, one fills the memory, one file is damaged, one lacks cells, one has them moved.
`FOLDER/class` is made anew. Linux: elsewhere nothing limits the memory.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
if TYPE_CHECKING:
    from helpers.exercises import Exercise
# What is answered to the first exercise by the two that have to be stopped.
CODE = {
    "looping": "def unchanged(before, after):\n    while True:\n        pass",
    "filling": "def unchanged(before, after):\n    kept = []\n    while True:\n"
    "        kept.append(np.ones(50_000_000))",
}
# How many of a kind, and the points that each is due, of twelve.
SUBMISSIONS = {
    "right": (10, 12.0),
    "half": (10, 8.0),
    "mistaken": (10, 8.0),
    "looping": (1, 8.0),
    "filling": (1, 8.0),
    "damaged": (1, 0.0),
    "deleted": (1, 8.0),
    "moved": (1, 12.0),
}


def write_all(folder: Path) -> dict[str, float]:
    """Write all submissions; the points that are due, by person."""
    from helpers.classroom import assignments, examples, places
    from helpers.lessons import find

    exercises = assignments.gradable(find(1))
    release = places.released(find(1).stem)
    due = {}
    for kind, (count, points) in SUBMISSIONS.items():
        for number in range(count):
            person = f"{kind}{number}"
            answers = answers_of(kind, number, exercises)
            spoil(kind, examples.fill(release, answers, folder / person))
            due[person] = points
    return due


def answers_of(kind: str, number: int, exercises: list[Exercise]) -> dict[Exercise, str]:
    """What one of a kind answers; each mistaken one gives another of the tests' wrong answers."""
    from test_exercises_1 import WRONG

    answers = {each: each.code for each in exercises}
    if kind == "half":
        del answers[exercises[-1]]
    if kind == "mistaken":
        exercise = exercises[number % len(exercises)]
        slips = [code for each, code, _ in WRONG if each is exercise]
        answers[exercise] = slips[number // len(exercises)]
    if kind in CODE:
        answers[exercises[0]] = CODE[kind]
    return answers


def spoil(kind: str, path: Path) -> None:
    """Damage a file, or delete or move its cells, where the kind says so."""
    if kind == "damaged":
        path.write_bytes(path.read_bytes()[:1000])
    if kind in ("deleted", "moved"):
        notebook = nbformat.read(path, as_version=4)
        cells = notebook.cells[::-1] if kind == "moved" else ungraded(notebook)[:-1]
        notebook.cells = cells
        nbformat.write(notebook, path)


def ungraded(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that judge nothing, of which the last one holds the last answer."""
    return [cell for cell in notebook.cells if not cell.metadata.nbgrader.grade]


def step(*arguments: str) -> None:
    """One step of `course.py class`."""
    subprocess.run([sys.executable, ROOT / "course.py", "class", *arguments], check=True)


def differing(due: dict[str, float], table: Path) -> dict[str, tuple[float, float]]:
    """Points given and due of those of whom they differ."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        points = {row["ID number"]: list(row.values())[-1] for row in csv.DictReader(file)}
    given = {person: float(points.get(person, "nan")) for person in due}
    return {person: (given[person], due[person]) for person in due if given[person] != due[person]}


def main() -> int:
    """Print the minutes; 1 where someone has other points than are due."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    folder = parser.parse_args().folder.resolve()
    os.environ["COURSE_CLASS"] = str(folder / "class")
    for name in ("class", "mail"):
        shutil.rmtree(folder / name, ignore_errors=True)
    step("assignment", "1")
    due = write_all(folder / "mail")
    started = time.monotonic()
    step("collect", str(folder / "mail"))
    minutes = (time.monotonic() - started) / 60
    step("report")
    other = differing(due, folder / "class" / "report" / "moodle.csv")
    print(
        f"{len(due)} submissions, {minutes:.1f} minutes; other points than due: {other or 'none'}"
    )
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
