"""A learner's folder in lesson 9 and on the project's page: a model comes out, and its files."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest
from PIL import Image

from helpers import export, lessons, paths, recipes
from helpers.commands import execution

STAND_IN = ("drawn folder", "persian", "siamese", "pug", "spaniel")


def fill(folder: Path, names: list[str], each: int) -> Path:
    """A folder of coloured noise, a colour a class; one picture in four lies on its side."""
    random = np.random.default_rng(0)
    for label, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        color = np.array([label % 3, label // 3 % 3, label // 9]) * 80
        for number in range(each):
            pixels = random.integers(0, 60, (40, 60, 3)) + color
            exif = Image.Exif()
            exif[0x0112] = 6 if number % 4 == 0 else 1
            picture = Image.fromarray(pixels.astype("uint8"))
            picture.save(folder / name / f"IMG_{number}.jpg", exif=exif)
    return folder


def run(page: int | str) -> tuple[str, list[str]]:
    """Run a stored page in a kernel; what its cells print, and the texts that stand there."""
    book = nbformat.read(lessons.find(page).notebook, as_version=4)
    execution.execute(book, paths.NOTEBOOKS, str(page), {})
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    printed = [
        output.get("text") or output.get("data", {}).get("text/html", "") for output in outputs
    ]
    texts = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    plain = [output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join(printed + plain), texts


# Many classes go the way of the stand-in, which nbval goes each time: nightly.
WAYS = ["start page", "COURSE_FOLDER"] if os.environ.get("COURSE_WHOLE") else ["start page"]


@pytest.mark.parametrize("way", WAYS)
def test_a_folder_becomes_a_model(tmp_path, monkeypatch, way):
    names = [f"{number:02d} a class with a long name, in truth"[:40] for number in range(12)]
    names = names if way == "COURSE_FOLDER" else ["cups", "mugs"]
    folder = fill(tmp_path / "my pictures", names, each=10)
    for variable in ("COURSE_RECIPE", "COURSE_PICTURES", "COURSE_FOLDER"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "no weights"))
    if way == "COURSE_FOLDER":
        monkeypatch.setenv("COURSE_FOLDER", str(folder))
    else:
        recipes.choose("folder", folder)
    printed, texts = run(9)

    assert str(folder) in printed
    for word in STAND_IN:  # of the stand-in, a learner with a folder hears only that there is one
        assert word not in printed.replace("a drawn folder stands in", "")
        assert word == "drawn folder" or word not in " ".join(texts)
    (written,) = (tmp_path / "cache" / "models" / "folder").glob("*/own.tflite")
    exported = export.load(written)
    assert exported.class_names == tuple(names)
    image = np.asarray(Image.open(folder / names[-1] / "IMG_1.jpg").resize((96, 96)))
    assert exported.predicted_classes(image[np.newaxis]).tolist() == [len(names) - 1]
    model = keras.models.load_model(written.with_suffix(".keras"))
    same = np.asarray(model(image[np.newaxis]))
    np.testing.assert_allclose(same, exported(image[np.newaxis]), atol=1e-3)
    assert written.with_suffix(".txt").read_text(encoding="utf-8").split("\n") == names
