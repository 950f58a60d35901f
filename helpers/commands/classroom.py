"""What `course.py class` does: hand out, take in and grade, report."""

from __future__ import annotations

import sys
from pathlib import Path

from helpers.classroom.grading import Limits
from helpers.lessons import Lesson


def main(
    step: str,
    lesson: Lesson | None = None,
    all_lessons: bool = False,
    no_hints: bool = False,
    no_solutions: bool = False,
    folder: Path | None = None,
    people: Path | None = None,
    minutes: float = 10,
    cell_seconds: int = 60,
    memory_gb: float = 6,
) -> int:
    """Do one step; the exit code."""
    try:
        if step == "assignment":
            return hand_out(lesson, all_lessons, not no_hints, not no_solutions)
        if step == "examples":
            return write_examples(lesson, folder)
        if step == "collect":
            return take_in(folder, Limits(cell_seconds, round(minutes * 60), memory_gb))
        return report(people)
    except (ValueError, OSError) as error:
        print(f"course.py class: {error}", file=sys.stderr)
        return 1


def hand_out(lesson: Lesson | None, all_lessons: bool, hints: bool, solutions: bool) -> int:
    """Make an assignment, or all; list what can be made where none was named."""
    from helpers.classroom import assignments, places

    possible = assignments.with_exercises()
    if not (lesson or all_lessons):
        for each in possible:
            print(f"{each.number:2} {each.title}: {len(assignments.gradable(each))} exercises")
        return 0
    for each in possible if all_lessons or lesson is None else [lesson]:
        assignments.make(each, hints, solutions)
        print(f"Hand out {places.released(each.stem)}", flush=True)
    return 0


def write_examples(lesson: Lesson | None, folder: Path | None) -> int:
    """Three submissions to try the other steps on."""
    from helpers.classroom import examples

    assert lesson and folder  # the command line asks for both
    examples.write(lesson, folder)
    print(f"Wrote {len(examples.PEOPLE)} submissions into {folder}")
    return 0


def take_in(folder: Path | None, limits: Limits) -> int:
    """Collect and grade; 0 also where some could not be, for the others were."""
    from helpers.classroom import collecting, grading

    assert folder
    found = collecting.collect(folder.resolve())
    for number, handed_in in enumerate(found, 1):
        if handed_in.is_graded:
            grading.grade(handed_in, limits)
            collecting.keep([handed_in])
        said = "; ".join(filter(None, (handed_in.trouble or "graded", handed_in.note)))
        print(f"{number} of {len(found)}: {handed_in}: {said}", flush=True)
    return 0


def report(people: Path | None) -> int:
    """Write the tables and the page; say who is in none of them."""
    from helpers.classroom import reports

    folder, unlisted = reports.write(people)
    if people and unlisted:
        print(
            f"Warning: collected, but not in {people.name}, or twice in it: {', '.join(unlisted)}. "
            "Put the name into its column `id` or `handed_in_as`.",
            file=sys.stderr,
        )
    print(f"Open {folder / 'index.html'}; the tables lie beside it.")
    return 0
