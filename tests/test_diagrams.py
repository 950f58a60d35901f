"""The drawn diagrams: the files are what the code draws, and lessons show them with a text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from helpers import diagrams, lessons, paths

ALL = (lessons.START, *lessons.LESSONS)
IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>[^)]+)\)")


@pytest.mark.parametrize("name", diagrams.DIAGRAMS)
def test_a_file_is_what_the_code_draws(name):
    """Or run `python -m helpers.diagrams`."""
    stored = (diagrams.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert stored == diagrams.DIAGRAMS[name]()


@pytest.mark.parametrize("name", diagrams.DIAGRAMS)
def test_a_diagram_has_a_title_and_nothing_outside(name):
    root = ElementTree.fromstring(diagrams.DIAGRAMS[name]())
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert root.find("svg:title", space).text
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert 0 <= float(box.attrib["x"]) <= width - float(box.attrib["width"]) + 1
        assert 0 <= float(box.attrib["y"]) <= height - float(box.attrib["height"]) + 1


def test_every_diagram_is_shown_and_no_file_is_left_over():
    shown = {
        found["path"]
        for lesson in ALL
        for found in IMAGE.finditer(lesson.source.read_text(encoding="utf-8"))
    }
    drawn = {f"figures/{name}.svg" for name in diagrams.DIAGRAMS}
    stored = {f"figures/{path.name}" for path in (paths.NOTEBOOKS / "figures").iterdir()}
    assert drawn == stored == shown


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.stem)
def test_an_image_in_the_text_says_what_it_shows(lesson):
    text = lesson.source.read_text(encoding="utf-8")
    for found in IMAGE.finditer(text):
        assert len(found["alt"].split()) >= 8, found["path"]
