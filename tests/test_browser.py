"""The panels in the real JupyterLab, in a headless Chromium, as a learner would use them.

Screenshots of what was seen are left in `.cache/screenshots`.
"""

from __future__ import annotations

import json
import re
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import laboratory
import pytest
from laboratory import Lab, Server

from helpers import lessons, paths

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(laboratory.BROWSER is None, reason="There is no Chromium on this machine."),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with laboratory.jupyterlab(tmp_path_factory.mktemp("lab")) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Any]:
    with laboratory.chromium() as browser:
        yield server.show(browser)


def cell_of(number: int, part: str) -> str:
    """The code cell of a stored lesson that contains `part`."""
    stored = json.loads(lessons.find(number).notebook.read_text(encoding="utf-8"))
    texts = ["".join(cell["source"]) for cell in stored["cells"] if cell["cell_type"] == "code"]
    (found,) = [text for text in texts if part in text]
    return found


# What the cells of the lessons' panels need, in little. The last of 30 epochs or more waits for
# Stop, so that no test presses it too late, however busy the machine.
PREPARED = """
import time
from types import SimpleNamespace
import numpy as np
from helpers import panels, training

if not hasattr(training.Trainer, "unheld"):
    training.Trainer.unheld = training.Trainer.epochs

def held(trainer, features, labels, epochs, *, stop, **options):
    for epoch in trainer.unheld(features, labels, epochs, stop=stop, **options):
        while epoch.number == epochs >= 30:
            if stop():
                return
            time.sleep(0.01)
        yield epoch

training.Trainer.epochs = held
generator = np.random.default_rng(0)
"""
FEATURES = (
    PREPARED
    + """
with_views = generator.normal(size=(1000, 4, 320)).astype("float16")
labels = (with_views[:, 0, :40].sum(axis=1) > 0).astype(int)
validation_features = with_views[:200, 0].astype("float32")
images = generator.integers(0, 256, size=(9, 32, 32, 3), dtype="uint8")
validation = SimpleNamespace(labels=labels[:200], images=images)
"""
)
PICTURES = (
    PREPARED
    + """
from helpers import recipes

recipe = recipes.RECIPES["drawings"]
images = generator.integers(0, 256, size=(64, 96, 96, 3), dtype="uint8")
split = SimpleNamespace(images=images, labels=np.arange(64) % 2)
data = SimpleNamespace(train=split, validation=split)
pictures = SimpleNamespace(load=lambda *arguments, **options: data)
"""
)


@pytest.fixture(scope="module")
def lesson_5(page: Any, server: Server) -> Lab:
    return Lab(page, server, "lesson_5", [FEATURES, cell_of(5, "panels.training_panel(")])


@pytest.fixture
def head_panel(lesson_5: Lab) -> Lab:
    """The panel of lesson 5 as its cell leaves it: one run done, whatever was done before."""
    lesson_5.run()
    lesson_5.says("Run 1: Done: 10 of 10 epochs")
    return lesson_5


def test_lesson_5(head_panel: Lab) -> None:
    lab = head_panel
    lab.shot("opened")
    before = lab.curves()
    lab.move("learning rate", "ArrowRight", 5)
    lab.button("Train").click()
    lab.painted_anew(before)
    lab.says("Run 2: Done: 10 of 10 epochs")
    lab.shot("trained")
    first, second = lab.column("learning rate")
    assert float(first) < float(second)


def begin_long_run(lab: Lab) -> None:
    """Train 100 epochs, of which some are done; the last one waits for Stop."""
    lab.move("epochs", "End")
    lab.button("Train").click()
    lab.says(r"Run 2: epoch \d\d of 100")


def test_stop(head_panel: Lab) -> None:
    lab = head_panel
    begin_long_run(lab)
    lab.button("Stop").click()
    said = lab.says("Run 2: Stopped by you after")
    assert 10 <= int(re.search(r"after (\d+) of 100", said)[1]) < 100
    lab.shot("stopped")


def test_interrupt_and_go_on(head_panel: Lab) -> None:
    lab = head_panel
    begin_long_run(lab)
    lab.menu("Kernel", "Interrupt Kernel")
    lab.says("Run 2: Stopped by the kernel's interrupt after")
    lab.move("epochs", "Home")
    lab.button("Train").click()
    lab.says("Run 3: Done: 1 of 1 epochs")


def test_a_reload_in_the_middle(head_panel: Lab) -> None:
    lab = head_panel
    begin_long_run(lab)
    lab.save()
    lab.reload()
    lab.says(r"Run 2: epoch \d+ of 100")
    lab.shot("reloaded")
    lab.button("Stop").click()
    lab.says("Run 2: Stopped by you after")


def test_without_a_mouse(head_panel: Lab) -> None:
    lab = head_panel
    lab.move("epochs", "End")
    lab.move("seed", "ArrowRight")
    for _ in range(2):  # from the slider to its number, and to the first button
        lab.page.keyboard.press("Tab")
    assert lab.focused() == "Train"
    lab.page.keyboard.press("Enter")
    lab.says(r"Run 2: epoch \d+ of 100")
    lab.page.keyboard.press("Tab")
    assert lab.focused() == "Stop"
    lab.page.keyboard.press("Space")
    lab.says("Run 2: Stopped by you")


def test_a_cell_run_again(head_panel: Lab) -> None:
    lab = head_panel
    begin_long_run(lab)
    lab.menu("Run", "Run All Cells")
    lab.says("Run 1: Done: 10 of 10 epochs.*The panel that stood here before is closed")
    assert lab.button("Train").count() == 1


def test_a_restarted_kernel(head_panel: Lab) -> None:
    lab = head_panel
    lab.restart()
    lab.panel.locator(".jupyter-widgets-disconnected").first.wait_for()
    assert "If broken chains show" in lab.says(r"Run 1: ")
    lab.shot("restarted")
    lab.menu("Run", "Run All Cells")
    lab.panel.locator(".jupyter-widgets-disconnected").first.wait_for(state="detached")
    lab.says("Run 1: Done: 10 of 10 epochs")
    lab.button("Train").click()
    lab.says("Run 2: Done: 10 of 10 epochs")


def test_the_benchmark_of_clicks_runs(head_panel: Lab) -> None:
    program = runpy.run_path(str(paths.ROOT / "benchmarks" / "clicks.py"))
    first, whole = program["train"](head_panel)
    assert 0 < first < whole
    assert program["stop"](head_panel) > 0


def test_lesson_4(page: Any, server: Server) -> None:
    cells = [PICTURES, cell_of(4, "panels.fine_tuning_panel(")]
    lab = Lab(page, server, "lesson_4", cells)
    lab.run()
    lab.says("Run 1: Done: 3 of 3 epochs")
    counted = lab.says("Behind block_9_add")
    lab.move("depth", "ArrowLeft", 6)
    assert lab.says("Behind block_13_expand_relu") != counted
    lab.button("24²").first.click()
    lab.says("Behind block_1_expand_relu")
    lab.move("epochs", "ArrowLeft")
    lab.button("Train").click()
    lab.says("Run 2: Done: 2 of 2 epochs")
    lab.shot("deeper")
    lab.move("epochs", "End")
    lab.button("Train").click()
    lab.says(r"Run 3: epoch \d+ of 30")
    lab.button("Stop").click()
    said = lab.says("Run 3: Stopped by you after")
    assert int(re.search(r"after (\d+) of 30", said)[1]) < 30
    assert lab.column("epochs") == ["3", "2", "30"]
    lab.shot("stopped")


OWN_PICTURES = """
from types import SimpleNamespace
import keras
import numpy as np
from helpers import bands, drawings, evaluation, own_folder, panels, paths
from helpers.pictures import labels

recipe = SimpleNamespace(name="folder", pictures="mugs", side=96)
class_names = ["cat", "dog"]
train = SimpleNamespace(
    images=np.stack([one.picture for one in drawings.draw_many(["cat", "dog"], 3, 0)]),
    files=[f"{n}.jpg" for n in range(6)],
    labels=np.arange(6) % 2,
)
train_features = np.array([[0.0], [9.0], [0.0], [0.0], [0.0], [9.0]])  # the fourth as cats have it
"""
# Probabilities from the mean colour, by a model in two parts as the lesson has it.
COLOURS = """
class_names = ["red", "green", "blue"]
test, logits = SimpleNamespace(images=train.images[:0]), np.zeros((4, 3))
model = keras.Sequential(
    [
        keras.Input((96, 96, 3)),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Rescaling(1 / 100),
    ]
)

def surest(some_logits):
    return evaluation.probabilities(some_logits).max(axis=1)
"""


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    """A folder with a picture that is mostly red, and turned, and a file that is none."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (3000, 2000), (250, 0, 0))
    picture.paste((60, 60, 60), (0, 0, 1000, 2000))
    picture.save(tmp_path / "red.jpg", exif=exif)
    (tmp_path / "notes.jpg").write_text("milk, bread")
    return tmp_path


@pytest.fixture(scope="module")
def lesson_9(page: Any, server: Server) -> Lab:
    upload, decide, predict = (
        cell_of(9, f"panels.{name}_panel(") for name in ("upload", "labels", "predict")
    )
    return Lab(page, server, "lesson_9", [OWN_PICTURES, upload, decide, COLOURS, predict])


@pytest.fixture
def own_panels(lesson_9: Lab) -> Lab:
    """The three panels of lesson 9, before anything was chosen or decided."""
    for name in ("own", "decisions"):
        shutil.rmtree(lesson_9.path.parent / "cache" / name, ignore_errors=True)
    lesson_9.run()
    return lesson_9


def choose(lab: Lab, which: int, folder: Path) -> None:
    """Give both files to one of the notebook's buttons."""
    with lab.page.expect_file_chooser() as chooser:
        lab.panel.locator("button:has-text('Choose pictures')").nth(which).click()
    chooser.value.set_files([folder / "red.jpg", folder / "notes.jpg"])


def test_a_picture_is_predicted(own_panels: Lab, chosen: Path) -> None:
    lab = own_panels
    lab.says("No picture yet")
    choose(lab, 1, chosen)
    assert "red 0.7" in " ".join(lab.says(r"red\.jpg: red").split())
    assert "not a picture" in lab.says(r"notes\.jpg: not")
    lab.shot("predicted")


def test_a_picture_is_collected(own_panels: Lab, chosen: Path) -> None:
    lab = own_panels
    lab.panel.locator("input[placeholder='such as: mug']").fill("mug")
    choose(lab, 0, chosen)
    lab.panel.locator("button:has-text('Choose pictures (2)')").wait_for()
    lab.button("Add to class").focus()
    lab.page.keyboard.press("Enter")
    lab.says("Added to mug: 1")
    collected = lab.path.parent / "cache" / "own" / "collected" / "mug"
    assert [path.name for path in collected.iterdir()] == ["upload_0001.jpg"]


def test_labels_are_decided_on(own_panels: Lab) -> None:
    lab = own_panels
    lab.says("1 of 6: 3.jpg")
    lab.button("Relabel").focus()
    lab.page.keyboard.press("Enter")
    lab.says("2 of 6: .*relabel: 1")
    lab.button("Leave out").focus()
    lab.page.keyboard.press("Space")
    lab.says("3 of 6: .*leave out: 1")
    lab.shot("decided")
    (kept,) = (lab.path.parent / "cache" / "decisions").iterdir()
    stored = json.loads(kept.read_text(encoding="utf-8"))
    assert stored["3.jpg"] == {"action": "relabel", "to": "cat"} and len(stored) == 2
