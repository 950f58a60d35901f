"""Pictures laid out as files for Keras, offered for download, prepared by TensorFlow Datasets."""

from __future__ import annotations

import os
import shutil
import urllib.request
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import paths, pictures
from helpers.pictures import layout, offered, originals, prepared

PARTS = ("train", "validation", "test")
ORIENTATION = 0x0112


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))


def save(path: Path, seed: int, size: tuple[int, int] = (40, 30), **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype="uint8")
    Image.fromarray(noise).save(path, **options)


@pytest.fixture
def mine(tmp_path):
    """Two classes of ten pictures, some of a kind that Keras does not read as it should be seen."""
    folder = tmp_path / "mine"
    for number in range(8):
        save(folder / "a" / f"{number}.jpg", number)
        save(folder / "b" / f"{number}.png", 100 + number)
    save(folder / "a" / "lossless.webp", 50, lossless=True)
    save(folder / "a" / "inner" / "0.jpg", 60)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    save(folder / "b" / "turned.jpg", 51, exif=exif, quality=95)
    save(folder / "b" / "disguised.png", 52, format="JPEG")
    return folder


def stems(folder: Path, part: str) -> set[str]:
    return {f"{path.parent.name}/{path.stem}" for path in (folder / part).glob("*/*")}


def placed(name: str) -> str:
    """Class and stem of a file of a set, as it is laid out."""
    parts = Path(name).with_suffix("").parts
    return f"{parts[0]}/{'_'.join(parts[1:])}"


def test_the_split_is_that_of_load_and_no_file_is_in_two_parts(mine):
    folder = layout.lay_out(str(mine))
    found = pictures.load(str(mine), 32, quiet=True)
    seen: set[str] = set()
    for part in PARTS:
        names = {placed(name) for name in getattr(found, part).files}
        assert stems(folder, part) == names
        assert not seen & names
        seen |= names
    assert len(seen) == 20


def test_keras_sees_what_load_sees(mine):
    folder = layout.lay_out(str(mine))
    found = pictures.load(str(mine), 32, quiet=True)
    for part in PARTS:
        split = getattr(found, part)
        rows = {placed(name): row for row, name in enumerate(split.files)}
        data = keras.utils.image_dataset_from_directory(
            folder / part, image_size=(32, 32), batch_size=None, shuffle=False
        )
        assert data.class_names == ["a", "b"]
        for path, (image, label) in zip(data.file_paths, data, strict=True):
            row = rows[f"{Path(path).parent.name}/{Path(path).stem}"]
            assert int(label) == split.labels[row]
            # JPEG files are decoded by different libraries here and there.
            assert np.abs(image.numpy() - split.images[row]).mean() < 2.5, path


def test_other_files_become_png_and_stand_upright(mine):
    folder = layout.lay_out(str(mine))
    found = {path.name: path for path in folder.glob("*/*/*")}
    for name, source in (("lossless.png", "a/lossless.webp"), ("disguised.png", "b/disguised.png")):
        with Image.open(found[name]) as image, Image.open(mine / source) as original:
            assert image.format == "PNG"
            assert np.array_equal(np.asarray(image), np.asarray(original))
    with Image.open(found["turned.png"]) as image:
        assert image.size == (30, 40)


def test_it_is_laid_out_once_and_anew_where_the_pictures_changed(mine):
    folder = layout.lay_out(str(mine))
    before = {path: path.stat().st_ino for path in folder.glob("*/*/*")}
    assert layout.lay_out(str(mine)) == folder
    assert {path: path.stat().st_ino for path in folder.glob("*/*/*")} == before
    save(mine / "a" / "new.jpg", 99)
    assert layout.lay_out(str(mine)) != folder


def test_an_interrupt_leaves_nothing_half(mine, monkeypatch):
    def interrupted(path, target):
        if len(list(target.parent.iterdir())) == 3:
            raise KeyboardInterrupt
        shutil.copy2(path, target)

    monkeypatch.setattr(layout, "_place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        layout.lay_out(str(mine))
    top = paths.cache_folder() / "pictures"
    assert not [path for path in top.iterdir() if path.is_dir()]
    monkeypatch.undo()


def test_an_offered_archive_arrives_with_its_digest(mine, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:9")  # which reaches nobody
    monkeypatch.setenv("no_proxy", "example.org")
    offer = offered.offer(str(mine))
    assert os.environ["no_proxy"] == "example.org,127.0.0.1"
    kept = keras.utils.get_file(
        "some.zip", origin=offer.url, file_hash=offer.sha256, extract=True, cache_dir=offer.cache
    )
    assert Path(kept).is_relative_to(offer.cache)
    for part in PARTS:
        assert stems(Path(kept), part) == stems(layout.lay_out(str(mine)), part)
    with pytest.raises(ValueError, match="Incomplete or corrupted"):
        keras.utils.get_file(
            "bad.zip", origin=offer.url, file_hash="0" * 64, extract=True, cache_dir=offer.cache
        )


def test_the_same_pictures_make_the_same_archive(mine):
    first = offered.archive(str(mine)).read_bytes()
    shutil.rmtree(paths.cache_folder())
    for path in mine.glob("*/*"):
        os.utime(path, (1e9, 1e9))  # written on another day
    assert offered.archive(str(mine)).read_bytes() == first


def test_nothing_but_archives_is_offered(mine):
    offer = offered.offer(str(mine))
    save(paths.cache_folder() / "secret.png", 1)
    for path in ("../secret.png", "%2e%2e/secret.png"):
        with pytest.raises(OSError, match="404"):
            urllib.request.urlopen(offer.url.rsplit("/", 1)[0] + f"/{path}")
    assert zipfile.ZipFile(offered.archive(str(mine))).testzip() is None


def test_tfds_cuts_the_drawings_as_it_cuts_cats_and_dogs():
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    split = ["train[:40%]", "train[40%:50%]", "train[50%:60%]"]
    place = prepared.data_dir(prepared.NAME)
    parts = tfds.load(prepared.NAME, split=split, as_supervised=True, data_dir=place)
    assert [len(part) for part in parts] == [800, 200, 200]
    digests = [{hash(image.numpy().tobytes()) for image, _ in part} for part in parts]
    assert not digests[0] & digests[1] and not digests[0] & digests[2]
    labels = [int(label) for _, label in parts[0]]
    assert 0.4 < np.mean(labels) < 0.6
    assert prepared.data_dir("cats_vs_dogs") is None


@pytest.mark.parametrize("name", ["drawings", "mine"])
def test_originals_come_in_their_own_sizes(name, mine, tmp_path):
    for number in range(6):
        save(tmp_path / "sizes" / "ab"[number % 2] / f"{number}.png", number, (30 + number, 50))
        save(tmp_path / "sizes" / "ab"[number % 2] / f"{number}x.png", number, (60 + number, 50))
    chosen = name if name == "drawings" else str(tmp_path / "sizes")
    found = originals.originals(chosen, count=6)
    assert len({image.shape for image, _ in found}) == 6
    names = [label for _, label in found]
    assert names == (["cat", "dog"] * 3 if name == "drawings" else ["a", "b"] * 3)
    assert all(image.dtype == "uint8" and image.shape[2] == 3 for image, _ in found)
