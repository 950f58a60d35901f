"""Bases against `keras.applications`: scaling, counts, and cuts that really cut."""

import importlib

import keras
import numpy as np
import pytest

from helpers import bases

# Where `keras.applications` keeps the preprocessing of each base: the oracle of `scaling`.
MODULES = {
    "MobileNetV2": "mobilenet_v2",
    "Xception": "xception",
    "ResNet50V2": "resnet_v2",
    "MobileNetV3Small": "mobilenet_v3",
    "EfficientNetV2B0": "efficientnet_v2",
}


@pytest.fixture(scope="module")
def built():
    """Each base once, with random weights."""
    return {name: bases.load(name, weights=None) for name in bases.BASES}


def test_every_base_has_an_oracle():
    assert set(MODULES) == set(bases.BASES)


@pytest.mark.parametrize("name", bases.BASES)
def test_scaling_is_what_keras_applications_does(name):
    module = importlib.import_module(f"keras.applications.{MODULES[name]}")
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    expected = module.preprocess_input(pixels.copy())
    found = keras.ops.convert_to_numpy(bases.find(name).scaling()(pixels))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "parameters", "channels"),
    [("MobileNetV2", 2_257_984, 1280), ("Xception", 20_861_480, 2048)],
)
def test_published_counts_and_shapes(built, name, parameters, channels):
    base = built[name]
    size = bases.find(name).size
    assert base.count_params() == parameters
    assert base.input_shape == (None, size, size, 3)
    assert base.output_shape == (None, 5, 5, channels)


@pytest.mark.parametrize("name", bases.BASES)
def test_each_cut_parts_the_base_without_changing_what_it_says(built, name):
    base = built[name]
    found = bases.cuts(base)
    assert len(found) >= 5
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, *base.input_shape[1:])).astype("float32")
    expected = base(pixels, training=False).numpy()
    for cut in (found[0], found[len(found) // 2], found[-2]):
        at_cut = base.get_layer(cut).output
        lower, upper = keras.Model(base.input, at_cut), keras.Model(at_cut, base.output)
        together = upper(lower(pixels, training=False), training=False).numpy()
        np.testing.assert_allclose(together, expected, rtol=1e-4, atol=1e-5)


def test_cuts_of_mobilenet_are_block_ends_and_none_is_inside_a_residual_block(built):
    found = bases.cuts(built["MobileNetV2"])
    assert {"block_12_add", "block_10_project_BN", "block_13_expand_relu"} <= set(found)
    assert found[-1] == "out_relu"
    inside = {"block_12_expand_relu", "block_12_depthwise_relu", "block_12_project_BN"}
    assert not inside & set(found)
    order = [layer.name for layer in built["MobileNetV2"].layers]
    assert [order.index(name) for name in found] == sorted(order.index(name) for name in found)


def test_cuts_of_a_small_network_with_a_shortcut():
    inputs = keras.Input(shape=(8, 8, 3))
    stem = keras.layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    inner = keras.layers.Conv2D(4, 3, padding="same", name="inner")(stem)
    added = keras.layers.Add(name="added")([stem, inner])
    ended = keras.layers.Conv2D(4, 1, name="ended")(added)
    assert bases.cuts(keras.Model(inputs, ended)) == ("stem", "added", "ended")


def test_unknown_base_names_the_known_ones():
    with pytest.raises(ValueError, match=r"Received: base 'VGG99'. Expected: one of MobileNetV2"):
        bases.load("VGG99")


def test_is_ready_looks_where_keras_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert "fetch bases" in bases.is_ready("MobileNetV2")
    path = bases.find("MobileNetV2").weights_path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    assert bases.is_ready("MobileNetV2") is None


def test_weights_that_cannot_be_had_are_an_error_with_the_mend(tmp_path, monkeypatch):
    def no_network(**options):
        raise OSError("URL fetch failure")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras.applications, "MobileNetV2", no_network)
    with pytest.raises(RuntimeError, match=r"no ImageNet weights of MobileNetV2 .*fetch bases"):
        bases.load("MobileNetV2")


def test_imagenet_weights_load_and_are_not_random():
    if reason := bases.is_ready("MobileNetV2"):
        pytest.skip(reason)
    base = bases.load("MobileNetV2")
    kernel = base.get_layer("Conv1").kernel.numpy()
    again = bases.load("MobileNetV2").get_layer("Conv1").kernel.numpy()
    np.testing.assert_array_equal(kernel, again)
