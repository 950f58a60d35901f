"""Engines: each makes a function from a batch of pictures to their features."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import cache, machine, quiet, versions
from helpers.features.fingerprints import fingerprint
from helpers.files import write_whole

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# Pictures that pass through the network together, by engine.
BATCH = {"tensorflow": 32, "litert": 8}

# From a batch of pictures to numbers.
Forward = Callable[[np.ndarray], np.ndarray]


def with_constants(model: keras.Model, shape: tuple[int | None, ...], dtype: np.dtype | str) -> Any:
    """The model in inference mode as one graph in which its weights are constants.

    Both engines then fold BatchNormalization into the convolutions before it, and fuse these with
    their activations.
    """
    import tensorflow as tf

    trainable = [variable.numpy() for variable in model.trainable_variables]
    fixed = [variable.numpy() for variable in model.non_trainable_variables]

    @tf.function(input_signature=[tf.TensorSpec(shape, dtype)], autograph=False)
    def run(images: tf.Tensor) -> tf.Tensor:
        # Made in here, they are constants of the graph; made outside, they would be its inputs.
        constants = [tf.constant(value) for value in trainable], [tf.constant(v) for v in fixed]
        return model.stateless_call(*constants, tf.cast(images, tf.float32), training=False)[0]

    return run


def _tensorflow(
    model: keras.Model, shape: tuple[int, ...], dtype: np.dtype, folder: Path | None = None
) -> Forward:
    """The graph, run by TensorFlow, for inputs of `shape`."""
    run = with_constants(model, (None, *shape), dtype)
    return lambda images: run(images).numpy()


def _litert(
    model: keras.Model, shape: tuple[int, ...], dtype: np.dtype, folder: Path | None = None
) -> Forward:
    """The graph, converted for LiteRT and run on all cores."""
    converted = _kept_conversion(model, shape, folder) if folder else convert(model, shape)
    return interpret(converted, machine.usable_cores())


def interpret(converted: bytes, threads: int) -> Forward:
    """A converted graph, ready to run on so many threads."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=converted, num_threads=threads)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    batch = interpreter.tensor(taken["index"])  # gives a view, none of which may be kept

    def run(images: np.ndarray) -> np.ndarray:
        batch()[: len(images)] = images
        batch()[len(images) :] = 0
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])[: len(images)]

    return run


def convert(model: keras.Model, shape: tuple[int, ...]) -> bytes:
    """The graph for LiteRT, which wants to know the size of a batch beforehand."""
    import tensorflow as tf

    taking = (BATCH["litert"], *shape)
    function = with_constants(model, taking, "float32").get_concrete_function()
    # It warns that nothing keeps the function's variables alive, of which there are none.
    with quiet.library():
        return tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()


def _kept_conversion(model: keras.Model, shape: tuple[int, ...], folder: Path) -> bytes:
    """As `convert`, from a file with its SHA-256 in front, which is made where there is none."""
    key = [
        fingerprint(model), shape, versions.of("tensorflow", "keras"),
        versions.source_digest(sys.modules[__name__]),
    ]  # fmt: skip
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24]
    path = folder / f"{name}.tflite"
    with contextlib.suppress(OSError):
        digest, contents = (file := path.read_bytes())[:32], file[32:]
        if hashlib.sha256(contents).digest() == digest:
            cache.touch(path)
            return contents
    contents = convert(model, shape)
    # Where there is no room, it is converted again the next time.
    with contextlib.suppress(OSError, ValueError):
        cache.make_room(folder, name, len(contents))
        write_whole(path, hashlib.sha256(contents).digest() + contents)
    return contents


ENGINES = {"tensorflow": _tensorflow, "litert": _litert}
