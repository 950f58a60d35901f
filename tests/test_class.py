"""A class graded by nbgrader: each kind of submission to the right points, none stops the others.

Skipped where `course.py class` was never used, for that installs what it needs.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import test_exercises_1

import course
from helpers.classroom import assignments, collecting, examples, places
from helpers.exercises import lesson_1
from helpers.lessons import find

pytestmark = pytest.mark.skipif(
    not course.is_installed(course.ROOT, course.CLASS),
    reason="nbgrader is not installed: `python3 course.py class assignment` does that",
)
GUIDE = course.ROOT / "docs" / "instructors" / "class.md"
LESSON = find(1)
EXERCISES = (lesson_1.unchanged, lesson_1.unfreeze_first, lesson_1.freeze_all_but)
RIGHT = {each: each.code for each in EXERCISES}
LOOP = "def unchanged(before, after):\n    while True:\n        pass"
FILLER = (
    "def unchanged(before, after):\n    kept = []\n    while True:\n"
    "        kept.append(np.ones(50_000_000))"
)
STUBBORN = (
    "def unchanged(before, after):\n    while True:\n        try:\n            while True:\n"
    "                pass\n        except BaseException:\n            pass"
)
# Who hands in what, and the states that follow.
KINDS = {
    "right": (RIGHT, ["right", "right", "right"]),
    "half": ({each: each.code for each in EXERCISES[:2]}, ["right", "right", "open"]),
    "looping": (RIGHT | {lesson_1.unchanged: LOOP}, ["wrong", "right", "right"]),
    "filling": (RIGHT | {lesson_1.unchanged: FILLER}, ["wrong", "right", "right"]),
    "moved": (RIGHT, ["right", "right", "right"]),
    "damaged": ({}, ["open", "open", "open"]),
    "mistaken": (
        {
            each: next(code for found, code, _ in test_exercises_1.WRONG if found is each)
            for each in EXERCISES
        },
        ["wrong", "wrong", "wrong"],
    ),
}

# Two of them as Moodle's and Canvas's downloads name them; the class's list has who they are.
DOWNLOADED = {
    "half": "zip/Half Way_12_assignsubmission_file_/answers.ipynb",
    "right": f"righteve_34_567_{LESSON.stem}.ipynb",
}
PEOPLE = {"half": "Half Way", "right": "righteve_34"}


def run(folder: Path, line: str) -> str:
    """A command as an instructor types it in `folder`; what it prints."""
    environment = os.environ | {"COURSE_CLASS": str(folder / "class")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.skipif(not os.environ.get("COURSE_WHOLE"), reason="four minutes: nightly")
def test_solutions_earn_every_lessons_points_and_no_answers_none(tmp_path, monkeypatch):
    (tmp_path / "course.py").symlink_to(course.ROOT / "course.py")
    run(tmp_path, "python3 course.py class assignment --all")
    monkeypatch.setenv("COURSE_CLASS", str(tmp_path / "class"))
    for lesson in assignments.with_exercises():
        solved = {each: each.code for each in assignments.gradable(lesson)}
        for person, answers in (("solved", solved), ("empty", {})):
            examples.fill(places.released(lesson.stem), answers, tmp_path / "mail" / person)
    run(tmp_path, "python3 course.py class collect mail")
    run(tmp_path, "python3 course.py class report")
    most, *people = rows(tmp_path / "class" / "report" / "canvas.csv")
    stems = [lesson.stem for lesson in assignments.with_exercises()]
    given = {row["Student"]: [float(row[stem]) for stem in stems] for row in people}
    assert given == {"solved": [float(most[stem]) for stem in stems], "empty": [0.0] * len(stems)}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class's folder after all kinds of submissions were graded in one run."""
    folder = tmp_path_factory.mktemp("graded")
    (folder / "course.py").symlink_to(course.ROOT / "course.py")
    run(folder, "python3 course.py class assignment 1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CLASS", str(folder / "class"))
        release = places.released(LESSON.stem)
    for kind, (answers, _) in KINDS.items():
        path = examples.fill(release, answers, folder / "mail" / kind)
        if kind == "damaged":
            path.write_bytes(path.read_bytes()[:1000])
        if kind == "moved":
            notebook = nbformat.read(path, as_version=4)
            notebook.cells = notebook.cells[:1:-1]
            nbformat.write(notebook, path)
        if kind in DOWNLOADED:
            (folder / "mail" / DOWNLOADED[kind]).parent.mkdir(parents=True, exist_ok=True)
            path.rename(folder / "mail" / DOWNLOADED[kind])
    examples.fill(release, {}, folder / "mail" / "guest")
    (folder / "mail" / release.name).write_text("nobody's", encoding="utf-8")
    said = run(folder, "python3 course.py class collect mail --cell-seconds 20 --memory-gb 6")
    lines = ["id,name,email,handed_in_as", *(f"{kind},,,{PEOPLE.get(kind, '')}" for kind in KINDS)]
    (folder / "class.csv").write_text("\n".join(lines), encoding="utf-8")
    said += run(folder, "python3 course.py class report --people class.csv")
    return folder / "class", said


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gets_its_points(graded, kind):
    found = [row for row in rows(graded[0] / "report" / "exercises.csv") if row["person"] == kind]
    assert [row["exercise"] for row in found] == [each.name for each in EXERCISES]
    states = KINDS[kind][1]
    assert [row["state"] for row in found] == states, found
    assert [float(row["points"]) for row in found] == [4.0 * (state == "right") for state in states]


def test_a_wrong_answer_is_reported_in_the_judges_words(graded):
    found = [row for row in rows(graded[0] / "report" / "exercises.csv")]
    said = next(row["said"] for row in found if row["person"] == "mistaken")
    expected = next(
        pattern for each, _, pattern in test_exercises_1.WRONG if each is lesson_1.unchanged
    )
    assert re.search(expected, said)
    page = (graded[0] / "report" / "index.html").read_text(encoding="utf-8")
    assert "1 x Every number has changed: it says True" in page


def test_what_stopped_is_said(graded):
    folder, said = graded
    found = {
        row["person"]: row["said"]
        for row in rows(folder / "report" / "exercises.csv")
        if row["exercise"] == "unchanged"
    }
    assert "Timeout" in found["looping"] or "KeyboardInterrupt" in found["looping"]
    assert "Memory" in found["filling"] or "allocate" in found["filling"]
    assert "could not be read" in found["damaged"] and "damaged" in said
    assert f"nobody, {LESSON.stem}.ipynb: does not tell whose it is" in said
    assert "not in class.csv, or twice in it: guest." in said


def test_what_cannot_be_interrupted_is_ended_and_gets_no_points(graded, tmp_path):
    (tmp_path / "course.py").symlink_to(course.ROOT / "course.py")
    shutil.copytree(graded[0], tmp_path / "class")
    release = tmp_path / "class" / "release" / LESSON.stem / f"{LESSON.stem}.ipynb"
    examples.fill(release, RIGHT | {lesson_1.unchanged: STUBBORN}, tmp_path / "mail" / "stubborn")
    run(tmp_path, "python3 course.py class collect mail --cell-seconds 5")
    run(tmp_path, "python3 course.py class report")
    found = rows(tmp_path / "class" / "report" / "exercises.csv")
    theirs = [row for row in found if row["person"] == "stubborn"]
    assert [row["points"] for row in theirs] == ["0.0"] * 3
    assert "could not be run to its end" in theirs[0]["said"]


def test_platforms_get_a_sum_a_person(graded):
    moodle = rows(graded[0] / "report" / "moodle.csv")
    sums = {row["ID number"]: float(row[LESSON.stem]) for row in moodle}
    assert sums == {kind: 4.0 * states.count("right") for kind, (_, states) in KINDS.items()}
    canvas = rows(graded[0] / "report" / "canvas.csv")
    assert canvas[0]["Student"].strip() == "Points Possible" and canvas[0][LESSON.stem] == "12.0"
    assert {row["SIS Login ID"]: float(row[LESSON.stem]) for row in canvas[1:]} == sums


def test_the_guides_commands_do_what_it_says(tmp_path):
    (tmp_path / "course.py").symlink_to(course.ROOT / "course.py")
    block = re.search(r"```\n(python3 course\.py class .*?)```", GUIDE.read_text(), re.DOTALL)
    lines = block[1].splitlines()
    assert len(lines) <= 5
    for line in lines:
        run(tmp_path, line)
    report = tmp_path / "class" / "report"
    sums = {row["ID number"]: float(row[LESSON.stem]) for row in rows(report / "moodle.csv")}
    assert sums == {"anna": 12.0, "ben": 4.0, "cleo": 0.0}
    assert "<li>cleo</li>" in (report / "index.html").read_text(encoding="utf-8")


def test_handed_in_work_is_kept_apart_from_the_learners_claims(graded):
    assert not any(row["tries claimed"] for row in rows(graded[0] / "report" / "exercises.csv"))
    assert collecting.HandedIn("a", "b", "c").claims == {}
