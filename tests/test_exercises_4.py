"""The exercises of lesson 4: solutions pass, plausible wrong answers are explained."""

import re

import keras
import pytest
from answers import graphs_as_traced, judge

from helpers import bases, evaluation, exercises, weights
from helpers.exercises import lesson_4

WRITTEN = [c for c in exercises.of_lesson(4) if not isinstance(c, exercises.Choice)]


def unfreeze_behind(base, cut):
    """As the lesson's."""
    names = [layer.name for layer in base.layers]
    first = 0 if cut is None else names.index(cut) + 1
    base.trainable = True
    for index, layer in enumerate(base.layers):
        is_normalization = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= first and not is_normalization


def compile_for(model, learning_rate):
    """As the lesson's, for two classes."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
    )


@pytest.fixture(scope="module", autouse=True)
def quick_graphs():
    with graphs_as_traced():
        yield


@pytest.fixture(scope="module")
def base():
    return bases.load("drawn", weights=None)


INSIDE = "def unfreeze_inside(model, cut):\n    base = model.get_layer('base')\n"
PREPARE = "def prepare(model, cut):\n    base = model.get_layer('base')\n"
SHOWN = "def difference_shown(first, second):\n"
INTERVALS = (
    SHOWN + "    a, b = first[0] / first[1], second[0] / second[1]\n"
    "    (al, ah), (bl, bh) = (evaluation.Accuracy(*r).interval for r in (first, second))\n"
)
EXCEPT = """
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
"""
FAULTY = PREPARE + EXCEPT + "    base.trainable = True\n    model.optimizer.learning_rate = 1e-3"

WRONG = [
    (lesson_4.deepest_within, "answer = 5", "Too deep: depth 5 trains 243,488"),
    (lesson_4.deepest_within, "answer = 3", "Not deep enough: depth 3 trains 184,016"),
    (lesson_4.deepest_within, "answer = 'block_15_add'", "a whole number"),
    (lesson_4.deepest_within, "answer = 205104", "a depth from 0 to 31"),
    (
        lesson_4.unfreeze_nested,
        INSIDE + "    unfreeze_behind(base, cut)",
        "The model was frozen.*would not train",
    ),
    (
        lesson_4.unfreeze_nested,
        INSIDE + "    model.trainable = True\n    unfreeze_behind(base, cut)",
        "Single layers were frozen.*head would not train",
    ),
    (
        lesson_4.unfreeze_nested,
        INSIDE + EXCEPT + "    model.trainable = True\n    base.trainable = True",
        "first would train|normalization would train",
    ),
    (
        lesson_4.unfreeze_nested,
        INSIDE + "    unfreeze_behind(base, cut)\n    base.trainable = False\n"
        "    base.trainable = True",
        "normalization, .* would train",
    ),
    (
        lesson_4.unfreeze_nested,
        INSIDE + "    for layer in model.layers:\n"
        "        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)",
        "second_normalization, third_normalization would train",
    ),
    (
        lesson_4.unfreeze_nested,
        INSIDE + "    model.trainable = True\n    unfreeze_behind(base, None)",
        "first would train and stands in front of the cut",
    ),
    (lesson_4.prepare_to_fine_tune, FAULTY, "learning rate of 0.001"),
    (
        lesson_4.prepare_to_fine_tune,
        FAULTY.replace("1e-3", "1e-5"),
        "trainable and did not move",
    ),
    (
        lesson_4.prepare_to_fine_tune,
        PREPARE + EXCEPT + "    base.trainable = True\n    compile_for(model, 1e-5)",
        "BatchNormalization moved",
    ),
    (
        lesson_4.prepare_to_fine_tune,
        PREPARE + "    base.trainable = True\n" + EXCEPT + "    compile_for(model, 1e-5)",
        "'first' moved and stands in front",
    ),
    (
        lesson_4.prepare_to_fine_tune,
        PREPARE + "    compile_for(model, 1e-5)",
        "Are they trainable",
    ),
    (
        lesson_4.prepare_to_fine_tune,
        PREPARE + "    unfreeze_behind(base, cut)\n"
        "    model.compile(optimizer=keras.optimizers.Adam(1e-5), loss='binary_crossentropy')",
        "The head gives logits",
    ),
    (
        lesson_4.prepare_to_fine_tune,
        PREPARE + "    unfreeze_behind(base, cut)\n"
        "    model.get_layer('head').trainable = False\n    compile_for(model, 1e-5)",
        "The head did not move",
    ),
    (
        lesson_4.prepare_to_fine_tune,
        PREPARE + "    base.get_layer('third').set_weights([0 * base.get_layer('third')"
        ".get_weights()[0]])\n    unfreeze_behind(base, cut)\n    compile_for(model, 1e-5)",
        "weights are others already",
    ),
    (lesson_4.difference_is_shown, SHOWN + "    return first != second", "44, 50"),
    (
        lesson_4.difference_is_shown,
        SHOWN + "    return abs(first[0] / first[1] - second[0] / second[1]) > 0.02",
        "44, 50",
    ),
    (lesson_4.difference_is_shown, INTERVALS + "    return ah < bl", "order must not count"),
    (
        lesson_4.difference_is_shown,
        INTERVALS + "    return not (al <= b <= ah or bl <= a <= bh)",
        "44, 50",
    ),
    (lesson_4.difference_is_shown, INTERVALS + "    return b - a", "True or False"),
]


def judged(exercise, code, base):
    names = {
        "keras": keras,
        "weights": weights,
        "evaluation": evaluation,
        "base": base,
        "cuts": bases.cuts(base),
        "unfreeze_behind": unfreeze_behind,
        "compile_for": compile_for,
    }
    return judge(exercise, code, names, (base,) if exercise is lesson_4.deepest_within else ())


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_the_solution_is_right(exercise, base):
    verdict = judged(exercise, exercise.code, base)
    assert verdict.state == "right", verdict.text


@pytest.mark.parametrize(("exercise", "code", "why"), WRONG)
def test_wrong_answers_are_explained(exercise, code, why, base):
    verdict = judged(exercise, code, base)
    assert verdict.state == "wrong"
    assert re.search(why, verdict.text), verdict.text


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_three_wrong_answers_each(exercise):
    assert sum(found is exercise for found, _, _ in WRONG) >= 3


def test_the_depth_is_judged_by_what_would_train_and_changes_nothing(base):
    base.trainable = False
    for depth, cut in enumerate(reversed(bases.cuts(base))):
        state = lesson_4.deepest_within.check(depth, base).state
        assert not base.trainable_weights
        unfreeze_behind(base, cut)
        within = weights.count(base).trainable <= weights.count(base).total // 2
        base.trainable = False
        assert (state == "right") == (depth == 4), depth
        assert within == (depth <= 4), depth


def test_an_explicit_prepare_is_right(base):
    code = PREPARE + (
        "    first = [layer.name for layer in base.layers].index(cut) + 1\n"
        "    model.trainable = True\n    base.trainable = True\n"
        "    for index, layer in enumerate(base.layers):\n"
        "        normalizes = isinstance(layer, keras.layers.BatchNormalization)\n"
        "        layer.trainable = index >= first and not normalizes\n"
        "    model.compile(keras.optimizers.SGD(1e-4),\n"
        "        keras.losses.BinaryCrossentropy(from_logits=True))\n"
    )
    verdict = judged(lesson_4.prepare_to_fine_tune, code, base)
    assert verdict.state == "right", verdict.text


def test_prepare_is_judged_with_more_classes():
    def sound(model, cut):
        unfreeze_behind(model.get_layer("base"), cut)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-5), loss)

    def of_two(model, cut):
        unfreeze_behind(model.get_layer("base"), cut)
        compile_for(model, 1e-5)

    check = lesson_4.prepare_to_fine_tune.check
    assert check(sound, 3).state == "right"
    assert check(of_two, 3).state == "wrong"


@pytest.mark.parametrize("choice", [c for c in exercises.of_lesson(4) if c not in WRITTEN])
def test_a_choice_has_one_right_letter(choice):
    states = [choice.check(letter).state for letter in choice.options]
    assert states.count("right") == 1
    assert choice.check(choice.code.split('"')[1]).state == "right"
