"""Where a sound and a tricked network look, as in lesson 8, with other seeds and taps.

    .venv/bin/python benchmarks/maps.py               # three seeds, some minutes

Both networks learn the same 400 animals. For one, every cat sits in the night and every dog in the
snow. A line a seed, tap and network goes to benchmarks/maps.csv: right answers on 200 test pictures
with the same backdrops and with swapped ones, the share of heat inside the outline, and by how much
the sound network's share is higher on the same pictures, with its 95 % interval.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator

import keras
import numpy as np
from results import FOLDER
from scipy.stats import ttest_1samp
from transfer import CUE, SWAPPED

from helpers import bases, drawings, evaluation, explain

ANIMALS = ("cat", "dog")
TRAINING, TEST, EPOCHS = 200, 100, 6  # pictures of each animal
TAPS = ("block_12_add", "block_9_add", "block_5_add")


def draw(each: int, seed: int, backdrops: dict[str, list[str]] | None = None) -> tuple:
    """Pictures, labels and outlines of cats and dogs by turns."""
    drawn = drawings.draw_many(ANIMALS, each, seed, backdrops=backdrops)
    pictures = np.stack([drawing.picture for drawing in drawn])
    return pictures, np.arange(2 * each) % 2, np.stack([drawing.outline for drawing in drawn])


def train(images: np.ndarray, labels: np.ndarray, seed: int) -> keras.Model:
    """All of the drawn base but BatchNormalization, under a fresh head, at a head's rate."""
    keras.utils.set_random_seed(seed)
    base = bases.load("drawn")
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    model = keras.Sequential(
        [
            keras.Input(base.input_shape[1:]),
            keras.layers.Rescaling(scale=1 / 127.5, offset=-1),
            base,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    model.optimizer.build(model.trainable_variables)
    model.fit(images, labels, batch_size=32, epochs=EPOCHS, verbose=0)
    return model


def measure(seed: int) -> Iterator[list[str]]:
    """The rows of one seed."""
    matched, labels, outlines = draw(TEST, 1002 + 10 * seed, CUE)
    swapped, _, _ = draw(TEST, 1002 + 10 * seed, SWAPPED)
    models = {}
    for name, cue in (("sound", None), ("tricked", CUE)):
        images, training_labels, _ = draw(TRAINING, 1001 + 10 * seed, cue)
        started = time.perf_counter()
        models[name] = train(images, training_labels, seed)
        print(f"seed {seed}, {name}: trained in {time.perf_counter() - started:.0f} s")
    right = {}
    for name, model in models.items():
        logits = [model.predict(images, verbose=0) for images in (matched, swapped)]
        right[name] = [evaluation.accuracy(some, labels).correct for some in logits]
    for tap in TAPS:
        shares = {}
        for name, model in models.items():
            answers = evaluation.predicted_classes(model.predict(matched, verbose=0))
            maps = explain.grad_cam(model, matched, answers, at=tap)
            shares[name] = explain.share_inside(maps, outlines)
        gaps = shares["sound"] - shares["tricked"]
        gaps = gaps[~np.isnan(gaps)]
        low, high = ttest_1samp(gaps, 0).confidence_interval(0.95)
        for name in models:
            numbers = outlines.mean(), np.nanmean(shares[name]), gaps.mean(), low, high
            row = [seed, tap, name, *right[name], len(labels), len(gaps)]
            yield [str(cell) for cell in row] + [f"{number:.3f}" for number in numbers]


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    with (FOLDER / "maps.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        columns = "seed,tap,network,matched,swapped,total,maps,outline,inside,gap,low,high"
        writer.writerow(columns.split(","))
        for seed in parser.parse_args().seeds:
            for row in measure(seed):
                print(*row)
                writer.writerow(row)


if __name__ == "__main__":
    main()
