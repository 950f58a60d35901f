"""The knobs of the training panels: what each is called, can be set to, and says at first.

To add one, such as a weight decay: a row here, and in the panel's own module what it does in the
training and in the code that is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import ipywidgets as widgets

# All names end at one line, and all controls at another.
LOOK: dict[str, Any] = {"style": {"description_width": "130px"}, "layout": {"width": "320px"}}


def slider(
    label: str, value: float, low: float, high: float, tooltip: str, step: float = 1
) -> widgets.Widget:
    """A slider: over whole numbers where `step` is one, else over decimals."""
    kind = widgets.IntSlider if isinstance(step, int) else widgets.FloatSlider
    return kind(
        value=value,
        min=low,
        max=high,
        step=step,
        description=label,
        tooltip=tooltip,
        continuous_update=False,
        **LOOK,
    )


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
        **LOOK,
    )


def choice(label: str, value: Any, options: tuple[Any, ...], tooltip: str) -> widgets.Dropdown:
    """A list to pick from."""
    return widgets.Dropdown(
        options=options,
        value=value,
        description=label,
        tooltip=tooltip,
        **LOOK,
    )


Knobs = Mapping[str, Callable[..., widgets.Widget]]
OPTIMIZERS = ("Adam", "AdamW", "SGD", "RMSprop")
FROZEN, IN_TRAINING = "frozen", "in training mode"
TRAINED, FRESH = "trained", "fresh"
SEEN = "How often each picture is seen"
LEFT_OUT = "Share of the features that are left out, at random, in a training step"
REACH = "How many cuts from the end of the base training reaches back"

# By the name of the setting. The panels change what depends on their data, such as `high` of views.
HEAD: Knobs = {
    "learning_rate": partial(learning_rate, 1e-3),
    "epochs": partial(slider, "epochs", value=10, low=1, high=100, tooltip=SEEN),
    "batch_size": partial(choice, "batch size", 32, (8, 16, 32, 64, 128), "Pictures in a step"),
    "optimizer": partial(choice, "optimizer", "Adam", OPTIMIZERS, "How a gradient becomes a step"),
    "dropout": partial(slider, "dropout", value=0.2, low=0.0, high=0.9, tooltip=LEFT_OUT, step=0.1),
    "views": partial(slider, "views", value=1, low=1, tooltip="Views of a picture to choose from"),
    "seed": partial(
        slider, "seed", value=0, low=0, high=99, tooltip="Decides first weights, order and dropout"
    ),
}
FINE_TUNING: Knobs = {
    "depth": partial(slider, "depth", low=1, tooltip=REACH),
    "learning_rate": learning_rate,
    "epochs": partial(slider, "epochs", value=3, low=1, high=30, tooltip=SEEN),
    "batch_size": partial(choice, "batch size", 32, (2, 8, 16, 32, 64), "Pictures in a step"),
    "head": partial(
        choice, "head", TRAINED, (TRAINED, FRESH), "Under which head the base is tuned"
    ),
    "BatchNormalization": partial(
        choice,
        "BatchNormalization",
        FROZEN,
        (FROZEN, IN_TRAINING),
        "Whether its statistics may move",
    ),
    "seed": partial(
        slider,
        "seed",
        value=0,
        low=0,
        high=99,
        tooltip="Decides a fresh head's weights, and the order",
    ),
}


def controls(knobs: Knobs, **changes: Mapping[str, Any]) -> dict[str, widgets.Widget]:
    """New controls by the name of the setting.

    Args:
        knobs: `HEAD` or `FINE_TUNING`.
        changes: what depends on the data, by the setting, such as `depth={"high": 12}`.
    """
    return {name: make(**changes.get(name, {})) for name, make in knobs.items()}
