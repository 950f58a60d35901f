"""Panels without a browser: what a slider or a box does, and the still picture."""

import base64
import collections
import gc
import io
import random
import threading
import time
import weakref

import keras
import numpy as np
import psutil
import pytest
import tensorflow as tf
from matplotlib.figure import Figure
from PIL import Image, ImageChops
from sklearn.metrics import precision_score, recall_score

from helpers import bases, panels
from helpers.panels import board
from helpers.panels import panel as panel_module

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
    flip, rotation, again, image = parts_of(panel)
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
    flip, _, _, image = parts_of(panel)
    bright = image.value
    flip.value = False
    dark = image.value
    means = [np.asarray(Image.open(io.BytesIO(png)).convert("L")).mean() for png in (bright, dark)]
    assert means[0] > 250 and means[1] < 100
    still = opened(base64.b64decode(panel._repr_mimebundle_()["image/png"]))
    assert still.width > opened(dark).width + 200  # the controls are beside it


def opened(png):
    return Image.open(io.BytesIO(png)).convert("RGB")


def parts_of(panel):
    """The augmentation panel's box, its first slider, its button, and its picture."""
    left, right = panel.children[0].children
    _, flip, rotation, _zoom, _brightness, again = left.children
    return flip, rotation, again, right.children[0]


def test_every_control_has_a_label_and_a_tooltip(layers):
    explorer = panels.layer_explorer(layers)
    augmentation = panels.augmentation_panel(np.zeros((8, 8, 3), "uint8"), recorded([]))
    controls = [*explorer.children[0].children, *augmentation.children[0].children[0].children[1:]]
    assert len(controls) == 7
    for control in controls:
        assert control.description and control.tooltip, control


# The training panels


@pytest.fixture(scope="module")
def head_data():
    """Features in three views of 120 pictures of two classes, validation, and their names."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 120).astype("int32")
    centers = generator.normal(size=(2, 20))
    views = (centers[labels][:, None] + generator.normal(size=(120, 3, 20))).astype("float16")
    return views, labels, (views[:40, 0].astype("float32"), labels[:40])


@pytest.fixture(scope="module")
def traced_panel(head_data):
    """A panel for all tests, since the graphs of its heads are traced once each."""
    views, labels, validation = head_data
    panel = panels.training_panel(views, labels, validation)
    return panel, panel.settings


@pytest.fixture
def head_panel(traced_panel):
    """That panel as it was at first."""
    panel, settings = traced_panel
    panel.clear()
    panel.wait(60)
    for name, value in settings.items():
        panel.knobs[name].value = value
    return panel


def train(panel, **settings):
    """Set the knobs, click Train, wait for the end."""
    for name, value in settings.items():
        panel.knobs[name].value = value
    panel._buttons["train"].click()
    panel.wait(60)
    return panel.runs.all[-1]


def test_the_still_picture_is_of_a_trained_panel(head_panel):
    bundle = head_panel._repr_mimebundle_()
    assert WIDGET in bundle and bundle["text/plain"] == panels.STILL
    still, chart = opened(base64.b64decode(bundle["image/png"])), opened(head_panel.chart.value)
    shown = still.crop((still.width - chart.width, 0, still.width, chart.height))
    assert not ImageChops.difference(shown, chart).getbbox()  # the curves, beside the controls
    assert [run.state for run in head_panel.runs.all] == ["done"]
    head_panel._repr_mimebundle_()
    assert len(head_panel.runs.all) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 2, "views": 3, "seed": 5, "dropout": 0.5, "batch_size": 16},
        {"epochs": 2, "optimizer": "SGD", "learning_rate": 0.1, "dropout": 0.0},
    ],
)
def test_the_code_shown_gives_the_panels_numbers(head_panel, head_data, settings):
    views, labels, (validation_features, validation_labels) = head_data
    train(head_panel, epochs=1)
    run = train(head_panel, **settings)  # a second run, on graphs that were used before
    space = {
        "train_features": views,
        "train_labels": labels,
        "validation_features": validation_features,
        "validation_labels": validation_labels,
    }
    exec(head_panel.show_code(), space)
    for name, values in space["history"].history.items():
        assert getattr(run.epochs[-1], name) == pytest.approx(values[0], abs=2e-4), name


def test_the_code_for_features_without_views(head_data):
    views, labels, validation = head_data
    panel = panels.training_panel(views[:, 0], labels, validation)
    assert panel.knobs["views"].disabled
    run = train(panel, epochs=2)
    space = dict(zip(HEAD_NAMES, (views[:, 0], labels, *validation), strict=True))
    exec(panel.show_code(), space)
    expected = space["history"].history["loss"][0]
    assert run.epochs[-1].loss == pytest.approx(expected, abs=2e-4)


HEAD_NAMES = ("train_features", "train_labels", "validation_features", "validation_labels")


def test_three_classes_have_three_logits(head_data):
    views, _, _ = head_data
    labels = (np.arange(120) % 3).astype("int32")
    panel = panels.training_panel(views, labels, (views[:40, 0], labels[:40]))
    run = train(panel, epochs=1)
    assert run.state == "done"
    assert "Dense(3)" in panel.show_code()
    assert "SparseCategoricalCrossentropy" in panel.show_code()


def test_a_rate_that_is_too_high_is_explained_and_keeps_the_others(head_data):
    views, labels, validation = head_data
    hot = views.astype("float32") * 1e25
    panel = panels.training_panel(hot, labels, validation)
    run = train(panel, learning_rate=1.0, optimizer="SGD")
    assert run.state == "diverged"
    assert "too high" in panel.progress.value
    assert "diverged" in panel.table.value
    assert not panel._buttons["train"].disabled


def test_an_interrupt_of_the_first_run_stops_it(head_panel, monkeypatch):
    panel = head_panel
    panel.knobs["epochs"].value = 100

    def interrupted(seconds=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(panel, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        panel._repr_mimebundle_()
    monkeypatch.undo()
    panel.wait(10)
    assert panel.runs.all[0].state == "stopped"
    assert "kernel's interrupt" in panel.runs.all[0].note


def test_runs_are_compared_and_their_settings_come_back(head_panel):
    train(head_panel, epochs=2, learning_rate=0.01)
    first = head_panel.chart.value
    train(head_panel, epochs=3, learning_rate=0.1)
    assert head_panel.chart.value != first
    assert list(head_panel.frame()["epochs"]) == [2, 3]
    assert "<td>0.01</td>" in head_panel.table.value
    last = head_panel.runs.all[1].epochs[-1].val_accuracy
    assert "<th>last val accuracy (95 % interval)</th>" in head_panel.table.value
    assert f"<td>{last:.3f}\u00a0(" in head_panel.table.value
    head_panel.pick.value = 1
    assert head_panel.settings["epochs"] == 2
    assert head_panel.settings["learning_rate"] == pytest.approx(0.01)
    head_panel.clear()
    head_panel.wait(10)
    assert head_panel.runs.all == []
    assert head_panel.table.value == ""


def test_the_runs_can_be_saved_as_csv(head_panel):
    import pandas as pd

    train(head_panel, epochs=1)
    contents = head_panel.table.value.split("base64,")[1].split('"')[0]
    saved = pd.read_csv(io.BytesIO(base64.b64decode(contents)))
    assert list(saved["run"]) == [1]
    assert saved["optimizer"][0] == "Adam"


def test_stop_ends_the_run(head_panel):
    head_panel.knobs["epochs"].value = 100
    head_panel.knobs["batch_size"].value = 8
    run = head_panel.train()
    assert head_panel._buttons["train"].disabled and not head_panel._buttons["stop"].disabled
    assert head_panel.train() is None
    while not run.epochs:
        time.sleep(0.005)
    head_panel._buttons["stop"].click()
    head_panel.wait(10)
    assert 1 <= len(run.epochs) < 100
    assert "Stopped by you after" in head_panel.progress.value
    assert head_panel._buttons["stop"].disabled and not head_panel._buttons["train"].disabled


def test_two_panels_at_once(head_data, head_panel):
    views, labels, validation = head_data
    pair = [panels.training_panel(views, labels, validation) for _ in range(2)]
    alone = train(head_panel, epochs=5)
    for panel in pair:
        panel.knobs["epochs"].value = 5
        panel.train()
    for panel in pair:
        panel.wait(60)
        assert panel.runs.all[0].epochs[-1].loss == pytest.approx(alone.epochs[-1].loss, abs=1e-5)


def test_a_panel_leaves_the_notebooks_random_numbers_alone(head_panel):
    def draw():
        return np.random.uniform(), random.random(), float(tf.random.uniform(()))

    keras.utils.set_random_seed(3)
    expected = draw()
    keras.utils.set_random_seed(3)
    train(head_panel, epochs=1)
    assert draw() == expected


def test_a_cell_that_is_run_again_stops_what_it_had_begun(head_data, monkeypatch):
    views, labels, validation = head_data
    monkeypatch.setattr(panel_module, "_place", lambda: ("cell 7", 3))
    first = panels.training_panel(views, labels, validation)
    beside = panels.training_panel(views, labels, validation)
    first.knobs["epochs"].value = 100
    first.knobs["batch_size"].value = 8
    run = first.train()
    while not run.epochs:
        time.sleep(0.005)
    assert first.comm is not None and not beside.replaces
    monkeypatch.setattr(panel_module, "_place", lambda: ("cell 7", 4))
    again = panels.training_panel(views, labels, validation)
    first.wait(10)
    assert run.note.startswith("Stopped, for its cell was run again, after")
    assert first.comm is None and first.knobs["epochs"].comm is None and beside.comm is None
    again.clear()
    again.wait(10)
    assert "The panel that stood here before is closed" in again.progress.value


def test_a_replaced_panel_is_freed(head_data, monkeypatch):
    views, labels, validation = head_data
    monkeypatch.setattr(panel_module, "_place", lambda: ("cell 8", 1))
    first = weakref.ref(panels.training_panel(views, labels, validation))
    monkeypatch.setattr(panel_module, "_place", lambda: ("cell 8", 2))
    again = panels.training_panel(views, labels, validation)
    gc.collect()
    assert first() is None and again.replaces


def test_a_stop_is_seen_to_be_heard_before_it_is_obeyed(head_panel, monkeypatch):
    train(head_panel, epochs=1)
    heard = threading.Event()

    def epochs(settings, stop):
        while not stop():
            time.sleep(0.005)
        heard.wait(10)
        yield from ()

    monkeypatch.setattr(head_panel.runs, "_start", epochs)
    head_panel.train()
    head_panel.stop()
    while "Run 2: stopping." not in head_panel.progress.value:
        time.sleep(0.005)
    heard.set()
    head_panel.wait(10)
    assert "Stopped by you after 0 of 1 epochs." in head_panel.progress.value


def test_the_curves_are_painted_only_where_there_is_a_new_point(head_panel, monkeypatch):
    painted = []
    monkeypatch.setattr(board, "paint", lambda runs: painted.append(len(runs[-1].epochs)) or b"")
    train(head_panel, epochs=3)
    assert painted and painted == sorted(set(painted)) and painted[0] > 0 and painted[-1] == 3
    head_panel.stop()
    head_panel.wait(10)
    assert painted[-1] == 3 and painted.count(3) == 1


def small_base(name, weights="pretrained", size=None):
    """A base as `bases.load` gives one, always the same, with three cuts."""
    chances = iter(range(99))
    inputs = values = keras.Input((12, 12, 3))
    for channels in (4, 6, 8):
        kernel = keras.initializers.GlorotUniform(seed=next(chances))
        mean = keras.initializers.RandomNormal(stddev=0.1, seed=next(chances))
        values = keras.layers.Conv2D(channels, 3, kernel_initializer=kernel)(values)
        values = keras.layers.BatchNormalization(moving_mean_initializer=mean)(values)
        values = keras.layers.ReLU(name=f"block_{channels}")(values)
    return keras.Model(inputs, values)


@pytest.fixture(scope="module")
def tuning_data():
    """48 pictures to train with and 32 for validation, brighter ones in class 1."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 80).astype("int32")
    noise = generator.integers(0, 200, (80, 12, 12, 3), dtype=np.uint8)
    images = noise + 55 * labels[:, None, None, None].astype("uint8")
    return (images[:48], labels[:48]), (images[48:], labels[48:])


@pytest.fixture(scope="module")
def tuning_panel(tmp_path_factory, tuning_data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(bases, "load", small_base)
        yield panels.fine_tuning_panel("drawn", *tuning_data, depth=1)


def test_the_depth_is_shown_on_the_network(tuning_panel):
    tuning_panel.knobs["depth"].value = 1
    counted = tuning_panel.children[0].children[1].children[1]
    shallow, before = counted.value, tuning_panel.network.paint()
    tuning_panel.knobs["depth"].value = 2
    assert "block_4" in counted.value and counted.value != shallow
    assert tuning_panel.network.paint() != before
    frozen = counted.value
    tuning_panel.knobs["BatchNormalization"].value = "in training mode"
    assert f"{9 * 4 * 6 + 6 + 2 * 6 + 9 * 6 * 8 + 8 + 2 * 8:,} of" in counted.value
    tuning_panel.knobs["BatchNormalization"].value = "frozen"
    assert counted.value == frozen


@pytest.mark.parametrize(
    "settings",
    [
        {"depth": 1, "head": "trained", "BatchNormalization": "frozen"},
        {"depth": 1, "head": "fresh", "BatchNormalization": "in training mode"},
    ],
)
def test_the_code_of_fine_tuning_gives_the_panels_numbers(tuning_panel, tuning_data, settings):
    train(tuning_panel, epochs=1, batch_size=16, **settings)
    run = train(tuning_panel, epochs=2)
    split = collections.namedtuple("Split", "images labels")
    space = {"train": split(*tuning_data[0]), "validation": split(*tuning_data[1])}
    exec(tuning_panel.show_code(), space)
    for name, values in space["history"].history.items():
        assert getattr(run.epochs[-1], name) == pytest.approx(values[0], abs=5e-4), name
    assert len(run.epochs) == 2


def test_stopping_while_features_are_extracted(tuning_panel, monkeypatch):
    tuning_panel.knobs["depth"].value = 2  # whose activations are not kept yet
    asked = []

    def stop():
        asked.append(True)
        return True

    assert list(tuning_panel.runs._start(tuning_panel.settings, stop)) == []
    assert len(asked) == 1


def test_every_training_control_has_a_label_and_a_tooltip(head_panel, tuning_panel):
    for panel in (head_panel, tuning_panel):
        controls = [*panel.knobs.values(), *panel._buttons.values(), panel.pick]
        assert len(controls) >= 12
        for control in controls:
            assert control.description and control.tooltip, control


def open_figures():
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, Figure)]


def test_many_clicks_at_random_moments_leave_nothing_behind(head_panel):
    train(head_panel, epochs=20)
    chances = random.Random(0)
    others = open_figures()  # an earlier test's may still be held by somebody
    threads, memory = set(threading.enumerate()), psutil.Process().memory_info().rss
    for _ in range(40):
        stops = head_panel.runs.running and chances.random() < 0.7
        head_panel._buttons["stop" if stops else "train"].click()
        time.sleep(chances.random() * 0.06)
    head_panel.stop()
    head_panel.wait(10)
    assert set(threading.enumerate()) <= threads
    assert len(head_panel.runs.all) > 5
    assert {run.state for run in head_panel.runs.all} <= {"done", "stopped"}
    assert not [figure for figure in open_figures() if figure not in others]
    assert psutil.Process().memory_info().rss - memory < 150e6


# The threshold panel


def test_the_threshold_decides_precision_and_recall():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    logits = random.normal(size=(120, 1)) + 2 * labels[:, None] - 1
    panel = panels.threshold_panel(logits, labels, ("cat", "dog"))
    slider, said, image = panel.children
    before = image.value
    slider.value = 0.8
    predicted = 1 / (1 + np.exp(-logits[:, 0])) > 0.8
    assert (
        f"Predicted dog: {predicted.sum()}, {precision_score(labels, predicted):.3f}" in said.value
    )
    assert f"{recall_score(labels, predicted):.3f} are found (recall)" in said.value
    assert image.value != before
    slider.value = 1.0
    assert "Predicted dog: 0, no picture is" in said.value
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == panels.STILL and base64.b64decode(bundle["image/png"])
    assert slider.description and slider.tooltip


def test_a_threshold_needs_two_classes():
    with pytest.raises(ValueError, match=r"Received: logits of shape .* and 3 classes"):
        panels.threshold_panel(np.zeros((4, 3)), np.zeros(4, int), ("a", "b", "c"))
