"""The exercises of lesson 4: solutions pass, plausible wrong answers are explained."""

import keras
import numpy as np
from answers import Answers

from helpers.exercises import lesson_4

PREPARE = "def prepare(model, first):\n    base = model.get_layer('base')\n"
EXCEPT = """
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
"""
BELOW = "    for layer in base.layers[:first]:\n        layer.trainable = False\n"
COMPILE = """
    model.compile(
        optimizer=keras.optimizers.Adam(1e-5),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
"""
FAULTY = PREPARE + EXCEPT + "    base.trainable = True\n    model.optimizer.learning_rate = 1e-3"
SOUND = PREPARE + "    base.trainable = True\n" + BELOW + EXCEPT

ANSWERS = [
    (FAULTY, "learning rate of 0.001"),
    (FAULTY.replace("1e-3", "1e-5"), "trainable and did not move"),
    (
        PREPARE + EXCEPT + "    base.trainable = True\n" + BELOW + COMPILE,
        "BatchNormalization moved",
    ),
    (PREPARE + "    base.trainable = True\n" + EXCEPT + COMPILE, "'first_conv' moved and stands"),
    (PREPARE + COMPILE, "Are they trainable"),
    (SOUND + COMPILE.replace("from_logits=True", ""), "The head gives logits"),
    (SOUND + "    model.get_layer('head').trainable = False\n" + COMPILE, "The head did not move"),
    (
        SOUND + "    kernel = base.get_layer('third_conv')\n"
        "    kernel.set_weights([0 * kernel.get_weights()[0]])\n" + COMPILE,
        "weights are others already",
    ),
    (SOUND.replace("[:first]", "[:first + 1]") + COMPILE, "did not move"),
]

WRONG = [(lesson_4.prepare_to_fine_tune, code, why) for code, why in ANSWERS]
ALSO_RIGHT = [
    (lesson_4.prepare_to_fine_tune, SOUND + COMPILE),
    (lesson_4.prepare_to_fine_tune, SOUND + COMPILE.replace("Adam(1e-5)", "RMSprop(1e-4)")),
]
NAMES = {"keras": keras, "np": np}


class TestAnswers(Answers):
    lesson = 4
    names = NAMES
    wrong = WRONG
    also_right = ALSO_RIGHT
