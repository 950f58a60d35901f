"""The exercises of lesson 8: choose a base and ship it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.evaluation import Accuracy
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
    separable = places * 3 * 3 * taken + places * taken * given
    return ordinary, separable
""",
    answer_name="products",
)
def products(function: Callable[[int, int, int], tuple[int, int]]) -> Verdict:
    """The multiply-adds of an ordinary 3 x 3 convolution, and of a depthwise separable one."""
    for side, taken, given in ((12, 16, 32), (7, 32, 8), (48, 3, 16)):
        received = call(function, side, taken, given)
        if not isinstance(received, (tuple, list)) or len(received) != 2:
            return wrong(f"Received: {received!r}. Expected: two numbers, ordinary and separable.")
        if verdict := _judge_products(side, taken, given, received):
            return wrong(
                f"For {side} x {side} places, {taken} channels in and {given} out, you give "
                f"{received[0]:,} and {received[1]:,}. {verdict}"
            )
    return right("With 3 x 3 kernels and many channels, the separable one needs a ninth or so.")


def _judge_products(side: int, taken: int, given: int, received: Sequence[float]) -> str:
    """What is wrong with two counts, if anything."""
    places = side * side
    ordinary, separable = places * 9 * taken * given, places * (9 * taken + taken * given)
    if tuple(received) == (ordinary, separable):
        return ""
    if tuple(received) == (ordinary // places, separable // places):
        return "These are the parameters. Each is used at every place of the output."
    if tuple(received) == (separable, ordinary):
        return "The two are the wrong way round."
    if received[0] != ordinary:
        return "Look at the ordinary one first: each of its outputs sees 3 x 3 x all channels."
    if received[1] == places * (9 * taken * given + taken * given):
        return "A depthwise kernel does not mix channels: it has 3 x 3 numbers for each it takes."
    if received[1] in {places * 9 * taken, places * taken * given}:
        return "That is one of its two halves. The 3 x 3 and the 1 x 1 convolution both count."
    return "The ordinary one is right. The separable one is a sum over two kernels."


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
        "First leave out the rows above the budget. The best accuracy is that of the rest.",
        "A row is not shown to be worse where its interval reaches the best accuracy: "
        "row['accuracy'].interval[1] >= best.",
        "Of those rows, take the one with the fewest multiply-adds: min(rows, key=...).",
    ),
    solution="""
def choose(rows, budget):
    within = [row for row in rows if row["multiply_adds"] <= budget]
    best = max(row["accuracy"].value for row in within)
    as_good = [row for row in within if row["accuracy"].interval[1] >= best]
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
    return right("What the test set cannot tell apart, the cost may decide.")


def _choices() -> Iterable[tuple[list[dict[str, Any]], int]]:
    """Tables with a budget each."""

    def table(*rows: tuple[str, int, int]) -> list[dict[str, Any]]:
        return [
            {"name": name, "multiply_adds": cost, "accuracy": Accuracy(correct, 500)}
            for name, cost, correct in rows
        ]

    one = table(("large", 900, 490), ("tiny", 10, 430), ("middle", 300, 484), ("small", 90, 478))
    yield one, 1000
    yield one, 400
    yield one, 90
    yield table(("a", 50, 400), ("b", 60, 470), ("c", 40, 466), ("d", 70, 471)), 65


def _judge_choice(rows: list[dict[str, Any]], budget: float, received: Any) -> str:
    """What is wrong with a choice, if anything."""
    by_name = {row["name"]: row for row in rows}
    if received not in by_name:
        return f"Expected: one of {', '.join(by_name)}, the name of a row."
    row = by_name[received]
    if row["multiply_adds"] > budget:
        return f"It needs {row['multiply_adds']:,}: more than you have."
    within = [row for row in rows if row["multiply_adds"] <= budget]
    best = max(within, key=lambda row: row["accuracy"].value)
    said = f"{best['name']} has the best accuracy within the budget, {best['accuracy']}"
    if row["accuracy"].interval[1] < best["accuracy"].value:
        return f"{said}; the interval of {received} ends below, {row['accuracy']}: it is worse."
    cheaper = [
        other["name"]
        for other in within
        if other["multiply_adds"] < row["multiply_adds"]
        and other["accuracy"].interval[1] >= best["accuracy"].value
    ]
    return f"{said}; the interval of {cheaper[0]} reaches it, for less." if cheaper else ""


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
        return f"some numbers move by {worst / scale:.2f} steps. Round, do not cut off."
    if worst > 0.51 * scale:
        return f"some numbers move by {worst / scale:.1f} steps; half a step is the most there is."
    return ""


@exercise(
    hints=(
        "The converter asks for one input of the model after the other: a list, for a model may "
        "have several inputs.",
        "Each is float32 with the batch axis: picture[np.newaxis].astype('float32').",
        "The scaling is inside the model: leave the pixels from 0 to 255.",
    ),
    solution="""
def calibration(images):
    for picture in images:
        yield [picture[np.newaxis].astype("float32")]
""",
    answer_name="calibration",
)
def calibration(function: Callable[[np.ndarray], Iterable[list[np.ndarray]]]) -> Verdict:
    """The calibration pictures as TensorFlow's converter wants them, one by one."""
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype("uint8")
    received = call(function, images.copy())
    if received is None or isinstance(received, np.ndarray):
        return wrong("Expected: something to go through, one input after the other. Write `yield`.")
    found = list(received)
    for row, given in enumerate(found):
        if verdict := _judge_input(given, images[min(row, len(images) - 1)]):
            return wrong(f"Of picture {row}: {verdict}")
    if len(found) != len(images):
        return wrong(f"You give {len(found)} of {len(images)} pictures.")
    return right("The model is run on each, and the range of every activation noted.")


def _judge_input(given: Any, picture: np.ndarray) -> str:
    """What is wrong with one input for the converter, if anything."""
    if not isinstance(given, (list, tuple)) or len(given) != 1:
        return f"received {type(given).__name__}, expected a list with one array in it."
    array = np.asarray(given[0])
    if array.shape != (1, *picture.shape):
        return f"received shape {array.shape}, expected {(1, *picture.shape)}: a batch of one."
    if array.dtype != np.float32:
        return f"received {array.dtype}, expected float32, which the model takes."
    if np.array_equal(array[0], picture):
        return ""
    if array.max() <= 1.0:
        return "received values up to 1. The scaling is inside the model: leave 0 to 255."
    return "its pixels are not those of the picture."


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
