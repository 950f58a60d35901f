"""The exercises of lesson 11: ship it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from helpers.exercises import project as handed_in
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong


@exercise(
    hints=(
        "256 integers have 255 steps between them: scale = (high - low) / 255.",
        "`low` is to become -128: zero_point = round(-128 - low / scale).",
        "np.clip(np.round(values / scale) + zero_point, -128, 127).astype('int8'): values beyond "
        "the range end at its ends.",
    ),
    solution="""
def quantize(values, low, high):
    scale = (high - low) / 255
    zero_point = round(-128 - low / scale)
    integers = np.clip(np.round(values / scale) + zero_point, -128, 127)
    return integers.astype("int8"), scale, zero_point
""",
    answer_name="quantize",
)
def quantize(function: Callable[[np.ndarray, float, float], tuple[Any, float, int]]) -> Verdict:
    """Numbers as integers of 8 bits: real number = scale * (integer - zero point)."""
    random = np.random.default_rng(0)
    for low, high in ((0.0, 6.0), (-1.0, 1.0), (-3.2, 0.9)):
        inside = random.uniform(low, high, 200)
        values = np.concatenate([[low, 0.0, high, 2 * high + 1, 2 * low - 1], inside])
        received = call(function, values.copy(), low, high)
        if not isinstance(received, (tuple, list)) or len(received) != 3:
            return wrong("Expected: three things, the integers, the scale and the zero point.")
        if verdict := _judge_integers(values, low, high, *received):
            return wrong(f"From {low} to {high}: {verdict}")
    return right(
        "No number within the range moves by more than half a step; beyond, all is cut off. So the "
        "range decides, and the range comes from the calibration."
    )


def _judge_integers(
    values: np.ndarray, low: float, high: float, integers: Any, scale: float, zero_point: int
) -> str:
    """What is wrong with quantised numbers, if anything."""
    integers = np.asarray(integers)
    if integers.shape != values.shape or not np.issubdtype(integers.dtype, np.integer):
        return (
            f"received {integers.dtype} of shape {integers.shape}, expected int8 of shape "
            f"{values.shape}."
        )
    if np.isclose(scale, (high - low) / 256):
        return f"your scale is {scale:.5f}. From the first to the last of 256 integers it is 255."
    if not np.isclose(scale, (high - low) / 255):
        return f"your scale is {scale:.5f}. How many steps lie between {low} and {high}?"
    if integers.dtype != np.int8:
        return f"received integers of the type {integers.dtype}, expected int8, -128 to 127."
    back = scale * (integers.astype(float) - zero_point)
    if abs(back[3] - high) > scale or abs(back[4] - low) > scale:
        return (
            f"{values[3]} becomes {back[3]:.3f} and {values[4]} becomes {back[4]:.3f}. Beyond the "
            f"range they should end at its ends; astype alone begins again at the other one."
        )
    if zero_point != int(zero_point) or abs(back[1]) > 1e-9:
        return f"0 becomes {back[1]:.5f}. The zero point is the integer that means exactly 0."
    worst = np.abs(back - values)[5:].max()
    if worst > 0.51 * scale and worst <= 1.01 * scale:
        return (
            f"some numbers move by {worst / scale:.2f} steps. Round, do not cut off; and "
            f"count from the rounded zero point: round(values / scale) + zero_point."
        )
    if worst > 0.51 * scale:
        return f"some numbers move by {worst / scale:.1f} steps; half a step is the most there is."
    return ""


@choice(
    Option(
        "int8 lost nothing.",
        "A loss of 1.2 points would fit these pictures, too. Not shown is not the same as not "
        "there.",
    ),
    Option(
        "int8 lost 0.4 points.",
        "On these pictures. On others it will be some other number; the interval says which ones "
        "are plausible.",
    ),
    Option(
        "It may have lost up to about 1.2 points, and may have lost nothing.",
        "That is what the interval says. Whether 1.2 points would matter is for you to know; where "
        "they would, take more test pictures.",
        is_right=True,
    ),
    Option(
        "The test set is too small to say anything.",
        "It says a lot: a loss of 3 points can be ruled out.",
    ),
)
def interval_around_nothing() -> None:
    """On 500 pictures int8 is 0.4 points worse, with an interval of -1.2 to +0.4. What holds?"""


@exercise(
    hints=(
        "uint8 is always 0 to 255, even where a dark picture has nothing above 1.",
        "Of floats: where there are numbers below 0, it was -1 to 1; else, where none is above 1, "
        "it was 0 to 1.",
        "From -1 to 1: (images + 1) * 127.5.",
    ),
    solution="""
def to_pixels(images):
    pixels = images.astype("float32")
    if images.dtype == np.uint8 or pixels.max() > 1:
        return pixels
    return (pixels + 1) * 127.5 if pixels.min() < 0 else pixels * 255
""",
    answer_name="to_pixels",
)
def to_pixels(function: Callable[[np.ndarray], np.ndarray]) -> Verdict:
    """Pictures that somebody has scaled, 0 to 1 or -1 to 1 or not at all, back to 0 to 255."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (4, 8, 8, 3)).astype("uint8")
    night = random.integers(0, 2, (4, 8, 8, 3)).astype("uint8")
    floats = pictures.astype("float32")
    kinds: Mapping[str, tuple[np.ndarray, np.ndarray]] = {
        "uint8 from 0 to 255": (pictures, pictures),
        "uint8 of a black night, from 0 to 1": (night, night),
        "floats from 0 to 255": (floats, pictures),
        "floats from 0 to 1": (floats / 255, pictures),
        "floats from -1 to 1": (floats / 127.5 - 1, pictures),
    }
    for kind, (given, expected) in kinds.items():
        received = call(function, given.copy())
        if np.shape(received) != given.shape:
            return wrong(f"Received: shape {np.shape(received)}. Expected: {given.shape}.")
        found = np.asarray(received, dtype="float64")
        if not np.allclose(found, expected, atol=0.5):
            return wrong(
                f"Of {kind} you make {found.min():.2f} to {found.max():.2f}; they were "
                f"{expected.min()} to {expected.max()}. {_why(kind, found, expected)}"
            )
    return right("Better still: say in one place what the model takes, and scale nowhere else.")


def _why(kind: str, found: np.ndarray, expected: np.ndarray) -> str:
    """A pointer for pictures that came out wrongly."""
    if "night" in kind:
        return "The type tells them from pictures that were scaled: uint8 never was."
    if found.max() > 256 or found.min() < -1:
        return "Not all of them were scaled: look at their type and range first."
    if found.max() <= 1:
        return "They were scaled: undo it."
    return "Undo the very scaling that was done: x / 255, or x / 127.5 - 1."


@choice(
    Option(
        "Nothing: the file is the whole model.",
        "It is the whole arithmetic. It does not say that its second logit means 'dog', nor that "
        "it wants pixels of 0 to 255.",
    ),
    Option(
        "The class names, the size and range of the pixels, and how pictures were resized.",
        "All that the numbers in the file depend on and do not say. A record beside the file keeps "
        "it with them; two test pictures with the expected logits are better still.",
        is_right=True,
    ),
    Option(
        "The training pictures.",
        "The model does not need them, and they may not be yours to give away. A few test pictures "
        "with their expected answers are worth sending.",
    ),
    Option(
        "The Keras code that built it.",
        "The runtime has no use for it. You should keep it, to train the next one.",
    ),
)
def what_travels_with_the_file() -> None:
    """Somebody else will use your exported file in an app. What has to come with it?"""


project = handed_in.project
