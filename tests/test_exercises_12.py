"""The exercises of lesson 12: solutions pass, plausible wrong answers are explained."""

import math

import numpy as np
from answers import Answers

from helpers.exercises import lesson_12

NAMES = {"np": np, "math": math}


def left(returned):
    return f"def left_to_do(listed, parts):\n    return {returned}"


def machines(returned, seconds="hours * 3600 - start"):
    return f"def machines(pictures, rate, start, hours):\n    return {returned}\n".replace(
        "seconds", f"({seconds})"
    )


NOT_NONE = "{name for part in parts if part for name in part}"
WRONG = [
    (lesson_12.left_to_do, left("listed[sum(len(part or []) for part in parts):]"), "count the"),
    (lesson_12.left_to_do, left("listed"), "would be there twice"),
    (lesson_12.left_to_do, left("[]"), "would never get one"),
    (lesson_12.left_to_do, left(f"list(set(listed) ^ {NOT_NONE})"), "order of|not among"),
    (lesson_12.left_to_do, left(f"sorted(set(listed) - {NOT_NONE})"), "order of `listed`"),
    (
        lesson_12.left_to_do,
        left("[n for n in listed if n not in (parts[-1] if parts else [])]"),
        "not iterable|would be there twice",
    ),
    (lesson_12.left_to_do, left("len(listed)"), "a list of names"),
    (lesson_12.machines, machines("pictures / (rate * seconds)"), "a part of a machine"),
    (lesson_12.machines, machines("int(pictures / (rate * seconds))"), "not done in time"),
    (
        lesson_12.machines,
        machines("math.ceil(pictures / (rate * seconds))", "hours * 3600"),
        "they do nothing",
    ),
    (
        lesson_12.machines,
        machines("math.ceil(pictures / (rate * seconds))", "hours"),
        "time is in hours",
    ),
    (
        lesson_12.machines,
        machines("math.ceil(pictures / (rate * seconds))"),
        "still starting",
    ),
    (lesson_12.machines, machines("'many'"), "a number"),
]


class TestAnswers(Answers):
    lesson = 12
    names = NAMES
    wrong = WRONG
