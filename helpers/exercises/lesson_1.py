"""The exercises of lesson 1: trainable weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.chance import seeded
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong

if TYPE_CHECKING:
    import keras


@exercise(
    hints=(
        "Unfreeze the model itself first, then say for each layer of `model.layers` what you want: "
        "`layer.trainable = layer.name == name`.",
        "Keras passes over an assignment that changes nothing, and then the layers inside keep "
        "what they had. So say it for each of these too, and for what is inside them.",
        "def set_each(layer, value): sets layer.trainable, and calls set_each for every layer in "
        "getattr(layer, 'layers', ()).",
    ),
    solution="""
def set_each(layer, value):
    layer.trainable = value
    for inside in getattr(layer, "layers", ()):
        set_each(inside, value)

def freeze_all_but(model, name):
    model.trainable = True
    for layer in model.layers:
        set_each(layer, layer.name == name)
""",
    answer_name="freeze_all_but",
)
def freeze_all_but(function: Callable[[keras.Model, str], Any]) -> Verdict:
    """Freeze all layers of a model but the one of a given name, whatever was frozen before."""
    for start, prepare, names in _FREEZING:
        model = _three_parts()
        should = {
            part.name: {weight.path for weight in part.trainable_weights} for part in model.layers
        }
        prepare(model)
        for name in names:
            call(function, model, name)
        trains = {weight.path for weight in model.trainable_weights}
        if trains != should[names[-1]]:
            return wrong(_frozen_wrongly(model, start, names[-1], trains, should[names[-1]]))
    return right("Only the named layer trains, whatever was frozen before and inside it.")


def _frozen_wrongly(
    model: keras.Model, start: str, name: str, trains: set[str], should: set[str]
) -> str:
    """What is wrong with the weights that train, and where to look."""
    said = f"{start}, all but '{name}' to be frozen: "
    if surplus := sorted(trains - should):
        where = "Which layers did you not freeze?"
        if "unfrozen inside" in start:
            where = (
                "Their block was False already, so Keras passed over your assignment and did not "
                "visit the layers inside."
            )
        return said + f"{_some(surplus)} can still train. {where}"
    if not model.trainable:
        return said + (
            "nothing can train. The model itself is frozen, and then its layers have no say."
        )
    if not trains:
        return said + f"nothing can train. Does a line come after the one that unfreezes '{name}'?"
    return said + (
        f"{_some(sorted(should - trains))} cannot train. A model around it was True already, so "
        "Keras passed over your assignment and did not visit the layers inside."
    )


def _some(paths: list[str]) -> str:
    """The first two, and how many more."""
    more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return ", ".join(paths[:2]) + more


def _three_parts() -> keras.Model:
    """A model of a Dense 'stem', a nested model 'block' and a Dense 'head', nothing frozen."""
    import keras

    core = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="deep")], name="core")
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="normalization"),
        core,
    ]
    parts = [keras.layers.Dense(4, name="stem"), keras.Sequential(layers, name="block")]
    return keras.Sequential(
        [keras.Input((4,)), *parts, keras.layers.Dense(1, name="head")], name="model"
    )


def _freeze_inside(model: keras.Model) -> None:
    model.get_layer("block").get_layer("normalization").trainable = False


def _unfreeze_inside(model: keras.Model) -> None:
    block = model.get_layer("block")
    block.trainable = False
    block.get_layer("dense").trainable = True


def _mix_inside(model: keras.Model) -> None:
    block = model.get_layer("block")
    block.trainable = False
    block.get_layer("core").trainable = True
    block.get_layer("core").get_layer("deep").trainable = False


def _freeze_whole(model: keras.Model) -> None:
    model.trainable = False


# How the model comes, what is done to it first, and the names to call with, one after another.
_FREEZING: tuple[tuple[str, Callable[[keras.Model], None], tuple[str, ...]], ...] = (
    ("A new model", lambda model: None, ("head",)),
    ("A new model", lambda model: None, ("stem",)),
    ("A new model", lambda model: None, ("block",)),
    ("Called a second time with the same name", lambda model: None, ("block", "block")),
    ("Called before with another name", lambda model: None, ("head", "block")),
    ("A model that is frozen as a whole", _freeze_whole, ("block",)),
    ("A block with one frozen layer inside", _freeze_inside, ("block",)),
    ("A frozen block with one layer unfrozen inside", _unfreeze_inside, ("head",)),
    ("A frozen block with a model inside that is not, but its layer is", _mix_inside, ("block",)),
)


@exercise(
    hints=(
        "Compare two arrays with np.array_equal, and do it for each pair: zip(before, after).",
        "A NaN is not equal to itself: np.array_equal(old, new, equal_nan=True).",
        "all(... for old, new in zip(before, after, strict=True)) is True where each pair is.",
    ),
    solution="""
def unchanged(before, after):
    return all(
        np.array_equal(old, new, equal_nan=True) for old, new in zip(before, after, strict=True)
    )
""",
    answer_name="unchanged",
)
def unchanged(function: Callable[[list[np.ndarray], list[np.ndarray]], bool]) -> Verdict:
    """Say whether each array of one list is equal, number by number, to that of another list."""
    for case, before, after, expected in _pairs_of_lists():
        try:
            said = call(
                function, [array.copy() for array in before], [array.copy() for array in after]
            )
        except AssertionError:
            return wrong(f"{case}: it raised an AssertionError. Expected: {expected}, returned.")
        if not isinstance(said, (bool, np.bool_)):
            return wrong(f"{case}: it returned {said!r}. Expected: True or False.")
        if said != expected:
            return wrong(f"{case}: it says {said}. Expected: {expected}. {_where_to_look(case)}")
    return right("It says no where one number of one array differs, and yes where none does.")


def _where_to_look(case: str) -> str:
    """Which habit of a comparison shows in a case."""
    if case.startswith("Nothing"):
        return "Is there a case in which it says yes?"
    if case.startswith("Every number"):
        return "Does it compare the numbers themselves, or whether they are zero?"
    if "array" in case:
        return "Every array counts, and every number in it."
    if "order" in case:
        return "A sum does not see which number stands where."
    if "last bit" in case or "half" in case:
        return "However small: a tolerance lets small steps of training pass."
    return "What does your comparison make of that number?"


def _pairs_of_lists() -> list[tuple[str, list[np.ndarray], list[np.ndarray], bool]]:
    """What it is, before, after, and whether that is unchanged."""
    generator = np.random.default_rng(0)
    arrays = [generator.normal(size=shape).astype("float32") for shape in ((4, 3), (3,), (3, 2))]
    zeros = [np.zeros((2, 2), "float32"), np.ones(2, "float32")]
    lost = _with(arrays, 1, 0, np.nan)
    tiny = _with(arrays, 0, 2, np.nextafter(arrays[0].flat[2], np.float32(9)))
    half = [array.astype("float16") for array in arrays]
    counting = [np.arange(6, dtype="float32").reshape(3, 2)]
    return [
        ("Nothing has changed", arrays, arrays, True),
        ("Nothing has changed, and some numbers are zero", zeros, zeros, True),
        ("Every number has changed", arrays, [array + 1 for array in arrays], False),
        ("One number has changed, in the first array", arrays, _with(arrays, 0, 5, 2.0), False),
        ("One number has changed, in the second array", arrays, _with(arrays, 1, 1, 2.0), False),
        ("One number has changed, in the last array", arrays, _with(arrays, 2, 5, 2.0), False),
        ("One of several zeros has become one", zeros, _with(zeros, 0, 3, 1.0), False),
        ("The numbers are the same in another order", counting, [counting[0][::-1]], False),
        ("One number has changed in its last bit", arrays, tiny, False),
        ("All are rounded to half precision", arrays, half, False),
        ("A number has become NaN", arrays, lost, False),
        ("A NaN has stayed a NaN, nothing has changed", lost, lost, True),
    ]


def _with(arrays: Sequence[np.ndarray], which: int, place: int, value: float) -> list[np.ndarray]:
    """A copy of the arrays in which one number is another."""
    copies = [array.copy() for array in arrays]
    copies[which].flat[place] = value
    return copies


@exercise(
    hints=(
        "Which setting does the layer 'first' have, and which graph does `fit` use?",
        "Two lines on the model that you were given, and return it: no new model.",
        'Set `trainable` on model.get_layer("first"), then compile with an optimizer and a loss.',
    ),
    solution="""
def unfreeze_first(model):
    model.get_layer("first").trainable = True
    model.compile(optimizer="adam", loss="mean_squared_error")
    return model
""",
    answer_name="unfreeze_first",
)
def unfreeze_first(function: Callable[[keras.Model], keras.Model]) -> Verdict:
    """Return the model, ready for a `fit` in which its frozen layer 'first' moves."""
    import keras

    with seeded():
        given, inputs, targets = _fitted_with_first_frozen()
        learned = _arrays(given)
        model = call(function, given)
        if not isinstance(model, keras.Model):
            return wrong(f"It returned {model!r}. Expected: the model. Does it end in `return`?")
        if not all(map(np.array_equal, learned, _arrays(model))):
            return wrong("The weights are others than before: what the model has learned is lost.")
        if not model.compiled:
            return wrong("The model that you return is not compiled, so it cannot be fitted.")
        model.fit(inputs, targets, batch_size=32, shuffle=False, verbose=0)
    return _what_moved(model, learned)


def _what_moved(model: keras.Model, learned: list[np.ndarray]) -> Verdict:
    """The verdict on the four arrays of a model of two Dense layers after another `fit`."""
    now = _arrays(model)
    if not all(np.isfinite(array).all() for array in now):
        return wrong("After `fit` there are NaNs among the weights. Choose a lower learning rate.")
    moved = [not np.array_equal(old, new) for old, new in zip(learned, now, strict=True)]
    if not moved[0] and not model.get_layer("first").trainable:
        return wrong(
            "'first' did not move. It is still frozen: `compile` unfreezes nothing, and "
            "`model.trainable = True` is passed over where it changes nothing."
        )
    if not moved[0]:
        return wrong("'first' is unfrozen and did not move: `fit` still used the graph of before.")
    if not moved[2]:
        return wrong("'first' moves, but now 'second' stands still. Expected: both move.")
    return right("Both layers move in the next `fit`, from the weights that were there.")


def _fitted_with_first_frozen() -> tuple[keras.Model, np.ndarray, np.ndarray]:
    """A model of two Dense layers that was compiled and fitted with the first frozen, and data."""
    import keras

    inputs = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    targets = inputs.sum(axis=1, keepdims=True)
    layers = [keras.layers.Dense(8, name="first"), keras.layers.Dense(1, name="second")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    layers[0].trainable = False
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.fit(inputs, targets, batch_size=32, shuffle=False, verbose=0)
    return model, inputs, targets


def _arrays(model: keras.Model) -> list[np.ndarray]:
    """Copies of all weights."""
    return [weight.numpy().copy() for weight in model.weights]
