"""Figures: what they draw is what they were given."""

import keras
import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix

from helpers import plots
from helpers.evaluation import Accuracy


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def nested():
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, name="a"), keras.layers.BatchNormalization()],
        name="inner",
    )
    return keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(1, name="head")])


def test_network_draws_a_bar_a_layer_with_weights_as_wide_as_its_parameters():
    ax = plots.network(nested())
    widths = [bar.get_width() for container in ax.containers for bar in container]
    assert widths == [40, 16, 9, 0, 16, 0]
    assert "65 trainable, 16 non-trainable" in ax.get_title()


def test_functions_draw_into_the_axes_given():
    _, ax = plt.subplots()
    assert plots.network(nested(), ax=ax) is ax
    assert plots.class_counts({"train": [3, 4]}, ["cat", "dog"], ax=ax) is ax
    assert plots.intervals({"one": Accuracy(9, 10)}, ax=ax) is ax
    assert plots.sizes(np.array([[5, 6]]), np.array([0]), ["cat"], ax=ax) is ax


def test_class_counts_has_a_bar_a_class_and_split():
    ax = plots.class_counts({"train": [3, 4], "test": [1, 2]}, ["cat", "dog"])
    assert [bar.get_height() for bar in ax.patches] == [3, 4, 1, 2]


def test_sizes_plots_width_against_height():
    ax = plots.sizes(np.array([[10, 20], [30, 40]]), np.array([0, 1]), ["cat", "dog"])
    points = np.vstack([collection.get_offsets() for collection in ax.collections])
    assert points.tolist() == [[20, 10], [40, 30]]


def test_pictures_fill_rows_and_hide_what_is_left_over():
    axes = plots.pictures([np.zeros((4, 4, 3))] * 4, ["one"], columns=3)
    assert axes.shape == (2, 3)
    assert [len(ax.images) for ax in axes.flat] == [1, 1, 1, 1, 0, 0]
    assert axes.flat[0].get_title() == "one"


def test_learning_curves_draw_both_lines_and_the_mark():
    names = ("accuracy", "val_accuracy", "loss", "val_loss")
    history = {name: [0.1, 0.2, 0.3] for name in names}
    axes = plots.learning_curves(history, fine_tuning_from=2)
    assert [len(ax.lines) for ax in axes] == [3, 3]
    assert axes[0].lines[2].get_xdata()[0] == 2.5
    assert axes[0].lines[0].get_xdata().tolist() == [1, 2, 3]


def test_intervals_draw_the_interval():
    accuracy = Accuracy(490, 500)
    ax = plots.intervals({"frozen": accuracy})
    assert tuple(ax.lines[0].get_xdata()) == accuracy.interval


def test_feature_maps_share_one_scale():
    block = np.random.default_rng(0).uniform(0, 6, (5, 5, 20))
    axes = plots.feature_maps(block, [3, 7, 9])
    assert {image.get_clim() for ax in axes.flat for image in ax.images} == {
        (0.0, block[..., [3, 7, 9]].max())
    }


def test_reliability_shows_scikit_learns_curve():
    random = np.random.default_rng(0)
    probability = random.dirichlet((1, 1), 300)
    labels = random.integers(0, 2, 300)
    ax = plots.reliability(probability, labels, "one")
    plots.reliability(probability[:150], labels[:150], "other", ax)
    right, sure = probability.argmax(axis=1) == labels, probability.max(axis=1)
    shares, means = calibration_curve(right, sure, n_bins=10)
    np.testing.assert_allclose(ax.lines[1].get_xydata(), np.stack([means, shares], axis=1))
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["as sure as it is right", "one", "other"]
    assert ax.lines[1].get_color() != ax.lines[2].get_color()


def test_accuracy_by_count_has_a_line_a_way_and_a_dot_a_run():
    runs = {
        "frozen": {100: [Accuracy(90, 100), Accuracy(94, 100)], 25: [Accuracy(80, 100)]},
        "scratch": {25: [Accuracy(50, 100)], 100: [Accuracy(52, 100)]},
    }
    ax = plots.accuracy_by_count(runs)
    line = ax.lines[0]
    np.testing.assert_allclose(line.get_xydata(), [[25, 0.80], [100, 0.92]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["frozen", "scratch"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["25", "100"]


def test_heat_maps_lie_over_their_pictures():
    images = np.full((3, 8, 8, 3), 128, "uint8")
    maps = np.random.default_rng(0).random((3, 8, 8))
    axes = plots.heat_maps(images, maps, ["a", "b", "c"])
    assert axes.shape == (2, 3) and [ax.get_title() for ax in axes[0]] == ["a", "b", "c"]
    np.testing.assert_array_equal(axes[1, 2].images[1].get_array(), maps[2])
    assert len(axes[0, 0].images) == 1


def test_threshold_counts_the_four_kinds():
    probability, labels = np.array([0.1, 0.6, 0.7, 0.4, 0.9]), np.array([0, 0, 1, 1, 1])
    figure = Figure()
    _, right = plots.threshold(probability, labels, 0.5, ("cat", "dog"), figure.subplots(1, 2))
    expected = confusion_matrix(labels, probability > 0.5)
    np.testing.assert_array_equal(right.images[0].get_array(), expected)
    assert [text.get_text() for text in right.texts] == ["1", "1", "1", "2"]


def test_accuracy_by_cost_puts_what_has_no_accuracy_below():
    ax = plots.accuracy_by_cost(
        {"small": 1e6, "large": 1e9, "unknown": 1e8},
        {"small": Accuracy(90, 100), "large": Accuracy(95, 100)},
        "multiply-adds",
    )
    assert ax.get_xscale() == "log"
    lines = [line.get_xydata().tolist() for line in ax.lines]
    assert [[1e6, 0.9]] in lines
    assert [[1e9, low] for low in Accuracy(95, 100).interval] in lines
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["small", "large"]
    below = next(text for text in ax.texts if text.get_text() == "unknown")
    assert below.xy[0] == 1e8
    assert below.xy[1] < 0.3  # as a share of the height
    assert "cost only" in ax.texts[-1].get_text()
    assert ax.get_ylim()[0] < Accuracy(90, 100).interval[0] - 0.05


def test_accuracy_by_cost_needs_no_room_where_all_have_an_accuracy():
    ax = plots.accuracy_by_cost({"one": 10}, {"one": Accuracy(9, 10)}, "cost")
    assert not ax.texts
