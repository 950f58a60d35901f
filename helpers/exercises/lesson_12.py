"""The exercises of lesson 12: beyond one machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong


@choice(
    Option(
        "The features of pictures, through a frozen base",
        "No picture needs another. But this is not the only one.",
    ),
    Option(
        "The steps of one training run",
        "Each step begins at the weights that the last one left. That is why spreading a single "
        "`fit` takes machinery that talks after every step.",
        is_right=True,
    ),
    Option(
        "Two hundred settings of a head",
        "No setting waits for another one's result. Stopping early compares them, but lightly.",
    ),
    Option(
        "The folds of a cross-validation",
        "Each fold trains a head of its own.",
    ),
)
def what_depends() -> None:
    """Which of these cannot simply be handed out to a hundred machines?"""


@exercise(
    hints=(
        "Begin with the pictures that have a row already. A part whose file is damaged holds none.",
        "done = {name for part in parts if part is not None for name in part}. A set takes each "
        "name once.",
        "Go through `listed` in its order and keep what is not in `done`.",
    ),
    solution="""
def left_to_do(listed, parts):
    done = {name for part in parts if part is not None for name in part}
    return [name for name in listed if name not in done]
""",
    answer_name="left_to_do",
)
def left_to_do(function: Callable[[list[str], list[list[str] | None]], list[str]]) -> Verdict:
    """What a run that was stopped still has to do."""
    listed = [f"{'cat' if number % 2 else 'dog'}/{number}.jpg" for number in range(9)]
    cases: tuple[list[list[str] | None], ...] = (
        [],
        [listed[:3]],
        [listed[5:8], None],
        [listed[4:6], listed[2:5]],
        [listed[:4], listed[4:]],
        [["cat/gone.jpg", *listed[:2]]],
    )
    for parts in cases:
        done = {name for part in parts for name in part or []}
        expected = [name for name in listed if name not in done]
        received = call(function, list(listed), [part and list(part) for part in parts])
        if verdict := _judge_left(listed, parts, expected, received):
            return wrong(f"{_said(parts)} you return {received!r}. {verdict}")
    return right("Whole parts are the only record of what is done, so nothing can contradict them.")


def _said(parts: list[list[str] | None]) -> str:
    return f"Of nine pictures, with the parts {parts},"


def _judge_left(
    listed: list[str], parts: list[list[str] | None], expected: list[str], received: Any
) -> str:
    """What is wrong with a list of what is left, if anything."""
    if not isinstance(received, (list, tuple)):
        return "Expected: a list of names."
    if list(received) == expected:
        return ""
    if sorted(received) == sorted(expected):
        return "The names are right. Keep the order of `listed`."
    strange = set(received) - set(listed)
    if strange:
        return f"{min(strange)} is not among the pictures."
    written = sum(len(part or []) for part in parts)
    if list(received) == listed[written:]:
        return "You count the rows. The parts are written in any order, and may overlap."
    lost = set(expected) - set(received)
    if lost:
        return f"{min(lost)} has no row, and would never get one."
    again = [name for name in received if name not in expected]
    return f"{again[0]} has its row already, and would be there twice." if again else "Once each."


@exercise(
    hints=(
        "A machine works for hours * 3600 - start seconds. In that time it does rate times as many "
        "pictures.",
        "Divide the pictures by that, and round up: `np.ceil`, for 1.2 machines are two.",
        "If nothing is left after the start, return None: no number of machines is enough.",
    ),
    solution="""
def machines(pictures, rate, start, hours):
    seconds = hours * 3600 - start
    if seconds <= 0:
        return None
    return int(np.ceil(pictures / (rate * seconds)))
""",
    answer_name="machines",
)
def machines(function: Callable[[int, float, float, float], int | None]) -> Verdict:
    """How many machines get through so many pictures in time."""
    for pictures, rate, start, hours in (
        (10_000_000, 200, 300, 1),
        (50_000, 250, 20, 0.25),
        (1_000_000, 100, 1800, 1),
        (720_000, 200, 0, 1),
        (1_000, 100, 90, 0.02),
    ):
        received = call(function, pictures, rate, start, hours)
        if verdict := _judge_machines(pictures, rate, start, hours, received):
            return wrong(
                f"For {pictures:,} pictures, {rate} a second, {start} s to start and {hours} hours "
                f"you return {received!r}. {verdict}"
            )
    return right("The start counts once a machine: the shorter the run, the less a machine gives.")


def _judge_machines(pictures: int, rate: float, start: float, hours: float, received: Any) -> str:
    """What is wrong with a number of machines, if anything."""
    seconds = hours * 3600 - start
    expected = math.ceil(pictures / (rate * seconds)) if seconds > 0 else None
    if received == expected:
        return ""
    if expected is None:
        return "They are still starting when the time is over. Return None."
    if not isinstance(received, (int, float)):
        return "Expected: a number."
    if received == math.ceil(pictures / (rate * hours * 3600)):
        return "While they start they do nothing."
    needed = pictures / (rate * seconds)
    if math.isclose(received, needed):
        return "Nobody rents a part of a machine. Round up."
    if received in {int(needed), round(needed)}:
        return "With so few they are not done in time. Round up."
    if received == math.ceil(pictures / (rate * hours)):
        return "The rate is a second's, the time is in hours."
    return f"One machine does {rate * seconds:,.0f} pictures in this time."


@choice(
    Option(
        "Two hundred settings were tried for as long as six",
        "That is the gain: most of them stopped after a few epochs.",
    ),
    Option(
        "A setting that begins slowly may be stopped before it would win",
        "ASHA compares after few epochs. A low learning rate looks bad then. So look at what was "
        "stopped, and let more epochs go by before the first stop if much hangs on it.",
        is_right=True,
    ),
    Option(
        "The winner is no longer the best of many, but of the few that ran to the end",
        "All that were tried took part, those that were stopped as well.",
    ),
    Option(
        "The validation accuracies of stopped settings are wrong",
        "They are right for heads that trained so long.",
    ),
)
def what_early_stopping_costs() -> None:
    """ASHA stops what falls behind. What can you lose by it?"""
