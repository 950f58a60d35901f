"""Where a class is kept: nbgrader's folders in one of the instructor's."""

from __future__ import annotations

import os
from pathlib import Path

from helpers.files import write_whole
from helpers.lessons import LESSONS
from helpers.paths import ROOT

CELL_SECONDS = 60
CONFIG = f"""\
# Written by `course.py class` where it was missing; yours to change.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "transfer-learning"
c.ClearSolutions.code_stub = {{"python": "# Your answer replaces what stands above."}}
c.Execute.timeout = {CELL_SECONDS}  # seconds a cell
c.Exchange.root = "exchange"
"""


def class_folder() -> Path:
    """The instructor's folder: `COURSE_CLASS`, or `class` in the repository, which git ignores."""
    return Path(os.environ.get("COURSE_CLASS") or ROOT / "class").expanduser().resolve()


def prepare() -> Path:
    """The class's folder, with nbgrader's settings in it."""
    folder = class_folder()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nbgrader_config.py"
    if not config.is_file():
        write_whole(config, CONFIG)
    return folder


def released(assignment: str) -> Path:
    """The notebook that learners get; an assignment has one, of its own name."""
    return class_folder() / "release" / assignment / f"{assignment}.ipynb"


def assignments() -> list[str]:
    """The names of those that were made; one that is no lesson's is nbgrader's alone."""
    return sorted(lesson.stem for lesson in LESSONS if released(lesson.stem).is_file())
