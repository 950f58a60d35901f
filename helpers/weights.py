"""Count weights, list them, and prove what moved and what did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from helpers.preflight.layers import all_layers

if TYPE_CHECKING:
    import keras
    import pandas as pd


@dataclass(frozen=True)
class Counts:
    """How many parameters (single numbers) a model holds, and how many of them can train."""

    trainable: int
    non_trainable: int

    @property
    def total(self) -> int:
        """All parameters."""
        return self.trainable + self.non_trainable

    def __repr__(self) -> str:
        return (
            f"{self.total:,} parameters: {self.trainable:,} trainable, "
            f"{self.non_trainable:,} non-trainable"
        )


def count(model: keras.layers.Layer) -> Counts:
    """Count the parameters of a layer or model as they stand now (`trainable` may change them).

    Keras's own bookkeeping, such as an optimizer's or a seed generator's state, is not counted.
    """
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    non_trainable = sum(int(np.prod(weight.shape)) for weight in model.non_trainable_weights)
    return Counts(trainable, non_trainable)


def table(layer: keras.layers.Layer) -> pd.DataFrame:
    """One row a weight: its name, shape, count of parameters, and whether it trains."""
    import pandas as pd

    trainable = {id(weight) for weight in layer.trainable_weights}
    rows = [
        {
            "weight": weight.name,
            "shape": str(tuple(weight.shape)),
            "parameters": int(np.prod(weight.shape)),
            "kind": "trainable" if id(weight) in trainable else "non-trainable",
        }
        for weight in layer.weights
    ]
    return pd.DataFrame(rows, columns=["weight", "shape", "parameters", "kind"])


@dataclass(frozen=True)
class Snapshot:
    """Copies of a model's weights, in the order of `model.weights`, each with its path."""

    paths: tuple[str, ...]
    arrays: tuple[np.ndarray, ...]


def snapshot(model: keras.layers.Layer) -> Snapshot:
    """Copy all weights of a layer or model, to be compared with later ones."""
    return Snapshot(
        tuple(weight.path for weight in model.weights),
        tuple(np.array(weight) for weight in model.weights),
    )


@dataclass(frozen=True)
class Movement:
    """Which arrays differ between a snapshot and the model now, and by how much at most."""

    moved: dict[str, float]
    unmoved: tuple[str, ...]

    def __repr__(self) -> str:
        total = len(self.moved) + len(self.unmoved)
        if not self.moved:
            return f"none of {total} arrays moved: each is equal to the bit"
        return (
            f"{len(self.moved)} of {total} arrays moved, "
            f"the largest change of a single number is {max(self.moved.values()):.2g}"
        )


def compare(before: Snapshot, model: keras.layers.Layer) -> Movement:
    """Compare a snapshot with the weights as they are now, array by array and bit by bit.

    Raises:
        ValueError: where the model has other weights than the snapshot.
    """
    now = snapshot(model)
    if [a.shape for a in before.arrays] != [a.shape for a in now.arrays]:
        raise ValueError(
            f"Received: a snapshot of {len(before.arrays)} arrays and a model of "
            f"{len(now.arrays)}. Expected: the same arrays. Take the snapshot from this model."
        )
    moved: dict[str, float] = {}
    unmoved = []
    for path, old, new in zip(now.paths, before.arrays, now.arrays, strict=True):
        if np.array_equal(old, new, equal_nan=True):
            unmoved.append(path)
        else:
            moved[_unused(path, moved)] = float(np.max(np.abs(new - old)))
    return Movement(moved, tuple(unmoved))


def _unused(path: str, taken: dict[str, float]) -> str:
    """Two models inside one may give two weights the same path; the second gets a number."""
    name, number = path, 2
    while name in taken:
        name, number = f"{path} ({number})", number + 1
    return name


def unfreeze(model: keras.layers.Layer) -> None:
    """Make all layers trainable but BatchNormalization, also in models inside the model.

    `compile` after it, for what is compiled keeps what was trainable then.
    """
    import keras

    # A model that is trainable already hands nothing on: each layer is told, from the outside in.
    for layer in all_layers(model):
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
