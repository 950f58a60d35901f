"""Check that pictures reach the base in the range and channel order it was trained on."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight import copies
from helpers.preflight.layers import leaf_layers, sources
from helpers.preflight.report import Finding, Skip
from helpers.preflight.setup import Setup, forward, is_pretrained

if TYPE_CHECKING:
    import keras

PICTURES = 32
# Mean over channels of the divergence, in nats, each channel capped at 10. Measured on 32 pictures:
# sound inputs 0.00 to 0.06, and 0.16 where drawings meet a base of photographs or the other way
# round; 0 to 1 in place of -1 to 1 0.46 to 0.70, scaled twice 1.6 and more, not scaled 6.9 up.
MISFIT, CAP = 0.3, 10.0
# Blue and red swapped: sound inputs fit better by 0.01 to 0.04 in each batch of 32 photographs.
ORDER_GAIN, ORDER_BATCHES = 0.01, 3
CAFFE_MEAN = np.array([103.939, 116.779, 123.68], np.float32)
TORCH_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
TORCH_STD = np.array([0.229, 0.224, 0.225], np.float32)
# What the pictures would have to be, were they wrong in the way that stands in front: the change
# that mends them is sent in, and whether it fits the base better is looked at.
MENDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "x / 127.5 - 1": lambda x: x / 127.5 - 1,
    "x / 255": lambda x: x / 255,
    "2 * x - 1": lambda x: 2 * x - 1,
    "2 * x - 255": lambda x: 2 * x - 255,
    "127.5 * (x + 1)": lambda x: 127.5 * (x + 1),
    "255 * x": lambda x: 255 * x,
    "x[..., ::-1]": lambda x: x[..., ::-1],
    "x[..., ::-1] - (103.939, 116.779, 123.68)": lambda x: x[..., ::-1] - CAFFE_MEAN,
    "(x / 255 - mean) / deviation of ImageNet": lambda x: (x / 255 - TORCH_MEAN) / TORCH_STD,
}


COLOUR_MENDS = tuple(MENDS)[6:]
# What the families of keras.applications take where they do not scale their pictures themselves.
FAMILIES = {
    r"mobilenet(v2)?(_|$)|inception|xception|nasnet|resnet\d+v2": "-1 to 1",
    r"vgg|resnet\d+$": "caffe",
    r"densenet": "torch",
    r"efficientnet|convnext|mobilenet_?v3|regnet|resnet_?rs": "0 to 255",
}
PREPROCESS = {"caffe": "vgg16", "torch": "densenet", "-1 to 1": "mobilenet_v2"}


def check_scaling(setup: Setup) -> Iterator[Finding]:
    """Pictures scaled otherwise than the base expects, or blue and red swapped.

    First source: what the sample makes of the first pretrained BatchNormalization, against the
    mean and variance stored there. Each channel's pair is taken as a normal distribution and the
    divergence (Kullback and Leibler, 1951) between the two measured. Where it is large and one of
    `MENDS` on the pictures brings it to less than a half, they are scaled wrongly.
    Second source, where no statistics are stored: the range that `keras.applications` documents for
    a base of that name, against the range of what reaches it.
    """
    import keras

    if not copies.are_pictures(setup.train.images):
        raise Skip(f"inputs of shape {setup.train.images.shape[1:]} are no pictures")
    found = [
        one for one in leaf_layers(setup.model) if isinstance(one, keras.layers.BatchNormalization)
    ]
    first = next((layer for layer in found if is_pretrained(layer)), None)
    if first is None or first is not found[0] or setup.has_trained:
        yield from _by_name(setup)
    else:
        yield from _by_statistics(setup, first)


def _by_statistics(setup: Setup, first: keras.layers.BatchNormalization) -> Iterator[Finding]:
    """Compare the sample with the stored statistics, as it is and as it would be mended."""
    images = setup.train.images.astype(np.float32)
    batches = [images[start : start + PICTURES] for start in range(0, len(images), PICTURES)]
    now = _misfit(setup.model, first, batches[0])
    if now.divergence > MISFIT:
        yield from _better_scaling(setup, first, batches[0], now)
        return
    batches = [batch for batch in batches if len(batch) == PICTURES]
    if images.shape[-1] == 3 and len(batches) >= ORDER_BATCHES:
        yield from _better_swapped(setup.model, first, batches, now)


def _better_swapped(
    model: keras.Model,
    first: keras.layers.BatchNormalization,
    batches: list[np.ndarray],
    now: _Misfit,
) -> Iterator[Finding]:
    """Whether each batch, of which the first is `now`, fits better with blue and red swapped."""
    least = np.inf
    for number, batch in enumerate(batches):
        fit = _misfit(model, first, batch) if number else now
        swapped = _misfit(model, first, batch[..., ::-1])
        least = min(least, fit.divergence - swapped.divergence)
        if least <= ORDER_GAIN:  # one batch that does not is enough
            return
    yield Finding(
        "scaling",
        "warning",
        f"In each of {len(batches)} batches, the pictures fit the statistics stored in "
        f"'{first.name}' better with blue and red swapped (by {least:.2f} nats or more).",
        "images = images[..., ::-1], if they come as blue, green, red (OpenCV reads so).",
    )


def _better_scaling(
    setup: Setup, first: keras.layers.BatchNormalization, images: np.ndarray, now: _Misfit
) -> Iterator[Finding]:
    """The mend under which the pictures fit best, where one fits far better.

    Raises:
        Skip: where none does, so that something else must differ.
    """
    usable = [n for n in MENDS if images.shape[-1] == 3 or n not in COLOUR_MENDS]
    fits = {n: _misfit(setup.model, first, MENDS[n](images)) for n in usable}
    name, best = min(fits.items(), key=lambda item: item[1].divergence)
    if best.divergence > now.divergence / 2:
        raise Skip(
            f"pictures of {setup.train.low:g} to {setup.train.high:g} do not fit the "
            f"statistics of '{first.name}' ({now}), and no usual scaling does better"
        )
    yield Finding(
        "scaling",
        "error",
        f"Pictures of {setup.train.low:g} to {setup.train.high:g} reach the base other than "
        f"in its training: at '{first.name}' {now}. Changed to {name} they fit: {best}.",
        f"Let the pictures x that you pass in be {name}; or take out, or change, the scaling that "
        f"the model does itself.",
    )


@dataclass(frozen=True)
class _Misfit:
    """A sample against stored statistics: mean divergence, and two medians over channels."""

    divergence: float
    ratio: float
    shift: float

    def __repr__(self) -> str:
        return (
            f"deviations are {self.ratio:.3g} times the stored ones, means are off by "
            f"{self.shift:.2g} stored deviations"
        )


def _misfit(
    model: keras.Model, first: keras.layers.BatchNormalization, images: np.ndarray
) -> _Misfit:
    """Send pictures through in training mode; a momentum of 0 stores a batch's own statistics.

    All other BatchNormalization layers stay frozen. The stored statistics are put back.
    """
    import keras

    mean, variance = np.array(first.moving_mean), np.array(first.moving_variance)
    for layer in leaf_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = layer is first
    first.momentum = 0.0
    try:
        with _no_further_than(first):
            forward(model, images, training=True)
        now, spread = np.array(first.moving_mean), np.array(first.moving_variance)
    finally:
        first.moving_mean.assign(mean)
        first.moving_variance.assign(variance)
    variance, spread = variance + first.epsilon, spread + first.epsilon
    ratio, shift = spread / variance, (now - mean) ** 2 / variance
    divergence = 0.5 * (ratio + shift - 1 - np.log(ratio))
    return _Misfit(
        float(np.minimum(divergence, CAP).mean()),
        float(np.median(np.sqrt(ratio))),
        float(np.median(np.sqrt(shift))),
    )


class _Reached(BaseException):
    """What follows need not be computed; Keras changes errors that are an `Exception`."""


@contextlib.contextmanager
def _no_further_than(layer: keras.layers.Layer) -> Iterator[None]:
    """Within, a call of the model ends with this layer, unless it goes on as a graph."""
    import tensorflow as tf

    call = layer.call

    def call_and_stop(*arguments: Any, **options: Any) -> Any:
        given = call(*arguments, **options)
        if tf.executing_eagerly():
            raise _Reached
        return given

    layer.call = call_and_stop
    try:
        yield
    except _Reached:
        pass
    finally:
        del layer.call


def _by_name(setup: Setup) -> Iterator[Finding]:
    """Judge what reaches a base of `keras.applications` by its name.

    Raises:
        Skip: where the model holds no base of a known name, or what reaches it cannot be had.
    """
    base, expected = _named_base(setup.model)
    reaching = _reaching(setup.model, base, setup.train.images.astype(np.float32))
    low, high, spread = float(reaching.min()), float(reaching.max()), float(reaching.std())
    if _in_range(expected, low, high, spread):
        return
    takes = f"{expected}" if "to" in expected else f"the scaling of '{expected}'"
    yield Finding(
        "scaling",
        "error",
        f"What reaches the base '{base.name}' lies within {low:.3g} to {high:.3g}; it expects "
        f"{takes}.",
        f"keras.applications.{PREPROCESS[expected]}.preprocess_input on pictures of 0 to 255."
        if expected in PREPROCESS
        else "Pass pictures of 0 to 255: this base scales them itself.",
    )


def _named_base(model: keras.Model) -> tuple[Any, str]:
    """The first nested model of a known family, and what it takes.

    Raises:
        Skip: where there is none, or where its family scales pictures itself and it does not: it
            was built with `include_preprocessing=False`, and what it takes then is not written.
    """
    for layer in model.layers:
        expected = _family(layer.name) if getattr(layer, "layers", None) else None
        if expected is None:
            continue
        kinds = {type(inner).__name__ for inner in layer.layers}
        if kinds & {"Rescaling", "Normalization"}:
            return layer, "0 to 255"
        if expected == "0 to 255":
            raise Skip(f"the base '{layer.name}' does not scale pictures, as its family does")
        return layer, expected
    raise Skip(
        "no pretrained BatchNormalization in front, and no nested base whose name is known from "
        "keras.applications"
    )


def _family(name: str) -> str | None:
    """What a base of that name takes, None where the name is not known."""
    return next((takes for pattern, takes in FAMILIES.items() if re.match(pattern, name)), None)


def _in_range(expected: str, low: float, high: float, spread: float) -> bool:
    """Whether values look as if they had been scaled in that way."""
    if expected == "-1 to 1":
        return -1.1 <= low < -0.05 and high <= 1.1 and spread > 0.05
    if expected == "caffe":
        return -130 <= low < -20 and 3 < high <= 160
    if expected == "torch":
        return -2.5 <= low < -0.2 and high <= 3 and spread > 0.1
    return low >= -1 and 3 < high <= 256


def _reaching(model: keras.Model, base: Any, images: np.ndarray) -> np.ndarray:
    """What a nested model is called on, for pictures that go into the outer one."""
    import keras

    if isinstance(model, keras.Sequential):
        values = images
        for layer in model.layers[: model.layers.index(base)]:
            values = layer(values, training=False) if _takes_training(layer) else layer(values)
        return np.array(values)
    node = next(entry for entry in model.get_config()["layers"] if entry["name"] == base.name)
    source = next(sources(node["inbound_nodes"]))
    operation = next(one for one in model.operations if one.name == source)
    return forward(keras.Model(model.inputs[0], operation.output, name="reaching"), images)


def _takes_training(layer: keras.layers.Layer) -> bool:
    """Whether a layer behaves otherwise in training, as augmentation does."""
    return bool(getattr(layer, "layers", None)) or type(layer).__name__.startswith("Random")
