"""Costs against TensorFlow's profiler and against what the papers state."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import bases, costs

PRODUCTS = {"Conv2D", "DepthwiseConv2dNative", "MatMul"}


def profiled(model):
    """Multiply-adds by TensorFlow's profiler, which counts a product and a sum as two."""
    shape = (1, *model.input_shape[1:])
    run = tf.function(lambda images: model(images, training=False))
    graph = run.get_concrete_function(tf.TensorSpec(shape)).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options = tf.compat.v1.profiler.ProfileOptionBuilder(options).with_empty_output().build()
    found = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    total, rows = 0, [found]
    while rows:
        row = rows.pop()
        total += row.float_ops if row.name in PRODUCTS else 0
        rows += row.children
    return total // 2


def small():
    layers = keras.layers
    inside = keras.Sequential(
        [keras.Input((9, 9, 8)), layers.SeparableConv2D(12, 3, padding="same"), layers.ReLU()]
    )
    return keras.Sequential(
        [
            keras.Input((19, 19, 3)),
            layers.Conv2D(8, 3, strides=2),
            layers.BatchNormalization(),
            inside,
            layers.DepthwiseConv2D(5, depth_multiplier=2, padding="same"),
            layers.Conv2D(8, 3, groups=4),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )


def test_a_small_network_counted_by_hand():
    by_hand = (
        9 * 9 * 8 * (3 * 3 * 3)  # each output is a sum over a window of 3 x 3 with 3 channels
        + 9 * 9 * (8 * 3 * 3 + 8 * 12)  # depthwise, then 1 x 1
        + 9 * 9 * 24 * (5 * 5)  # two outputs a channel
        + 7 * 7 * 8 * (3 * 3 * 24 // 4)  # each of four groups sees a quarter of the channels
        + 8 * 10
    )
    assert costs.multiply_adds(small()) == by_hand


def test_a_step_keeps_each_output():
    by_hand = (
        2 * (9 * 9 * 8)  # convolution, normalization
        + 2 * (9 * 9 * 12)  # convolution, ReLU
        + 9 * 9 * 24
        + 7 * 7 * 8
        + 8  # pooled
        + 10
    )
    assert costs.step_bytes(small(), batch=5) == 5 * by_hand * 4


@pytest.mark.parametrize("name", ["drawn", "MobileNetV3Small", "Xception"])
def test_the_profiler_counts_the_same(name):
    base = bases.load(name, weights=None)
    assert costs.multiply_adds(base) == profiled(base)


@pytest.mark.parametrize(
    ("network", "size", "published"),
    [
        ("MobileNetV2", 224, 300e6),  # Sandler and others (2018), table 4
        ("MobileNetV3Small", 224, 56e6),  # Howard and others (2019), table 3
        ("ConvNeXtTiny", 224, 4.5e9),  # Liu and others (2022), table 9
    ],
)
def test_published_multiply_adds(network, size, published):
    shape = (size, size, 3)
    whole = getattr(keras.applications, network)(input_shape=shape, weights=None)
    assert costs.multiply_adds(whole) == pytest.approx(published, rel=0.04)


def test_a_cost_is_counted_and_timed():
    model = small()
    calls = []
    cost = costs.measure(model, batch=2, seconds=0)
    assert cost.parameters == model.count_params()
    assert cost.megabytes == pytest.approx(4 * model.count_params() / 1e6)
    assert cost.pictures_per_second > 0
    assert "multiply-adds a picture" in repr(cost)

    def run(images):
        calls.append(images.shape)

    costs.pictures_per_second(run, (4, 4, 3), batch=2, seconds=0)
    assert calls == [(2, 4, 4, 3)] * (1 + costs.LEAST_BATCHES)  # the first is not timed


def test_the_median_batch_is_what_counts(monkeypatch):
    seconds = iter(np.cumsum([0, 1, 0, 100, 0, 2]))  # batches of 1, 100 and 2 seconds
    monkeypatch.setattr(costs.time, "perf_counter", lambda: next(seconds))
    assert costs.pictures_per_second(lambda images: None, (4, 4, 3), batch=8) == 4


def test_a_layer_that_nobody_counted_is_an_error():
    inputs = keras.Input((4, 8))
    network = keras.Model(inputs, keras.layers.LSTM(4)(inputs))
    with pytest.raises(ValueError, match=r"of the kind LSTM. Expected: one of Conv2D, Depthwise"):
        costs.multiply_adds(network)


def test_an_open_size_is_an_error():
    inputs = keras.Input((None, None, 3))
    network = keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
    with pytest.raises(ValueError, match="outputs of open size"):
        costs.multiply_adds(network)
