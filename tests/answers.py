"""Judge code as a learner would write it, and what every lesson's exercises have to pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from helpers.exercises import Choice, Exercise, Verdict, of_lesson


def judge(
    exercise: Exercise, code: str, names: Mapping[str, Any], context: tuple[Any, ...] = ()
) -> Verdict:
    """Run `code` beside what the lesson has defined so far, and check the answer it gives.

    Args:
        exercise: whose answer it is.
        code: sets or defines `exercise.answer_name`.
        names: what the code may use, by name.
        context: what the lesson's cell hands to `check` behind the answer.
    """
    namespace = dict(names)
    exec(code, namespace)
    return exercise.check(namespace[exercise.answer_name], *context)


@contextmanager
def graphs_as_traced() -> Iterator[None]:
    """Without the optimizing of graphs, which takes longer than these run."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


class Answers:
    """Solutions pass, other right ways do, and at least three wrong answers each are explained.

    A test module inherits from it as `Test...` and says of which lesson.

    Attributes:
        lesson: its number.
        names: what the answers may use, by name.
        wrong: exercise, code, and a pattern of what is said.
        also_right: exercise and code.
    """

    lesson: ClassVar[int]
    names: ClassVar[Mapping[str, Any]] = {}
    wrong: ClassVar[Sequence[tuple[Exercise, str, str]]] = ()
    also_right: ClassVar[Sequence[tuple[Exercise, str]]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Hand each test its exercises, or its answers."""
        cases: Mapping[tuple[str, ...], Sequence[Any]] = {
            ("exercise", "code", "why"): self.wrong,
            ("exercise", "code"): self.also_right,
            ("exercise",): [
                (found,) for found in of_lesson(self.lesson) if not isinstance(found, Choice)
            ],
        }
        wanted = tuple(
            name for name in ("exercise", "code", "why") if name in metafunc.fixturenames
        )
        if wanted:
            ids = [f"{case[0].name}{number}" for number, case in enumerate(cases[wanted])]
            metafunc.parametrize(wanted, cases[wanted], ids=ids)

    def judged(self, exercise: Exercise, code: str) -> Verdict:
        """The verdict on an answer."""
        return judge(exercise, code, self.names)

    def test_the_solution_is_right(self, exercise):
        verdict = self.judged(exercise, exercise.code)
        assert verdict.state == "right", verdict.text

    def test_other_ways_are_right_too(self, exercise, code):
        verdict = self.judged(exercise, code)
        assert verdict.state == "right", verdict.text

    def test_wrong_answers_are_explained(self, exercise, code, why):
        verdict = self.judged(exercise, code)
        assert verdict.state == "wrong"
        assert re.search(why, verdict.text), verdict.text

    def test_three_wrong_answers_each(self, exercise):
        assert sum(found is exercise for found, _, _ in self.wrong) >= 3
