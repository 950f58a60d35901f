"""Grad-CAM against class activation maps, which it equals behind pooling and one Dense layer."""

import keras
import numpy as np
import pytest

from helpers import bases, explain
from helpers.preflight import layers


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (7, 24, 24, 3)).astype("float32")


def body():
    """Scaling and a convolution to 6 x 6 places."""
    return [
        keras.layers.Rescaling(1 / 127.5, offset=-1),
        keras.layers.Conv2D(5, 4, strides=4, activation="relu", name="block"),
    ]


def network(outputs=1, end="linear", form="nested", steepness=1.0):
    """The body, pooling and one Dense layer, with the end written in one of three ways."""
    keras.utils.set_random_seed(0)
    own = None if end in {"layer", "linear"} else end
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(outputs, activation=own)]
    if end == "layer":
        head += [keras.layers.Activation("sigmoid" if outputs == 1 else "softmax")]
    inputs = keras.Input((24, 24, 3))
    if form == "flat":
        model = keras.Sequential([inputs, *body(), *head])
    else:
        base = keras.Sequential([inputs, *body()], name="base")
        x = keras.Input((24, 24, 3))
        model = keras.Model(x, keras.Sequential([keras.Input((6, 6, 5)), *head])(base(x)))
    dense = layers.leaf_layers(model)[3 if form == "flat" else -1 - (end == "layer")]
    dense.set_weights([steepness * dense.kernel.numpy(), dense.bias.numpy()])
    return model, dense.kernel.numpy()


def class_activation_maps(model, kernel, images, classes):
    """By Zhou and others (2016): the kernel's sum over the channels of the block."""
    inside = {layer.name: layer for layer in layers.leaf_layers(model)}
    block = inside["block"](images / 127.5 - 1).numpy()
    outputs = kernel.shape[1]
    kernels = np.stack([kernel[:, 0] if outputs == 1 else kernel[:, one] for one in classes])
    sign = np.where(classes == 1, 1.0, -1.0) if outputs == 1 else np.ones(len(images))
    maps = np.maximum(np.einsum("nhwc,nc,n->nhw", block, kernels, sign), 0)[..., None]
    maps = np.asarray(keras.ops.image.resize(maps, (24, 24)))[..., 0]
    return maps / np.maximum(maps.max(axis=(1, 2)), 1e-12)[:, None, None]


@pytest.mark.parametrize("form", ["flat", "nested"])
@pytest.mark.parametrize(
    ("outputs", "end"),
    [(1, "linear"), (3, "linear"), (1, "sigmoid"), (3, "softmax"), (1, "layer"), (3, "layer")],
)
def test_maps_equal_class_activation_maps(images, outputs, end, form):
    model, kernel = network(outputs, end, form, steepness=1e4)  # every sigmoid is saturated
    classes = np.arange(7) % max(outputs, 2)
    before = model.predict(images, verbose=0)
    if end != "linear":
        assert np.all((before < 1e-6) | (before > 1 - 1e-6))
    found = explain.grad_cam(model, images, classes, batch_size=3)
    expected = class_activation_maps(model, kernel, images, classes)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.shape == (7, 24, 24) and found.max() == 1.0
    np.testing.assert_array_equal(model.predict(images, verbose=0), before)


@pytest.fixture(scope="module")
def pretrained():
    """A base, and a model in which it is nested."""
    keras.utils.set_random_seed(0)
    base, inputs = bases.load("drawn"), keras.Input((96, 96, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(base(inputs))
    return base, keras.Model(inputs, keras.layers.Dense(3)(pooled))


@pytest.mark.parametrize("at", ["block_5_add", "block_6_depthwise", None])
def test_a_nested_base_equals_a_model_of_two_outputs(pretrained, at):
    """The form of Keras's own example: a gradient between two outputs of one flat model."""
    import tensorflow as tf

    base, nested = pretrained
    last = base.get_layer(at).output if at else base.output
    x = base.output
    for layer in nested.layers[2:]:
        x = layer(x)
    both = keras.Model(base.input, [last, x])
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 96, 96, 3)).astype("float32")
    with tf.GradientTape() as tape:
        block, logits = both(pixels, training=False)
        score = logits[:, 2]
    importance = tf.reduce_mean(tape.gradient(score, block), axis=(1, 2), keepdims=True)
    speaks = tf.nn.relu(tf.reduce_sum(importance * block, axis=-1, keepdims=True))
    expected = np.array(keras.ops.image.resize(speaks, (96, 96)))[..., 0]
    expected /= np.maximum(expected.max(axis=(1, 2), keepdims=True), 1e-12)
    found = explain.grad_cam(nested, pixels, np.full(3, 2), at=at)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_speaks_against_a_class_is_left_out(images):
    model, _ = network()
    layers.leaf_layers(model)[-1].set_weights([np.ones((5, 1)), np.zeros(1)])
    assert explain.grad_cam(model, images, np.ones(7, int)).max(axis=(1, 2)).min() == 1.0
    assert explain.grad_cam(model, images, np.zeros(7, int)).max() == 0.0


@pytest.mark.parametrize(
    ("outputs", "classes", "message"),
    [
        (3, np.eye(3)[np.arange(7) % 3], r"shape \(7, 3\).*one-hot rows, pass classes.argmax"),
        (1, np.full(7, 5), "classes from 5 to 5. Expected: 0 to 1, for the model has 1 output"),
        (3, np.full(7, 3), "classes from 3 to 3. Expected: 0 to 2"),
        (3, np.full(7, -1), "classes from -1 to -1"),
        (1, np.full(7, 0.7), r"type float64 for 7 pictures. Expected: int \(7,\)"),
        (1, np.zeros(2, int), r"shape \(2,\) .* for 7 pictures"),
    ],
)
def test_classes_that_the_model_has_not_are_refused(images, outputs, classes, message):
    with pytest.raises(ValueError, match=message):
        explain.grad_cam(network(outputs)[0], images, classes)


def test_layers_that_will_not_do_are_refused(images):
    model, classes = network(form="flat")[0], np.zeros(7, int)
    with pytest.raises(ValueError, match=r"the name of 0 layers .* such as block, "):
        explain.grad_cam(model, images, classes, at="blocks")
    pooling = model.layers[2].name
    with pytest.raises(ValueError, match=r"Expected: a layer .* before the pooling"):
        explain.grad_cam(model, images, classes, at=pooling)
    flat = keras.Sequential(
        [keras.Input((24, 24, 3)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    with pytest.raises(ValueError, match="without a block of features"):
        explain.grad_cam(flat, images, classes)


@pytest.mark.parametrize("end", ["tanh", "relu"])
def test_an_end_that_tells_no_logits_is_refused(images, end):
    with pytest.raises(ValueError, match="last layer does not tell its logits"):
        explain.grad_cam(network(end=end)[0], images, np.zeros(7, int))


def test_share_inside_the_outline():
    maps = np.zeros((3, 2, 2), "float32")
    maps[0], maps[1, 0, 0] = 1.0, 1.0
    outlines = np.zeros((3, 2, 2), bool)
    outlines[:, 0] = True
    shares = explain.share_inside(maps, outlines)
    assert shares[:2].tolist() == [0.5, 1.0] and np.isnan(shares[2])
    with pytest.raises(ValueError, match="Expected: the same shape"):
        explain.share_inside(maps, outlines[:2])
