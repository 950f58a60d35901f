"""The exercises of lesson 5: solutions pass, plausible wrong answers are explained."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from answers import judge

from helpers.chance import seeded
from helpers.exercises import lesson_5

CHANNELS, TELLING = 60, 12


def drawn_tables() -> tuple[np.ndarray, ...]:
    """Features of which the last few tell the classes apart, of 300 and of 200 pictures."""
    generator = np.random.default_rng(0)
    tables = []
    for count in (300, 200):
        labels = generator.integers(2, size=count).astype("int32")
        features = generator.normal(size=(count, CHANNELS))
        features[:, -TELLING:] += np.where(labels, 0.6, -0.6)[:, None]
        # Features sixteen times as large bear a sixteenth of the rate, so that few rates are tried.
        tables += [16 * features.astype("float32"), labels]
    return tuple(tables)


TABLES = drawn_tables()


def new_head() -> keras.Model:
    """As the lesson's."""
    with seeded():
        head = keras.Sequential(
            [keras.Input((CHANNELS,)), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
        )
    head.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return head


NAMES = {
    "np": np,
    "new_head": new_head,
    "train_features": TABLES[0],
    "labels": TABLES[1],
    "validation_features": TABLES[2],
    "validation": SimpleNamespace(labels=TABLES[3]),
}


def test_the_solution_is_right():
    verdict = judge(lesson_5.largest_rate, lesson_5.largest_rate.code, NAMES, TABLES)
    assert verdict.state == "right", verdict.text


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("answer = 0.001", "Too low.*four times"),
        ("answer = 1e-6", "Too low"),
        ("answer = 50.0", "Too high"),
        ("answer = -0.1", "above 0"),
        ("answer = 'rate 0.1'", "ValueError"),
    ],
)
def test_wrong_rates_are_explained(code, why):
    import re

    verdict = judge(lesson_5.largest_rate, code, NAMES, TABLES)
    assert verdict.state == "wrong" and re.search(why, verdict.text), verdict.text
