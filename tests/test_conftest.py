"""conftest.py: a lesson without its downloads is skipped with the reason, and starts no kernel."""

from __future__ import annotations

import nbformat
import pytest

from helpers import bases, pictures
from helpers.lessons import LESSONS, ROOT

pytest_plugins = ("pytester",)
WITH_PICTURES = {lesson.number for lesson in LESSONS if lesson.needs_pictures}
WITH_WEIGHTS = {lesson.number for lesson in LESSONS if lesson.needs_weights}
ALL = {lesson.number for lesson in LESSONS}


@pytest.fixture
def lessons(pytester, monkeypatch):
    """A function that runs all lessons, a cell each; a kernel that starts is an error here."""

    def start_no_kernel(*arguments, **options):
        raise RuntimeError("a kernel was started")

    def collect(*arguments: str, pictures_missing=None, bases_missing=None) -> str:
        monkeypatch.setattr(pictures, "is_ready", lambda name: told(pictures_missing, name))
        monkeypatch.setattr(bases, "is_ready", lambda name: told(bases_missing, name))
        options = ["--nbval-lax", "--nbval-current-env", "-rsE", "-v"]
        return pytester.runpytest_inprocess(*options, *arguments).stdout.str()

    monkeypatch.setattr("nbval.plugin.RunningKernel", start_no_kernel)
    monkeypatch.setenv("COLUMNS", "200")
    pytester.makeconftest((ROOT / "conftest.py").read_text(encoding="utf-8"))
    for stem in (*(lesson.stem for lesson in LESSONS), "not_a_lesson"):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
        nbformat.write(notebook, pytester.path / f"{stem}.ipynb")
    return collect


def told(reason: str | None, name: str) -> str | None:
    """The reason with the name that was asked for."""
    return reason and reason.format(name=name)


def numbers(said: str, word: str) -> set[int]:
    """The lessons whose cell has this result."""
    lines = [line for line in said.splitlines() if "::Cell 0" in line and f" {word}" in line]
    return {lesson.number for lesson in LESSONS for line in lines if line.startswith(lesson.stem)}


def test_without_pictures_lessons_are_skipped_and_no_kernel_starts(lessons):
    said = lessons(pictures_missing="The photographs are not on this machine.")
    assert numbers(said, "SKIPPED") == WITH_PICTURES
    assert numbers(said, "ERROR") == ALL - WITH_PICTURES  # these would have run
    assert "The photographs are not on this machine." in said


def test_without_weights_only_the_lessons_that_need_them_are_skipped(lessons):
    said = lessons(bases_missing="The weights are not on this machine.")
    assert numbers(said, "SKIPPED") == WITH_WEIGHTS
    assert "The weights are not on this machine." in said


def test_with_everything_nothing_is_skipped(lessons):
    said = lessons()
    assert numbers(said, "ERROR") == ALL
    assert "ERROR not_a_lesson.ipynb::Cell 0" in said


def test_fast_leaves_out_the_long_lessons(lessons):
    said = lessons("-m", "not slow", "-W", "error")
    assert numbers(said, "ERROR") == {lesson.number for lesson in LESSONS if lesson.seconds < 60}
    assert "2 deselected" in said


def test_lessons_that_are_deselected_do_no_harm(lessons):
    said = lessons("-k", "not_a_lesson", pictures_missing="not here")
    assert numbers(said, "SKIPPED") == set()
    assert "ERROR not_a_lesson.ipynb::Cell 0" in said


@pytest.mark.parametrize(("chosen", "asked"), [(None, "photos"), ("tfds", "tfds")])
def test_the_chosen_pictures_are_asked_for(lessons, monkeypatch, chosen, asked):
    monkeypatch.delenv("COURSE_PICTURES", raising=False)
    if chosen:
        monkeypatch.setenv("COURSE_PICTURES", chosen)
    assert f"'{asked}' is not here" in lessons(pictures_missing="{name!r} is not here")
