"""Three submissions to try it on, before a class has handed in anything."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from helpers.classroom import assignments, places
from helpers.exercises import Exercise
from helpers.lessons import Lesson

PEOPLE = ("anna", "ben", "cleo")


def write(lesson: Lesson, folder: Path) -> None:
    """All right by anna, the first right and the second wrong by ben, none by cleo.

    Raises:
        ValueError: where the assignment was not made.
    """
    release = places.released(lesson.stem)
    if not release.is_file():
        raise ValueError(
            f"Received: lesson {lesson.number}. Expected: one whose assignment was made. "
            f"`course.py class assignment {lesson.number}` makes it."
        )
    exercises = assignments.gradable(lesson)
    answers = {
        "anna": [each.code for each in exercises],
        "ben": [exercises[0].code, *(wrong_answer(each) for each in exercises[1:2])],
        "cleo": [],
    }
    for person in PEOPLE:
        fill(release, dict(zip(exercises, answers[person], strict=False)), folder / person)
    claimed = {exercises[0].name: {"right": True, "tries": 3, "hints": 1}}
    (folder / "ben" / "progress.json").write_text(json.dumps(claimed), encoding="utf-8")


def fill(release: Path, answers: dict[Exercise, str], folder: Path) -> Path:
    """Write a copy of the assignment with these answers into a person's folder; its path."""
    notebook = nbformat.read(release, as_version=4)
    named = {assignments.cell_name(each.name): code for each, code in answers.items()}
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = named.get(name, cell.source)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / release.name)
    return folder / release.name


def wrong_answer(exercise: Exercise) -> str:
    """An answer that no judge takes: nothing, from whatever was asked."""
    if exercise.answer_name == "answer":
        return "answer = None"
    return f"def {exercise.answer_name}(*anything):\n    return None"
