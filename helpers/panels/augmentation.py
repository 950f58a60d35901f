"""The augmentation panel of lesson 2."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from helpers.panels.panel import ROOM, Panel, png

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
    return Panel(
        [widgets.HTML(title), *knobs.values(), again, image],
        still=lambda: {"image/png": base64.b64encode(image.value).decode()},
    )


def nine(images: Sequence[np.ndarray]) -> Figure:
    """A 3x3 grid of pictures as a figure."""
    from helpers import plots

    return plots.pictures(images, columns=3, side=1.7).flat[0].figure


def _augmentation_knobs() -> dict[str, widgets.Widget]:
    """The controls by the name of the setting; sliders report when they are let go."""

    def slider(value: float, top: float, label: str, tooltip: str) -> widgets.FloatSlider:
        return widgets.FloatSlider(
            value=value,
            min=0.0,
            max=top,
            step=0.05,
            description=label,
            tooltip=tooltip,
            continuous_update=False,
            style=ROOM,
            layout=widgets.Layout(width="min(100%, 420px)"),
        )

    return {
        "flip": widgets.Checkbox(
            value=True,
            description="flip left and right",
            tooltip="Mirror about half of the pictures",
            indent=False,
        ),
        "rotation": slider(0.1, 0.5, "rotation (turns)", "At most this share of a full turn"),
        "zoom": slider(0.2, 0.8, "zoom (share)", "In or out by at most this share"),
        "brightness": slider(0.2, 1.0, "brightness (share)", "Lighter or darker by this share"),
    }
