"""The exercises of lesson 3: solutions pass, plausible wrong answers are explained."""

import keras
import numpy as np
from answers import Answers

from helpers.exercises import lesson_3

SOUND = lesson_3.build_and_fit.code
SCALED = "keras.layers.Rescaling(scale=1 / 127.5, offset=-1)(inputs)"


def changed(old: str, new: str) -> str:
    """The solution with one thing done as people do it."""
    assert old in SOUND
    return SOUND.replace(old, new)


WRONG = [
    (lesson_3.build_and_fit, changed("    base.trainable = False\n", ""), "The base moved"),
    (
        lesson_3.build_and_fit,
        changed(SCALED, "inputs"),
        "Does the base get -1 to 1",
    ),
    (
        lesson_3.build_and_fit,
        changed("Dense(classes)", "Dense(classes, activation='softmax')"),
        "With 5 classes: The outputs are probabilities",
    ),
    (
        lesson_3.build_and_fit,
        changed("BinaryCrossentropy(from_logits=True)", "BinaryCrossentropy()"),
        "Does it know of the logits",
    ),
    (lesson_3.build_and_fit, changed("Dense(1)", "Dense(2)"), r"Expected: \(160, 1\)|ValueError"),
    (lesson_3.build_and_fit, changed("    return model\n", ""), "Is it returned"),
    (lesson_3.build_and_fit, changed("epochs=20", "epochs=1"), "run for 20 epochs"),
    (lesson_3.build_and_fit, changed("GlobalAveragePooling2D", "Flatten"), "on a pooling"),
]

ALSO_RIGHT = [
    (
        lesson_3.build_and_fit,
        changed("GlobalAveragePooling2D()(x)", "Identity()(keras.ops.mean(x, axis=(1, 2)))"),
    ),
    (lesson_3.build_and_fit, changed("    x = keras.layers.Dropout(0.2)(x)\n", "")),
    (lesson_3.build_and_fit, changed("Adam(0.01)", "SGD(0.1, momentum=0.9)")),
]
NAMES = {"keras": keras, "np": np}


class TestAnswers(Answers):
    lesson = 3
    names = NAMES
    wrong = WRONG
    also_right = ALSO_RIGHT
