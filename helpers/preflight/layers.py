"""Ask a model: its layers, how it ends, which pixels it takes, what each layer is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

# What may stand behind the last activation and leaves open nothing of what is given.
PASSING = ("InputLayer", "Dropout", "Flatten", "Reshape", "Identity", "GlobalAveragePooling2D")
# Keras's operations that are written into a graph as `keras.ops.sigmoid(x)` is.
OPERATIONS = {"Sigmoid": "sigmoid", "Softmax": "softmax"}

OUTPUTS = {"linear": "logits", "sigmoid": "probabilities", "softmax": "probabilities"}


# What it holds


def all_layers(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """A layer and all layers in it, at every depth, in the order in which they stand.

    What a layer of an own class keeps to itself, without a list `layers`, Keras does not tell.
    """
    yield layer
    for inner in _inside(layer):
        yield from all_layers(inner)


def leaf_layers(model: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layers that hold no others, each once, those of models inside the model in their place.

    A layer that is no model is its own only leaf.
    """
    return list(dict.fromkeys(one for one in all_layers(model) if not _inside(one)))


def _inside(layer: keras.layers.Layer) -> Sequence[keras.layers.Layer]:
    """The layers that a layer holds; an own class may call anything else `layers`."""
    inside = getattr(layer, "layers", ())
    return inside if isinstance(inside, (list, tuple)) else ()


def sources(node: Any) -> Iterator[str]:
    """The names of the layers whose tensors stand anywhere in a serialised call."""
    if isinstance(node, dict) and node.get("class_name") == "__keras_tensor__":
        yield node["config"]["keras_history"][0]
    elif isinstance(node, dict):
        for value in node.values():
            yield from sources(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from sources(value)


# How it ends


def output_layer(model: keras.Model) -> keras.layers.Layer | None:
    """The layer that gives the output, looked up inside a nested model; None where it is none."""
    import keras

    last = next(_backwards(model), None)
    return last if isinstance(last, keras.layers.Layer) else None


def outputs(model: keras.Model) -> str | None:
    """`"logits"` or `"probabilities"` where the model's end says so, else None."""
    return OUTPUTS.get(last_activation(model) or "")


def last_activation(model: keras.Model) -> str | None:
    """`"sigmoid"`, `"softmax"` or `"linear"` where the model's end says so, else None."""
    return ending(model)[1]


def ending(model: keras.Model) -> tuple[Any, str | None]:
    """What computes the last activation, and its name as `last_activation` gives it.

    Dropout, a change of shape and `Activation("linear")` are looked through. So is pooling, but
    only to a linear layer: the mean of sigmoids is no sigmoid of anything.
    """
    averaged = False
    for layer in _backwards(model):
        name, kind = _activation(layer), type(layer).__name__
        if kind in PASSING or (kind == "Activation" and name == "linear"):
            averaged |= kind == "GlobalAveragePooling2D"
            continue
        if averaged and name != "linear":
            break
        return layer, name
    return None, None


def _activation(layer: Any) -> str | None:
    """The name of a layer's own activation, where it is one of the three that ends are told by."""
    kind = type(layer).__name__
    if kind in OPERATIONS:  # the layer Softmax, too
        return OPERATIONS[kind]
    name = getattr(getattr(layer, "activation", None), "__name__", None)
    if name in {"sigmoid", "softmax"}:
        return name
    return "linear" if name == "linear" and (layer.weights or kind == "Activation") else None


def _backwards(model: keras.Model) -> Iterator[Any]:
    """The leaves and operations from the output on, as long as one leads to the next.

    Where several lead to one, or the model does not tell, None comes and nothing more.
    """
    try:
        before = _before(model)
    except (KeyError, IndexError, NotImplementedError, ValueError, TypeError):
        yield None
        return
    for part in before:
        if not getattr(part, "layers", None):
            yield part
            if part is None:
                return
            continue
        for inner in _backwards(part):
            yield inner
            if inner is None:
                return


def _before(model: keras.Model) -> list[Any]:
    """A model's own parts from the output on; None at its end where several lead to one."""
    import keras

    if isinstance(model, keras.Sequential):
        return model.layers[::-1]
    config = model.get_config()
    nodes = {entry["name"]: entry["inbound_nodes"] for entry in config["layers"]}
    name, found = config["output_layers"], []
    while not isinstance(name, str):
        name = name[0]
    while name is not None:
        found.append(next((one for one in model.operations if one.name == name), None))
        leading = set(sources(nodes[name]))
        if len(leading) > 1 or len(nodes[name]) > 1:
            return [*found, None]
        name = next(iter(leading), None)
    return found


def own_chain(model: keras.Model) -> list[Any]:
    """A model's own layers and operations from the output back, as long as one leads to the next.

    Models inside it are not opened. Empty where the model does not tell.
    """
    try:
        before = _before(model)
    except (KeyError, IndexError, NotImplementedError, ValueError, TypeError):
        return []
    return before[: before.index(None)] if None in before else before


def chain(model: keras.Model) -> list[Any]:
    """The leaves and operations in the order of a call, from where the last paths have joined."""
    return [part for part in _backwards(model) if part is not None][::-1]


# What layers are given


@contextmanager
def seen(owner: Any, name: str, see: Callable[[Any, Any], None]) -> Iterator[None]:
    """Within, `see` is told what `owner.name` takes first and what it gives, at each call.

    So a layer deep inside nested models can be looked at: no graph reaches into another one. What
    the model gives stays what it was.
    """
    own, is_its_own = getattr(owner, name), name in vars(owner)

    def call(*arguments: Any, **options: Any) -> Any:
        given = own(*arguments, **options)
        see((*arguments, *options.values())[0], given)
        return given

    setattr(owner, name, call)
    try:
        yield
    finally:
        if is_its_own:
            setattr(owner, name, own)
        else:
            delattr(owner, name)


def look(model: keras.Model, images: Any, see: Callable[[Any, Any, Any], None]) -> None:
    """Call a model; `see` is told of each leaf in turn: the layer, what it took, what it gave."""
    with ExitStack() as stack:
        for leaf in leaf_layers(model):
            stack.enter_context(seen(leaf, "call", partial(see, leaf)))
        model(images, training=False)


# What it takes

PIXELS = {"0 to 255": (0.0, 255.0), "0 to 1": (0.0, 1.0), "-1 to 1": (-1.0, 1.0)}
# Scaled pictures lie within so many deviations, and black and white are so far apart.
FARTHEST, NEAREST = 6.0, 0.9


def pixels(model: keras.Model) -> tuple[str, ...]:
    """The ranges of `PIXELS` that a model can have been made for, by the scaling inside it.

    Pictures of one grey are sent in, and what reaches the first layer with weights is looked at:
    the scaling may be a layer, arithmetic in the graph or the base's own. A range is possible where
    black and white arrive as numbers that networks are fed with. Of a model that does not scale,
    any range is.

    Args:
        model: from `(n, height, width, channels)` with a fixed size.

    Returns:
        One where the scaling tells, more where it does not, none where it fits none.
    """
    greys = np.array([-1.0, 0.0, 1.0, 255.0], "float32")
    first: list[np.ndarray] = []

    def see(leaf: keras.layers.Layer, taken: Any, _: Any) -> None:
        if not first and _learns(leaf):
            first.append(np.array(taken, "float64"))

    look(model, np.broadcast_to(greys[:, None, None, None], (4, *model.input_shape[1:])), see)
    if not first:
        return ()
    reaching = first[0].reshape(4, -1)
    reaching = reaching[:, reaching[3] != reaching[1]]  # without what padding has set
    if np.array_equal(reaching, np.broadcast_to(greys[:, None], reaching.shape)):
        return tuple(PIXELS)
    rows = dict(zip(greys.tolist(), reaching, strict=True))
    return tuple(name for name, (low, high) in PIXELS.items() if _fits(rows[low], rows[high]))


def _learns(leaf: keras.layers.Layer) -> bool:
    """Whether a layer has weights that training sets; `Normalization` only scales."""
    import keras

    return bool(leaf.weights) and not isinstance(leaf, keras.layers.Normalization)


def _fits(black: np.ndarray, white: np.ndarray) -> bool:
    """Whether these are black and white as networks take them, each channel for itself."""
    low, high, apart = np.minimum(black, white), np.maximum(black, white), np.abs(white - black)
    if not apart.size or (low > 1e-3).any() or (high < -1e-3).any():
        return False
    unscaled = np.allclose(apart, 255, atol=1) and (low < -50).all()  # means taken off, as of VGG
    near = low.min() >= -FARTHEST and high.max() <= FARTHEST and apart.min() >= NEAREST
    return bool(unscaled or near)
