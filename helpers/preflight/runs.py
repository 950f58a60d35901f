"""Send pictures through a model, and tell the part of it that trains from the part before it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.layers import leaf_layers, own_chain, seen

if TYPE_CHECKING:
    import keras

# Numbers that go into the model at once: 32 pictures of 224 x 224. A call costs about as much for
# few pictures as for many, so small pictures go in together.
FORWARD_NUMBERS = 32 * 224 * 224 * 3
# From so many layers on, a graph pays: measured on MobileNetV2 at 160, its trace costs one second
# and it then takes 0.15 s for 32 pictures, layer by layer 0.4 s.
MANY_LAYERS = 40


def forward(model: keras.Model, images: np.ndarray, training: bool = False) -> np.ndarray:
    """What `model` gives for inputs, in batches, as float32."""
    outputs = [
        np.asarray(model(batch, training=training), dtype=np.float32) for batch in _batches(images)
    ]
    return np.concatenate(outputs)


def _batches(images: np.ndarray) -> list[np.ndarray]:
    size = max(1, FORWARD_NUMBERS // max(1, images[0].size))
    starts = range(0, len(images), size)
    return [images[start : start + size].astype("float32") for start in starts]


def trained_part(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers at the model's end that hold all that trains, in order.

    Empty where nothing trains, where more than one path leads to them, or where nothing with
    weights stands before them, so that nothing would be saved.
    """
    import keras

    missing = {id(weight) for weight in model.trainable_variables}
    found: list[keras.layers.Layer] = []
    for part in own_chain(model):
        if not missing:
            break
        if not isinstance(part, keras.layers.Layer):
            return []
        found.append(part)
        missing -= {id(weight) for weight in part.trainable_variables}
    weights = sum(len(part.weights) for part in found)
    return [] if missing or weights == len(model.weights) else found[::-1]


def call_in_turn(parts: list[keras.layers.Layer], values: Any, training: bool) -> Any:
    """What the last of some layers gives, each called on what the one before it gives."""
    for part in parts:
        takes = "training" in inspect.signature(part.call).parameters
        values = part(values, training=training) if takes else part(values)
    return values


class Runner:
    """Calls a model in inference mode, and keeps what the part that trains is given.

    A model of many layers is made into a graph once, where it can be.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model, self.part = model, trained_part(model)
        self._large = len(leaf_layers(model)) >= MANY_LAYERS
        self._graph: Any = None

    def run(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Outputs for `(k, ...)` inputs as float32, and what `part` is given, None without one."""
        pairs = [self._call(batch) for batch in _batches(images)]
        outputs = np.concatenate([np.asarray(given, dtype=np.float32) for given, _ in pairs])
        if not self.part:
            return outputs, None
        return outputs, np.concatenate([np.asarray(taken) for _, taken in pairs])

    def dtype_of(self, images: np.ndarray) -> str:
        """The dtype of what the model gives."""
        import keras

        given = getattr(self.model, "outputs", None)
        output = given[0] if given else self.model(images.astype("float32"), training=False)
        return str(keras.backend.standardize_dtype(output.dtype))

    def _call(self, batch: np.ndarray) -> tuple[Any, Any]:
        import tensorflow as tf

        if self._large:
            try:
                self._graph = self._graph or self._traced(batch.shape[1:])
                return self._graph(tf.convert_to_tensor(batch))
            except Exception:  # an own layer may be written for eager calls alone
                self._large = False
        return self._observe(batch)

    def _observe(self, batch: Any) -> tuple[Any, Any]:
        """What the model gives, and what the first layer of `part` is given meanwhile."""
        if not self.part:
            given = self.model(batch, training=False)
            return given, given
        taken: list[Any] = []
        with seen(self.part[0], "call", lambda values, _: taken.append(values)):
            given = self.model(batch, training=False)
        if not taken:
            self.part = []
        return given, taken[0] if taken else given

    def _traced(self, shape: tuple[int, ...]) -> Any:
        """`_observe` as a graph for batches of any size."""
        import tensorflow as tf

        signature = [tf.TensorSpec((None, *shape), tf.float32)]
        graph = tf.function(self._observe, input_signature=signature, autograph=False)
        return graph.get_concrete_function()
