"""Grade thirty submissions in one run, and compare the points with those that are due.

    .venv/bin/python benchmarks/grading.py --folder FOLDER

Ten are right, nine half, six with an answer that the tests call wrong; one loops for ever, one
fills the memory, one file is damaged, one has its judges deleted and its cells moved, one is empty.
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

import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
LOOP = "def unchanged(before, after):\n    while True:\n        pass"
FILLER = (
    "def unchanged(before, after):\n    kept = []\n    while True:\n"
    "        kept.append(np.ones(50_000_000))"
)
SUBMISSIONS = {
    "right": (10, 12.0),
    "half": (9, 8.0),
    "mistaken": (6, 8.0),
    "looping": (1, 8.0),
    "filling": (1, 8.0),
    "damaged": (1, 0.0),
    "moved": (1, 12.0),
    "empty": (1, 0.0),
}


def write_all(folder: Path) -> dict[str, float]:
    """Write all submissions; the points that are due, by person."""
    import test_exercises_1

    from helpers.classroom import assignments, examples, places
    from helpers.exercises import lesson_1
    from helpers.lessons import find

    exercises = assignments.gradable(find(1))
    right = {each: each.code for each in exercises}
    slips = [code for each, code, _ in test_exercises_1.WRONG if each is lesson_1.unchanged]
    due = {}
    for kind, (count, points) in SUBMISSIONS.items():
        for number in range(count):
            first = {"looping": LOOP, "filling": FILLER, "mistaken": slips[number]}
            answers = right | {lesson_1.unchanged: first.get(kind, lesson_1.unchanged.code)}
            kept = {"half": 2, "empty": 0}.get(kind, 3)
            answers = {each: answers[each] for each in exercises[:kept]}
            person = f"{kind}{number}"
            release = places.released(find(1).stem)
            spoil(kind, examples.fill(release, answers, folder / person))
            due[person] = points
    return due


def spoil(kind: str, path: Path) -> None:
    """Damage a file, or delete and move its cells, where the kind says so."""
    if kind == "damaged":
        path.write_bytes(path.read_bytes()[:1000])
    if kind == "moved":
        notebook = nbformat.read(path, as_version=4)
        cells = [cell for cell in notebook.cells if not cell.metadata.nbgrader.grade]
        notebook.cells = cells[::-1]
        nbformat.write(notebook, path)


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
