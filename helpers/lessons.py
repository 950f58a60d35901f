"""The lessons in their order: what each needs, and about how long it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from helpers import paths

# Pictures a second of MobileNetV2 in a `tf.function` on the machine on which the lessons' `seconds`
# were measured, within the same minutes (2 x86-64 cores, TensorFlow 2.21); the median of 7 rounds.
REFERENCE_PICTURES_PER_SECOND = 116.0
# Importing, drawing and reading files do not shrink with the network's speed, on a GPU above all.
LEAST_SHARE_OF_SECONDS = 0.3


@dataclass(frozen=True)
class Lesson:
    """One notebook: its number, its file's stem, its title, its needs and its times.

    `minutes` are a learner's, by the rule of `helpers/commands/minutes.py`.
    `seconds` is the time from the first cell to the last on two CPU cores, on the drawings where
    the lesson uses pictures (benchmarks/README.md says how it was measured).
    """

    number: int
    stem: str
    title: str
    minutes: int
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
    Lesson(1, "01_inspect_trainable_weights", "Inspect trainable weights", 30, 10, True, True),
    Lesson(2, "02_download_and_look_at_data", "Download and look at data", 35, 15, True, False),
    Lesson(3, "03_extract_features", "Extract features with a frozen base", 25, 50, True, True),
    Lesson(4, "04_fine_tune", "Fine-tune", 30, 60, True, True),
    Lesson(5, "05_run_the_frozen_part_once", "Run the frozen part once", 25, 45, True, True),
    Lesson(6, "06_find_the_bug", "Find the bug", 50, 35, False, False),  # always the drawings
    Lesson(7, "07_judge_a_model", "Judge a model honestly", 40, 45, True, True),
    Lesson(8, "08_see_where_it_looks", "See where it looks", 25, 50, False, False),  # the drawings
    Lesson(9, "09_your_own_pictures", "Your own pictures", 40, 40, False, False),  # drawn by itself
    Lesson(10, "10_choose_a_base", "Choose a base", 20, 30, True, True),
    Lesson(11, "11_ship_it", "Ship it", 30, 40, True, True),
    Lesson(12, "12_beyond_one_machine", "Beyond one machine", 25, 60, True, True),  # with Ray
)

# From this number on a lesson is an instructor's own (docs/instructors/own.md): it runs and is
# graded like the course's, whose frame, minutes and row in the README are not asked of it.
OWN = 50

# Not a lesson but the way in: what there is, how far you are, whether this machine will do.
START = Lesson(0, "00_start", "Start here", 5, 5, False, False)
# Nor is this one: the course's words. No number finds it, its name does.
GLOSSARY = Lesson(-1, "glossary", "Glossary", 0, 0, False, False)
# Not to be learned from but to work with: a folder of one's own becomes a model.
PROJECT = Lesson(-2, "your_project", "Your project", 0, 40, False, False)
PAGES = (START, *LESSONS, GLOSSARY, PROJECT)


def find(text: str | int) -> Lesson:
    """The lesson or page called by its number or by the beginning of its file's name.

    Raises:
        ValueError: where no lesson, or more than one, answers to `text`.
    """
    wanted = str(text).removesuffix(".ipynb").removesuffix(".py")
    wanted = Path(wanted).name
    found = [
        lesson
        for lesson in PAGES
        if (int(wanted) == lesson.number if wanted.isdecimal() else lesson.stem.startswith(wanted))
    ]
    if len(found) != 1 or not wanted:
        names = ", ".join(f"{lesson.number} ({lesson.stem})" for lesson in (START, *LESSONS))
        others = f"{GLOSSARY.stem}, {PROJECT.stem}"
        raise ValueError(f"Received: lesson '{text}'. Expected: one of {names}, {others}.")
    return found[0]


def expected_seconds(lesson: Lesson, rate: float) -> float:
    """The lesson's recorded runtime, scaled by the network's speed here."""
    share = max(REFERENCE_PICTURES_PER_SECOND / rate, LEAST_SHARE_OF_SECONDS)
    return lesson.seconds * share
