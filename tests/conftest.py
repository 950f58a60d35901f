"""The tests' own process reaches no host but this machine, and no learner's record of progress."""

import runpy
import signal
from pathlib import Path

import pytest

runpy.run_path(str(Path(__file__).with_name("no_network") / "sitecustomize.py"))

# What is begun in the background ignores interrupts, and so would all that the tests begin.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_cache(request, monkeypatch):
    """A cache of its own for each test of exercises: a check keeps what was answered."""
    if request.path.stem.startswith("test_exercises"):
        monkeypatch.setenv("COURSE_CACHE", str(request.getfixturevalue("tmp_path")))
