"""The start page's panels, pressed without a browser."""

from __future__ import annotations

import datetime
import re
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from helpers import fetching, lessons, panels, recipes
from helpers.panels import choice
from helpers.pictures import uploads
from helpers.pictures.arrangements import arrange
from helpers.pictures.folder import find

PATIENCE = 120
AT_ONCE = (sys.executable, "-c", "")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    for name in ("COURSE_RECIPE", "COURSE_PICTURES"):
        monkeypatch.delenv(name, raising=False)
    for name in ("CACHE", "WORK"):
        monkeypatch.setenv(f"COURSE_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path / "cache"


def waiting() -> tuple[str, ...]:
    """A program that ends only when it is told to."""
    return (sys.executable, "-c", "import threading; threading.Event().wait()")


def marked(panel: choice.Choice) -> list[str]:
    """The cards that say that they are chosen."""
    return [name for name, text in panel.texts.items() if "✓ chosen" in text.value]


def test_each_card_says_what_it_is_its_size_and_its_time():
    panel = panels.choice_panel()
    assert set(panel.cards) == set(recipes.NAMES)
    for name, text in panel.texts.items():
        assert f"Needs {fetching.size(name)}" in text.value
        assert re.search(r"Lessons 1 to 5: about \d+ minutes", text.value)
    assert marked(panel) == ["drawings"]


def test_a_click_chooses_what_is_here():
    panel = panels.choice_panel(command=AT_ONCE)
    panel.buttons["article"].click()
    panel.wait(PATIENCE)
    assert recipes.chosen().name == "article" and marked(panel) == ["article"]
    assert "The recipe &#x27;article&#x27; is chosen." in panel.said.value
    panel.buttons["drawings"].click()
    panel.wait(PATIENCE)
    assert recipes.chosen().name == "drawings" and marked(panel) == ["drawings"]
    assert panel.progress.layout.display == "none"


def test_while_one_is_fetched_no_other_button_can_be_pressed():
    panel = panels.choice_panel(command=waiting())
    panel.buttons["tutorial"].click()
    first = panel.fetching
    assert panel.path.disabled and all(button.disabled for button in panel.buttons.values())
    assert panel.progress.layout.display is None
    panel.take("article")
    assert panel.fetching is first
    panel.stop_button.click()
    panel.wait(PATIENCE)
    assert "Stopped. What was downloaded is kept" in panel.said.value
    assert not any(button.disabled for button in panel.buttons.values())
    assert marked(panel) == ["drawings"]


def test_a_cell_that_is_run_again_stops_what_its_panel_fetches():
    panel = panels.choice_panel(command=waiting())
    panel.take("tutorial")
    panel.leave()
    panel.wait(PATIENCE)
    assert panel.fetching.state == fetching.STOPPED


def test_a_failure_is_said_and_nothing_is_chosen():
    failing = 'print(\'{"failed": "no <network>"}\'); raise SystemExit(1)'
    panel = panels.choice_panel(command=(sys.executable, "-c", failing))
    panel.take("tutorial")
    panel.wait(PATIENCE)
    assert "<b>Nothing was chosen.</b> no &lt;network&gt;" in panel.said.value
    assert marked(panel) == ["drawings"]


def test_a_path_is_looked_at_as_soon_as_it_is_typed(tmp_path):
    panel = panels.choice_panel(command=AT_ONCE)
    panel.path.value = str(tmp_path / "nothing")
    assert "which is not there" in panel.said.value and panel.fetching is None
    panel.buttons["folder"].click()
    assert "which is not there" in panel.said.value and panel.fetching is None
    for name in ("cup", "mug"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(tmp_path / "mine" / name / "1.png")
    panel.path.value = f'"{tmp_path / "mine"}"'
    assert "cup (1), mug (1) pictures" in panel.said.value
    panel.buttons["folder"].click()
    panel.wait(PATIENCE)
    assert recipes.chosen().pictures == str(tmp_path / "mine") and marked(panel) == ["folder"]


def test_a_variable_that_goes_before_the_choice_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_RECIPE", "tutorial")
    panel = panels.choice_panel(command=AT_ONCE)
    assert marked(panel) == ["tutorial"]
    panel.take("article")
    panel.wait(PATIENCE)
    assert "COURSE_RECIPE is set to tutorial here, and goes before it" in panel.said.value
    monkeypatch.setenv("COURSE_RECIPE", "nothing like that")
    assert choice.kept() == ""


def test_the_still_says_nothing_about_this_machine(monkeypatch):
    before = panels.choice_panel()._repr_mimebundle_()["text/html"]
    monkeypatch.setattr(fetching, "here", lambda name: "all of it is here")
    recipes.choose("tutorial")
    assert panels.choice_panel()._repr_mimebundle_()["text/html"] == before
    assert all(offer.button.replace("'", "&#x27;") in before for offer in choice.OFFERS)
    assert panels.STILL in before


def test_a_lesson_is_started_afresh(tmp_path):
    panel = panels.afresh_panel()
    panel.lesson.value = lessons.find(3)
    panel.button.click()
    copy = tmp_path / "work" / "03_extract_features.ipynb"
    assert copy.read_bytes() == lessons.find(3).notebook.read_bytes()
    assert "There was nothing of yours to keep" in panel.said.value
    copy.write_text("my answer")
    panel.button.click()
    (aside,) = (tmp_path / "work").glob("03_extract_features_*.ipynb")
    assert aside.read_text() == "my answer" and aside.name in panel.said.value
    assert "Start this lesson afresh" in panel._repr_mimebundle_()["text/html"]


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "file" / "work"))
    panel = panels.afresh_panel()
    panel.button.click()
    assert "COURSE_WORK" in panel.said.value


def test_one_card_alone_is_the_folder_s():
    panel = panels.choice_panel("folder")
    assert [*panel.cards] == ["folder"]
    shown = panel._repr_mimebundle_()["text/html"]
    assert "Take my folder" in shown and "Take the drawings" not in shown


def zipped(folder) -> bytes:
    """An archive of two classes."""
    for name in ("cup", "mug"):
        (folder / name).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(folder / name / "1.png")
    return Path(shutil.make_archive(str(folder), "zip", folder)).read_bytes()


def test_a_zip_that_is_sent_is_kept_and_its_path_typed(tmp_path):
    panel = panels.choice_panel("folder")
    sent = {"name": "../my pictures.zip", "content": memoryview(zipped(tmp_path / "mine"))}
    panel.upload.value = (uploaded(sent),)
    path = Path(panel.path.value)
    assert path.name == "my_pictures.archive" and path.read_bytes() == bytes(sent["content"])
    assert "is an archive" in panel.said.value
    assert [one.name for one in arrange(find(str(path))).files] == ["cup/1.png", "mug/1.png"]


def test_what_is_sent_and_is_no_archive_is_refused(monkeypatch):
    panel = panels.choice_panel("folder")
    panel.upload.value = (uploaded({"name": "a.zip", "content": memoryview(b"PK nothing")}),)
    assert "a.zip, which is no zip or tar archive" in panel.said.value and not panel.path.value
    monkeypatch.setattr(uploads, "MOST_ARCHIVE_BYTES", 3)
    with pytest.raises(ValueError, match="Expected: an archive of at most"):
        uploads.keep_archive({"name": "a.zip", "content": b"many"})


def uploaded(sent):
    """As a browser sends it."""
    now = datetime.datetime.now(datetime.UTC)
    return {**sent, "type": "application/zip", "size": len(sent["content"]), "last_modified": now}
