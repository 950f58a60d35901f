"""Rates on the course's own base; trainable after fit; and nothing is changed by looking.

Faults one by one, and set-ups without, stand in `preflight_cases`.
"""

import random
import sys

import keras
import numpy as np
import pytest
from scipy.stats import binomtest

from helpers import bases, pictures, training, weights
from helpers.preflight import CHECKS, UNEXPECTED, preflight, rates

LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)
# Validation sets here are small on purpose; the size is judged in a test of its own.
ANY_SIZE = {"difference": 0.5, "sample": 40, "progress": False}
CUT = "block_13_project_BN"


@pytest.fixture(scope="module")
def drawings():
    return pictures.load("drawings", size=96, quiet=True)


@pytest.fixture(scope="module")
def small(drawings):
    """100 and 60 of 32 x 32."""
    pairs = ((drawings.train, 100), (drawings.validation, 60))
    return tuple((part.images[:count, ::3, ::3], part.labels[:count]) for part, count in pairs)


def compiled(model, rate=1e-3, optimizer=None):
    threshold = keras.metrics.BinaryAccuracy(threshold=0.0)
    # Two steps of fit are done before their graph would be traced.
    optimizer = optimizer or keras.optimizers.Adam(rate)
    model.compile(optimizer, LOGITS, metrics=[threshold], run_eagerly=True)
    return model


def cnn(*start):
    """A small model from scratch, 32 x 32."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *start,
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, strides=4, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )


def only(monkeypatch, name):
    """Let no other check run."""
    monkeypatch.setattr(sys.modules["helpers.preflight"], "CHECKS", {name: CHECKS[name]})


def faults(report):
    """What is found; no check has failed in itself."""
    assert not [reason for _, reason in report.skipped if UNEXPECTED in reason]
    return [(found.check, found.severity) for found in report.findings]


# Rates


@pytest.fixture(scope="module")
def extracted(drawings):
    """The base; what it gives for 220 drawings at `CUT`, and at its end, pooled; their labels."""
    base = bases.load("drawn")
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    both = keras.Model(base.input, [base.get_layer(CUT).output, pooled])
    at_cut, features = both(drawings.train.images[:220] / 127.5 - 1, training=False)
    return base, np.array(at_cut), np.array(features), drawings.train.labels[:220]


def halves(inputs, labels):
    """The first 160, and the other 60."""
    return [(inputs[rows], labels[rows]) for rows in (slice(160), slice(160, None))]


def test_the_upper_part_of_lesson_4_is_sound_at_its_rate_and_not_at_a_hundred_times(extracted):
    base, at_cut, features, labels = extracted
    cut = base.get_layer(CUT).output
    above = keras.Sequential(
        [
            keras.Input(cut.shape[1:]),
            keras.Model(cut, base.output, name="upper"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1),
        ]
    )
    above.layers[-1].set_weights(training.reference_head(features, labels).get_weights())
    weights.unfreeze(above)
    data = halves(at_cut, labels)
    report = preflight(compiled(above, 6e-4), *data, **ANY_SIZE)
    assert not faults(report)
    assert {"scaling", "shared pictures"} <= dict(report.skipped).keys()

    peak = keras.optimizers.schedules.CosineDecay(0.0, 90, warmup_target=0.06, warmup_steps=10)
    report = preflight(compiled(above, peak), *data, **ANY_SIZE)
    assert faults(report) == [("learning rate", "error")]
    assert "compiled rate of 0.06" in report.findings[0].what


def test_the_heads_rate(extracted, monkeypatch):
    only(monkeypatch, "learning rate")
    head = keras.Sequential(
        [keras.Input((1280,)), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    )
    data = halves(*extracted[2:])
    start = head.get_weights()
    for rate, expected in ((1e-4, []), (1e-2, []), (0.3, ["learning rate"])):
        head.set_weights(start)
        found = preflight(compiled(head, rate), *data, **ANY_SIZE).findings
        assert [one.check for one in found] == expected, rate


def test_a_rate_that_overshoots_without_blowing_up_is_compared_with_a_tenth_of_it():
    from helpers.preflight import rates

    ends = {}

    class Test:
        """Trials that end as `ends` says for their rate."""

        def __init__(self, setup):
            pass

        def run(self, rate):
            losses = [0.7] + 8 * [ends[round(rate, 3)]]
            return rates._Trial(losses, float(np.log(2)), ends["moved"])

        def raw_pictures(self, rate, trial):
            return ""

    class Setup:
        model = compiled(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))

    Setup.model.optimizer.learning_rate = 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "_RangeTest", Test)
        # Weights that hardly moved cannot have gone too far: there is no second trial.
        for tenth, moved, expected in ((0.3, 0.06, 1), (0.5, 0.06, 0), (0.3, 0.004, 0)):
            ends |= {0.1: 0.6, 0.01: tenth, "moved": moved}
            assert len(list(rates.check_rate(Setup))) == expected


# What trains


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.01),
        lambda: keras.optimizers.SGD(0.01, momentum=0.9, weight_decay=0.1),
        lambda: keras.optimizers.Lion(1e-4),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.AdamW(1e-3)),
    ],
)
def test_trainable_changed_after_fit(optimizer, small, monkeypatch):
    only(monkeypatch, "trainable")
    model = compiled(cnn(), optimizer=optimizer())
    convolution, head = model.layers[1], model.layers[-1]
    convolution.trainable = False
    assert not faults(preflight(model, *small, **ANY_SIZE))  # before a first fit
    model.fit(small[0][0][:32], small[0][1][:32], verbose=0)
    assert not faults(preflight(model, *small, **ANY_SIZE))
    convolution.trainable = True
    assert "2 were unfrozen" in preflight(model, *small, **ANY_SIZE).findings[0].what
    convolution.trainable = head.trainable = False
    assert "2 were frozen" in preflight(model, *small, **ANY_SIZE).findings[0].what


def test_validation_size_is_wilsons(small, monkeypatch):
    only(monkeypatch, "validation size")
    report = preflight(compiled(cnn()), *small, difference=0.05)
    assert faults(report) == [("validation size", "warning")]
    found = binomtest(54, 60).proportion_ci(0.95, method="wilson")
    assert f"+-{(found.high - found.low) / 2:.3f}" in report.findings[0].what
    assert "validation size" in preflight(compiled(cnn()), *small, difference=0.09).passed


# Nothing changes


def test_everything_is_as_before_and_fit_gives_the_same(small):
    results = []
    for look in (False, True):
        keras.utils.set_random_seed(0)  # before the layers draw their seeds
        model = cnn(keras.layers.RandomFlip(), keras.layers.Dropout(0.1))
        normalization = model.layers[-3]
        normalization.moving_mean.assign([0.1, 0.2, 0.3, 0.4])  # so pictures are held against it
        model.layers[-1].trainable = normalization.trainable = False
        compiled(model)
        random.seed(3)
        keras.utils.set_random_seed(4)
        model.fit(*small[0], batch_size=50, verbose=0)
        before = weights.snapshot(model), [np.array(v) for v in model.optimizer.variables]
        states = random.getstate(), np.random.get_state()[1].tolist()
        if look:
            assert preflight(model, *small, **ANY_SIZE).seconds.keys() == CHECKS.keys()
        assert not weights.compare(before[0], model).moved
        for old, variable in zip(before[1], model.optimizer.variables, strict=True):
            np.testing.assert_array_equal(old, np.array(variable))
        assert states == (random.getstate(), np.random.get_state()[1].tolist())
        assert [layer.trainable for layer in model.layers].count(False) == 2
        assert normalization.momentum == 0.99
        results.append(model.fit(*small[0], batch_size=50, verbose=0).history)
    assert results[0] == results[1]


def test_looking_twice_says_the_same(small):
    model = compiled(cnn(), 10.0)
    reports = [repr(preflight(model, *small, progress=False)) for _ in range(2)]
    assert reports[0] == reports[1] and "learning rate" in reports[0]


@pytest.mark.parametrize("calm", [False, True])
def test_a_loss_that_is_as_high_where_nothing_moves_is_not_the_rates(monkeypatch, small, calm):
    """Trials made up: the loss blows up at the compiled rate, and at others where not `calm`."""
    wild, still = [0.7, *[5.0] * 8], [0.7] * 9

    def run(test, rate, *_, **__):
        return rates._Trial(still if calm and rate < 1e-3 else wild, test._nothing, 1.0)

    monkeypatch.setattr(rates._RangeTest, "run", run)
    only(monkeypatch, "learning rate")
    report = preflight(compiled(cnn()), *small, **ANY_SIZE)
    assert bool(report.findings) is calm
    assert calm or "the rate is not why" in dict(report.skipped)["learning rate"]


def test_labels_that_nothing_explains_in_both_sets_are_a_note(monkeypatch, drawings):
    only(monkeypatch, "labels and pictures")
    base = bases.load("drawn")
    base.trainable = False
    scaling, pooling = (
        keras.layers.Rescaling(1 / 127.5, -1.0),
        keras.layers.GlobalAveragePooling2D(),
    )
    inputs = keras.Input((96, 96, 3))
    values = pooling(base(scaling(inputs), training=False))
    model = compiled(keras.Model(inputs, keras.layers.Dense(1)(values)))
    mixed = np.random.default_rng(0)
    parts = [
        (part.images[:count], mixed.permutation(part.labels[:count]))
        for part, count in ((drawings.train, 120), (drawings.validation, 60))
    ]
    report = preflight(model, *parts, difference=0.5, progress=False)
    assert not report.findings and [one.check for one in report.notes] == ["labels and pictures"]
    assert "sees nothing" in report.notes[0].mend and "NOTE" in repr(report)
