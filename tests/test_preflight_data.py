"""What people hold in their hands as data, its order, its steps, and copies of pictures."""

from __future__ import annotations

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits

from helpers import pictures
from helpers.preflight import copies, order, pipelines, sources

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype="uint8")
LABELS = np.arange(40) % 2


def collected(data: sources.Data) -> tuple[np.ndarray, np.ndarray]:
    """All inputs and labels of one pass."""
    parts = [(images, labels) for images, labels, _ in data.batches(1000)]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))  # type: ignore[return-value]


class Batches(keras.utils.PyDataset):
    """Batches of eight of the pictures above."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(8 * index, 8 * index + 8)
        return IMAGES[rows], LABELS[rows]


def dataset(*more):
    return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS, *more))


KINDS = {
    "arrays": lambda: (IMAGES, LABELS),
    "arrays with weights": lambda: (IMAGES, LABELS, np.ones(40)),
    "dataset": lambda: dataset().batch(16),
    "dataset with weights": lambda: dataset(np.ones(40, "float32")).batch(16),
    "dictionaries of TFDS": lambda: (
        dataset().map(lambda x, y: {"image": x, "label": y, "image/filename": "a.jpg"}).batch(16)
    ),
    "PyDataset": Batches,
    "ImageDataGenerator": lambda: tf.keras.preprocessing.image.ImageDataGenerator().flow(
        IMAGES.astype("float32"), LABELS, batch_size=16, shuffle=False
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_data_gives_its_pictures_and_labels(kind):
    images, labels = collected(sources.as_data("train", KINDS[kind](), None))
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: ((x, y) for x, y in [(IMAGES, LABELS)]), "__getitem__ of a keras.utils.PyDataset"),
        (lambda: dataset(), r"train\.batch\(32\)"),
        (
            lambda: tf.data.Dataset.from_tensor_slices((IMAGES, np.eye(2)[LABELS])),
            r"train\.batch\(32\)",
        ),
        (lambda: (IMAGES, LABELS[:3]), "one label an input"),
        (lambda: {"a": IMAGES}, "a dictionary of a"),
        (lambda: "photos", "str"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_with_a_way_on(given, words):
    with pytest.raises(ValueError, match=rf"(?s)Received: train.*{words}"):
        sources.as_data("train", given(), None)


def test_random_states_are_as_before():
    data = sources.as_data("train", KINDS["ImageDataGenerator"](), None)
    before = np.random.get_state()[1].tolist()
    list(data.batches(100))
    assert np.random.get_state()[1].tolist() == before


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of four pictures each, as files."""
    root = tmp_path_factory.mktemp("folder")
    for name, rows in (("cats", IMAGES[:4]), ("dogs", IMAGES[4:8])):
        (root / name).mkdir()
        for number, pixels in enumerate(rows):
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def test_class_names_are_found_behind_map_cache_and_prefetch(folder):
    loaded = keras.utils.image_dataset_from_directory(folder, image_size=(8, 8), batch_size=4)
    behind = loaded.map(lambda x, y: (x / 255, y)).cache().prefetch(2)
    assert not hasattr(behind, "class_names")
    assert sources.as_data("train", behind, None).class_names == ("cats", "dogs")
    assert sources.as_data("train", dataset().batch(4), None).class_names is None


def test_class_names_of_a_generators_folders(folder):
    flow = tf.keras.preprocessing.image.ImageDataGenerator().flow_from_directory(
        folder, target_size=(8, 8), batch_size=4
    )
    assert sources.as_data("train", flow, None).class_names == ("cats", "dogs")


@pytest.mark.parametrize(
    ("steps", "random"),
    [
        (lambda flip: dataset().batch(8).map(flip).cache(), True),
        (lambda flip: dataset().batch(8).map(flip).cache().shuffle(8).prefetch(1), True),
        (lambda flip: dataset().batch(8).cache().map(flip), False),
        (lambda flip: dataset().batch(8).map(lambda x, y: (x / 255, y)).cache(), False),
    ],
)
def test_a_cache_behind_what_a_map_made_at_random(steps, random):
    layer = keras.layers.RandomFlip()
    flip = lambda x, y: (layer(x, training=True), y)  # noqa: E731
    assert pipelines.read(steps(flip)).is_cached_behind_a_random_map() == random


def test_how_far_batches_differ_in_their_classes():
    sorted_share, by_chance = order.mixture(np.arange(400) // 200, (20,) * 20)
    assert sorted_share == 1 and by_chance < 1e-20
    shuffled = np.random.default_rng(0).permutation(np.arange(400) // 200)
    share, by_chance = order.mixture(shuffled, (20,) * 20)
    assert abs(share) < 0.1 and by_chance > 0.001
    assert order.mixture(np.zeros(400, int), (20,) * 20) == (0.0, 1.0)  # nothing to mix


# Copies


@pytest.fixture(scope="module")
def drawn():
    found = pictures.load("drawings", size=96, quiet=True)
    return found.train.images[:300], found.validation.images[:40]


def saved_again(picture, **settings):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", **settings)
    return np.asarray(Image.open(file))


def cut(picture):
    """Nine tenths of a side, resized to the whole."""
    return np.asarray(Image.fromarray(picture[5:91, 7:93]).resize((96, 96)))


ALTERED = {
    "saved again": lambda x: saved_again(x, quality=30),
    "mirrored": lambda x: x[:, ::-1],
    "turned": lambda x: np.rot90(x),
    "a fifth lighter": lambda x: np.clip(1.2 * x.astype(float), 0, 255).astype("uint8"),
    "cropped": cut,
    "smaller": lambda x: np.asarray(Image.fromarray(x).resize((48, 48)).resize((96, 96))),
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_picture_is_known_again(drawn, how):
    train, _ = drawn
    ours = copies.hash_pictures(np.stack([ALTERED[how](picture) for picture in train[:20]]))
    found = copies.find(ours, copies.hash_pictures(train))
    right = found.ours == found.theirs
    assert right.all() and len(right) >= 16
    if how in {"mirrored", "turned", "cropped"}:
        assert sum(how in word for word in found.how) >= 16


def test_other_pictures_are_no_copies(drawn):
    train, validation = (copies.hash_pictures(part) for part in drawn)
    assert not len(copies.find(validation, train).ours)


def test_small_plain_pictures_are_no_copies_though_they_are_alike():
    digits = (16 * load_digits().images[:500, :, :, None]).clip(0, 255).astype("uint8")
    ours, theirs = (copies.hash_pictures(part) for part in (digits[:100], digits[100:]))
    assert len(copies.find(ours, theirs).ours) <= 1
    same = copies.find(copies.hash_pictures(digits[100:120]), theirs)
    assert same.ours.tolist() == same.theirs.tolist() == list(range(20))


def test_pictures_of_one_colour_are_copies_of_none():
    plain = copies.hash_pictures(np.full((3, 8, 8, 3), 7, "uint8"))
    assert not len(copies.find(plain, plain).ours)
