"""The figures of the lessons: one function a figure, each takes matplotlib axes and returns them.

Colours are Okabe and Ito's, which keep apart for the colour-blind; where two colours carry
meaning, a legend names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    from matplotlib.axes import Axes

    from helpers.evaluation import Accuracy
    from helpers.training import Epoch

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"


def _axes(ax: Axes | None, width: float = 7.0, height: float = 4.0) -> Axes:
    """The axes given, or new ones of this size in inches."""
    import matplotlib.pyplot as plt

    if ax is not None:
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def network(model: keras.Model, ax: Axes | None = None) -> Axes:
    """A bar a layer from the input (top) to the output: its width the count of its parameters.

    Only layers that hold weights are drawn; models inside the model are opened. A layer with
    both kinds of weights gets a bar in two colours.
    """
    from helpers.weights import count, leaf_layers

    rows = [(layer.name, count(layer)) for layer in leaf_layers(model) if layer.weights]
    ax = _axes(ax, 7.0, min(0.6 + 0.3 * len(rows), 6.0))
    position = np.arange(len(rows))
    trainable = np.array([counts.trainable for _, counts in rows])
    frozen = np.array([counts.non_trainable for _, counts in rows])
    ax.barh(position, trainable, height=0.9, color=ORANGE, label="trainable")
    ax.barh(position, frozen, left=trainable, height=0.9, color=BLUE, label="non-trainable")
    few = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), 16)).astype(int))
    ax.set_yticks(few, [rows[index][0] for index in few])
    ax.invert_yaxis()
    ax.set_xlabel("parameters")
    ax.locator_params(axis="x", nbins=4)  # six digits side by side
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_title(f"{model.name}: {trainable.sum():,} trainable, {frozen.sum():,} non-trainable")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return ax


def pictures(
    images: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    columns: int = 3,
    title_colors: Sequence[str] = (),
    side: float = 2.2,
) -> np.ndarray:
    """A grid of pictures, `(height, width, 3)` each, uint8 or float from 0 to 255.

    Returns:
        The array of matplotlib axes, rows by columns.
    """
    import matplotlib.pyplot as plt

    rows = -(-len(images) // columns)
    _, axes = plt.subplots(
        rows,
        columns,
        figsize=(side * columns, (side + (0.25 if titles else 0.0)) * rows),
        squeeze=False,
        layout="constrained",
    )
    for index, ax in enumerate(axes.flat):
        ax.axis("off")
        if index < len(images):
            ax.imshow(np.clip(np.asarray(images[index]), 0, 255).astype("uint8"))
        if index < min(len(titles), len(images)):
            color = title_colors[index] if index < len(title_colors) else "black"
            ax.set_title(titles[index], fontsize=9, color=color, parse_math=False)
    return axes


def sizes(
    height_width: np.ndarray, labels: np.ndarray, class_names: Sequence[str], ax: Axes | None = None
) -> Axes:
    """A point a picture: `(n, 2)` original heights and widths in pixels, coloured by class."""
    ax = _axes(ax, 6.0, 4.5)
    colors = [BLUE, ORANGE, GREEN, RED, GREY]
    for index, name in enumerate(class_names):
        chosen = height_width[labels == index]
        ax.scatter(chosen[:, 1], chosen[:, 0], s=8, alpha=0.5, color=colors[index % 5], label=name)
    ax.set_xlabel("width (pixels)")
    ax.set_ylabel("height (pixels)")
    ax.set_title("Original sizes of the pictures")
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    if len(class_names) <= 10:
        ax.legend()
    return ax


def class_counts(
    counts: Mapping[str, Sequence[int]], class_names: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Bars of pictures per class, a group of bars a split: `counts[split][class]`."""
    ax = _axes(ax, 6.0, 3.2)
    position = np.arange(len(class_names))
    width = 0.8 / len(counts)
    for index, (split, numbers) in enumerate(counts.items()):
        left = position + (index - (len(counts) - 1) / 2) * width
        bars = ax.bar(left, numbers, width * 0.95, label=split, color=[BLUE, ORANGE, GREEN][index])
        ax.bar_label(bars, fontsize=8)
    ax.set_xticks(position, class_names)
    ax.set_ylabel("pictures")
    ax.set_title("Pictures per class")
    ax.margins(y=0.12)
    ax.legend()
    return ax


def learning_curves(
    history: Mapping[str, Sequence[float]], fine_tuning_from: int | None = None
) -> np.ndarray:
    """Accuracy and loss by epoch, training and validation, side by side.

    Args:
        history: Keras's `history.history` with `accuracy`, `val_accuracy`, `loss`, `val_loss`.
        fine_tuning_from: the number of epochs after which fine-tuning starts; a line is drawn.

    Returns:
        The two matplotlib axes.
    """
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2, figsize=(8.5, 3.4), layout="constrained")
    for ax, key, title in zip(axes, ("accuracy", "loss"), ("Accuracy", "Loss"), strict=True):
        epochs = np.arange(1, len(history[key]) + 1)
        ax.plot(epochs, history[key], "o--", color=BLUE, label="training")
        ax.plot(epochs, history[f"val_{key}"], "o-", color=ORANGE, label="validation")
        if fine_tuning_from:
            ax.axvline(fine_tuning_from + 0.5, color=GREY, linestyle=":")
            ax.annotate(
                " fine-tuning",
                (fine_tuning_from + 0.5, 0.5),
                xycoords=("data", "axes fraction"),
                color="#555555",
            )
        ax.set_title(title)
        ax.set_xlabel("epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
    return axes


def compared_runs(runs: Mapping[str, Mapping[str, Sequence[float]]]) -> np.ndarray:
    """Validation accuracy and loss by epoch, a line a run.

    Args:
        runs: by the name of a run, Keras's `history.history` with `val_accuracy` and `val_loss`.

    Returns:
        The two matplotlib axes.
    """
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2, figsize=(8.5, 3.4), layout="constrained")
    titles = {"val_accuracy": "Validation accuracy", "val_loss": "Validation loss"}
    looks = [(BLUE, "o-"), (ORANGE, "s-"), (GREEN, "^-"), (RED, "D-"), (GREY, "v-")]
    for ax, (key, title) in zip(axes, titles.items(), strict=True):
        for index, (name, history) in enumerate(runs.items()):
            color, marks = looks[index % len(looks)]
            epochs = np.arange(1, len(history[key]) + 1)
            ax.plot(epochs, history[key], marks, color=color, label=name)
        ax.set_title(title)
        ax.set_xlabel("epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0].legend()
    return axes


def run_curves(runs: Sequence[tuple[int, Sequence[Epoch]]], axes: Sequence[Axes]) -> Sequence[Axes]:
    """Accuracy and loss of the last run by epoch, with the validation of earlier ones in grey.

    Args:
        runs: pairs of a run's number and its epochs so far.
        axes: two matplotlib axes.
    """
    for ax, key, title in zip(axes, ("accuracy", "loss"), ("Accuracy", "Loss"), strict=True):
        for number, epochs in runs:
            steps = [epoch.number for epoch in epochs]
            validated = [getattr(epoch, f"val_{key}") for epoch in epochs]
            if number != runs[-1][0]:
                ax.plot(steps, validated, "-", color=GREY, linewidth=1)
                ax.annotate(f"{number}", (steps[-1], validated[-1]), color="#555555", fontsize=8)
                continue
            trained = [getattr(epoch, key) for epoch in epochs]
            ax.plot(steps, trained, "o--", color=BLUE, label=f"training, run {number}")
            ax.plot(steps, validated, "o-", color=ORANGE, label=f"validation, run {number}")
        ax.set_title(title, y=1.0)  # where it stands anyway; to find out takes a fifth of the time
        ax.set_xlabel("epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    if runs:
        axes[0].legend(fontsize=8)
    return axes


def feature_maps(block: np.ndarray, channels: Sequence[int]) -> np.ndarray:
    """A few channels of a block of features, `(rows, columns, channels)`, on one grey scale."""
    import matplotlib.pyplot as plt

    columns = min(len(channels), 8)
    rows = -(-len(channels) // columns)
    _, axes = plt.subplots(
        rows, columns, figsize=(1.05 * columns, 1.3 * rows), squeeze=False, layout="constrained"
    )
    top = float(block[..., list(channels)].max())
    for ax, channel in zip(axes.flat, channels, strict=False):
        ax.imshow(block[..., channel], cmap="gray", vmin=0, vmax=top)
        ax.set_title(f"{channel}", fontsize=8)
    for ax in axes.flat:
        ax.axis("off")
    return axes


def intervals(accuracies: Mapping[str, Accuracy], ax: Axes | None = None) -> Axes:
    """A dot and a bar a row: an accuracy and its 95 % interval."""
    ax = _axes(ax, 7.0, 1.0 + 0.5 * len(accuracies))
    for row, accuracy in enumerate(accuracies.values()):
        ax.plot(accuracy.interval, [row, row], color=BLUE, linewidth=4, solid_capstyle="butt")
        ax.plot([accuracy.value], [row], "o", color=ORANGE, markeredgecolor="black")
        above: dict[str, Any] = {"xytext": (0, 8), "textcoords": "offset points", "ha": "center"}
        ax.annotate(f"{accuracy.value:.3f}", (accuracy.value, row), **above)
    ax.set_yticks(range(len(accuracies)), list(accuracies))
    ax.set_ylim(len(accuracies) - 0.5, -0.8)
    ax.set_xlabel("accuracy, with its 95 % interval")
    ax.grid(axis="x", color="#dddddd")
    ax.set_axisbelow(True)
    return ax


def reliability(
    probability: np.ndarray, labels: np.ndarray, name: str = "", ax: Axes | None = None
) -> Axes:
    """The share of right answers against the probability of the predicted class.

    Args:
        probability: `(n, classes)`.
        labels: int `(n,)`.
        name: what the legend calls this model.
        ax: to add a model to a figure.
    """
    from sklearn.calibration import calibration_curve

    if ax is None:
        ax = _axes(None, 5.0, 4.0)
        ax.plot([0, 1], [0, 1], ":", color=GREY, label="as sure as it is right")
        ax.set_xlabel("probability of the predicted class")
        ax.set_ylabel("share that is right")
        ax.set_title("Can you trust the probability?")
        ax.set_xlim(0.45 if probability.shape[1] == 2 else 0.0, 1.02)
        ax.set_ylim(0, 1.02)
    right = probability.argmax(axis=1) == labels
    shares, means = calibration_curve(right, probability.max(axis=1), n_bins=10)
    ax.plot(means, shares, "o-", color=[GREEN, BLUE, ORANGE][len(ax.lines) % 3], label=name)
    ax.legend()
    return ax


def accuracy_by_count(
    runs: Mapping[str, Mapping[int, Sequence[Accuracy]]], ax: Axes | None = None
) -> Axes:
    """Accuracy against the number of training pictures, a line a way to train.

    Args:
        runs: for each way, by number of pictures, the accuracies of its runs: each is a dot, the
            line runs through their means, the band through their intervals.
        ax: where to draw.
    """
    ax = _axes(ax, 7.0, 4.0)
    for (name, by_count), color in zip(runs.items(), (BLUE, ORANGE, GREEN, RED), strict=False):
        counts = sorted(by_count)
        each = [by_count[count] for count in counts]
        means = [np.mean([one.value for one in found]) for found in each]
        low = [min(one.interval[0] for one in found) for found in each]
        high = [max(one.interval[1] for one in found) for found in each]
        ax.fill_between(counts, low, high, color=color, alpha=0.15, linewidth=0)
        ax.plot(counts, means, "-", color=color, label=name)
        for count, found in zip(counts, each, strict=True):
            ax.plot([count] * len(found), [one.value for one in found], "o", color=color, ms=3)
    ax.set_xscale("log")
    ticks = sorted({count for by_count in runs.values() for count in by_count})
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("training pictures")
    ax.set_ylabel("test accuracy")
    ax.set_title("What the number of pictures is worth")
    ax.grid(axis="y", color="#dddddd")
    ax.legend()
    return ax


def accuracy_by_cost(
    costs: Mapping[str, float],
    accuracies: Mapping[str, Accuracy],
    label: str,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy against what it costs, a point a network; without an accuracy only the cost.

    Args:
        costs: for each network, above 0; drawn on a logarithmic axis.
        accuracies: of those networks that have one.
        label: what the cost is.
        ax: where to draw.
    """
    ax = _axes(ax, 7.5, 4.8)
    colors = (BLUE, ORANGE, GREEN, RED, GREY)
    for row, (name, accuracy) in enumerate(accuracies.items()):
        at, color = costs[name], colors[row % len(colors)]
        ax.plot([at, at], accuracy.interval, color=color, linewidth=3, solid_capstyle="butt")
        drawn: dict[str, Any] = {"color": color, "markeredgecolor": "black", "label": name}
        drawn |= {"linestyle": "none", "marker": "osD^vP*X"[row % 8], "markersize": 8}
        ax.plot([at], [accuracy.value], **drawn)
    others = sorted((cost, name) for name, cost in costs.items() if name not in accuracies)
    for row, (at, name) in enumerate(others):
        # In a band of their own below the accuracies, one above the other where they are close.
        height = 0.04 + 0.06 * (row % 4)
        place: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot([at], [height], "|", color="black", markersize=12, **place)
        beside: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(name, (at, height), xycoords=place["transform"], fontsize=8, **beside)
    ax.set_xscale("log")
    ax.margins(x=0.2, y=0.2)
    _room_below(ax, others=bool(others))
    ax.legend(loc="upper right")
    ax.set_xlabel(f"{label} (logarithmic)")
    ax.set_ylabel("accuracy, with its 95 % interval")
    ax.grid(axis="y", color="#dddddd")
    ax.set_axisbelow(True)
    return ax


def _room_below(ax: Axes, others: bool) -> None:
    """Keep the lower third for networks without an accuracy, and say what they are."""
    if not others:
        return
    low, high = ax.get_ylim()
    bottom = low - 0.55 * (high - low)
    ax.set_ylim(bottom, high)
    ax.set_yticks([tick for tick in ax.get_yticks() if low <= tick <= high])
    ax.axhline(low, color=GREY, linestyle=":")
    text = "weights not on this machine: cost only"
    ax.text(0.01, 0.32, text, transform=ax.transAxes, fontsize=8, color="#555555", va="top")


def heat_maps(
    images: Sequence[np.ndarray], maps: Sequence[np.ndarray], titles: Sequence[str] = ()
) -> np.ndarray:
    """Pictures in a row, and below each the same with its heat map over it.

    Args:
        images: `(height, width, 3)` each, values from 0 to 255.
        maps: `(height, width)` each, from 0 to 1.
        titles: one a picture.

    Returns:
        The array of matplotlib axes, two rows.
    """
    import matplotlib.pyplot as plt

    columns = len(images)
    size = 1.5 * columns, 3.2
    _, axes = plt.subplots(2, columns, figsize=size, squeeze=False, layout="constrained")
    for column, (image, heat) in enumerate(zip(images, maps, strict=True)):
        for ax in axes[:, column]:
            ax.imshow(np.clip(np.asarray(image), 0, 255).astype("uint8"))
            ax.axis("off")
        axes[1, column].imshow(heat, cmap="inferno", alpha=0.6, vmin=0, vmax=1)
        if titles:
            axes[0, column].set_title(titles[column], fontsize=9)
    return axes


def threshold(
    probability: np.ndarray,
    labels: np.ndarray,
    at: float,
    names: Sequence[str],
    axes: Sequence[Axes],
) -> Sequence[Axes]:
    """The probabilities of class 1 by true class with the threshold, and the four counts.

    Args:
        probability: of class 1, `(n,)`.
        labels: int `(n,)`, 0 or 1.
        at: the threshold.
        names: of the two classes.
        axes: two matplotlib axes.
    """
    left, right = axes
    bins = np.linspace(0, 1, 21).tolist()
    for label, color in ((0, BLUE), (1, ORANGE)):
        chosen = probability[labels == label]
        left.hist(chosen, bins, color=color, alpha=0.6, label=f"labelled {names[label]}")
    left.axvline(at, color="black", linestyle="--", label="threshold")
    left.set_yscale("symlog")
    left.set_xlabel(f"probability of {names[1]}")
    left.set_ylabel("pictures (logarithmic)")
    left.legend(fontsize=8)
    counts = np.zeros((2, 2), int)
    np.add.at(counts, (labels, (probability > at).astype(int)), 1)
    right.imshow(counts, cmap="Blues", vmin=0, vmax=2 * counts.max())
    for (row, column), count in np.ndenumerate(counts):
        right.text(column, row, f"{count}", ha="center", va="center", fontsize=14)
    right.set_xticks([0, 1], [f"predicted {name}" for name in names])
    right.set_yticks([0, 1], [f"labelled\n{name}" for name in names])
    right.set_title(f"threshold {at:.2f}")
    return axes
