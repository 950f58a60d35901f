"""`cats_vs_dogs` of TensorFlow Datasets, split 40/10/10 % as the article does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import downloads
from helpers.pictures import decoding
from helpers.pictures.splits import PictureSet, Split

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_datasets

NAME = "cats_vs_dogs"
HOST = "https://download.microsoft.com"
SPLITS = ("train[:40%]", "train[40%:50%]", "train[50%:60%]")


def load(size: int, seed: int, in_memory: bool) -> PictureSet:
    """`cats_vs_dogs`, as much of it as is prepared, split 40/10/10 % as it lies.

    Raises:
        ValueError: where the pictures should stay on disk.
        RuntimeError: where the set cannot be prepared.
    """
    if not in_memory:
        raise ValueError(
            "Received: 'tfds' with in_memory=False. Expected: a set whose pictures are files."
        )
    prepared = fetch()
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(prepared)
    generator = np.random.default_rng(seed)
    splits, left_out = [], []
    for instruction in SPLITS:
        split, broken = _read(builder, instruction, size, generator)
        splits.append(split)
        left_out += broken
    class_names = tuple(builder.info.features["label"].names)
    train, validation, test = splits
    return PictureSet("tfds", size, class_names, train, validation, test, tuple(sorted(left_out)))


def missing() -> str | None:
    """None where the set is prepared on this machine; else how to get it."""
    if _prepared():
        return None
    return (
        f"{NAME} is not prepared in {folder()}; `python3 course.py fetch tfds` "
        f"downloads and prepares it (about 800 MB), or set TFDS_DATA_DIR to where it is."
    )


def fetch() -> Path:
    """The prepared version; TensorFlow Datasets downloads and prepares it where it is missing."""
    if not _prepared():
        try:
            # TensorFlow Datasets itself would try for minutes before it says so.
            downloads.check_reachable(HOST)
            import tensorflow_datasets as tfds

            tfds.builder(NAME, data_dir=folder()).download_and_prepare()
        # TensorFlow Datasets raises what its download, its archive reader or its checks raise.
        except Exception as error:
            raise RuntimeError(
                f"Received: {NAME} could not be prepared ({_first_line(error)}). Expected: "
                f"a connection to {HOST} and 3 GB of free disk. Try again where "
                f"there is one, or copy the folder {NAME} from a machine that has it to "
                f"{folder()}."
            ) from error
    prepared = _prepared()
    if not prepared:
        raise RuntimeError(
            f"Received: no complete {NAME} in {folder()} after preparing it. "
            f"Expected: all its shards. Delete that folder and fetch it again."
        )
    return prepared


def folder() -> Path:
    """TensorFlow Datasets' own cache, as it finds it itself."""
    return Path(os.environ.get("TFDS_DATA_DIR") or Path.home() / "tensorflow_datasets").expanduser()


def _prepared() -> Path | None:
    """The folder of the newest prepared version with all its shards, or None.

    It is read from the files, since importing TensorFlow Datasets takes seconds.
    """
    found = []
    for info in (folder() / NAME).glob("*.*.*/dataset_info.json"):
        version = tuple(int(number) for number in info.parent.name.split(".") if number.isdigit())
        if len(version) == 3 and _has_all_shards(info):
            found.append((version, info.parent))
    return max(found)[1] if found else None


def _has_all_shards(info: Path) -> bool:
    """Whether a version's folder holds as many shards as its description says."""
    try:
        splits = json.loads(info.read_text(encoding="utf-8"))["splits"]
        train = next(split for split in splits if split["name"] == "train")
        expected = len(train["shardLengths"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return False
    shards = info.parent.glob(f"{NAME}-train.*-of-{expected:05d}")
    return expected > 0 and len(list(shards)) == expected


def _first_line(error: Exception) -> str:
    """The beginning of an error's text, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _read(
    builder: tensorflow_datasets.core.DatasetBuilder,
    instruction: str,
    size: int,
    generator: np.random.Generator,
) -> tuple[Split, list[tuple[str, str]]]:
    """One split of a prepared builder in a shuffled order, and what could not be decoded."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    undecoded = {"image": tfds.decode.SkipDecoding()}
    examples = builder.as_dataset(split=instruction, decoders=undecoded)
    names, labels = _names_and_labels(examples)
    order = generator.permutation(len(names))
    names, labels = names[order], labels[order]
    rows = tf.data.Dataset.from_tensor_slices(np.argsort(order))
    encoded = tf.data.Dataset.zip(rows, examples.map(lambda example: example["image"]))
    images = decoding.room_for(len(names), size)
    sizes = np.zeros((len(names), 2), dtype=np.int32)
    decoding.fill(encoded.map(lambda row, image: (row, image, 0)), images, sizes)
    whole = sizes[:, 0] > 0
    if whole.all():
        return Split(images, labels, tuple(names), sizes), []
    pairs = [pair for pair in encoded.as_numpy_iterator() if not whole[pair[0]]]
    left_out = [(names[row], decoding.reason_of(contents)) for row, contents in pairs]
    return Split(images[whole], labels[whole], tuple(names[whole]), sizes[whole]), left_out


def _names_and_labels(examples: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The file name, str, and the label, int32, of each example, in their order."""
    facts = examples.map(lambda example: (example["image/filename"], example["label"]))
    batches = list(facts.batch(1024).as_numpy_iterator())
    names = [name.decode() for batch, _ in batches for name in batch]
    labels = np.concatenate([labels for _, labels in batches])
    return np.array(names, dtype=object), labels.astype(np.int32)
