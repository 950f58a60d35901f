"""The exercises of lesson 10: choose a base."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from helpers.evaluation import Comparison
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong


@exercise(
    hints=(
        "Each number of a kernel is used once at each place of the output. There are side * side "
        "places.",
        "The kernel of the ordinary convolution has 3 * 3 * taken * given numbers.",
        "The depthwise kernel has 3 * 3 numbers for each channel that it takes, and the 1 x 1 "
        "convolution behind it taken * given.",
    ),
    solution="""
def products(side, taken, given):
    places = side * side
    ordinary = places * 3 * 3 * taken * given
    split = places * 3 * 3 * taken + places * taken * given
    return ordinary, split
""",
    answer_name="products",
)
def products(function: Callable[[int, int, int], tuple[int, int]]) -> Verdict:
    """The multiply-adds of an ordinary 3 x 3 convolution, and of a split one."""
    for side, taken, given in ((12, 16, 32), (7, 32, 8), (48, 3, 16)):
        received = call(function, side, taken, given)
        if not isinstance(received, (tuple, list)) or len(received) != 2:
            return wrong(f"Received: {received!r}. Expected: two numbers, ordinary and split.")
        if verdict := _judge_products(side, taken, given, received):
            return wrong(
                f"For {side} x {side} places, {taken} channels in and {given} out, you give "
                f"{received[0]:,} and {received[1]:,}. {verdict}"
            )
    return right("With 3 x 3 kernels and many channels, the split one needs a ninth or so.")


def _judge_products(side: int, taken: int, given: int, received: Sequence[float]) -> str:
    """What is wrong with two counts, if anything."""
    places = side * side
    ordinary, split = places * 9 * taken * given, places * (9 * taken + taken * given)
    if tuple(received) == (ordinary, split):
        return ""
    if tuple(received) == (ordinary // places, split // places):
        return "These are the parameters. Each is used at every place of the output."
    if tuple(received) == (split, ordinary):
        return "The two are the wrong way round."
    if received[0] != ordinary:
        return "Look at the ordinary one first: each of its outputs sees 3 x 3 x all channels."
    if received[1] == places * (9 * taken * given + taken * given):
        return "A depthwise kernel does not mix channels: it has 3 x 3 numbers for each it takes."
    if received[1] in {places * 9 * taken, places * taken * given}:
        return "That is one of its two halves. The 3 x 3 and the 1 x 1 convolution both count."
    return "The ordinary one is right. The split one is a sum over two kernels."


@choice(
    Option(
        "One of the two counts must be wrong.",
        "Both are right. A count of products says nothing of how quickly they can be done.",
    ),
    Option(
        "Products are not all that takes time.",
        "Reading and writing memory, small or unusual layers that use the processor badly, and the "
        "software that runs them. So count to compare roughly, and time where it matters: on the "
        "machine, and with the runtime, that will do the work.",
        is_right=True,
    ),
    Option(
        "The slower one has more parameters.",
        "It may, but the early layers have few parameters and most of the work, and the last ones "
        "the other way round.",
    ),
    Option(
        "The slower one is more accurate.",
        "Often, and not always. It is in any case no reason.",
    ),
)
def same_count_other_speed() -> None:
    """Two bases have as many multiply-adds. One takes three times as long. How can that be?"""


@exercise(
    hints=(
        "First leave out the rows above the budget. The best is the most accurate of the rest.",
        "Pair by pair: only_best = (best['right'] & ~row['right']).sum(), and only_this the other "
        "way round. The interval is that of this row less the best.",
        "Keep the rows whose interval ends at 0 or above: interval[1] >= 0. Of those, take the one "
        "with the fewest multiply-adds: min(rows, key=...).",
    ),
    solution="""
def choose(rows, budget):
    within = [row for row in rows if row["multiply_adds"] <= budget]
    best = max(within, key=lambda row: row["right"].sum())

    def not_shown_to_be_worse(row):
        only_best = int((best["right"] & ~row["right"]).sum())
        only_this = int((row["right"] & ~best["right"]).sum())
        total = len(row["right"])
        return evaluation.Comparison(only_best, only_this, total).interval[1] >= 0

    as_good = [row for row in within if not_shown_to_be_worse(row)]
    return min(as_good, key=lambda row: row["multiply_adds"])["name"]
""",
    answer_name="choose",
)
def choose(function: Callable[[list[dict[str, Any]], float], str]) -> Verdict:
    """The cheapest base within a budget that is not shown to be worse than the best within it."""
    for rows, budget in _choices():
        received = call(function, [dict(row) for row in rows], budget)
        if verdict := _judge_choice(rows, budget, received):
            said = f"With a budget of {budget:,} multiply-adds you take {received!r}. "
            return wrong(said + verdict)
    return right("What the pictures cannot tell apart, the cost may decide.")


def _choices() -> Iterable[tuple[list[dict[str, Any]], int]]:
    """Tables with a budget each; the wrong answers of a row begin at a picture of its own."""

    def row(name: str, cost: int, mistakes: int, start: int = 0) -> dict[str, Any]:
        answers = np.ones(500, bool)
        answers[start : start + mistakes] = False
        return {"name": name, "multiply_adds": cost, "right": answers}

    # The large one's mistakes are among the small one's: 11 pictures to none, though the intervals
    # of the two accuracies overlap.
    one = [row("large", 900, 10), row("small", 90, 21), row("middle", 300, 14, 300)]
    one += [row("tiny", 10, 70)]
    yield one, 1000
    yield one, 90
    yield one, 400
    yield [row("a", 50, 100), row("b", 60, 30), row("c", 40, 34, 200), row("d", 70, 29)], 65


def _judge_choice(rows: list[dict[str, Any]], budget: float, received: Any) -> str:
    """What is wrong with a choice, if anything."""
    by_name = {row["name"]: row for row in rows}
    if not isinstance(received, str) or received not in by_name:
        return (
            f"Expected: one of {', '.join(by_name)}, the name of a row. Is your best one within "
            f"the budget?"
        )
    taken = by_name[received]
    if taken["multiply_adds"] > budget:
        return f"It needs {taken['multiply_adds']:,}: more than you have."
    within = [row for row in rows if row["multiply_adds"] <= budget]
    best = max(within, key=lambda row: row["right"].sum())
    pairs = _pairs(best, taken)
    said = f"{best['name']} is the most accurate within the budget"
    if pairs.interval[1] < 0:
        return (
            f"{said}; on {pairs.only_first} pictures only it is right, on {pairs.only_second} only "
            f"{received}. The interval of the difference ends below 0: {received} is worse."
        )
    cheaper = [
        row["name"]
        for row in within
        if row["multiply_adds"] < taken["multiply_adds"] and _pairs(best, row).interval[1] >= 0
    ]
    return f"{said}; {cheaper[0]} is not shown to be worse, and costs less." if cheaper else ""


def _pairs(first: dict[str, Any], second: dict[str, Any]) -> Comparison:
    """Two rows on the same pictures."""
    one, other = first["right"], second["right"]
    return Comparison(int((one & ~other).sum()), int((other & ~one).sum()), len(one))
