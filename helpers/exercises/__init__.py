"""Exercises that check themselves: one module a lesson, each exercise an object in it.

A lesson imports its own module and asks an exercise to check an answer::

    from helpers.exercises import lesson_1 as exercises

    answer = ...
    exercises.unchanged.check(answer)

`exercises.unchanged.hint()` gives the next hint, `exercises.unchanged.solution()` shows
working code. What was solved is kept in the course's cache folder (`progress`).
"""

from helpers.exercises.choice import Choice, Option, choice
from helpers.exercises.exercise import (
    Exercise,
    NotAnswered,
    Verdict,
    call,
    exercise,
    is_open,
    of_lesson,
    right,
    wrong,
)
from helpers.exercises.overview import Overview

__all__ = [
    "Choice",
    "Exercise",
    "NotAnswered",
    "Option",
    "Overview",
    "Verdict",
    "call",
    "choice",
    "exercise",
    "is_open",
    "of_lesson",
    "right",
    "wrong",
]
