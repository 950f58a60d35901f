"""The exercises of lesson 1: solutions pass, plausible wrong answers are explained."""

import random

import keras
import numpy as np
from answers import Answers, judge

from helpers import weights
from helpers.exercises import lesson_1

NAMES = {"keras": keras, "np": np, "weights": weights}


def freezing(*lines):
    return "\n    ".join(("def freeze_all_but(model, name):", *lines))


def comparing(*lines):
    return "\n    ".join(("def unchanged(before, after):", *lines))


def unfreezing(*lines):
    return "\n    ".join(("def unfreeze_first(model):", *lines))


COMPILE = 'model.compile(optimizer="sgd", loss="mean_squared_error")'
PAIRS = "for old, new in zip(before, after))"

WRONG = [
    (
        lesson_1.freeze_all_but,
        freezing("model.get_layer(name).trainable = True"),
        "A new model, all but 'head' .* and 6 more can still train",
    ),
    (
        lesson_1.freeze_all_but,
        freezing("model.trainable = False", "model.get_layer(name).trainable = True"),
        "nothing can train. The model itself is frozen",
    ),
    (
        lesson_1.freeze_all_but,
        freezing("for layer in model.layers: layer.trainable = layer.name == name"),
        "frozen as a whole.* The model itself is frozen",
    ),
    (
        lesson_1.freeze_all_but,
        freezing(
            "model.trainable = True",
            "for layer in model.layers:",
            "    if layer.name != name: layer.trainable = False",
            "model.get_layer(name).trainable = True",
        ),
        "A block with one frozen layer inside.*normalization/beta.*passed over",
    ),
    (
        lesson_1.freeze_all_but,
        freezing(
            "model.trainable = True", "for layer in model.layers[:-1]: layer.trainable = False"
        ),
        "all but 'stem'.*head/bias, model/head/kernel can still train",
    ),
    (
        lesson_1.freeze_all_but,
        freezing(
            "model.trainable = True",
            "for layer in model.layers: layer.trainable = False",
            "model.get_layer(name).trainable = True",
        ),
        "one layer unfrozen inside, all but 'head'.*dense/kernel can still train. Their block was",
    ),
    (
        lesson_1.freeze_all_but,
        freezing(
            "model.trainable = False",
            "model.trainable = True",
            "for layer in model.layers: layer.trainable = layer.name == name",
        ),
        "is not, but its layer is, all but 'block'.*deep/kernel cannot train.*passed over",
    ),
    (
        lesson_1.freeze_all_but,
        freezing(
            "model.get_layer(name).trainable = True",
            "for layer in model.layers: layer.trainable = False",
        ),
        "Does a line come after",
    ),
    (
        lesson_1.unchanged,
        comparing(f"return all(old.all() == new.all() {PAIRS}"),
        "Every number has changed: it says True.*whether they are zero",
    ),
    (
        lesson_1.unchanged,
        comparing(f"return all(np.allclose(old, new) {PAIRS}"),
        "last bit: it says True.*tolerance",
    ),
    (
        lesson_1.unchanged,
        comparing(f"return all(old.sum() == new.sum() {PAIRS}"),
        "another order: it says True.*A sum",
    ),
    (
        lesson_1.unchanged,
        comparing("return np.array_equal(before[0], after[0])"),
        "second array: it says True",
    ),
    (
        lesson_1.unchanged,
        comparing(
            "for old, new in zip(before, after):",
            "    same = np.array_equal(old, new)",
            "return same",
        ),
        "in the first array: it says True",
    ),
    (
        lesson_1.unchanged,
        comparing(f"return any(np.array_equal(old, new) {PAIRS}"),
        "first array: it says True",
    ),
    (
        lesson_1.unchanged,
        comparing(f"return all((old == new).any() {PAIRS}"),
        "One number has changed, in the first array: it says True",
    ),
    (
        lesson_1.unchanged,
        comparing(f"return all(np.array_equal(old, new) {PAIRS}"),
        "stayed a NaN.*it says False",
    ),
    (
        lesson_1.unchanged,
        comparing(
            "for old, new in zip(before, after):",
            "    np.testing.assert_array_equal(old, new)",
            "return True",
        ),
        "raised an AssertionError",
    ),
    (lesson_1.unchanged, comparing("return before == after"), "ended in ValueError|it says False"),
    (
        lesson_1.unchanged,
        comparing("for old, new in zip(before, after):", "    np.array_equal(old, new)"),
        "returned None",
    ),
    (
        lesson_1.unfreeze_first,
        unfreezing('model.get_layer("first").trainable = True', "return model"),
        "still used the graph of before",
    ),
    (lesson_1.unfreeze_first, unfreezing(COMPILE, "return model"), "It is still frozen"),
    (
        lesson_1.unfreeze_first,
        unfreezing('model.get_layer("first").trainable = True', COMPILE),
        "returned None",
    ),
    (
        lesson_1.unfreeze_first,
        unfreezing(
            "model = keras.models.clone_model(model)",
            "model.trainable = True",
            COMPILE,
            "return model",
        ),
        "what the model has learned is lost",
    ),
    (
        lesson_1.unfreeze_first,
        unfreezing(
            'model.get_layer("second").trainable = False',
            'model.get_layer("first").trainable = True',
            COMPILE,
            "return model",
        ),
        "'second' stands still",
    ),
    (
        lesson_1.unfreeze_first,
        unfreezing(
            "first, second = model.layers",
            "first.trainable = True",
            "return keras.Sequential([keras.Input((4,)), first, second])",
        ),
        "is not compiled",
    ),
]

WRONG.append(
    (
        lesson_1.unfreeze_first,
        unfreezing("model.trainable = True", COMPILE, "return model"),
        "still frozen.*passed over",
    )
)

ALSO_RIGHT = [
    (
        lesson_1.freeze_all_but,
        freezing(
            "def visit(layer, value):",
            "    layer.trainable = value",
            "    for inside in getattr(layer, 'layers', []): visit(inside, value)",
            "model.trainable = True",
            "for layer in model.layers: visit(layer, layer.name == name)",
        ),
    ),
    (
        lesson_1.unchanged,
        comparing(
            "try:",
            "    for old, new in zip(before, after):",
            "        np.testing.assert_array_equal(old, new)",
            "except AssertionError:",
            "    return False",
            "return True",
        ),
    ),
    (
        lesson_1.unfreeze_first,
        unfreezing("model.trainable = False", "model.trainable = True", COMPILE, "return model"),
    ),
    (
        lesson_1.unfreeze_first,
        unfreezing(COMPILE, "model.layers[0].trainable = True", "return model"),
    ),
    (
        lesson_1.unfreeze_first,
        unfreezing(
            "copy = keras.models.clone_model(model)",
            "copy.set_weights(model.get_weights())",
            "copy.layers[0].trainable = True",
            COMPILE.replace("model", "copy"),
            "return copy",
        ),
    ),
]


class TestAnswers(Answers):
    lesson = 1
    names = NAMES
    wrong = WRONG
    also_right = ALSO_RIGHT


def test_a_judge_gives_the_random_state_back():
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].copy()
    judge(lesson_1.unfreeze_first, lesson_1.unfreeze_first.code, NAMES)
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])
