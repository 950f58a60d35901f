"""conftest.py: a lesson without its downloads is skipped with the reason, and starts no kernel."""

from __future__ import annotations

import json
import os
import runpy
import socket
import subprocess
import sys

import nbformat
import pytest

from helpers import bases, pictures
from helpers.lessons import LESSONS
from helpers.paths import ROOT

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
    slow = runpy.run_path(str(ROOT / "conftest.py"))["SLOW_SECONDS"]
    assert numbers(said, "ERROR") == {lesson.number for lesson in LESSONS if lesson.seconds < slow}
    long = sum(lesson.seconds >= slow for lesson in LESSONS)
    assert long and f"{long} deselected" in said


def test_lessons_that_are_deselected_do_no_harm(lessons):
    said = lessons("-k", "not_a_lesson", pictures_missing="not here")
    assert numbers(said, "SKIPPED") == set()
    assert "ERROR not_a_lesson.ipynb::Cell 0" in said


@pytest.mark.parametrize(("recipe", "asked"), [("", "drawings"), ("article", "tfds")])
def test_the_recipes_pictures_are_asked_for(lessons, monkeypatch, recipe, asked):
    monkeypatch.setenv("COURSE_RECIPE", recipe)
    assert f"'{asked}' is not here" in lessons(pictures_missing="{name!r} is not here")


# Lessons on drawings run without a network

CALLS = (
    "socket.create_connection((host, port), timeout=5).close()",
    "socket.socket(family).connect((host, port))",
    "socket.socket(family).connect_ex((host, port))",
    "socket.getaddrinfo(host, port)",
)


def cut_off(call: str, host: str, port: int) -> subprocess.CompletedProcess:
    """Run a call in a process that is cut off from the network."""
    family = "AF_INET6" if ":" in host else "AF_INET"
    names = f"import socket; host, port, family = {host!r}, {port}, socket.{family}; "
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "no_network")}
    program = [sys.executable, "-c", names + call]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.com"])
def test_a_process_that_is_cut_off_reaches_no_other_machine(call, host):
    said = cut_off(call, host, 80).stderr
    assert f"no network in this test: {host} was asked for" in said


@pytest.mark.parametrize("call", CALLS)
def test_a_process_that_is_cut_off_reaches_its_own_machine(call):
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = cut_off(call, "127.0.0.1", server.getsockname()[1])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("recipe", "cut"), [("", True), ("tutorial", False)])
def test_a_kernel_is_cut_off_where_the_lesson_has_drawings(lessons, monkeypatch, recipe, cut):
    monkeypatch.setenv("COURSE_RECIPE", recipe)

    def say_what_it_would_import(*arguments, **options):
        raise RuntimeError(f"the kernel's PYTHONPATH: {os.environ.get('PYTHONPATH')}")

    monkeypatch.setattr("nbval.plugin.RunningKernel", say_what_it_would_import)
    said = lessons()
    assert "the kernel's PYTHONPATH" in said
    assert ("no_network" in said) == cut


@pytest.mark.parametrize("host", ["192.0.2.1", "course.invalid"])
def test_no_test_reaches_another_machine(host):
    with pytest.raises(OSError, match=f"no network in this test: {host}"):
        socket.create_connection((host, 80), timeout=5)


# What failed last


def test_pytest_remembers_in_the_courses_cache(pytestconfig):
    remembered = pytestconfig.cache.mkdir("course")
    assert remembered.is_relative_to(ROOT / ".cache")


def test_a_cell_that_failed_runs_again_with_those_before_it(pytester, monkeypatch):
    def run_without_a_kernel(cell):
        assert "1 == 2" not in cell.cell.source

    monkeypatch.setattr("nbval.plugin.IPyNbFile.setup", lambda file: None)
    monkeypatch.setattr("nbval.plugin.IPyNbCell.runtest", run_without_a_kernel)
    pytester.makeconftest((ROOT / "conftest.py").read_text(encoding="utf-8"))
    cells = [nbformat.v4.new_code_cell(code) for code in ("x = 1", "assert 1 == 2", "x = 3")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), pytester.path / "some.ipynb")
    pytester.runpytest_inprocess("--nbval-lax")
    noted = json.loads((pytester.path / ".pytest_cache/v/cache/lastfailed").read_text())
    assert noted == {"some.ipynb::Cell 0": True, "some.ipynb::Cell 1": True}  # what --lf runs
