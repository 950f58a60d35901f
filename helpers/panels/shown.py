"""HTML that the panels on a learner's own pictures share: a picture, and its classes as bars."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np

from helpers.exercises.exercise import COLOURS

SHOWN_CLASSES = 5


def picture(image: np.ndarray, text: str, side: int = 160) -> str:
    """An `img` element: uint8 `(height, width, 3)`, what it is in words, its side in pixels."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    encoded = base64.b64encode(file.getvalue()).decode()
    return (
        f'<img src="data:image/png;base64,{encoded}" alt="{html.escape(text)}" '
        f'width="{side}" height="{side}" style="object-fit: cover">'
    )


def bars(probability: np.ndarray, class_names: Sequence[str]) -> str:
    """A row a class, the most probable first: its name, a bar, the number."""
    rows = []
    for label in np.argsort(-probability)[:SHOWN_CLASSES]:
        share = float(probability[label])
        bar = (
            f'<div style="background: {COLOURS["right"]}; height: 0.8em; '
            f'width: {max(1, round(120 * share))}px"></div>'
        )
        rows.append(
            f"<tr><td>{html.escape(class_names[label])}</td><td style='min-width: 124px'>{bar}</td>"
            f"<td>{share:.3f}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def beside(*parts: str) -> str:
    """Pieces of HTML side by side."""
    inside = "".join(f"<div>{part}</div>" for part in parts)
    return (
        '<div style="display: flex; flex-wrap: wrap; gap: 1em; align-items: center; '
        f'margin: 0.5em 0">{inside}</div>'
    )
