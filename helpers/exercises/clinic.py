"""The cases of lesson 6: run a script, stop it before its last `fit`, examine a mended one."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import random
import textwrap
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

from helpers import lessons, quiet
from helpers.exercises.exercise import (
    OPEN,
    Exercise,
    NotAnswered,
    Verdict,
    call,
    right,
    wrong,
)
from helpers.preflight.layers import leaf_layers

if TYPE_CHECKING:
    import keras

LESSON = "find_the_bug"  # its file's name, but for the number
MORE = Path(__file__).with_name("more_scripts.py")
CUT = "block_15_add"
AT_ONCE = 200  # inputs
SIDE = 12  # places of a thumbnail
TRAINING = 600  # the first of the drawings' training part; the others are the new ones
PARTS = ("train", "validation", "new")
RETURNED = "the model, the training data and the validation data, as the script returned them"
NEW = "New pictures are in the data. They stand for users' pictures: no script gets to see them."
IN_VALIDATION = (
    "Validation pictures are in the training data. Then validation says nothing about other "
    "pictures."
)
GOOD = 0.88  # of the new pictures; the sound scripts reach 0.92 and more
MUCH = 0.15  # of the top's weights, relative: more than any careful fine-tuning moves them
LITTLE = 2e-4
# A judge yields whether something is wrong, and what to say then; it returns what to say if not.
Examination = Generator[tuple[bool, str], None, str]
Judge = Callable[["Case"], Examination]


@dataclass(frozen=True, eq=False)
class Ward:
    """What the scripts share.

    Attributes:
        pictures: by part, `(n, 96, 96, 3)`, bytes.
        labels: by part, `(n,)`.
        maps: by part, `(n, 3, 3, 56)`, the base's answers at the cut.
        features: by part, `(n, 1280)`, its answers at the end, pooled.
        top: the pretrained layers behind the cut.
        extractor: from bytes to features.
        class_names: by label.
    """

    pictures: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    maps: dict[str, np.ndarray]
    features: dict[str, np.ndarray]
    top: keras.Model
    extractor: keras.Model
    class_names: tuple[str, ...]

    def alike(self, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Of pictures, maps and features, those of which one has this shape.

        Raises:
            ValueError: where none has.
        """
        for kind in (self.pictures, self.maps, self.features):
            if kind["new"].shape[1:] == shape:
                return kind
        raise ValueError(f"Received: inputs of shape {shape}. Expected: those of the script.")


@lru_cache(maxsize=1)
def ward() -> Ward:
    """Prepare what the scripts share; maps and features are kept in the course's cache."""
    import keras
    import tensorflow as tf

    from helpers import bases, features, pictures

    data = pictures.load("drawings", size=96, quiet=True)
    base = bases.load("drawn")
    base.trainable = False
    at_cut = base.get_layer(CUT).output
    lower = keras.Model(base.input, at_cut, name="lower")
    scaling = bases.find("drawn").scaling
    pooling = keras.layers.GlobalAveragePooling2D
    below = keras.Sequential([keras.Input((96, 96, 3)), scaling(), lower])
    top = keras.Model(at_cut, base.output, name="top")
    pooled = keras.Sequential([keras.Input((3, 3, 56)), top, pooling()])
    extractor = keras.Sequential([keras.Input((96, 96, 3)), scaling(), base, pooling()])
    images = dict(zip(PARTS, _in_parts(data.train.images, data.validation.images), strict=True))
    labels = dict(zip(PARTS, _in_parts(data.train.labels, data.validation.labels), strict=True))
    maps = {part: features.extract(below, images[part], quiet=True) for part in PARTS}
    pooled_maps = {part: features.extract(pooled, maps[part], quiet=True) for part in PARTS}
    # Traced once, and not within each model that holds it.
    extractor.call = tf.function(extractor.call, reduce_retracing=True)
    names = tuple(data.class_names)
    return Ward(images, labels, maps, pooled_maps, top, extractor, names)


def _in_parts(train: Any, validation: Any) -> tuple[np.ndarray, ...]:
    return train[:TRAINING], validation, train[TRAINING:]


@dataclass(frozen=True)
class Sources:
    """For each input: the part and the row of the lesson's picture that it comes from.

    Attributes:
        part: `(n,)`, positions in `PARTS`.
        row: `(n,)`, positions within all parts, one after the other.
        labels: the true ones.
        exact: whether each input is that picture's own, but for rounding; not an altered one.
    """

    part: np.ndarray
    row: np.ndarray
    labels: np.ndarray
    exact: np.ndarray

    def count(self, part: str) -> int:
        """How many come from a part."""
        return int((self.part == PARTS.index(part)).sum())


@dataclass(frozen=True)
class Fit:
    """One call of `fit`: how many arrays trained, with which rate, and the head before and after.

    Attributes:
        head_alone: whether nothing but the last layer's weights was trainable.
        rate: the learning rate that the optimizer began with.
        before, after: the last layer's weights.
    """

    head_alone: bool
    rate: float
    before: list[np.ndarray]
    after: list[np.ndarray]


@dataclass
class Case:
    """What a script returned. Data are pairs of inputs and labels, or datasets of such pairs.

    Attributes:
        fits: what Keras's own `fit` did meanwhile.
    """

    model: keras.Model
    train: Any
    validation: Any
    fits: tuple[Fit, ...] = ()

    @property
    def head_came_first(self) -> bool:
        """Whether a head that was trained alone went on under an unfrozen top, as far as seen."""
        tuned = [fit for fit in self.fits if not fit.head_alone]
        trained = [fit for fit in self.fits if fit.head_alone]
        same = (
            all(map(np.array_equal, first.after, then.before))
            for first in trained
            for then in tuned
        )
        return not self.fits or any(same)

    @cached_property
    def train_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels of one pass over the training data."""
        return arrays(self.train)

    @cached_property
    def validation_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels of one pass over the validation data."""
        return arrays(self.validation)

    @cached_property
    def train_sources(self) -> Sources:
        """Where the training inputs come from."""
        return sources(self.train_arrays[0])

    @cached_property
    def validation_sources(self) -> Sources:
        """Where the validation inputs come from."""
        return sources(self.validation_arrays[0])

    @cached_property
    def right_of_new(self) -> np.ndarray:
        """Whether the model is right, a bool for each new picture."""
        inputs = ward().alike(tuple(self.model.input_shape[1:]))["new"]
        return predicted(outputs(self.model, inputs)) == ward().labels["new"]

    @property
    def accuracy(self) -> float:
        """On the new pictures."""
        return float(self.right_of_new.mean())

    def found(self, label: int) -> float:
        """The share of the new pictures of a class that the model is right about."""
        return float(self.right_of_new[ward().labels["new"] == label].mean())

    @cached_property
    def moved(self) -> float:
        """How far the top's convolutions are from the pretrained ones, 0.01 for a hundredth."""
        pairs = [
            pair
            for old, new in self._tops()
            for pair in zip(old, new, strict=True)
            if len(old) == 1
        ]
        change = sum(float(((new - old) ** 2).sum()) for old, new in pairs)
        return float(np.sqrt(change / sum(float((old**2).sum()) for old, _ in pairs)))

    @cached_property
    def statistics_moved(self) -> bool:
        """Whether a moving mean or variance of the top is another than the pretrained one."""
        return any(
            not np.array_equal(old[index], new[index])
            for old, new in self._tops()
            for index in (2, 3)
            if len(old) == 4
        )

    def _tops(self) -> Iterator[tuple[list[np.ndarray], list[np.ndarray]]]:
        """The weights of each layer of the pretrained top and of this model's."""
        own = {layer.name: layer for layer in leaf_layers(self.model)}
        for layer in ward().top.layers:
            if layer.weights:
                if layer.name not in own:
                    raise ValueError("Received: a model without the top. Expected: its layers.")
                yield layer.get_weights(), own[layer.name].get_weights()


def leaks(case: Case) -> Examination:
    """Complaints of pictures that are where they must not be."""
    train, validation = case.train_sources, case.validation_sources
    yield bool(train.count("new") or validation.count("new")), NEW
    yield bool(set(train.row) & set(validation.row)), IN_VALIDATION
    return ""


def arrays(data: Any) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels, flat, of a pair of arrays or of one pass over a dataset.

    Raises:
        ValueError: where there are not as many of the one as of the other, or none.
    """
    if not isinstance(data, (tuple, list)):
        batches = [(np.asarray(inputs), np.asarray(labels)) for inputs, labels, *_ in data]
        data = tuple(np.concatenate(column) for column in zip(*batches, strict=True))
    inputs, labels = np.asarray(data[0]), np.asarray(data[1]).reshape(-1)
    if len(inputs) != len(labels) or not len(labels):
        raise ValueError(f"Received: {len(inputs)} inputs, {len(labels)} labels. Expected: pairs.")
    return inputs, labels


def first_batch(data: Any) -> np.ndarray:
    """The inputs of the first batch of a new pass over a dataset; of a pair of arrays, all."""
    if isinstance(data, (tuple, list)):
        return np.asarray(data[0])
    return np.asarray(next(iter(data))[0])


def outputs(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """What a model says; it is called, for `predict` would first trace it."""
    parts = range(0, len(inputs), AT_ONCE)
    said = [np.asarray(model(inputs[start : start + AT_ONCE], training=False)) for start in parts]
    return np.concatenate(said)


def predicted(outputs: np.ndarray) -> np.ndarray:
    """The predicted classes: of logits, or of probabilities where all lie from 0 to 1."""
    return (outputs[:, 0] > (0.5 if are_probabilities(outputs) else 0.0)).astype(int)


def are_probabilities(outputs: np.ndarray) -> bool:
    """Whether all outputs lie from 0 to 1."""
    return bool(outputs.min() >= 0 and outputs.max() <= 1)


def sources(inputs: np.ndarray) -> Sources:
    """Find for each input the lesson's picture that it is, or was made of."""
    here = ward()
    part = np.repeat(np.arange(len(PARTS)), [len(here.labels[name]) for name in PARTS])
    labels = np.concatenate([here.labels[name] for name in PARTS])
    known = _known(here, inputs.shape[1:])
    signs = _signs(inputs)
    likeness = _directions(signs) @ known.T
    if signs.shape[1:] == (SIDE, SIDE):
        likeness = np.maximum(likeness, _directions(signs[:, :, ::-1]) @ known.T)  # mirrored
    row = likeness.argmax(axis=1)
    return Sources(part[row], row, labels[row], likeness.max(axis=1) > 1 - 1e-5)


@lru_cache(maxsize=4)
def _known(ward: Ward, shape: tuple[int, ...]) -> np.ndarray:
    """Of the inputs of all parts, a direction each."""
    known = ward.alike(shape)
    return _directions(np.concatenate([_signs(known[part]) for part in PARTS]))


def _signs(inputs: np.ndarray) -> np.ndarray:
    """By what inputs are known: pictures by 12 x 12 grey places, all else by itself."""
    if inputs.shape[1:] != (96, 96, 3):
        return inputs
    cell = 96 // SIDE
    places = np.asarray(inputs).reshape(-1, SIDE, cell, SIDE, cell * 3)
    return places.mean(axis=(2, 4), dtype="float32")


def _directions(rows: np.ndarray) -> np.ndarray:
    """Each row flat, with mean 0 and length 1."""
    flat = np.asarray(rows, "float32").reshape(len(rows), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9)


def reaching_base(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """What the base inside a model gets to see of inputs: all layers before it are applied."""

    def before_base(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer | None]:
        inner = getattr(layer, "layers", ())
        if len(inner) > 50:
            yield None
        elif inner:
            for part in inner:
                yield from before_base(part)
        else:
            yield layer

    for layer in before_base(model):
        if layer is None:
            break
        inputs = layer(inputs)
    return np.asarray(inputs)


# From scripts to exercises


def script(name: str) -> str:
    """A script as it stands in the lesson's text, or among the six more.

    Raises:
        ValueError: where there is none of that name.
    """
    path = next(lesson.source for lesson in lessons.LESSONS if lesson.stem.endswith(LESSON))
    found = _functions(MORE.read_text(encoding="utf-8"))
    found = found | _functions(path.read_text(encoding="utf-8") if path.is_file() else "")
    if name not in found:
        raise ValueError(f"Received: '{name}'. Expected: a function that stands in {path}.")
    return found[name]


@lru_cache(maxsize=2)
def _functions(text: str) -> dict[str, str]:
    """The functions of a text, by name."""
    nodes = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(text, node) or "" for node in nodes}


def run(name: str, names: Mapping[str, Any], seed: int = 0) -> tuple[keras.Model, Any, Any]:
    """Run a script as it came, whatever stands in the notebook's cell by now.

    Args:
        name: the script's.
        names: what it uses, such as a notebook's `globals()`.
        seed: the script's.

    Returns:
        The model, the training data and the validation data.
    """
    own = dict(names)
    text = script(name)
    # AutoGraph, which looks up the source of what `map` is given, finds it there.
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    exec(compile(text, name, "exec"), own)
    # Warnings of Keras that have nothing to do with the fault would lead astray.
    with _random_state_kept(), quiet.library("tensorflow"):
        return own[name](seed)


def before_last_fit(name: str, names: Mapping[str, Any]) -> tuple[keras.Model, Any, Any]:
    """What a script returns when its last `fit` is left out: the model as it would go into it."""
    import keras

    calls = [node.func for node in ast.walk(ast.parse(script(name))) if isinstance(node, ast.Call)]
    left = sum(isinstance(called, ast.Attribute) and called.attr == "fit" for called in calls)
    plain = keras.Model.fit

    def fit(model: keras.Model, *arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        return plain(model, *arguments, **options) if left else None

    with mock.patch.object(keras.Model, "fit", fit):
        return run(name, names)


def mend(name: str, *changes: tuple[str, str]) -> str:
    """A script with changes to its text.

    Raises:
        ValueError: where a change is not to a text that stands in the script once.
    """
    text = script(name)
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(
                f"Received: {old!r}, {text.count(old)} times in '{name}'. Expected: once."
            )
        text = text.replace(old, new)
    return text


class Mend(Exercise):
    """A script to be mended in its own cell.

    Attributes:
        finding: which check of `preflight` names its fault; may be empty.
    """

    finding: str = ""

    @property
    def help(self) -> str:
        """Where help is to be had."""
        return super().help.replace("exercises.", f"{_called(self.lesson)}.")

    def _open(self) -> Verdict:
        return Verdict(OPEN, f"The script is as it came. Mend it in this cell. {self.help}")


def _called(module: str) -> str:
    """What the lesson calls a module of exercises."""
    return "exercises" if module.startswith("lesson_") else module


def case(
    *changes: tuple[str, str], hints: tuple[str, ...], finding: str = ""
) -> Callable[[Judge], Exercise]:
    """Make an exercise of a judge whose name is the script's: mend it.

    Args:
        changes: to the script's text, which mend it.
        hints: from a nudge to nearly the answer.
        finding: which check of `preflight` names the fault before training; to be told at the end.
    """

    def make(judge: Judge) -> Exercise:
        @functools.wraps(judge)
        def judged(mended: Any) -> Verdict:
            if _is_as_it_came(mended, judge.__name__):
                raise NotAnswered
            examination = judge(examine(mended))
            try:
                while True:
                    is_wrong, text = next(examination)
                    if is_wrong:
                        return wrong(text)
            except StopIteration as end:
                told = f" `preflight` names the fault before `fit`: '{finding}'." if finding else ""
                return right(end.value + told)

        # Read when asked for: a reworded lesson must not keep the exercises from being imported.
        solution = functools.partial(mend, judge.__name__, *changes)
        made = Mend(judged, hints, solution, judge.__name__)
        made.finding = finding
        return made

    return make


def _is_as_it_came(function: Any, name: str) -> bool:
    """Whether a function's text, but for its layout and comments, is the script's."""
    try:
        own = textwrap.dedent(inspect.getsource(function))
        return ast.dump(ast.parse(own)) == ast.dump(ast.parse(script(name)))
    except (OSError, SyntaxError, TypeError, ValueError):  # no cell or file, or no script
        return False


def examine(mended: Any) -> Case:
    """Run a script.

    Raises:
        ValueError: where it does not return what the lesson's scripts return.
    """
    import keras

    if not callable(mended):
        raise ValueError("Received: no function. Expected: the script, and without `()` after it.")
    with _random_state_kept(), _fits_noted() as fits:
        returned = call(mended)
    if not (isinstance(returned, tuple) and len(returned) == 3):
        raise ValueError(f"Received: {_kind(returned)}. Expected: {RETURNED}.")
    if not isinstance(returned[0], keras.Model):
        raise ValueError(f"Received: {type(returned[0]).__name__} first. Expected: {RETURNED}.")
    return Case(*returned, tuple(fits))


@contextmanager
def _fits_noted() -> Iterator[list[Fit]]:
    """Note each call of Keras's `fit` on a model whose last layer has weights."""
    import keras

    plain, noted = keras.Model.fit, []

    def fit(model: keras.Model, *arguments: Any, **options: Any) -> Any:
        if not model.compiled:
            return plain(model, *arguments, **options)  # which says so
        head = model.layers[-1]
        before, rate = head.get_weights(), float(model.optimizer.learning_rate)
        alone = len(model.trainable_weights) == len(head.trainable_weights)
        history = plain(model, *arguments, **options)
        noted.append(Fit(alone, rate, before, head.get_weights()))
        return history

    with mock.patch.object(keras.Model, "fit", fit):  # gives back whatever was there
        yield noted


def _kind(returned: Any) -> str:
    """What a function returned, in a word or two."""
    return "nothing returned" if returned is None else type(returned).__name__


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Scripts set the seed; give numpy's and Python's random state back."""
    own, numpys = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(own)
        np.random.set_state(numpys)
