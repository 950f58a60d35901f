"""The exercises of lesson 1: trainable weights."""

from __future__ import annotations

from typing import Any

from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, exercise, right, wrong


@exercise(
    hints=(
        "A Dense layer from 4 to 8 numbers has a kernel of 4 x 8 and a bias of 8.",
        "BatchNormalization of 8 channels has four arrays of 8, of which two train.",
        "The head turns 8 numbers into one: 8 weights and a bias.",
    ),
    solution="answer = (40 + 32 + 9, 40 + 16 + 9)",
)
def nested_counts(answer: tuple[int, int]) -> Verdict:
    """How many parameters does `outer` hold, and how many of them train before any freezing?"""
    total, trainable = answer
    if (total, trainable) == (81, 65):
        return right("40 + 32 + 9 in all, of which the 16 moving statistics do not train.")
    if trainable == total == 81:
        return wrong("81 is the total. Which arrays of BatchNormalization does no gradient reach?")
    if total == 6 or trainable == 6:
        return wrong("You counted arrays. A parameter is a single number in one.")
    return wrong(f"Received: {total} in all, {trainable} trainable. Count layer by layer.")


@choice(
    Option("Nothing: Dropout has no weights.", "Yes: it goes on dropping in training.", True),
    Option("It stops dropping.", "That is `training=False`, in a call."),
)
def frozen_dropout() -> Any:
    """What does `trainable = False` change about a Dropout layer?"""
