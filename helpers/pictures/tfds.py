"""`cats_vs_dogs` of TensorFlow Datasets, split 40/10/10 % as the article does."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import archives, downloads, paths
from helpers.pictures import decoding
from helpers.pictures.splits import PictureSet, Split

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_datasets

NAME = "cats_vs_dogs"
# The archive, its bytes and its SHA-256. Source: tensorflow_datasets/url_checksums/cats_vs_dogs.txt
ARCHIVE = "kagglecatsanddogs_5340.zip"
URLS = (
    f"https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/{ARCHIVE}",
)
BYTES = 824_887_076
SHA256 = "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9"
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
        f"downloads and prepares it (825 MB), or set TFDS_DATA_DIR to where it is."
    )


def fetch() -> Path:
    """The prepared version; where it is missing it is downloaded, then prepared.

    The archive is fetched by `downloads`, for TensorFlow Datasets' own download begins anew after
    each break. It finds the file in its `manual_dir` and checks it once more. Once prepared, the
    archive is deleted.
    """
    if found := _prepared():
        return found
    archive = paths.cache_folder() / NAME / ARCHIVE
    try:
        with downloads.writing(archive), downloads.alone(archive.with_name(NAME)):
            if found := _prepared():  # another process has prepared it while this one waited
                return found
            if not archive.is_file() or archive.stat().st_size != BYTES:
                downloads.fetch(URLS, archive, downloads.Checks(archives.begins_like_zip, _verify))
            _prepare(archive.parent)
    # TensorFlow Datasets raises what its archive reader, the disk or its checks raise.
    except Exception as error:
        raise RuntimeError(
            f"Received: {NAME} could not be prepared ({_first_line(error)}). Expected: the archive "
            f"{ARCHIVE} and 3 GB of free disk. Try again where there is a connection, it goes on "
            f"where it stopped; or copy the folder {NAME} from a machine that has it to {folder()}."
        ) from error
    prepared = _prepared()
    if not prepared:
        raise RuntimeError(
            f"Received: no complete {NAME} in {folder()} after preparing it. "
            f"Expected: all its shards. Delete that folder and fetch it again."
        )
    archive.unlink(missing_ok=True)
    return prepared


def _verify(archive: Path) -> None:
    """Compare the archive with what TensorFlow Datasets has of it.

    Raises:
        ValueError: where a single byte differs.
    """
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        size = archive.stat().st_size
        raise ValueError(f"another file than the published one ({size:,} bytes for {BYTES:,})")


def _prepare(downloaded: Path) -> None:
    """Have TensorFlow Datasets write its files from the archive in the folder `downloaded`."""
    import tensorflow_datasets as tfds

    print(f"{NAME}: TensorFlow Datasets prepares the pictures, 0 examples so far.", flush=True)
    config = tfds.download.DownloadConfig(manual_dir=downloaded)
    tfds.builder(NAME, data_dir=folder()).download_and_prepare(download_config=config)


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
    return lines[0] if lines else type(error).__name__


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
