"""What a network costs: parameters, multiply-adds, memory, pictures a second on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.layers import leaf_layers

if TYPE_CHECKING:
    import keras

# Layers with a kernel: which of their weights are kernels. Each number of a kernel is multiplied
# once at each place of the output, so the products are counted from two shapes.
KERNELS = {
    "Conv2D": ("kernel",),
    "DepthwiseConv2D": ("kernel",),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel"),
    "Dense": ("kernel",),
}
LEAST_BATCHES = 3


@dataclass(frozen=True)
class Cost:
    """What it takes to run a network.

    Attributes:
        parameters: numbers that have to be stored, trainable or not.
        multiply_adds: of all convolutions and dense layers, for one picture.
        pictures_per_second: as measured here, or NaN where it was not.
    """

    parameters: int
    multiply_adds: int
    pictures_per_second: float

    @property
    def megabytes(self) -> float:
        """The parameters as 32-bit floats, in millions of bytes."""
        return 4 * self.parameters / 1e6

    def __repr__(self) -> str:
        return (
            f"{self.parameters / 1e6:.2f} million parameters ({self.megabytes:.1f} MB), "
            f"{self.multiply_adds / 1e6:,.0f} million multiply-adds a picture, "
            f"{self.pictures_per_second:.0f} pictures a second here"
        )


def measure(model: keras.Model, batch: int = 4, seconds: float = 1.0) -> Cost:
    """Count and time a model that takes pictures of a fixed size.

    Args:
        model: a functional model, or a stack of such.
        batch, seconds: as of `pictures_per_second`.
    """
    speed = pictures_per_second(model.predict_on_batch, model.input_shape[1:], batch, seconds)
    return Cost(model.count_params(), multiply_adds(model), speed)


def multiply_adds(model: keras.Model) -> int:
    """The multiply-adds of a model's convolutions and dense layers for one input.

    A multiply-add is one product and one sum; some count these as two operations (FLOPs). Sums
    alone, scaling, activations and pooling are left out, as in the papers' tables.

    Raises:
        ValueError: where the size of an output is open, or a layer has a matrix of weights and is
            none of `KERNELS`.
    """
    return sum(_products(layer) for layer in leaf_layers(model))


def step_bytes(model: keras.Model, batch: int) -> int:
    """The memory of a training step in bytes: each layer's output is kept for the way back.

    Layers that are frozen count as well, so it is rather too much than too little
    (benchmarks/step_memory.py compares it with what a process takes). Layers inside a model of a
    class of its own have no output to be asked for, and do not count.
    """
    import keras

    layers = leaf_layers(model)
    inner = [layer for layer in layers if not isinstance(layer, keras.layers.InputLayer)]
    outputs = [getattr(layer, "output", ()) for layer in inner]
    sizes = [tensor.shape[1:] for tensor in keras.tree.flatten(outputs)]
    return 4 * batch * sum(math.prod(side or 1 for side in size) for size in sizes)


def _products(layer: keras.layers.Layer) -> int:
    """The multiply-adds of one layer."""
    kind = type(layer).__name__
    if kind not in KERNELS:
        if any(len(weight.shape) > 1 for weight in layer.weights):
            raise ValueError(
                f"Received: the layer {layer.name} of the kind {kind}. Expected: one of "
                f"{', '.join(KERNELS)}, or a layer without matrices. Add it to costs.KERNELS "
                f"where each number of its kernel is used once at each place of its output."
            )
        return 0
    places = layer.output.shape[1:-1]
    if None in places:
        raise ValueError(
            f"Received: the layer {layer.name} with outputs of open size {layer.output.shape}. "
            f"Expected: a fixed size. Build the model for pictures of one size."
        )
    numbers = sum(int(np.prod(getattr(layer, name).shape)) for name in KERNELS[kind])
    return int(np.prod(places)) * numbers


def pictures_per_second(
    run: Callable[[np.ndarray], Any], shape: tuple[int, ...], batch: int = 4, seconds: float = 1.0
) -> float:
    """How many pictures pass through `run` a second, by the median of some batches.

    The first batch is not counted: graphs are traced and memory is laid out in it.

    Args:
        run: takes float32 `(batch, *shape)` and returns when it is done.
        shape: of one picture.
        batch: pictures that pass together; 1 for how long one picture takes.
        seconds: no further batch begins after these, but three are timed in any case.
    """
    images = np.random.default_rng(0).uniform(0, 255, (batch, *shape)).astype("float32")
    run(images)
    taken: list[float] = []
    while len(taken) < LEAST_BATCHES or sum(taken) < seconds:
        started = time.perf_counter()
        run(images)
        taken.append(time.perf_counter() - started)
    return batch / float(np.median(taken))
