"""Tell a model's pretrained base from the learner's own layers in front of it and behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.layers import all_layers, leaf_layers, output_layer, sources

if TYPE_CHECKING:
    import keras

# Layers that no base of `keras.applications` has in front of a last BatchNormalization.
BETWEEN = ("Activation", "ReLU", "LeakyReLU", "Dropout", "MaxPooling2D", "AveragePooling2D")
VECTORS = ("GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten")
KS_NUMBERS, KS_LEVEL = 20_000, 0.01


@dataclass(frozen=True)
class Parts:
    """A model's leaves in three parts.

    Attributes:
        front: the learner's layers in front of the base.
        base: from the base's first layer to its last; all of a network from scratch but its head.
        head: the learner's layers behind it.
        nested: the model inside the model that is the base, None where the base is not nested.
    """

    front: tuple[keras.layers.Layer, ...]
    base: tuple[keras.layers.Layer, ...]
    head: tuple[keras.layers.Layer, ...]
    nested: keras.Model | None


def divide(model: keras.Model) -> Parts:
    """Divide a model into what stands in front of its base, the base, and the head.

    A model inside the model that holds most of its layers with weights, and a convolution or
    attention, is the base. Where there is none, as where a head stands on `base.output`, the base
    begins with the first convolution and ends where the maps end: at the last pooling, or at a
    BatchNormalization behind a last activation, which is the learner's.
    """
    leaves = leaf_layers(model)
    whole = _main_model(model)
    if whole is not model and output_layer(model) not in leaf_layers(whole):
        inside = leaf_layers(whole)
        own = [leaf for leaf in leaves if leaf not in inside]
        first = leaves.index(inside[0])
        in_order = bool(getattr(model, "inputs", None))  # that of a call, where there is a graph
        front = [leaf for leaf in own if leaves.index(leaf) < first and in_order]
        head = [leaf for leaf in own if leaf not in front]
        return Parts(tuple(front), tuple(inside), tuple(head), whole)
    return _divide_flat(whole, leaves)


def _main_model(model: keras.Model) -> keras.Model:
    """The innermost model that holds more than half of the layers with weights."""
    most = sum(bool(leaf.weights) for leaf in leaf_layers(model)) / 2
    found = model
    while True:
        inner = [one for one in getattr(found, "layers", ()) if getattr(one, "layers", None)]
        big = [one for one in inner if sum(bool(leaf.weights) for leaf in leaf_layers(one)) > most]
        if not big or not any(_sees_places(leaf) for leaf in leaf_layers(big[0])):
            return found
        found = big[0]


def _divide_flat(model: keras.Model, leaves: list[keras.layers.Layer]) -> Parts:
    own = output_layer(model) or next((leaf for leaf in leaves[::-1] if leaf.weights), None)
    maps = [row for row, leaf in enumerate(leaves) if _sees_places(leaf) and leaf is not own]
    if not maps:
        return Parts((), (), tuple(leaves), None)
    end = next(
        (row for row in range(maps[-1] + 1, len(leaves)) if _ends_maps(model, leaves, row, own)),
        len(leaves),
    )
    first = maps[0]
    return Parts(tuple(leaves[:first]), tuple(leaves[first:end]), tuple(leaves[end:]), None)


def _sees_places(leaf: keras.layers.Layer) -> bool:
    """Whether a layer is a convolution or attention."""
    attends = "Attention" in type(leaf).__name__
    return attends or any(len(weight.shape) >= 4 for weight in leaf.weights)


def _ends_maps(
    model: keras.Model,
    leaves: list[keras.layers.Layer],
    row: int,
    own: keras.layers.Layer | None,
) -> bool:
    """Whether the head begins with this leaf, behind the last convolution."""
    import keras

    leaf = leaves[row]
    if leaf is own or type(leaf).__name__ in VECTORS:
        return True
    if not isinstance(leaf, keras.layers.BatchNormalization):
        return False
    others = [one for one in leaves[:row] if isinstance(one, keras.layers.BatchNormalization)]
    another = bool(others) and all(_settings(one) != _settings(leaf) for one in others)
    leading = _leading(model, leaf)
    alone = not others and not any("Conv" in kind for kind in leading)
    return alone or another or any(kind in BETWEEN for kind in leading)


def _settings(layer: keras.layers.BatchNormalization) -> tuple[Any, ...]:
    return layer.momentum, layer.epsilon, layer.scale, layer.center


def _leading(model: keras.Model, layer: keras.layers.Layer) -> list[str]:
    """The classes of the layers whose output a layer of the model takes."""
    import keras

    if isinstance(model, keras.Sequential):
        row = model.layers.index(layer) if layer in model.layers else 0
        return [type(model.layers[row - 1]).__name__] if row else []
    try:
        entries = {entry["name"]: entry for entry in model.get_config()["layers"]}
    except (KeyError, TypeError, NotImplementedError):  # an own class
        return []
    entry = entries.get(layer.name, {})
    return [entries[name]["class_name"] for name in sources(entry.get("inbound_nodes", ()))]


# What trains


def training_ids(model: keras.Model) -> set[int]:
    """The ids of the weights that `fit` would train.

    A layer's own `trainable` is not enough: nothing of a model that is itself frozen trains.
    """
    return {id(weight) for weight in model.trainable_variables}


def trains(layer: keras.layers.Layer, ids: set[int]) -> bool:
    """Whether any weight of a layer is one of those."""
    return any(id(weight) in ids for weight in layer.weights)


def what_trains(model: keras.Model) -> str:
    """A line on what trains, as `base: 0 of 260 variables, head: 2 of 2`.

    Variables are counted as Keras counts `model.weights`; a BatchNormalization has four, of which
    two train.
    """
    parts, ids = divide(model), training_ids(model)
    if not parts.base:
        return _counted("model", parts.head, ids, " variables")
    rows = [("base", parts.base), ("head", parts.head)]
    if any(leaf.weights and type(leaf).__name__ != "Normalization" for leaf in parts.front):
        rows.insert(0, ("in front", parts.front))
    counts = [
        _counted(name, part, ids, "" if row else " variables")
        for row, (name, part) in enumerate(rows)
    ]
    return ", ".join(counts)


def _counted(name: str, part: tuple[keras.layers.Layer, ...], ids: set[int], noun: str) -> str:
    every = {id(weight) for leaf in part for weight in leaf.weights}
    return f"{name}: {len(every & ids)} of {len(every)}{noun}"


def in_vain(model: keras.Model) -> list[keras.layers.Layer]:
    """Layers that were unfrozen inside a model that is frozen as a whole: they do not train."""
    if model.trainable:
        return []
    return [leaf for leaf in leaf_layers(model) if leaf.trainable_weights]


def unfrozen_under(model: keras.Model) -> tuple[Any, list[keras.layers.Layer]]:
    """A model inside the model that says it is frozen, and its layers that train all the same.

    Keras 3 collects what trains variable by variable. So a layer that is unfrozen inside a frozen
    base trains, though `base.trainable_variables` is empty.
    """
    ids = training_ids(model)
    for layer in all_layers(model):
        if layer is model or layer.trainable or not getattr(layer, "layers", None):
            continue
        found = [leaf for leaf in leaf_layers(layer) if trains(leaf, ids)]
        if found:
            return layer, found
    return None, []


# What was trained before


def fine_tuned(model: keras.Model) -> tuple[keras.layers.Layer, ...]:
    """The layers of the base that are pretrained and train now.

    The optimizer must have taken no step yet, or what it trained would pass for pretrained.
    """
    from helpers.preflight.setup import is_pretrained

    ids, pretrained, found = training_ids(model), False, []
    for layer in reversed(divide(model).base):
        # A convolution without bias is as pretrained as the normalization behind it.
        if any(len(weight.shape) == 1 for weight in layer.weights):
            pretrained = is_pretrained(layer)
        if pretrained and trains(layer, ids):
            found.append(layer)
    return tuple(reversed(found))


def is_as_built(layer: keras.layers.Layer | None) -> bool | None:
    """Whether a layer still has the weights that it was built with; None where that is not told.

    Its bias must be what the bias's initializer gives, and its kernel distributed as the kernel's
    initializer draws (test of Kolmogorov and Smirnov): one step of training moves the bias. None
    where only one of both is so, or where the layer has no such weights.
    """
    kernel, bias = getattr(layer, "kernel", None), getattr(layer, "bias", None)
    if kernel is None:
        return None
    drawn = _is_drawn(np.array(kernel, "float64"), getattr(layer, "kernel_initializer", None))
    if bias is None:
        return drawn
    start = getattr(layer, "bias_initializer", None)
    kept = start is not None and np.array_equal(np.array(bias), np.array(start(bias.shape)))
    return kept if kept == drawn or not kept else None


def _is_drawn(kernel: np.ndarray, initializer: Any) -> bool:
    """Whether numbers can come from an initializer, by their deviation and distribution."""
    from scipy.stats import ks_2samp

    if initializer is None:
        return False
    fresh = np.array(initializer(kernel.shape), "float64")
    if np.ptp(fresh) == 0:
        return bool(np.array_equal(fresh, kernel))
    # Each is at most one deviation of such a ratio off, in numbers that are drawn alike.
    if abs(kernel.std() / fresh.std() - 1) > 4 / np.sqrt(kernel.size):
        return False
    pair = [values.ravel()[:: max(1, values.size // KS_NUMBERS)] for values in (kernel, fresh)]
    return bool(ks_2samp(*pair).pvalue > KS_LEVEL)
