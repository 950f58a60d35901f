"""Panels without a browser: what a slider or a box does, and the still picture."""

import base64
import io

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import panels

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def layers():
    found = {"Dense": keras.layers.Dense(3), "Normalization": keras.layers.BatchNormalization()}
    for layer in found.values():
        layer.build((None, 4))
    return found


def test_layer_explorer_shows_the_layer_picked(layers):
    panel = panels.layer_explorer(layers)
    pick, trainable = panel.children[0].children
    shown = panel.children[1]
    assert "kernel" in shown.value
    pick.value = "Normalization"
    assert "moving_mean" in shown.value and "kernel" not in shown.value
    assert trainable.value is True


def test_layer_explorer_freezes_the_layer_itself(layers):
    panel = panels.layer_explorer(layers)
    pick, trainable = panel.children[0].children
    pick.value = "Normalization"
    trainable.value = False
    assert layers["Normalization"].trainable is False
    assert "trainable: 0, non-trainable: 4" in panel.children[1].value
    assert layers["Dense"].trainable is True
    pick.value = "Dense"
    assert trainable.value is True
    pick.value = "Normalization"
    assert trainable.value is False


def test_a_panel_has_a_still_picture_beside_the_widget(layers):
    bundle = panels.layer_explorer(layers)._repr_mimebundle_()
    assert WIDGET in bundle
    assert "kernel" in bundle["text/html"] and panels.STILL in bundle["text/html"]
    assert bundle["text/plain"] == panels.STILL


def recorded(calls):
    def augment(picture, **settings):
        calls.append(settings)
        return [picture] * 9

    return augment


def test_augmentation_panel_draws_when_a_slider_moves_or_the_button_is_pressed():
    calls = []
    panel = panels.augmentation_panel(np.zeros((8, 8, 3), "uint8"), recorded(calls))
    _, flip, rotation, _zoom, _brightness, again, image = panel.children
    assert len(calls) == 1
    before = image.value
    rotation.value = 0.5
    assert calls[-1]["rotation"] == 0.5 and calls[-1]["seed"] == 0
    flip.value = False
    assert calls[-1]["flip"] is False
    again.click()
    assert calls[-1]["seed"] == 1
    assert set(calls[-1]) == {"flip", "rotation", "zoom", "brightness", "seed"}
    assert before == image.value  # the same nine black pictures


def test_augmentation_panel_paints_what_it_is_given():
    def white(picture, **settings):
        return [np.full((8, 8, 3), 255.0 if settings["flip"] else 0.0)] * 9

    panel = panels.augmentation_panel(np.zeros((8, 8, 3), "uint8"), white)
    bright = panel.children[-1].value
    panel.children[1].value = False
    dark = panel.children[-1].value
    means = [np.asarray(Image.open(io.BytesIO(png)).convert("L")).mean() for png in (bright, dark)]
    assert means[0] > 250 and means[1] < 100
    still = base64.b64decode(panel._repr_mimebundle_()["image/png"])
    assert still == dark


def test_every_control_has_a_label_and_a_tooltip(layers):
    explorer = panels.layer_explorer(layers)
    augmentation = panels.augmentation_panel(np.zeros((8, 8, 3), "uint8"), recorded([]))
    controls = [*explorer.children[0].children, *augmentation.children[1:6]]
    assert len(controls) == 7
    for control in controls:
        assert control.description and control.tooltip, control
