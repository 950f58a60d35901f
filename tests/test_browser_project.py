"""`your_project` in the real JupyterLab: a zip goes in, a model comes out and names a picture.

That a zip can be uploaded and taken is tested on the start page, which has the same panel.
Screenshots of what was seen are left in `.cache/screenshots`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import laboratory
import numpy as np
import pytest
from laboratory import Lab
from PIL import Image

from helpers import export
from helpers.lessons import PROJECT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(laboratory.BROWSER is None, reason="There is no Chromium on this machine."),
    # Its cells run under nbval each time.
    pytest.mark.skipif(not os.environ.get("COURSE_WHOLE"), reason="half a minute: nightly"),
]

NAMES = ("cups", "mugs", "pots")


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    """A zip of coloured noise, a colour a class, some of it on its side, and litter."""
    random = np.random.default_rng(0)
    for label, name in enumerate(NAMES):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(0, 60, (40, 60, 3)) + 80 * np.eye(3)[label]
            exif = Image.Exif()
            exif[0x0112] = 6 if number % 4 == 0 else 1
            file = tmp_path / "mine" / name / f"IMG_{number}.jpg"
            Image.fromarray(pixels.astype("uint8")).save(file, exif=exif)
    (tmp_path / "mine" / "cups" / "notes.jpg").write_text("milk, bread")
    return Path(shutil.make_archive(str(tmp_path / "mine"), "zip", tmp_path / "mine"))


@pytest.fixture
def project(tmp_path: Path, zipped: Path) -> Iterator[Lab]:
    """The project's page, opened, with the zip for a folder, and without a network's weights."""
    stored = json.loads(PROJECT.notebook.read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in stored["cells"] if cell["cell_type"] == "code"]
    folder = tmp_path / "lab"
    variables = {"COURSE_FOLDER": str(zipped), "KERAS_HOME": str(folder / "no weights")}
    with laboratory.jupyterlab(folder, variables) as server, laboratory.chromium() as browser:
        yield Lab(server.show(browser), server, "project", cells)


def test_a_zip_becomes_a_model(project: Lab, zipped: Path) -> None:
    lab = project
    lab.run()
    lab.shot("run")
    printed = " ".join(lab.panel.locator(".jp-OutputArea").all_inner_texts())
    assert "24 pictures of 3 classes" in printed and "Preflight: " in printed
    assert "notes.jpg" in printed

    with lab.page.expect_file_chooser() as chooser:
        lab.panel.locator("button:has-text('Choose pictures')").click()
    chooser.value.set_files(zipped.with_suffix("") / "pots" / "IMG_4.jpg")
    lab.says(r"IMG_4\.jpg: pots")
    lab.shot("predicted")
    (written,) = (lab.path.parent / "cache" / "models" / "folder").glob("*/project.tflite")
    exported = export.load(written)
    assert exported.class_names == NAMES
    image = np.asarray(Image.open(zipped.with_suffix("") / "pots" / "IMG_1.jpg").resize((96, 96)))
    assert exported.predicted_classes(image[np.newaxis]).tolist() == [2]
    assert written.with_suffix(".keras").is_file()
