"""What data are, the order in which they come, and pictures found again: faults beside sound ones.

Each fault is followed by its mend, after which nothing is said.
"""

import io
import random
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.stats import chi2_contingency
from sklearn.datasets import load_digits

from helpers import pictures
from helpers.preflight import CHECKS, copies, order, pipelines, preflight, sources

OURS = ("class order", "order", "repeat", "reshuffling", "augmentation", "imbalance")
OPTIONS = {"difference": 0.5, "sample": 16, "progress": False}
flip = keras.layers.RandomFlip("horizontal")
turn = keras.layers.RandomRotation(0.2)


@pytest.fixture(autouse=True)
def checks_of_data(monkeypatch):
    """Only what costs little: copies are looked for where a test asks for it."""
    kept = {name: CHECKS[name] for name in OURS}
    monkeypatch.setattr(sys.modules["helpers.preflight"], "CHECKS", kept)


@pytest.fixture
def shared(checks_of_data, monkeypatch):
    """Let copies be looked for, too."""
    name = "shared pictures"
    monkeypatch.setitem(sys.modules["helpers.preflight"].CHECKS, name, CHECKS[name])


@pytest.fixture(scope="module")
def drawings():
    """600 and 200 drawings of 96 x 96."""
    found = pictures.load("drawings", size=96, quiet=True)
    return found.train.images[:600], found.validation.images[:200]


@pytest.fixture(scope="module")
def small(drawings):
    """160 and 60 of 32 x 32 with labels 0 and 1."""
    generator = np.random.default_rng(0)
    return tuple(
        (np.ascontiguousarray(part[:count, ::3, ::3]), generator.permutation(count) % 2)
        for part, count in zip(drawings, (160, 60), strict=True)
    )


@pytest.fixture(scope="module")
def model():
    """The smallest that takes them."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D()]
    built = keras.Sequential([*layers, keras.layers.Dense(1)])
    built.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    return built


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small):
    """A folder of six pictures a class."""
    root = tmp_path_factory.mktemp("pictures")
    for number, image in enumerate(small[0][0][:12]):
        file = root / ("cat", "dog")[number % 2] / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(file)
    return root


class Batches(keras.utils.PyDataset):
    """Batches of 16 by number, in another order of rows after each epoch where it shuffles."""

    def __init__(self, part, shuffle=False, noise=0, count=None):
        super().__init__()
        self.part, self.shuffle, self.noise, self.count = part, shuffle, noise, count
        self.rows = np.arange(len(part[1]))

    def __len__(self):
        return -(-len(self.rows) // 16)

    def on_epoch_end(self):
        if self.shuffle:
            self.rows = np.random.default_rng(len(self.rows)).permutation(self.rows)

    def __getitem__(self, number):
        rows = self.rows[16 * number : 16 * number + 16]
        images = self.part[0][rows].astype("float32")
        return images + self.noise * np.random.normal(size=images.shape), self.part[1][rows]


def rows_of(part):
    return tf.data.Dataset.from_tensor_slices(part)


def batches(part, size=16):
    return rows_of(part).batch(size)


def by_class(part):
    rows = np.argsort(part[1], kind="stable")
    return part[0][rows], part[1][rows]


def said(model, train, validation, **options):
    """Check and severity of each finding; no check may have failed."""
    report = preflight(model, train, validation, **(OPTIONS | options))
    assert "itself failed" not in str(report)
    return [(found.check, found.severity) for found in report.findings]


# What people hold in their hands


def kinds(part):
    """The same pictures in many hands."""
    images, labels = part
    ones = np.ones(len(labels), "float32")
    generator = tf.keras.preprocessing.image.ImageDataGenerator()
    return {
        "arrays": part,
        "arrays and weights": (*part, ones),
        "tensors": tuple(map(tf.constant, part)),
        "a dictionary of arrays": {"image": images, "label": labels},
        "a dataset": batches(part),
        "a dataset of batches of one size": rows_of(part).batch(20, drop_remainder=True),
        "triples": batches((*part, ones)),
        "TFDS": batches({"image": images, "label": labels, "id": labels}),
        "inputs in a dictionary": batches(({"pictures": images}, labels)),
        "labels as words": batches((images, np.array(["cat", "dog"])[labels])),
        "labels in columns": batches((images, labels[:, None])),
        "one-hot labels": batches((images, np.eye(2)[labels])),
        "PyDataset": Batches(part),
        "flow": generator.flow(images.astype("float32"), labels, batch_size=16, shuffle=False),
    }


def test_the_same_pictures_are_read_from_whatever_holds_them(small):
    for name, given in kinds(small[1]).items():
        found = sources.as_data("validation", given, None)
        read = list(found.batches(48))
        images = np.concatenate([one[0] for one in read])
        np.testing.assert_array_equal(images, small[1][0][:48], err_msg=name)
        labels = np.concatenate([one[1] for one in read])
        assert len(labels) == 48, name
        if name == "labels as words":
            assert set(labels.astype(str)) <= {"b'cat'", "b'dog'", "cat", "dog"}


@pytest.mark.parametrize("name", ["TFDS", "triples", "PyDataset", "flow", "labels as words"])
def test_no_kind_is_a_fault(name, small, model):
    assert not said(model, kinds(small[0])[name], kinds(small[1])[name])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda part: rows_of(part), r"unbatched .* Use `train.batch\(32\)`"),
        (lambda part: rows_of((part[0], np.eye(2)[part[1]])), r"unbatched .*`train.batch\(32\)`"),
        (lambda part: (batch for batch in [part]), r"Python generator .*PyDataset"),
        (lambda part: iter([part]), r"Python generator .* collect some batches"),
        (lambda part: batches(part[0]), r"Expected: pairs .* `dataset.map`"),
        (lambda part: {"picture": part[0]}, r"a dictionary of picture. Expected: "),
        (lambda part: part[0], r"train of type ndarray. Expected: .*PyDataset"),
        (
            lambda part: batches(part).map(lambda x, y: (x, y[:8])),
            r"labels \(8,\). Expected: batches",
        ),
    ],
)
def test_what_is_refused_with_a_way_on(given, words, small, model):
    with pytest.raises(ValueError, match=rf"(?s)Received: .*{words}"):
        preflight(model, given(small[0]), small[1], **OPTIONS)


def test_looking_leaves_random_states_and_a_sequence_as_they_were(small, model):
    generator = tf.keras.preprocessing.image.ImageDataGenerator(horizontal_flip=True)
    flow = generator.flow(small[0][0].astype("float32"), small[0][1], seed=3)
    sequence = Batches(small[1], shuffle=True)
    flow[0]
    seen, rows = flow.total_batches_seen, sequence.rows.copy()
    np.random.seed(7)
    random.seed(7)
    states = np.random.get_state()[1].copy(), random.getstate()
    preflight(model, flow, sequence, **OPTIONS)
    assert flow.total_batches_seen == seen
    np.testing.assert_array_equal(sequence.rows, rows)
    np.testing.assert_array_equal(np.random.get_state()[1], states[0])
    assert random.getstate() == states[1]


# Class names


@pytest.mark.parametrize("names", [None, ["dog", "cat"]])
def test_names_of_folders_survive_map_cache_and_prefetch(names, folder):
    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(32, 32), class_names=names, verbose=False
    )
    piped = dataset.map(lambda x, y: (x / 255, y)).cache().prefetch(1)
    assert not hasattr(piped, "class_names")
    found = sources.as_data("train", piped, None).class_names
    assert found == tuple(dataset.class_names) == tuple(names or ["cat", "dog"])


def test_names_are_asked_for_where_there_are_none(small, model):
    report = preflight(model, *map(batches, small), **OPTIONS)
    assert "pass class_names=(train.class_names" in dict(report.skipped)["class order"]


# Order


def test_sorted_by_class_in_batches_of_one_until_shuffled_as_a_whole(small, model):
    rows = rows_of(by_class(small[0]))
    assert said(model, rows.batch(1), small[1]) == [("order", "error")]
    assert not said(model, rows.shuffle(160, seed=1).batch(1), small[1])


def test_a_sorted_sequence_is_a_fault(small, model):
    assert said(model, Batches(by_class(small[0])), small[1]) == [("order", "error")]


def test_a_look_that_ends_before_the_second_class(small, model):
    train = batches(by_class(small[0]))
    assert ("order", "error") in said(model, train, small[1], pictures=48)


def test_mixture_is_scipys_chi_square_of_two_classes():
    classes = np.random.default_rng(1).integers(0, 2, 200)
    sizes = (32,) * 6 + (8,)
    table = order._table(classes, sizes)
    tau = chi2_contingency(table, correction=False).statistic / 200  # phi squared
    expected = (tau - 6 / 199) / (1 - 6 / 199)
    assert order.mixture(classes, sizes)[0] == pytest.approx(expected)
    assert order.mixture(np.sort(classes), sizes)[0] > 0.9


def test_shuffled_orders_are_never_called_sorted():
    generator = np.random.default_rng(0)
    for classes, size in ((2, 8), (2, 32), (10, 32), (120, 32), (3, 1)):
        for _ in range(50):
            labels = generator.integers(0, classes, 320)
            share, chance = order.mixture(labels, (size,) * (320 // size))
            assert share < order.SORTED or chance > order.CHANCE


# Repeats


def test_training_data_that_never_end(small, model):
    assert said(model, batches(small[0]).repeat(), small[1]) == [("repeat", "warning")]


def test_pictures_of_a_rare_class_may_come_again(small, model):
    images, labels = small[0]
    rows = np.random.default_rng(0).permutation(np.r_[np.arange(160), np.arange(40)])
    assert not said(model, batches((images[rows], labels[rows])), small[1])


# Passes and augmentation


def test_a_sequence_that_adds_noise_to_validation(small, model):
    assert said(model, small[0], Batches(small[1], noise=9)) == [("augmentation", "error")]
    assert not said(model, Batches(small[0], noise=9), Batches(small[1]))


def test_another_order_is_a_note_and_no_fault(small, model):
    train, rows = batches(small[0]), rows_of(small[1])
    for validation in (rows.shuffle(60).batch(16), Batches(small[1], shuffle=True)):
        report = preflight(model, train, validation, **OPTIONS)
        assert not report.findings and "reshuffling" in report.passed
        assert [(one.check, one.severity) for one in report.notes] == [("reshuffling", "note")]
        assert "from the same pass" in report.notes[0].mend
    once = rows.shuffle(60, reshuffle_each_iteration=False)
    for validation in (rows, rows.shuffle(60).cache(), once):
        assert not said(model, train, validation.batch(16))


def test_another_order_is_read_from_a_dataset_of_which_a_part_is_looked_at(small, model):
    shuffled = rows_of(small[1]).shuffle(60).batch(16)
    report = preflight(model, batches(small[0]).repeat(), shuffled, pictures=50, **OPTIONS)
    assert [(one.check, one.severity) for one in report.notes] == [("reshuffling", "note")]
    assert "raise pictures=" in dict(report.skipped)["reshuffling"]
    assert "the first 50 of train" in report.looked_at


def test_a_cache_behind_augmentation(small, model):
    train, validation = map(batches, small)
    altered = train.map(lambda x, y: (flip(x, training=True), y)).cache().prefetch(1)
    assert said(model, altered, validation) == [("augmentation", "error")]
    assert not said(model, train.map(lambda x, y: (x[:, ::-1], y)).cache(), validation)


def test_a_pipeline_that_cannot_be_read_says_nothing(small, model):
    def make():
        yield small[0]

    specs = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in small[0])
    made = tf.data.Dataset.from_generator(make, output_signature=specs)
    strange = made.map(
        lambda x, y: (tf.ensure_shape(tf.py_function(lambda z: z, [x], x.dtype), specs[0].shape), y)
    )
    read = pipelines.read(strange.cache())
    assert read is None or not read.is_cached_behind_a_random_map()
    assert not said(model, strange, small[1])


# Copies


def jpeg(image, quality=50):
    memory = io.BytesIO()
    Image.fromarray(image.squeeze()).save(memory, "JPEG", quality=quality)
    return np.asarray(Image.open(memory)).reshape(image.shape)


def part_of(image, top, left, share):
    height, width = image.shape[:2]
    box = [left * width, top * height, (left + share) * width, (top + share) * height]
    cut = Image.fromarray(image.squeeze()).resize((width, height), box=box)
    return np.asarray(cut).reshape(image.shape)


ALTERED = {
    "compressed": (jpeg, ""),
    "resized": (lambda image: np.kron(image[::2, ::2], np.ones((2, 2, 1))), ""),
    "darker": (lambda image: (image * 0.6).astype("uint8"), ""),
    "lighter": (lambda image: np.clip(image * 1.2, 0, 255).astype("uint8"), ""),
    "mirrored": (lambda image: image[:, ::-1], "mirrored"),
    "upside down": (lambda image: image[::-1], "mirrored"),
    "turned": (np.rot90, "turned"),
    "turned back": (lambda image: np.rot90(image, 3), "turned"),
    "the middle": (lambda image: part_of(image, 0.05, 0.05, 0.9), "cropped"),
    "a corner": (lambda image: part_of(image, 0, 0, 0.8), "cropped"),
    "mirrored and cropped": (
        lambda x: part_of(x[:, ::-1], 0.1, 0.05, 0.85),
        "mirrored and cropped",
    ),
}


def test_copies_are_found_again_and_other_drawings_are_not(drawings):
    theirs = copies.hash_pictures(drawings[0])
    parts = [drawings[1], *(map(alter, drawings[0][:50]) for alter, _ in ALTERED.values())]
    found = copies.find(copies.join([copies.hash_pictures(part) for part in parts]), theirs)
    ours = found.ours - len(drawings[1])
    assert (ours >= 0).all()  # of the others none
    np.testing.assert_array_equal(ours % 50, found.theirs)
    for number, (name, (_, how)) in enumerate(ALTERED.items()):
        words = [word for word, row in zip(found.how, ours, strict=True) if row // 50 == number]
        assert len(words) >= 35 and words.count(how) >= 0.9 * len(words), name


def test_digits_are_alike_and_no_copies_but_of_themselves():
    digits = np.kron(load_digits().images[:450], np.ones((4, 4)))[..., None] * 255 / 16
    digits = digits.astype("uint8")
    theirs = copies.hash_pictures(digits[:300])
    assert not len(copies.find(copies.hash_pictures(digits[300:]), theirs).ours)
    again = copies.hash_pictures(jpeg(image, 75) for image in digits[:40])
    np.testing.assert_array_equal(copies.find(again, theirs).theirs, np.arange(40))


def test_pictures_of_one_colour_are_no_copies():
    plain = copies.hash_pictures(np.full((5, 16, 16, 3), 200, "uint8"))
    assert not len(copies.find(plain, plain).ours)


@pytest.mark.usefixtures("shared")
def test_mirrored_copies_are_said_and_gone_without_them(small, model):
    (images, labels), (others, theirs) = small
    mixed = np.concatenate([others, images[:10, :, ::-1]]), np.concatenate([theirs, labels[:10]])
    report = preflight(model, small[0], mixed, **OPTIONS)
    assert [found.check for found in report.findings] == ["shared pictures"]
    assert "10 of 70" in report.findings[0].what
    assert "or mirrored (validation 60 = train 0 (mirrored)" in report.findings[0].what
    assert not said(model, (images[10:], labels[10:]), mixed)
