"""The threshold panel of lesson 7: which mistakes you buy with which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from helpers.panels import still
from helpers.panels.panel import ROOM, Panel, png


def threshold_panel(logits: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> Panel:
    """Move the threshold, and see precision and recall of the second class follow.

    Args:
        logits: `(n, 1)`.
        labels: int `(n,)`, 0 or 1.
        class_names: two.

    Raises:
        ValueError: where there are not two classes with one logit.
    """
    if len(class_names) != 2 or np.ndim(logits) != 2 or logits.shape[1] != 1:
        raise ValueError(
            f"Received: logits of shape {np.shape(logits)} and {len(class_names)} classes. "
            f"Expected: (n, 1) and 2. With more classes there is no one threshold to move."
        )
    from helpers.evaluation import probabilities

    probability = probabilities(logits)[:, 1]
    slider = widgets.FloatSlider(
        value=0.5,
        min=0.0,
        max=1.0,
        step=0.01,
        description="threshold",
        tooltip=f"Above it, a picture is predicted to be {class_names[1]}",
        style=ROOM,
        layout=widgets.Layout(width="min(100%, 500px)"),
    )
    said = widgets.HTML()
    image = widgets.Image(format="png", layout=widgets.Layout(max_width="100%", width="720px"))

    def show(change: Any = None) -> None:
        said.value = rates(probability, labels, slider.value, class_names[1])
        image.value = paint(probability, labels, slider.value, class_names)

    slider.observe(show, "value")
    show()

    return Panel([slider, said, image], still=lambda: still.picture([slider], [image.value]))


def rates(probability: np.ndarray, labels: np.ndarray, at: float, name: str) -> str:
    """Precision, recall and accuracy at a threshold, in a sentence."""
    from sklearn.metrics import accuracy_score, precision_score, recall_score

    predicted = (probability > at).astype(int)
    precision = precision_score(labels, predicted, zero_division=np.nan)
    precise = "no picture is" if np.isnan(precision) else f"{precision:.3f} of those are right"
    return (
        f"Predicted {name}: {predicted.sum()}, {precise} (precision). Of the {labels.sum()} "
        f"labelled {name}, {recall_score(labels, predicted):.3f} are found (recall). "
        f"Accuracy {accuracy_score(labels, predicted):.3f}."
    )


def paint(
    probability: np.ndarray, labels: np.ndarray, at: float, class_names: Sequence[str]
) -> bytes:
    """The figure at a threshold."""
    from matplotlib.figure import Figure

    from helpers import plots

    with plots.style():
        figure = Figure(figsize=(8.0, 3.2), layout="constrained")
        axes = figure.subplots(1, 2, width_ratios=(3, 2))
        plots.threshold(probability, labels, at, class_names, axes)
        return png(figure)
