"""The augmentation panel of lesson 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from helpers.panels import still
from helpers.panels.knobs import slider
from helpers.panels.panel import Panel, beside, png

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def augmentation_panel(
    picture: np.ndarray, augment: Callable[..., Sequence[np.ndarray]], title: str = ""
) -> Panel:
    """Nine random variants of one picture, drawn again whenever a slider moves.

    Args:
        picture: uint8 `(height, width, 3)`.
        augment: called as `augment(picture, flip=, rotation=, zoom=, brightness=, seed=)`; returns
            nine pictures with values from 0 to 255.
        title: a line above the sliders.
    """
    knobs = _augmentation_knobs()
    again = widgets.Button(description="Draw again", tooltip="The same settings, other chances")
    image = widgets.Image(format="png", layout=widgets.Layout(max_width="100%", width="500px"))
    draws = {"seed": 0}

    def paint(change: Any = None) -> None:
        settings = {name: knob.value for name, knob in knobs.items()}
        image.value = png(nine(augment(picture, seed=draws["seed"], **settings)))

    def paint_others(button: Any) -> None:
        draws["seed"] += 1
        paint()

    for knob in knobs.values():
        knob.observe(paint, "value")
    again.on_click(paint_others)
    paint()
    controls = [*knobs.values(), again]
    return Panel(
        [beside([widgets.HTML(title), *controls], [image])],
        still=lambda: still.picture(controls, [image.value]),
    )


def nine(images: Sequence[np.ndarray]) -> Figure:
    """A 3x3 grid of pictures as a figure."""
    from helpers import plots

    return plots.pictures(images, columns=3, side=1.7).flat[0].figure


def _augmentation_knobs() -> dict[str, widgets.Widget]:
    """The controls by the name of the setting; sliders report when they are let go."""
    shares = {"low": 0.0, "step": 0.05}
    return {
        "flip": widgets.Checkbox(
            value=True,
            description="flip left and right",
            tooltip="Mirror about half of the pictures",
            indent=False,
        ),
        "rotation": slider(
            "rotation (turns)", 0.1, high=0.5, tooltip="At most this share of a full turn", **shares
        ),
        "zoom": slider(
            "zoom (share)", 0.2, high=0.8, tooltip="In or out by at most this share", **shares
        ),
        "brightness": slider(
            "brightness (share)", 0.2, high=1.0, tooltip="Lighter or darker by this share", **shares
        ),
    }
