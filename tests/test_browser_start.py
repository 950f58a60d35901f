"""The start page's panels in the real JupyterLab, against a server on 127.0.0.1.

Screenshots of what was seen are left in `.cache/screenshots`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import laboratory
import numpy as np
import pytest
import recipe_server
from laboratory import Lab
from PIL import Image
from recipe_server import Held, ranges
from serving import Served, serving

from helpers import lessons
from helpers.lessons import START

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(laboratory.BROWSER is None, reason="There is no Chromium on this machine."),
]


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server") / "served"
    recipe_server.fill(folder)
    with serving(folder) as served:
        yield served


@pytest.fixture(scope="module")
def lab(mirror: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The start page's code cells, opened once."""
    folder = tmp_path_factory.mktemp("lab")
    stored = json.loads(START.notebook.read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in stored["cells"] if cell["cell_type"] == "code"]
    variables = {
        "COURSE_MIRROR": mirror.url,
        "KERAS_HOME": str(folder / "keras"),
        "TFDS_DATA_DIR": str(folder / "tfds"),
        "NO_PROXY": "127.0.0.1",
    }
    with laboratory.jupyterlab(folder, variables) as server, laboratory.chromium() as browser:
        yield Lab(server.show(browser), server, "start", cells)


@pytest.fixture
def start_page(lab: Lab, mirror: Served) -> Lab:
    """The page as a new learner sees it: nothing downloaded, nothing chosen."""
    for name in ("cache", "keras", "work"):
        shutil.rmtree(lab.path.parent / name, ignore_errors=True)
    mirror.requests.clear()
    mirror.misbehave = None
    lab.run()
    return lab


def kept_choice(lab: Lab) -> dict[str, str | None]:
    """What the small file says."""
    path = lab.path.parent / "cache" / "recipe.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def test_photographs_by_one_click_with_a_stop_between(start_page: Lab, mirror: Served) -> None:
    lab = start_page
    lab.says("^Drawings ✓ chosen")
    lab.says("^Photographs\n.*not here yet")
    mirror.misbehave = held = Held()
    lab.shot("opened")
    lab.button("Take the photographs").click()
    lab.says(r"cats_and_dogs_filtered\.zip: 1\.\d of \d\.\d MB, .* left")
    lab.panel.locator(".jp-OutputArea .progress-bar").wait_for()
    lab.shot("downloading")
    lab.button("Stop").click()
    lab.says(r"^Stopped\. What was downloaded is kept")
    lab.button("Stop").wait_for(state="hidden")
    assert kept_choice(lab) == {}
    held.go_on.set()
    lab.button("Take the photographs").click()
    lab.says("The recipe 'tutorial' is chosen")
    lab.says("^Photographs ✓ chosen\n.*all of it is here")
    lab.shot("chosen")
    assert kept_choice(lab)["name"] == "tutorial"
    first, second = ranges(mirror.requests)
    assert first is None and second.startswith("bytes=1")


def mugs(folder: Path) -> Path:
    """Twelve pictures of two classes."""
    for number in range(12):
        inside = folder / ("cup", "mug")[number % 2]
        inside.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(number)
        Image.fromarray(random.integers(0, 256, (30, 40, 3), np.uint8)).save(
            inside / f"{number}.png"
        )
    return folder


def test_a_folder_is_typed(start_page: Lab, tmp_path: Path) -> None:
    lab = start_page
    mine = mugs(tmp_path / "my mugs")
    field = lab.panel.locator(".jp-OutputArea input[type=text]")
    field.fill(str(tmp_path / "my cups"))
    field.press("Enter")
    lab.says("which is not there.* is there, with the folders my mugs")
    field.fill(f'"{mine}"')
    field.press("Enter")
    lab.says(r"cup \(6\), mug \(6\) pictures")
    lab.button("Take my folder").click()
    lab.says("The recipe 'folder' is chosen")
    lab.says("12 pictures of 2 classes.*Left out: nothing.*Lessons 1 to 5: about")
    lab.shot("folder")
    assert kept_choice(lab) == {"name": "folder", "folder": str(mine)}


def test_a_zip_is_uploaded(start_page: Lab, tmp_path: Path) -> None:
    lab = start_page
    packed = shutil.make_archive(str(tmp_path / "my mugs"), "zip", mugs(tmp_path / "my mugs"))
    with lab.page.expect_file_chooser() as chooser:
        lab.panel.locator("button", has_text="Upload a zip").click()
    chooser.value.set_files(packed)
    lab.says("'my_mugs.archive' is an archive")
    lab.button("Take my folder").click()
    lab.says("The recipe 'folder' is chosen")
    lab.says("12 pictures of 2 classes.*Left out: nothing")
    assert kept_choice(lab)["folder"].endswith("my_mugs.archive")


def test_a_lesson_is_started_afresh(start_page: Lab) -> None:
    lab = start_page
    copy = lab.path.parent / "work" / lessons.LESSONS[0].notebook.name
    copy.parent.mkdir()
    copy.write_text("my answer", encoding="utf-8")
    lab.button("Start this lesson afresh").click()
    lab.says(r"is new\. Yours is kept as 01_inspect")
    assert copy.read_bytes() == lessons.LESSONS[0].notebook.read_bytes()
    (aside,) = copy.parent.glob("01_inspect*_2*.ipynb")
    assert aside.read_text(encoding="utf-8") == "my answer"
