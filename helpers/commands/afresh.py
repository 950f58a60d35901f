"""Start a lesson afresh: the learner's copy moves aside, a new one takes its place."""

from __future__ import annotations

import sys

from helpers import copies
from helpers.lessons import Lesson
from helpers.paths import work_folder


def main(lesson: Lesson) -> int:
    """Do so and say where what is now."""
    try:
        aside = copies.afresh(lesson)
    except OSError as error:
        print(f"afresh: {error}", file=sys.stderr)
        return 1
    print(f"Afresh: {work_folder() / lesson.notebook.name}")
    print(f"Yours is kept as {aside.name}." if aside else "There was nothing of yours to keep.")
    return 0
