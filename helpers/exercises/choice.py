"""Multiple choice: every choice, right or wrong, is explained."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from helpers.exercises.exercise import (
    NOT_OFFERED,
    Exercise,
    Shown,
    Verdict,
    is_offered,
    right,
    wrong,
)


@dataclass(frozen=True)
class Option:
    """One choice, what is said of it, and whether it is right."""

    text: str
    why: str
    is_right: bool = False


class Choice(Exercise):
    """A question with choices A, B, C and so on, one of them right.

    Args:
        question: a function without a body; its name is the exercise's, its docstring asks.
        options: in any order; they are shown in one that the exercise's name decides, so that no
            letter is right more often than others.
    """

    def __init__(self, question: Callable[..., Any], options: tuple[Option, ...]) -> None:
        shown = random.Random(question.__name__).sample(options, len(options))
        self.options = dict(zip(string.ascii_uppercase, shown, strict=False))
        letters = [letter for letter, option in self.options.items() if option.is_right]
        if len(letters) != 1:
            raise ValueError(
                f"Received: {len(letters)} right choices of '{question.__name__}'. Expected: one."
            )
        self.solution_letter = letters[0]
        hints = ("Try one: each choice is explained.",)
        super().__init__(question, hints, f'answer = "{letters[0]}"')
        self._judge = self._explain

    def _explain(self, answer: Any) -> Verdict:
        letter = str(answer).strip().upper()[:1]
        if letter not in self.options:
            return wrong(f"Received: {answer!r}. Expected: a letter, {', '.join(self.options)}.")
        option = self.options[letter]
        return (right if option.is_right else wrong)(option.why)

    def solution(self) -> Shown:
        """All choices with what is said of each."""
        if not is_offered("solutions"):
            return Shown(NOT_OFFERED.format("solutions"))
        lines = [
            f"{letter} ({'right' if option.is_right else 'wrong'}): {option.text} {option.why}"
            for letter, option in self.options.items()
        ]
        return Shown(self.task, "\n".join(lines))


def choice(*options: Option) -> Callable[[Callable[[], None]], Choice]:
    """Make a multiple-choice question of a function whose docstring asks it."""
    return lambda question: Choice(question, options)
