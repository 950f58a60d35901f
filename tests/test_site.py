"""The site: what Sphinx is given, and every page of what it makes, in a real browser, as files.

What is made is tried where `python3 course.py site` has installed what it needs.
"""

from __future__ import annotations

import json
import os
import posixpath
import subprocess
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import laboratory
import nbformat
import pytest

import course
from helpers.commands import site
from helpers.lessons import PAGES, find
from helpers.paths import ROOT

BUILT = pytest.mark.skipif(
    laboratory.BROWSER is None or not course.is_installed(ROOT, course.SITE),
    reason="There is no Chromium, or `python3 course.py site` has not installed what it needs.",
)
NARROW, WIDE = {"width": 380, "height": 800}, {"width": 1280, "height": 900}
SERIOUS = ("serious", "critical")
# What depends on light and dark; all else is asked once.
RULES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"


@pytest.fixture
def small(tmp_path) -> Path:
    """A course of a few pages."""
    for name, text in {
        "README.md": "# Front\n\n[First](notebooks/01_x.ipynb) [why](helpers/why.py)\n",
        "helpers/why.py": "",
        "helpers/secret.py": "",
        "docs/look.md": "# Look\n\n[front](../README.md#Start) [code](https://x.org/#A)\n\n"
        "`[as](../README.md#Is)`\n",
        "docs/instructors/class.md": "# Class\n",
        "notebooks/01_x.ipynb": json.dumps({"cells": []}),
        "notebooks/glossary.ipynb": json.dumps({"cells": []}),
    }.items():
        path = tmp_path / "course" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "course"


def test_pages_are_found_by_pattern_each_once(small):
    assert site.sections(small) == {
        "Lessons": ["notebooks/01_x.ipynb", "notebooks/glossary.ipynb"],
        "For instructors": ["docs/instructors/class.md"],
        "To look things up": ["docs/look.md"],
    }
    stored = {page.notebook.relative_to(ROOT).as_posix() for page in PAGES}
    assert stored == set(site.sections()["Lessons"])


def test_what_is_linked_comes_along_and_no_other_file(small, tmp_path):
    site.stage(tmp_path / "source", small)
    staged = [path for path in (tmp_path / "source").rglob("*") if path.is_file()]
    names = {path.relative_to(tmp_path / "source").as_posix() for path in staged}
    assert {"index.md", "helpers/why.py", "docs/look.md"} <= names
    assert not {"README.md", "helpers/secret.py"} & names


def test_links_are_written_as_the_site_has_them(small):
    text = (small / "docs/look.md").read_text(encoding="utf-8")
    said = site.prepare("docs/look.md", text, small)
    assert "(../index.md#start)" in said and "(https://x.org/#A)" in said
    assert "`[as](../README.md#Is)`" in said
    assert "docs/instructors/class\n" in site.prepare("index.md", "# Front\n", small)
    link = {"text/html": ['<a href="02_y.ipynb">'], "text/plain": []}
    cell = {"cell_type": "code", "source": [], "metadata": {}, "outputs": [{"data": link}]}
    said = site.prepare("notebooks/01_x.ipynb", json.dumps({"cells": [cell]}))
    assert json.loads(said)["cells"][0]["outputs"][0]["data"]["text/html"] == '<a href="02_y.html">'


# What Sphinx makes of the course


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The site, as its command builds it."""
    folder = tmp_path_factory.mktemp("cache")
    python = course.python_of(ROOT / course.SITE.venv)
    command = [str(python), "-P", "-m", "helpers.commands.command_line", "site"]
    environment = os.environ | {"COURSE_CACHE": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def page(built) -> Iterator[Any]:
    """A page of the browser; `seen` is what went wrong or left the site since it was emptied."""
    with laboratory.chromium() as browser:
        opened = browser.new_page()
        opened.seen = []
        opened.on("pageerror", lambda error: opened.seen.append(f"error: {error}"))
        opened.on("console", lambda said: said.type == "error" and opened.seen.append(said.text))
        opened.on("request", lambda request: opened.seen.extend(leaving(request.url)))
        yield opened


def leaving(url: str) -> list[str]:
    """The address of a request that goes anywhere but to this disk."""
    return [] if urlsplit(url).scheme in ("file", "data", "blob") else [url]


@cache
def axe() -> str:
    """axe-core, from the package that carries it."""
    (path,) = (ROOT / course.SITE.venv).rglob("axe.min.js")
    return path.read_text(encoding="utf-8")


def html_pages(built: Path) -> list[Path]:
    """All pages; the theme leaves a template of its own among its files."""
    return sorted(path for path in built.rglob("*.html") if "_static" not in path.parts)


def lesson(built: Path, number: int | str) -> Path:
    """A lesson's page."""
    return built / "notebooks" / f"{find(number).stem}.html"


def stored(number: int) -> Any:
    """A lesson as it is stored."""
    return nbformat.read(find(number).notebook, as_version=4)


@BUILT
def test_on_every_page_nothing_fails_and_nothing_leaves(built, page):
    faults = {}
    page.set_viewport_size(NARROW)
    for path in html_pages(built):
        page.seen.clear()
        page.goto(path.as_uri())
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            page.seen.append("wider than 380 pixels")
        if page.seen:
            faults[path.name] = list(page.seen)
    assert not faults, json.dumps(faults, indent=1)


@BUILT
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_every_page_axe_finds_nothing_serious(built, page, scheme):
    faults = {}
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme=scheme)
    for path in html_pages(built):
        page.goto(path.as_uri())
        page.add_style_tag(content=STILL)  # no colour is looked at on its way to another
        page.evaluate(axe())
        options = {"resultTypes": ["violations"], **RULES[scheme]}
        found = page.evaluate("options => axe.run(document, options)", options)["violations"]
        serious = [each for each in found if each["impact"] in SERIOUS]
        if serious:
            faults[path.name] = {
                each["id"]: [node["html"][:200] for node in each["nodes"][:3]] for each in serious
            }
    assert not faults, json.dumps(faults, indent=1)


@BUILT
def test_search_finds_the_lessons(built, page):
    page.goto((built / "search.html").as_uri() + "?q=BatchNormalization")
    page.wait_for_selector("#search-results .search-summary:has-text('found')")
    found = page.eval_on_selector_all("#search-results li a", "all => all.map(one => one.href)")
    stems = {Path(urlsplit(url).path).stem for url in found}
    assert {find(1).stem, find(4).stem} <= stems


@BUILT
def test_light_and_dark_are_chosen_by_a_button(built, page):
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.goto(lesson(built, 4).as_uri())
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.click(".article-header-buttons .theme-switch-button")
    page.click(".theme-change-button[data-mode=dark]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(ground) != before


@BUILT
def test_an_exercise_is_folded_and_its_task_is_not(built, page):
    page.goto(lesson(built, 4).as_uri())
    exercise = page.locator("details", has_text="exercises.prepare_to_fine_tune.check")
    code = exercise.locator(".cell_input")
    assert page.get_by_text("Four things are wrong with it").is_visible()
    assert not code.is_visible()
    exercise.locator("summary").click()
    assert code.is_visible()


@BUILT
def test_code_is_copied_by_a_button(built, page):
    page.goto(lesson(built, 4).as_uri())
    cell = page.locator(".cell_input", has_text="base.trainable = True").first
    cell.hover()
    cell.locator("button.copybtn").click()
    page.evaluate("document.body.prepend(document.createElement('textarea'))")
    page.focus("textarea")
    page.keyboard.press("Control+V")
    assert page.input_value("textarea").rstrip() == cell.locator("pre").inner_text().rstrip()
    assert not page.locator(".cell_output button.copybtn").count()


@BUILT
def test_each_notebook_can_be_downloaded_as_it_is_stored(built, page):
    for each in PAGES:
        page.goto(lesson(built, each.stem).as_uri())
        link = page.locator(".btn-download-source-button").get_attribute("href")
        file = lesson(built, each.stem).parent / link
        assert file.suffix == ".ipynb" and file.read_bytes() == each.notebook.read_bytes()


@BUILT
@pytest.mark.parametrize("number", [3, 4, 8])
def test_pictures_have_the_alternative_text_of_their_captions(built, page, number):
    outputs = [output for cell in stored(number).cells for output in cell.get("outputs", [])]
    said = {output.get("metadata", {}).get("image/png", {}).get("alt") for output in outputs}
    page.goto(lesson(built, number).as_uri())
    shown = page.eval_on_selector_all(".cell_output img", "all => all.map(one => one.alt)")
    assert said - {None} and said - {None} <= set(shown)
    assert all(shown)


class Links(HTMLParser):
    """What a page links to or loads, and the places in it that can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.targets |= {found[name] or "" for name in ("href", "src") if name in found}
        self.places |= {found[name] or "" for name in ("id", "name") if name in found}


@BUILT
def test_every_link_inside_leads_somewhere(built):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in html_pages(built)}
    lost = []
    for path, links in pages.items():
        for target in links.targets:
            url = urlsplit(target)
            if url.scheme or url.netloc:
                continue
            file = Path(posixpath.normpath(path.parent / unquote(url.path))) if url.path else path
            places = pages[file].places if file in pages else {""}
            if not file.is_file() or (url.fragment and unquote(url.fragment) not in places):
                lost.append(f"{path.name}: {target}")
    assert len(pages) > len(PAGES) and not lost, "\n".join(lost)
