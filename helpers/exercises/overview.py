"""How far a learner is: the lessons with their runtimes and the exercises that were solved."""

from __future__ import annotations

import html
from dataclasses import dataclass

from helpers.exercises import progress
from helpers.exercises.exercise import of_lesson
from helpers.lessons import LESSONS, Lesson

SOLVED, UNSOLVED = "●", "○"


@dataclass(frozen=True)
class Row:
    """A lesson, and for each of its exercises whether it was solved."""

    lesson: Lesson
    solved: tuple[bool, ...]

    @property
    def dots(self) -> str:
        """A dot an exercise, in the lesson's order."""
        return "".join(SOLVED if solved else UNSOLVED for solved in self.solved)


class Overview:
    """The table of the start page, as it stands now."""

    def __init__(self) -> None:
        entries = progress.read()
        self.rows = tuple(
            Row(lesson, tuple(entries.get(exercise.key, {}).get("right", False) for exercise in of))
            for lesson, of in ((lesson, of_lesson(lesson.number)) for lesson in LESSONS)
        )

    def __repr__(self) -> str:
        return "\n".join(
            f"{row.lesson.number}. {row.lesson.title:<36} {row.lesson.minutes:>3} min "
            f"{row.lesson.seconds:>4} s  "
            f"{sum(row.solved)} of {len(row.solved)} exercises"
            for row in self.rows
        )

    def _repr_html_(self) -> str:
        heads = ("", "lesson", "your minutes", "all cells run in about", "exercises solved")
        head = "".join(f'<th style="text-align: left">{text}</th>' for text in heads)
        return f"<table><tr>{head}</tr>{''.join(map(_html_row, self.rows))}</table>"


def _html_row(row: Row) -> str:
    lesson = row.lesson
    link = f'<a href="{lesson.notebook.name}">{html.escape(lesson.title)}</a>'
    done = f"{row.dots} {sum(row.solved)} of {len(row.solved)}"
    cells = (str(lesson.number), link, str(lesson.minutes), f"{lesson.seconds} s", done)
    return "<tr>" + "".join(f'<td style="text-align: left">{cell}</td>' for cell in cells) + "</tr>"
