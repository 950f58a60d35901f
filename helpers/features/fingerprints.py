"""What a result depends on, as digests: a model, its pictures."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import keras


class Pictures(Protocol):
    """What can be extracted from: an array, or `pictures.PictureFiles`."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice) -> np.ndarray: ...


def fingerprint(model: keras.Model) -> str:
    """A digest of a model's architecture and weights; `trainable` and names do not matter."""
    described = json.dumps(_essence(model.get_config(), {}), sort_keys=True)
    digest = hashlib.sha256(described.encode())
    for weight in model.get_weights():
        digest.update(f"{weight.shape}{weight.dtype.str}".encode())
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()


def _essence(config: Any, names: dict[str, int]) -> Any:
    """A configuration without what changes no output.

    Keras numbers the names of layers, so the same model built twice has other ones. What matters
    of a name is which layer it means: its position among the names met so far.
    """
    if isinstance(config, dict):
        unimportant = {"trainable", "build_config", "compile_config"}
        kept = {key: config[key] for key in sorted(config) if key not in unimportant}
        return {
            key: names.setdefault(value, len(names))
            if key == "name" and isinstance(value, str)
            else _essence(value, names)
            for key, value in kept.items()
        }
    if isinstance(config, (list, tuple)):
        # A place in the graph: a layer's name, then which of its outputs.
        if len(config) == 3 and isinstance(config[0], str) and isinstance(config[1], int):
            return [names.setdefault(config[0], len(names)), *config[1:]]
        return [_essence(value, names) for value in config]
    return config if isinstance(config, (str, int, float, bool, type(None))) else repr(config)


def fingerprint_pictures(images: Pictures) -> str:
    """A digest of the pictures: of the files they are read from, or of all their pixels."""
    own = getattr(images, "fingerprint", None)
    if own is not None:
        return own()
    digest = hashlib.sha256(f"{images.shape}{images.dtype.str}".encode())
    for first in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[first : first + 1024]).data)
    return digest.hexdigest()
