"""The exercises of lesson 3: solutions pass, plausible wrong answers are explained."""

import random
import re

import keras
import numpy as np
import pytest
from answers import graphs_as_traced, judge

from helpers import exercises, training
from helpers.chance import seeded
from helpers.exercises import lesson_3

CHANNELS, TELLING = 60, 12
HEAD = "def make_head(features, classes):\n    "
DENSE = "keras.layers.Dense(1 if classes == 2 else classes"
COMPILE = """
def compile_either(model, gives):
    logits = gives == "logits"
    model.compile(
        loss=keras.losses.BinaryCrossentropy(from_logits=LOSS),
        metrics=[METRIC],
    )
"""
MOVED = """
def layers_that_moved(model, train):
    BEFORE
    train()
    return [layer.name for layer in model.layers if not SAME]
"""
CHOOSE = "def choose_channels(features, labels, count):\n    return "
TO = "def to_probabilities(logits):\n    "


def drawn_tables() -> tuple[np.ndarray, ...]:
    """Features of which the last few tell the classes apart, of 300 and of 200 pictures."""
    generator = np.random.default_rng(0)
    tables = []
    for count in (300, 200):
        labels = generator.integers(2, size=count).astype("int32")
        features = generator.normal(size=(count, CHANNELS))
        features[:, -TELLING:] += np.where(labels, 0.6, -0.6)[:, None]
        tables += [features.astype("float32"), labels]
    return tuple(tables)


TABLES = drawn_tables()


class Pictures:
    """As much of a split as a solution uses."""

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels


def new_head() -> keras.Model:
    """As the lesson's."""
    return keras.Sequential(
        [keras.Input((CHANNELS,)), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    )


NAMES = {
    "keras": keras,
    "np": np,
    "training": training,
    "new_head": new_head,
    "extracted": TABLES[0],
    "train": Pictures(TABLES[1]),
    "validation_extracted": TABLES[2],
    "validation": Pictures(TABLES[3]),
}
ON_TABLES = {lesson_3.largest_rate, lesson_3.few_channels}
WRITTEN = [
    found
    for found in exercises.of_lesson(3)
    if isinstance(found, exercises.Exercise) and not isinstance(found, exercises.Choice)
]


def compiled(loss: str, metric: str) -> str:
    """A `compile_either` with its loss and its metric."""
    return COMPILE.replace("LOSS", loss).replace("METRIC", metric)


def compared(before: str, same: str) -> str:
    """A `layers_that_moved` with how it keeps and how it compares."""
    return MOVED.replace("BEFORE", before).replace("SAME", same)


COPIES = "before = {layer.name: layer.get_weights() for layer in model.layers}"
PAIRS = "zip(before[layer.name], layer.get_weights())"
BOTH = "keras.metrics.BinaryAccuracy(threshold=0.0 if logits else 0.5)"

WRONG = [
    (lesson_3.another_size, "answer = ((6, 7, 1280), 6405)", "Height comes first"),
    (lesson_3.another_size, "answer = ((14, 12, 1280), 6405)", "five times each"),
    (lesson_3.another_size, "answer = ((7, 6, 3), 6405)", "How many features"),
    (lesson_3.another_size, "answer = ((None, 7, 6, 1280), 6405)", "of one picture"),
    (lesson_3.another_size, "answer = ((7, 6, 1280), 6400)", "has a bias"),
    (lesson_3.another_size, "answer = ((7, 6, 1280), 268805)", "behind the pooling"),
    (lesson_3.another_size, "answer = ((7, 6, 1280), 5124)", "share one logit"),
    (lesson_3.another_size, "answer = ((7, 6, 1280), 5)", "weights and biases"),
    (lesson_3.another_size, "answer = (7, 6, 1280, 6405)", r"Expected: \(\(rows, columns"),
    (
        lesson_3.prove_it_held,
        "def layers_that_moved(model, train):\n    train()\n    return list(model.layers)",
        "Received: the layers themselves",
    ),
    (lesson_3.make_a_head, HEAD + "return " + DENSE + ")", "Received: Dense. Expected: a model"),
    (
        lesson_3.make_a_head,
        HEAD + "model = keras.Sequential([keras.Input((features,)), keras.layers.Dense(1)])",
        "NoneType.*return",
    ),
    *(
        (
            lesson_3.make_a_head,
            HEAD + f"return keras.Sequential([keras.Input((features,)), {inside}])",
            why,
        )
        for inside, why in (
            (DENSE + ', activation="sigmoid")', "these are probabilities"),
            (DENSE + ', activation="relu")', "No output is below 0"),
            (DENSE + ', activation="tanh")', "squeezes them"),
            (DENSE + ", use_bias=False)", "12 trainable parameters. Expected: 13"),
            ("keras.layers.Dense(classes)", r"\(64, 2\).*Expected: \(64, 1\)"),
            ("keras.layers.Dense(1)", r"\(64, 1\).*Expected: \(64, 5\)"),
            (f"keras.layers.Dense(8), {DENSE})", "in one Dense layer"),
        )
    ),
    (lesson_3.compile_for_outputs, compiled("True", BOTH), "gives probabilities: the loss"),
    (lesson_3.compile_for_outputs, compiled("False", BOTH), "gives logits: the loss"),
    (
        lesson_3.compile_for_outputs,
        compiled("logits", '"accuracy"'),
        "logits: the loss is right.*Above which",
    ),
    (
        lesson_3.compile_for_outputs,
        compiled("logits", "keras.metrics.BinaryAccuracy(threshold=0.0)"),
        "probabilities: the loss is right.*Above which",
    ),
    (lesson_3.compile_for_outputs, compiled("logits", ""), "No metric"),
    (
        lesson_3.compile_for_outputs,
        "def compile_either(model, gives):\n    loss = keras.losses.BinaryCrossentropy()",
        "not been compiled",
    ),
    (
        lesson_3.prove_it_held,
        compared(
            "before = {layer.name: layer.weights for layer in model.layers}",
            "all(map(np.array_equal, before[layer.name], layer.weights))",
        ),
        "Copy before",
    ),
    (
        lesson_3.prove_it_held,
        compared(COPIES, f"all(np.allclose(a, b) for a, b in {PAIRS})"),
        "last bit",
    ),
    (
        lesson_3.prove_it_held,
        compared(COPIES, f"all(np.sum(a) == np.sum(b) for a, b in {PAIRS})"),
        "last bit|change places",
    ),
    (
        lesson_3.prove_it_held,
        compared(COPIES, "np.array_equal(before[layer.name][0], layer.get_weights()[0])"),
        "moving mean|bias",
    ),
    (
        lesson_3.prove_it_held,
        compared(COPIES, f"all(bool(a.all() == b.all()) for a, b in {PAIRS})"),
        "Expected: ",
    ),
    (
        lesson_3.prove_it_held,
        compared(
            "before = {l.name: [np.array(w) for w in l.trainable_weights] for l in model.layers}",
            "all(map(np.array_equal, before[layer.name], layer.trainable_weights))",
        ),
        "Not all weights train",
    ),
    (lesson_3.prove_it_held, "def layers_that_moved(model, train):\n    return []", "0 times"),
    (
        lesson_3.prove_it_held,
        "def layers_that_moved(model, train):\n    train()\n    return True",
        "list of names",
    ),
    (lesson_3.largest_rate, "answer = 0.001", "Too low.*four times"),
    (lesson_3.largest_rate, "answer = 1e-6", "Too low"),
    (lesson_3.largest_rate, "answer = 50.0", "Too high"),
    (lesson_3.largest_rate, "answer = -0.1", "above 0"),
    (lesson_3.largest_rate, "answer = 'rate 0.1'", "ValueError"),
    (lesson_3.few_channels, CHOOSE + "np.arange(count)", "tell these classes apart"),
    (
        lesson_3.few_channels,
        CHOOSE + "np.argsort(np.abs(training.reference_head(features, labels)"
        ".get_weights()[0])[:, 0])[:count]",
        "tell these classes apart",
    ),
    (lesson_3.few_channels, CHOOSE + "features[:, :count]", "indices, whole numbers"),
    (lesson_3.few_channels, CHOOSE + "np.arange(features.shape[1])", "Expected: 16"),
    (lesson_3.few_channels, CHOOSE + "np.full(count, 59)", "1 of them distinct"),
    (lesson_3.few_channels, CHOOSE + "np.arange(1, count) * 100", "Expected: 0 to 59"),
    (
        lesson_3.probabilities_of_all,
        TO + "return keras.ops.sigmoid(logits)",
        r"Received: shape \(5, 1\)",
    ),
    (lesson_3.probabilities_of_all, TO + "return keras.ops.softmax(logits)", r"shape \(5, 1\)"),
    (
        lesson_3.probabilities_of_all,
        TO + "p = keras.ops.sigmoid(logits).numpy()\n"
        "    return np.hstack([p, 1 - p]) if p.shape[1] == 1 else p",
        "columns are exchanged",
    ),
    (
        lesson_3.probabilities_of_all,
        TO + "p = keras.ops.sigmoid(logits).numpy()\n"
        "    return np.hstack([1 - p, p]) if p.shape[1] == 1 else p",
        "add up to 1",
    ),
    (
        lesson_3.probabilities_of_all,
        TO + "z = np.hstack([0 * logits, logits]) if logits.shape[1] == 1 else logits\n"
        "    e = np.exp(z)\n    return e / e.sum(axis=1, keepdims=True)",
        "large logit gives NaN",
    ),
]


def judged(exercise, code):
    context = TABLES if exercise in ON_TABLES else ()
    with np.errstate(all="ignore"):
        return judge(exercise, code, NAMES, context)


@pytest.fixture(scope="module", autouse=True)
def quick_graphs():
    with graphs_as_traced():
        yield


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_the_solution_is_right(exercise):
    verdict = judged(exercise, exercise.code)
    assert verdict.state == "right", verdict.text


@pytest.mark.parametrize(("exercise", "code", "why"), WRONG)
def test_wrong_answers_are_explained(exercise, code, why):
    verdict = judged(exercise, code)
    assert verdict.state == "wrong"
    assert re.search(why, verdict.text), verdict.text


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_three_wrong_answers_each(exercise):
    assert sum(found is exercise for found, _, _ in WRONG) >= 3


@pytest.mark.parametrize(
    ("exercise", "code"),
    [
        # A head without dropout, one whose weights begin at 0, one of Keras's functional kind.
        (
            lesson_3.make_a_head,
            HEAD + f"return keras.Sequential([keras.Input((features,)), {DENSE}, "
            'kernel_initializer="zeros")])',
        ),
        (
            lesson_3.make_a_head,
            HEAD + f"inputs = keras.Input((features,))\n    return keras.Model(inputs, {DENSE})"
            "(inputs))",
        ),
        # No input layer: it is built when it is called.
        (lesson_3.make_a_head, HEAD + f"return keras.Sequential([{DENSE})])"),
        (lesson_3.compile_for_outputs, compiled("logits", BOTH + ', "mse"')),
        (
            lesson_3.few_channels,
            CHOOSE + "list(np.argsort(np.abs(features[labels == 0].mean(0) "
            "- features[labels == 1].mean(0)))[::-1][:count])",
        ),
        (
            lesson_3.probabilities_of_all,
            TO + "z = keras.ops.concatenate([0 * logits, logits], 1) "
            "if logits.shape[1] == 1 else logits\n    return keras.ops.softmax(z)",
        ),
    ],
)
def test_other_right_ways_are_right(exercise, code):
    verdict = judged(exercise, code)
    assert verdict.state == "right", verdict.text


def test_judges_leave_tables_and_chance_alone():
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    copies = [table.copy() for table in TABLES]
    random.seed(5)
    np.random.seed(5)
    for exercise in (lesson_3.make_a_head, lesson_3.few_channels):
        in_place = "    features[:], labels[:] = 0, labels[::-1]\n    kernel, bias"
        spoils = exercise.code.replace("    kernel, bias", in_place)
        judged(exercise, spoils)
    assert (random.random(), np.random.random()) == expected
    for table, copy in zip(TABLES, copies, strict=True):
        np.testing.assert_array_equal(table, copy)


def test_within_seeded_new_layers_are_alike():
    arrays = []
    for _ in range(2):
        with seeded(3):
            layer = keras.layers.Dense(4)
            layer.build((None, 4))
        arrays.append(layer.get_weights()[0])
        random.random()
    np.testing.assert_array_equal(*arrays)


@pytest.mark.parametrize("choice", [c for c in exercises.of_lesson(3) if c not in WRITTEN])
def test_a_choice_has_one_right_letter(choice):
    states = [choice.check(letter).state for letter in choice.options]
    assert states.count("right") == 1
    assert choice.check(choice.code.split('"')[1]).state == "right"
