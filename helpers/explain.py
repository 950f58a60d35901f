"""Grad-CAM: where a network looked; and how well that fits the true outline of the animal."""

from __future__ import annotations

import difflib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight import layers
from helpers.preflight.layers import all_layers

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def grad_cam(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    *,
    at: str | None = None,
    batch_size: int = 64,
) -> np.ndarray:
    """Where in each picture the features stand that speak for a class.

    Each channel of a block of features is weighted by how much the class's logit rises with it, in
    the mean over all places. What sums to below 0 speaks against the class and is left out. Of a
    model that ends in a sigmoid or softmax, the logit is what goes into that: a probability near 0
    or 1 hardly moves with anything.

    Args:
        model: from pictures to `(n, 1)` or `(n, classes)`, logits or probabilities. It may be made
            of other models.
        images: `(n, height, width, 3)`, as `model` takes them.
        classes: int `(n,)`, for which class each map asks.
        at: the name of the layer that gives the block, `(n, rows, columns, channels)`, at whatever
            depth; by default the last one that does.
        batch_size: pictures at a time.

    Returns:
        float32 `(n, height, width)`, each map's highest value 1, or all 0 where nothing speaks for
        the class. Source: Selvaraju and others (2017), 'Grad-CAM: Visual Explanations from Deep
        Networks via Gradient-based Localization'.

    Raises:
        ValueError: where no such layer gives a block, the model's end does not tell what its logits
            are, or there is not a class for each picture.
    """
    images, classes = np.asarray(images), np.asarray(classes)
    end, activation = layers.ending(model)
    if activation is None:
        raise ValueError(
            "Received: a model whose last layer does not tell its logits. Expected: a Dense layer "
            "without activation, or a sigmoid or softmax, at the end."
        )
    _check_classes(classes, len(images), model.output_shape[-1])
    layer = _last_block(model, images[:1]) if at is None else _find(model, at)
    starts = range(0, len(images), batch_size)
    parts = [slice(start, start + batch_size) for start in starts]
    asked = _Asked(model, layer, end, activation)
    classes = classes.astype("int64")
    return np.concatenate([_maps(asked, images[part], classes[part]) for part in parts])


@dataclass(frozen=True)
class _Asked:
    """A model, the layer of it that gives the block, and what computes its last activation."""

    model: keras.Model
    layer: keras.layers.Layer
    end: Any
    activation: str


def _check_classes(classes: np.ndarray, count: int, outputs: int) -> None:
    """Say at once what TensorFlow would say in its own words, or not at all."""
    expected = f"int ({count},), the number of a class for each picture"
    if classes.ndim == 2:
        raise ValueError(
            f"Received: classes of shape {classes.shape}. Expected: {expected}. Of one-hot rows, "
            f"pass classes.argmax(axis=1)."
        )
    if classes.shape != (count,) or count == 0 or classes.dtype.kind not in "iu":
        raise ValueError(
            f"Received: classes of shape {classes.shape} and type {classes.dtype} for {count} "
            f"pictures. Expected: {expected}. Pass evaluation.predicted_classes(logits), or labels."
        )
    if classes.min() < 0 or classes.max() >= max(2, outputs):
        raise ValueError(
            f"Received: classes from {classes.min()} to {classes.max()}. Expected: 0 to "
            f"{max(2, outputs) - 1}, for the model has {outputs} output{'s' * (outputs > 1)}."
        )


def _last_block(model: keras.Model, image: np.ndarray) -> keras.layers.Layer:
    """The last layer that gives a block of more than one place."""
    found: list[keras.layers.Layer] = []

    def see(leaf: keras.layers.Layer, _: Any, given: Any) -> None:
        shape: tuple[int, ...] = getattr(given, "shape", ())
        if len(shape) == 4 and shape[1] * shape[2] > 1:
            found.append(leaf)

    layers.look(model, image.astype("float32"), see)
    if not found:
        raise ValueError(
            "Received: a model without a block of features. Expected: a layer that gives (n, rows, "
            "columns, channels), such as a convolution."
        )
    return found[-1]


def _find(model: keras.Model, name: str) -> keras.layers.Layer:
    """The layer of that name, at whatever depth."""
    inside = list(dict.fromkeys(all_layers(model)))[1:]
    found = [layer for layer in inside if layer.name == name]
    if len(found) != 1:
        near = difflib.get_close_matches(name, [layer.name for layer in inside], 5, 0.0)
        raise ValueError(
            f"Received: at='{name}', the name of {len(found)} layers of the model. Expected: that "
            f"of one, such as {', '.join(near)}."
        )
    return found[0]


def _maps(asked: _Asked, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The maps of one batch."""
    import keras
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        block, logits = _block_and_logits(asked, images.astype("float32"), tape)
        score = _scores(logits, classes)
    gradient = tape.gradient(score, block)
    if gradient is None:
        raise ValueError(
            f"Received: at='{asked.layer.name}', on which no logit depends. Expected: a layer "
            f"between the pictures and the head."
        )
    importance = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
    speaks = tf.nn.relu(tf.reduce_sum(importance * block, axis=-1, keepdims=True))
    maps = keras.ops.image.resize(speaks, images.shape[1:3], interpolation="bilinear")
    maps = np.asarray(maps, "float32")[..., 0]
    highest = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, highest, out=np.zeros_like(maps), where=highest > 0)


def _block_and_logits(
    asked: _Asked, images: np.ndarray, tape: tf.GradientTape
) -> tuple[tf.Tensor, tf.Tensor]:
    """What the layer gives, watched from there on, and the logits of the same pictures.

    The logits are what goes into the last activation, where there is one.
    """
    import tensorflow as tf

    blocks: list[tf.Tensor] = []
    before: list[tf.Tensor] = []

    def watch(_: Any, given: tf.Tensor) -> None:
        tape.watch(given)
        blocks.append(given)

    with ExitStack() as stack:
        stack.enter_context(layers.seen(asked.layer, "call", watch))
        if asked.activation != "linear":
            function = "activation" if hasattr(asked.end, "activation") else "call"
            see = layers.seen(asked.end, function, lambda taken, _: before.append(taken))
            stack.enter_context(see)
        given = asked.model(images, training=False)
        # What changed the shape behind the activation changes its logits' shape alike.
        logits = tf.reshape(before[-1], given.shape) if before else given
    _check_block(asked.layer, blocks)
    return blocks[0], logits


def _check_block(layer: keras.layers.Layer, blocks: list[tf.Tensor]) -> None:
    if len(blocks) != 1 or len(blocks[0].shape) != 4:
        shapes = " and ".join(str(tuple(one.shape)) for one in blocks) or "nothing"
        raise ValueError(
            f"Received: at='{layer.name}', which gives {shapes}. Expected: a layer that is called "
            f"once and gives (n, rows, columns, channels), before the pooling."
        )


def _scores(logits: tf.Tensor, classes: np.ndarray) -> tf.Tensor:
    """The logit of each picture's class; with one logit, it speaks for class 1, against class 0."""
    import tensorflow as tf

    if logits.shape[1] == 1:
        return logits[:, 0] * tf.constant(2.0 * classes - 1.0, logits.dtype)
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
