#!/usr/bin/env python3
"""What `preflight` says of many small set-ups: faulty ones, the same when mended, and sound ones.

Run from the repository: `python tests/preflight_cases.py [NAME ...]` prints a line a set-up with
its seconds, then how many faults were named and how many alarms were false.

A faulty set-up is a function of `wrong`: True builds the fault, False what its mend leads to. Of
its words one has to stand in a finding, and every finding has to hold one of them, or of those
that `also` may be said. A refusal counts as a finding. A sound set-up has no finding at all.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import pictures
from helpers.preflight import UNEXPECTED, Finding, copies, preflight

SIDE = 48
Part = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A set-up.

    Attributes:
        build: gives model, train, validation and, where needed, options of `preflight`.
        words: of which one has to be said, in lower case; none of a sound set-up.
        also: words of findings that follow from the fault.
    """

    build: Callable[..., tuple]
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """What is wrong, in a line."""
        return str(self.build.__doc__)


FAULTY: dict[str, Case] = {}
SOUND: dict[str, Case] = {}


def faulty(*words: str, also: tuple[str, ...] = ()) -> Callable:
    """Register a function of `wrong`."""

    def register(build: Callable) -> Callable:
        FAULTY[build.__name__] = Case(build, words, also)
        return build

    return register


def sound(build: Callable) -> Callable:
    """Register a function without arguments."""
    SOUND[build.__name__] = Case(build)
    return build


@dataclass(frozen=True)
class Outcome:
    """What was said of a set-up.

    Attributes:
        hits: the findings, or the refusal, that named the fault.
        false: what else was said.
        broken: what checks failed themselves.
    """

    hits: tuple[Finding | str, ...]
    false: tuple[str, ...]
    broken: tuple[str, ...]
    seconds: float

    @property
    def named(self) -> bool:
        """Whether the fault was named."""
        return bool(self.hits)


def look(case: Case, *wrong: bool) -> Outcome:
    """Build a set-up, let preflight look, and compare.

    Args:
        case: one of the tables.
        wrong: whether to build the fault; nothing for a sound set-up.
    """
    keras.backend.clear_session(free_memory=False)  # so layers are numbered alike in each
    keras.utils.set_random_seed(0)
    start = time.monotonic()
    try:
        built = case.build(*wrong)
    finally:
        keras.config.set_dtype_policy("float32")
    if wrong == (True,):
        return _outcome(*_said(built), case.words, case.also, start)
    key = _fingerprint(built)
    if key is None or key not in _looked_at:  # many mends lead to the same set-up
        _looked_at[key] = _said(built)
    return _outcome(*_looked_at[key], (), (), start)


Said = list[Finding | str]
_looked_at: dict[str | None, tuple[Said, tuple[str, ...]]] = {}


def _said(built: tuple) -> tuple[Said, tuple[str, ...]]:
    """The findings, or the refusal, and the checks that failed themselves."""
    model, train, validation, *more = built
    options = {"difference": 0.5, "progress": False} | (more[0] if more else {})
    try:
        # A check that fails beside a fault is told here as what it is, not as its consequence.
        room = patch.object(sys.modules["helpers.preflight"], "_explain")
        with room, patch.object(copies, "find", _find):
            report = preflight(model, train, validation, **options)
    except (TypeError, ValueError) as refused:
        if "Received:" not in str(refused):
            raise
        return [f"refused: {refused}"], ()
    broken = tuple(f"{n}: {why}" for n, why in report.skipped if UNEXPECTED in why)
    return [*report.findings, *report.notes], broken


_find_copies = copies.find
_found: dict[tuple[bytes, ...], copies.Found] = {}


def _find(ours: copies.Prints, theirs: copies.Prints) -> copies.Found:
    """What `copies.find` gives, which many set-ups ask of the same pictures: half the seconds."""
    key = ours.thumbs.tobytes(), theirs.thumbs.tobytes()
    if key not in _found:
        _found[key] = _find_copies(ours, theirs)
    return _found[key]


def _outcome(
    said: Said, broken: tuple[str, ...], words: tuple[str, ...], also: tuple[str, ...], start: float
) -> Outcome:
    hits = tuple(one for one in said if _holds(_text(one), words))
    false = tuple(text for text in map(_text, said) if not _holds(text, (*words, *also)))
    return Outcome(hits, false, broken, time.monotonic() - start)


def _fingerprint(built: tuple) -> str | None:
    """Equal for set-ups of the same model, weights, settings and arrays; None of any other kind."""
    checks = sys.modules["helpers.preflight"].CHECKS
    model, *parts = built
    arrays = [array for part in parts[:2] if type(part) is tuple for array in part]
    if len(arrays) != 4 or not all(type(array) is np.ndarray for array in arrays):
        return None
    try:
        written = [model.to_json(), model.get_compile_config(), parts[2:], list(checks)]
    except NotImplementedError:
        return None
    found = hashlib.sha256(repr(written).encode())
    trained = [(weight.path, weight.trainable) for weight in model.weights]
    found.update(repr([trained, [(array.dtype, array.shape) for array in arrays]]).encode())
    for array in (*arrays, *model.get_weights(), *(v.numpy() for v in model.optimizer.variables)):
        found.update(array.tobytes())
    return found.hexdigest()


def _text(said: Finding | str) -> str:
    return said if isinstance(said, str) else f"{said.check}: {said.what} {said.mend}"


def _holds(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text.lower() for word in words)


# The pictures


@lru_cache(maxsize=1)
def _drawings() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cats and dogs of 48 x 48, dogs with less red, so that a small base can tell them."""
    found = pictures.load("drawings", size=96, quiet=True)
    parts = []
    for part in (found.train, found.validation):
        halved = part.images.reshape(-1, SIDE, 2, SIDE, 2, 3).mean(axis=(2, 4))
        halved[part.labels == 1, ..., 0] *= 0.4
        parts += [halved.astype("uint8"), part.labels]
    return tuple(parts)


def drawings(train: int = 200, validation: int = 60) -> tuple[Part, Part]:
    """Two splits of drawings, `(images, labels)` each; new arrays."""
    images, labels, others, theirs = _drawings()
    return (
        (images[:train].copy(), labels[:train].copy()),
        (others[:validation].copy(), theirs[:validation].copy()),
    )


def changed(
    images: Callable[[np.ndarray], Any] = lambda x: x,
    labels: Callable[[np.ndarray], Any] = lambda y: y,
    parts: tuple[Part, Part] | None = None,
) -> list[tuple[Any, Any]]:
    """Both splits with their pictures, or their labels, changed alike."""
    return [(images(x), labels(y)) for x, y in parts or drawings()]


def three() -> list[Part]:
    """Drawings labelled 0, 1 or 2 by how light they are."""
    cuts = np.quantile(_drawings()[0].mean(axis=(1, 2, 3)), [1 / 3, 2 / 3])
    return [(x, np.digitize(x.mean(axis=(1, 2, 3)), cuts)) for x, _ in drawings()]


def tags() -> list[Part]:
    """Drawings with three tags each, of which several may hold."""
    found = []
    for images, labels in drawings():
        rest = np.random.default_rng(0).integers(0, 2, (len(labels), 2))
        found.append((images, np.column_stack([labels, rest]).astype("float32")))
    return found


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Labels as rows of zeros with a one."""
    return np.eye(int(labels.max()) + 1, dtype="float32")[labels]


def batches(part: Any, size: int = 32) -> tf.data.Dataset:
    """A batched dataset of a split."""
    return tf.data.Dataset.from_tensor_slices(part).batch(size)


def by_class(part: Part) -> Part:
    """First all cats, then all dogs."""
    order = np.argsort(part[1], kind="stable")
    return part[0][order], part[1][order]


def with_copies(change: Callable[[np.ndarray], np.ndarray], wrong: bool) -> tuple[Part, Part]:
    """Twenty pictures of train, changed, in validation; or twenty others, changed alike."""
    (images, labels), (others, theirs) = drawings()
    source, names = (images, labels) if wrong else (_drawings()[0][300:], _drawings()[1][300:])
    altered = np.stack([change(image) for image in source[:20]])
    validation = np.concatenate([others[:40], altered]), np.concatenate([theirs[:40], names[:20]])
    return (images, labels), validation


# The models


def scaling() -> keras.layers.Layer:
    """What the base takes: -1 to 1."""
    return layers.Rescaling(1 / 127.5, -1.0)


def _body() -> list[keras.layers.Layer]:
    parts = []
    for filters in (16, 32, 32):
        parts += [
            layers.Conv2D(filters, 3, strides=2, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
    return parts


@lru_cache(maxsize=1)
def _pretrained() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights of a base and of a head, trained on drawings that no set-up uses."""
    keras.utils.set_random_seed(1)
    base = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *_body()])
    head = layers.Dense(1)
    model = keras.Sequential([base, layers.GlobalAveragePooling2D(), head])
    model.compile(keras.optimizers.Adam(3e-3), LOGITS())
    images, labels = _drawings()[:2]
    model.fit(images[400:] / 127.5 - 1, labels[400:], epochs=6, verbose=0)
    return base.get_weights(), head.get_weights()


def LOGITS(**options: Any) -> keras.losses.Loss:
    """The loss of one logit."""
    return keras.losses.BinaryCrossentropy(from_logits=True, **options)


def pretrained_base(random: bool = False) -> keras.Model:
    """A base of three convolutions that was trained on drawings, frozen."""
    inputs = values = keras.Input((SIDE, SIDE, 3))
    for layer in _body():
        values = layer(values)
    base = keras.Model(inputs, values, name="base")
    if not random:
        base.set_weights(_pretrained()[0])
    base.trainable = False
    return base


def trained_head(model: keras.Model) -> keras.Model:
    """The same model, its last layer trained on the base's features."""
    model.layers[-1].set_weights(_pretrained()[1])
    return model


def nested(
    *end: keras.layers.Layer, scale: Any = None, front: Any = (), base: Any = None
) -> keras.Model:
    """A frozen base in a functional model; without `end`, one logit."""
    inputs = values = keras.Input((SIDE, SIDE, 3))
    for layer in (*front, scale or scaling()):
        values = layer(values)
    values = (base or pretrained_base())(values, training=False)
    values = layers.GlobalAveragePooling2D(name="pooling")(values)
    for layer in end or [layers.Dense(1)]:
        values = layer(values)
    return keras.Model(inputs, values)


def flat(*end: keras.layers.Layer) -> keras.Model:
    """The head on `base.output`: no model in a model, and no scaling."""
    base = pretrained_base()
    values = layers.GlobalAveragePooling2D()(base.output)
    for layer in end or [layers.Dense(1)]:
        values = layer(values)
    return keras.Model(base.input, values)


def stacked(*parts: keras.layers.Layer) -> keras.Sequential:
    """Layers one after the other."""
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), *parts])


def of_own_class(scale: Any = None, end: Any = None) -> keras.Model:
    """A model that somebody wrote as a class."""

    class Classifier(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.scaling, self.base = scale or scaling(), pretrained_base()
            self.pooling, self.head = layers.GlobalAveragePooling2D(), end or layers.Dense(1)

        def call(self, inputs: Any, training: bool = False) -> Any:
            values = self.base(self.scaling(inputs), training=False)
            return self.head(self.pooling(values))

    model = Classifier()
    model(np.zeros((1, SIDE, SIDE, 3), "float32"))
    return model


def scratch(*end: keras.layers.Layer, channels: int = 3, scale: Any = None) -> keras.Model:
    """A small network from scratch."""
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, channels)),
            scale or layers.Rescaling(1 / 255),
            layers.Conv2D(8, 5, strides=3, activation="relu"),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            *(end or [layers.Dense(1)]),
        ]
    )


def compiled(
    model: keras.Model, loss: Any = None, metrics: Any = None, optimizer: Any = 1e-3
) -> keras.Model:
    """Compile, for one logit where no loss is given."""
    if loss is None:
        loss, metrics = LOGITS(), metrics or [keras.metrics.BinaryAccuracy(threshold=0.0)]
    if isinstance(optimizer, float):
        optimizer = keras.optimizers.Adam(optimizer)
    model.compile(optimizer, loss, metrics=metrics)
    return model


def unfreeze(model: keras.Model, normalization: bool = False) -> keras.Model:
    """Let the base of a model train, by default without its BatchNormalization."""
    base = next((one for one in model.layers if one.name == "base"), model)
    base.trainable = True
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = normalization
    return model


def fine_tuning(**options: Any) -> keras.Model:
    """The base trains under a trained head at a low rate, without its BatchNormalization."""
    return compiled(unfreeze(trained_head(nested(**options))), optimizer=1e-5)


def softmax(classes: int) -> keras.layers.Layer:
    """A head of probabilities that sum to 1."""
    return layers.Dense(classes, activation="softmax")


def sigmoid(outputs: int = 1, **options: Any) -> keras.layers.Layer:
    """A head of probabilities, each for itself."""
    return layers.Dense(outputs, activation="sigmoid", **options)


def sound_model() -> keras.Model:
    """Frozen base, fresh head of one logit."""
    return compiled(nested())


SPARSE, CATEGORICAL, BINARY = (
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
    "binary_crossentropy",
)


# Faulty: scaling


@faulty("value_range=(-1.0, 1.0)")
def brightness_after_scaling(wrong):
    """RandomBrightness, made for 0 to 255, behind the scaling to -1 to 1"""
    brightness = layers.RandomBrightness(0.2)
    order = [scaling(), brightness] if wrong else [brightness, scaling()]
    return compiled(nested(scale=keras.Sequential(order))), *drawings()


@faulty("scal", also=("rate",))
def raw_pixels(wrong):
    """Pictures of 0 to 255 reach a base that takes -1 to 1."""
    return compiled(nested(scale=layers.Identity() if wrong else None)), *drawings()


@faulty("scal")
def divided_by_255(wrong):
    """Pictures of 0 to 1 reach a base that takes -1 to 1."""
    scale = layers.Rescaling(1 / 255) if wrong else None
    return compiled(nested(scale=scale)), *drawings()


@faulty("scal")
def scaled_twice(wrong):
    """Scaled in the arrays, and once more in the model."""
    data = changed(lambda x: x / 127.5 - 1 if wrong else x)
    return sound_model(), *data


@faulty("scal")
def scaled_in_the_dataset_and_in_the_model(wrong):
    """`map(x / 255)` in the pipeline, Rescaling in the model."""
    scale = 1 / 255 if wrong else 1.0
    data = [batches(p).map(lambda x, y: (tf.cast(x, tf.float32) * scale, y)) for p in drawings()]
    return sound_model(), *data


@faulty("scal")
def flat_model_on_pictures_by_255(wrong):
    """The head stands on `base.output`, pictures come as x / 255."""
    data = changed(lambda x: x / 255 if wrong else x / 127.5 - 1)
    return compiled(flat()), *data


@faulty("scal", also=("rate",))
def flat_model_on_raw_pictures(wrong):
    """The head stands on `base.output`, and nothing scales."""
    data = changed(lambda x: x.astype("float32") if wrong else x / 127.5 - 1)
    return compiled(flat()), *data


@faulty("scal")
def sequential_on_pictures_by_255(wrong):
    """A Sequential model scales to 0 to 1 in front of its base."""
    scale = layers.Rescaling(1 / 255) if wrong else scaling()
    end = layers.GlobalAveragePooling2D(), layers.Dense(1)
    return compiled(stacked(scale, pretrained_base(), *end)), *drawings()


@faulty("scal")
def own_class_on_pictures_by_255(wrong):
    """A model of one's own class scales to 0 to 1."""
    scale = layers.Rescaling(1 / 255) if wrong else None
    return compiled(of_own_class(scale)), *drawings()


@faulty("scal", also=("rate",))
def means_taken_off(wrong):
    """The preprocessing of VGG in front of a base that takes -1 to 1."""
    scale = keras.applications.vgg16.preprocess_input if wrong else None
    return compiled(nested(scale=scale)), *drawings()


@faulty("scal")
def standardised(wrong):
    """The mean and deviation of ImageNet in front of a base that takes -1 to 1."""
    scale = keras.applications.densenet.preprocess_input if wrong else None
    return compiled(nested(scale=scale)), *drawings()


@faulty("scaling", "scaled", also=("fit",))
def validation_scaled_otherwise(wrong):
    """Training pictures are 0 to 255, those of validation 0 to 1."""
    train, (images, labels) = drawings()
    return sound_model(), train, (images / 255 if wrong else images, labels)


@faulty("scaling", "scaled", also=("fit",))
def train_scaled_otherwise(wrong):
    """Training pictures are 0 to 1, those of validation 0 to 255."""
    (images, labels), validation = changed(lambda x: x.astype("float32"))
    model = compiled(scratch(scale=layers.Identity()))
    validation = validation if wrong else (validation[0] / 255, validation[1])
    return model, (images / 255, labels), validation


@faulty("blue", "[..., ::-1]")
def blue_green_red(wrong):
    """Read by OpenCV: blue first."""
    return sound_model(), *changed(lambda x: x[..., ::-1] if wrong else x)


def photographs(change: Callable[[np.ndarray], np.ndarray]) -> list[Part]:
    """Smooth pictures; as in photographs, blue is weaker than red and has more contrast."""
    coarse = np.random.default_rng(0).uniform(0, 1, (160, 4, 4, 3)) * [190, 230, 210] + [40, 0, 5]
    images = np.array(tf.image.resize(coarse, (SIDE, SIDE), "bicubic")).clip(0, 255)
    labels = np.arange(160) % 2
    images[labels == 1, ..., 1] *= 0.65
    parts = np.split(change(images), [100]), np.split(labels, [100])
    return list(zip(*parts, strict=True))


def lower_vgg() -> keras.Model:
    """A head on the first layers of VGG16; biases that differ stand for those of training."""
    whole = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    base = keras.Model(whole.input, whole.get_layer("block2_pool").output)
    for layer in base.layers[1:]:
        if layer.weights:
            layer.bias.assign(np.linspace(0, 0.1, layer.filters))
    base.trainable = False
    pooled = layers.GlobalAveragePooling2D()(base.output)
    return compiled(keras.Model(base.input, layers.Dense(1)(pooled)), optimizer=1e-4)


@faulty("expects")
def vgg_on_pictures_by_255(wrong):
    """Pictures / 255 for the base of a VGG, which stores no statistics."""
    scale = keras.applications.vgg16.preprocess_input
    return lower_vgg(), *photographs(lambda x: x / 255 if wrong else scale(x.copy()))


@faulty("[..., ::-1]")
def blue_green_red_for_a_vgg(wrong):
    """The means are taken off, and blue and red are not turned round."""
    means = np.array([103.939, 116.779, 123.68])
    return lower_vgg(), *photographs(lambda x: (x if wrong else x[..., ::-1]) - means)


@faulty("scaled twice")
def scaled_twice_from_scratch(wrong):
    """Divided by 255 in the arrays, and once more in a network from scratch."""
    return compiled(scratch()), *changed(lambda x: x / 255 if wrong else x)


@faulty("channel")
def grey_pictures(wrong):
    """One channel for a base of three."""
    return sound_model(), *changed(lambda x: x[..., :1] if wrong else x)


@faulty("channel")
def channels_first(wrong):
    """Pictures as PyTorch has them: channels, height, width."""
    return sound_model(), *changed(lambda x: np.moveaxis(x, -1, 1) if wrong else x)


@faulty("resize")
def other_size(wrong):
    """Pictures of half the size that the model takes."""
    return sound_model(), *changed(lambda x: x[:, ::2, ::2] if wrong else x)


# Faulty: outputs, loss, metrics


@faulty("softmax")
def softmax_over_one_output(wrong):
    """Softmax over one output is 1 whatever comes in."""
    end = softmax(1) if wrong else sigmoid()
    return compiled(nested(end), BINARY, ["accuracy"]), *drawings()


@faulty("softmax", "sigmoid")
def sigmoid_with_categorical_crossentropy(wrong):
    """Two sigmoids, categorical crossentropy."""
    end = sigmoid(2) if wrong else softmax(2)
    return compiled(nested(end), CATEGORICAL, ["accuracy"]), *changed(labels=one_hot)


@faulty("other pictures", "axis")
def softmax_over_the_batch(wrong):
    """softmax over the pictures of a batch: axis=0"""
    end = layers.Dense(2), layers.Softmax(axis=0 if wrong else -1)
    return compiled(nested(*end), SPARSE, ["accuracy"]), *drawings()


@faulty("behind the last weights")
def dropout_of_outputs(wrong):
    """dropout behind the last layer"""
    end = [layers.Dense(1), layers.Dropout(0.3)]
    return compiled(nested(*(end if wrong else end[::-1]))), *drawings()


@faulty("probabilities of")
def softmax_inside(wrong):
    """a head on the softmax of another one, as behind include_top=True"""
    inside = layers.Dense(62, activation="softmax" if wrong else "relu")
    return compiled(nested(inside, layers.Dense(1))), *drawings()


@faulty("regularizers")
def heavy_penalty(wrong):
    """a penalty that outweighs the loss of the labels"""
    penalty = keras.regularizers.L2(100.0 if wrong else 1e-4)
    return compiled(nested(layers.Dense(1, kernel_regularizer=penalty))), *drawings()


@faulty("relu", also=("rate", "trains"))
def relu_output(wrong):
    """Relu where a probability is expected."""
    end = layers.Dense(1, activation="relu" if wrong else "sigmoid")
    return compiled(nested(end), BINARY, ["accuracy"]), *drawings()


@faulty("tanh", also=("rate",))
def tanh_output(wrong):
    """Tanh, from -1 to 1, where a probability is expected."""
    end = layers.Dense(1, activation="tanh" if wrong else "sigmoid")
    return compiled(nested(end), BINARY, ["accuracy"]), *drawings()


@faulty("binary", "categorical")
def binary_crossentropy_for_one_of_three(wrong):
    """Softmax over three classes, binary crossentropy."""
    loss = BINARY if wrong else CATEGORICAL
    data = changed(labels=one_hot, parts=three())
    return compiled(nested(softmax(3)), loss, ["categorical_accuracy"]), *data


@faulty("mean squared", "mse", "mean_squared", "crossentropy")
def squared_error_on_classes(wrong):
    """Mean squared error on two classes."""
    return compiled(nested(sigmoid()), "mse" if wrong else BINARY, ["binary_accuracy"]), *drawings()


@faulty("threshold")
def accuracy_of_logits(wrong):
    """`metrics=["accuracy"]` on logits."""
    metric = "accuracy" if wrong else keras.metrics.BinaryAccuracy(threshold=0.0)
    return compiled(nested(), LOGITS(), [metric]), *drawings()


@faulty("threshold")
def binary_accuracy_of_logits(wrong):
    """`BinaryAccuracy()`, whose threshold is 0.5, on logits."""
    metric = keras.metrics.BinaryAccuracy(threshold=0.5 if wrong else 0.0)
    return compiled(nested(), LOGITS(), [metric]), *drawings()


@faulty("threshold")
def precision_and_recall_of_logits(wrong):
    """Precision and Recall at 0.5, on logits."""
    at = None if wrong else 0.0
    metrics = [keras.metrics.Precision(thresholds=at), keras.metrics.Recall(thresholds=at)]
    return compiled(nested(), LOGITS(), metrics), *drawings()


@faulty("from_logits", "threshold")
def area_under_the_curve_of_logits(wrong):
    """AUC takes probabilities, and gets logits."""
    metric = keras.metrics.AUC(from_logits=not wrong)
    return compiled(nested(), LOGITS(), [metric]), *drawings()


@faulty("threshold")
def f1_of_logits(wrong):
    """F1 at 0.5, on a logit or on a probability."""
    metric = keras.metrics.F1Score(threshold=0.5)
    model = nested() if wrong else nested(sigmoid())
    data = changed(labels=lambda y: y[:, None].astype("float32"))
    return compiled(model, LOGITS() if wrong else BINARY, [metric]), *data


@faulty("threshold")
def accuracy_of_probabilities_at_0(wrong):
    """A threshold of 0 on probabilities: all are above."""
    metric = keras.metrics.BinaryAccuracy(threshold=0.0 if wrong else 0.5)
    return compiled(nested(sigmoid()), BINARY, [metric]), *drawings()


@faulty("one-hot", "onehot", "sparse")
def metric_for_one_hot_labels(wrong):
    """CategoricalAccuracy, integer labels."""
    metric = f"{'' if wrong else 'sparse_'}categorical_accuracy"
    return compiled(nested(softmax(2)), SPARSE, [metric]), *drawings()


@faulty("one-hot", "onehot", "sparse", "integer")
def metric_for_integer_labels(wrong):
    """SparseCategoricalAccuracy, one-hot labels."""
    metric = f"{'sparse_' if wrong else ''}categorical_accuracy"
    return compiled(nested(softmax(2)), CATEGORICAL, [metric]), *changed(labels=one_hot)


@faulty("largest 5 of 3")
def all_of_the_top(wrong):
    """top-5 accuracy of three classes"""
    metric = keras.metrics.SparseTopKCategoricalAccuracy(k=5 if wrong else 2)
    return compiled(nested(softmax(3)), SPARSE, [metric]), *three()


@faulty("float16")
def float16_output(wrong):
    """Mixed precision, and the output in float16."""
    keras.config.set_dtype_policy("mixed_float16")
    end = sigmoid() if wrong else sigmoid(dtype="float32")
    return compiled(nested(end), BINARY, ["accuracy"]), *drawings()


@faulty("float16")
def weights_of_16_bits(wrong):
    """A head in float16, its weights included."""
    end = sigmoid(dtype="float16" if wrong else "float32")
    return compiled(nested(end), BINARY, ["accuracy"]), *drawings()


@faulty("not finite")
def outputs_that_are_no_numbers(wrong):
    """A weight is no number, as after a training that blew up."""
    model = nested(sigmoid())
    if wrong:
        model.layers[-1].bias.assign([np.nan])
    return compiled(model, BINARY, ["accuracy"]), *drawings()


@faulty("pool", "flatten")
def no_pooling(wrong):
    """A Dense layer on the block of features."""
    pooling = layers.Identity() if wrong else layers.GlobalAveragePooling2D()
    model = stacked(scaling(), pretrained_base(), pooling, layers.Dense(1))
    return compiled(model, LOGITS()), *drawings()


@faulty("logits")
def sigmoid_and_from_logits(wrong):
    """The model gives probabilities, the loss takes logits."""
    loss = LOGITS() if wrong else BINARY
    return compiled(nested(sigmoid()), loss, ["accuracy"]), *drawings()


@faulty("logits", also=("threshold",))
def logits_and_no_from_logits(wrong):
    """The model gives a logit, the loss takes a probability."""
    metric = keras.metrics.BinaryAccuracy(threshold=0.0)
    return compiled(nested(), BINARY if wrong else LOGITS(), [metric]), *drawings()


@faulty("logits")
def softmax_and_from_logits(wrong):
    """Softmax, and a loss that applies it once more."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=wrong)
    return compiled(nested(softmax(2)), loss, ["accuracy"]), *drawings()


@faulty("softmax", "several", "multi")
def tags_under_softmax(wrong):
    """Several tags a picture, and probabilities that sum to 1."""
    end, loss = (softmax(3), CATEGORICAL) if wrong else (sigmoid(3), BINARY)
    return compiled(nested(end), loss, ["binary_accuracy"]), *tags()


@faulty("two activations", "twice", "sigmoid", "softmax")
def two_activations(wrong):
    """A sigmoid of a sigmoid lies between 0.5 and 0.73."""
    end = [sigmoid(), layers.Activation("sigmoid")] if wrong else [sigmoid()]
    return compiled(nested(*end), BINARY, ["accuracy"]), *drawings()


@faulty("linear")
def two_linear_layers(wrong):
    """Two Dense layers without an activation between are one."""
    hidden = layers.Dense(64, activation=None if wrong else "relu")
    return compiled(nested(hidden, layers.Dense(1))), *drawings()


@faulty("constant", "zero", "same")
def constant_kernel(wrong):
    """A hidden layer that starts as zeros learns nothing."""
    start = "zeros" if wrong else "glorot_uniform"
    hidden = layers.Dense(32, activation="relu", kernel_initializer=start)
    return compiled(nested(hidden, layers.Dense(1))), *drawings()


@faulty("dropout")
def much_dropout(wrong):
    """Dropout of 0.9."""
    return compiled(nested(layers.Dropout(0.9 if wrong else 0.3), layers.Dense(1))), *drawings()


# Faulty: labels


@faulty("one-hot", "integer", "sparse")
def one_hot_labels_for_sparse(wrong):
    """One-hot labels, a loss that takes integers."""
    data = changed(labels=one_hot if wrong else lambda y: y)
    return compiled(nested(softmax(2)), SPARSE), *data


@faulty("one-hot", "integer", "sparse")
def integer_labels_for_categorical(wrong):
    """Integer labels, a loss that takes one-hot ones."""
    return compiled(nested(softmax(2)), CATEGORICAL), *changed(
        labels=(lambda y: y) if wrong else one_hot
    )


@faulty("looks for an output")
def sparse_loss_on_one_output(wrong):
    """One sigmoid, and a loss that looks up the output of the label's number."""
    return compiled(nested(sigmoid()), SPARSE if wrong else BINARY, ["accuracy"]), *drawings()


@faulty("hold for none")
def tag_that_never_comes(wrong):
    """Three tags, of which the last holds for no picture."""
    data = changed(labels=lambda y: y * [1, 1, 0] if wrong else y, parts=tags())
    return compiled(nested(sigmoid(3)), BINARY, ["binary_accuracy"]), *data


@faulty("label", also=("rate",))
def labels_from_1(wrong):
    """Labels 1 to 3 under a head of three."""
    data = changed(labels=lambda y: y + 1 if wrong else y, parts=three())
    return compiled(nested(softmax(3)), SPARSE, ["accuracy"]), *data


@faulty("label", also=("rate",))
def labels_of_minus_1_and_1(wrong):
    """Labels -1 and 1, binary crossentropy."""
    return sound_model(), *changed(labels=lambda y: 2 * y - 1 if wrong else y)


@faulty("label")
def labels_as_words(wrong):
    """Labels 'cat' and 'dog'."""
    names = np.array(["cat", "dog"])
    return sound_model(), *changed(labels=lambda y: names[y] if wrong else y)


@faulty("whole", "label", also=("rate",))
def labels_that_are_no_whole_numbers(wrong):
    """Labels 0.4 and 1.7, sparse crossentropy."""
    data = changed(labels=lambda y: np.where(y, 1.7, 0.4) if wrong else y)
    return compiled(nested(softmax(2)), SPARSE, ["accuracy"]), *data


@faulty("dense(3)", "label", also=("rate",))
def too_few_outputs(wrong):
    """Three classes, a head of two."""
    return compiled(nested(softmax(2 if wrong else 3)), SPARSE, ["accuracy"]), *three()


@faulty("never come", "label")
def class_that_never_comes(wrong):
    """Two classes, a head of three."""
    return compiled(nested(softmax(3 if wrong else 2)), SPARSE, ["accuracy"]), *drawings()


@faulty("number their classes", "label")
def labels_swapped_in_validation(wrong):
    """Validation numbers its classes the other way round."""
    train, (images, labels) = drawings()
    return compiled(trained_head(nested())), train, (images, 1 - labels if wrong else labels)


@faulty("label 0 is", "class")
def class_names_in_another_order(wrong):
    """The folders' names came in another order."""
    names = (["cat", "dog"], ["dog", "cat"] if wrong else ["cat", "dog"])
    return sound_model(), *drawings(), {"class_names": names}


@faulty("label 0 is", "class")
def class_names_that_datasets_carry(wrong):
    """Datasets of folders, the second with its names in another order."""
    data = [batches(part) for part in drawings()]
    data[0].class_names = ["cat", "dog"]
    data[1].class_names = ["dog", "cat"] if wrong else ["cat", "dog"]
    return sound_model(), *data


@faulty("label 0 is", "class")
def class_names_that_generators_carry(wrong):
    """Generators of folders, the second with its classes in another order."""
    source = generator(preprocessing_function=keras.applications.mobilenet_v2.preprocess_input)
    orders = {"train": ["cat", "dog"], "validation": ["dog", "cat"] if wrong else ["cat", "dog"]}
    flows = [
        source.flow_from_directory(
            Path(_folder()) / name,
            target_size=(SIDE, SIDE),
            class_mode="binary",
            classes=order,
            shuffle=name == "train",
        )
        for name, order in orders.items()
    ]
    return compiled(flat()), *flows


@faulty("% of train", "always naming")
def one_class_of_nearly_all(wrong):
    """Nineteen pictures in twenty are dogs."""
    (images, labels), validation = drawings()
    few = np.flatnonzero(labels == 0)[:5]
    rows = np.concatenate([np.flatnonzero(labels == 1), few]) if wrong else np.arange(len(labels))
    rows = np.random.default_rng(0).permutation(rows)
    return sound_model(), (images[rows], labels[rows]), validation


@faulty("validation pictures", "interval")
def validation_too_small(wrong):
    """Sixty pictures are to show a gain of two points."""
    return sound_model(), *drawings(), {"difference": 0.02 if wrong else 0.2}


@faulty("one class", "only class", "a single class", also=("imbalance", "never come"))
def validation_of_one_class(wrong):
    """Validation holds dogs only."""
    train, (images, labels) = drawings()
    rows = labels == 1 if wrong else labels >= 0
    return compiled(trained_head(nested())), train, (images[rows], labels[rows])


# Faulty: what trains


@faulty("nothing", "no weight", "frozen")
def nothing_trains(wrong):
    """`model.trainable = False`."""
    model = nested()
    model.trainable = not wrong
    model.get_layer("base").trainable = False
    return compiled(model), *drawings()


@faulty("frozen with the random", also=("head",))
def frozen_fresh_head(wrong):
    """The base trains, the fresh head does not."""
    model = unfreeze(nested()) if wrong else nested()
    model.layers[-1].trainable = not wrong
    return compiled(model, optimizer=1e-5 if wrong else 1e-3), *drawings()


@faulty("random", "pretrained", "never trained")
def frozen_random_base(wrong):
    """The base was built with `weights=None`, and frozen."""
    return compiled(nested(base=pretrained_base(random=wrong))), *drawings()


@faulty("trains from random weights")
def weights_forgotten(wrong):
    """all of a network of keras.applications with weights=None, on 200 pictures"""
    base = keras.applications.MobileNetV2((SIDE, SIDE, 3), 0.35, include_top=False, weights=None)
    if not wrong:
        return sound_model(), *drawings()
    return compiled(nested(base=base)), *drawings()


@faulty("vain", "frozen", "parent")
def unfrozen_in_vain(wrong):
    """A layer of a base is unfrozen, and the base itself is not."""
    model = trained_head(nested())
    base = model.get_layer("base")
    base.trainable = not wrong
    for layer in base.layers:
        layer.trainable = layer is base.layers[-3]
    return compiled(model, optimizer=1e-5), *drawings()


@faulty("head")
def unfrozen_under_a_fresh_head(wrong):
    """The base trains under a head that knows nothing."""
    model = compiled(unfreeze(nested()), optimizer=1e-5) if wrong else fine_tuning()
    return model, *drawings()


@lru_cache(maxsize=1)
def _lucky_kernel() -> np.ndarray:
    """Of thirty fresh kernels the one that tells most drawings apart."""
    model = nested()
    features = keras.Model(model.input, model.get_layer("pooling").output)
    (images, labels), _ = drawings()
    values = np.array(features(images.astype("float32"), training=False))
    starts = [keras.initializers.GlorotUniform(seed=seed) for seed in range(30)]
    kernels = [np.array(start((values.shape[1], 1))) for start in starts]
    return max(kernels, key=lambda kernel: np.mean((values @ kernel > 0)[:, 0] == labels))


@faulty("head")
def fresh_head_that_is_right_by_luck(wrong):
    """A fresh head that happens to tell most pictures apart, and a base that trains."""
    model = unfreeze(trained_head(nested()))
    if wrong:
        model.layers[-1].set_weights([_lucky_kernel(), np.zeros(1, "float32")])
    return compiled(model, optimizer=1e-5), *drawings()


@faulty("batchnormalization")
def normalization_that_moves(wrong):
    """`base.trainable = True`, BatchNormalization included."""
    model = unfreeze(trained_head(nested()), normalization=wrong)
    return compiled(model, optimizer=1e-5), *drawings()


@faulty("batchnormalization")
def normalization_that_moves_in_a_flat_model(wrong):
    """The same where the head stands on `base.output`."""
    model = unfreeze(trained_head(flat()), normalization=wrong)
    return compiled(model, optimizer=1e-5), *changed(lambda x: x / 127.5 - 1)


@faulty("compile")
def unfrozen_after_compile(wrong):
    """`trainable` was changed after `fit`, without `compile`."""
    model = compiled(nested())
    train, validation = drawings()
    model.fit(train[0][:64], train[1][:64], verbose=0)
    unfreeze(model)
    return model if wrong else compiled(trained_head(model), optimizer=1e-5), train, validation


# Faulty: rates


@faulty("rate")
def rate_of_1(wrong):
    """A base is fine-tuned by Adam at 1."""
    model = unfreeze(trained_head(nested()))
    return compiled(model, optimizer=1.0 if wrong else 1e-5), *drawings()


@faulty("rate")
def rate_far_too_low(wrong):
    """a fresh head at a rate of 1e-7"""
    return compiled(nested(), optimizer=keras.optimizers.SGD(1e-7 if wrong else 1e-2)), *drawings()


@faulty("rate")
def rate_of_0(wrong):
    """A rate of 0 changes nothing."""
    return compiled(nested(), optimizer=0.0 if wrong else 1e-3), *drawings()


@faulty("rate")
def negative_rate(wrong):
    """A rate below 0 climbs."""
    return compiled(nested(), optimizer=-1e-3 if wrong else 1e-3), *drawings()


@faulty("rate")
def fine_tuning_at_a_heads_rate(wrong):
    """Fine-tuning with SGD at 3."""
    model = unfreeze(trained_head(nested()))
    return compiled(model, optimizer=keras.optimizers.SGD(3.0 if wrong else 1e-4)), *drawings()


@faulty("rate")
def rate_that_overshoots(wrong):
    """A base is fine-tuned by Adam at 0.01: nothing blows up, and what was known is lost."""
    model = unfreeze(trained_head(nested()))
    return compiled(model, optimizer=0.01 if wrong else 1e-5), *drawings()


@faulty("255", "scale")
def raw_pixels_at_a_low_rate(wrong):
    """The same as below, at a rate that lets the loss begin high and fall."""
    scale = layers.Identity() if wrong else layers.Rescaling(1 / 255)
    hidden = layers.Dense(32, activation="relu")
    model = stacked(scale, layers.Flatten(), hidden, layers.Dense(1))
    return compiled(model, optimizer=1e-4), *drawings()


@faulty("255", "scale")
def raw_pixels_from_scratch(wrong):
    """A network without normalisation is fed 0 to 255."""
    scale = layers.Identity() if wrong else layers.Rescaling(1 / 255)
    hidden = layers.Dense(32, activation="relu")
    model = stacked(scale, layers.Flatten(), hidden, layers.Dense(1))
    return compiled(model, optimizer=keras.optimizers.SGD(0.01)), *drawings()


# Faulty: order and pipeline


@faulty("labels and pictures", "shuffled or sorted apart")
def labels_shuffled_apart(wrong):
    """labels in another order than their pictures"""
    (images, labels), validation = drawings()
    mixed = np.random.default_rng(0).permutation(labels)
    return sound_model(), (images, mixed if wrong else labels), validation


@faulty("labels and pictures", "shuffled or sorted apart")
def validation_labels_shuffled_apart(wrong):
    """labels of validation in another order than their pictures"""
    train, (images, labels) = drawings(validation=96)
    mixed = np.random.default_rng(1).permutation(labels)
    return sound_model(), train, (images, mixed if wrong else labels)


@faulty("different labels")
def two_labels_for_one_picture(wrong):
    """60 training pictures that come twice, each time with another label"""
    (images, labels), validation = drawings()
    again = 1 - labels[:60] if wrong else labels[:60]
    both = np.concatenate([images, images[:60]]), np.concatenate([labels, again])
    return sound_model(), both, validation


@faulty("of one colour", also=("rate", "scal"))
def black_pictures(wrong):
    """pictures divided by 255 and turned back to whole numbers"""
    (images, labels), validation = drawings()
    read = (images / 256).astype("uint8") if wrong else images
    return sound_model(), (read, labels), validation


@faulty("different ones")
def the_same_few_pictures(wrong):
    """a list filled with the same few arrays"""
    (images, labels), validation = drawings()
    if wrong:
        rows = np.random.default_rng(0).integers(10, size=len(labels))
        images, labels = images[rows], labels[rows]
    return sound_model(), (images, labels), validation


@faulty("batches of 1")
def batches_of_one(wrong):
    """batches of one picture, and BatchNormalization in the head"""
    train, validation = drawings()
    model = compiled(nested(layers.BatchNormalization(), layers.Dense(1)))
    return model, batches(train, 1 if wrong else 32).shuffle(300), batches(validation)


@faulty("order", "sorted", "shuffle")
def sorted_by_class(wrong):
    """All cats, then all dogs, and no shuffle."""
    train, validation = drawings()
    return sound_model(), batches(by_class(train) if wrong else train), batches(validation)


@faulty("order", "sorted", "shuffle")
def small_shuffle_buffer(wrong):
    """Sorted by class, and a buffer of 10."""
    train, validation = drawings()
    rows = tf.data.Dataset.from_tensor_slices(by_class(train))
    return sound_model(), rows.shuffle(10 if wrong else 200).batch(32), batches(validation)


@faulty("order", "sorted", "shuffle")
def batched_before_shuffled(wrong):
    """Sorted by class, batched, and whole batches shuffled."""
    train, validation = drawings()
    rows = tf.data.Dataset.from_tensor_slices(by_class(train))
    mixed = rows.batch(32).shuffle(7) if wrong else rows.shuffle(200).batch(32)
    return sound_model(), mixed, batches(validation)


@faulty("cache", "augment")
def cached_after_augmentation(wrong):
    """Sixty pictures are augmented, then cached: one view for ever."""
    train, validation = drawings(60)
    turn = layers.RandomRotation(0.1)

    def augment(images, labels):
        return turn(images, training=True), labels

    mapped = batches(train).map(augment).cache() if wrong else batches(train).cache().map(augment)
    return fine_tuning(), mapped, batches(validation)


@faulty("cache keeps")
def cached_augmentation_of_validation(wrong):
    """A random flip of the validation data, then cached: the same at each pass."""
    train, validation = drawings()
    flip = layers.RandomFlip("horizontal")
    altered = batches(validation).map(lambda x, y: (flip(x, training=wrong), y))
    return sound_model(), batches(train), altered.cache() if wrong else altered


@faulty("augment")
def flip_in_validation(wrong):
    """A random flip, and nothing else, in the validation data."""
    train, validation = drawings()
    flip = layers.RandomFlip("horizontal")
    altered = batches(validation).map(lambda x, y: (flip(x, training=wrong), y))
    return sound_model(), batches(train), altered


@faulty("augment")
def rotation_in_validation(wrong):
    """Random rotation and zoom in the validation data."""
    train, validation = drawings()
    turn = keras.Sequential([layers.RandomRotation(0.2), layers.RandomZoom(0.2)])
    altered = batches(validation).map(lambda x, y: (turn(x, training=wrong), y))
    return sound_model(), batches(train), altered


@faulty("random", "evaluation")
def noise_that_never_rests(wrong):
    """Noise of one's own, which comes in evaluation, too."""
    noise = layers.Lambda(lambda x: x + 40 * keras.random.normal(keras.ops.shape(x)))
    return compiled(nested(front=[noise if wrong else layers.GaussianNoise(0.5)])), *drawings()


@faulty("augment")
def few_pictures_and_no_augmentation(wrong):
    """Sixty pictures fine-tune a base, and always come the same."""
    front = [] if wrong else [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)]
    return fine_tuning(front=front), *drawings(60)


@faulty("reshuffl", "shuffle", also=("shared",))
def take_and_skip_of_a_shuffle(wrong):
    """`take` and `skip` of a dataset that shuffles at each pass."""
    train, _ = drawings(260)
    rows = tf.data.Dataset.from_tensor_slices(train)
    mixed = rows.shuffle(260, seed=1, reshuffle_each_iteration=wrong)
    return sound_model(), mixed.skip(60).batch(32), mixed.take(60).batch(32)


@faulty("shared", also=("reshuffl", "shuffle"))
def cut_of_a_shuffle_shares_pictures(wrong):
    """The same, seen as pictures of train in validation."""
    train, _ = drawings(260)
    rows = tf.data.Dataset.from_tensor_slices(train)
    mixed = rows.shuffle(260, seed=2, reshuffle_each_iteration=wrong)
    return sound_model(), mixed.skip(60).batch(32), mixed.take(60).batch(32)


@faulty("same pass")
def labels_and_predictions_of_two_passes(wrong):
    """Validation shuffles anew at each pass: labels of one, predictions of another."""
    train, validation = drawings()
    rows = tf.data.Dataset.from_tensor_slices(validation)
    rows = rows.shuffle(60, seed=1, reshuffle_each_iteration=wrong)
    return sound_model(), batches(train), rows.batch(32)


@faulty("repeat", "endless")
def endless_validation(wrong):
    """`validation.repeat()`: evaluation does not end."""
    train, validation = drawings()
    second = batches(validation).repeat() if wrong else batches(validation)
    return sound_model(), batches(train), second


@faulty("repeat")
def repeated_validation(wrong):
    """`validation.repeat(3)`: each picture counts three times."""
    train, validation = drawings()
    return sound_model(), batches(train), batches(validation).repeat(3 if wrong else 1)


@faulty("batch")
def not_batched(wrong):
    """A dataset of single pictures."""
    parts = [tf.data.Dataset.from_tensor_slices(part) for part in drawings()]
    return sound_model(), *(parts if wrong else [part.batch(32) for part in parts])


@faulty("batch")
def not_batched_and_one_hot(wrong):
    """A dataset of single pictures with one-hot labels."""
    parts = [tf.data.Dataset.from_tensor_slices(part) for part in changed(labels=one_hot)]
    model = compiled(nested(softmax(2)), CATEGORICAL, ["accuracy"])
    return model, *(parts if wrong else [part.batch(32) for part in parts])


@faulty("generator")
def python_generators(wrong):
    """Functions that yield batches: they can be looked through once."""

    def run_through(part):
        for start in range(0, len(part[1]), 32):
            yield part[0][start : start + 32], part[1][start : start + 32]

    data = [run_through(part) if wrong else part for part in drawings()]
    return sound_model(), *data


# Faulty: leaks


@faulty("shared")
def copies_in_validation(wrong):
    """Pictures of train, byte for byte."""
    return sound_model(), *with_copies(lambda image: image, wrong)


@faulty("shared")
def mirrored_copies(wrong):
    """Pictures of train, mirrored."""
    return sound_model(), *with_copies(lambda image: image[:, ::-1], wrong)


@faulty("shared")
def turned_copies(wrong):
    """Pictures of train, turned by a quarter."""
    return sound_model(), *with_copies(np.rot90, wrong)


@faulty("shared")
def cropped_copies(wrong):
    """Pictures of train without their edges."""
    from PIL import Image

    def crop(image: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(image[2:-2, 2:-2]).resize((SIDE, SIDE)))

    return sound_model(), *with_copies(crop, wrong)


@faulty("shared")
def brightened_copies(wrong):
    """Pictures of train, a fifth lighter."""
    return sound_model(), *with_copies(
        lambda image: np.clip(image * 1.2, 0, 255).astype("uint8"), wrong
    )


@faulty("shared")
def compressed_copies(wrong):
    """Pictures of train, saved again as JPEG."""
    return sound_model(), *with_copies(_compressed, wrong)


def _compressed(image: np.ndarray) -> np.ndarray:
    import io

    from PIL import Image

    memory = io.BytesIO()
    Image.fromarray(image).save(memory, "JPEG", quality=60)
    return np.asarray(Image.open(memory))


# Faulty: in other hands


class Batches(keras.utils.PyDataset):
    """Keras's own kind of data, which gives batches by number."""

    def __init__(self, images, labels, change=lambda x: x):
        super().__init__()
        self.images, self.labels, self.change = images, labels, change

    def __len__(self):
        return -(-len(self.labels) // 32)

    def __getitem__(self, number):
        rows = slice(32 * number, 32 * number + 32)
        return self.change(self.images[rows]), self.labels[rows]


def generator(**options: Any) -> Any:
    """Keras's older kind of data, in which most of the public recipes are written."""
    return tf.keras.preprocessing.image.ImageDataGenerator(**options)


@faulty("scal")
def py_dataset_by_255(wrong):
    """A PyDataset gives x / 255 to a base that takes -1 to 1."""
    data = [
        Batches(*part, change=lambda x: x / 255 if wrong else x / 127.5 - 1) for part in drawings()
    ]
    return compiled(flat()), *data


@faulty("scal")
def generator_by_255(wrong):
    """`ImageDataGenerator(rescale=1/255)` for a base that takes -1 to 1."""
    scale = keras.applications.mobilenet_v2.preprocess_input
    source = generator(rescale=1 / 255) if wrong else generator(preprocessing_function=scale)
    parts = changed(lambda x: x.astype("float32"))
    return compiled(flat()), *(source.flow(*p, batch_size=32, shuffle=False) for p in parts)


@faulty("augment")
def generator_that_augments_validation(wrong):
    """One generator with shear and flips for both."""
    scale = keras.applications.mobilenet_v2.preprocess_input
    options = {"rotation_range": 20, "horizontal_flip": True, "preprocessing_function": scale}
    parts = changed(lambda x: x.astype("float32"))
    sources = (
        generator(**options),
        generator(**(options if wrong else {"preprocessing_function": scale})),
    )
    flows = [
        source.flow(*part, batch_size=32, shuffle=number == 0, seed=1)
        for number, (source, part) in enumerate(zip(sources, parts, strict=True))
    ]
    return compiled(flat()), *flows


@faulty("output")
def two_outputs(wrong):
    """A model with two outputs."""
    model = nested()
    if wrong:
        second = layers.Dense(1, name="second")(model.get_layer("pooling").output)
        model = keras.Model(model.input, [model.output, second])
        model.compile("adam", [LOGITS(), LOGITS()])
        return model, *drawings()
    return compiled(model), *drawings()


@faulty("compile")
def not_compiled(wrong):
    """A model before `compile`."""
    return nested() if wrong else sound_model(), *drawings()


# Sound: models


@sound
def strong_augmentation():
    """brightness, contrast and erasing in the pictures' own range"""
    front = [layers.RandomBrightness(0.5), layers.RandomContrast(0.5), layers.RandomErasing()]
    return compiled(nested(front=front)), *drawings()


@sound
def a_class_drawn_three_times():
    """the pictures of one class come three times, as against an imbalance"""
    (images, labels), validation = drawings()
    rows = np.concatenate([np.arange(len(labels)), *[np.flatnonzero(labels)] * 2])
    rows = np.random.default_rng(0).permutation(rows)
    return sound_model(), (images[rows], labels[rows]), validation


@sound
def a_nested_base():
    """Frozen base, one logit, arrays."""
    return sound_model(), *drawings()


@sound
def a_nested_base_with_sigmoid():
    """Frozen base, one probability, 'accuracy'."""
    return compiled(nested(sigmoid()), BINARY, ["accuracy"]), *drawings()


@sound
def two_outputs_of_softmax():
    """Two probabilities, integer labels."""
    return compiled(nested(softmax(2)), SPARSE, ["accuracy"]), *drawings()


@sound
def two_logits():
    """Two logits, integer labels."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return compiled(nested(layers.Dense(2)), loss, ["accuracy"]), *drawings()


@sound
def smoothed_one_hot_labels():
    """Label smoothing in the loss."""
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    return compiled(nested(softmax(2)), loss, ["accuracy"]), *changed(labels=one_hot)


@sound
def labels_smoothed_by_hand():
    """One-hot labels of 0.05 and 0.95."""
    data = changed(labels=lambda y: one_hot(y) * 0.9 + 0.05)
    return compiled(nested(softmax(2)), CATEGORICAL, ["accuracy"]), *data


@sound
def labels_as_a_column():
    """Labels of shape (n, 1)."""
    return sound_model(), *changed(labels=lambda y: y[:, None].astype("float32"))


@sound
def labels_as_truths():
    """Labels False and True."""
    return sound_model(), *changed(labels=lambda y: y.astype(bool))


@sound
def three_classes():
    """Three classes, softmax."""
    return compiled(nested(softmax(3)), SPARSE, ["accuracy"]), *three()


@sound
def several_tags():
    """Three tags a picture, a sigmoid each, binary crossentropy."""
    return compiled(nested(sigmoid(3)), BINARY, ["binary_accuracy"]), *tags()


@sound
def several_tags_as_logits():
    """Three tags a picture as logits, with AUC."""
    metric = keras.metrics.AUC(multi_label=True, from_logits=True)
    return compiled(nested(layers.Dense(3)), LOGITS(), [metric]), *tags()


@sound
def focal_crossentropy():
    """A focal loss on a logit."""
    loss = keras.losses.BinaryFocalCrossentropy(from_logits=True)
    metric = keras.metrics.BinaryAccuracy(threshold=0.0)
    return compiled(nested(), loss, [metric]), *drawings()


@sound
def a_regression():
    """A number to be estimated: how light a picture is."""
    data = [(images, images.mean(axis=(1, 2, 3)) / 255) for images, _ in drawings()]
    return compiled(nested(), "mse", ["mae"]), *data


@sound
def metrics_of_logits():
    """Precision, Recall and AUC told that they get logits."""
    metrics = [
        keras.metrics.Precision(thresholds=0.0),
        keras.metrics.Recall(thresholds=0.0),
        keras.metrics.AUC(from_logits=True),
    ]
    return compiled(nested(), LOGITS(), metrics), *drawings()


@sound
def activation_as_a_layer():
    """A Dense layer, then Activation('sigmoid')."""
    end = layers.Dense(1), layers.Activation("sigmoid")
    return compiled(nested(*end), BINARY, ["accuracy"]), *drawings()


@sound
def softmax_as_a_layer():
    """A Dense layer, then Softmax()."""
    return compiled(nested(layers.Dense(2), layers.Softmax()), SPARSE, ["accuracy"]), *drawings()


@sound
def a_flat_model():
    """The head on `base.output`, pictures scaled before."""
    return compiled(flat()), *changed(lambda x: (x / 127.5 - 1).astype("float32"))


@sound
def a_sequential_model():
    """Scaling, base, pooling and head in a row."""
    end = layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(1)
    return compiled(stacked(scaling(), pretrained_base(), *end)), *drawings()


@sound
def a_model_of_own_class():
    """A class with a `call`."""
    return compiled(of_own_class()), *drawings()


@sound
def flattened_features():
    """Flatten in place of pooling, and a hidden layer."""
    hidden = layers.Dense(16, activation="relu")
    model = stacked(scaling(), pretrained_base(), layers.Flatten(), hidden, layers.Dense(1))
    return compiled(model), *drawings()


@sound
def a_hidden_layer_in_the_head():
    """Two Dense layers and dropout of 0.5."""
    end = layers.Dense(32, activation="relu"), layers.Dropout(0.5), layers.Dense(1)
    return compiled(nested(*end)), *drawings()


@sound
def a_trained_head_with_a_hidden_layer():
    """The head's own layers have learnt, the base is frozen, and it was compiled again."""
    end = layers.Dense(32, activation="relu"), layers.Dense(1)
    train, validation = drawings()
    model = compiled(nested(*end))
    model.fit(*train, epochs=2, verbose=0)
    return compiled(model, optimizer=1e-4), train, validation


@sound
def a_head_that_has_learnt_a_little():
    """A frozen base under a head that is right two times in three."""
    model = nested()
    kernel, bias = _pretrained()[1]
    noise = np.random.default_rng(1).normal(size=kernel.shape) * np.abs(kernel).mean()
    model.layers[-1].set_weights([0.3 * kernel + noise.astype("float32"), bias])
    return compiled(model), *drawings()


@sound
def own_normalization_in_the_head():
    """The learner's own BatchNormalization, trained with the head."""
    end = layers.BatchNormalization(), layers.GlobalAveragePooling2D(), layers.Dense(1)
    train, validation = drawings()
    model = compiled(stacked(scaling(), pretrained_base(), *end))
    model.fit(*train, epochs=2, verbose=0)
    return compiled(model, optimizer=1e-4), train, validation


@sound
def normalization_behind_the_pooling():
    """A fresh BatchNormalization between pooling and head."""
    return compiled(nested(layers.BatchNormalization(), layers.Dense(1))), *drawings()


@sound
def normalization_in_front_of_the_base():
    """A fresh BatchNormalization between scaling and base."""
    front = scaling(), layers.BatchNormalization()
    return compiled(nested(front=front, scale=layers.Identity())), *drawings()


@sound
def hinge_and_labels_of_minus_1_and_1():
    """The hinge loss takes labels of -1 and 1."""
    data = changed(labels=lambda y: 2.0 * y - 1)
    return compiled(nested(layers.Dense(1, activation="tanh")), "hinge", []), *data


@sound
def normalization_from_scratch():
    """A network from scratch with BatchNormalization."""
    parts = layers.Conv2D(8, 3, strides=2), layers.BatchNormalization(), layers.ReLU()
    end = layers.GlobalAveragePooling2D(), layers.Dense(1)
    return compiled(stacked(layers.Rescaling(1 / 255), *parts, *end)), *drawings()


@sound
def a_network_from_scratch():
    """Two convolutions, x / 255."""
    return compiled(scratch()), *drawings()


@sound
def a_network_from_scratch_with_sgd():
    """The same with SGD and momentum."""
    return compiled(scratch(), optimizer=keras.optimizers.SGD(0.01, momentum=0.9)), *drawings()


@sound
def an_adapted_normalization():
    """`Normalization` adapted to the pictures, in front of a network from scratch."""
    train, validation = drawings()
    first = layers.Normalization()
    first.adapt(train[0].astype("float32"))
    return compiled(scratch(scale=first)), train, validation


@sound
def layer_normalization():
    """A network with LayerNormalization, as ConvNeXt has it."""
    parts = layers.Conv2D(8, 4, strides=4), layers.LayerNormalization(), layers.Activation("gelu")
    end = layers.GlobalAveragePooling2D(), layers.Dense(1)
    return compiled(stacked(layers.Rescaling(1 / 255), *parts, *end)), *drawings()


@sound
def grey_pictures_from_scratch():
    """One channel, and a model of one channel."""
    return compiled(scratch(channels=1)), *changed(lambda x: x[..., :1])


@sound
def scikit_learns_digits():
    """Small plain pictures, which look alike and are none of each other."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.kron(found.images, np.ones((6, 6)))[..., None] * 255 / 16
    parts = [
        (images[rows].astype("uint8"), found.target[rows]) for rows in (slice(600), slice(600, 800))
    ]
    return compiled(scratch(softmax(10), channels=1), SPARSE, ["accuracy"]), *parts


@sound
def fine_tuning_of_the_whole_base():
    """A trained head, BatchNormalization frozen, 1e-5."""
    return fine_tuning(), *drawings()


@sound
def fine_tuning_of_the_last_layers():
    """Only the last convolution of the base trains."""
    model = unfreeze(trained_head(nested()))
    for layer in model.get_layer("base").layers[:-3]:
        layer.trainable = False
    return compiled(model, optimizer=1e-5), *drawings()


@sound
def fine_tuning_of_a_flat_model():
    """The same where the head stands on `base.output`."""
    model = unfreeze(trained_head(flat()))
    return compiled(model, optimizer=1e-5), *changed(lambda x: (x / 127.5 - 1).astype("float32"))


@sound
def fine_tuning_with_augmentation_layers():
    """Random layers in the model, which `fit` alone switches on."""
    front = layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)
    return fine_tuning(front=front), *drawings(120)


@sound
def training_that_goes_on():
    """A second `fit` of the same compiled model."""
    model, (train, validation) = sound_model(), drawings()
    model.fit(*train, epochs=1, verbose=0)
    return model, train, validation


@sound
def a_model_read_from_disk():
    """Saved, and loaded again."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        sound_model().save(file)
        return keras.models.load_model(file), *drawings()


@sound
def mixed_precision():
    """Mixed precision, output in float32."""
    keras.config.set_dtype_policy("mixed_float16")
    return compiled(nested(sigmoid(dtype="float32")), BINARY, ["accuracy"]), *drawings()


@sound
def a_schedule_with_a_warm_up():
    """The rate starts at 0 and rises."""
    rate = keras.optimizers.schedules.CosineDecay(0.0, 90, warmup_target=1e-3, warmup_steps=10)
    return compiled(nested(), optimizer=keras.optimizers.Adam(rate)), *drawings()


@sound
def weight_decay_and_clipping():
    """AdamW with clipped gradients."""
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=1e-2, clipnorm=1.0)
    return compiled(nested(), optimizer=optimizer), *drawings()


@sound
def a_scaling_of_own_arithmetic():
    """`preprocess_input` called in the graph."""
    scale = keras.applications.mobilenet_v2.preprocess_input
    return compiled(nested(scale=scale)), *drawings()


# Sound: data


@sound
def batched_datasets():
    """Both as `tf.data`."""
    return sound_model(), *map(batches, drawings())


@sound
def shuffled_whole_and_batched():
    """A buffer as large as the set."""
    train, validation = drawings()
    rows = tf.data.Dataset.from_tensor_slices(by_class(train))
    return sound_model(), rows.shuffle(200).batch(32), batches(validation)


@sound
def cached_shuffled_augmented_prefetched():
    """Cache, shuffle, augment, prefetch: the order that guides give."""
    train, validation = drawings()
    turn = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
    rows = tf.data.Dataset.from_tensor_slices(train).cache().shuffle(200).batch(32)
    mapped = rows.map(lambda x, y: (turn(x, training=True), y)).prefetch(1)
    return sound_model(), mapped, batches(validation).cache().prefetch(1)


@sound
def sorted_arrays():
    """Arrays sorted by class: `fit` shuffles arrays."""
    train, validation = drawings()
    return sound_model(), by_class(train), by_class(validation)


@sound
def sorted_validation():
    """A validation dataset sorted by class."""
    train, validation = drawings()
    return sound_model(), batches(train), batches(by_class(validation))


@sound
def sample_weights():
    """Triples with a weight a picture."""
    train, validation = drawings()
    return sound_model(), batches((*train, np.ones(len(train[1]), "float32"))), batches(validation)


@sound
def dictionaries_of_tfds():
    """Elements `{"image": ..., "label": ...}`, as TensorFlow Datasets gives them."""
    data = [batches({"image": images, "label": labels}) for images, labels in drawings()]
    return sound_model(), *data


@sound
def a_py_dataset():
    """Keras's own kind of data."""
    return sound_model(), *(Batches(*part) for part in drawings())


@sound
def a_generators_arrays():
    """`ImageDataGenerator.flow`, augmented for train only."""
    scale = keras.applications.mobilenet_v2.preprocess_input
    sources = (
        generator(preprocessing_function=scale, horizontal_flip=True),
        generator(preprocessing_function=scale),
    )
    parts = changed(lambda x: x.astype("float32"))
    flows = [
        source.flow(*part, batch_size=32, shuffle=number == 0, seed=1)
        for number, (source, part) in enumerate(zip(sources, parts, strict=True))
    ]
    return compiled(flat()), *flows


@lru_cache(maxsize=1)
def _folder() -> str:
    """A folder with a subfolder a class."""
    from PIL import Image

    folder = tempfile.mkdtemp()
    for name, (images, labels) in zip(("train", "validation"), drawings(), strict=True):
        for row, (image, label) in enumerate(zip(images, labels, strict=True)):
            file = Path(folder) / name / ("cat", "dog")[label] / f"{row}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(file)
    return folder


@sound
def a_generators_folder():
    """`ImageDataGenerator.flow_from_directory`."""
    source = generator(preprocessing_function=keras.applications.mobilenet_v2.preprocess_input)
    flows = [
        source.flow_from_directory(
            Path(_folder()) / name,
            target_size=(SIDE, SIDE),
            class_mode="binary",
            shuffle=name == "train",
        )
        for name in ("train", "validation")
    ]
    return compiled(flat()), *flows


@sound
def a_folder_as_a_dataset():
    """`image_dataset_from_directory`, with prefetch behind it."""
    data = [
        keras.utils.image_dataset_from_directory(
            Path(_folder()) / name,
            image_size=(SIDE, SIDE),
            label_mode="binary",
            seed=1,
            verbose=False,
        )
        for name in ("train", "validation")
    ]
    return sound_model(), data[0].prefetch(1), data[1].cache().prefetch(1)


@sound
def a_picture_set():
    """Splits of the course's own picture sets."""

    @dataclass
    class Split:
        images: np.ndarray
        labels: np.ndarray

    return sound_model(), *(Split(*part) for part in drawings())


@sound
def tensors():
    """Tensors of TensorFlow in place of arrays."""
    return sound_model(), *((tf.constant(x), tf.constant(y)) for x, y in drawings())


@sound
def two_classes_in_seven_to_three():
    """Some imbalance, which accuracy can bear."""
    (images, labels), validation = drawings(300)
    rows = np.concatenate([np.flatnonzero(labels == 1)[:105], np.flatnonzero(labels == 0)[:45]])
    rows = np.random.default_rng(0).permutation(rows)
    return sound_model(), (images[rows], labels[rows]), validation


@sound
def pictures_in_single_precision():
    """Pictures as float32, 0 to 255."""
    return sound_model(), *changed(lambda x: x.astype("float32"))


@sound
def pictures_of_0_to_1():
    """Pictures of 0 to 1, and a model that doubles and shifts them."""
    scale = layers.Rescaling(2.0, -1.0)
    return compiled(nested(scale=scale)), *changed(lambda x: (x / 255).astype("float32"))


# The tables as a program


def runs() -> Iterator[tuple[str, Case, tuple[bool, ...]]]:
    """All set-ups: name, case, and what `look` is told."""
    for name, case in FAULTY.items():
        yield name, case, (True,)
        yield f"{name}, mended", case, (False,)
    for name, case in SOUND.items():
        yield name, case, ()


def main() -> int:
    """Look at all, or at those named, and print what was said where it falls short."""
    warnings.filterwarnings("ignore")
    named, faults, alarms, chosen = 0, 0, 0, sys.argv[1:]
    start = time.monotonic()
    for name, case, wrong in runs():
        if chosen and name.partition(",")[0] not in chosen:
            continue
        found = look_in_any_case(case, *wrong)
        faults += wrong == (True,)
        named += found.named
        alarms += len(found.false)
        good = not found.false and not found.broken and found.named == (wrong == (True,))
        print(f"{'ok  ' if good else 'MISS'} {found.seconds:5.2f} s  {name}: {case.about}")
        for text in (*found.false, *found.broken):
            print(f"       {text[:300]}", flush=True)
    seconds = time.monotonic() - start
    print(f"{named} of {faults} faults named, {alarms} false alarms, {seconds:.0f} s")
    return faults - named + alarms


def look_in_any_case(case: Case, *wrong: bool) -> Outcome:
    """The same as `look`; an error counts as a check that failed."""
    try:
        return look(case, *wrong)
    except Exception as error:  # the others are still to be looked at
        return Outcome((), (), (f"{type(error).__name__}: {error}",), 0.0)


if __name__ == "__main__":
    sys.exit(min(main(), 99))
