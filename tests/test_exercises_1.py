"""The exercises of lesson 1: solutions pass, plausible wrong answers are explained."""

import re

import pytest
from answers import judge

from helpers.exercises import lesson_1

WRONG = [
    (lesson_1.nested_counts, "answer = (81, 81)", "Which arrays of BatchNormalization"),
    (lesson_1.nested_counts, "answer = (6, 5)", "You counted arrays"),
    (lesson_1.nested_counts, "answer = (81, 9)", "81 in all, 9 trainable"),
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))


@pytest.mark.parametrize("exercise", [lesson_1.nested_counts], ids=lambda exercise: exercise.name)
def test_the_solution_is_right(exercise):
    assert judge(exercise, exercise.code, {}).state == "right"


@pytest.mark.parametrize(("exercise", "code", "why"), WRONG)
def test_wrong_answers_are_explained(exercise, code, why):
    verdict = judge(exercise, code, {})
    assert verdict.state == "wrong"
    assert re.search(why, verdict.text), verdict.text
