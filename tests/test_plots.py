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
from helpers.evaluation import Accuracy, Comparison


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


def test_network_draws_a_bar_a_layer_as_high_as_its_parameters():
    ax = plots.network(nested())
    heights = [bar.get_height() for container in ax.containers for bar in container]
    assert heights == [40 + 16, 9, 16, 0]
    assert "65 trainable, 16 non-trainable" in ax.get_title()


def test_network_draws_some_layers_together_where_there_are_many():
    layers = [keras.layers.Dense(2, use_bias=False, name=f"dense_{number}") for number in range(40)]
    layers[-1].trainable = False
    ax = plots.network(keras.Sequential([keras.Input((2,)), *layers]))
    labels = [label.get_text() for label in ax.get_xticklabels()]
    heights = np.array([[bar.get_height() for bar in bars] for bars in ax.containers])
    assert labels[:3] == ["0", "3", "6"] and len(labels) == 16
    assert heights.sum(axis=1).tolist() == [39 * 4, 4]
    assert heights[:, -1].tolist() == [4, 4]  # the last two layers


def test_functions_draw_into_the_axes_given():
    _, ax = plt.subplots()
    assert plots.network(nested(), ax=ax) is ax
    assert plots.class_counts({"train": [3, 4]}, ["cat", "dog"], ax=ax) is ax
    assert plots.intervals({"one": Accuracy(9, 10)}, ax=ax) is ax


def test_class_counts_has_a_bar_a_class_and_split():
    ax = plots.class_counts({"train": [3, 4], "test": [1, 2]}, ["cat", "dog"])
    assert [bar.get_height() for bar in ax.patches] == [3, 4, 1, 2]


def test_pictures_fill_rows_and_hide_what_is_left_over():
    axes = plots.pictures([np.zeros((4, 4, 3))] * 4, ["one"], columns=3)
    assert axes.shape == (2, 3)
    assert [len(ax.images) for ax in axes.flat] == [1, 1, 1, 1, 0, 0]
    assert axes.flat[0].get_title() == "one"


def test_long_titles_wrap_and_get_room():
    name = "a name of a class with quite some words"
    plain = plots.pictures([np.zeros((4, 4, 3))], ["short\nsecond"], columns=1, side=1.4)
    axes = plots.pictures([np.zeros((4, 4, 3))], [f"{name}?\n{name}"], columns=1, side=1.4)
    lines = axes.flat[0].get_title().split("\n")
    assert " ".join(lines) == f"{name}? {name}"
    assert max(map(len, lines)) <= 18
    figure = axes.flat[0].figure
    assert figure.get_figheight() > plain.flat[0].figure.get_figheight()
    figure.draw_without_rendering()
    box = axes.flat[0].title.get_window_extent()
    assert box.y1 <= figure.bbox.y1 and box.x0 >= 0 and box.x1 <= figure.bbox.x1


def test_pairs_begin_at_nothing():
    for counts in ((0, 0), (1, 1), (3, 40)):
        ax = plots.pairs(Comparison(*counts, total=60))
        assert ax.get_xlim()[0] == 0 and ax.get_xlim()[1] > max(counts)
        assert all(tick == int(tick) for tick in ax.get_xticks())


def test_confusion_is_scikit_learns():
    random = np.random.default_rng(0)
    labels, predicted = random.integers(0, 5, (2, 100))
    ax = plots.confusion(labels, predicted, [f"class {number}" for number in range(5)])
    counts = confusion_matrix(labels, predicted)
    np.testing.assert_array_equal(ax.images[0].get_array(), counts)
    assert [text.get_text() for text in ax.texts] == [f"{count}" for count in counts.ravel()]


def test_confusion_shows_the_classes_that_are_mixed_up():
    labels = np.arange(40)
    predicted = np.where(labels == 30, 31, labels)
    names = [f"{number:02d}{' and more of its long name':38}" for number in range(40)]
    ax = plots.confusion(labels, predicted, names)
    shown = [tick.get_text()[:2] for tick in ax.get_yticklabels()]
    assert len(shown) == plots.MOST_CLASSES
    assert {"30", "31"} <= set(shown)
    ax.figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in ax.get_yticklabels()]
    assert min(box.x0 for box in boxes) >= 0  # whole names


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
    low, high = plots.intervals(
        {"one": accuracy, "two": accuracy}, colors=["red", "blue"]
    ).get_xlim()
    assert low > 0.9 and high < 1.02  # near 1, no empty axis from 0 on


def test_confusion_counts_as_scikit_learn_does_and_names_what_it_can():
    labels, predicted = np.random.default_rng(0).integers(0, 2, (2, 50))
    ax = plots.confusion(labels, predicted, ("cat", "dog"))
    expected = confusion_matrix(labels, predicted)
    np.testing.assert_array_equal(ax.images[0].get_array(), expected)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["cat", "dog"]


def test_confusion_of_many_classes_shows_those_with_most_mistakes():
    labels = np.repeat(np.arange(20), 5)
    predicted = np.where(labels < 6, 0, labels)  # classes 1 to 5 are taken for the first
    ax = plots.confusion(labels, predicted, [f"a class of its own, {n}" for n in range(20)])
    shown = [int(text.get_text()) for text in ax.get_xticklabels()]
    assert len(shown) == 15 and set(range(6)) <= set(shown)
    assert ax.get_yticklabels()[1].get_text() == "a class of its own, 1  1"


def test_reliability_shows_scikit_learns_curve_and_the_pictures_in_each_bin():
    random = np.random.default_rng(0)
    one, other = (random.dirichlet((1, 1), 300) for _ in range(2))
    labels = random.integers(0, 2, 300)
    axes = plots.reliability({"one": one, "other": other}, labels)
    assert [ax.get_title() for ax in axes[0]] == ["one", "other"]
    for probability, (above, below) in zip((one, other), axes.T, strict=True):
        right, sure = probability.argmax(axis=1) == labels, probability.max(axis=1)
        shares, means = calibration_curve(right, sure, n_bins=10)
        drawn = [line.get_xydata()[0] for line in above.lines[2::2]]
        np.testing.assert_allclose(drawn, np.stack([means, shares], axis=1))
        counts = np.histogram(sure, np.linspace(0, 1, 11))[0]
        assert [bar.get_height() for bar in below.patches] == counts[counts > 0].tolist()
        _, low_to_high = above.lines[1].get_data()
        assert low_to_high[0] < shares[0] < low_to_high[1]


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


def test_heat_maps_lie_over_their_pictures_and_leave_them_pale():
    images = np.full((3, 8, 8, 3), 128, "uint8")
    maps = np.random.default_rng(0).random((3, 8, 8))
    outlines = np.zeros((3, 8, 8), bool)
    outlines[:, 2:6, 2:6] = True
    axes = plots.heat_maps(images, {"one": maps, "other": maps[::-1]}, outlines)
    assert axes.shape == (3, 3) and [ax.get_ylabel() for ax in axes[1:, 0]] == ["one", "other"]
    np.testing.assert_array_equal(axes[1, 2].images[1].get_array(), maps[2])
    np.testing.assert_array_equal(axes[2, 2].images[1].get_array(), maps[0])
    assert len(axes[0, 0].images) == 1
    pale, heat = axes[1, 0].images
    assert pale.norm(pale.get_array()).min() > 0.5  # the animal is not darkened
    assert heat.get_alpha().max() < 1 and heat.get_alpha()[maps[0] < 0.1].max() < 0.1
    assert all(len(ax.collections) == 2 for ax in axes.flat)  # the outline, light and dark


def test_inside_shows_a_dot_a_picture_and_the_mean():
    shares = {"one": np.array([0.2, 0.4, np.nan]), "other": np.array([0.5, 0.5, 0.8])}
    ax = plots.inside(shares, chance=0.3)
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [0.2, 0.4])
    assert [text.get_text() for text in ax.texts] == ["mean 0.30", "mean 0.60"]
    assert ax.lines[-1].get_xdata() == [0.3, 0.3]


def test_threshold_counts_the_four_kinds():
    probability, labels = np.array([0.1, 0.6, 0.7, 0.4, 0.9]), np.array([0, 0, 1, 1, 1])
    figure = Figure()
    _, right = plots.threshold(probability, labels, 0.5, ("cat", "dog"), figure.subplots(1, 2))
    expected = confusion_matrix(labels, probability > 0.5)
    np.testing.assert_array_equal(right.images[0].get_array(), expected)
    assert [text.get_text() for text in right.texts] == ["1", "1", "1", "2"]


@pytest.mark.parametrize(("highest", "scale"), [(30e6, "linear"), (3000e6, "log")])
def test_accuracy_by_cost_names_each_point_and_spans_what_it_shows(highest, scale):
    accuracies = {"small": Accuracy(80, 100), "large": Accuracy(90, 100)}
    ax = plots.accuracy_by_cost({"small": 5e6, "large": highest}, accuracies, "cost")
    assert ax.get_xscale() == scale and ax.get_xlabel() == "cost, millions"
    assert {text.get_text(): text.xy for text in ax.texts} == {
        "small": (5, 0.8),
        "large": (highest / 1e6, 0.9),
    }
    low, high = ax.get_xlim()
    assert low < 5 and high > highest / 1e6


def test_logits_stack_the_wrong_answers_on_the_right_ones():
    ax = plots.logits(np.array([-3.0, -2.9, 2.0, 3.0]), np.array([0, 0, 1, 0]), within=4)
    heights = [sum(bar.get_height() for bar in bars) for bars in ax.containers]
    assert heights == [3, 1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["right", "wrong"]
