"""Run pytest over the tests and the lessons, or over what was named."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from helpers.lessons import Lesson
from helpers.paths import ROOT

# How several processes share the work: file by file, for a file's fixtures are made once, and in
# the order of conftest.py.
SHARED = ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile", "--no-loadscope-reorder")


def main(lesson: Lesson | None = None, fast: bool = False, extra: Sequence[str] = ()) -> int:
    """pytest's exit code."""
    on_gpu = os.environ.get("COURSE_DEVICE") == "gpu"  # as course.py found
    return int(pytest.main(pytest_arguments(lesson, fast, extra, on_gpu)))


def pytest_arguments(
    lesson: Lesson | None, fast: bool, extra: Sequence[str], on_gpu: bool
) -> list[str]:
    """pytest's own command line.

    One process does all on a GPU, of which each would want the whole, for one lesson or one
    file, and where `extra` itself says how many.
    """
    paths = [part.split("::")[0] for part in extra]
    one_file = lesson is not None or len({path for path in paths if (ROOT / path).is_file()}) == 1
    told = any(part.startswith(("-n", "--numprocesses")) for part in extra)
    arguments = ["-rs", *(() if on_gpu or one_file or told else SHARED)]
    arguments += [str(lesson.notebook)] if lesson else []  # else what `extra` or `testpaths` names
    arguments += ["-m", "not slow"] if fast else []
    return [*arguments, *extra]
