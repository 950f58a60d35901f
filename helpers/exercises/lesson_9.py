"""The exercises of lesson 9: your own pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong


@exercise(
    hints=(
        "1 leaves the pixels as they are. 3 is half a turn, two quarters.",
        "A quarter clockwise is three quarters counterclockwise.",
        "np.rot90(pixels, k) with k = {1: 0, 3: 2, 6: 3, 8: 1}[orientation].",
    ),
    solution="""
def upright(pixels, orientation):
    quarters = {1: 0, 3: 2, 6: 3, 8: 1}
    return np.rot90(pixels, quarters[orientation])
""",
    answer_name="upright",
)
def upright(function: Callable[[np.ndarray, int], np.ndarray]) -> Verdict:
    """Turn stored pixels upright by the note 1, 3, 6 or 8."""
    stored = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    for note in (1, 3, 6, 8):
        received = call(function, stored.copy(), note)
        if verdict := _judge_upright(stored, note, received):
            return wrong(verdict)
    return right("All four as Pillow's `ImageOps.exif_transpose` turns them.")


def _by_pillow(stored: np.ndarray, note: int) -> np.ndarray:
    """The oracle: Pillow turns the same pixels with the same note."""
    from PIL import Image, ImageOps

    image = Image.fromarray(stored)
    image.getexif()[0x0112] = note
    return np.asarray(ImageOps.exif_transpose(image))


def _judge_upright(stored: np.ndarray, note: int, received: Any) -> str:
    """What is wrong with a turned picture, if anything."""
    expected = _by_pillow(stored, note)
    if not isinstance(received, np.ndarray):
        return f"Received: {type(received).__name__} for the note {note}. Expected: an array."
    if received.shape == expected.shape and np.array_equal(received, expected):
        return ""
    said = f"With the note {note}, "
    if np.array_equal(received, stored):
        return said + "your function gives the pixels as they are stored."
    if received.shape == expected.shape and np.array_equal(received, expected[::-1, ::-1]):
        return said + "the picture stands on its head: you turned it the other way round."
    if received.shape == expected[:, ::-1].shape and any(
        np.array_equal(received, mirrored) for mirrored in (expected[:, ::-1], expected[::-1])
    ):
        return (
            said + "the picture is mirrored. These four notes only turn; text would read wrongly."
        )
    if received.shape != expected.shape:
        return said + f"the shape is {received.shape}, and it should be {expected.shape}."
    return said + "the pixels are not where they belong."


@exercise(
    hints=(
        "Fit on logarithms: np.polyfit(np.log(counts), np.log(1 - accuracies), 1).",
        "The line says log(error) = slope * log(count) + intercept. Solve it for the count.",
        "count = np.exp((np.log(1 - target) - intercept) / slope), and then np.ceil.",
    ),
    solution="""
def pictures_for(counts, accuracies, target):
    errors = 1 - np.asarray(accuracies)
    slope, intercept = np.polyfit(np.log(counts), np.log(errors), 1)
    return int(np.ceil(np.exp((np.log(1 - target) - intercept) / slope)))
""",
    answer_name="pictures_for",
)
def pictures_for(function: Callable[[Sequence[int], Sequence[float], float], int]) -> Verdict:
    """How many pictures a class does a line through the errors ask for?"""
    counts = np.array([5, 10, 20, 40])
    for scale, power, target in (
        (0.9, -0.5, 0.93),
        (0.6, -0.3, 0.85),
        (1.1, -0.7, 0.97),
        (0.9, -0.5, 0.9),
    ):
        accuracies = 1 - scale * counts.astype(float) ** power * np.array([1.02, 0.97, 1.03, 0.99])
        received = call(function, counts.copy(), accuracies.copy(), target)
        if isinstance(received, bool) or not np.isscalar(received) or np.isnan(received):
            return wrong(f"Received: {received!r}. Expected: a whole number of pictures.")
        if verdict := _judge_count(counts, accuracies, target, float(received)):  # type: ignore[arg-type]
            return wrong(verdict)
    return right(
        "That is what the line asks for. Whether the world keeps to the line is not known."
    )


def _judge_count(counts: np.ndarray, accuracies: np.ndarray, target: float, received: float) -> str:
    """What is wrong with a number of pictures, if anything."""
    slope, intercept = np.polyfit(np.log(counts), np.log(1 - accuracies), 1)
    exact = np.exp((np.log(1 - target) - intercept) / slope)
    if received == np.ceil(exact):
        return ""
    said = f"For a target of {target} you give {received:g}. "
    if abs(received - exact) <= 1:
        return said + f"The line says {exact:.2f}: round up, to a whole number."
    straight = np.polyfit(counts, accuracies, 1)
    if np.isclose(received, np.ceil((target - straight[1]) / straight[0]), atol=1):
        return said + (
            "That is a straight line through the accuracies, which would pass 1 before long. Fit "
            "the logarithm of the errors to the logarithm of the counts."
        )
    on_accuracy = np.polyfit(np.log(counts), np.log(accuracies), 1)
    if np.isclose(
        received, np.ceil(np.exp((np.log(target) - on_accuracy[1]) / on_accuracy[0])), atol=1
    ):
        return (
            said + "That is a line through the accuracies. It is the errors that fall as a power."
        )
    return said + f"The line says {np.ceil(exact):g}."


@choice(
    Option(
        "It is as good as any: the model has not seen the test pictures.",
        "Not themselves, but their twins, taken a moment before. To know the twin is enough.",
    ),
    Option(
        "It is too high, and will fall on pictures taken another day.",
        "It measures how well the model knows these very scenes. Split whole bursts, or days.",
        is_right=True,
    ),
    Option(
        "It is too low, for pictures of a burst are often blurred.",
        "Blurred or not, the twin in the training pictures is blurred alike.",
    ),
    Option(
        "It is right on average, but its interval is too wide.",
        "Too narrow, rather: ten twins say little more than one. And the average is too high.",
    ),
)
def burst_accuracy() -> None:
    """A folder of bursts is split picture by picture. What of the test accuracy?"""


@choice(
    Option(
        "Its label is wrong.",
        "It may be. It may also be hard, rare, or badly lit, with a right label.",
    ),
    Option(
        "Its label is wrong, or it is hard for the model.",
        "More is not known. The hard ones with right labels are the last that you want to lose.",
        is_right=True,
    ),
    Option(
        "It does the training more harm than good.",
        "If its label is right, it may be the only picture of its kind that you have.",
    ),
    Option(
        "It was trained on too few epochs.",
        "Out of fold, it was not trained on at all. More epochs on others need not help.",
    ),
)
def what_loss_finds() -> None:
    """A head trained without it finds a training picture's label improbable. What do you know?"""


@choice(
    Option(
        "The model has become better.",
        "No weight has changed.",
    ),
    Option(
        "The test set has become fairer, for wrong labels are gone.",
        "Some are gone, and with them hard pictures on which the model was wrong. Mistakes that "
        "agree with a wrong label stay.",
    ),
    Option(
        "It is too high: the model chose its own questions.",
        "What the model got wrong was likeliest to go. Look at all test pictures, or at none.",
        is_right=True,
    ),
    Option(
        "It stays within the interval, so nothing has changed.",
        "It can rise by as much as you leave out, and it only ever rises.",
    ),
)
def cleaning_the_test_set() -> None:
    """You leave out the suspicious tenth of the test pictures. What of the new accuracy?"""


@choice(
    Option(
        "The model has learned the validation pictures by heart.",
        "It never trained on them. But you chose by them, twelve times.",
    ),
    Option(
        "The best of twelve was chosen for its luck on these 60 pictures.",
        "Of twelve independent tries without any gain, one falls below p = 0.05 nearly every "
        "second time. On other pictures the luck is gone.",
        is_right=True,
    ),
    Option(
        "The gain is real, since p < 0.05, and the test was unlucky.",
        "p is meant for one comparison, planned before. Of twelve, the best is no fair sample.",
    ),
    Option(
        "The test pictures are harder, so no model can gain there.",
        "The frozen model named 49 of 60 test pictures rightly, and 38 for validation.",
    ),
)
def twelve_tries() -> None:
    """Five kinds of cats, twelve settings of fine-tuning, each against the frozen model.

    The best alone is right on 8 of the 60 validation pictures, the frozen one alone on 1 (p =
    0.039). On the test pictures it is 1 against 2. What happened?
    """


@exercise(
    hints=(
        "Sort the confidences. How many may fall below the threshold?",
        "Of n pictures, floor(n * (1 - share)) may; the next one in rising order must be kept.",
        "np.sort(confidence)[int(np.floor(len(confidence) * (1 - share) + 1e-9))]; "
        "the 1e-9 is there because (1 - 0.9) * 100 is a little below 10.",
    ),
    solution="""
def threshold_keeping(confidence, share):
    may_go = int(np.floor(len(confidence) * (1 - share) + 1e-9))
    return np.sort(confidence)[min(may_go, len(confidence) - 1)]
""",
    answer_name="threshold_keeping",
)
def threshold_keeping(function: Callable[[np.ndarray, float], float]) -> Verdict:
    """The highest threshold that keeps a share of the known pictures."""
    random = np.random.default_rng(0)
    for number, share in ((60, 0.95), (100, 0.9), (33, 0.8), (20, 1.0)):
        confidence = random.beta(5, 1, number).round(4)
        received = call(function, confidence.copy(), share)
        if received is None or np.ndim(received):
            return wrong(f"Received: {received!r}. Expected: one number.")
        if verdict := _judge_keeping(confidence, share, float(received)):
            return wrong(verdict)
    return right("Any higher, and too many of your own would be refused.")


def _judge_keeping(confidence: np.ndarray, share: float, at: float) -> str:
    """What is wrong with a threshold, if anything."""
    kept = np.mean(confidence >= at)
    said = f"To keep {share:.0%} of {len(confidence)} you give {at:.4f}, which keeps {kept:.1%}. "
    if kept < share - 1e-9 and np.isclose(kept, 1 - share, atol=2 / len(confidence)):
        return said + "You kept the share that may go. Turn it round."
    if kept < share - 1e-9:
        return said + "Too few: take it lower."
    higher = np.sort(confidence[confidence > at])
    if len(higher) and np.mean(confidence >= higher[0]) >= share - 1e-9:
        return said + (
            "That is enough, but the confidence of the next picture would keep enough, too. "
            "(Beware: (1 - 0.9) * 100 is a little below 10.)"
        )
    return ""


@choice(
    Option(
        "That the picture shows the predicted class.",
        "If it is of one of the classes, probably. The model cannot say whether it is.",
    ),
    Option(
        "That among its classes this one fits best, by far.",
        "Softmax compares the classes with each other. What lies outside of them is not asked.",
        is_right=True,
    ),
    Option(
        "That the picture was among the training pictures.",
        "New pictures get 0.99, too; otherwise the model would be of no use.",
    ),
    Option(
        "That 99 % of such strangers get this prediction.",
        "A probability is right, at best, for pictures of the kind it was fitted to.",
    ),
)
def none_of_these() -> None:
    """For a stranger to all classes, one is predicted with 0.99. What does that mean?"""
