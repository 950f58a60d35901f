"""The panels that a learner touches: thin shells over plain functions, on core ipywidgets.

A panel shows itself as a widget where a kernel and a browser are; anywhere else (a stored
notebook, an HTML page) as a still picture or table of its state. Pictures are painted to PNG
into an `Image` widget: clearing and redrawing a cell's output flickers and races.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

# Long labels are cut off unless the descriptions get the room they need.
ROOM = {"description_width": "initial"}
STILL = "A still picture of a panel: run this cell in JupyterLab to use it."


class Panel(widgets.VBox):
    """A column of widgets that has something to show where widgets cannot run.

    Args:
        children: the widgets, from top to bottom.
        still: called when the panel is displayed; returns representations by MIME type, such as
            `{"image/png": ...}` or `{"text/html": ...}`.
    """

    def __init__(self, children: Sequence[widgets.Widget], still: Callable[[], dict[str, str]]):
        super().__init__(children)
        self._still = still

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**options)
        bundle.update(self._still())
        bundle["text/plain"] = STILL
        return bundle


def png(figure: Figure) -> bytes:
    """A matplotlib figure as a PNG file; the figure is closed."""
    import matplotlib.pyplot as plt

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    plt.close(figure)
    return file.getvalue()


def layer_explorer(layers: Mapping[str, keras.layers.Layer]) -> Panel:
    """Pick a layer, switch `trainable`, and see its weights by name, shape and kind.

    Args:
        layers: built layers by the name to show for each.
    """
    pick = widgets.Dropdown(
        options=list(layers),
        description="Layer",
        tooltip="Which layer's weights to list",
        style=ROOM,
    )
    trainable = widgets.Checkbox(
        value=layers[pick.value].trainable,
        description="trainable",
        tooltip="Sets layer.trainable of the layer shown",
        indent=False,
    )
    shown = widgets.HTML(layer_html(layers[pick.value]))

    def show_picked(change: Any) -> None:
        trainable.value = layers[pick.value].trainable
        shown.value = layer_html(layers[pick.value])

    def set_trainable(change: Any) -> None:
        layers[pick.value].trainable = trainable.value
        shown.value = layer_html(layers[pick.value])

    pick.observe(show_picked, "value")
    trainable.observe(set_trainable, "value")
    controls = widgets.HBox([pick, trainable], layout=widgets.Layout(flex_flow="row wrap"))
    return Panel(
        [controls, shown],
        still=lambda: {"text/html": f"<p>Layer: {pick.value}</p>{shown.value}<p>{STILL}</p>"},
    )


def layer_html(layer: keras.layers.Layer) -> str:
    """A layer's weights as a sentence and an HTML table."""
    from helpers.weights import table

    sentence = (
        f"<p>weights: {len(layer.weights)}, trainable: {len(layer.trainable_weights)}, "
        f"non-trainable: {len(layer.non_trainable_weights)}</p>"
    )
    if not layer.weights:
        return sentence
    return sentence + table(layer).to_html(index=False, border=0)


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
