"""The lessons in their order: what each needs and about how long it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from helpers import paths


@dataclass(frozen=True)
class Lesson:
    """One notebook: its number, its file's stem, its title, its needs and its measured runtime.

    `seconds` is the time from the first cell to the last on two CPU cores, on the drawings where
    the lesson uses pictures (benchmarks/README.md says how it was measured).
    """

    number: int
    stem: str
    title: str
    seconds: int
    needs_pictures: bool
    needs_weights: bool

    @property
    def notebook(self) -> Path:
        """The notebook that a learner opens."""
        return paths.NOTEBOOKS / f"{self.stem}.ipynb"

    @property
    def source(self) -> Path:
        """The py:percent text that an author edits."""
        return paths.SOURCES / f"{self.stem}.py"


LESSONS = (
    Lesson(1, "01_inspect_trainable_weights", "Inspect trainable weights", 15, False, False),
    Lesson(2, "02_download_and_look_at_data", "Download and look at data", 20, True, False),
    Lesson(3, "03_extract_features", "Extract features with a frozen base", 50, True, True),
    Lesson(4, "04_fine_tune", "Fine-tune", 120, True, True),
    Lesson(5, "05_find_the_bug", "Find the bug", 50, False, False),  # always the drawings
    Lesson(6, "06_judge_a_model", "Judge a model honestly", 90, True, True),
    Lesson(7, "07_your_own_pictures", "Your own pictures", 60, False, False),  # drawn by itself
    Lesson(8, "08_choose_and_ship", "Choose a base and ship it", 100, True, True),
)

# Not a lesson but the way in: what there is, how far you are, whether this machine will do.
START = Lesson(0, "00_start", "Start here", 5, False, False)


def find(text: str | int) -> Lesson:
    """The lesson, or the start page, called by its number or by the beginning of its file's name.

    Raises:
        ValueError: where no lesson, or more than one, answers to `text`.
    """
    wanted = str(text).removesuffix(".ipynb").removesuffix(".py")
    wanted = Path(wanted).name
    found = [
        lesson
        for lesson in (START, *LESSONS)
        if (int(wanted) == lesson.number if wanted.isdecimal() else lesson.stem.startswith(wanted))
    ]
    if len(found) != 1 or not wanted:
        names = ", ".join(f"{lesson.number} ({lesson.stem})" for lesson in (START, *LESSONS))
        raise ValueError(f"Received: lesson '{text}'. Expected: one of {names}.")
    return found[0]
