"""Where Ray is not installed: a sentence, cells that are passed over, exercises that are not."""

from __future__ import annotations

import importlib.util

import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers import cluster


@pytest.fixture
def without_ray(monkeypatch):
    real = importlib.util.find_spec
    hidden = lambda name, *rest: None if name == "ray" else real(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", hidden)


@pytest.fixture
def shell(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    return shell


def test_cells_are_passed_over_and_exercises_are_not(without_ray, shell, capsys):
    cluster.skip_without_ray()
    said = capsys.readouterr().out
    assert "Ray is not installed, so the cells below are skipped" in said
    assert "`python3 course.py cluster` installs it" in said
    shell.run_cell("import no_such_module\nfound = 1")
    assert "found" not in shell.user_ns
    shell.run_cell("found = 2  # exercises.machines.check(machines)")
    assert shell.user_ns["found"] == 2


def test_with_ray_nothing_is_passed_over(without_ray, shell, monkeypatch, capsys):
    cluster.skip_without_ray()
    monkeypatch.undo()
    monkeypatch.setattr("helpers.cluster.connection.is_installed", lambda: True)
    shell.run_cell("found = 3")
    assert shell.user_ns["found"] == 3


def test_a_call_says_how_to_install_it(without_ray):
    with pytest.raises(RuntimeError, match=r"Received: no Ray\. .*course\.py cluster"):
        cluster.connect()
