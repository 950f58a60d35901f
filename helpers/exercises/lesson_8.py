"""The exercises of lesson 8: see where it looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from helpers import explain
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong


@choice(
    Option(
        "The logit itself; the darkest places are the cat's.",
        "What lies below 0 is cut off before you see it. Turn the sign round first.",
    ),
    Option(
        "The logit times -1: it rises as 'cat' gets more likely.",
        "One logit serves two classes, and for the first one its sign is turned round.",
        is_right=True,
    ),
    Option(
        "The sigmoid of the logit, for that is a probability.",
        "That is the probability of 'dog'. And near 0 and 1 its gradient vanishes.",
    ),
    Option(
        "The loss with the label 'cat', as in training.",
        "The loss falls where 'cat' gets more likely, so the map would be that of 'dog'. It also "
        "vanishes where the network is sure.",
    ),
)
def map_for_the_first_class() -> None:
    """One logit, above 0 for 'dog'. You want a map of what speaks for 'cat'.

    Of which score do you take the gradient?
    """


@choice(
    Option(
        "The network has understood what a cat's head is.",
        "It may be the ear, its colour, or the collar that all cats of the training set wear.",
    ),
    Option(
        "The answer is right: it looked at the animal.",
        "The map is that of the predicted class, right or wrong. Mistakes have bright maps, too.",
    ),
    Option(
        "Something at the head spoke for the answer.",
        "That is all a map says: where, not what or why.",
        is_right=True,
    ),
    Option(
        "With the head covered, it would answer otherwise.",
        "Perhaps. Other places may do as well. Cover the head, and you know.",
    ),
)
def what_a_map_shows() -> None:
    """A heat map is bright on the animal's head. What do you know?"""


@exercise(
    hints=(
        "`maps * outlines` leaves of each map what lies inside.",
        "Sum over height and width, not over the pictures: `.sum(axis=(1, 2))`.",
        "Divide by each map's own sum. 0 / 0 is NaN in NumPy.",
    ),
    solution="""
def share_inside(maps, outlines):
    inside = (maps * outlines).sum(axis=(1, 2))
    whole = maps.sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        return inside / whole
""",
    answer_name="share_inside",
)
def share_inside(function: Callable[[np.ndarray, np.ndarray], Any]) -> Verdict:
    """For each map, which share of its heat lies inside the outline?"""
    maps, outlines = _maps_and_outlines()
    with np.errstate(invalid="ignore", divide="ignore"):
        given = np.asarray(call(function, maps.copy(), outlines.copy()), dtype=float)
    if given.shape != (len(maps),):
        return wrong(
            f"Received: shape {given.shape} for {len(maps)} maps. Expected: one share a map."
        )
    truth = explain.share_inside(maps, outlines)
    if np.allclose(given, truth, equal_nan=True):
        return right("The same everywhere scores the outline's share of the picture.")
    return wrong(_about_shares(given, truth, maps, outlines))


def _maps_and_outlines() -> tuple[np.ndarray, np.ndarray]:
    """Five maps with heat of different strength, the last one without any, and their outlines."""
    generator = np.random.default_rng(0)
    outlines = np.zeros((5, 12, 10), bool)
    for row, outline in enumerate(outlines):
        outline[2 : 7 + row, 3:8] = True
    maps = (
        generator.uniform(0, 0.3, outlines.shape)
        + generator.uniform(0, 0.7, outlines.shape) * outlines
    )
    maps[3] *= 20
    maps[4] = 0
    return maps.astype("float32"), outlines


def _about_shares(
    given: np.ndarray, truth: np.ndarray, maps: np.ndarray, outlines: np.ndarray
) -> str:
    """What is wrong with shares of the right shape."""
    inside = (maps * outlines).sum(axis=(1, 2))
    if np.allclose(given[:4], truth[:4]):
        return f"Received: {given[4]:g} for a map that is 0 everywhere. Expected: NaN, no share."
    if np.allclose(given, inside):
        return "That is the sum of the heat inside. A share is that divided by all heat of the map."
    if np.allclose(given, inside / outlines.sum(axis=(1, 2))):
        return (
            "You divided by the outline's size: that is the mean heat inside. Divide by all heat."
        )
    if np.allclose(given, inside / outlines[0].size):
        return "You divided by the number of places. Divide by all heat of the map."
    if np.allclose(given, inside / maps.sum()):
        return "You divided by the heat of all maps together. Each map has a sum of its own."
    if np.allclose(given[:4], 1 - truth[:4]):
        return "That is the share outside."
    return (
        f"Received: {np.round(given, 3).tolist()}. Expected: {np.round(truth, 3).tolist()}, heat "
        f"inside divided by all heat of the map."
    )


@exercise(
    hints=(
        "The same pictures: take `first - second` before any mean.",
        "NaN less a number is NaN: `difference[~np.isnan(difference)]`.",
        "`scipy.stats.ttest_1samp(difference, 0).confidence_interval(0.95)` gives low and high.",
    ),
    solution="""
import scipy.stats

def tricked_one(first, second):
    difference = first - second
    difference = difference[~np.isnan(difference)]
    low, high = scipy.stats.ttest_1samp(difference, 0).confidence_interval(0.95)
    if low > 0:
        return "second"
    return "first" if high < 0 else "not shown"
""",
    answer_name="tricked_one",
)
def tricked_one(function: Callable[[np.ndarray, np.ndarray], str]) -> Verdict:
    """Which of two networks has its heat less inside the outlines, if that is shown at all?"""
    for first, second, truth, about in _networks():
        given = call(function, first.copy(), second.copy())
        if given not in ("first", "second", "not shown"):
            return wrong(f"Received: {given!r}. Expected: 'first', 'second' or 'not shown'.")
        if given != truth:
            return wrong(f"{_seen(first, second)} You say {given!r}. {about}")
    return right("Pairs find what the spread of the pictures would hide, and leave open what is.")


def _seen(first: np.ndarray, second: np.ndarray) -> str:
    """Two networks in a sentence."""
    return (
        f"On {len(first)} pictures the first has {np.nanmean(first):.3f} in the mean, the second "
        f"{np.nanmean(second):.3f}."
    )


def _networks() -> Sequence[tuple[np.ndarray, np.ndarray, str, str]]:
    """Shares of two networks, what to say of them, and what is wrong where that is not said."""
    generator = np.random.default_rng(0)
    easy = generator.uniform(0.15, 0.85, 200)  # some animals are large

    def noise(scale: float, count: int = 200) -> np.ndarray:
        drawn = generator.normal(0, scale, count)
        return drawn - drawn.mean()

    clear = easy + 0.15 + noise(0.02), easy + noise(0.02)
    hidden = easy + noise(0.02), easy - 0.02 + noise(0.02)
    chance = easy[:30] + noise(0.1, 30), easy[:30] + 0.01 + noise(0.1, 30)
    gaps = tuple(shares.copy() for shares in clear)
    gaps[0][5], gaps[1][[9, 11]] = np.nan, np.nan
    sign = "The tricked one is the one whose heat lies less inside."
    return (
        (*clear, "second", sign),
        (*clear[::-1], "first", sign),
        (*gaps, "second", "Some maps have no share: leave those pictures out."),
        (*chance, "not shown", "The interval of the mean difference reaches across 0."),
        (
            *hidden,
            "second",
            "The shares spread widely, but from picture to picture the first lies higher. Take the "
            "difference for each picture first, then its mean.",
        ),
    )
