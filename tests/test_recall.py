"""The questions on earlier lessons: the bank, the draw, the panel."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from helpers import lessons, panels
from helpers.exercises import of_lesson, progress, recall

OURS = [each.number for each in lessons.LESSONS if each.number < lessons.OWN]
ASKING = range(2, OURS[-1] + 1)
TASKS = [asked.task for asked in recall.QUESTIONS]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)


def drawn(lesson, seed=None):
    """What is asked, without the answers and their order."""
    return [asked.task for asked in recall.draw(lesson, seed)]


def lengths(asked):
    """The right answer's letters, and those of the wrong ones."""
    right = [len(option.text) for option in asked.answers if option.is_right]
    return right[0], [len(option.text) for option in asked.answers if not option.is_right]


def test_there_are_five_questions_on_each_lesson_and_no_two_alike():
    for lesson in ASKING:
        assert sum(asked.lesson == lesson - 1 for asked in recall.QUESTIONS) == 5, lesson
    assert len(set(TASKS)) == len(TASKS) == 5 * len(ASKING)


@pytest.mark.parametrize("asked", recall.QUESTIONS, ids=lambda asked: asked.task[:40])
def test_a_question_has_one_right_answer_and_says_why_of_each(asked):
    assert 3 <= len(asked.answers) <= 4
    assert sum(option.is_right for option in asked.answers) == 1
    assert len({option.text for option in asked.answers}) == len(asked.answers)
    assert len({option.why for option in asked.answers}) == len(asked.answers)
    for said in (asked.task, *(option.why for option in asked.answers)):
        assert said.endswith((".", "?")) and said.count("`") % 2 == 0, said
    # They are shuffled, so none may speak of its place.
    text = " ".join(f"{option.text} {option.why}" for option in asked.answers)
    assert not re.search(r"\b(answer|choice|option) [A-D]\b|\b[B-D]\b", text), text


def test_no_answer_gives_itself_away_by_its_length():
    longest = shortest = 0
    for asked in recall.QUESTIONS:
        right, wrong = lengths(asked)
        longest, shortest = longest + (right > max(wrong)), shortest + (right < min(wrong))
        assert max(right, *wrong) - min(right, *wrong) <= 25, asked.task
    assert longest <= len(TASKS) / 3 and shortest <= len(TASKS) / 3


@pytest.mark.parametrize("lesson", ASKING)
def test_three_are_drawn_of_the_lessons_before(lesson):
    before = set()
    for seed in range(200):
        questions = recall.draw(lesson, seed)
        numbers = [asked.lesson for asked in questions]
        assert len({asked.task for asked in questions}) == 3
        assert numbers == sorted(numbers) and numbers[0] >= 1 and numbers[-1] == lesson - 1
        before |= set(numbers)
    assert before == set(range(1, lesson))


def test_a_seed_draws_the_same_and_none_draws_others():
    assert recall.draw(7, seed=3) == recall.draw(7, seed=3)
    found = set()
    for _ in range(20):
        random.seed(0)  # as `keras.utils.set_random_seed` does in a lesson
        np.random.seed(0)
        found.add(tuple(drawn(7)))
    assert len(found) > 10


def test_a_draw_leaves_the_global_chance_alone():
    states = random.getstate(), np.random.get_state()[1].tolist()
    recall.draw(7)
    assert states == (random.getstate(), np.random.get_state()[1].tolist())


def test_every_question_comes_with_its_right_answer_at_each_place():
    originals = {asked.task: asked for asked in recall.QUESTIONS}
    places = {task: set() for task in originals}
    for seed in range(1000):
        for asked in recall.draw(ASKING[-1], seed):
            assert set(asked.answers) == set(originals[asked.task].answers)
            places[asked.task].add([option.is_right for option in asked.answers].index(True))
    for task, found in places.items():
        assert found == set(range(len(originals[task].answers))), task


@pytest.mark.parametrize("lesson", [-1, 0, 1, ASKING[-1] + 1, 99])
def test_where_there_is_nothing_to_ask_the_lessons_are_named(lesson):
    for ask in (recall.draw, panels.recall):
        with pytest.raises(ValueError, match=f"Received: lesson {lesson}. .* to {ASKING[-1]}"):
            ask(lesson)


def test_the_questions_are_no_exercises():
    for lesson in lessons.LESSONS:
        assert not {found.task for found in of_lesson(lesson.number)} & set(TASKS)


def test_a_click_is_answered_at_once_and_nothing_is_kept():
    panel = panels.recall(4)
    *questions, others = panel.children
    assert len(questions) == 3 and "Other questions come" in others.value
    for question in questions:
        _, pick, said = question.children
        assert pick.value is None and said.value == ""
        states = []
        for _, letter in pick.options:
            pick.value = letter
            states.append("Right." in said.value)
            assert ("has more" in said.value) is not states[-1]
            assert states[-1] or "Not yet." in said.value
        assert sum(states) == 1
    assert not progress.path().exists() and progress.read() == {}


def test_the_stored_panel_is_always_the_same_and_says_that_others_come():
    pages = {panels.recall(5)._repr_mimebundle_()["text/html"] for _ in range(5)}
    (page,) = pages
    assert page.count("<ol") == 3 and page.count(panels.STILL) == 1
    assert "Other questions come at each run" in page
    assert all(asked.task.split("`")[0] in page for asked in recall.draw(5, seed=5))
