"""The glossary: short, in order, and every link to it or from it leads somewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from nbconvert import HTMLExporter

from helpers.commands.build import read_notebook
from helpers.lessons import GLOSSARY, LESSONS, START, find

TERM = re.compile(r"^## (?P<term>.+)\n\n(?P<text>[^#]+)", re.MULTILINE)
TEACHER = re.compile(r"\n\[(?P<name>[^\]]+)\]\((?P<path>[^)]+)\)\s*$")
TO_GLOSSARY = re.compile(r"\]\((?P<path>[^)]*glossary[^)]*)\)")


def markdown(lesson):
    book = read_notebook(lesson.notebook)
    return "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")


ENTRIES = {found["term"]: found["text"] for found in TERM.finditer(markdown(GLOSSARY))}


class Anchors(HTMLParser):
    """The ids of a page."""

    def __init__(self, page):
        super().__init__()
        self.ids = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.ids.update(value for name, value in attrs if name == "id")


@pytest.fixture(scope="module")
def anchors():
    """What an HTML page of the glossary can be entered at, by nbconvert's own rule."""
    page, _ = HTMLExporter().from_notebook_node(read_notebook(GLOSSARY.notebook))
    return Anchors(page).ids


def test_every_heading_is_a_term_of_its_own_in_alphabetical_order():
    headings = re.findall(r"^## (.+)$", markdown(GLOSSARY), re.MULTILINE)
    assert headings == list(ENTRIES)
    assert headings == sorted(set(headings), key=str.casefold)
    assert len(headings) > 50


@pytest.mark.parametrize("term", ENTRIES)
def test_a_term_has_one_or_two_sentences_and_a_lesson(term):
    teacher = TEACHER.search(ENTRIES[term])
    assert teacher
    text = ENTRIES[term][: teacher.start()].strip()
    assert 1 <= len(re.findall(r"[.?!](?=\s|$)", text)) <= 2
    assert text[-1] == "."
    names = {lesson.notebook.name: f"Lesson {lesson.number}" for lesson in LESSONS}
    names[START.notebook.name] = "Start page"
    assert names.get(teacher["path"]) == teacher["name"]


@pytest.mark.parametrize("term", ENTRIES)
def test_a_term_is_an_anchor_of_the_page(term, anchors):
    assert term.replace(" ", "-") in anchors


@pytest.mark.parametrize("lesson", (START, *LESSONS), ids=lambda lesson: lesson.stem)
def test_a_link_to_the_glossary_leads_to_a_term(lesson):
    places = {f"{GLOSSARY.notebook.name}#{term.replace(' ', '-')}" for term in ENTRIES}
    text = lesson.source.read_text(encoding="utf-8")
    links = [found["path"] for found in TO_GLOSSARY.finditer(text)]
    assert set(links) <= {*places, GLOSSARY.notebook.name}
    assert len(links) == len(set(links)), "a term is linked once a lesson"
    assert not links or len(links) <= 9


@pytest.mark.parametrize("number", range(1, 6))
def test_the_first_lessons_link_to_it(number):
    assert TO_GLOSSARY.search(find(number).source.read_text(encoding="utf-8"))


def test_no_heading_table_or_caption_links_to_it():
    for lesson in (START, *LESSONS):
        for line in lesson.source.read_text(encoding="utf-8").splitlines():
            if TO_GLOSSARY.search(line):
                assert not re.match(r"# (#|\||\*Figure)", line), line


def test_it_is_found_by_its_name_only():
    assert find("glossary") == find("glossary.ipynb") == GLOSSARY
    with pytest.raises(
        ValueError, match=r"Expected: one of 0 \(00_start\).*, glossary, your_project\."
    ):
        find(str(GLOSSARY.number))
