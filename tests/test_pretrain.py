"""Pretraining at a size of seconds: it goes on where it was stopped, and writes what loads."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import bases, drawings, pretrain
from helpers.drawings.species import OTHERS

TINY = dataclasses.replace(pretrain.QUICK, train=1, validation=1, epochs=3)


@pytest.fixture
def few_classes(monkeypatch):
    """Four animals in place of all of them."""
    monkeypatch.setattr(pretrain, "CLASSES", pretrain.CLASSES[:4])


@pytest.fixture
def small_network(monkeypatch):
    """Three layers in place of the base's 150, and no graphs: few steps are done sooner without."""

    def build(base, size, weights):
        return keras.Sequential(
            [
                keras.Input((size, size, 3)),
                keras.layers.Conv2D(8, 3, strides=4, use_bias=False),
                keras.layers.BatchNormalization(),
                keras.layers.ReLU(),
            ]
        )

    monkeypatch.setattr(bases.Base, "build", build)
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def stop_in_second_epoch(monkeypatch):
    """Make pretraining end like a kill after the second epoch, before its state is kept."""
    usual = pretrain._progress

    def progress(plan, history):
        callback = usual(plan, history)
        count = callback.on_epoch_end

        def end(epoch, logs=None):
            count(epoch, logs)
            if epoch == 1:
                raise KeyboardInterrupt

        callback.on_epoch_end = end
        return callback

    monkeypatch.setattr(pretrain, "_progress", progress)


@pytest.mark.filterwarnings("ignore:Even though the `tf.config")  # of tf.data, which stays a graph
def test_a_stopped_run_goes_on_and_its_weights_load(
    few_classes, small_network, monkeypatch, tmp_path, capsys
):
    work, results = tmp_path / "work", tmp_path / "results"
    with monkeypatch.context() as stopping:
        stop_in_second_epoch(stopping)
        with pytest.raises(KeyboardInterrupt):
            pretrain.pretrain(TINY, work, results)
    assert not results.exists()

    drawn_again = []
    monkeypatch.setattr(pretrain, "_draw_block", lambda drawn, file: drawn_again.append(file))
    record = pretrain.pretrain(TINY, work, results)

    assert drawn_again == []
    out = capsys.readouterr().out
    done = re.findall(r"epoch (\d) of 3: animals named", out)
    assert done == ["1", "2", "2", "3"]
    assert len(record["seconds of each epoch"]) == 3
    assert not work.exists()
    weights = results / "drawn.weights.h5"
    assert record["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert json.loads((results / "drawn.json").read_text()) == record
    monkeypatch.setattr(bases, "EMBEDDED", results)
    base = bases.load("drawn")
    assert base.input_shape == (None, 96, 96, 3)


def test_another_plan_is_not_mixed_in(few_classes, monkeypatch, tmp_path):
    pretrain._begin_or_go_on(TINY, tmp_path)
    pretrain._begin_or_go_on(TINY, tmp_path)
    with pytest.raises(ValueError, match=r"Delete .* to begin anew"):
        pretrain._begin_or_go_on(dataclasses.replace(TINY, seed=5), tmp_path)
    monkeypatch.setattr(pretrain, "CLASSES", pretrain.CLASSES[::-1])
    with pytest.raises(ValueError, match=r"Delete .* to begin anew"):
        pretrain._begin_or_go_on(TINY, tmp_path)


def test_the_program_says_what_is_in_its_way(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    (tmp_path / "pretrain_quick").mkdir()
    (tmp_path / "pretrain_quick" / "mine.txt").write_text("mine")
    assert pretrain.main(["--quick"]) == 2
    assert "Delete" in capsys.readouterr().err


def test_pictures_and_labels_belong_together(few_classes, tmp_path):
    examples = pretrain._draw(2, 1, tmp_path / "train")
    assert examples.images.shape == (8, 96, 96, 3)
    drawn = drawings.draw_many(pretrain.CLASSES, 2, 1000)
    for row in (0, 5):
        assert drawn[row].animal == pretrain.CLASSES[examples.classes[row]]
        assert np.array_equal(drawn[row].picture, examples.images[row])
        np.testing.assert_allclose(list(drawn[row].traits.values()), examples.traits[row])


@pytest.fixture(scope="module")
def free():
    """The network for pictures of any size."""
    return bases.find("drawn").build(None, weights=None)


@pytest.mark.parametrize("side", [96, pretrain.SMALL])
def test_the_network_pads_alike_at_both_sizes(free, side):
    fixed = bases.load("drawn", weights=None, size=side)
    free.set_weights(fixed.get_weights())
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, side, side, 3)).astype("float32")
    np.testing.assert_allclose(
        free(pixels, training=False).numpy(), fixed(pixels, training=False).numpy(), atol=1e-6
    )


def test_the_rate_warms_up_and_falls_to_zero():
    rate = pretrain._rate(pretrain.FULL)
    steps = pretrain.FULL.epochs * -(-len(pretrain.CLASSES) * pretrain.FULL.train // 64)
    values = [float(rate(step)) for step in (0, steps // 20, steps // 2, steps)]
    assert values[0] == pytest.approx(pretrain.FULL.peak_rate / 20)
    assert values[1] == pytest.approx(pretrain.FULL.peak_rate, rel=0.01)
    assert values[1] > values[2] > values[3]
    assert values[3] == pytest.approx(0, abs=1e-6)


def test_two_animals_are_kept_back():
    assert len(pretrain.CLASSES) == len(OTHERS) - 2
