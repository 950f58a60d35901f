"""What the drawn base is worth: frozen, fine-tuned, from scratch, and where it fails.

    .venv/bin/python benchmarks/transfer.py                              # all, about an hour
    .venv/bin/python benchmarks/transfer.py frozen tuned --counts 400    # some of it

The recipes are those of lessons 3 and 4. Hyperparameters were chosen on the validation drawings;
the 500 test drawings are looked at here and nowhere else. A line a result goes to
benchmarks/transfer.csv, a line a pair of models and seed to benchmarks/pairs.csv.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
from results import FOLDER, Answers, Results, measure
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import bases, drawings, evaluation, pictures

COUNTS = (25, 50, 100, 200, 400, 1000)
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


def with_mirrored(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pictures and their mirror images."""
    return np.concatenate([images, images[:, :, ::-1]]), np.concatenate([labels, labels])


class Transfer:
    """A base in two parts under a head, as in lesson 4, for one set of training pictures."""

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, name: str, depth: int | None
    ) -> None:
        images, self.labels = with_mirrored(images, labels)
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

    def answers(self, images: np.ndarray, labels: np.ndarray) -> Answers:
        """What it says to other pictures."""
        return Answers(self.above.predict(self.below.predict(images, verbose=0), verbose=0), labels)


def subset(seed: int, count: int) -> tuple[pictures.PictureSet, np.ndarray, np.ndarray]:
    """The drawings in an order of their own for each seed, and the first of the training ones."""
    keras.utils.set_random_seed(seed)
    data = pictures.load("drawings", size=96, seed=seed, quiet=True)
    return data, data.train.images[:count], data.train.labels[:count]


def measure_frozen(seed: int, count: int) -> Results:
    """A head on the frozen base."""
    data, images, labels = subset(seed, count)
    started = time.perf_counter()
    transfer = Transfer(images, labels, "drawn", depth=0)
    transfer.train_head()
    seconds = time.perf_counter() - started
    answers = transfer.answers(data.test.images, data.test.labels)
    yield f"frozen, {count} pictures", answers, seconds


def measure_tuned(seed: int, count: int) -> Results:
    """A head, and then the part above the cut; with few pictures, as many steps as with 400."""
    data, images, labels = subset(seed, count)
    started = time.perf_counter()
    transfer = Transfer(images, labels, "drawn", DEPTH)
    transfer.train_head()
    transfer.fine_tune(epochs=EPOCHS * max(400, count) // count)
    seconds = time.perf_counter() - started
    answers = transfer.answers(data.test.images, data.test.labels)
    yield f"fine-tuned, {count} pictures", answers, seconds


def measure_scratch(seed: int, count: int) -> Results:
    """All weights random, until the training accuracy passes 0.95, 60 steps at least."""
    data, images, labels = subset(seed, count)
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
    images, labels = with_mirrored(images, labels)
    model.fit(images, labels, batch_size=32, epochs=200, verbose=0, callbacks=[until])
    seconds = time.perf_counter() - started
    answers = Answers(model.predict(data.test.images, verbose=0), data.test.labels)
    yield f"from scratch, {count} pictures", answers, seconds


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
            answers = transfer.answers(shown, np.arange(len(test)) % 2)
            yield f"planted cue, {name}, {said} backdrops", answers, seconds


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
        seconds = time.perf_counter() - started
        answers = Answers(logits[:, np.newaxis], data.test.labels)
        yield f"photographs, {name}, weights {weights}", answers, seconds


WITH_COUNTS = {"frozen": measure_frozen, "tuned": measure_tuned, "scratch": measure_scratch}
OTHERS = {"cue": measure_cue, "photographs": measure_photographs}


def columns(accuracy: evaluation.Accuracy, seconds: float) -> list[Any]:
    """What stands in a row of the table behind name and seed."""
    return [accuracy.correct, accuracy.total, f"{seconds:.0f}"]


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    known = (*WITH_COUNTS, *OTHERS)
    parser.add_argument("what", nargs="*", help=f"some of {', '.join(known)}")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="training pictures")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    measurements: list[Callable[[int], Results]] = []
    for what in options.what or known:
        if what in WITH_COUNTS:
            measurements += [partial(WITH_COUNTS[what], count=count) for count in options.counts]
        else:
            measurements.append(OTHERS[what])
    pairs = [("photographs, drawn, weights None", "photographs, drawn, weights drawings")]
    for count in options.counts:
        scratch, frozen, tuned = (
            f"{way}, {count} pictures" for way in ("from scratch", "frozen", "fine-tuned")
        )
        pairs += [(scratch, frozen), (frozen, tuned)]
    measure(measurements, options.seeds, FOLDER / "transfer.csv", columns, pairs)


if __name__ == "__main__":
    main()
