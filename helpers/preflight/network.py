"""Checks of the layers themselves: dropout, kernels, penalties, activations in a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.layers import chain, leaf_layers, output_layer
from helpers.preflight.report import Finding, Skip
from helpers.preflight.setup import ENDS, Setup

if TYPE_CHECKING:
    import keras

# `rate` is the share that is set to zero; the networks of `keras.applications` set half at most.
MUCH = 0.7
ACTIVATIONS = {name.replace("_", "") for name in ENDS} - {"linear"} | {"prelu"}
# What may stand between two activations, and between two layers that are linear together.
PASSING = {"Dropout", "SpatialDropout2D", "GaussianDropout", "Flatten", "Reshape", "Identity"}
LINEAR = PASSING | {"BatchNormalization", "ZeroPadding2D", "AveragePooling2D"}
# A penalty of so many times the loss of knowing nothing leaves the labels hardly any weight.
HEAVY = 10.0
# Not linear, but no place for an activation either: `MaxPooling2D` is mostly meant to follow one.
POOLING = "MaxPooling2D"


def check_layers(setup: Setup) -> Iterator[Finding]:
    """Dropout of most units or of outputs, hidden kernels of one number, two of a kind in a row.

    The order of layers is read from the model's end to where several paths join, so of a flat
    residual network only the head is judged, and of a model of an own class nothing.
    """
    layers = leaf_layers(setup.model)
    if not any(layer.trainable_weights for layer in layers):
        raise Skip("nothing of the model is trainable")
    order = chain(setup.model)
    yield from _much_dropout(layers)
    yield from _dropout_of_outputs(order)
    yield from _softmax_inside(order)
    yield from _penalties(setup)
    yield from _constant_kernels(layers, output_layer(setup.model) or layers[-1])
    yield from _activations_in_a_row(order)
    yield from _linear_in_a_row(order)


def _much_dropout(layers: list[keras.layers.Layer]) -> Iterator[Finding]:
    found = [layer for layer in layers if _is_dropout(layer) and layer.rate >= MUCH]
    if not found:
        return
    layer = found[0]  # in the mend, the share that stays may have been written for the rate
    yield Finding(
        "layers",
        "warning",
        f"'{layer.name}' drops {layer.rate:.0%} of what it is given in training (in all, "
        f"{len(found)} layers drop {MUCH:.0%} or more): the rate is the share that goes.",
        f"keras.layers.{type(layer).__name__}({min(max(1 - layer.rate, 0.1), 0.5):.2g})",
    )


def _dropout_of_outputs(parts: list[Any]) -> Iterator[Finding]:
    """Dropout behind the last weights, which sets outputs to zero."""
    last = max((n for n, part in enumerate(parts) if _multiplies(part)), default=len(parts))
    found = [part for part in parts[last:] if _is_dropout(part) and part.rate > 0]
    if found:
        yield Finding(
            "layers",
            "error",
            f"'{found[0].name}' stands behind the last weights: in training it sets "
            f"{found[0].rate:.0%} of the model's outputs to zero, whatever the picture.",
            f"Put '{found[0].name}' in front of '{parts[last].name}'.",
        )


def _softmax_inside(parts: list[Any]) -> Iterator[Finding]:
    """Probabilities of one head, such as ImageNet's, which go into the weights of another."""
    before = None
    for part in parts:
        if before is not None and _multiplies(part):
            yield Finding(
                "layers",
                "warning",
                f"'{part.name}' is given the probabilities of '{before.name}', a softmax within "
                f"the network: of what the base sees, they keep the shares of its own classes.",
                "include_top=False for a base of keras.applications, and GlobalAveragePooling2D() "
                "behind it; or activation='relu' in a hidden layer.",
            )
            return
        if _activation(part) == "softmax":
            before = part
        elif type(part).__name__ not in LINEAR:
            before = None


def _penalties(setup: Setup) -> Iterator[Finding]:
    """What regularizers add, so large that the loss of the labels hardly counts."""
    penalty = sum(float(np.array(one)) for one in setup.model.losses)
    nothing = float(np.log(max(setup.classes, 2)))
    if penalty > HEAVY * nothing:
        yield Finding(
            "layers",
            "warning",
            f"Regularizers add {penalty:.3g} to the loss, and knowing nothing costs {nothing:.2f}: "
            f"training will shrink weights and hardly look at labels.",
            "A smaller factor, such as keras.regularizers.L2(1e-4).",
        )


def _is_dropout(layer: keras.layers.Layer) -> bool:
    return "Dropout" in type(layer).__name__ and isinstance(getattr(layer, "rate", None), float)


def _constant_kernels(
    layers: list[keras.layers.Layer], last: keras.layers.Layer
) -> Iterator[Finding]:
    """Hidden units that are all equal learn the same; an output layer may begin so."""
    found = [layer for layer in layers if layer is not last and _is_constant(layer)]
    if not found:
        return
    number = float(np.array(found[0].kernel).flat[0])
    yield Finding(
        "layers",
        "error",
        f"All weights of '{found[0].name}' are {number:g} (in all, {len(found)} hidden layers are "
        f"constant): its units are equal, and each step changes them alike.",
        "kernel_initializer='glorot_uniform', which is what Keras takes without the argument.",
    )


def _is_constant(layer: keras.layers.Layer) -> bool:
    """Whether a layer of several units has a kernel of one number."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None or len(kernel.shape) < 2 or kernel.shape[-1] < 2:
        return False
    return bool(np.ptp(np.array(kernel)) == 0)


def _activations_in_a_row(parts: list[Any]) -> Iterator[Finding]:
    """Two activations with no weights between them."""
    before = None
    for part in parts:
        name = _activation(part)
        if name is not None and before is not None and not _multiplies(part):
            yield Finding(
                "layers",
                "warning",
                f"'{part.name}' ({name}) follows '{before.name}' ({_activation(before)}): two "
                f"activations one after the other, without weights between them.",
                f"Leave one out: '{part.name}', or the activation of '{before.name}'.",
            )
            return
        if name is not None or _multiplies(part) or type(part).__name__ not in PASSING:
            before = part if name is not None else None


def _activation(part: Any) -> str | None:
    """The name of a part's activation, None for linear and for none."""
    written = getattr(part, "activation", None)
    kind = type(part).__name__.lower()
    if written is None:
        return kind if kind in ACTIVATIONS else None
    name = getattr(written, "__name__", type(written).__name__)
    return None if name == "linear" else name


def _multiplies(part: Any) -> bool:
    """Whether a part has a matrix of weights of its own."""
    return any(len(weight.shape) > 1 for weight in getattr(part, "weights", ()))


def _linear_in_a_row(parts: list[Any]) -> Iterator[Finding]:
    """Two layers of one kind without an activation between them, which could be one."""
    before, pooled = None, False
    for part in parts:
        kind = type(part).__name__
        if kind in {"Dense", "Conv2D"}:
            if type(before).__name__ == kind and _could_be_one(before, part):
                yield _linear(before, part, pooled)
                return
            before, pooled = (part if _activation(part) is None else None), False
        elif kind == POOLING and before is not None:
            pooled = True
        # A linear convolution in front of a normalization is a bottleneck, as of MobileNetV2.
        elif kind not in LINEAR or (
            kind == "BatchNormalization" and type(before).__name__ == "Conv2D"
        ):
            before = None


def _could_be_one(first: keras.layers.Layer, second: keras.layers.Layer) -> bool:
    """Whether two layers train, and the first is no bottleneck, a product of two on purpose."""
    given, units, then = first.kernel.shape[-2], first.kernel.shape[-1], second.kernel.shape[-1]
    trains = bool(first.trainable_weights and second.trainable_weights)
    return trains and units >= min(given, then)


def _linear(first: Any, second: Any, pooled: bool) -> Finding:
    between = "nothing but pooling" if pooled else "no activation"
    rest = "" if pooled else ": together they can do no more than one"
    return Finding(
        "layers",
        "warning",
        f"'{first.name}' and '{second.name}' are linear layers one after the other, with {between} "
        f"between them{rest}.",
        f"activation='relu' in '{first.name}', or leave it out.",
    )
