"""Grad-CAM: where a network looked; and how well that fits the true outline of the animal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


def grad_cam(
    below: keras.Model,
    above: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    batch_size: int = 64,
) -> np.ndarray:
    """Where in each picture the features stand that speak for a class.

    Each channel of the block between the two models is weighted by how much the class's logit
    rises with it, in the mean over all places. What sums to below 0 speaks against the class and
    is left out.

    Args:
        below: from pictures to a block, `(n, rows, columns, channels)`.
        above: from that block to logits, `(n, 1)` or `(n, classes)`.
        images: `(n, height, width, 3)`, as `below` takes them.
        classes: int `(n,)`, for which class each map asks.
        batch_size: pictures at a time.

    Returns:
        float32 `(n, height, width)`, each map's highest value 1, or all 0 where nothing speaks for
        the class. Source: Selvaraju and others (2017), 'Grad-CAM: Visual Explanations from Deep
        Networks via Gradient-based Localization'.

    Raises:
        ValueError: where the block has no places, or there is not a class for each picture.
    """
    if len(below.output_shape) != 4:
        raise ValueError(
            f"Received: a block of shape {below.output_shape}. Expected: (n, rows, columns, "
            f"channels). Cut the model before its pooling."
        )
    if len(images) != len(classes):
        raise ValueError(
            f"Received: {len(images)} pictures and {len(classes)} classes. Expected: one each."
        )
    starts = range(0, len(images), batch_size)
    parts = [slice(start, start + batch_size) for start in starts]
    return np.concatenate([_maps(below, above, images[part], classes[part]) for part in parts])


def _maps(
    below: keras.Model, above: keras.Model, images: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """The maps of one batch."""
    import keras
    import tensorflow as tf

    block = tf.convert_to_tensor(below(images.astype("float32"), training=False))
    with tf.GradientTape() as tape:
        tape.watch(block)
        score = _scores(above(block, training=False), classes)
    gradient = tape.gradient(score, block)
    importance = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
    speaks = tf.nn.relu(tf.reduce_sum(importance * block, axis=-1, keepdims=True))
    maps = keras.ops.image.resize(speaks, images.shape[1:3], interpolation="bilinear")
    maps = np.asarray(maps)[..., 0]
    highest = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, highest, out=np.zeros_like(maps), where=highest > 0)


def _scores(logits: Any, classes: np.ndarray) -> Any:
    """The logit of each picture's class; with one logit, it speaks for class 1, against class 0."""
    import tensorflow as tf

    if logits.shape[1] == 1:
        return logits[:, 0] * tf.constant(2.0 * np.asarray(classes) - 1.0, logits.dtype)
    return tf.gather(logits, tf.constant(classes), axis=1, batch_dims=1)


def share_inside(maps: np.ndarray, outlines: np.ndarray) -> np.ndarray:
    """The share of each map that lies inside the outline.

    A map that knows nothing, the same everywhere, scores the outline's share of the picture.

    Args:
        maps: `(n, height, width)`, 0 or more.
        outlines: bool of the same shape.

    Returns:
        `(n,)`, 0 to 1; NaN for a map that is 0 everywhere. Source: the energy-based pointing game
        of Wang and others (2020), 'Score-CAM: Score-Weighted Visual Explanations for Convolutional
        Neural Networks'.

    Raises:
        ValueError: where the shapes differ.
    """
    if maps.shape != outlines.shape:
        raise ValueError(
            f"Received: maps of shape {maps.shape} and outlines of shape {outlines.shape}. "
            f"Expected: the same shape."
        )
    whole = maps.sum(axis=(1, 2))
    inside = (maps * outlines).sum(axis=(1, 2))
    return np.divide(inside, whole, out=np.full(len(maps), np.nan), where=whole > 0)
