"""A multiple-choice question to click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from helpers.exercises.exercise import as_html
from helpers.panels.panel import STILL, Panel

if TYPE_CHECKING:
    from helpers.exercises import Choice


def question(choice: Choice) -> Panel:
    """Choose an answer, and read at once why it is right or wrong.

    Args:
        choice: an exercise of `helpers.exercises`.
    """
    asked = widgets.HTML(f"<b>{as_html(choice.task)}</b>")
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
    listed = "".join(f"<li>{as_html(option.text)}</li>" for option in choice.options.values())
    still = f'{asked.value}<ol style="list-style-type: upper-alpha">{listed}</ol><p>{STILL}</p>'
    return Panel([asked, pick, said], still=lambda: {"text/html": still})
