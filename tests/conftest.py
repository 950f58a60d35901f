"""The tests' own process reaches no host but this machine, and no learner's record of progress."""

import runpy
from pathlib import Path

import pytest

runpy.run_path(str(Path(__file__).with_name("no_network") / "sitecustomize.py"))


@pytest.fixture(autouse=True)
def own_cache(request, monkeypatch):
    """A cache of its own for each test of exercises: a check keeps what was answered."""
    if request.path.stem.startswith("test_exercises"):
        monkeypatch.setenv("COURSE_CACHE", str(request.getfixturevalue("tmp_path")))
