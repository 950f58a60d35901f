"""Counting and comparing weights, against Keras's own counts and NumPy's comparison."""

import keras
import numpy as np
import pytest

from helpers import weights
from helpers.preflight import layers


def small_model():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(3, name="first"),
            keras.layers.BatchNormalization(name="normalization"),
            keras.layers.Dense(1, name="second"),
        ]
    )


def test_layers_at_every_depth_are_those_that_keras_finds():
    model = keras.Sequential([keras.Input((4,)), small_model(), keras.layers.Dense(1)])
    # `layers` of a Sequential model leaves its input out.
    oracle = [
        one for one in model._flatten_layers() if not isinstance(one, keras.layers.InputLayer)
    ]
    assert {id(layer) for layer in layers.all_layers(model)} == {id(layer) for layer in oracle}
    names = [layer.name for layer in layers.leaf_layers(model)]
    assert names == ["first", "normalization", "second", model.layers[-1].name]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (keras.layers.Dense(3), (15, 0)),
        (keras.layers.BatchNormalization(), (8, 8)),
        (keras.layers.Dropout(0.5), (0, 0)),
    ],
)
def test_counts_of_layers(layer, expected):
    layer.build((None, 4))
    counts = weights.count(layer)
    assert (counts.trainable, counts.non_trainable) == expected


def test_count_equals_kerass_total_and_follows_trainable():
    model = small_model()
    assert weights.count(model).total == model.count_params()
    model.get_layer("first").trainable = False
    counts = weights.count(model)
    assert counts.total == model.count_params()
    assert counts.trainable == 6 + 4
    assert repr(counts) == "31 parameters: 10 trainable, 21 non-trainable"


def test_xception_with_one_logit_has_the_published_counts():
    base = keras.applications.Xception(
        include_top=False, weights=None, input_shape=(150, 150, 3), pooling="avg"
    )
    base.trainable = False
    counts = weights.count(keras.Sequential([base, keras.layers.Dense(1)]))
    assert (counts.total, counts.trainable) == (20_863_529, 2_049)


def test_table_names_each_weight_with_its_kind():
    layer = keras.layers.BatchNormalization()
    layer.build((None, 4))
    table = weights.table(layer)
    assert list(table["weight"]) == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert list(table["kind"]) == ["trainable"] * 2 + ["non-trainable"] * 2
    assert list(table["parameters"]) == [4] * 4
    layer.trainable = False
    assert set(weights.table(layer)["kind"]) == {"non-trainable"}


def test_table_of_a_layer_without_weights_is_empty():
    layer = keras.layers.Dropout(0.5)
    layer.build((None, 4))
    assert weights.table(layer).empty


def test_compare_finds_the_smallest_change_of_one_number():
    model = small_model()
    before = weights.snapshot(model)
    assert not weights.compare(before, model).moved
    kernel = model.get_layer("first").kernel
    changed = kernel.numpy()
    changed[2, 1] = np.nextafter(changed[2, 1], np.float32(9))
    kernel.assign(changed)
    found = weights.compare(before, model)
    assert list(found.moved) == [kernel.path]
    assert len(found.unmoved) == len(model.weights) - 1


def test_compare_after_fit_moves_only_what_trains():
    model = small_model()
    model.get_layer("first").trainable = False
    model.compile(optimizer="sgd", loss="mean_squared_error")
    before = weights.snapshot(model)
    inputs = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    model.fit(inputs, inputs[:, :1], verbose=0)
    moved = weights.compare(before, model)
    assert not [path for path in moved.moved if "first" in path]
    assert len([path for path in moved.moved if "second" in path]) == 2
    assert "arrays moved" in repr(moved)


def test_snapshot_is_a_copy():
    layer = keras.layers.Dense(1)
    layer.build((None, 1))
    before = weights.snapshot(layer)
    layer.kernel.assign([[7.0]])
    assert before.arrays[0][0, 0] != 7.0


def test_compare_refuses_another_model():
    before = weights.snapshot(small_model())
    with pytest.raises(ValueError, match=r"Received: a snapshot of 8 arrays and a model of 2"):
        other = keras.layers.Dense(1)
        other.build((None, 4))
        weights.compare(before, other)


def test_nan_that_stays_has_not_moved():
    layer = keras.layers.Dense(1)
    layer.build((None, 1))
    layer.kernel.assign([[float("nan")]])
    assert not weights.compare(weights.snapshot(layer), layer).moved


def test_leaf_layers_are_those_inside_each_once_in_order():
    """Keras's own count of parameters is the oracle: it opens models and counts nothing twice."""
    shared = keras.layers.Dense(4, name="shared")
    first = keras.Sequential([keras.Input((4,)), shared, keras.layers.Dense(4, name="first")])
    second = keras.Sequential([keras.Input((4,)), keras.Sequential([shared]), small_model()])
    model = keras.Sequential([keras.Input((4,)), first, second])
    found = layers.leaf_layers(model)
    names = [layer.name for layer in found if layer.weights]
    assert names == ["shared", "first", "first", "normalization", "second"]
    assert sum(weights.count(layer).total for layer in found) == model.count_params()


def test_leaf_layers_of_what_holds_no_layers():
    layer = keras.layers.Dense(1)
    assert layers.leaf_layers(layer) == [layer]
    layer.layers = 3  # a layer of an own class may count so
    assert layers.leaf_layers(layer) == [layer]


def test_leaf_layers_of_a_model_of_an_own_class():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = small_model()

    assert layers.leaf_layers(Own())[1].name == "normalization"


def test_unfreeze_leaves_batch_normalization_frozen_at_any_depth():
    model = keras.Sequential([keras.Input((4,)), small_model(), keras.layers.BatchNormalization()])
    model.trainable = False
    weights.unfreeze(model)
    counts = weights.count(model)
    assert (counts.trainable, counts.non_trainable) == (15 + 4, 12 + 4)
    model.layers[0].get_layer("first").trainable = False  # inside a model that stays trainable
    weights.unfreeze(model)
    assert weights.count(model).trainable == 15 + 4
    alone = keras.layers.BatchNormalization()
    weights.unfreeze(alone)
    assert not alone.trainable
