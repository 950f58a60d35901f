"""The project that closes the course: judge what a learner hands in.

A file that was exported, with its record, is enough. It runs in its own runtime on pictures that it
has not seen: drawn afresh where its classes are animals that the course draws, else from a folder
that was kept aside. Without a notebook, for one file or many::

    python -m helpers.exercises.project anna/model.tflite ben/model.onnx
    python -m helpers.exercises.project model.tflite --kept-aside aside --trained-on mine
"""

from __future__ import annotations

import argparse
import contextlib
import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from helpers import evaluation, export, page
from helpers.exercises.exercise import Verdict, exercise, right, wrong
from helpers.preflight import layers

LEAST_CLASSES = 3
EACH = 40  # pictures drawn of each class
LEAST_PICTURES = 30  # of a folder, in all
# So much better must other pixels be to be taken for the right ones.
CLEARLY = 0.2
# So improbable must a gap be, between the test and unseen pictures, to be no luck.
NO_LUCK = 0.01
# Copies are looked for in pictures of this side.
SIDE = 64
KEYS = ("file", "tested", "preflight", "kept aside", "trained on")


class Unjudged(Exception):
    """A file cannot be judged; the text says to its maker why."""


@dataclass(frozen=True)
class Report:
    """What was found of a file.

    Attributes:
        path: the file.
        class_names: those of its record.
        accuracy: on the unseen pictures; None where it could not be judged.
        missing: what is not as it should be, a sentence or two each; none where all is well.
    """

    path: Path
    class_names: tuple[str, ...] = ()
    accuracy: evaluation.Accuracy | None = None
    missing: tuple[str, ...] = ()

    def __repr__(self) -> str:
        names = f": {', '.join(self.class_names)}" if self.class_names else ""
        judged = f"On pictures that it has not seen: {self.accuracy}." if self.accuracy else ""
        missing = self.missing or ("Nothing is missing.",)
        return "\n  ".join(filter(None, (f"{self.path}{names}", judged, *missing)))


@exercise(
    hints=(
        "Lesson 9 makes a model of a folder. `drawings.draw_many(animals, each, seed)` draws: each "
        "has a `.picture` and an `.animal`.",
        "Keep the order of the names: label 0 is the first name, in training and in "
        "`class_names=`.",
        "preflight wants a compiled model: `preflight.preflight(model, train, validation)`, each a "
        "pair of images and labels.",
        "evaluation.accuracy(model.predict(images), labels) on test pictures is 'tested'; what "
        "export.litert returns is 'file'.",
    ),
    solution="""
import keras
import numpy as np
from helpers import bases, drawings, evaluation, export, features, paths, preflight, training

animals = ("badger", "raccoon", "skunk")
drawn = drawings.draw_many(animals, each=100, seed=2718)
images = np.stack([drawing.picture for drawing in drawn])
labels = np.array([animals.index(drawing.animal) for drawing in drawn])
train, validation, test = slice(180), slice(180, 240), slice(240, None)

base = bases.load("drawn")
base.trainable = False
extractor = keras.Sequential(
    [
        keras.Input(base.input_shape[1:]),
        bases.find("drawn").scaling(),
        base,
        keras.layers.GlobalAveragePooling2D(),
    ]
)
head = training.reference_head(
    features.extract(extractor, images[train], quiet=True), labels[train]
)
model = keras.Sequential([keras.Input(base.input_shape[1:]), *extractor.layers, head])
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
file = paths.cache_folder() / "exports" / "project.tflite"
file.parent.mkdir(parents=True, exist_ok=True)
answer = {
    "file": export.litert(model, file, class_names=animals),
    "tested": evaluation.accuracy(model.predict(images[test], verbose=0), labels[test]),
    "preflight": preflight.preflight(
        model, (images[train], labels[train]), (images[validation], labels[validation])
    ),
}
""",
)
def project(answer: Mapping[str, Any]) -> Verdict:
    """A model of three classes or more, sound by preflight, tested, and exported."""
    if not isinstance(answer, Mapping) or "file" not in answer:
        return wrong(f"Received: {answer!r}. Expected: a dictionary with {', '.join(KEYS[:3])}.")
    if unknown := sorted(set(answer) - set(KEYS)):
        return wrong(f"Received: {', '.join(unknown)}. Expected: of {', '.join(KEYS)}.")
    tested = answer.get("tested")
    if not isinstance(tested, evaluation.Accuracy):
        return wrong("'tested' is missing: what `evaluation.accuracy` gives on your test set.")
    found = judge(answer["file"], tested, answer.get("kept aside"), answer.get("trained on"))
    if missing := (*found.missing, *_not_sound(answer.get("preflight"))):
        return wrong(repr(replace(found, missing=missing)))
    return right(
        f"On your test set {tested}; on pictures that nobody has seen {found.accuracy}. "
        "You took a base, made a model of it, judged it and shipped it: that was the course."
    )


def _not_sound(inspection: Any) -> tuple[str, ...]:
    """What preflight says against the Keras model, or that nobody asked it."""
    from helpers.preflight import Inspection

    if not isinstance(inspection, Inspection):
        return ("'preflight' is missing: what `preflight.preflight` gives of your compiled model.",)
    return tuple(f"Preflight finds: {found.what} {found.mend}" for found in inspection.errors)


def judge(
    path: str | Path,
    tested: evaluation.Accuracy | None = None,
    kept_aside: str | Path | None = None,
    trained_on: str | Path | None = None,
    seed: int | None = None,
) -> Report:
    """Judge a file that `export.litert` or `export.onnx` has written.

    Args:
        path: the file; its record, with the class names, lies beside it.
        tested: what its maker found on a test set, where that should be compared.
        kept_aside: a folder with a subfolder a class, of pictures that no training has seen. Not
            needed where all classes are animals that the course draws.
        trained_on: the folder of the training pictures, to see that it holds none of those.
        seed: of the pictures that are drawn; by default another one each time.
    """
    path = Path(path)
    names: tuple[str, ...] = ()
    try:
        model = _opened(path)
        names = model.class_names
        images, labels = _unseen(names, model.size, kept_aside, trained_on, seed)
        accuracy, missing = _on_unseen(model, images, labels)
    except (OSError, ValueError, Unjudged) as error:
        return Report(path, names, None, (str(error),))
    if not missing and tested:
        missing = _too_good(tested, accuracy)
    return Report(path, names, accuracy, missing)


def _opened(path: Path) -> export.Exported:
    """The model, with a record that holds three class names or more."""
    if path.is_file() and not path.with_name(f"{path.name}.json").is_file():
        raise Unjudged(f"Its record is missing: hand in {path.name}.json, which lies beside it.")
    model = export.load(path)
    if not model.class_names:
        raise Unjudged("Its record holds no class names: say `class_names=` when you export.")
    if (count := len(model.class_names)) < LEAST_CLASSES:
        raise Unjudged(f"It tells {count} classes apart. The project asks for three or more.")
    return model


# Pictures that it has not seen


def _unseen(
    names: tuple[str, ...],
    size: int,
    kept_aside: str | Path | None,
    trained_on: str | Path | None,
    seed: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures, uint8 `(n, size, size, 3)`, and labels, by the order of the record's names."""
    from helpers import drawings

    if kept_aside:
        if trained_on:
            _check_no_copies(Path(kept_aside), Path(trained_on))
        return _from_folder(names, size, Path(kept_aside))
    if unknown := sorted(set(names) - set(drawings.ANIMALS)):
        raise Unjudged(
            f"The course does not draw {', '.join(unknown)}. Say where the pictures are that you "
            f"kept aside: 'kept aside', a folder with a subfolder a class."
        )
    seed = secrets.randbelow(2**31) if seed is None else seed
    drawn = drawings.draw_many(names, EACH, seed, processes=1)
    images = np.stack([_resized(drawing.picture, size) for drawing in drawn])
    return images, np.array([names.index(drawing.animal) for drawing in drawn])


def _resized(picture: np.ndarray, size: int) -> np.ndarray:
    """A drawing at a model's size, through a file, as the page does it."""
    from PIL import Image

    if len(picture) == size:
        return picture
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return page.decode(file.getvalue(), size)


def _from_folder(names: tuple[str, ...], size: int, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The pictures of a folder; files that are none are passed over."""
    if missing := [name for name in names if not (folder / name).is_dir()]:
        raise Unjudged(f"The folder {folder} has no subfolder {', '.join(missing)}.")
    parts = [_pictures(folder / name, size) for name in names]
    counts = [len(part) for part in parts]
    if sum(counts) < LEAST_PICTURES or 0 in counts:
        raise Unjudged(
            f"The folder {folder} holds {sum(counts)} pictures that can be read. Keep at least "
            f"{LEAST_PICTURES} aside, some of each class."
        )
    return np.concatenate(parts), np.repeat(np.arange(len(names)), counts)


def _pictures(folder: Path, size: int) -> np.ndarray:
    """All pictures in a folder and the folders in it, uint8 `(n, size, size, 3)`."""
    from helpers.pictures.arrangements import files_of

    found = []
    for file in files_of(folder, label=0):
        with contextlib.suppress(ValueError):  # it is no picture
            found.append(page.decode(Path(file.path).read_bytes(), size))
    return np.reshape(found, (-1, size, size, 3)).astype("uint8")


def _check_no_copies(kept_aside: Path, trained_on: Path) -> None:
    """No picture of one folder is in the other, resized, mirrored and cut ones included."""
    from helpers.preflight import copies

    ours, theirs = (_pictures(folder, SIDE) for folder in (kept_aside, trained_on))
    if not len(ours) or not len(theirs):
        return
    found = copies.find(copies.hash_pictures(ours), copies.hash_pictures(theirs))
    if shared := len(found.ours):
        raise Unjudged(
            f"{shared} of the {len(ours)} pictures in {kept_aside} are in {trained_on}, too: it "
            f"was trained on pictures that should judge it. Keep others aside, and train again."
        )


# What the answers tell


def _on_unseen(
    model: export.Exported, images: np.ndarray, labels: np.ndarray
) -> tuple[evaluation.Accuracy, tuple[str, ...]]:
    """The accuracy, and what the answers say against the file."""
    predicted = model.predicted_classes(model.scaled(images))
    accuracy = evaluation.Accuracy(int((predicted == labels).sum()), len(labels))
    if meant := _other_order(predicted, labels, model.class_names):
        return accuracy, (
            f"Its outputs mean {', '.join(meant)}, in this order; its record has another. Hand "
            f"over `class_names=` in the order of the labels.",
        )
    pixels = _other_pixels(model, images, labels)
    best = max(pixels, key=lambda name: pixels[name])
    if pixels[best] > accuracy.value + CLEARLY:
        return accuracy, (
            f"With pixels of {best} it is right far more often, and its record says "
            f"{model.pixels}: scale inside the model, or say `pixels=` when you export.",
        )
    guessing = np.bincount(labels).max() / len(labels)
    if accuracy.interval[0] <= guessing:
        return accuracy, (
            f"That is not shown to be better than guessing, {guessing:.2f}. Is the Keras model "
            f"better? If not, look at the data first; if so, at the export.",
        )
    return accuracy, ()


def _other_pixels(
    model: export.Exported, images: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """The accuracy with each range of pixels that is not the record's."""
    found = {}
    for name in layers.PIXELS.keys() - {model.pixels}:
        low, high = layers.PIXELS[name]
        scaled = (images / 255 * (high - low) + low).astype("float32")
        parts = [model.run(scaled[row : row + 32]) for row in range(0, len(scaled), 32)]
        found[name] = float((np.concatenate(parts).argmax(axis=1) == labels).mean())
    return found


def _other_order(
    predicted: np.ndarray, labels: np.ndarray, names: tuple[str, ...]
) -> tuple[str, ...] | None:
    """The class that each output means, where most pictures of some classes get another's name."""
    from scipy.optimize import linear_sum_assignment

    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (predicted, labels), 1)
    outputs, classes = linear_sum_assignment(-counts)
    moved = outputs != classes
    most = counts[outputs, classes] > counts.sum(axis=0)[classes] / 2
    return tuple(names[label] for label in classes) if moved.any() and most[moved].all() else None


def _too_good(tested: evaluation.Accuracy, unseen: evaluation.Accuracy) -> tuple[str, ...]:
    """What is wrong where the test set was named rightly much more often than unseen pictures.

    These are not the same pictures, so there are no pairs: Fisher's exact test, by SciPy.
    """
    from scipy.stats import fisher_exact

    table = [[each.correct, each.total - each.correct] for each in (tested, unseen)]
    if fisher_exact(table, alternative="greater").pvalue >= NO_LUCK:
        return ()
    return (
        f"On your test set it was {tested}: so much better is no luck. Was the test set trained "
        f"on, or chosen by? Is it easier? Or did the export lose something?",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is found of each file; 0 where nothing is missing, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.exercises.project",
        description="Judge projects that were handed in.",
    )
    parser.add_argument("files", nargs="+", help=".tflite or .onnx, its .json beside it")
    parser.add_argument("--kept-aside", help="a folder of unseen pictures, a subfolder a class")
    parser.add_argument("--trained-on", help="the folder of the training pictures")
    parser.add_argument("--seed", type=int, help="of the drawn pictures; all files get the same")
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    found = [
        judge(file, None, options.kept_aside, options.trained_on, seed) for file in options.files
    ]
    print(*found, sep="\n")
    return int(any(report.missing for report in found))


if __name__ == "__main__":
    raise SystemExit(main())
