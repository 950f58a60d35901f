"""Where the time goes from files to a head, stage by stage, on the photographs.

    .venv/bin/python benchmarks/stages.py              # one line of seconds, half a minute
    .venv/bin/python benchmarks/stages.py --busy 2     # beside two processes that never rest

Two versions of the course are compared by calling this in turn with PYTHONPATH at either.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import keras
import numpy as np
from recipes import Scale, cut_in_two, head_on

from helpers import evaluation, features, paths, pictures, training


class Stages(dict[str, float]):
    """Seconds of each stage."""

    @contextlib.contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Take the time of a `with` block."""
        started = time.perf_counter()
        yield
        self[name] = round(time.perf_counter() - started, 2)


def measure(scale: Scale) -> Stages:
    """Files to a head, a head in Keras, another one, an epoch of fine-tuning from the cut."""
    stages = Stages()
    with stages.time("decode"):
        data = scale.load()
    train, validation = data.train, data.validation
    with stages.time("build the base"):
        extractor = keras.Sequential(cut_in_two(scale, None))
    with stages.time("extract training"):
        known = features.extract(extractor, train.images, quiet=True)
    with stages.time("extract validation"):
        unknown = features.extract(extractor, validation.images, quiet=True)
    with stages.time("fit a linear head"):
        logits = np.asarray(training.reference_head(known, train.labels)(unknown))
    stages["from files to a head"] = round(sum(stages.values()), 2)
    options = {"epochs": scale.epochs, "validation": (unknown, validation.labels)}
    with stages.time("a first try"):
        trainer = training.Trainer(head_on(None, known.shape[1:]), keras.optimizers.Adam(1e-3))
        list(trainer.epochs(known, train.labels, **options))
    with stages.time("one more try"):
        trainer.restart(head_on(None, known.shape[1:]).variables, learning_rate=3e-3)
        list(trainer.epochs(known, train.labels, **options))
    below, top = cut_in_two(scale, scale.cut)
    at_cut = features.extract(below, train.images, dtype="float16", quiet=True)
    above = head_on(top, top.input_shape[1:])
    tuned = list(training.fine_tune(above, at_cut, train.labels, learning_rate=1e-5, epochs=2))
    stages["an epoch of fine-tuning"] = round(tuned[1].seconds - tuned[0].seconds, 2)
    stages["accuracy"] = evaluation.accuracy(logits, validation.labels).value
    return stages


@contextlib.contextmanager
def company(count: int) -> Iterator[None]:
    """So many processes beside this one that never rest."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()


def main() -> None:
    """Measure in a cache of its own, so that nothing is found that was computed before."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--busy", type=int, default=0, help="processes that never rest")
    options = parser.parse_args()
    pictures.fetch("photos")
    photos = paths.cache_folder() / "photos"
    with tempfile.TemporaryDirectory() as folder, company(options.busy):
        (Path(folder) / "photos").symlink_to(photos)
        with mock.patch.dict(os.environ, COURSE_CACHE=folder):
            print(json.dumps(measure(Scale())))


if __name__ == "__main__":
    main()
