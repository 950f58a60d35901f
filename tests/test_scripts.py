"""Lessons 3 and 4 without the course: their own cells run where `helpers` cannot be imported."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import lessons, recipes
from helpers.commands import command_line, script
from helpers.commands.build import read_source

# Lesson 4 takes a minute with each recipe: the nightly workflow asks for it. And for the drawings
# and the tutorial, which go the same way in every line; the drawings go it through nbval each time.
WHOLE = bool(os.environ.get("COURSE_WHOLE"))
ASKED = tuple(recipes.RECIPES) if WHOLE else ("article",)
# Networks have as many parameters at any side: the smallest that each takes, of 32 pixels or more.
SIDES = {"drawings": 96, "tutorial": 64, "article": 75}
COUNTS = "Xception: 20,863,529 parameters, of which 2,049 train"
# What each recipe's own model has, in all and trainable.
PARAMETERS = {
    "drawings": ("411,489", "1,281"),
    "tutorial": ("2,259,265", "1,281"),
    "article": ("20,863,529", "2,049"),
}
TUNED = "20,754,473 train, 109,056 do not"


def picture(number: int) -> Image.Image:
    """A small picture: noise, redder where the number is odd."""
    noise = np.random.default_rng(number).integers(0, 160, (40, 48, 3), dtype="uint8")
    noise[..., 0] += 90 * (number % 2)
    return Image.fromarray(noise)


def folder_of_classes(folder: Path, names: tuple[str, ...], each: int) -> Path:
    """A folder with a subfolder a class."""
    for place, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number in range(each):
            picture(2 * number + place).save(folder / name / f"{number}.png")
    return folder


def prepared_tfds(folder: Path, count: int) -> None:
    """Some pictures as TensorFlow Datasets writes `cats_vs_dogs`."""
    import tensorflow_datasets as tfds

    kinds = {
        "image": tfds.features.Image(),
        "image/filename": tfds.features.Text(),
        "label": tfds.features.ClassLabel(names=["cat", "dog"]),
    }
    examples = []
    for number in range(count):
        file = io.BytesIO()
        picture(number).save(file, "JPEG")
        kind = ("cat", "dog")[number % 2]
        example = {
            "image": io.BytesIO(file.getvalue()),
            "image/filename": f"{number}.jpg",
            "label": kind,
        }
        examples.append((number, example))
    tfds.dataset_builders.store_as_tfds_dataset(
        name="cats_vs_dogs",
        version="4.0.1",
        features=tfds.features.FeaturesDict(kinds),
        split_datasets={"train": examples},
        data_dir=folder,
    )


def short(name: str, folder: Path) -> recipes.Recipe:
    """A recipe as it is, but with few pictures, random weights and one epoch."""
    few: dict = {"weights": None, "head_epochs": 1, "fine_tuning_epochs": 1, "side": SIDES[name]}
    if name == "article":
        prepared_tfds(folder, 80)
    else:
        few["pictures"] = str(folder_of_classes(folder / "pictures", ("cat", "dog"), 20))
    return replace(recipes.RECIPES[name], **few)


@pytest.fixture(params=ASKED)
def recipe(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import tensorflow_datasets  # noqa: F401 - it reads TFDS_DATA_DIR once, when it is imported

    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    return short(request.param, tmp_path)


def run(number: int, recipe: recipes.Recipe, folder: Path) -> str:
    """What the script of a lesson prints where nobody has `helpers`."""
    lesson = lessons.find(number)
    text = script.script(read_source(lesson.source), lesson.title, recipe)
    assert "helpers" not in text
    (folder / "helpers.py").write_text("raise ImportError('there is no course here')")
    (folder / f"lesson_{number}.py").write_text(text, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, f"lesson_{number}.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


def test_lessons_3_and_4_run_without_the_course(recipe: recipes.Recipe, tmp_path: Path) -> None:
    example = recipe.example()
    assert example.shape == (*recipe.image_size, 3) and example.dtype == "uint8"
    assert example[..., 0].mean() < 130  # a cat: the dogs are redder
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    said = run(3, recipe, folder)
    assert COUNTS in said
    total, trained = PARAMETERS[recipe.name]
    assert re.search(rf"Total params: {total}\b", said), said
    assert re.search(rf"Trainable params: {trained}\b", said)
    assert (folder / "frozen.keras").is_file() and "val_accuracy" in said
    if WHOLE:
        said = run(4, recipe, folder)
        assert TUNED in said and "Epoch 2/2" in said


@pytest.mark.parametrize("number", [3, 4])
def test_a_script_uses_no_name_that_only_the_course_makes(number: int) -> None:
    lesson = lessons.find(number)
    text = script.script(read_source(lesson.source), lesson.title, recipes.RECIPES["drawings"])
    assert "helpers" not in text
    undefined = ["check", "--isolated", "--select", "F821", "-"]
    command = [sys.executable, "-m", "ruff", *undefined]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    broken = text.replace("import keras\n", "", 1)
    done = subprocess.run(command, input=broken, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "keras" in done.stdout  # it can fail


def test_the_command_prints_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["script", "3"]) == 0
    text = capsys.readouterr().out
    compile(text, "lesson_3.py", "exec")
    assert text.startswith('"""Extract features with a frozen base: the Keras code of a lesson')
    assert "recipe = SimpleNamespace(" in text and "panels" not in text
