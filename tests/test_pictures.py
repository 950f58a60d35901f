"""Picture sets; Keras, PIL and TensorFlow Datasets are the oracles."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving import serving

from helpers import downloads, paths, pictures
from helpers.pictures import PictureSet, Split, headers, photographs, tfds

SMALL_COUNTS = {"train/cats": 12, "train/dogs": 12, "validation/cats": 6, "validation/dogs": 6}
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of this test's own, and no way out of this machine."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("COURSE_CACHE", str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setattr(downloads, "BACKOFF_SECONDS", 0)
    monkeypatch.setattr(photographs, "COUNTS", SMALL_COUNTS)
    monkeypatch.setattr(photographs, "URLS", (f"{CLOSED}/{photographs.ZIP}",))
    return folder


def picture(seed: int, width: int = 40, height: int = 30) -> Image.Image:
    """A picture of large patches, unlike every other seed's."""
    patches = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)


def make_folder(folder: Path, counts: dict[str, int], suffix: str = ".jpg") -> Path:
    """Pictures of many sizes, so many a subfolder."""
    seed = 0
    for inside, count in counts.items():
        (folder / inside).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            seed += 1
            size = 20 + 7 * seed % 50, 20 + 11 * seed % 40
            picture(seed, *size).save(folder / inside / f"{Path(inside).name[:3]}.{number}{suffix}")
    return folder


@pytest.fixture
def mirror(tmp_path, cache, monkeypatch):
    """A classroom's mirror with a small archive in the published layout."""
    top = make_folder(tmp_path / photographs.TOP, SMALL_COUNTS)
    (tmp_path / "served").mkdir()
    with zipfile.ZipFile(tmp_path / "served" / photographs.ZIP, "w") as archive:
        archive.writestr(f"{photographs.TOP}/vectorize.py", "# is in the published one too")
        for path in top.rglob("*.jpg"):
            archive.write(path, path.relative_to(tmp_path).as_posix())
    with serving(tmp_path / "served") as served:
        monkeypatch.setenv("COURSE_MIRROR", served.url)
        yield served


def splits(found: PictureSet) -> list[Split]:
    return [found.train, found.validation, found.test]


def all_files(found: PictureSet) -> list[str]:
    return [file for split in splits(found) for file in split.files]


# Of a JPEG Keras takes TensorFlow's quick arithmetic, the course that of Pillow: so far apart.
QUICK = 4


def keras_pictures(folder: Path, size: int) -> tuple[dict[str, np.ndarray], list[str]]:
    """What Keras makes of a folder: name to picture (rounded), and the class names."""
    import keras

    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(size, size), shuffle=False, batch_size=8, verbose=False
    )
    images = np.concatenate([np.rint(images).astype(np.uint8) for images, _ in dataset])
    names = [Path(path).relative_to(folder).as_posix() for path in dataset.file_paths]
    return dict(zip(names, images, strict=True)), dataset.class_names


# A folder of the learner's own


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".gif"])
def test_pictures_are_those_of_keras(tmp_path, suffix):
    folder = make_folder(tmp_path / "pets", {"dog": 5, "cat": 6, "newt": 4}, suffix)
    most = QUICK if suffix == ".jpg" else 0
    found = pictures.load(str(folder), 32, quiet=True)
    expected, class_names = keras_pictures(folder, 32)
    assert found.class_names == tuple(class_names) == ("cat", "dog", "newt")
    assert sorted(all_files(found)) == sorted(expected)
    for split in splits(found):
        assert split.images.dtype == np.uint8 and split.labels.dtype == np.int32
        assert split.images.shape == (len(split), 32, 32, 3)
        for image, label, file, size in zip(
            split.images, split.labels, split.files, split.sizes, strict=True
        ):
            np.testing.assert_allclose(image, expected[file].astype(int), rtol=0, atol=most)
            assert class_names[label] == file.split("/")[0]
            with Image.open(folder / file) as original:
                assert (size[1], size[0]) == original.size


@pytest.mark.parametrize("format", ["PNG", "BMP", "WEBP"])
def test_decoding_is_that_of_pil(tmp_path, format):
    for class_name in "ab":
        (tmp_path / class_name).mkdir()
        for number in range(3):
            path = tmp_path / class_name / f"{number}.{format.lower()}"
            picture(10 * ord(class_name) + number, 24, 24).save(path, format=format, lossless=True)
    found = pictures.load(str(tmp_path), 24, quiet=True)
    for split in splits(found):
        for image, file in zip(split.images, split.files, strict=True):
            np.testing.assert_array_equal(image, np.asarray(Image.open(tmp_path / file)))


def test_grey_transparent_and_moving_pictures_have_three_channels(tmp_path):
    make_folder(tmp_path, {"a": 4, "b": 4})
    picture(1, 24, 24).convert("L").save(tmp_path / "a" / "grey.png")
    picture(2, 24, 24).convert("RGBA").save(tmp_path / "a" / "transparent.png")
    frames = [picture(seed, 24, 24) for seed in (3, 4)]
    frames[0].save(tmp_path / "b" / "moving.gif", save_all=True, append_images=frames[1:])
    found = pictures.load(str(tmp_path), 24, quiet=True)
    assert found.left_out == ()
    by_name = {
        file: image
        for split in splits(found)
        for file, image in zip(split.files, split.images, strict=True)
    }
    for name in ("a/grey.png", "a/transparent.png", "b/moving.gif"):
        with Image.open(tmp_path / name) as original:
            seen = original.convert("RGBA")
        seen = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
        np.testing.assert_array_equal(by_name[name], np.asarray(seen.convert("RGB")))


def test_each_class_is_split_by_the_shares(tmp_path):
    folder = make_folder(tmp_path, {"a": 20, "b": 10, "c": 3})
    found = pictures.load(str(folder), 8, validation_share=0.2, test_share=0.3, quiet=True)
    counts = [np.bincount(split.labels, minlength=3).tolist() for split in splits(found)]
    assert counts == [[10, 5, 1], [4, 2, 1], [6, 3, 1]]
    assert len(set(all_files(found))) == 33


def test_the_seed_decides(tmp_path):
    folder = str(make_folder(tmp_path, {"a": 12, "b": 12}))
    first, same = (pictures.load(folder, 8, seed=5, quiet=True) for _ in range(2))
    other = pictures.load(folder, 8, seed=6, quiet=True)
    assert [split.files for split in splits(first)] == [split.files for split in splits(same)]
    np.testing.assert_array_equal(first.train.images, same.train.images)
    assert set(first.test.files) != set(other.test.files)
    assert first.train.files != other.train.files


def test_the_order_in_which_a_disk_lists_files_does_not_matter(tmp_path, monkeypatch):
    folder = str(make_folder(tmp_path, {"a": 9, "b": 9}))
    first = pictures.load(folder, 8, quiet=True)
    walk = os.walk
    monkeypatch.setattr(
        os, "walk", lambda top: ((parent, inner, names[::-1]) for parent, inner, names in walk(top))
    )
    other = pictures.load(folder, 8, quiet=True)
    assert [split.files for split in splits(first)] == [split.files for split in splits(other)]


def test_a_slice_is_a_fair_sample(tmp_path):
    folder = make_folder(tmp_path, {"a": 60, "b": 60})
    found = pictures.load(str(folder), 8, validation_share=0.3, test_share=0.3, quiet=True)
    for split in splits(found):
        half = split.labels[: len(split) // 2]
        assert 0.25 < half.mean() < 0.75


def test_files_that_are_no_pictures_are_named_and_change_nothing_else(tmp_path):
    folder = make_folder(tmp_path, {"a": 10, "b": 10})
    clean = pictures.load(str(folder), 16, quiet=True)
    (folder / "a" / "empty.jpg").write_bytes(b"")
    (folder / "a" / "page.jpg").write_text("<html>not found</html>")
    whole = (folder / "b" / "b.0.jpg").read_bytes()
    (folder / "b" / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "b" / "scan.tif").write_bytes(b"II*\0" + bytes(100))
    (folder / "readme.txt").write_text("mine")
    found = pictures.load(str(folder), 16, quiet=True)
    assert found.left_out == (
        ("a/empty.jpg", "the file is empty"),
        ("a/page.jpg", headers.NOT_A_PICTURE),
        ("b/half.jpg", "the picture's data are damaged or cut short"),
        ("b/scan.tif", "the picture's data are damaged or cut short"),
        ("readme.txt", "not in the subfolder of a class"),
    )
    for one, other in zip(splits(clean), splits(found), strict=True):
        assert one.files == other.files
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_array_equal(one.sizes, other.sizes)


def test_a_file_that_vanishes_is_left_out(tmp_path):
    folder = make_folder(tmp_path, {"a": 4, "b": 4})
    try:
        (folder / "a" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    except OSError:
        pytest.skip("this system lets only administrators make links")
    found = pictures.load(str(folder), 8, quiet=True)
    assert found.left_out == (
        ("a/gone.jpg", "the file cannot be read (No such file or directory)"),
    )
    assert len(all_files(found)) == 8


def test_hidden_files_and_litter_are_not_mentioned(tmp_path):
    folder = make_folder(tmp_path, {"a": 4, "b": 4})
    for name in (".DS_Store", "a/.DS_Store", "a/._a.0.jpg", "b/Thumbs.db", "desktop.ini"):
        (folder / name).write_bytes(b"litter")
    for name in (".git", "__MACOSX", "a/.thumbnails"):
        (folder / name).mkdir()
        picture(1).save(folder / name / "hidden.jpg")
    found = pictures.load(str(folder), 8, quiet=True)
    assert found.class_names == ("a", "b")
    assert found.left_out == ()
    assert len(all_files(found)) == 8


def test_folders_inside_a_class_belong_to_it(tmp_path):
    folder = make_folder(tmp_path, {"a/summer": 2, "a/winter": 2, "b": 4})
    expected, _ = keras_pictures(folder, 8)
    assert set(all_files(pictures.load(str(folder), 8, quiet=True))) == set(expected)


def test_a_class_needs_a_picture_for_each_split(tmp_path):
    folder = make_folder(tmp_path, {"a": 5, "b": 2})
    with pytest.raises(ValueError, match="Received: 2 readable pictures in class 'b'"):
        pictures.load(str(folder), 8)
    (folder / "b" / "broken.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="Received: 2 readable pictures in class 'b'"):
        pictures.load(str(folder), 8)
    (folder / "c").mkdir()
    (folder / "c" / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    for number in range(2):
        (folder / "c" / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(ValueError) as raised:
        pictures.load(str(folder), 8)
    assert str(raised.value) == (
        "Received: 2 readable pictures in class 'b' (left out: 1 x the file is empty), 0 in 'c' "
        "(left out: 2 x the file is empty, 1 x a video). Expected: at least 3, one for each split. "
        "Add pictures, or remove the folders."
    )


def test_copies_are_left_out_and_named(tmp_path):
    folder = make_folder(tmp_path, {"a": 5, "b": 5})
    (folder / "a" / "z copy.jpg").write_bytes((folder / "a" / "a.0.jpg").read_bytes())
    (folder / "b" / "z.jpg").write_bytes((folder / "a" / "a.1.jpg").read_bytes())
    found = pictures.load(str(folder), 8, quiet=True)
    assert found.left_out == (
        ("a/a.1.jpg", "one picture in two classes: a/a.1.jpg and b/z.jpg"),
        ("a/z copy.jpg", "a copy of a/a.0.jpg"),
        ("b/z.jpg", "one picture in two classes: a/a.1.jpg and b/z.jpg"),
    )
    assert len(all_files(found)) == 9


@pytest.mark.parametrize(
    "name",
    [
        "two words.jpg",
        "\u732b \U0001f431 caf\u00e9.jpg",
        "-x.jpg",
        "'q'; rm.jpg",
        "n" * 251 + ".jpg",
    ],
)
def test_any_name_will_do(tmp_path, name):
    folder = make_folder(tmp_path, {"a": 4, "b": 4})
    (folder / "a" / "a.0.jpg").rename(folder / "a" / name)
    for in_memory in (True, False):
        found = pictures.load(str(folder), 8, quiet=True, in_memory=in_memory)
        assert f"a/{name}" in all_files(found) and found.left_out == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes and links on this system")
def test_links_in_a_circle_and_pipes_are_named_and_hold_nothing_up(tmp_path):
    folder = make_folder(tmp_path, {"a": 4, "b": 4})
    os.mkfifo(folder / "a" / "pipe.jpg")
    (folder / "a" / "circle.jpg").symlink_to("circle.jpg")
    (folder / "a" / "inside").symlink_to(folder)  # a folder: followed, it would never end
    (folder / "circle").symlink_to("circle")
    (folder / "b" / "null.jpg").symlink_to("/dev/zero")
    found = pictures.load(str(folder), 8, quiet=True)
    assert found.left_out == (
        ("a/circle.jpg", "the file cannot be read (Too many levels of symbolic links)"),
        ("a/inside", "a link to a folder, which is not followed: copy its pictures here"),
        ("a/pipe.jpg", "not a file but a pipe, a socket or a device"),
        ("b/null.jpg", "not a file but a pipe, a socket or a device"),
    )
    assert found.class_names == ("a", "b") and len(all_files(found)) == 8


def test_what_may_not_be_read_is_named(tmp_path, monkeypatch):
    folder = make_folder(tmp_path, {"a": 4, "b": 4})
    secret = str(folder / "a" / "a.0.jpg")
    if os.access(secret, os.R_OK):  # for an administrator, no mode of the file forbids it
        opened = open

        def refuse(path, *arguments, **options):
            if path == secret:
                raise PermissionError(13, "Permission denied")
            return opened(path, *arguments, **options)

        monkeypatch.setattr("builtins.open", refuse)
    found = pictures.load(str(folder), 8, quiet=True)
    assert found.left_out == (("a/a.0.jpg", "the file cannot be read (Permission denied)"),)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 5000), (5000, 1), (2, 3)])
def test_tiny_and_thin_pictures_load(tmp_path, width, height):
    folder = make_folder(tmp_path, {"a": 4, "b": 4})
    picture(99, width, height).save(folder / "a" / "thin.png")
    found = pictures.load(str(folder), 16, quiet=True)
    row = all_files(found).index("a/thin.png")
    sizes = np.concatenate([split.sizes for split in splits(found)])
    assert found.left_out == () and tuple(sizes[row]) == (height, width)


@pytest.mark.parametrize("classes", [2, 200])
def test_from_two_to_two_hundred_classes(tmp_path, classes):
    names = [f"class {number:03}" for number in range(classes)]
    folder = make_folder(tmp_path, dict.fromkeys(names, 3))
    found = pictures.load(str(folder), 8, quiet=True)
    assert found.class_names == tuple(names)
    for split in splits(found):
        assert sorted(split.labels) == list(range(classes))


def test_turned_pictures_are_upright_in_memory_and_on_disk(tmp_path):
    folder = make_folder(tmp_path, {"a": 3, "b": 3})
    for number, path in enumerate(sorted(folder.rglob("*.jpg"))):
        exif = Image.Exif()
        exif[0x0112] = (6, 8, 5)[number % 3]
        picture(number, 48, 24).save(path, exif=exif, quality=95)
    found = pictures.load(str(folder), 16, quiet=True)
    on_disk = pictures.load(str(folder), 16, in_memory=False, quiet=True)
    for split, other in zip(splits(found), splits(on_disk), strict=True):
        np.testing.assert_array_equal(split.sizes, [[48, 24]] * len(split))
        np.testing.assert_array_equal(split.sizes, other.sizes)
        np.testing.assert_array_equal(split.images, other.images[:])


def test_one_class_is_none(tmp_path):
    with pytest.raises(ValueError, match=r"with 1 subfolders \['a'\].*at least 2"):
        pictures.load(str(make_folder(tmp_path, {"a": 5})), 8)


@pytest.mark.parametrize("shares", [(0, 0.5), (0.5, 0), (0.5, 0.5), (-0.1, 0.2), (0.2, 1)])
def test_shares_must_leave_something(tmp_path, shares):
    folder = make_folder(tmp_path, {"a": 3, "b": 3})
    with pytest.raises(ValueError, match="Expected: two shares"):
        pictures.load(str(folder), 8, validation_share=shares[0], test_share=shares[1])


@pytest.mark.parametrize("name", ["", "phots", "no/such/folder"])
def test_an_unknown_name_says_what_there_is(name):
    for ask in (lambda: pictures.load(name, 8), lambda: pictures.fetch(name)):
        with pytest.raises(ValueError, match=f"Received: pictures '{name}'.*Expected: 'drawings'"):
            ask()
    assert "Expected: 'drawings', 'photos', 'tfds'" in pictures.is_ready(name)


def test_a_size_below_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Received: size=0"):
        pictures.load(str(tmp_path), 0)


def test_the_summary_counts_and_names(tmp_path, capsys):
    folder = make_folder(tmp_path / "pets", {"cat": 10, "dog": 20})
    for number in range(12):
        (folder / "dog" / f"x{number:02}.jpg").write_bytes(b"")
    found = pictures.load(str(folder), 8, validation_share=0.1, test_share=0.2)
    assert capsys.readouterr().out == f"{found}\n"
    lines = str(found).splitlines()
    assert lines[0] == "pets: 30 pictures of 2 classes, 8 x 8 pixels each"
    assert [line.split() for line in lines[1:5]] == [
        ["train", "validation", "test"],
        ["cat", "7", "1", "2"],
        ["dog", "14", "2", "4"],
        ["together", "21", "3", "6"],
    ]
    assert len({len(line) for line in lines[1:5]}) == 1
    sizes = [Image.open(path).size for path in folder.rglob("[cd]*.jpg")]
    (low_width, low_height), (high_width, high_height) = np.min(sizes, 0), np.max(sizes, 0)
    assert lines[5] == (
        f"Originals: {low_width} to {high_width} pixels wide, {low_height} to {high_height} high."
    )
    assert lines[6:8] == ["Left out: 12 files.", "  dog/x00.jpg: the file is empty"]
    assert lines[-1] == "  and 2 more: the file is empty"


# The published photographs


def seen(folder: Path) -> list[str]:
    """What is in a folder, locks apart."""
    return [path.name for path in folder.iterdir() if path.suffix != ".lock"]


def test_photos_are_fetched_once_and_split(mirror, cache, tmp_path):
    assert "not on this machine" in pictures.is_ready("photos")
    found = pictures.load("photos", 16, quiet=True)
    assert pictures.is_ready("photos") is None
    assert seen(cache) == ["photos"]
    assert len(mirror.requests) == 1
    assert (found.name, found.size, found.class_names) == ("photos", 16, ("cats", "dogs"))
    counts = [np.bincount(split.labels).tolist() for split in splits(found)]
    assert counts == [[12, 12], [3, 3], [3, 3]]
    top = tmp_path / photographs.TOP
    train, _ = keras_pictures(top / "train", 16)
    held, _ = keras_pictures(top / "validation", 16)
    assert sorted(found.train.files) == sorted(train)
    assert sorted(found.validation.files + found.test.files) == sorted(held)
    for split, expected in zip(splits(found), (train, held, held), strict=True):
        for image, file in zip(split.images, split.files, strict=True):
            np.testing.assert_allclose(image, expected[file].astype(int), rtol=0, atol=QUICK)
    again = pictures.load("photos", 16, quiet=True)
    assert again.test.files == found.test.files
    assert pictures.fetch("photos") == cache / "photos"
    assert len(mirror.requests) == 1


def test_another_seed_halves_otherwise(mirror):
    tests = {
        frozenset(pictures.load("photos", 8, seed=seed, quiet=True).test.files) for seed in range(3)
    }
    assert len(tests) > 1


def test_photos_that_became_fewer_are_fetched_again(mirror, cache):
    folder = pictures.fetch("photos")
    next((folder / photographs.TOP / "train" / "dogs").iterdir()).unlink()
    assert "11 instead of 12 in train/dogs" in pictures.is_ready("photos")
    pictures.fetch("photos")
    assert pictures.is_ready("photos") is None
    assert seen(cache) == ["photos"]


def test_an_archive_with_other_counts_is_refused(mirror, cache, monkeypatch):
    monkeypatch.setattr(photographs, "COUNTS", SMALL_COUNTS | {"train/cats": 1000})
    with pytest.raises(RuntimeError, match="12 instead of 1000 in train/cats"):
        pictures.load("photos", 8)
    assert seen(cache) == []


def test_a_damaged_archive_is_refused(mirror, cache):
    path = mirror.folder / photographs.ZIP
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 255
    path.write_bytes(raw)
    with pytest.raises(RuntimeError, match="damaged"):
        pictures.load("photos", 8)
    assert seen(cache) == []


def test_photos_out_of_reach_are_a_clear_error(cache):
    with pytest.raises(RuntimeError, match=r"127\.0\.0\.1:9.*no connection.*COURSE_MIRROR"):
        pictures.load("photos", 8)


def test_the_real_photographs():
    if reason := pictures.is_ready("photos"):
        pytest.skip(reason)
    found = pictures.load("photos", 96, quiet=True)
    counts = [np.bincount(split.labels).tolist() for split in splits(found)]
    assert counts == [[1000, 1000], [250, 250], [250, 250]]
    assert len(set(all_files(found))) == 3000
    top = paths.cache_folder() / "photos" / photographs.TOP
    expected, _ = keras_pictures(top / "validation", 96)
    for split in splits(found)[1:]:
        for image, file in zip(split.images, split.files, strict=True):
            assert np.abs(image - expected[file].astype(int)).max() <= 2 * QUICK, file


# TensorFlow Datasets


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """100 pictures of `cats_vs_dogs` as TensorFlow Datasets writes them, one of them damaged."""
    import tensorflow_datasets

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    features = tensorflow_datasets.features.FeaturesDict(
        {
            "image": tensorflow_datasets.features.Image(),
            "image/filename": tensorflow_datasets.features.Text(),
            "label": tensorflow_datasets.features.ClassLabel(names=["cat", "dog"]),
        }
    )
    path = tmp_path / "picture.png"
    examples = []
    for number in range(100):
        picture(number, 20 + number % 7, 30 + number % 5).save(path)
        contents = b"nothing" if number == 50 else path.read_bytes()
        kind = ("cat", "dog")[number % 2]
        file = f"PetImages/{kind}/{number}.jpg"
        example = {"image": io.BytesIO(contents), "image/filename": file, "label": kind}
        examples.append((number, example))
    return tensorflow_datasets.dataset_builders.store_as_tfds_dataset(
        name=tfds.NAME,
        version="4.0.1",
        features=features,
        split_datasets={"train": examples},
        data_dir=tmp_path,
    )


def tfds_oracle(builder, size: int) -> list[dict[str, np.ndarray]]:
    """File name to picture for each of the splits, decoded by TensorFlow Datasets."""
    import tensorflow as tf

    found = []
    for instruction in ("train[:40%]", "train[40%:50%]", "train[50%:60%]"):
        examples = builder.as_dataset(split=instruction).ignore_errors()
        found.append(
            {
                example["image/filename"].decode(): np.rint(
                    tf.image.resize(example["image"], (size, size))
                ).astype(np.uint8)
                for example in examples.as_numpy_iterator()
            }
        )
    return found


def test_tfds_is_split_as_in_the_article(prepared):
    assert pictures.is_ready("tfds") is None
    found = pictures.load("tfds", 12, quiet=True)
    assert found.class_names == ("cat", "dog")
    expected = tfds_oracle(prepared, 12)
    left_out = [file for file, _ in found.left_out]
    for split, oracle in zip(splits(found), expected, strict=True):
        assert set(split.files) == set(oracle)
        for image, label, file, size in zip(
            split.images, split.labels, split.files, split.sizes, strict=True
        ):
            np.testing.assert_array_equal(image, oracle[file])
            assert file.split("/")[1] == found.class_names[label]
            number = int(Path(file).stem)
            assert size.tolist() == [30 + number % 5, 20 + number % 7]
    assert len(set(all_files(found))) == 60 - len(left_out)
    assert found.train.files != tuple(expected[0])


def test_a_damaged_example_of_tfds_is_named(prepared, monkeypatch):
    monkeypatch.setattr(tfds, "SPLITS", ("train[:90%]", "train[90%:95%]", "train[95%:]"))
    found = pictures.load("tfds", 12, quiet=True)
    assert found.left_out == (("PetImages/cat/50.jpg", headers.NOT_A_PICTURE),)
    assert len(set(all_files(found))) == 99
    for split in splits(found):
        kinds = [file.split("/")[1] for file in split.files]
        assert kinds == [found.class_names[label] for label in split.labels]
        assert len(split.images) == len(split.sizes) == len(split)


def test_tfds_without_a_shard_is_not_ready(prepared, tmp_path):
    info = next(tmp_path.glob("*/*/dataset_info.json"))
    described = json.loads(info.read_text())
    described["splits"][0]["shardLengths"] = ["50", "50"]
    info.write_text(json.dumps(described))
    assert "is not prepared" in pictures.is_ready("tfds")


def test_tfds_out_of_reach_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(tfds, "URLS", (f"{CLOSED}/{tfds.ARCHIVE}",))
    assert str(tmp_path) in pictures.is_ready("tfds")
    with pytest.raises(RuntimeError, match=r"127\.0\.0\.1:9.*no connection.*Expected: the archive"):
        pictures.load("tfds", 8)
    assert list(tmp_path.iterdir()) == []


def test_the_archive_is_the_one_that_tensorflow_datasets_knows():
    package = importlib.util.find_spec("tensorflow_datasets").submodule_search_locations[0]
    known = (Path(package) / "url_checksums" / "cats_vs_dogs.txt").read_text(encoding="utf-8")
    assert known.split() == [*tfds.URLS, str(tfds.BYTES), tfds.SHA256, tfds.ARCHIVE]


@pytest.fixture
def archived(cache, tmp_path, monkeypatch):
    """A small archive as the published one, on a mirror, and a builder that knows its digest."""
    from tensorflow_datasets.image_classification import cats_vs_dogs

    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / tfds.ARCHIVE, "w") as archive:
        for number in range(20):
            picture(number, 30, 20).convert("RGB").save(tmp_path / "one.jpg")
            kind = ("Cat", "Dog")[number % 2]
            archive.write(tmp_path / "one.jpg", f"PetImages/{kind}/{number}.jpg")
    contents = (served / tfds.ARCHIVE).read_bytes()
    digest = hashlib.sha256(contents).hexdigest()
    monkeypatch.setattr(tfds, "BYTES", len(contents))
    monkeypatch.setattr(tfds, "SHA256", digest)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    builder = cats_vs_dogs.CatsVsDogs
    (known,) = builder.url_infos.values()
    own = dataclasses.replace(known, size=len(contents), checksum=digest)
    monkeypatch.setattr(builder, "url_infos", dict.fromkeys(builder.url_infos, own))
    monkeypatch.setattr(cats_vs_dogs, "_NUM_CORRUPT_IMAGES", 0)
    with serving(served) as mirror:
        monkeypatch.setenv("COURSE_MIRROR", mirror.url)
        yield mirror


def test_tfds_is_prepared_from_an_archive_whose_download_broke_off(archived, tmp_path):
    broken = []

    def break_off(handler):
        if broken:
            return False
        broken.append(True)
        body = (archived.folder / tfds.ARCHIVE).read_bytes()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        handler.end_headers()
        handler.wfile.write(body[:3000])
        handler.close_connection = True
        return True

    archived.misbehave = break_off
    prepared = pictures.fetch("tfds")
    assert pictures.is_ready("tfds") is None and prepared.is_relative_to(tmp_path / "tfds")
    assert [headers.get("Range") for _, headers in archived.requests] == [None, "bytes=3000-"]
    found = pictures.load("tfds", 12, quiet=True)
    assert [len(split) for split in splits(found)] == [8, 2, 2]
    assert not list(paths.cache_folder().rglob(tfds.ARCHIVE))  # it has done its service


def test_another_archive_than_the_published_one_is_refused(archived, tmp_path):
    (archived.folder / tfds.ARCHIVE).write_bytes(b"PK\x03\x04" + bytes(5000))
    with pytest.raises(RuntimeError, match="another file than the published one"):
        pictures.fetch("tfds")
    assert pictures.is_ready("tfds")


def test_the_real_tfds():
    if reason := pictures.is_ready("tfds"):
        pytest.skip(reason)
    import tensorflow_datasets

    found = pictures.load("tfds", 64, quiet=True)
    builder = tensorflow_datasets.builder_from_directory(pictures.fetch("tfds"))
    total = builder.info.splits["train"].num_examples
    for split, share in zip(splits(found), (0.4, 0.1, 0.1), strict=True):
        assert abs(len(split) - share * total) <= 1
    assert max(Counter(all_files(found)).values()) == 1
    examples = builder.as_dataset(split="train[40%:50%]").take(200)
    rows = {file: row for row, file in enumerate(found.validation.files)}
    import tensorflow as tf

    for example in examples.as_numpy_iterator():
        row = rows[example["image/filename"].decode()]
        expected = np.rint(tf.image.resize(example["image"], (64, 64)))
        # TensorFlow Datasets takes the quick arithmetic for JPEGs: measured, up to 10 of 255 off.
        np.testing.assert_allclose(found.validation.images[row], expected, rtol=0, atol=16)
        assert found.validation.labels[row] == example["label"]
        assert tuple(found.validation.sizes[row]) == example["image"].shape[:2]


def test_asking_what_is_ready_imports_no_tensorflow():
    program = (
        "import sys\n"
        "from helpers import pictures\n"
        "for name in ('drawings', 'photos', 'tfds', '.'): pictures.is_ready(name)\n"
        "assert not {'tensorflow', 'keras', 'tensorflow_datasets'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
