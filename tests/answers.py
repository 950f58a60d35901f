"""Judge code as a learner would write it: for the tests of each lesson's exercises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.exercises import Exercise, Verdict


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
