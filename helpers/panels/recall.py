"""Three questions on earlier lessons, other ones at each run."""

from __future__ import annotations

import ipywidgets as widgets

from helpers.exercises.recall import draw
from helpers.panels.panel import STILL, Panel
from helpers.panels.question import listed, question

OTHERS = "Other questions come at each run of this cell."


def recall(lesson: int) -> Panel:
    """What do you remember? Three questions on the lessons before this one.

    What is answered is explained at once, and not kept.

    Args:
        lesson: the number of the lesson that asks, from 2 on.

    Raises:
        ValueError: where there is nothing to ask.
    """
    panels = [question(drawn) for drawn in draw(lesson)]

    def still() -> dict[str, str]:
        # Always the same three: a stored page does not change from build to build.
        stored = "".join(map(listed, draw(lesson, seed=lesson)))
        return {"text/html": f"{stored}<p>{OTHERS} {STILL}</p>"}

    return Panel([*panels, widgets.HTML(OTHERS)], still=still)
