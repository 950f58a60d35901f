"""The panel that names uploaded pictures."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from helpers.exercises.exercise import COLOURS
from helpers.panels import shown
from helpers.panels.panel import STILL, Panel
from helpers.pictures import headers, uploads

# Pictures named at a time: more make a page nobody reads.
MOST_SHOWN = 20
NONE = "none of these"
Predict = Callable[[np.ndarray], np.ndarray]


def predict_panel(
    predict: Predict,
    class_names: Sequence[str],
    size: int,
    threshold: float = 0.0,
    examples: np.ndarray | None = None,
) -> Panel:
    """Upload pictures, and see the probability of each class.

    A file is judged by its contents, under the limits of `uploads` and `decoding`, as the files of
    a folder are. What is no picture is named with the reason.

    Args:
        predict: from uint8 `(n, size, size, 3)` to probabilities `(n, classes)`.
        class_names: in the order of the probabilities.
        size: the side of the squares that `predict` takes, in pixels.
        threshold: where the highest probability is below, the answer is 'none of these'.
        examples: uint8 `(n, size, size, 3)`, shown before anything is uploaded.
    """
    upload = widgets.FileUpload(
        accept=headers.CHOOSER,
        multiple=True,
        description="Choose pictures",
        tooltip="Choose pictures on your computer; they go to this kernel and nowhere else",
        layout=widgets.Layout(width="auto"),
    )
    said = widgets.HTML()

    def shown_first() -> str:
        if examples is None or not len(examples):
            return "No picture yet."
        sent = [uploads.Sent("example", b"", image) for image in examples]
        return answers(sent, predict, class_names, threshold)

    def answer(change: Any = None) -> None:
        if upload.value:
            sent = uploads.receive(upload.value[: MOST_SHOWN + 1], size)
            said.value = answers(sent, predict, class_names, threshold)

    upload.observe(answer, "value")
    said.value = shown_first()
    return Panel([upload, said], still=lambda: {"text/html": f"{said.value}<p>{STILL}</p>"})


def answers(
    sent: Sequence[uploads.Sent], predict: Predict, class_names: Sequence[str], threshold: float
) -> str:
    """A block of HTML a file: the picture as the model sees it with its classes, or the reason."""
    rest = len(sent) - MOST_SHOWN
    sent = sent[:MOST_SHOWN]
    whole = [one.image for one in sent if one.image is not None]
    probability = predict(np.stack(whole)) if whole else np.empty((0, 0))
    rows = iter(np.asarray(probability))
    blocks = [
        _refused(one)
        if one.image is None
        else _answered(one.name, one.image, next(rows), class_names, threshold)
        for one in sent
    ]
    if rest > 0:
        blocks.append(f"<p>Only the first {MOST_SHOWN} are shown.</p>")
    return "".join(blocks)


def _refused(one: uploads.Sent) -> str:
    edge = f"border-left: 4px solid {COLOURS['wrong']}; padding: 0.4em 0.8em; margin: 0.5em 0"
    said = f"<b>{html.escape(one.name)}</b>: {html.escape(one.reason or '')}."
    return f'<div style="{edge}">{said}</div>'


def _answered(
    file: str,
    image: np.ndarray,
    probability: np.ndarray,
    class_names: Sequence[str],
    threshold: float,
) -> str:
    best = int(np.argmax(probability))
    name = class_names[best] if probability[best] >= threshold else NONE
    said = f"<b>{html.escape(file)}</b>: {html.escape(name)}"
    return shown.beside(
        shown.picture(image, f"{file}, predicted {name}"),
        f"{said}{shown.bars(probability, class_names)}",
    )
