"""Grad-CAM against class activation maps, which it equals behind pooling and one Dense layer."""

import keras
import numpy as np
import pytest

from helpers import explain


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (7, 24, 24, 3)).astype("float32")


def parts(outputs):
    """A convolution to 6 x 6 places, and a head on its mean."""
    keras.utils.set_random_seed(0)
    below = keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(5, 4, strides=4, activation="relu"),
        ]
    )
    pooling, dense = keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(outputs)
    return below, keras.Sequential([keras.Input((6, 6, 5)), pooling, dense])


@pytest.mark.parametrize("outputs", [1, 3])
def test_maps_equal_class_activation_maps(images, outputs):
    below, above = parts(outputs)
    classes = np.arange(7) % max(outputs, 2)
    found = explain.grad_cam(below, above, images, classes, batch_size=3)
    kernel = above.layers[-1].kernel.numpy()
    sign = np.where(classes == 1, 1.0, -1.0) if outputs == 1 else np.ones(7)
    kernels = np.stack([kernel[:, 0] if outputs == 1 else kernel[:, one] for one in classes])
    activation = np.einsum("nhwc,nc,n->nhw", below.predict(images, verbose=0), kernels, sign)
    expected = np.asarray(keras.ops.image.resize(np.maximum(activation, 0)[..., None], (24, 24)))
    expected = (
        expected[..., 0] / np.maximum(expected[..., 0].max(axis=(1, 2)), 1e-12)[:, None, None]
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.shape == (7, 24, 24) and found.max() == 1.0


def test_what_speaks_against_a_class_is_left_out(images):
    below, above = parts(1)
    above.layers[-1].set_weights([np.ones((5, 1)), np.zeros(1)])
    assert explain.grad_cam(below, above, images, np.ones(7, int)).max(axis=(1, 2)).min() == 1.0
    assert explain.grad_cam(below, above, images, np.zeros(7, int)).max() == 0.0


def test_a_model_cut_behind_its_pooling_is_refused(images):
    below, above = parts(1)
    pooled = keras.Sequential([*below.layers, keras.layers.GlobalAveragePooling2D()])
    pooled.build((None, 24, 24, 3))
    with pytest.raises(ValueError, match="Cut the model before its pooling"):
        explain.grad_cam(pooled, above, images, np.zeros(7, int))
    with pytest.raises(ValueError, match="Received: 7 pictures and 2 classes"):
        explain.grad_cam(below, above, images, np.zeros(2, int))


def test_share_inside_the_outline():
    maps = np.zeros((3, 2, 2), "float32")
    maps[0], maps[1, 0, 0] = 1.0, 1.0
    outlines = np.zeros((3, 2, 2), bool)
    outlines[:, 0] = True
    shares = explain.share_inside(maps, outlines)
    assert shares[:2].tolist() == [0.5, 1.0] and np.isnan(shares[2])
    with pytest.raises(ValueError, match="Expected: the same shape"):
        explain.share_inside(maps, outlines[:2])
