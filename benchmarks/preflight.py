"""What preflight says of recipes as they were published, and of the same without their faults.

    .venv/bin/python benchmarks/preflight.py [NAME ...]   # all, or those whose name holds NAME
    .venv/bin/python benchmarks/preflight.py --seconds    # how long a whole look takes
    .venv/bin/python benchmarks/preflight.py --table      # what was written, as README.md has it

Each recipe is re-created with its network of `keras.applications`, its head, scaling, loss, metrics
and optimizer, on the course's drawings at the recipe's pixels. Pretrained weights are not here: the
kernels are random, the statistics of BatchNormalization are those of the drawings scaled as the
network wants them, and biases, scales and shifts are made unequal, as training leaves them.

A recipe is a function of `published`. True builds it as it was published; then each of its true
faults has to be named, by a finding that holds one of the fault's words. False builds it without
them; then nothing may be said. What is said beyond the faults is false, in either.
"""

from __future__ import annotations

import argparse
import csv
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import applications, layers
from results import FOLDER, record

from helpers import pictures
from helpers.preflight import UNEXPECTED, preflight

TRAIN, VALIDATION = 200, 60
HEADER = ("recipe", "network", "as", "faults", "found", "missed", "false", "failed", "seconds")
Part = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """A published recipe.

    Attributes:
        build: a function of `published`; gives model, train and validation.
        network: of `keras.applications`, or "own".
        faults: of each true fault, the words of which one has to be said.
    """

    build: Callable[[bool], tuple]
    network: str
    faults: tuple[tuple[str, ...], ...]


RECIPES: dict[str, Recipe] = {}


def recipe(network: str, *faults: tuple[str, ...]) -> Callable:
    """Register a function."""

    def register(build: Callable) -> Callable:
        RECIPES[build.__name__] = Recipe(build, network, faults)
        return build

    return register


# Pictures and networks


@lru_cache(maxsize=2)
def drawings(side: int) -> tuple[Part, Part]:
    """Two splits of drawings of so many pixels, as uint8."""
    found = pictures.load("drawings", size=96, quiet=True)
    parts = []
    for part, count in ((found.train, TRAIN), (found.validation, VALIDATION)):
        large = tf.image.resize(part.images[:count], (side, side)).numpy()
        parts.append((large.astype("uint8"), part.labels[:count]))
    return tuple(parts)


def batches(part: Part, change: Callable[[Any], Any] = lambda x: x) -> tf.data.Dataset:
    """A dataset as `image_dataset_from_directory` gives it: float32, batches of 32."""
    rows = tf.data.Dataset.from_tensor_slices(part).batch(32)
    return rows.map(lambda x, y: (change(tf.cast(x, tf.float32)), y))


def generated(parts: tuple[Part, Part], train: Any, validation: Any = None) -> list[Any]:
    """Batches of `ImageDataGenerator`; labels one-hot or 0 and 1 as they come."""
    sources = train, validation or train
    return [
        source.flow(part[0].astype("float32"), part[1], batch_size=32, shuffle=not number, seed=1)
        for number, (source, part) in enumerate(zip(sources, parts, strict=True))
    ]


def generator(**options: Any) -> Any:
    """Keras's older kind of data."""
    return tf.keras.preprocessing.image.ImageDataGenerator(**options)


def network(name: str, side: int, scale: Callable[[Any], Any], **options: Any) -> keras.Model:
    """A network of `keras.applications` that looks pretrained on the drawings, frozen.

    Args:
        name: its function.
        side: pixels a side.
        scale: makes of pictures of 0 to 255 what the network takes.
        options: of the function.
    """
    settings = {"input_shape": (side, side, 3), "include_top": False, "weights": None} | options
    base = getattr(applications, name)(**settings)
    generator = np.random.default_rng(0)
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
        elif not isinstance(layer, layers.Normalization):
            for weight in layer.trainable_weights:
                if len(weight.shape) == 1:
                    noise = generator.normal(0, 0.05, weight.shape)
                    weight.assign(weight + noise.astype("float32"))
    images = np.array(drawings(side)[0][0][:64], "float32")
    base(scale(images), training=True)  # a momentum of 0 stores a batch's own statistics
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.99
    base.trainable = False
    return base


def nested(base: keras.Model, *end: Any, scale: Any = None, front: Any = ()) -> keras.Model:
    """A base inside a functional model, called with `training=False`."""
    inputs = values = keras.Input(base.input_shape[1:])
    for layer in (*front, *([scale] if scale else [])):
        values = layer(values)
    values = base(values, training=False)
    for layer in end:
        values = layer(values)
    return keras.Model(inputs, values)


def flat(output: Any, base: keras.Model, *end: Any) -> keras.Model:
    """A head on an output of a base."""
    values = output
    for layer in end:
        values = layer(values)
    return keras.Model(base.input, values)


def head(outputs: int = 1, activation: str | None = None) -> list[keras.layers.Layer]:
    """Pooling, dropout and a Dense layer."""
    dense = layers.Dense(outputs, activation=activation)
    return [layers.GlobalAveragePooling2D(), layers.Dropout(0.2), dense]


def flips() -> list[keras.layers.Layer]:
    """The augmentation of most guides."""
    return [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)]


def learn(model: keras.Model, data: tf.data.Dataset, strength: float = 1.0) -> None:
    """Set a head to what it would have learnt, as the recipe has it before it fine-tunes.

    Ridge regression on the features to -2 and 2, which is how far logits get in some epochs.
    """
    last = model.layers[-1]
    features = keras.Model(model.inputs, last.input)
    inputs, labels = zip(*((features(x, training=False), y) for x, y in data), strict=True)
    values = np.concatenate([np.array(x) for x in inputs])
    truth = np.concatenate([np.array(y) for y in labels])
    classes = truth.argmax(axis=1) if truth.ndim == 2 else truth
    rows = np.column_stack([values, np.ones(len(values))])
    inner = rows @ rows.T + strength * np.eye(len(rows))
    weights = rows.T @ np.linalg.solve(inner, 4.0 * classes - 2)
    columns = weights[:, None] if last.units == 1 else np.stack([-weights, weights], axis=1) / 2
    last.set_weights([columns[:-1].astype("float32"), columns[-1].astype("float32")])


def unfreeze(base: keras.Model, first: int = 0, normalization: bool = False) -> None:
    """Let a base train from a layer on, with or without its BatchNormalization."""
    base.trainable = True
    for number, layer in enumerate(base.layers):
        own = isinstance(layer, layers.BatchNormalization)
        layer.trainable = number >= first and (normalization or not own)


def one_hot(part: Part) -> Part:
    """Its labels as rows."""
    return part[0], np.eye(2, dtype="float32")[part[1]]


SIGMOID = keras.losses.BinaryCrossentropy


# The recipes


@recipe("MobileNetV2")
def tensorflow_tutorial_head(published):
    """TensorFlow, 'Transfer learning and fine-tuning': the frozen base. Nothing is wrong here."""
    scale = applications.mobilenet_v2.preprocess_input
    base = network("MobileNetV2", 96, scale)
    model = nested(base, *head(1, "sigmoid"), scale=scale, front=flips())
    metric = keras.metrics.BinaryAccuracy(threshold=0.5, name="accuracy")
    model.compile(keras.optimizers.Adam(1e-4), SIGMOID(), metrics=[metric])
    return model, *map(batches, drawings(96))


@recipe("MobileNetV2", ("batchnormalization",))
def tensorflow_tutorial_fine_tuning(published):
    """The same from layer 100 on: BatchNormalization trains along."""
    model, train, validation = tensorflow_tutorial_head(published)
    learn(model, train)
    base = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    unfreeze(base, 100, normalization=published)
    model.compile(keras.optimizers.RMSprop(1e-5), SIGMOID(), metrics=["accuracy"])
    return model, train, validation


@recipe("MobileNetV2", ("shared", "reshuffl"))
def tensorflow_tutorial_test_set(published):
    """The same: the test set is cut by `take` from a validation set that shuffles at each pass."""
    model, _, _ = tensorflow_tutorial_head(published)
    images, labels = drawings(96)[0]
    rows = tf.data.Dataset.from_tensor_slices((images, labels))
    mixed = rows.shuffle(TRAIN, seed=1, reshuffle_each_iteration=published).batch(32)
    return model, mixed.skip(2), mixed.take(2)


@recipe("Xception", ("threshold",))
def keras_guide_head(published):
    """Keras, 'Transfer learning & fine-tuning': `BinaryAccuracy()` at 0.5 on logits."""
    base = network("Xception", 96, applications.xception.preprocess_input)
    scale = layers.Rescaling(scale=1 / 127.5, offset=-1)
    model = nested(base, *head(), scale=scale, front=flips())
    metric = keras.metrics.BinaryAccuracy(threshold=0.5 if published else 0.0)
    model.compile(keras.optimizers.Adam(), SIGMOID(from_logits=True), metrics=[metric])
    return model, *map(batches, drawings(96))


@recipe("Xception", ("threshold",), ("batchnormalization",))
def keras_guide_fine_tuning(published):
    """The same, the whole base at 1e-5, BatchNormalization included."""
    model, train, validation = keras_guide_head(published)
    learn(model, train)
    base = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    unfreeze(base, normalization=published)
    metric = keras.metrics.BinaryAccuracy(threshold=0.5 if published else 0.0)
    model.compile(keras.optimizers.Adam(1e-5), SIGMOID(from_logits=True), metrics=[metric])
    return model, train, validation


def _efficientnet() -> tuple[keras.Model, Any, Any]:
    base = network("EfficientNetB0", 96, lambda x: x)
    end = [
        layers.GlobalAveragePooling2D(),
        layers.BatchNormalization(),
        layers.Dropout(0.2),
        layers.Dense(2, activation="softmax"),
    ]
    model = flat(base.output, base, *end)
    return model, *(batches(one_hot(part)) for part in drawings(96))


@recipe("EfficientNetB0")
def keras_efficientnet_head(published):
    """Keras, 'Image classification via fine-tuning with EfficientNet'. Nothing is wrong here."""
    model, train, validation = _efficientnet()
    model.compile(keras.optimizers.Adam(1e-2), "categorical_crossentropy", metrics=["accuracy"])
    return model, train, validation


@recipe("EfficientNetB0")
def keras_efficientnet_fine_tuning(published):
    """The same, the last 20 layers without BatchNormalization at 1e-5."""
    model, train, validation = _efficientnet()
    learn(model, train)
    for layer in model.layers[-20:]:
        if not isinstance(layer, layers.BatchNormalization):
            layer.trainable = True
    model.compile(keras.optimizers.Adam(1e-5), "categorical_crossentropy", metrics=["accuracy"])
    return model, train, validation


@recipe("VGG16", ("linear",))
def chollet_chapter_8(published):
    """Chollet, chapter 8: `Dense(256)` has no activation, and a Dense layer follows."""
    base = network("VGG16", 96, applications.vgg16.preprocess_input)
    hidden = layers.Dense(256, activation=None if published else "relu")
    end = [layers.Flatten(), hidden, layers.Dropout(0.5), layers.Dense(1, activation="sigmoid")]
    scale = applications.vgg16.preprocess_input
    model = nested(base, *end, scale=scale, front=flips())
    model.compile(keras.optimizers.RMSprop(1e-4), "binary_crossentropy", metrics=["accuracy"])
    return model, *map(batches, drawings(96))


@recipe("DenseNet121", ("scal",))
def carpentries_transfer_learning(published):
    """The Carpentries, 'Introduction to deep learning': x / 255 goes into DenseNet121."""
    base = network("DenseNet121", 96, applications.densenet.preprocess_input)
    end = [
        layers.Flatten(),
        layers.BatchNormalization(),
        layers.Dense(50, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(2),
    ]
    model = nested(base, *end)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
    scale = (lambda x: x / 255) if published else applications.densenet.preprocess_input
    return model, *((scale(x.astype("float32")), y) for x, y in drawings(96))


@recipe("InceptionV3", ("scal",))
def inception_lesson(published):
    """A lesson on InceptionV3 up to `mixed7`, with `ImageDataGenerator(rescale=1/255)`."""
    scale = applications.inception_v3.preprocess_input
    base = network("InceptionV3", 96, scale)
    end = [
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(1, activation="sigmoid"),
    ]
    model = flat(base.get_layer("mixed7").output, base, *end)
    model.compile(keras.optimizers.RMSprop(1e-4), "binary_crossentropy", metrics=["accuracy"])
    source = generator(rescale=1 / 255) if published else generator(preprocessing_function=scale)
    return model, *generated(drawings(96), source)


@recipe("ResNet50", ("scal",))
def kaggle_wrong_argument(published):
    """An exercise on ResNet50: `ImageDataGenerator(preprocess_input)` scales nothing."""
    scale = applications.resnet50.preprocess_input
    base = network("ResNet50", 96, scale, pooling="avg")
    model = keras.Sequential([base, layers.Dense(2, activation="softmax")])
    model.layers[0].trainable = False
    model.build((None, 96, 96, 3))
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    parts = tuple(one_hot(part) for part in drawings(96))
    source = generator() if published else generator(preprocessing_function=scale)
    return model, *generated(parts, source)


@recipe("VGG16", ("blue", "::-1", "bgr", "channel", "caffe"))
def means_in_the_order_of_rgb(published):
    """A blog on fine-tuning VGG16: the means are taken off red, green, blue, which come as RGB."""
    right = applications.vgg16.preprocess_input
    base = network("VGG16", 96, right)
    end = [
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(2, activation="softmax"),
    ]
    model = flat(base.output, base, *end)
    model.compile(
        keras.optimizers.SGD(1e-4, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"]
    )
    mean = np.array([123.68, 116.779, 103.939], "float32")
    scale = (lambda x: x - mean) if published else right
    parts = tuple(one_hot(part) for part in drawings(96))
    return model, *generated(parts, generator(preprocessing_function=scale))


@recipe("VGG16", ("scal",))
def flat_vgg_by_255(published):
    """A question: the head on VGG16's output, pictures / 255."""
    right = applications.vgg16.preprocess_input
    base = network("VGG16", 96, right)
    model = flat(base.output, base, *head(1, "sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    scale = (lambda x: x / 255) if published else right
    return model, *((scale(x.astype("float32")), y) for x, y in drawings(96))


@recipe("MobileNetV3Small", ("scal",))
def rescaled_before_mobilenet_v3(published):
    """A question: `Rescaling(1/255)` in front of a network that scales its pictures itself."""
    base = network("MobileNetV3Small", 96, lambda x: x)
    scale = layers.Rescaling(1 / 255) if published else None
    model = nested(base, *head(2, "softmax"), scale=scale)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, *map(batches, drawings(96))


@recipe("EfficientNetV2B0", ("scal",))
def rescaled_before_efficientnet_v2(published):
    """A question: pictures / 255 for a network that scales its pictures itself."""
    base = network("EfficientNetV2B0", 96, lambda x: x)
    model = nested(base, *head(2, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    by = 255.0 if published else 1.0
    return model, *(batches(part, lambda x: x / by) for part in drawings(96))


@recipe("ConvNeXtTiny", ("scal",))
def rescaled_before_convnext(published):
    """A question: the head on ConvNeXt's output, pictures / 255."""
    base = network("ConvNeXtTiny", 96, lambda x: x)
    model = flat(base.output, base, *head(2, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    by = 255.0 if published else 1.0
    return model, *(batches(part, lambda x: x / by) for part in drawings(96))


@recipe("NASNetMobile", ("threshold",))
def nasnet_of_logits(published):
    """A question: `metrics=["accuracy"]` on the logit of a head on NASNetMobile."""
    scale = applications.nasnet.preprocess_input
    base = network("NASNetMobile", 96, scale)
    model = nested(base, *head(), scale=layers.Rescaling(1 / 127.5, -1))
    metric = "accuracy" if published else keras.metrics.BinaryAccuracy(threshold=0.0)
    model.compile(keras.optimizers.Adam(1e-3), SIGMOID(from_logits=True), metrics=[metric])
    return model, *map(batches, drawings(96))


@recipe("ResNet50V2")
def resnet_v2_with_generators(published):
    """ResNet50V2 with `preprocess_input` in Keras's generators, augmented for train only."""
    scale = applications.resnet_v2.preprocess_input
    base = network("ResNet50V2", 96, scale, pooling="avg")
    end = [layers.Dense(64, activation="relu"), layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential([keras.Input((96, 96, 3)), base, *end])
    model.compile(keras.optimizers.Adam(1e-4), "binary_crossentropy", metrics=["accuracy"])
    sources = (
        generator(preprocessing_function=scale, rotation_range=20, horizontal_flip=True),
        generator(preprocessing_function=scale),
    )
    return model, *generated(drawings(96), *sources)


@recipe("own", ("threshold",))
def keras_guide_from_scratch(published):
    """Keras, 'Image classification from scratch': `BinaryAccuracy(name="acc")` on logits."""
    inputs = keras.Input((96, 96, 3))
    values = layers.Rescaling(1 / 255)(inputs)
    for filters in (32, 64):
        values = layers.Conv2D(filters, 3, strides=2, padding="same")(values)
        values = layers.Activation("relu")(layers.BatchNormalization()(values))
    values = layers.Dropout(0.25)(layers.GlobalAveragePooling2D()(values))
    model = keras.Model(inputs, layers.Dense(1, activation=None)(values))
    metric = keras.metrics.BinaryAccuracy(threshold=0.5 if published else 0.0, name="acc")
    model.compile(keras.optimizers.Adam(3e-4), SIGMOID(from_logits=True), metrics=[metric])
    return model, *map(batches, drawings(96))


@recipe("own")
def tensorflow_flowers_from_scratch(published):
    """TensorFlow, 'Image classification', with dropout and augmentation. Nothing is wrong here."""
    parts = [layers.Rescaling(1 / 255)]
    for filters in (16, 32, 64):
        convolution = layers.Conv2D(filters, 3, padding="same", activation="relu")
        parts += [convolution, layers.MaxPooling2D()]
    end = [
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(2),
    ]
    model = keras.Sequential([keras.Input((96, 96, 3)), *flips(), *parts, *end])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model, *map(batches, drawings(96))


# What is said of them


@dataclass(frozen=True)
class Said:
    """Of one recipe: which faults were named, what else was said, what checks failed themselves."""

    found: int
    missed: int
    false: tuple[str, ...]
    failed: tuple[str, ...]
    seconds: float


def ask(one: Recipe, published: bool) -> Said:
    """Build a recipe and let preflight look."""
    keras.utils.set_random_seed(0)
    built = one.build(published)
    faults = one.faults if published else ()
    start = time.monotonic()
    failed: list[str] = []
    try:
        report = preflight(*built, difference=0.5, progress=False)
        said = [f"{f.check}: {f.what} {f.mend}" for f in report.findings]
        failed = [f"{name}: {why}" for name, why in report.skipped if UNEXPECTED in why]
    except (TypeError, ValueError) as refused:
        said = [f"refused: {refused}"]
    seconds = time.monotonic() - start
    named = sum(any(_holds(text, words) for text in said) for words in faults)
    false = tuple(text for text in said if not any(_holds(text, words) for words in faults))
    return Said(named, len(faults) - named, false, tuple(failed), seconds)


def _holds(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text.lower() for word in words)


def judge(names: list[str], table: Path) -> None:
    """Ask of each recipe as published and without its faults, and write a line each."""
    if not table.exists():
        record(table, HEADER[:3], HEADER[3:])
    for name, one in RECIPES.items():
        if names and not any(part in name for part in names):
            continue
        for published in (True, False):
            said = ask(one, published)
            form = "published" if published else "mended"
            counts = len(one.faults) * published, said.found, said.missed
            row = *counts, len(said.false), len(said.failed), f"{said.seconds:.1f}"
            record(table, [name, one.network, form], row)
            print(name, one.network, form, *row, flush=True)
            for text in (*said.false, *said.failed):
                print(f"    {text[:300]}", flush=True)
            keras.backend.clear_session()
            gc.collect()


def as_table(table: Path) -> Iterator[str]:
    """The lines of README.md: a recipe as it was published, and its false alarms when mended."""
    with table.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    mended = {row["recipe"]: row for row in found if row["as"] == "mended"}
    yield "| recipe | network | true faults | found | missed | false | false when mended |"
    yield "|---|---|---|---|---|---|---|"
    for row in found:
        if row["as"] == "published":
            counts = [row[name] for name in ("faults", "found", "missed", "false")]
            counts.append(mended[row["recipe"]]["false"])
            about = str(RECIPES[row["recipe"]].build.__doc__).rstrip(".")
            yield f"| {about} | {row['network']} | {' | '.join(counts)} |"


def time_it(table: Path) -> None:
    """Seconds of a whole look at 2,000 pictures, the base frozen and fine-tuned, check by check."""
    for name, side in (("MobileNetV2", 160), ("Xception", 150)):
        (images, labels), _ = drawings(side)
        many = np.concatenate([np.roll(images, 7 * turn, axis=2) for turn in range(10)])
        every = np.tile(labels, 10)
        base = network(name, side, applications.mobilenet_v2.preprocess_input)
        model = nested(base, *head(), scale=layers.Rescaling(1 / 127.5, -1.0))
        learn(model, batches((images, labels)))
        for form in ("frozen", "fine-tuned"):
            if form == "fine-tuned":
                unfreeze(base)
            metric = keras.metrics.BinaryAccuracy(threshold=0.0)
            optimizer = keras.optimizers.Adam(1e-3 if form == "frozen" else 1e-5)
            model.compile(optimizer, SIGMOID(from_logits=True), metrics=[metric])
            data = (many[:1500], every[:1500]), (many[1500:], every[1500:])
            start = time.monotonic()
            report = preflight(model, *data, progress=False)
            total = time.monotonic() - start
            print(f"{name} at {side}, {form}, 2,000 pictures: {total:.1f} s")
            record(table, [f"{name} at {side}", form], [f"{total:.1f}"])
            for check, seconds in sorted(report.seconds.items(), key=lambda item: -item[1])[:5]:
                print(f"    {check}: {seconds:.1f} s", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of recipes' names; all without")
    parser.add_argument("--seconds", action="store_true", help="measure how long a look takes")
    parser.add_argument("--table", action="store_true", help="print the table of the last run")
    asked = parser.parse_args()
    if asked.table:
        print("\n".join(as_table(FOLDER / "preflight.csv")))
    elif asked.seconds:
        time_it(FOLDER / "preflight_seconds.csv")
    else:
        judge(asked.names, FOLDER / "preflight.csv")


if __name__ == "__main__":
    main()
