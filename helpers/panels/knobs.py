"""The controls that the training panels have in common, each with a label and a tooltip."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from helpers.panels.panel import ROOM


def learning_rate(value: float) -> widgets.FloatLogSlider:
    """A learning rate from 0.00001 to 1."""
    return widgets.FloatLogSlider(
        value=value,
        base=10,
        min=-5,
        max=0,
        step=0.1,
        description="learning rate",
        tooltip="How far a step goes; each notch is a quarter more",
        readout_format=".1e",
        continuous_update=False,
        style=ROOM,
    )


def whole_number(label: str, value: int, low: int, high: int, tooltip: str) -> widgets.IntSlider:
    """A slider over whole numbers."""
    return widgets.IntSlider(
        value=value,
        min=low,
        max=high,
        description=label,
        tooltip=tooltip,
        continuous_update=False,
        style=ROOM,
    )


def choice(label: str, options: tuple[Any, ...], value: Any, tooltip: str) -> widgets.Dropdown:
    """A list to pick from."""
    return widgets.Dropdown(
        options=options,
        value=value,
        description=label,
        tooltip=tooltip,
        style=ROOM,
        layout=widgets.Layout(width="max-content"),
    )
