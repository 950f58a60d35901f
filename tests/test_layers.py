"""Models of many builds: how they end, which pixels they take; looking leaves them as they were."""

import keras
import numpy as np
import pytest

from helpers.preflight import layers

L = keras.layers
SIDE = 8


def stacked(*parts):
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), *parts])


def graph(head):
    """A functional model: pooled pictures through a function."""
    inputs = keras.Input((SIDE, SIDE, 3))
    return keras.Model(inputs, head(L.GlobalAveragePooling2D()(inputs)))


def two_heads(x):
    return L.Average()([L.Dense(1, activation="sigmoid")(x), L.Dense(1, activation="sigmoid")(x)])


def nested(*parts):
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), stacked(*parts)])


class Own(keras.Model):
    """A model that is no graph."""

    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1)

    def call(self, images):
        return keras.ops.sigmoid(self.dense(keras.ops.mean(images, axis=(1, 2))))


ENDS = {
    "logits": [
        lambda: stacked(L.Flatten(), L.Dense(3)),
        lambda: nested(L.Flatten(), L.Dense(3)),
        lambda: stacked(L.Flatten(), L.Dense(3), L.Dropout(0.5), L.Activation("linear")),
        lambda: keras.Sequential([nested(L.Flatten(), L.Dense(3)), stacked_dropout()]),
        lambda: stacked(L.Conv2D(3, 1), L.GlobalAveragePooling2D()),
        lambda: graph(L.Dense(3)),
    ],
    "probabilities": [
        lambda: stacked(L.Flatten(), L.Dense(3, activation="softmax")),
        lambda: nested(L.Flatten(), L.Dense(1), L.Activation("sigmoid", dtype="float32")),
        lambda: nested(L.Flatten(), L.Dense(3), L.Softmax()),
        lambda: stacked(L.Conv2D(3, SIDE), L.Reshape((3,)), L.Activation("softmax")),
        lambda: stacked(L.Conv2D(3, SIDE, activation="softmax"), L.Flatten()),
        lambda: graph(lambda x: keras.ops.sigmoid(L.Dense(1)(x))),
        lambda: graph(lambda x: L.Reshape((3,))(L.Dense(3, activation="softmax")(x))),
    ],
    None: [
        lambda: stacked(L.Flatten(), L.Dense(3, activation="tanh")),
        lambda: stacked(L.Flatten(), L.Dense(3), L.ReLU()),
        lambda: stacked(L.Flatten(), L.Dense(3), L.Lambda(lambda x: x / 2)),
        lambda: stacked(L.Conv2D(1, 1, activation="sigmoid"), L.GlobalAveragePooling2D()),
        lambda: graph(two_heads),
        lambda: graph(lambda x: L.Dropout(0.5)(two_heads(x))),
        lambda: keras.Sequential([graph(two_heads), keras.Sequential([L.Dropout(0.5)])]),
        Own,
    ],
}


def stacked_dropout():
    return keras.Sequential([keras.Input((3,)), L.Dropout(0.5)])


@pytest.mark.parametrize(
    ("expected", "build"), [(end, build) for end, builds in ENDS.items() for build in builds]
)
def test_how_a_model_ends(expected, build):
    assert layers.outputs(build()) == expected


def adapted(low, high):
    """A layer that was shown pictures of a range."""
    normalization = L.Normalization()
    pictures = np.random.default_rng(0).beta(2, 2, (9, SIDE, SIDE, 3))
    normalization.adapt(low + (high - low) * pictures)
    return normalization


ALL = ("0 to 255", "0 to 1", "-1 to 1")
TAKES = {
    "Rescaling to -1 to 1": (lambda: [L.Rescaling(1 / 127.5, offset=-1)], ("0 to 255",)),
    "Rescaling to 0 to 1": (lambda: [L.Rescaling(1 / 255)], ("0 to 255",)),
    # -3 to 1 is odd, but a network may have been fed with it.
    "Rescaling from 0 to 1": (lambda: [L.Rescaling(2.0, offset=-1)], ("0 to 1", "-1 to 1")),
    "Rescaling that changes nothing": (lambda: [L.Rescaling(1.0)], ALL),
    "twice": (lambda: [L.Rescaling(1 / 255), L.Rescaling(1 / 255)], ()),
    "in two steps": (
        lambda: [L.RandomFlip(), L.Rescaling(1 / 255), L.Rescaling(2.0, offset=-1)],
        ("0 to 255",),
    ),
    "Normalization of 0 to 255": (lambda: [adapted(0, 255)], ("0 to 255",)),
    "Normalization of 0 to 1": (lambda: [adapted(0, 1)], ("0 to 1",)),
    "ImageNet's mean and variance": (
        lambda: [L.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.0524, 0.0502, 0.0506])],
        ("0 to 1",),
    ),
    "a function": (lambda: [L.Lambda(lambda x: x / 127.5 - 1)], ("0 to 255",)),
    "means taken off, blue first": (
        lambda: [L.Lambda(keras.applications.vgg16.preprocess_input)],
        ("0 to 255",),
    ),
    "a padding before it": (
        lambda: [L.ZeroPadding2D(), L.Rescaling(1 / 127.5, offset=-1), L.ZeroPadding2D()],
        ("0 to 255",),
    ),
    "each picture by itself": (lambda: [L.LayerNormalization(axis=(1, 2, 3))], ALL),
    "nothing": (list, ALL),
    "nothing that is fixed": (lambda: [L.BatchNormalization()], ALL),
}


@pytest.mark.parametrize("form", [stacked, nested])
@pytest.mark.parametrize(("build", "expected"), TAKES.values(), ids=list(TAKES))
def test_which_pixels_a_model_takes(build, expected, form):
    model = form(*build(), L.Conv2D(2, 3), L.GlobalAveragePooling2D(), L.Dense(1))
    assert layers.pixels(model) == expected


@pytest.mark.parametrize(("scales", "expected"), [(True, ("0 to 255",)), (False, ALL)])
def test_a_base_that_scales_itself(scales, expected):
    base = keras.applications.MobileNetV3Small(
        input_shape=(32, 32, 3), include_top=False, weights=None, include_preprocessing=scales
    )
    assert layers.pixels(keras.Sequential([keras.Input((32, 32, 3)), base])) == expected


def test_arithmetic_in_the_graph_is_seen():
    inputs = keras.Input((SIDE, SIDE, 3))
    scaled = keras.applications.mobilenet_v2.preprocess_input(inputs)
    assert layers.pixels(keras.Model(inputs, L.Conv2D(2, 3)(scaled))) == ("0 to 255",)


def test_a_look_leaves_a_model_as_it_was(tmp_path):
    model = nested(L.Conv2D(2, 3, activation="relu"), L.GlobalAveragePooling2D(), L.Dense(1))
    images = np.ones((2, SIDE, SIDE, 3), "float32")
    before = model.predict(images, verbose=0)
    own = [dict(vars(leaf)) for leaf in layers.leaf_layers(model)]
    kinds = []
    layers.look(model, images, lambda leaf, *_: kinds.append(type(leaf).__name__))
    assert kinds == ["Conv2D", "GlobalAveragePooling2D", "Dense"]

    def stumble(*_):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        layers.look(model, images, stumble)
    assert [dict(vars(leaf)) for leaf in layers.leaf_layers(model)] == own
    np.testing.assert_array_equal(model.predict(images, verbose=0), before)
    model.save(tmp_path / "model.keras")


def test_leaves_come_once_and_in_order():
    shared = L.Dense(3)
    inputs = keras.Input((3,))
    base = keras.Sequential([keras.Input((3,)), L.ReLU(), shared])
    model = keras.Model(inputs, L.Add()([base(inputs), shared(inputs)]))
    kinds = [type(leaf).__name__ for leaf in layers.leaf_layers(model)]
    assert kinds == ["InputLayer", "ReLU", "Dense", "Add"]
