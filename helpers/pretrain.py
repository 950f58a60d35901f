"""Pretrain the course's own base on drawn animals, of which none is a cat or a dog.

    python -m helpers.pretrain            # all of it: about an hour on two cores
    python -m helpers.pretrain --quick    # two minutes, to see that it works

It draws the pictures, trains, and writes data/bases/drawn.weights.h5 and a record of the run beside
it. It can be stopped, or killed, and started again: it goes on with the epoch it was in.

While it trains, the base has two heads: one names the animal, the other tells its traits, such as
the length of the muzzle, the kind of pupils and the colour of the coat. Both are thrown away.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from helpers import bases, drawings, paths
from helpers.drawings.species import OTHERS
from helpers.files import write_whole

if TYPE_CHECKING:
    import keras

# Two animals, one a little like a cat and one a little like a dog, are kept back: how well the
# base tells these apart shows what it is worth before any cat or dog is looked at.
KEPT_BACK = ("fossa", "thylacine")
CLASSES = tuple(animal.name for animal in OTHERS if animal.name not in KEPT_BACK)
# Pictures of a class that are drawn, and kept on disk, at a time.
BLOCK = 50
# Side of the reduced pictures of the first epochs; a multiple of 32 as 96 is, so that the network
# pads both alike.
SMALL = 64


@dataclass(frozen=True)
class Plan:
    """What is trained on, and how.

    Attributes:
        train, validation: pictures a class.
        small_epochs, epochs: passes through the training pictures, the first of them reduced to
            SMALL pixels, which takes half the time.
        batch: pictures a step.
        peak_rate: AdamW's learning rate after the warm-up; then it falls along half a cosine.
        weight_decay: AdamW's.
        traits_weight: of the traits' mean squared error beside the names' cross-entropy.
        seed: decides the pictures, the first weights, the order and the flips.
    """

    train: int = 500
    validation: int = 50
    small_epochs: int = 10
    epochs: int = 15
    batch: int = 64
    peak_rate: float = 2.5e-3
    weight_decay: float = 0.02
    traits_weight: float = 3.0
    seed: int = 1


FULL = Plan()
QUICK = Plan(train=8, validation=4, small_epochs=1, epochs=2, batch=32)


class Examples(NamedTuple):
    """Pictures uint8 `(n, 96, 96, 3)`, classes int32 `(n,)`, traits float32 `(n, traits)`."""

    images: np.ndarray
    classes: np.ndarray
    traits: np.ndarray


def pretrain(plan: Plan, folder: Path, results: Path) -> dict[str, object]:
    """Draw, train, write the weights and the record, and remove what was kept for going on.

    Args:
        plan: what is trained on, and how.
        folder: where drawn pictures and the state after each epoch are kept until the end.
        results: the folder that `drawn.weights.h5` and `drawn.json` go to.

    Returns:
        The record: the plan, accuracies, seconds and versions.

    Raises:
        ValueError: where `folder` holds another plan's work, or something else.
    """
    import keras

    _begin_or_go_on(plan, folder)
    train = _draw(plan.train, plan.seed, folder / "train")
    validation = _draw(plan.validation, plan.seed + 1, folder / "validation")
    mean, spread = train.traits.mean(axis=0), train.traits.std(axis=0)
    train, validation = (
        # A trait that is the same in all pictures becomes 0.
        part._replace(traits=(part.traits - mean) / np.maximum(spread, 1e-3))
        for part in (train, validation)
    )
    keras.utils.set_random_seed(plan.seed)
    model, base = _build(plan, train.traits.shape[1])
    history = folder / "epochs.json"
    for side, first, last in (
        (SMALL, 0, plan.small_epochs),
        (None, plan.small_epochs, plan.epochs),
    ):
        _fit(
            model, plan, (first, last), (_reduced(train, side), _reduced(validation, side)), folder
        )
    record = _write(plan, base, json.loads(history.read_text(encoding="utf-8")), results)
    shutil.rmtree(folder)
    return record


def _fit(
    model: keras.Model,
    plan: Plan,
    epochs: tuple[int, int],
    examples: tuple[Examples, Examples],
    folder: Path,
) -> None:
    """Train for some epochs of the plan; none is left to do where a later one's state is kept."""
    import keras

    train, validation = examples
    model.fit(
        train.images,
        {"animal": train.classes, "traits": train.traits},
        batch_size=plan.batch,
        initial_epoch=epochs[0],
        epochs=epochs[1],
        validation_data=(
            validation.images,
            {"animal": validation.classes, "traits": validation.traits},
        ),
        verbose=0,
        callbacks=[
            _progress(plan, folder / "epochs.json"),
            # Two states, so that a kill while one is written leaves the other.
            keras.callbacks.BackupAndRestore(
                folder / "state", delete_checkpoint=False, double_checkpoint=True
            ),
        ],
    )


def _begin_or_go_on(plan: Plan, folder: Path) -> None:
    """Note in an empty folder what is made there; refuse to go on with anything else's work."""
    folder.mkdir(parents=True, exist_ok=True)
    drawing_code = sorted(Path(drawings.__file__).parent.glob("*.py"))
    made = {
        **asdict(plan),
        "classes": list(CLASSES),
        "drawing code": hashlib.sha256(b"".join(map(Path.read_bytes, drawing_code))).hexdigest(),
    }
    note, text = folder / "plan.json", json.dumps(made, indent=1)
    if note.exists() and note.read_text(encoding="utf-8") == text:
        return
    if any(folder.iterdir()):
        raise ValueError(
            f"Received: {folder} with the work of another plan, or of other drawings. Expected: "
            f"the same ones, or an empty folder. Delete {folder} to begin anew."
        )
    note.write_text(text, encoding="utf-8")


def _draw(each: int, seed: int, folder: Path) -> Examples:
    """Draw `each` pictures of each class, in blocks that are kept on disk."""
    folder.mkdir(exist_ok=True)
    images, traits = [], []
    for number in tqdm(range(math.ceil(each / BLOCK)), desc=f"{folder.name} pictures"):
        file = folder / f"block_{number:03d}.npz"
        if not file.exists():
            count = min(BLOCK, each - number * BLOCK)
            _draw_block(drawings.draw_many(CLASSES, count, 1000 * seed + number), file)
        with np.load(file, allow_pickle=False) as block:
            images.append(block["images"])
            traits.append(block["traits"])
    together = np.concatenate(images)
    # Classes come in turns: draw_many.
    classes = (np.arange(len(together)) % len(CLASSES)).astype(np.int32)
    return Examples(together, classes, np.concatenate(traits))


def _draw_block(drawn: Sequence[drawings.Drawing], file: Path) -> None:
    """Keep some pictures and their traits; written beside, then renamed."""
    beside = file.with_suffix(".part.npz")
    np.savez(
        beside,
        images=np.stack([drawing.picture for drawing in drawn]),
        traits=np.array([list(drawing.traits.values()) for drawing in drawn], dtype=np.float32),
    )
    beside.replace(file)


def _reduced(examples: Examples, side: int | None) -> Examples:
    """The same with pictures of `side` pixels; as they are where that is None."""
    if side is None:
        return examples
    small = np.empty((len(examples.images), side, side, 3), dtype=np.uint8)
    for row, image in enumerate(examples.images):
        small[row] = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BOX))
    return examples._replace(images=small)


def _build(plan: Plan, traits: int) -> tuple[keras.Model, keras.Model]:
    """The base under its two heads, compiled; and the base."""
    import keras

    drawn = bases.find("drawn")
    base = drawn.build(None, weights=None)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # Keras's 0.999 for this network wants more steps than are made here.
            layer.momentum = 0.98
    inputs = keras.Input((None, None, 3))
    flipped = keras.layers.RandomFlip("horizontal", seed=plan.seed)(inputs)
    features = keras.layers.GlobalAveragePooling2D()(base(drawn.scaling()(flipped)))
    heads = {
        "animal": keras.layers.Dense(len(CLASSES), name="animal")(features),
        "traits": keras.layers.Dense(traits, name="traits")(features),
    }
    model = keras.Model(inputs, heads)
    model.compile(
        optimizer=keras.optimizers.AdamW(_rate(plan), weight_decay=plan.weight_decay),
        loss={
            "animal": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "traits": keras.losses.MeanSquaredError(),
        },
        loss_weights={"animal": 1.0, "traits": plan.traits_weight},
        metrics={"animal": ["accuracy"], "traits": ["mse"]},
    )
    return model, base


def _rate(plan: Plan) -> keras.optimizers.schedules.LearningRateSchedule:
    """A warm-up of a twentieth of the steps, then half a cosine down to 0."""
    import keras

    steps = plan.epochs * math.ceil(len(CLASSES) * plan.train / plan.batch)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=plan.peak_rate / 20,
        decay_steps=steps - steps // 20,
        warmup_target=plan.peak_rate,
        warmup_steps=max(1, steps // 20),
    )


def _progress(plan: Plan, history: Path) -> keras.callbacks.Callback:
    """Keep the numbers of each epoch, and print them with the time left."""
    import keras

    begun = {}

    def begin(epoch: int, logs: dict[str, float]) -> None:
        begun["epoch"] = time.perf_counter()

    def step(batch: int, logs: dict[str, float]) -> None:
        if batch % 20 == 0:
            print(f"\r  step {batch}, {logs['animal_accuracy']:.3f} ", end="", flush=True)

    def end(epoch: int, logs: dict[str, float]) -> None:
        seconds = time.perf_counter() - begun["epoch"]
        row = {"epoch": epoch + 1, "seconds": round(seconds, 1)}
        row |= {name: round(float(value), 4) for name, value in logs.items()}
        _keep_epoch(row, history)
        print(
            f"\repoch {epoch + 1} of {plan.epochs}: animals named {logs['animal_accuracy']:.3f}, "
            f"validation {logs['val_animal_accuracy']:.3f}; traits explained, validation "
            f"{1 - logs['val_traits_mse']:.3f}; {seconds:.0f} s, "
            f"{(plan.epochs - epoch - 1) * seconds / 60:.0f} min left",
            flush=True,
        )

    return keras.callbacks.LambdaCallback(
        on_epoch_begin=begin, on_epoch_end=end, on_train_batch_end=step
    )


def _keep_epoch(row: dict[str, float], history: Path) -> None:
    """Add an epoch's numbers, in place of those of an epoch that is made again."""
    rows = json.loads(history.read_text(encoding="utf-8")) if history.exists() else []
    rows = [kept for kept in rows if kept["epoch"] < row["epoch"]] + [row]
    write_whole(history, json.dumps(rows))


def _write(plan: Plan, base: keras.Model, epochs: list[dict], results: Path) -> dict[str, object]:
    """Write the base's weights and the record of the run: first beside, then both renamed."""
    results.mkdir(parents=True, exist_ok=True)
    weights = results / bases.find("drawn").weights_file
    weights_beside, record_beside = results / f"part.{weights.name}", results / "part.drawn.json"
    base.save_weights(weights_beside)
    record = _record(plan, base, epochs)
    record["sha256"] = hashlib.sha256(weights_beside.read_bytes()).hexdigest()
    record_beside.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    weights_beside.replace(weights)
    record_beside.replace(results / "drawn.json")
    return record


def _record(plan: Plan, base: keras.Model, epochs: list[dict]) -> dict[str, object]:
    """What was done and what came of it."""
    import keras
    import tensorflow as tf

    last = epochs[-1]
    return {
        **asdict(plan),
        "classes": list(CLASSES),
        "animals named, training": last["animal_accuracy"],
        "animals named, validation": last["val_animal_accuracy"],
        "traits explained (1 - mse of standardised traits), validation": round(
            1 - last["val_traits_mse"], 4
        ),
        "linear head on two animals kept back, accuracy": _probe(plan, base),
        "seconds of each epoch": [epoch["seconds"] for epoch in epochs],
        "validation of each epoch": [epoch["val_animal_accuracy"] for epoch in epochs],
        "python": platform.python_version(),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def _probe(plan: Plan, base: keras.Model) -> float:
    """Accuracy of logistic regression on the base's features of the two animals kept back.

    As many pictures of each as of a class in the plan train it, and as many again test it.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    drawn = drawings.draw_many(KEPT_BACK, 2 * plan.train, 1000 * (plan.seed + 2))
    scaled = bases.find("drawn").scaling()(np.stack([drawing.picture for drawing in drawn]))
    features = base.predict(scaled, verbose=0).mean(axis=(1, 2))
    labels = [KEPT_BACK.index(drawing.animal) for drawing in drawn]
    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    half = len(drawn) // 2
    head.fit(features[:half], labels[:half])
    return round(float(head.score(features[half:], labels[half:])), 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Pretrain from the command line; 2 where the work of another plan is in the way."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.pretrain",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="two minutes instead, and no use")
    parser.add_argument("--to", type=Path, help="folder for the weights; default: data/bases")
    options = parser.parse_args(arguments)
    cache = paths.cache_folder()
    plan, folder, results = FULL, cache / "pretrain", options.to or bases.EMBEDDED
    if options.quick:
        plan, folder = QUICK, cache / "pretrain_quick"
        results = options.to or cache / "pretrain_quick_result"
    try:
        record = pretrain(plan, folder, results)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(record, indent=1))
    print(f"The weights are in {results}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
