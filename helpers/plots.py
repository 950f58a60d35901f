"""The figures of the lessons: one function a figure, each takes matplotlib axes and returns them.

One look (`course.mplstyle`), and one meaning a colour in figures, diagrams and panels. Colours keep
apart for the colour-blind, and a legend, a mark or a place says the same.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import keras
    from matplotlib.axes import Axes

    from helpers.evaluation import Accuracy, Comparison
    from helpers.pictures import PictureSet
    from helpers.training import Epoch

STYLE = Path(__file__).with_name("course.mplstyle")
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"
FROZEN, TRAINABLE = BLUE, ORANGE
TRAINING, VALIDATION, TEST = "#4D4D4D", "#AA4499", "#332288"
RIGHT, WRONG = GREEN, RED
NOTE = "#555555"
CLASSES = "#88CCEE", "#DDCC77"  # the first and the second of two
MOST_CLASSES = 15  # of a confusion matrix that can be read
SPLITS = {"train": TRAINING, "validation": VALIDATION, "test": TEST}

Draw = TypeVar("Draw", bound=Callable[..., Any])


def styled(draw: Draw) -> Draw:
    """Give what a function draws the course's look, and nothing else."""

    @wraps(draw)
    def inside(*arguments: Any, **options: Any) -> Any:
        with style():
            return draw(*arguments, **options)

    return inside  # type: ignore[return-value]


@contextmanager
def style() -> Iterator[None]:
    """The course's look for what is drawn under `with`.

    Not `matplotlib.rc_context`: that would also take back what a notebook's backend sets when the
    first figure is made, and no later figure would be shown.
    """
    import matplotlib

    settings: Any = matplotlib.rcParams
    look = _style()
    before = {name: settings[name] for name in look}
    settings.update(look)
    try:
        yield
    finally:
        settings.update(before)


@cache
def _style() -> dict[str, Any]:
    """The settings of the style file."""
    import matplotlib

    found: Any = matplotlib.rc_params_from_file(STYLE, use_default_template=False)
    return dict(found)


def _axes(ax: Axes | None, width: float = 7.0, height: float = 4.0) -> Axes:
    """The axes given, or new ones of this size in inches."""
    import matplotlib.pyplot as plt

    if ax is not None:
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


@styled
def network(model: keras.Model, ax: Axes | None = None) -> Axes:
    """Where a network has its parameters, and which train: from the input (left) to the output.

    A bar a layer, or from 16 layers on one for every few that follow each other; on the axis stands
    the number of the first in `model.layers`. A bar with both kinds of weights has two colours.
    """
    from helpers.weights import count

    groups = np.array_split(np.arange(len(model.layers)), min(len(model.layers), 16))
    counts = [[count(model.layers[number]) for number in group] for group in groups]
    trainable, frozen = (
        np.array([sum(getattr(one, kind) for one in group) for group in counts])
        for kind in ("trainable", "non_trainable")
    )
    ax = _axes(ax, 7.5, 2.6)
    position = np.arange(len(groups))
    ax.bar(position, trainable, width=0.85, color=TRAINABLE, label="trainable")
    ax.bar(position, frozen, bottom=trainable, width=0.85, color=FROZEN, label="non-trainable")
    ax.set_xticks(position, [str(group[0]) for group in groups])
    ax.set_xlabel("number of the first layer")
    ax.set_ylabel("parameters")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_title(f"{model.name}: {trainable.sum():,} trainable, {frozen.sum():,} non-trainable")
    ax.legend(loc="upper left", frameon=False)
    return ax


@styled
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
    titles = [_wrapped(title, side) for title in titles]
    above = 0.25 + 0.25 * max([title.count("\n") - 1 for title in titles] + [0])
    _, axes = plt.subplots(
        rows,
        columns,
        figsize=(side * columns, (side + (above if titles else 0.0)) * rows),
        squeeze=False,
        layout="constrained",
    )
    for index, ax in enumerate(axes.flat):
        ax.axis("off")
        ax.set_anchor("S")  # what is left over lies above, where the title is
        if index < len(images):
            ax.imshow(np.clip(np.asarray(images[index]), 0, 255).astype("uint8"))
        if index < min(len(titles), len(images)):
            color = title_colors[index] if index < len(title_colors) else "black"
            ax.set_title(titles[index], fontsize=9, color=color, parse_math=False)
    return axes


def _wrapped(title: str, inches: float) -> str:
    """A title in lines that are no wider than this, at the size that pictures have."""
    letters = int(12 * inches)
    return "\n".join(textwrap.fill(line, letters) for line in title.split("\n"))


@styled
def predictions(
    images: Sequence[np.ndarray],
    predicted: Sequence[int],
    probabilities: np.ndarray,
    labels: Sequence[int],
    class_names: Sequence[str],
) -> np.ndarray:
    """Pictures with what was predicted of them: a frame, and a mark, for right and for wrong.

    Args:
        images: `(n, height, width, 3)` of 0 to 255.
        predicted: the predicted class of each.
        probabilities: of each class, `(n, classes)`.
        labels: what each is labelled; where it differs, it stands in the title.
        class_names: by label.

    Returns:
        The array of matplotlib axes, rows by columns.
    """
    right = [int(answer) == int(label) for answer, label in zip(predicted, labels, strict=True)]
    titles = []
    for row, answer in enumerate(predicted):
        mark = "✓" if right[row] else "✗"
        said = f"{mark} {class_names[answer]} {probabilities[row, answer]:.2f}"
        titles.append(said if right[row] else f"{said}, labelled {class_names[int(labels[row])]}")
    colors = [RIGHT if each else WRONG for each in right]
    axes = pictures(images, titles, title_colors=colors)
    for ax, color in zip(axes.flat, colors, strict=False):
        ax.axis("on")
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set(color=color, linewidth=3, visible=True)
    return axes


@styled
def pairs(
    comparison: Comparison,
    names: tuple[str, str] = ("frozen", "fine-tuned"),
    ax: Axes | None = None,
) -> Axes:
    """Two models on the same pictures: where just one is right, and the difference in accuracy.

    Args:
        comparison: of the first model with the second.
        names: of the two.
        ax: where to draw the two bars.
    """
    ax = _axes(ax, 7.0, 2.0)
    counts = comparison.only_first, comparison.only_second
    bars = ax.barh([0, 1], counts, color=[FROZEN, TRAINABLE], height=0.6)
    ax.bar_label(bars, padding=4)
    ax.set_yticks([0, 1], [f"only {name} is right" for name in names])
    ax.invert_yaxis()
    ax.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    ax.set_xlim(0, 1.1 * max(1, *counts))
    low, high = (100 * end for end in comparison.interval)
    ax.set_title(
        f"{names[1]} less {names[0]}: {100 * comparison.difference:+.1f} points "
        f"(95 % interval {low:+.1f} to {high:+.1f})",
        loc="left",
    )
    ax.set_xlabel(f"of {comparison.total:,} pictures")
    ax.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    return ax


@styled
def times(milliseconds: Mapping[str, float], ax: Axes | None = None) -> Axes:
    """A bar a step, on a logarithmic axis: how many milliseconds a picture takes."""
    ax = _axes(ax, 7.5, 0.9 + 0.42 * len(milliseconds))
    colors = [GREY if name.startswith("article") else BLUE for name in milliseconds]
    bars = ax.barh(list(milliseconds), list(milliseconds.values()), color=colors, height=0.65)
    ax.bar_label(bars, [f"{value:,.3g} ms" for value in milliseconds.values()], padding=4)
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.margins(x=0.12)
    ax.set_xlabel("milliseconds a picture (logarithmic)")
    return ax


@styled
def loaded(found: PictureSet, axes: Sequence[Axes] | None = None) -> Sequence[Axes]:
    """How many pictures each class has in each split, and how large the originals are.

    Args:
        found: what `helpers.pictures.load` gives.
        axes: two, or None for new ones.
    """
    import matplotlib.pyplot as plt

    if axes is None:
        height = max(2.6, 0.8 + 0.28 * len(found.class_names))
        axes = plt.subplots(1, 2, figsize=(8.5, height), layout="constrained")[1]
    bars, sizes = axes
    left = np.zeros(len(found.class_names))
    for part, color in SPLITS.items():
        split = getattr(found, part)
        count = np.bincount(split.labels, minlength=len(found.class_names))
        bars.barh(found.class_names, count, left=left, color=color, label=part)
        sizes.scatter(split.sizes[:, 1], split.sizes[:, 0], s=12, alpha=0.5, color=color)
        left += count
    bars.invert_yaxis()
    bars.set_xlabel("pictures")
    bars.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    sizes.set_xlabel("width of the original in pixels")
    sizes.set_ylabel("height")
    sizes.set_xlim(left=0)
    sizes.set_ylim(bottom=0)
    return axes


@styled
def class_counts(
    counts: Mapping[str, Sequence[int]], class_names: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Bars of pictures per class, a group of bars a split: `counts[split][class]`."""
    ax = _axes(ax, 6.0, 3.2)
    position = np.arange(len(class_names))
    width = 0.8 / len(counts)
    for index, (split, numbers) in enumerate(counts.items()):
        left = position + (index - (len(counts) - 1) / 2) * width
        color = SPLITS.get(split, GREY)
        bars = ax.bar(left, numbers, width * 0.95, label=split, color=color)
        ax.bar_label(bars, fontsize=8)
    ax.set_xticks(position, class_names)
    ax.set_ylabel("pictures")
    ax.set_title("Pictures per class")
    ax.margins(y=0.12)
    ax.legend()
    return ax


@styled
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
        ax.plot(epochs, history[key], "o--", color=TRAINING, label="training")
        ax.plot(epochs, history[f"val_{key}"], "o-", color=VALIDATION, label="validation")
        if fine_tuning_from:
            ax.axvline(fine_tuning_from + 0.5, color=GREY, linestyle=":")
            ax.annotate(
                " fine-tuning",
                (fine_tuning_from + 0.5, 0.5),
                xycoords=("data", "axes fraction"),
                color=NOTE,
            )
        ax.set_title(title)
        ax.set_xlabel("epoch")
        ax.grid(axis="y")
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0].legend()
    return axes


@styled
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
                ax.annotate(f"{number}", (steps[-1], validated[-1]), color=NOTE, fontsize=8)
                continue
            trained = [getattr(epoch, key) for epoch in epochs]
            ax.plot(steps, trained, "o--", color=TRAINING, label=f"training, run {number}")
            ax.plot(steps, validated, "o-", color=VALIDATION, label=f"validation, run {number}")
        ax.set_title(title, y=1.0)  # where it stands anyway; to find out takes a fifth of the time
        ax.set_xlabel("epoch")
        ax.grid(axis="y")
        ax.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    if runs:
        axes[0].legend(fontsize=8)
    return axes


@styled
def intervals(
    accuracies: Mapping[str, Accuracy], ax: Axes | None = None, colors: Sequence[str] = ()
) -> Axes:
    """A dot and a bar a row: an accuracy and its 95 % interval; `colors` of the bars, in turn."""
    ax = _axes(ax, 7.0, 1.0 + 0.5 * len(accuracies))
    for row, accuracy in enumerate(accuracies.values()):
        color = colors[row % len(colors)] if colors else GREY
        ax.plot(accuracy.interval, [row, row], color=color, linewidth=4, solid_capstyle="butt")
        ax.plot([accuracy.value], [row], "o", color="white", markeredgecolor="black")
        above: dict[str, Any] = {"xytext": (0, 8), "textcoords": "offset points", "ha": "center"}
        ax.annotate(f"{accuracy.value:.3f}", (accuracy.value, row), **above)
    ax.set_yticks(range(len(accuracies)), list(accuracies))
    ax.set_ylim(len(accuracies) - 0.5, -0.8)
    ax.set_xlabel("accuracy, with its 95 % interval")
    ax.grid(axis="x")
    return ax


@styled
def confusion(
    labels: np.ndarray, predicted: np.ndarray, class_names: Sequence[str], ax: Axes | None = None
) -> Axes:
    """A table of counts: a row a class as labelled, a column a class as predicted.

    Where names are long or many, columns have numbers instead, which stand at the rows, too. Of
    more than 15 classes only the 15 with the most mistakes are shown.

    Args:
        labels, predicted: int `(n,)`.
        class_names: by label.
        ax: where to draw.
    """
    counts = np.zeros((len(class_names), len(class_names)), int)
    np.add.at(counts, (labels, predicted), 1)
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    shown = np.sort(np.argsort(-mistakes, kind="stable")[:MOST_CLASSES])
    counts = counts[np.ix_(shown, shown)]
    size = 0.5 * len(shown)
    ax = _axes(ax, 4.5 + size, 1.3 + size)
    ax.imshow(counts, cmap="Blues", vmin=0, vmax=max(1, counts.max()))
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if count > 0.6 * counts.max() else "black"
        ax.text(column, row, f"{count}" if count else "·", ha="center", va="center", color=color)
    names = [class_names[label] for label in shown]
    short = len(shown) <= 4 and max(map(len, names)) <= 8
    numbered = [f"{name}  {label}" for name, label in zip(names, shown, strict=True)]
    ax.set_xticks(range(len(shown)), names if short else [f"{label}" for label in shown])
    ax.set_yticks(range(len(shown)), names if short else numbered)
    ax.set_xlabel("predicted")
    ax.set_ylabel("labelled")
    return ax


@styled
def reliability(models: Mapping[str, np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Above, the share of right answers by the probability given; below, the pictures in each bin.

    Args:
        models: by name, probabilities `(n, classes)`: of a frozen, a fine-tuned, and another model.
        labels: int `(n,)`.

    Returns:
        The array of matplotlib axes, two rows, a column a model. A bin's share has its 95 %
        interval; a bin without pictures has no dot.
    """
    import matplotlib.pyplot as plt

    size: dict[str, Any] = {"figsize": (1.0 + 2.8 * len(models), 4.4), "height_ratios": (3, 1)}
    size |= {"sharex": True, "sharey": "row", "squeeze": False, "layout": "constrained"}
    _, axes = plt.subplots(2, len(models), **size)
    for column, (name, probability) in enumerate(models.items()):
        _reliability_of(probability, labels, (FROZEN, TRAINABLE, GREY)[column % 3], axes[:, column])
        axes[0, column].set_title(name)
    axes[1, len(models) // 2].set_xlabel("probability of the predicted class")
    axes[0, 0].set_ylabel("share that is right")
    axes[1, 0].set_ylabel("pictures")
    axes[1, 0].margins(y=0.35)
    axes[0, 0].legend(loc="lower right", fontsize=8)
    return axes


def _reliability_of(
    probability: np.ndarray, labels: np.ndarray, color: str, axes: Sequence[Axes]
) -> None:
    """One model's column."""
    from helpers.evaluation import Accuracy

    above, below = axes
    sure = probability.max(axis=1)
    right = probability.argmax(axis=1) == labels
    which = np.minimum((sure * 10).astype(int), 9)
    above.plot([0, 1], [0, 1], ":", color=NOTE, label="as sure as it is right")
    for one in np.unique(which):
        inside = which == one
        found = Accuracy(int(right[inside].sum()), int(inside.sum()))
        mean = sure[inside].mean()
        above.plot([mean, mean], found.interval, color=color, linewidth=2, alpha=0.5)
        above.plot([mean], [found.value], "o", color=color, markeredgecolor="black")
        bar = below.bar([one / 10 + 0.05], [found.total], 0.09, color=color)
        below.bar_label(bar, fontsize=8)
    above.set_xlim(0.48 if probability.shape[1] == 2 else 0.0, 1.02)
    above.set_ylim(top=1.03)


@styled
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
    for (name, by_count), color in zip(runs.items(), (FROZEN, TRAINABLE, GREY, RED), strict=False):
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
    ax.grid(axis="y")
    ax.legend()
    return ax


@styled
def accuracy_by_cost(
    costs: Mapping[str, float],
    accuracies: Mapping[str, Accuracy],
    label: str,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy with its 95 % interval against what it costs, a point a network.

    Args:
        costs: for each network, above 0; in millions, on an axis from 0, or on a logarithmic one
            where the largest is more than twenty times the smallest.
        accuracies: of the same networks.
        label: what the cost is.
        ax: where to draw.
    """
    ax = _axes(ax, 7.5, 3.2)
    millions = {name: costs[name] / 1e6 for name in accuracies}
    for name, accuracy in accuracies.items():
        at = millions[name]
        ax.plot([at, at], accuracy.interval, color=VALIDATION, linewidth=3, solid_capstyle="butt")
        ax.plot([at], [accuracy.value], "o", color=VALIDATION, markersize=7)
        ax.annotate(
            name, (at, accuracy.value), xytext=(8, 0), textcoords="offset points", va="center"
        )
    if max(millions.values()) > 20 * min(millions.values()):
        ax.set_xscale("log")
        ax.margins(x=0.25)
    else:
        ax.set_xlim(0, 1.3 * max(millions.values()))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.set_xlabel(f"{label}, millions")
    ax.set_ylabel("accuracy")
    ax.grid(axis="y")
    return ax


@styled
def logits(
    logits: np.ndarray, labels: np.ndarray, within: float | None = None, ax: Axes | None = None
) -> Axes:
    """A histogram of logits, `(n,)`: the right answers and, stacked on them, the wrong ones.

    Args:
        logits: above 0 means class 1.
        labels: int `(n,)`, 0 or 1.
        within: the axis goes from its negative to it; else as far as the logits.
        ax: where to draw.
    """
    ax = _axes(ax, 7.0, 3.0)
    right = (logits > 0) == (labels == 1)
    end = within or float(np.abs(logits).max())
    bins = np.linspace(-end, end, 41).tolist()
    kinds = logits[right], logits[~right]
    ax.hist(kinds, bins, stacked=True, color=[RIGHT, WRONG], label=["right", "wrong"])
    ax.axvline(0, color="black", linestyle="--")
    ax.set_xlabel("logit (below 0: the first class, above 0: the second)")
    ax.set_ylabel("pictures")
    ax.legend()
    return ax


@styled
def heat_maps(
    images: Sequence[np.ndarray],
    maps: Mapping[str, Sequence[np.ndarray]],
    outlines: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Pictures in a row, and below, a row a network, the same in pale grey with their heat maps.

    Args:
        images: `(height, width, 3)` each, values from 0 to 255.
        maps: by name of the network; for each picture `(height, width)`, from 0 to 1.
        outlines: bool `(height, width)` for each picture, drawn as a line.

    Returns:
        The array of matplotlib axes, a row more than `maps` has.
    """
    import matplotlib.pyplot as plt

    rows, columns = 1 + len(maps), len(images)
    size: dict[str, Any] = {"figsize": (0.4 + 1.6 * columns, 1.6 * rows), "squeeze": False}
    _, axes = plt.subplots(rows, columns, **size, layout="constrained")
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    for column, image in enumerate(images):
        pixels = np.clip(np.asarray(image), 0, 255).astype("uint8")
        axes[0, column].imshow(pixels)
        for row, heats in enumerate(maps.values(), start=1):
            # Pale, so that colour is heat alone, on night and snow alike.
            axes[row, column].imshow(pixels.mean(axis=2), cmap="gray", vmin=-255, vmax=255)
            heat = np.asarray(heats[column])
            axes[row, column].imshow(heat, cmap="YlOrRd", alpha=0.85 * heat, vmin=0, vmax=1)
        for ax in axes[:, column] if len(outlines) else ():
            ax.contour(outlines[column], [0.5], colors="white", linewidths=2.6)
            ax.contour(outlines[column], [0.5], colors="black", linewidths=1.2)
    for row, name in enumerate(maps, start=1):
        axes[row, 0].set_ylabel(name, fontsize=10)
    return axes


@styled
def inside(shares: Mapping[str, np.ndarray], chance: float, ax: Axes | None = None) -> Axes:
    """A dot a picture and the mean a row: the share of a heat map inside the outline.

    Args:
        shares: by name of the network, 0 to 1 for each picture; NaN is left out.
        chance: what a map scores that knows nothing, as a line.
        ax: where to draw.
    """
    ax = _axes(ax, 7.0, 0.9 + 0.7 * len(shares))
    for row, values in enumerate(shares.values()):
        known = values[~np.isnan(values)]
        across = row + np.random.default_rng(0).uniform(-0.25, 0.25, len(known))
        ax.plot(known, across, ".", color=GREY, markersize=4)
        ax.plot([known.mean()] * 2, [row - 0.38, row + 0.38], color="black", linewidth=2.5)
        box: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        above = known.mean(), row - 0.42
        ax.annotate(f"mean {known.mean():.2f}", above, ha="center", bbox=box)
    ax.axvline(chance, color=NOTE, linestyle="--", label=f"knows nothing: {chance:.2f}")
    ax.set_yticks(range(len(shares)), list(shares))
    ax.set_ylim(len(shares) - 0.4, -0.85)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of the heat inside the outline, a dot a picture")
    ax.legend(loc="lower right")
    return ax


@styled
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
    chosen = [probability[labels == label] for label in (0, 1)]
    look: dict[str, Any] = {"color": CLASSES, "edgecolor": NOTE, "linewidth": 0.5}
    look["label"] = [f"labelled {name}" for name in names]
    left.hist(chosen, np.linspace(0, 1, 21).tolist(), **look)
    left.axvline(at, color="black", linestyle="--", label="threshold")
    left.set_yscale("symlog")
    left.set_xlabel(f"probability of {names[1]}")
    left.set_ylabel("pictures (logarithmic)")
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0.08, 1.0)}
    left.legend(fontsize=8, frameon=True, framealpha=0.9, edgecolor="white", **place)
    counts = np.zeros((2, 2), int)
    np.add.at(counts, (labels, (probability > at).astype(int)), 1)
    right.imshow(counts, cmap="Blues", vmin=0, vmax=2 * counts.max())
    for (row, column), count in np.ndenumerate(counts):
        right.text(column, row, f"{count}", ha="center", va="center", fontsize=14)
    right.set_xticks([0, 1], [f"predicted {name}" for name in names])
    right.set_yticks([0, 1], [f"labelled\n{name}" for name in names])
    right.set_title(f"threshold {at:.2f}")
    return axes
