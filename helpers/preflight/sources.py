"""What people hold in their hands as data: told apart, and taken to pairs of inputs and labels."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import GeneratorType
from typing import Any

import numpy as np

from helpers.preflight import pipelines

BATCH = 64
# A seed that no learner has given, so that a second pass is another one.
LATER = 20_230_117
IMAGE_KEYS = ("image", "images", "x", "pixel_values", "inputs")
LABEL_KEYS = ("label", "labels", "y", "target", "targets")
TAKEN = (
    "(images, labels), a split of a picture set, a batched tf.data.Dataset of (images, labels), a "
    "keras.utils.PyDataset or an iterator of ImageDataGenerator"
)
Batch = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Data:
    """Training or validation data that can be looked through again.

    Attributes:
        name: `"train"` or `"validation"`, for messages.
        source: a `tf.data.Dataset`, a `keras.utils.PyDataset`, or a pair of arrays.
        kind: `"dataset"`, `"sequence"` or `"arrays"`.
        given_names: the classes' names, where they were given or the data carry them.
    """

    name: str
    source: Any
    kind: str
    given_names: tuple[str, ...] | None

    @cached_property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes' names; those of folders are found behind `map`, `cache` and `prefetch`."""
        if self.given_names or self.pipeline is None:
            return self.given_names
        return self.pipeline.class_names()

    @cached_property
    def pipeline(self) -> pipelines.Pipeline | None:
        """What a `tf.data.Dataset` is made of, where that can be read."""
        return pipelines.read(self.source) if self.kind == "dataset" else None

    @property
    def is_dataset(self) -> bool:
        """Whether passes may differ: each pass makes the batches anew."""
        return self.kind != "arrays"

    @property
    def is_endless(self) -> bool:
        """Whether it says of itself that it never ends."""
        if self.kind == "dataset":
            return int(self.source.cardinality()) == -1
        return self.kind == "sequence" and _length(self.source) is None

    @property
    def size(self) -> int | None:
        """How many pictures there are, where that is known without reading all."""
        if self.kind == "arrays":
            return len(self.source[1])
        found = getattr(self.source, "n", None) if self.kind == "sequence" else None
        return found if isinstance(found, int) else None

    def batches(self, limit: int, later: bool = False) -> Iterator[tuple[np.ndarray, Any, bool]]:
        """Batches of inputs and labels, cut where `limit` is reached, and whether one was cut.

        Args:
            limit: at most so many pictures.
            later: whether `fit` has come to the end of an epoch before, which a `PyDataset` is
                told.

        Raises:
            ValueError: where a batch does not hold one label an input.
        """
        seen = 0
        states = random.getstate(), np.random.get_state()
        try:
            for element in self._elements(later):
                images, labels = _checked(self.name, element)
                room = limit - seen
                yield images[:room], labels[:room], len(images) > room
                seen += len(images)
                if seen > limit or (seen == limit and self.is_endless):
                    return
        finally:  # the older generators seed NumPy's global state
            random.setstate(states[0])
            np.random.set_state(states[1])

    def _elements(self, later: bool) -> Iterator[Any]:
        if self.kind == "dataset":
            yield from self.source.as_numpy_iterator()
        elif self.kind == "sequence":
            yield from _steps(self.source, later)
        else:
            images, labels = self.source
            for start in range(0, len(labels), BATCH):
                rows = slice(start, start + BATCH)
                yield np.asarray(images[rows]), np.asarray(labels[rows])


def as_data(name: str, given: Any, class_names: Sequence[str] | None) -> Data:
    """Take what a learner has as data.

    Args:
        name: `"train"` or `"validation"`.
        given: `(inputs, labels)`, with weights of samples or without; a split of
            `helpers.pictures`; a batched `tf.data.Dataset` of such pairs, or of dictionaries as
            TensorFlow Datasets gives them; a `keras.utils.PyDataset`, which the iterators of
            `ImageDataGenerator` are too.
        class_names: in the order of the labels, None to take those that the data carry.

    Raises:
        ValueError: where it is none of these, or does not fit together.
    """
    names = tuple(class_names or _carried(given)) or None
    if hasattr(given, "element_spec"):
        _check_dataset(name, given)
        return Data(name, given, "dataset", names)
    if _is_sequence(given):
        return Data(name, given, "sequence", names)
    if hasattr(given, "images") and hasattr(given, "labels"):
        given = (given.images, given.labels)
    _refuse_others(name, given)
    images, labels = _pair(given)
    images = images if hasattr(images, "shape") else np.asarray(images)
    labels = np.asarray(labels)
    if len(images) != len(labels) or len(labels) == 0 or len(images.shape) < 2:
        raise ValueError(
            f"Received: {name} with inputs of shape {tuple(images.shape)} and labels of shape "
            f"{labels.shape}. Expected: one label an input, and at least one."
        )
    return Data(name, (images, labels), "arrays", names)


def _carried(given: Any) -> tuple[str, ...]:
    """The class names that data have with them, in the order of the labels."""
    indices = getattr(given, "class_indices", None)  # of ImageDataGenerator's iterators
    if isinstance(indices, dict):
        return tuple(str(name) for name in sorted(indices, key=indices.__getitem__))
    return tuple(getattr(given, "class_names", None) or ())


def _is_sequence(given: Any) -> bool:
    import keras

    return isinstance(given, keras.utils.PyDataset)


def _length(sequence: Any) -> int | None:
    """How many batches a `PyDataset` has, None where it never ends."""
    found = sequence.num_batches
    return None if found is None else int(found)


def _steps(sequence: Any, later: bool) -> Iterator[Any]:
    """The batches of a `PyDataset`, from a copy, so that its own order stays as it was."""
    sequence, number = copy.copy(sequence), 0
    if later:
        _end_epoch(sequence)
    count = _length(sequence)
    while count is None or number < count:
        yield sequence[number]
        number += 1


def _end_epoch(sequence: Any) -> None:
    """Let a `PyDataset` be as after an epoch of `fit`, random states included."""
    random.seed(LATER)
    np.random.seed(LATER)
    if isinstance(getattr(sequence, "total_batches_seen", None), int):  # which seeds its batches
        sequence.total_batches_seen += _length(sequence) or 0
    sequence.on_epoch_end()


def _is_pair(given: Any) -> bool:
    return isinstance(given, (tuple, list)) and len(given) in {2, 3}


def _pair(element: Any) -> tuple[Any, Any]:
    """Inputs and labels of a tuple, with weights of samples or without, or of a dictionary."""
    if isinstance(element, Mapping):
        return element[_key(element, IMAGE_KEYS)], element[_key(element, LABEL_KEYS)]
    images, labels = element[0], element[1]
    for _ in range(2):  # a model of one input takes a dictionary of one, too
        images, labels = _only(images), _only(labels)
    return images, labels


def _only(value: Any) -> Any:
    """What stands alone in a dictionary, or in a list of one array."""
    if isinstance(value, Mapping) and len(value) == 1:
        return next(iter(value.values()))
    alone = isinstance(value, (tuple, list)) and len(value) == 1 and hasattr(value[0], "shape")
    return value[0] if alone and len(value[0].shape) else value


def _key(element: Mapping[str, Any], known: tuple[str, ...]) -> str:
    """The first of some keys that a dictionary has.

    Raises:
        KeyError: where it has none.
    """
    return next((key for key in known if key in element), known[0])


def _has_keys(element: Mapping[str, Any]) -> bool:
    return all(_key(element, known) in element for known in (IMAGE_KEYS, LABEL_KEYS))


def _checked(name: str, element: Any) -> Batch:
    """Inputs and labels of a batch.

    Raises:
        ValueError: where it holds no pair, or not one label an input.
    """
    if not (_is_pair(element) or (isinstance(element, Mapping) and _has_keys(element))):
        raise ValueError(
            f"Received: {name} with a batch of type {type(element).__name__}. Expected: "
            f"(images, labels), or these and weights of samples."
        )
    images, labels = (np.asarray(part) for part in _pair(element))
    if images.ndim < 2 or labels.ndim < 1 or len(images) != len(labels):
        raise ValueError(
            f"Received: {name} with a batch of inputs {images.shape} and labels {labels.shape}. "
            f"Expected: batches, with one label an input. Where these are single pictures, use "
            f"`{name}.batch(32)`."
        )
    return images, labels


def _refuse_others(name: str, given: Any) -> None:
    """Refuse what can be looked through only once, and what is no pair.

    Raises:
        ValueError: with a way on.
    """
    if isinstance(given, GeneratorType) or (
        hasattr(given, "__next__") and not hasattr(given, "shape")
    ):
        raise ValueError(
            f"Received: {name} as a Python generator ({type(given).__name__}), which can be looked "
            f"through only once. Expected: {TAKEN}. Put the code that makes a batch into the "
            f"__getitem__ of a keras.utils.PyDataset; or collect some batches: "
            f"pairs = [next({name}) for _ in range(20)], "
            f"{name} = tuple(np.concatenate(part) for part in zip(*pairs))."
        )
    if isinstance(given, Mapping):
        if _has_keys(given):
            return
        raise ValueError(
            f"Received: {name}, a dictionary of {', '.join(map(str, given))}. Expected: {TAKEN}."
        )
    if not _is_pair(given):
        raise ValueError(f"Received: {name} of type {type(given).__name__}. Expected: {TAKEN}.")


def _check_dataset(name: str, dataset: Any) -> None:
    """Refuse datasets that are not batches of pairs."""
    spec = dataset.element_spec
    fits = _has_keys(spec) if isinstance(spec, Mapping) else _is_pair(spec)
    if not fits or not all(hasattr(part, "shape") for part in _pair(spec)):
        raise ValueError(
            f"Received: {name}, a dataset of {spec}. Expected: pairs (images, labels). "
            f"Use `dataset.map` to make them."
        )
    images, labels = (part.shape for part in _pair(spec))
    if _is_unbatched(images, labels):
        raise ValueError(
            f"Received: {name}, an unbatched dataset of inputs {images} and labels "
            f"{labels}. Expected: batches. Use `{name}.batch(32)`."
        )


def _is_unbatched(images: Any, labels: Any) -> bool:
    """Whether the shapes of inputs and labels are those of one picture, as far as can be told."""
    if labels.rank == 0 or images.rank in {0, 1}:
        return True
    if images.rank is None or labels.rank is None:
        return False
    first = images[0], labels[0]
    if None not in first:
        return first[0] != first[1]
    # A batch of unknown size has one for inputs and labels alike.
    return images.rank == 3 and images[2] in {1, 3, 4} and first[1] is not None
