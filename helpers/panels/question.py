"""A multiple-choice question to click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from helpers.exercises.exercise import as_html
from helpers.panels.panel import STILL, Panel

if TYPE_CHECKING:
    from helpers.exercises import Choice
    from helpers.exercises.recall import Question


def question(choice: Choice | Question) -> Panel:
    """Choose an answer, and read at once why it is right or wrong.

    Args:
        choice: an exercise of `helpers.exercises`, or a question of its `recall`.
    """
    asked = widgets.HTML(_asked(choice))
    # A radio button's label is plain text.
    lines = [
        (f"{letter}. {option.text.replace('`', '')}", letter)
        for letter, option in choice.options.items()
    ]
    pick = widgets.RadioButtons(
        options=lines,
        value=None,
        tooltip="Choose the answer that you think is right",
        layout=widgets.Layout(width="100%", height="auto"),
    )
    said = widgets.HTML()

    def judge(change: Any) -> None:
        if pick.value is not None:
            said.value = choice.check(pick.value)._repr_html_()

    pick.observe(judge, "value")
    still = f"{listed(choice)}<p>{STILL}</p>"
    return Panel([asked, pick, said], still=lambda: {"text/html": still})


def listed(choice: Choice | Question) -> str:
    """A question with its answers as HTML, to read where nothing can be clicked."""
    answers = "".join(f"<li>{as_html(option.text)}</li>" for option in choice.options.values())
    return f'{_asked(choice)}<ol style="list-style-type: upper-alpha">{answers}</ol>'


def _asked(choice: Choice | Question) -> str:
    return f"<b>{as_html(choice.task)}</b>"


def questions(*choices: Choice) -> Panel:
    """Several questions, one below the other."""
    panels = [question(choice) for choice in choices]

    def still() -> dict[str, str]:
        return {"text/html": "".join(panel.still()["text/html"] for panel in panels)}

    return Panel(panels, still=still)
