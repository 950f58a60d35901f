"""helpers/training.py against `fit`, `evaluate` and scikit-learn."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from helpers import machine, training, weights
from helpers.preflight import layers

CHANNELS = 12


def picked(classes: int, count: int = 77) -> tuple[np.ndarray, np.ndarray]:
    """Features of some classes, not quite separable, and their labels."""
    generator = np.random.default_rng(0)
    labels = generator.integers(classes, size=count).astype("int32")
    centers = generator.normal(size=(classes, CHANNELS))
    return (centers[labels] + generator.normal(size=(count, CHANNELS))).astype("float32"), labels


def head(classes: int) -> keras.Model:
    """Dropout with a seed of its own, a penalty, and as many logits as it takes."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((CHANNELS,)),
            keras.layers.Dropout(0.3, seed=7),
            keras.layers.Dense(1 if classes == 2 else classes, kernel_regularizer="l2"),
        ]
    )


def compile_for(model: keras.Model, optimizer: keras.optimizers.Optimizer, classes: int) -> None:
    """Compile for logits, as the lessons do."""
    if classes == 2:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(optimizer=optimizer, loss=loss, metrics=[accuracy])


@pytest.mark.parametrize(("built", "traces"), [(False, 2), (True, 1)])
def test_fit_traces_once_where_the_optimizer_is_built(built: bool, traces: int) -> None:
    """What lesson 3 says of the last line of `compile_for`."""
    calls = []

    class Counted(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            calls.append(inputs)
            return inputs

    model = keras.Sequential([keras.Input((CHANNELS,)), Counted(), keras.layers.Dense(1)])
    compile_for(model, keras.optimizers.Adam(), classes=2)
    if built:
        model.optimizer.build(model.trainable_variables)
    calls.clear()
    model.fit(*picked(2, count=64), batch_size=32, verbose=0)
    assert len(calls) == traces


@pytest.mark.parametrize(
    ("classes", "optimizer"), [(2, keras.optimizers.Adam), (3, keras.optimizers.SGD)]
)
def test_train_does_what_fit_does(classes: int, optimizer: type) -> None:
    data, labels = picked(classes)
    ours, plain = head(classes), head(classes)
    validation = data[:30], labels[:30]
    epochs = list(
        training.train(
            ours, data, labels, optimizer=optimizer(0.01), epochs=3, validation=validation, seed=4
        )
    )
    compile_for(plain, optimizer(0.01), classes)
    plain.optimizer.build(plain.trainable_variables)
    generator = np.random.default_rng(4)
    for epoch in epochs:
        order = generator.permutation(len(data))
        logs = plain.fit(
            data[order],
            labels[order],
            batch_size=32,
            shuffle=False,
            validation_data=validation,
            verbose=0,
        ).history
        for name, values in logs.items():
            assert getattr(epoch, name) == pytest.approx(values[0], abs=2e-5), name
    for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    assert np.abs(ours.get_weights()[0] - head(classes).get_weights()[0]).max() > 0.01


@pytest.mark.parametrize("optimizer", [keras.optimizers.Adagrad, keras.optimizers.Nadam])
def test_a_restart_is_as_good_as_new(optimizer: type) -> None:
    """Some of what these optimizers keep begins at zero, some does not; NaN must not stay."""
    data, labels = picked(2)
    model = head(2)
    trainer = training.Trainer(model, optimizer(0.5))
    hot = data.copy()
    hot[3] = np.inf
    assert list(trainer.epochs(hot, labels, 2))[-1].diverged
    trainer.restart(head(2).variables, learning_rate=0.01)
    again = list(trainer.epochs(data, labels, 3))
    fresh = head(2)
    options = {"optimizer": optimizer(0.01), "epochs": 3}
    expected = list(training.train(fresh, data, labels, **options))
    assert [epoch.loss for epoch in again] == [epoch.loss for epoch in expected]
    np.testing.assert_array_equal(model.get_weights()[0], fresh.get_weights()[0])


def test_fine_tuning_in_a_single_step() -> None:
    data, labels = picked(2, count=20)
    (epoch,) = training.fine_tune(head(2), data, labels, learning_rate=0.1, epochs=1)
    assert epoch.number == 1
    model = head(2)
    model.trainable = False
    with pytest.raises(ValueError, match="Received: 0 epochs"):
        next(training.fine_tune(model, data, labels, learning_rate=0.1, epochs=0))
    assert not model.trainable_weights


def test_portions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data, labels = picked(2, count=300)
    found = []
    model = head(2)
    trainer = training.Trainer(model, keras.optimizers.Adam())
    for portion in (training.PORTION, 2 * 32 * CHANNELS):
        monkeypatch.setattr(training, "PORTION", portion)
        trainer.restart(head(2).variables, learning_rate=0.001)
        list(trainer.epochs(data, labels, 2))
        found.append(model.get_weights()[0])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-7)


def test_what_is_frozen_does_not_move() -> None:
    data, labels = picked(2)
    model = head(2)
    model.layers[-1].trainable = False
    model = keras.Sequential(
        [keras.Input((CHANNELS,)), keras.layers.Dense(CHANNELS), *model.layers]
    )
    before = weights.snapshot(model.layers[-1])
    list(training.train(model, data, labels, optimizer=keras.optimizers.Adam(), epochs=1))
    assert not weights.compare(before, model.layers[-1]).moved


def test_epochs_come_one_by_one() -> None:
    data, labels = picked(2)
    model = head(2)
    running = training.train(model, data, labels, optimizer=keras.optimizers.Adam(), epochs=100)
    first, second = next(running), next(running)
    between = model.get_weights()[0]
    assert (first.number, second.number) == (1, 2)
    assert second.seconds > first.seconds > 0
    assert math.isnan(first.val_loss)
    running.close()
    np.testing.assert_array_equal(model.get_weights()[0], between)


def test_stop_is_heard_within_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PORTION", 32 * CHANNELS)
    data, labels = picked(2, count=320)
    asked = []

    def stop() -> bool:
        asked.append(True)
        return len(asked) > 14  # ten portions are an epoch

    options = {"optimizer": keras.optimizers.Adam(), "epochs": 5, "stop": stop}
    epochs = list(training.train(head(2), data, labels, **options))
    assert [epoch.number for epoch in epochs] == [1]
    assert len(asked) == 15


def test_no_epoch_follows_one_that_diverged() -> None:
    data, labels = picked(2)
    data[5] = np.inf
    options = {"optimizer": keras.optimizers.SGD(1.0), "epochs": 9}
    epochs = list(training.train(head(2), data, labels, **options))
    assert len(epochs) == 1
    assert epochs[0].diverged


def test_each_epoch_takes_one_view_of_each_picture() -> None:
    rows = np.arange(50)
    views = np.stack([rows, rows + 100, rows + 200], axis=1)[..., None].astype("float16")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    seen = []
    for _ in range(2):
        generator = np.random.default_rng(len(seen))
        portions = training._portions(model, views, rows, 8, generator)
        pairs = [(x.reshape(-1), y.reshape(-1)) for x, y in portions]
        x, y = (np.concatenate(part).astype(int) for part in zip(*pairs, strict=True))
        np.testing.assert_array_equal(np.sort(y), rows)
        np.testing.assert_array_equal(x % 100, y)
        assert set(x // 100) == {0, 1, 2}
        seen.append(x[np.argsort(y)] // 100)
    assert (seen[0] != seen[1]).any()


@pytest.mark.parametrize(
    ("data", "labels", "options", "message"),
    [
        (np.zeros((4, 5)), np.zeros(4), {}, "Received: features of shape (4, 5)"),
        (np.zeros((4, CHANNELS)), np.zeros(3), {}, "Received: 4 features and 3 labels"),
        (np.zeros((0, CHANNELS)), np.zeros(0), {}, "Received: 0 features and 0 labels"),
        (np.zeros((4, CHANNELS)), np.zeros(4), {"epochs": 0}, "Received: 0 epochs"),
        (np.zeros((4, CHANNELS)), np.zeros(4), {"batch_size": 0}, "with batches of 0"),
    ],
)
def test_what_does_not_fit_is_said_at_once(
    data: np.ndarray, labels: np.ndarray, options: dict, message: str
) -> None:
    settings = {"optimizer": keras.optimizers.Adam(), "epochs": 1} | options
    with pytest.raises(ValueError) as caught:
        next(training.train(head(2), data, labels, **settings))
    assert message in str(caught.value)


def test_a_step_that_would_not_fit_is_refused_with_one_that_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: machine.SPARE_BYTES + 2_000)
    data, labels = picked(2)
    trainer = training.Trainer(head(2), keras.optimizers.Adam())

    def first(batch_size: int) -> training.Epoch:
        return next(trainer.epochs(data, labels, 1, batch_size=batch_size))

    with pytest.raises(MemoryError, match=r"batches of 64.*Take batches of at most \d+") as caught:
        first(64)
    fitting = int(re.search(r"of at most (\d+)", str(caught.value))[1])
    assert 1 <= fitting < 64
    assert first(fitting).number == 1
    with pytest.raises(MemoryError):
        first(fitting + 1)
    monkeypatch.setattr(machine, "free_memory", lambda: machine.SPARE_BYTES)
    with pytest.raises(MemoryError, match="Take smaller pictures"):
        first(1)


def test_a_model_of_a_class_of_its_own_trains_inside_another() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Dense(3)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    data, labels = picked(3)
    model = keras.Sequential([keras.Input((CHANNELS,)), Own()])
    optimizer = keras.optimizers.Adam()
    epochs = list(training.train(model, data, labels, optimizer=optimizer, epochs=2))
    assert epochs[1].loss < epochs[0].loss


def test_history_is_keras_history() -> None:
    epochs = [training.Epoch(1, 0.5, 0.75, 0.625, 0.5, 1.0)]
    assert training.history(epochs) == {
        "loss": [0.5],
        "accuracy": [0.75],
        "val_loss": [0.625],
        "val_accuracy": [0.5],
    }


@pytest.mark.parametrize("classes", [2, 3])
def test_the_reference_head_is_scikit_learns(classes: int) -> None:
    data, labels = picked(classes)
    layer = training.reference_head(data, labels, strength=0.1)
    oracle = LogisticRegression(C=0.1, max_iter=1000).fit(data, labels)
    expected = oracle.decision_function(data).reshape(len(data), -1)
    np.testing.assert_allclose(np.asarray(layer(data)), expected, rtol=1e-4, atol=1e-5)


def test_the_reference_head_counts_each_view() -> None:
    data, labels = picked(2)
    views = np.stack([data, data + 0.5], axis=1)
    layer = training.reference_head(views, labels)
    flat = training.reference_head(np.concatenate([data, data + 0.5]), np.tile(labels, 2))
    for found, expected in zip(layer.get_weights(), flat.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-3)


def parts() -> tuple[keras.Model, keras.Model]:
    """A small base, cut in two, the upper part under a head; its statistics are its own."""
    keras.utils.set_random_seed(0)
    below = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
        ]
    )
    inner = [keras.layers.Conv2D(6, 3), keras.layers.BatchNormalization(), keras.layers.ReLU()]
    upper = keras.Sequential([keras.Input((6, 6, 4)), *inner])
    inner[1].moving_mean.assign(np.linspace(-1, 1, 6))
    top = [upper, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    return below, keras.Sequential([keras.Input((6, 6, 4)), *top])


def test_the_tuned_top_is_in_the_saved_model(tmp_path: Path) -> None:
    below, above = parts()
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    labels = np.arange(40) % 2
    at_cut = below.predict(images, verbose=0)
    lower, upper = weights.snapshot(below), weights.snapshot(above)
    list(training.fine_tune(above, at_cut, labels, learning_rate=1e-2, epochs=1))

    assert not weights.compare(lower, below).moved
    compared = weights.compare(upper, above)
    assert {path.split("/")[-1] for path in compared.moved} == {"kernel", "bias"}
    assert len(compared.moved) == len(compared.unmoved) == 4  # two layers, one normalization

    cached = above.predict(at_cut, verbose=0)
    whole = training.join(below, above)
    scale = np.abs(cached).max()
    assert np.abs(whole.predict(images, verbose=0) - cached).max() / scale < 1e-5
    whole.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.abs(loaded.predict(images, verbose=0) - cached).max() / scale < 1e-5
    kinds = [type(layer).__module__ for layer in layers.all_layers(loaded)]
    assert all(kind.startswith("keras.") for kind in kinds)  # so that it loads elsewhere, too


def test_the_rate_rises_and_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}

    def look(model: keras.Model, data: object, labels: object, **options: object):
        given.update(options)
        yield from ()

    monkeypatch.setattr(training, "train", look)
    data, labels = picked(2, count=320)
    list(training.fine_tune(head(2), data, labels, learning_rate=0.5, epochs=4, warmup=0.25))
    described = given["optimizer"].get_config()["learning_rate"]
    schedule = keras.optimizers.schedules.deserialize(described)
    rates = [float(schedule(step)) for step in range(41)]
    assert rates[0] == 0
    assert max(rates) == pytest.approx(0.5)
    assert np.argmax(rates) == 10
    assert np.all(np.diff(rates[:11]) > 0) and np.all(np.diff(rates[10:]) < 0)
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    assert given["epochs"] == 4
