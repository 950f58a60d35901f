"""The exercises of lesson 11: solutions pass, plausible wrong answers are explained."""

import numpy as np
from answers import Answers

from helpers.evaluation import Accuracy
from helpers.exercises import lesson_11

NAMES = {"np": np, "Accuracy": Accuracy}


def quantize(scale="(high - low) / 255", zero="round(-128 - low / scale)", integers=None):
    integers = integers or "np.clip(np.round(values / scale) + zero_point, -128, 127)"
    return f"""
def quantize(values, low, high):
    scale = {scale}
    zero_point = {zero}
    return ({integers}).astype("int8"), scale, zero_point
"""


def to_pixels(returned):
    return f"def to_pixels(images):\n    return {returned}"


WRONG = [
    (lesson_11.quantize, quantize(scale="(high - low) / 256"), "it is 255"),
    (lesson_11.quantize, quantize(scale="max(abs(low), abs(high)) / 127"), "How many steps"),
    (
        lesson_11.quantize,
        quantize(integers="np.round(values / scale) + zero_point"),
        "begins again at the other one",
    ),
    (
        lesson_11.quantize,
        quantize(integers="np.clip(np.floor(values / scale) + zero_point, -128, 127)"),
        "Round, do not cut off",
    ),
    (
        lesson_11.quantize,
        quantize(integers="np.clip(np.round((values - low) / scale) - 128, -128, 127)"),
        "count from the rounded zero point",
    ),
    (lesson_11.quantize, quantize(zero="-128 - low / scale"), "means exactly 0"),
    (lesson_11.quantize, quantize(zero="0"), "becomes"),
    (
        lesson_11.quantize,
        quantize(integers="np.clip(np.round(values / scale), -128, 127)"),
        "becomes",
    ),
    (
        lesson_11.quantize,
        "def quantize(values, low, high):\n    return values / (high - low), 1.0, 0",
        "expected int8",
    ),
    (lesson_11.to_pixels, to_pixels("images * 255.0"), "Not all of them were scaled"),
    (lesson_11.to_pixels, to_pixels("images.astype('float32')"), "They were scaled: undo it"),
    (
        lesson_11.to_pixels,
        to_pixels("images * 255.0 if images.max() <= 1 else images"),
        "uint8 never was",
    ),
    (
        lesson_11.to_pixels,
        to_pixels(
            "images * 255.0 if images.dtype != np.uint8 and images.max() <= 1 else images * 1.0"
        ),
        "Not all of them|the very scaling",
    ),
    (lesson_11.to_pixels, to_pixels("images[0]"), "Expected: .4, 8, 8, 3"),
    # What is wrong with the file itself is in test_project.py.
    (lesson_11.project, "answer = 'model.tflite'", "Expected: a dictionary with file"),
    (lesson_11.project, "answer = {'file': 'model.tflite'}", "'tested' is missing"),
    (
        lesson_11.project,
        "answer = {'file': 'model.tflite', 'tested': Accuracy(19, 20)}",
        "Expected: one that export.litert",
    ),
    (
        lesson_11.project,
        "answer = {'file': 'model.keras', 'tested': Accuracy(19, 20)}",
        "ends in .tflite or .onnx",
    ),
]


class TestAnswers(Answers):
    lesson = 11
    names = NAMES
    wrong = WRONG


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

    verdict = lesson_11.quantize.check(quantize)
    assert verdict.state == "right", verdict
