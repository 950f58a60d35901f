"""The panels in the real JupyterLab, in a headless Chromium, as a learner would use them.

Screenshots of what was seen are left in `.cache/screenshots`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import lessons, paths

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
SCREENSHOTS = paths.ROOT / ".cache" / "screenshots"
PATIENCE = 60_000  # milliseconds until what must come is given up

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="There is no Chromium on this machine."),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """JupyterLab on a folder of its own; its address with the token, and the folder."""
    folder = tmp_path_factory.mktemp("lab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    options += [f"--ServerApp.root_dir={folder}", "--no-browser", "--allow-root"]
    settings = folder / "settings"
    tracker = settings / "@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}')  # all cells are in the page, seen or not
    environment = os.environ | {"COURSE_CACHE": str(folder / "cache"), "COURSE_PICTURES": ""}
    environment["JUPYTERLAB_SETTINGS_DIR"] = str(settings)
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", *options],
            stdout=log,
            stderr=log,
            env=environment,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process)
        yield f"{address}/lab/tree/{{}}?token={token}&reset", folder
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen) -> None:
    """Wait until the server answers."""
    for _ in range(300):
        assert process.poll() is None, "JupyterLab has ended"
        try:
            urllib.request.urlopen(f"{address}/api", timeout=1)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("JupyterLab does not answer")


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """The browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class Lab:
    """A page with a notebook that holds some cells of a lesson, or all."""

    def __init__(self, browser: object, server: tuple[str, Path], name: str, cells: list[str]):
        self.name = name
        address, folder = server
        self._write(folder / f"{self.name}.ipynb", cells)
        self.page = browser.new_page(viewport={"width": 1000, "height": 1400})
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(address.format(f"{self.name}.ipynb"))
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait for the notebook and its kernel, without which a command would be lost."""
        self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")
        self.page.wait_for_selector(".jp-StatusBar-Item:has-text('| Idle')")

    def _write(self, path: Path, cells: list[str]) -> None:
        """A notebook as the course stores them, with these code cells."""
        import nbformat

        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(text) for text in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, path)

    def menu(self, name: str, item: str) -> None:
        """Choose an item of the menu bar."""
        self.page.click(f".lm-MenuBar-itemLabel:text-is('{name}')")
        self.page.click(f".lm-Menu-itemLabel:text-is('{item}')")

    def button(self, label: str) -> object:
        """The panel's button."""
        return self.page.locator(f".jp-OutputArea button:text-is('{label}')")

    def says(self, pattern: str) -> str:
        """Wait until the panel's line on the last run matches, and return it."""
        line = self.page.locator(".widget-html-content", has_text=re.compile(pattern)).first
        try:
            line.wait_for()
        except Exception:
            self.shot("failed")
            raise
        return line.inner_text()

    def curves(self) -> str:
        """Where the browser has the picture of the curves; another one when it was painted anew."""
        return self.page.locator(".jp-OutputArea .widget-image").last.get_attribute("src")

    def painted_anew(self, before: str) -> None:
        """Wait until the curves are another picture than they were."""
        self.page.wait_for_function(
            "before => [...document.querySelectorAll('.jp-OutputArea .widget-image')].pop().src"
            " != before",
            arg=before,
        )

    def move(self, label: str, key: str, times: int = 1) -> None:
        """Move a slider from the keyboard."""
        row = self.page.locator(".widget-inline-hbox", has_text=label)
        handle = row.locator(".noUi-handle")
        handle.focus()
        for _ in range(times):
            handle.press(key)

    def focused(self) -> str:
        """What the element says that has the keyboard."""
        return self.page.evaluate("document.activeElement.innerText")

    def rows(self) -> list[str]:
        """The rows of the table of runs."""
        return self.page.locator(".jp-OutputArea table tbody tr").all_inner_texts()

    def shot(self, name: str) -> None:
        """Keep a screenshot."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{self.name}_{name}.png")


def cells_of(number: int, *wanted: str) -> list[str]:
    """The code cells of a stored lesson; only those that contain one of the texts, if any."""
    stored = json.loads(lessons.find(number).notebook.read_text(encoding="utf-8"))
    texts = ["".join(cell["source"]) for cell in stored["cells"] if cell["cell_type"] == "code"]
    if not wanted:
        return texts
    chosen = [text for text in texts if any(part in text for part in wanted)]
    assert len(chosen) == len(wanted), f"{len(chosen)} cells for {wanted}"
    return chosen


@pytest.fixture(scope="module")
def lesson_3(chromium: object, server: tuple[str, Path]) -> Lab:
    """Lesson 3 with all cells run but those of the network from scratch, which nbval runs."""
    cells = [text for text in cells_of(3) if "scratch" not in text]
    assert len(cells) < len(cells_of(3))
    lab = Lab(chromium, server, "lesson_3", cells)
    lab.page.set_default_timeout(10 * PATIENCE)
    lab.menu("Run", "Run All Cells")
    lab.says("Run 1: Done: 10 of 10 epochs")
    lab.page.wait_for_selector(".jp-Cell:last-child .jp-InputPrompt:not(:text('*'))")
    lab.wait_until_idle()
    lab.page.set_default_timeout(PATIENCE)
    return lab


def test_lesson_3(lesson_3: Lab) -> None:
    lab = lesson_3
    lab.shot("opened")
    before = lab.curves()
    lab.move("learning rate", "ArrowRight", 5)
    lab.button("Train").click()
    lab.painted_anew(before)
    lab.says("Run 2: Done: 10 of 10 epochs")
    lab.shot("trained")
    assert len(lab.rows()) == 2
    assert lab.rows()[0].split("\t")[1] != lab.rows()[1].split("\t")[1]


def test_stop(lesson_3: Lab) -> None:
    lab = lesson_3
    lab.move("epochs", "End")
    lab.button("Train").click()
    lab.says(r"Run 3: epoch \d+ of 100")
    started = time.perf_counter()
    lab.button("Stop").click()
    said = lab.says("Run 3: Stopped by you after")
    print(f"Stop obeyed in {time.perf_counter() - started:.2f} s")
    assert int(re.search(r"after (\d+) of 100", said)[1]) < 100
    lab.shot("stopped")


def test_interrupt_and_go_on(lesson_3: Lab) -> None:
    lab = lesson_3
    lab.button("Train").click()
    lab.says(r"Run 4: epoch \d+ of 100")
    lab.menu("Kernel", "Interrupt Kernel")
    lab.says("Run 4: Stopped by the kernel's interrupt after")
    lab.move("epochs", "Home")
    lab.button("Train").click()
    lab.says("Run 5: Done: 1 of 1 epochs")


def test_a_reload_in_the_middle(lesson_3: Lab) -> None:
    lab = lesson_3
    lab.move("epochs", "End")
    lab.button("Train").click()
    lab.says(r"Run 6: epoch \d+ of 100")
    lab.menu("File", "Save Notebook")
    lab.page.reload()
    lab.wait_until_idle()
    lab.says(r"Run 6: (epoch|Done)")
    lab.shot("reloaded")


FEATURES = """
import numpy as np
from helpers import panels

features = np.random.default_rng(0).normal(size=(2500, 1280)).astype("float32")
labels = (features[:, :40].sum(axis=1) > 0).astype(int)
panels.training_panel(features[:2000], labels[:2000], (features[2000:], labels[2000:]))
"""


@pytest.fixture(scope="module")
def features_of_2000(chromium: object, server: tuple[str, Path]) -> Lab:
    """The training panel on as many features as 2,000 photographs have."""
    lab = Lab(chromium, server, "features", [FEATURES])
    lab.menu("Run", "Run All Cells")
    lab.says("Run 1: Done: 10 of 10 epochs")
    return lab


def test_how_long_a_click_takes(features_of_2000: Lab) -> None:
    """Shown with `-s`, three times each; benchmarks/README.md has what was measured."""
    lab = features_of_2000
    for number in (2, 3, 4):
        before, started = lab.curves(), time.perf_counter()
        lab.button("Train").click()
        lab.painted_anew(before)
        first = time.perf_counter() - started
        lab.says(f"Run {number}: Done: 10 of 10 epochs")
        print(f"first point {first:.2f} s, 10 epochs {time.perf_counter() - started:.2f} s")
    lab.move("epochs", "End")
    for number in (5, 6, 7):
        lab.button("Train").click()
        lab.says(rf"Run {number}: epoch \d+ of 100")
        started = time.perf_counter()
        lab.button("Stop").click()
        lab.says(f"Run {number}: Stopped by you after")
        print(f"Stop obeyed in {time.perf_counter() - started:.2f} s")
    assert len(lab.rows()) == 7


def test_without_a_mouse(features_of_2000: Lab) -> None:
    lab = features_of_2000
    lab.move("epochs", "End")
    lab.move("seed", "ArrowRight")
    runs = len(lab.rows())
    for _ in range(2):  # from the slider to its number, and to the first button
        lab.page.keyboard.press("Tab")
    assert lab.focused() == "Train"
    lab.page.keyboard.press("Enter")
    lab.says(rf"Run {runs + 1}: epoch \d+ of 100")
    lab.page.keyboard.press("Tab")
    assert lab.focused() == "Stop"
    lab.page.keyboard.press("Space")
    lab.says(f"Run {runs + 1}: Stopped by you")


def test_a_cell_run_again(features_of_2000: Lab) -> None:
    lab = features_of_2000
    lab.button("Train").click()
    lab.menu("Run", "Run All Cells")
    lab.says("Run 1: Done: 10 of 10 epochs.*The panel that stood here before is closed")
    assert lab.button("Train").count() == 1


def test_a_restarted_kernel(features_of_2000: Lab) -> None:
    lab = features_of_2000
    lab.menu("Kernel", "Restart Kernel…")
    lab.page.click(".jp-Dialog button:has-text('Restart')")
    lab.page.wait_for_selector(".jp-OutputArea .jupyter-widgets-disconnected")
    assert "If broken chains show" in lab.says(r"Run \d+: ")
    lab.shot("restarted")
    lab.menu("Run", "Run All Cells")
    lab.page.wait_for_selector(".jupyter-widgets-disconnected", state="detached")
    lab.says("Run 1: Done: 10 of 10 epochs")
    lab.button("Train").click()
    lab.says("Run 2: Done: 10 of 10 epochs")


def test_lesson_4(chromium: object, server: tuple[str, Path]) -> None:
    cells = cells_of(4, "PICTURES = ", "data = pictures.load", "panels.fine_tuning_panel(")
    lab = Lab(chromium, server, "lesson_4", ["RATE = 6e-4", *cells])
    lab.menu("Run", "Run All Cells")
    lab.says("Run 1: Done: 3 of 3 epochs")
    counted = lab.says("Behind block_12_add")
    lab.move("depth", "ArrowLeft", 6)
    assert lab.says("Behind block_16_expand_relu") != counted
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
    assert len(lab.rows()) == 3
    lab.shot("stopped")


OWN_PICTURES = (
    """
import numpy as np
from helpers import drawings, panels
from helpers.pictures import labels

images = np.stack([one.picture for one in drawings.draw_many(["cat", "dog"], 3, 0)])
given, doubted = np.arange(6) % 2, np.full((6, 2), 0.5)
doubted[3] = 0.9, 0.1
decisions = labels.Decisions("decisions.json")
""",
    "panels.upload_panel('collected')",
    'panels.labels_panel(images, [f"{n}.jpg" for n in range(6)], given, doubted, ["cat", "dog"],'
    " decisions, count=4)",
    """
def predict(seen):
    red = seen[..., 0].mean(axis=(1, 2)) / 255
    return np.stack([red, 1 - red], axis=1)


panels.predict_panel(predict, ["red", "other"], 96, threshold=0.6)
""",
)


def test_lesson_7(chromium: object, server: tuple[str, Path], tmp_path: Path) -> None:
    from PIL import Image

    folder = server[1]
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (3000, 2000), (250, 0, 0))
    picture.paste((60, 60, 60), (0, 0, 1000, 2000))
    picture.save(tmp_path / "red.jpg", exif=exif)
    (tmp_path / "notes.jpg").write_text("milk, bread")
    lab = Lab(chromium, server, "lesson_7", list(OWN_PICTURES))
    lab.menu("Run", "Run All Cells")
    lab.says("No picture yet")

    def choose(which: int, *names: str) -> None:
        with lab.page.expect_file_chooser() as chooser:
            lab.page.locator("button:has-text('Choose pictures')").nth(which).click()
        chooser.value.set_files([tmp_path / name for name in names])

    choose(1, "red.jpg", "notes.jpg")
    assert "red 0.7" in " ".join(lab.says(r"red\.jpg: red").split())
    assert "not a picture" in lab.says(r"notes\.jpg: not")
    lab.page.fill("input[placeholder='such as: mug']", "mug")
    choose(0, "red.jpg", "notes.jpg")
    lab.page.wait_for_selector("button:has-text('Choose pictures (2)')")
    lab.button("Add to class").focus()
    lab.page.keyboard.press("Enter")
    lab.says("Added to mug: 1")
    assert [path.name for path in (folder / "collected" / "mug").iterdir()] == ["upload_0001.jpg"]
    lab.says("1 of 4: 3.jpg")
    lab.button("Relabel").focus()
    lab.page.keyboard.press("Enter")
    lab.says("2 of 4: .*relabel: 1")
    lab.button("Leave out").focus()
    lab.page.keyboard.press("Space")
    lab.says("3 of 4: .*leave out: 1")
    lab.shot("panels")
    stored = json.loads((folder / "decisions.json").read_text(encoding="utf-8"))
    assert stored["3.jpg"] == {"action": "relabel", "to": "cat"} and len(stored) == 2
