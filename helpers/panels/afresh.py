"""The start page's button that starts a lesson afresh."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as widgets

from helpers import copies
from helpers.lessons import LESSONS, Lesson
from helpers.panels.panel import STILL, Panel
from helpers.panels.still import button_html

LABEL = "Start this lesson afresh"


class Afresh(Panel):
    """A list of lessons, a button, and a line that says what became of it."""

    def __init__(self) -> None:
        self.lesson = widgets.Dropdown(
            options=[(f"{each.number}. {each.title}", each) for each in LESSONS],
            description="Lesson",
            layout=widgets.Layout(width="max-content"),
        )
        self.button = widgets.Button(
            description=LABEL,
            tooltip="Yours is kept under another name",
            layout=widgets.Layout(width="max-content"),
        )
        self.said = widgets.HTML()
        self.button.on_click(self.start)
        row = widgets.Box([self.lesson, self.button], layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__([row, self.said], still=self._still)

    def start(self, button: Any = None) -> None:
        """Move the learner's copy aside, and copy anew."""
        self.said.value = html.escape(begin(self.lesson.value))

    def _still(self) -> dict[str, str]:
        lesson = html.escape(f"{LESSONS[0].number}. {LESSONS[0].title} ▾")
        controls = f"Lesson: {lesson} &emsp; {button_html(LABEL)}"
        return {"text/html": f"<p>{controls}</p><p><small>{STILL}</small></p>"}


def begin(lesson: Lesson) -> str:
    """Start a lesson afresh; what became of it, in a sentence or two."""
    try:
        aside = copies.afresh(lesson)
    except OSError as error:
        return str(error)
    kept = f"Yours is kept as {aside.name}." if aside else "There was nothing of yours to keep."
    return (
        f"{lesson.stem}.ipynb is new. {kept} If it is open in a tab, choose File, Reload Notebook "
        f"from Disk there."
    )


def afresh_panel() -> Afresh:
    """Choose a lesson and start it afresh; what was done in it stays, under another name."""
    return Afresh()
