"""What a result depends on, as digests: a model, its pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from helpers import versions
from helpers.preflight.layers import all_layers

if TYPE_CHECKING:
    import keras


class Pictures(Protocol):
    """What can be extracted from: an array, or `pictures.PictureFiles`."""

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        ...

    @property
    def dtype(self) -> np.dtype:  # noqa: D102
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice) -> np.ndarray: ...


def fingerprint(model: keras.Model) -> str:
    """A digest of all that decides a model's outputs: architecture, dtype policies, weights, code.

    `trainable` and the names of layers do not matter. Of classes that are not Keras's own, what
    their methods compute counts; what these call does not.
    """
    config = model.get_config()
    # A Sequential model does not list its input among its layers.
    names = dict.fromkeys([*(layer.name for layer in all_layers(model)), *_inputs(config)])
    positions = {name: position for position, name in enumerate(names)}
    described = json.dumps(_essence(config, positions), sort_keys=True)
    digest = hashlib.sha256(described.encode())
    for layer in all_layers(model):
        digest.update(versions.class_digest(type(layer)).encode())
    for weight in model.get_weights():
        digest.update(f"{weight.shape}{weight.dtype.str}".encode())
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()


def _inputs(config: Any) -> Iterator[str]:
    """The names of the input layers anywhere in a configuration."""
    if isinstance(config, dict):
        if config.get("class_name") == "InputLayer":
            yield config["config"]["name"]
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for value in config:
            yield from _inputs(value)


def _essence(config: Any, positions: dict[str, int]) -> Any:
    """A configuration without what changes no output.

    Keras numbers the names of layers, so the same model built twice has other ones. What matters
    of a name is which layer it means: its position among the names. Other things have names that
    matter as they are, a dtype policy above all.
    """
    if isinstance(config, dict):
        unimportant = {"trainable", "build_config", "compile_config"}
        return {
            key: config[key]
            if key == "dtype"
            else _position(config[key], positions)
            if key == "name"
            else _essence(config[key], positions)
            for key in sorted(set(config) - unimportant)
        }
    if isinstance(config, (list, tuple)):
        # A place in the graph: a layer's name, then which of its outputs.
        if len(config) == 3 and isinstance(config[0], str) and isinstance(config[1], int):
            return [_position(config[0], positions), *config[1:]]
        return [_essence(value, positions) for value in config]
    return config if isinstance(config, (str, int, float, bool, type(None))) else repr(config)


def _position(name: Any, positions: dict[str, int]) -> Any:
    return positions.get(name, name) if isinstance(name, str) else repr(name)


def fingerprint_pictures(images: Pictures) -> str:
    """A digest of the pictures: of the files they are read from, or of all their pixels."""
    own = getattr(images, "fingerprint", None)
    if own is not None:
        return own()
    digest = hashlib.sha256(f"{images.shape}{images.dtype.str}".encode())
    for first in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[first : first + 1024]).data)
    return digest.hexdigest()
