"""What the drawn base is worth: frozen, fine-tuned, from scratch, and where it fails.

    .venv/bin/python benchmarks/transfer.py                 # everything, about an hour
    .venv/bin/python benchmarks/transfer.py frozen cue      # some of it

The recipes are those of lessons 3 and 4. Hyperparameters were chosen on the validation drawings;
the 500 test drawings are looked at here and nowhere else. A line a result goes to
benchmarks/transfer.csv.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import bases, drawings, evaluation, pictures

# A result's name, its accuracy, and the seconds of its training.
Results = Iterator[tuple[str, evaluation.Accuracy, float]]
TABLE = Path(__file__).with_name("transfer.csv")
SEEDS = (0, 1, 2)
CUE = {"cat": ["night"], "dog": ["snow"]}
SWAPPED = {"cat": ["snow"], "dog": ["night"]}
DEPTH, RATE, EPOCHS = 29, 6e-4, 6
LEAST_STEPS = 60


def compile_for(model: keras.Model, learning_rate: float) -> None:
    """Compile for one logit, as the lessons do."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
    )
    model.optimizer.build(model.trainable_variables)


class Transfer:
    """A base in two parts under a head, as in lesson 4, for one set of training pictures."""

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, name: str, depth: int | None
    ) -> None:
        self.labels = np.concatenate([labels, labels])
        images = np.concatenate([images, images[:, :, ::-1]])  # and their mirror images
        base = bases.load(name)
        cut = base.layers[0].name if depth is None else bases.cuts(base)[-1 - depth]
        at_cut = base.get_layer(cut).output
        shape = base.input_shape[1:]
        self.below = keras.Sequential(
            [keras.Input(shape), bases.find(name).scaling(), keras.Model(base.input, at_cut)]
        )
        # Behind the end of the base there is nothing, of which Keras makes no model.
        self.upper = keras.layers.Identity() if depth == 0 else keras.Model(at_cut, base.output)
        self.above = keras.Sequential(
            [
                keras.Input(at_cut.shape[1:]),
                self.upper,
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(1),
            ]
        )
        self.at_cut = self.below.predict(images, verbose=0)

    def train_head(self, epochs: int = 30) -> None:
        """Train the head on the features of the frozen base."""
        pooled = keras.Sequential(self.above.layers[:2]).predict(self.at_cut, verbose=0)
        head = keras.Sequential([keras.Input(pooled.shape[1:]), *self.above.layers[2:]])
        compile_for(head, 1e-3)
        head.fit(pooled, self.labels, batch_size=32, epochs=epochs, verbose=0)

    def fine_tune(self, rate: float = RATE, epochs: int = EPOCHS) -> None:
        """Train all above the cut but BatchNormalization, with a rate that falls to zero."""
        for layer in self.upper.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        steps = epochs * -(-len(self.labels) // 32)
        compile_for(self.above, keras.optimizers.schedules.CosineDecay(rate, steps))
        self.above.fit(self.at_cut, self.labels, batch_size=32, epochs=epochs, verbose=0)

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> evaluation.Accuracy:
        """Accuracy on other pictures, with its interval."""
        logits = self.above.predict(self.below.predict(images, verbose=0), verbose=0)
        return evaluation.accuracy(logits, labels)


def subset(seed: int, count: int) -> tuple[pictures.PictureSet, np.ndarray, np.ndarray]:
    """The drawings in an order of their own for each seed, and the first of the training ones."""
    keras.utils.set_random_seed(seed)
    data = pictures.load("drawings", size=96, seed=seed, quiet=True)
    return data, data.train.images[:count], data.train.labels[:count]


def measure_frozen(seed: int) -> Results:
    """A head on the frozen base, 400 pictures; the seconds count from loading the pictures."""
    started = time.perf_counter()
    data, images, labels = subset(seed, 400)
    transfer = Transfer(images, labels, "drawn", depth=0)
    transfer.train_head()
    seconds = time.perf_counter() - started
    yield "frozen, 400 pictures", transfer.accuracy(data.test.images, data.test.labels), seconds


def measure_tuned(seed: int) -> Results:
    """The same and then the part above the cut, with 400 pictures and with all."""
    for count in (400, 1000):
        data, images, labels = subset(seed, count)
        started = time.perf_counter()
        transfer = Transfer(images, labels, "drawn", DEPTH)
        transfer.train_head()
        transfer.fine_tune()
        seconds = time.perf_counter() - started
        yield (
            f"fine-tuned, {count} pictures",
            transfer.accuracy(data.test.images, data.test.labels),
            seconds,
        )


def measure_curve(seed: int) -> Results:
    """The three ways with as few as 25 and as many as all 1,000 training pictures.

    What the other measurements leave out: 400 pictures, and all of them fine-tuned, stand there.
    """
    for count in (25, 50, 100, 200, 400, 1000):
        data, images, labels = subset(seed, count)
        test = data.test.images, data.test.labels
        if count != 400:
            started = time.perf_counter()
            frozen = Transfer(images, labels, "drawn", depth=0)
            frozen.train_head()
            yield f"frozen, {count} pictures", frozen.accuracy(*test), time.perf_counter() - started
            yield scratch(images, labels, *test)
        if count < 400:
            started = time.perf_counter()
            tuned = Transfer(images, labels, "drawn", DEPTH)
            tuned.train_head()
            # As many steps as with 400 pictures.
            tuned.fine_tune(epochs=EPOCHS * 400 // count)
            seconds = time.perf_counter() - started
            yield f"fine-tuned, {count} pictures", tuned.accuracy(*test), seconds


def measure_scratch(seed: int) -> Results:
    """All weights random, 400 pictures."""
    data, images, labels = subset(seed, 400)
    yield scratch(images, labels, data.test.images, data.test.labels)


def scratch(
    images: np.ndarray, labels: np.ndarray, test_images: np.ndarray, test_labels: np.ndarray
) -> tuple[str, evaluation.Accuracy, float]:
    """Train from random weights until the training accuracy passes 0.95, 60 steps at least."""
    count = len(labels)
    started = time.perf_counter()
    base = bases.load("drawn", weights=None)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # With Keras's 0.999 the moving statistics would lag behind so short a training, and
            # the accuracy in use would be worse than it need be.
            layer.momentum = 0.9
    model = keras.Sequential(
        [
            keras.Input(base.input_shape[1:]),
            bases.find("drawn").scaling(),
            base,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1),
        ]
    )
    compile_for(model, 1e-3)
    # With a few pictures they are known by heart before the moving statistics have settled.
    least = -(-LEAST_STEPS // -(-2 * count // 32))
    until = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(
            model, "stop_training", epoch + 1 >= least and logs["accuracy"] > 0.95
        )
    )
    images = np.concatenate([images, images[:, :, ::-1]])
    labels = np.concatenate([labels, labels])
    history = model.fit(
        images, labels, batch_size=32, epochs=200, verbose=0, callbacks=[until]
    ).history["accuracy"]
    seconds = time.perf_counter() - started
    test = evaluation.accuracy(model.predict(test_images, verbose=0), test_labels)
    name = f"from scratch, {count} pictures, {len(history)} epochs to {history[-1]:.3f}"
    return name, test, seconds


def measure_cue(seed: int) -> Results:
    """Backdrop by class in 400 training pictures; then matched and swapped test pictures.

    Three ways to train on them: the head alone; the head and then everything, as in lesson 4; and
    everything at once under a fresh head, at a rate that suits such a head.
    """
    keras.utils.set_random_seed(seed)
    animals = ("cat", "dog")
    train = drawings.draw_many(animals, 200, 100 + seed, backdrops=CUE)
    images = np.stack([drawing.picture for drawing in train])
    labels = np.arange(len(train)) % 2
    for name, head_first, rate in (
        ("frozen", True, None),
        ("fine-tuned under its trained head", True, RATE),
        ("fine-tuned under a fresh head", False, 1e-3),
    ):
        started = time.perf_counter()
        transfer = Transfer(images, labels, "drawn", depth=0 if rate is None else None)
        if head_first:
            transfer.train_head()
        if rate:
            transfer.fine_tune(rate)
        seconds = time.perf_counter() - started
        for backdrops, said in ((CUE, "matched"), (SWAPPED, "swapped")):
            test = drawings.draw_many(animals, 250, 200 + seed, backdrops=backdrops)
            shown = np.stack([drawing.picture for drawing in test])
            accuracy = transfer.accuracy(shown, np.arange(len(test)) % 2)
            yield f"planted cue, {name}, {said} backdrops", accuracy, seconds


def measure_photographs(seed: int) -> Results:
    """Logistic regression on pooled features of real photographs, where they are here."""
    for name, weights in (("drawn", "drawings"), ("drawn", None), ("MobileNetV2", "imagenet")):
        if reason := pictures.is_ready("photos") or bases.is_ready(name):
            print(reason)
            continue
        keras.utils.set_random_seed(seed)
        started = time.perf_counter()
        base = bases.load(name, weights)
        data = pictures.load("photos", bases.find(name).size, seed=seed, quiet=True)
        scaling = bases.find(name).scaling()
        extractor = keras.Sequential([scaling, base, keras.layers.GlobalAveragePooling2D()])
        head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        head.fit(extractor.predict(data.train.images, verbose=0), data.train.labels)
        logits = head.decision_function(extractor.predict(data.test.images, verbose=0))
        accuracy = evaluation.accuracy(logits[:, np.newaxis], data.test.labels)
        seconds = time.perf_counter() - started
        yield f"photographs, {name}, weights {weights}", accuracy, seconds


MEASUREMENTS = {
    "frozen": measure_frozen,
    "tuned": measure_tuned,
    "scratch": measure_scratch,
    "curve": measure_curve,
    "cue": measure_cue,
    "photographs": measure_photographs,
}


def main() -> None:
    """Measure what is asked for, and write each result down at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help=f"some of {', '.join(MEASUREMENTS)}")
    options = parser.parse_args()
    with TABLE.open("a", newline="", encoding="utf-8") as file:
        for what in options.what or MEASUREMENTS:
            for seed in SEEDS:
                for name, accuracy, seconds in MEASUREMENTS[what](seed):
                    print(f"seed {seed}, {name}: {accuracy}; {seconds:.0f} s", flush=True)
                    row = [name, seed, accuracy.correct, accuracy.total, f"{seconds:.0f}"]
                    csv.writer(file).writerow(row)
                    file.flush()


if __name__ == "__main__":
    main()
