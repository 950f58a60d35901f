"""The published recipe and ours: same photographs, same base, same machine, one run.

    .venv/bin/python benchmarks/recipes.py                      # some 25 minutes on two cores
    .venv/bin/python benchmarks/recipes.py --quick --seeds 0    # does it run?

The published recipe is that of TensorFlow's tutorial 'Transfer learning and fine-tuning': ten
epochs with the base frozen, ten more from layer 100, every picture through the whole network in
every epoch. Ours runs the frozen part once. Hyperparameters of ours were chosen on the validation
photographs and on a part of the training ones; the 500 test photographs are looked at here and
nowhere else. A line a result goes to benchmarks/recipes.csv, a line a pair of models and seed to
benchmarks/pairs.csv. A quick run, a small network on a few drawings, writes to the cache instead.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from results import FOLDER, Answers, Results, measure

from helpers import bases, evaluation, features, paths, pictures, training

ENOUGH = 0.975
PAIRS = [
    ("published: test accuracy", "ours: test accuracy, frozen"),
    ("published: test accuracy", "ours: test accuracy, tuned"),
    ("published: test accuracy", "ours: test accuracy, tuned, mean with mirror image"),
    ("ours: test accuracy, frozen", "ours: test accuracy, tuned"),
]


def mobilenet() -> keras.Model:
    """MobileNetV2 with ImageNet's weights, at 160 pixels."""
    return bases.load("MobileNetV2")


def small_network() -> keras.Model:
    """A base for a quick run, which has learned nothing."""
    inputs = keras.Input((32, 32, 3))
    seen = keras.layers.Conv2D(8, 3, strides=4, activation="relu", name="below")(inputs)
    seen = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 3, strides=2)(seen))
    return keras.Model(inputs, seen)


@dataclass(frozen=True)
class Scale:
    """On what and how much of it, so that a quick run does all of it on little.

    Attributes:
        picture_set: `"photos"`, or another name that `pictures.load` knows.
        size: the side of a picture in pixels.
        base: gives the pretrained base, for pixels of -1 to 1.
        cut: where ours fine-tunes from.
        layer: where the tutorial fine-tunes from.
        others: validation pictures, and as many of the test.
        looks: behind how many training pictures ours looks at the validation pictures.
    """

    picture_set: str = "photos"
    size: int = 160
    base: Callable[[], keras.Model] = mobilenet
    cut: str = "block_12_add"
    layer: int = 100
    train: int = 2000
    others: int = 500
    looks: tuple[int, ...] = (500, 1000, 2000)
    epochs: int = 10
    views: int = 4
    tuning_epochs: int = 3

    def load(self, in_memory: bool = True) -> pictures.PictureSet:
        """The pictures, no more of each part than there shall be."""
        data = pictures.load(self.picture_set, self.size, in_memory=in_memory, quiet=True)
        counts = {"train": self.train, "validation": self.others, "test": self.others}
        return replace(data, **{part: first(getattr(data, part), n) for part, n in counts.items()})


QUICK = Scale(
    picture_set=str(paths.ROOT / "data" / "drawings" / "test"), size=32, base=small_network,
    cut="below", layer=2, train=64, others=32, looks=(16, 32, 64), epochs=2, views=2,
    tuning_epochs=2,
)  # fmt: skip


def first(split: pictures.Split, count: int) -> pictures.Split:
    """The first pictures of a split."""
    images = split.images
    if isinstance(images, pictures.PictureFiles):
        images = pictures.PictureFiles(images.paths[:count], images.shape[1])
    else:
        images = images[:count]
    return pictures.Split(images, split.labels[:count], split.files[:count], split.sizes[:count])


class Clock(keras.callbacks.Callback):
    """When each epoch ended, in seconds since the beginning, with its validation accuracy."""

    def __init__(self, started: float) -> None:
        super().__init__()
        self.started = started
        self.epochs: list[tuple[float, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Look at the clock."""
        self.epochs.append((time.perf_counter() - self.started, logs["val_accuracy"]))

    def reached(self) -> float:
        """When the validation accuracy first was enough; infinite if never."""
        return next((seconds for seconds, value in self.epochs if value >= ENOUGH), np.inf)

    def seconds_an_epoch(self) -> float:
        """Of the last epoch, which pays for no tracing."""
        return self.epochs[-1][0] - self.epochs[-2][0]


def dataset(split: pictures.Split, shuffle: bool = False) -> tf.data.Dataset:
    """Files decoded anew in every epoch, as `image_dataset_from_directory` does it."""
    side = split.images.shape[1]

    def decode(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        return tf.ensure_shape(tf.image.resize(image, (side, side)), (side, side, 3)), label

    made = tf.data.Dataset.from_tensor_slices((list(split.images.paths), split.labels))
    if shuffle:
        made = made.shuffle(len(split))
    return made.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(32).prefetch(2)


def published_model(scale: Scale) -> tuple[keras.Model, keras.Model]:
    """The tutorial's model and the base in it; the output is a logit, which its text says too."""
    base = scale.base()
    base.trainable = False
    inputs = keras.Input(base.input_shape[1:])
    seen = keras.layers.RandomFlip("horizontal")(inputs)
    seen = keras.layers.RandomRotation(0.2)(seen)
    seen = keras.layers.Rescaling(1 / 127.5, offset=-1)(seen)
    pooled = keras.layers.GlobalAveragePooling2D()(base(seen, training=False))
    outputs = keras.layers.Dense(1)(keras.layers.Dropout(0.2)(pooled))
    return keras.Model(inputs, outputs), base


def compile_for(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    """Compile for one logit."""
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
    )


def measure_published(seed: int, scale: Scale) -> Results:
    """Ten epochs frozen at 1e-4, ten from layer 100 at 1e-5."""
    keras.utils.set_random_seed(seed)
    data = scale.load(in_memory=False)
    validation = dataset(data.validation)
    started = time.perf_counter()
    model, base = published_model(scale)
    clock = Clock(started)
    options = {"validation_data": validation, "verbose": 0, "callbacks": [clock]}
    compile_for(model, keras.optimizers.Adam(1e-4))
    model.fit(dataset(data.train, shuffle=True), epochs=scale.epochs, **options)
    yield "published: 10 epochs frozen", time.perf_counter() - started, "s"
    yield "published: an epoch frozen", clock.seconds_an_epoch(), "s"
    yield "published: validation accuracy, frozen", clock.epochs[-1][1], ""
    base.trainable = True
    for layer in base.layers[: scale.layer]:
        layer.trainable = False
    compile_for(model, keras.optimizers.RMSprop(1e-5))
    both = {"initial_epoch": scale.epochs, "epochs": 2 * scale.epochs}
    model.fit(dataset(data.train, shuffle=True), **both, **options)
    yield "published: all", time.perf_counter() - started, "s"
    yield "published: an epoch of fine-tuning", clock.seconds_an_epoch(), "s"
    yield f"published: until validation accuracy {ENOUGH}", clock.reached(), "s"
    yield "published: best validation accuracy", max(value for _, value in clock.epochs), ""
    logits = model.predict(dataset(data.test), verbose=0)
    yield "published: test accuracy", Answers(logits, data.test.labels), ""


def cut_in_two(scale: Scale, at: str | None) -> tuple[keras.Model, keras.Model]:
    """Pictures to activations at a cut, and from there to 1,280 pooled numbers."""
    base = scale.base()
    end = base.get_layer(at).output if at else base.output
    scaling = keras.layers.Rescaling(1 / 127.5, offset=-1)
    below = keras.Sequential(
        [keras.Input(base.input_shape[1:]), scaling, keras.Model(base.input, end)]
    )
    upper = [keras.Model(end, base.output)] if at else []
    pooling = keras.layers.GlobalAveragePooling2D()
    return below, keras.Sequential([keras.Input(end.shape[1:]), *upper, pooling])


def head_on(pooled: keras.Model | None, shape: tuple[int, ...]) -> keras.Model:
    """A new head on what makes pooled numbers of `shape`, or on these themselves."""
    layers = [keras.layers.Dropout(0.2, seed=0), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input(shape), *([pooled] if pooled else []), *layers])


def measure_head(seed: int, scale: Scale) -> Results:
    """From files to a linear head; then one more try at another learning rate.

    The published recipe looks at the validation pictures after each epoch; this one does, too,
    after some of the training pictures, after more, and after all.
    """
    keras.utils.set_random_seed(seed)
    started = time.perf_counter()
    data = scale.load()
    below, pooling = cut_in_two(scale, None)
    extractor = keras.Sequential([below, pooling])
    unknown = features.extract(extractor, data.validation.images)
    reached, known, labels = np.inf, unknown[:0], data.train.labels
    for look, count in enumerate(scale.looks, 1):
        more = features.extract(extractor, data.train.images[len(known) : count])
        known = np.concatenate([known, more])
        head = training.reference_head(known, labels[:count])
        logits = np.asarray(head(unknown))
        accuracy = evaluation.accuracy(logits, data.validation.labels).value
        seconds = time.perf_counter() - started
        yield f"ours: validation accuracy, frozen, look {look}", accuracy, ""
        reached = min(reached, seconds if accuracy >= ENOUGH else np.inf)
    yield f"ours: until validation accuracy {ENOUGH}", reached, "s"
    yield "ours: from files to a head", seconds, "s"
    yield "ours: validation accuracy, frozen", accuracy, ""
    test = np.asarray(head(features.extract(extractor, data.test.images)))
    yield "ours: test accuracy, frozen", Answers(test, data.test.labels), ""

    started = time.perf_counter()
    again = head_on(None, known.shape[1:])
    epochs = list(
        training.train(
            again,
            known,
            labels,
            optimizer=keras.optimizers.Adam(1e-3),
            epochs=scale.epochs,
            validation=(unknown, data.validation.labels),
            seed=seed,
        )
    )
    yield "ours: one more try, 10 epochs", time.perf_counter() - started, "s"
    yield "ours: validation accuracy, Keras head", epochs[-1].val_accuracy, ""


def measure_tuned(seed: int, scale: Scale) -> Results:
    """Views, a head, the top fine-tuned on cached activations; the mean over picture and mirror."""
    keras.utils.set_random_seed(seed)
    started = time.perf_counter()
    data = scale.load()
    images, labels = data.train.images, data.train.labels
    below, pooled = cut_in_two(scale, scale.cut)
    at_cut = features.extract(below, images, views=scale.views, seed=seed)
    yield "ours: views up to the cut", time.perf_counter() - started, "s"
    flat = features.extract(pooled, at_cut.reshape(-1, *at_cut.shape[2:]), keep=False)
    above = head_on(pooled, pooled.input_shape[1:])
    head = training.reference_head(flat.reshape(*at_cut.shape[:2], -1), labels, 0.003)
    above.layers[-1].set_weights(head.get_weights())
    epochs = list(
        training.fine_tune(
            above, at_cut, labels, learning_rate=1e-5, epochs=scale.tuning_epochs, seed=seed
        )
    )
    yield "ours: tuned, all", time.perf_counter() - started, "s"
    yield "ours: an epoch of fine-tuning", epochs[-1].seconds - epochs[-2].seconds, "s"
    whole = training.join(below, above)
    for name, split in (("validation", data.validation), ("test", data.test)):
        direct = whole.predict(split.images, verbose=0)
        mirrored = whole.predict(split.images[:, :, ::-1], verbose=0)
        yield f"ours: {name} accuracy, tuned", Answers(direct, split.labels), ""
        both = Answers(direct + mirrored, split.labels)
        yield f"ours: {name} accuracy, tuned, mean with mirror image", both, ""


def measure_epoch(seed: int, scale: Scale) -> Results:
    """An epoch of fine-tuning from the cut: whole network on files, or top on activations.

    Both end with the loss and accuracy of the validation pictures.
    """
    keras.utils.set_random_seed(seed)
    data = scale.load(in_memory=False)
    model, base = published_model(scale)
    base.trainable = True
    for layer in base.layers[: base.layers.index(base.get_layer(scale.cut)) + 1]:
        layer.trainable = False
    compile_for(model, keras.optimizers.RMSprop(1e-5))
    clock = Clock(time.perf_counter())
    options = {"validation_data": dataset(data.validation), "callbacks": [clock], "verbose": 0}
    model.fit(dataset(data.train, shuffle=True), epochs=3, **options)
    yield "published: an epoch from the cut", clock.seconds_an_epoch(), "s"
    below, pooled = cut_in_two(scale, scale.cut)
    at_cut = features.extract(below, data.train.images, dtype="float16")
    validation = features.extract(below, data.validation.images), data.validation.labels
    epochs = list(
        training.fine_tune(
            head_on(pooled, pooled.input_shape[1:]),
            at_cut,
            data.train.labels,
            learning_rate=1e-5,
            epochs=3,
            validation=validation,
        )
    )
    yield "ours: an epoch from the cut", epochs[2].seconds - epochs[1].seconds, "s"


MEASUREMENTS = {
    "head": measure_head,
    "tuned": measure_tuned,
    "epoch": measure_epoch,
    "published": measure_published,
}


def columns(found: float | evaluation.Accuracy, unit: str) -> list[str]:
    """What stands in a row of the table behind name and seed."""
    value = found.value if isinstance(found, evaluation.Accuracy) else found
    return [f"{value:.4f}", unit]


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="*", help=f"some of {', '.join(MEASUREMENTS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--quick", action="store_true", help="on little, to see that it runs")
    options = parser.parse_args()
    scale = QUICK if options.quick else Scale()
    folder = paths.cache_folder() / "benchmarks" if options.quick else FOLDER
    pictures.fetch(scale.picture_set)
    chosen = [MEASUREMENTS[what] for what in options.what or MEASUREMENTS]
    measurements = [partial(cold, measurement, scale=scale) for measurement in chosen]
    measure(measurements, options.seeds, folder / "recipes.csv", columns, PAIRS)


def cold(measurement: Callable[..., Results], seed: int, scale: Scale) -> Results:
    """Measure without features of an earlier run: they are kept in a folder that is thrown away."""
    photos = paths.cache_folder() / "photos"
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, COURSE_CACHE=folder):
        if photos.is_dir():
            (Path(folder) / "photos").symlink_to(photos)
        yield from measurement(seed, scale)


if __name__ == "__main__":
    main()
