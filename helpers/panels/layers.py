"""The layer explorer of lesson 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from helpers.panels.panel import ROOM, STILL, Panel

if TYPE_CHECKING:
    import keras


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
