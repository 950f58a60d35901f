"""The exercises of lesson 8: solutions pass, plausible wrong answers are explained."""

import numpy as np
from answers import Answers

from helpers.exercises import lesson_8

NAMES = {"np": np}


def products(returned):
    return f"def products(side, taken, given):\n    return {returned}"


def choose(key="multiply_adds", among="True", pick="min", value="row['multiply_adds']"):
    return f"""
def choose(rows, budget):
    within = [row for row in rows if row["multiply_adds"] <= budget]
    best = max(row["accuracy"].value for row in within)
    return {pick}([row for row in within if {among}], key=lambda row: {value})["name"]
"""


def quantize(scale="(high - low) / 255", zero="round(-128 - low / scale)", integers=None):
    integers = integers or "np.clip(np.round(values / scale) + zero_point, -128, 127)"
    return f"""
def quantize(values, low, high):
    scale = {scale}
    zero_point = {zero}
    return ({integers}).astype("int8"), scale, zero_point
"""


def calibration(yielded, images="images"):
    return f"def calibration(images):\n    for picture in {images}:\n        yield {yielded}"


def to_pixels(returned):
    return f"def to_pixels(images):\n    return {returned}"


ORDINARY, HALF = "side * side * 9 * taken * given", "side * side * taken"
WRONG = [
    (
        lesson_8.products,
        products("9 * taken * given, 9 * taken + taken * given"),
        "These are the parameters",
    ),
    (lesson_8.products, products(f"{ORDINARY}, {HALF} * 9"), "one of its two halves"),
    (lesson_8.products, products(f"{ORDINARY}, {HALF} * given"), "one of its two halves"),
    (
        lesson_8.products,
        products(f"{ORDINARY}, {ORDINARY} + {HALF} * given"),
        "does not mix channels",
    ),
    (lesson_8.products, products(f"{HALF} * (9 + given), {ORDINARY}"), "the wrong way round"),
    (lesson_8.products, products(f"{HALF} * given, {HALF} * (9 + given)"), "the ordinary one"),
    (lesson_8.products, products(f"{ORDINARY}, 0"), "sum over two kernels"),
    (lesson_8.products, products("1"), "Expected: two numbers"),
    (lesson_8.choose, choose(pick="max", value="row['accuracy'].value"), "reaches it, for less"),
    (lesson_8.choose, choose(), "ends below"),
    (
        lesson_8.choose,
        "def choose(rows, budget):\n"
        "    return max(rows, key=lambda row: row['accuracy'].value)['name']",
        "reaches it, for less|more than you have",
    ),
    (
        lesson_8.choose,
        "def choose(rows, budget):\n"
        "    best = max(row['accuracy'].value for row in rows)\n"
        "    good = [row for row in rows if row['accuracy'].interval[1] >= best]\n"
        "    return min(good, key=lambda row: row['multiply_adds'])['name']",
        "more than you have|has the best accuracy within the budget",
    ),
    (lesson_8.choose, "def choose(rows, budget):\n    return rows[0]", "the name of a row|unhash"),
    (lesson_8.quantize, quantize(scale="(high - low) / 256"), "it is 255"),
    (lesson_8.quantize, quantize(scale="max(abs(low), abs(high)) / 127"), "How many steps"),
    (
        lesson_8.quantize,
        quantize(integers="np.round(values / scale) + zero_point"),
        "begins again at the other one",
    ),
    (
        lesson_8.quantize,
        quantize(integers="np.clip(np.floor(values / scale) + zero_point, -128, 127)"),
        "Round, do not cut off",
    ),
    (lesson_8.quantize, quantize(zero="-128 - low / scale"), "means exactly 0"),
    (lesson_8.quantize, quantize(zero="0"), "becomes"),
    (
        lesson_8.quantize,
        quantize(integers="np.clip(np.round(values / scale), -128, 127)"),
        "becomes",
    ),
    (
        lesson_8.quantize,
        "def quantize(values, low, high):\n    return values / (high - low), 1.0, 0",
        "expected int8",
    ),
    (
        lesson_8.calibration,
        calibration("picture[np.newaxis].astype('float32')"),
        "expected a list",
    ),
    (lesson_8.calibration, calibration("[picture.astype('float32')]"), "a batch of one"),
    (lesson_8.calibration, calibration("[picture[np.newaxis]]"), "expected float32"),
    (
        lesson_8.calibration,
        calibration("[picture[np.newaxis].astype('float32') / 255]"),
        "inside the model",
    ),
    (
        lesson_8.calibration,
        calibration("[picture[np.newaxis].astype('float32')]", "images[:3]"),
        "3 of 5",
    ),
    (
        lesson_8.calibration,
        "def calibration(images):\n    return images.astype('float32')",
        "Write `yield`",
    ),
    (lesson_8.to_pixels, to_pixels("images * 255.0"), "Not all of them were scaled"),
    (lesson_8.to_pixels, to_pixels("images.astype('float32')"), "They were scaled: undo it"),
    (
        lesson_8.to_pixels,
        to_pixels("images * 255.0 if images.max() <= 1 else images"),
        "uint8 never was",
    ),
    (
        lesson_8.to_pixels,
        to_pixels(
            "images * 255.0 if images.dtype != np.uint8 and images.max() <= 1 else images * 1.0"
        ),
        "Not all of them|the very scaling",
    ),
    (lesson_8.to_pixels, to_pixels("images[0]"), "Expected: .4, 8, 8, 3"),
]


ALSO_RIGHT = [
    (
        lesson_8.calibration,
        "def calibration(images):\n"
        "    return [[picture[np.newaxis].astype('float32')] for picture in images]",
    ),
]


class TestAnswers(Answers):
    lesson = 8
    names = NAMES
    wrong = WRONG
    also_right = ALSO_RIGHT


def test_integers_are_those_of_tensorflow():
    """TensorFlow's own quantisation to 8 bits, narrowed to the ranges of the exercise."""
    import tensorflow as tf

    def quantize(values, low, high):
        found, least, most = tf.quantization.quantize(
            values.astype("float32"), low, high, tf.qint8, mode="MIN_FIRST"
        )
        scale = float(most - least) / 255
        integers = tf.cast(tf.bitcast(found, tf.int8), tf.int32).numpy()
        return integers.astype("int8"), scale, round(-128 - float(least) / scale)

    verdict = lesson_8.quantize.check(quantize)
    assert verdict.state == "right", verdict
