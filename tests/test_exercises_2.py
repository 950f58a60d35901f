"""The exercises of lesson 2: solutions pass, plausible wrong answers are explained."""

import hashlib
import random

import keras
import numpy as np
import pytest
import sklearn.model_selection
import tensorflow as tf
from answers import Answers, judge

from helpers.exercises import Choice, lesson_2, of_lesson

NAMES = {
    "hashlib": hashlib,
    "keras": keras,
    "np": np,
    "random": random,
    "sklearn": sklearn,
    "tf": tf,
}
CODE = [found for found in of_lesson(2) if not isinstance(found, Choice)]


def share(line):
    return f"def first_to_beat(labels):\n    return {line}"


def keeping(*lines):
    return "\n    ".join(("def to_keep(train, test):", *lines))


def scaling(line):
    return f"def scale(images):\n    return {line}"


def signs(*layers):
    stack = ", ".join(f"keras.layers.{layer}" for layer in layers)
    return f"def road_signs():\n    return keras.Sequential([{stack}])"


DECODE = ".map(lambda file, label: (decode(file), label))"
AUGMENT = ".map(lambda pictures, labels: (augment(pictures), labels))"


def steps(*chain):
    return f"def pipeline(files, decode, augment):\n    return files{''.join(chain)}"


def splitting(*lines):
    return "\n    ".join(("def split(files, seed):", *lines))


CUT = "return files[:a], files[a:b], files[b:]"
PLACES = "a, b = int(0.6 * len(files)), int(0.8 * len(files))"

WRONG = [
    (lesson_2.road_signs, signs("RandomFlip('horizontal')"), "no longer point to the left"),
    (lesson_2.road_signs, signs("RandomFlip()"), "no longer point to the left"),
    (lesson_2.road_signs, signs("RandomRotation(0.5)"), "no longer point to the left"),
    (
        lesson_2.road_signs,
        signs("RandomRotation(0.25, seed=1)", "RandomBrightness(0.1)"),
        "no longer point",
    ),
    (lesson_2.road_signs, signs("RandomBrightness(0.2)", "Rescaling(1 / 255)"), "in use"),
    (lesson_2.road_signs, signs("RandomBrightness(0.2, value_range=(0, 1))"), "next to nothing"),
    (lesson_2.road_signs, signs("RandomRotation(0.0)"), "Only 0 of 96"),
    (
        lesson_2.road_signs,
        signs("RandomTranslation(0.9, 0.9, fill_mode='constant')"),
        "next to nothing|point",
    ),
    (
        lesson_2.road_signs,
        "def road_signs():\n    keras.Sequential([keras.layers.RandomZoom(0.1)])",
        "return",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, AUGMENT, ".cache().shuffle(80).batch(32)"),
        "the very variants",
    ),
    (
        lesson_2.pipeline,
        steps(".cache()", DECODE, ".shuffle(80).batch(32)", AUGMENT),
        "decoded 160 files, of 80",
    ),
    (lesson_2.pipeline, steps(DECODE, ".shuffle(80).batch(32)", AUGMENT), "decoded 160"),
    (
        lesson_2.pipeline,
        steps(DECODE, ".shuffle(80).cache().batch(32)", AUGMENT),
        "same batches.*before `cache`",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".cache().shuffle(80, reshuffle_each_iteration=False).batch(32)", AUGMENT),
        "`reshuffle_each_iteration=False` keeps",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".cache().shuffle(80).batch(32).map(augment)"),
        "hands two things",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".cache().batch(32).shuffle(80)", AUGMENT),
        "neighbours in the sorted list",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".cache().batch(32)", AUGMENT),
        "neighbours in the sorted list",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".cache().shuffle(4).batch(32)", AUGMENT),
        "How large is the buffer",
    ),
    (lesson_2.pipeline, steps(DECODE, ".cache().shuffle(80).batch(32)"), "No picture is augmented"),
    (lesson_2.pipeline, steps(".batch(32)", DECODE, ".cache()", AUGMENT), "no single file"),
    (lesson_2.pipeline, steps(DECODE, ".cache().shuffle(80)", AUGMENT), "Once `batch"),
    (
        lesson_2.pipeline,
        steps(".map(lambda file, label: decode(file)).cache().shuffle(80).batch(32).map(augment)"),
        "pairs of pictures and labels",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".cache().shuffle(80).batch(32, drop_remainder=True)", AUGMENT),
        "brings 64 pictures",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".cache().shuffle(80).repeat().batch(32)", AUGMENT),
        "Expected: each of the 80 once",
    ),
    (
        lesson_2.pipeline,
        "def pipeline(files, decode, augment):\n"
        "    pictures = files.map(lambda file, label: decode(file)).cache().shuffle(80)\n"
        "    labels = files.map(lambda file, label: label)\n"
        "    return tf.data.Dataset.zip((pictures.map(augment), labels)).batch(32)",
        "no longer belong together",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".cache().shuffle(80).batch(20)", AUGMENT),
        "There are batches of 20",
    ),
    (
        lesson_2.pipeline,
        steps(DECODE, ".shuffle(80).batch(32).cache().shuffle(80)", AUGMENT),
        "same batches",
    ),
    (lesson_2.split, splitting(PLACES, CUT), "holds only one class"),
    (
        lesson_2.split,
        splitting("random.seed(seed)", "random.shuffle(files)", PLACES, CUT),
        "The list that was handed in|stand in|changed",
    ),
    (
        lesson_2.split,
        splitting("files = list(files)", "random.seed(seed)", "random.shuffle(files)", PLACES, CUT),
        "The global generator",
    ),
    (
        lesson_2.split,
        splitting("files = list(files)", "random.shuffle(files)", PLACES, CUT),
        "Two calls with seed 1",
    ),
    (
        lesson_2.split,
        splitting("files = list(files)", "random.Random(0).shuffle(files)", PLACES, CUT),
        "Seeds 1 and 2 give the same",
    ),
    (
        lesson_2.split,
        splitting(
            "g = np.random.default_rng(seed)",
            "counts = [int(share * len(files)) for share in (0.6, 0.2, 0.2)]",
            "return tuple(g.choice(files, count, replace=False) for count in counts)",
        ),
        "stand in train and in validation",
    ),
    (
        lesson_2.split,
        splitting(
            "files = np.random.default_rng(seed).permutation(files)",
            "n = len(files)",
            "a, b, c = int(0.6 * n), int(0.2 * n), int(0.2 * n)",
            "return files[:a], files[a:a + b], files[a + b:a + b + c]",
        ),
        "2 of 103 files are in no part",
    ),
    (
        lesson_2.split,
        splitting(
            "files = np.random.default_rng(seed).permutation(files)",
            "return files[:50], files[50:75], files[75:]",
        ),
        "train has 50 of 100",
    ),
    (
        lesson_2.split,
        splitting("return sklearn.model_selection.train_test_split(files, random_state=seed)"),
        "three lists of names",
    ),
]

ALSO_RIGHT = [
    (lesson_2.road_signs, signs("RandomTranslation(0.1, 0.1)", "RandomContrast(0.3)")),
    (lesson_2.road_signs, signs("RandomRotation(0.1)", "RandomBrightness(0.2)", "RandomZoom(0.2)")),
    (lesson_2.road_signs, signs("RandomBrightness(0.2)", "GaussianNoise(0.0)")),
    (
        lesson_2.road_signs,
        signs("RandomFlip('vertical')", "RandomZoom(0.2)", "RandomBrightness(0.1)"),
    ),
    (lesson_2.pipeline, steps(DECODE, ".cache().shuffle(1000)", AUGMENT, ".batch(32).prefetch(1)")),
    (lesson_2.pipeline, steps(DECODE, ".cache()", AUGMENT, ".shuffle(80).batch(32)")),
    (
        lesson_2.pipeline,
        steps(DECODE, ".batch(32).cache().unbatch().shuffle(80).batch(32)", AUGMENT),
    ),
    (
        lesson_2.split,
        splitting(
            "train, rest = sklearn.model_selection.train_test_split(",
            "    files, train_size=0.6, random_state=seed, stratify=[f[:3] for f in files])",
            "return (train, *sklearn.model_selection.train_test_split(",
            "    rest, test_size=0.5, random_state=seed))",
        ),
    ),
    (
        lesson_2.split,
        splitting(
            "files = sorted(files)",
            "random.Random(seed).shuffle(files)",
            "a, b = round(0.2 * len(files)), round(0.4 * len(files))",
            "return files[b:], files[:a], files[a:b]",
        ),
    ),
]


class TestAnswers(Answers):
    lesson = 2
    names = NAMES
    wrong = WRONG
    also_right = ALSO_RIGHT


@pytest.mark.parametrize(
    "exercise", [lesson_2.road_signs, lesson_2.split], ids=lambda exercise: exercise.name
)
def test_a_judge_gives_the_random_state_back(exercise):
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].copy()
    judge(exercise, exercise.code, NAMES)
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])
