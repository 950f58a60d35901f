"""The picture that a panel leaves where no kernel is: its controls, and what it shows."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets

from helpers.panels.panel import STILL, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

INCHES, ROW = 3.1, 0.34  # the width of the controls, and the height of one
PRIMARY, PALE, INK = "#1976d2", "#eeeeee", "#222222"


def picture(controls: Sequence[widgets.Widget], shown: Sequence[bytes]) -> dict[str, str]:
    """A panel as a picture, by MIME type.

    Args:
        controls: sliders, lists, boxes and buttons, from top to bottom; neighbouring buttons share
            a line.
        shown: PNG files, from top to bottom.
    """
    left, right = _open(paint(controls)), _stacked([_open(part) for part in shown])
    whole = _blank(left.width + right.width, max(left.height, right.height))
    whole.paste(left, (0, 0))
    whole.paste(right, (left.width, 0))
    file = io.BytesIO()
    whole.save(file, format="png", optimize=True)
    return {"image/png": base64.b64encode(file.getvalue()).decode()}


def paint(controls: Sequence[widgets.Widget]) -> bytes:
    """The controls alone, and a line that says what they are a picture of, as a PNG file."""
    from matplotlib.figure import Figure

    lines = _lines(controls)
    height = ROW * (len(lines) + 2.2)
    figure = Figure(figsize=(INCHES, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, INCHES), ylim=(height, 0))
    axes.axis("off")
    for number, line in enumerate(lines):
        y = ROW * (number + 0.7)
        if isinstance(line, list):
            _buttons(axes, y, line)
        else:
            _control(axes, y, line)
    axes.text(
        0.1, height - 0.6, STILL.replace(": ", ":\n"), fontsize=7.5, color="#555555", va="top"
    )
    return png(figure)


def button_html(label: str, primary: bool = False) -> str:
    """A button as HTML, for a still that is text."""
    import html

    face, ink = (PRIMARY, "white") if primary else (PALE, INK)
    style = f"background: {face}; color: {ink}; padding: 4px 10px; display: inline-block"
    return f'<span style="{style}">{html.escape(label)}</span>'


def _lines(controls: Sequence[widgets.Widget]) -> list[widgets.Widget | list[widgets.Button]]:
    """A control a line, and up to three buttons that follow each other on one."""
    lines: list[widgets.Widget | list[widgets.Button]] = []
    for control in controls:
        if not isinstance(control, widgets.Button):
            lines.append(control)
        elif lines and isinstance(lines[-1], list) and len(lines[-1]) < 3:
            lines[-1].append(control)
        else:
            lines.append([control])
    return lines


def _buttons(axes: Axes, y: float, buttons: Sequence[widgets.Button]) -> None:
    """Buttons beside each other."""
    x = 0.1
    for button in buttons:
        width = 0.26 + 0.085 * len(button.description)
        primary = button.button_style == "primary"
        face, ink = (PRIMARY, "white") if primary else (PALE, INK)
        _box(axes, x, y, width, face)
        axes.text(x + width / 2, y, button.description, ha="center", va="center", color=ink, size=8)
        x += width + 0.08


def _control(axes: Axes, y: float, control: widgets.Widget) -> None:
    """A slider, a list or a box, its name before it."""
    described = str(getattr(control, "description", ""))
    if isinstance(control, widgets.Checkbox):
        mark = "☑" if control.value else "☐"
        axes.text(0.1, y, f"{mark} {described}", va="center", size=9, family="DejaVu Sans")
        return
    axes.text(1.28, y, described, ha="right", va="center", size=8.5)
    for kind, draw in DRAWN.items():
        if isinstance(control, kind):
            draw(axes, y, control)


def _slider(axes: Axes, y: float, control: widgets.Widget) -> None:
    """A line with a handle, and the value."""
    value, low, high = control.value, control.min, control.max
    if isinstance(control, widgets.FloatLogSlider):
        import math

        said, value = f"{value:.1e}", math.log(value, control.base)
    else:
        said = f"{value:g}"
    left, right = 1.42, 2.45
    at = left + (right - left) * (value - low) / max(high - low, 1e-9)
    axes.plot([left, right], [y, y], color="#bbbbbb", linewidth=3, solid_capstyle="round")
    axes.plot([at], [y], "o", color=PRIMARY, markersize=8)
    axes.text(2.56, y, said, va="center", size=8.5)


def _list(axes: Axes, y: float, control: widgets.Widget) -> None:
    """A box with what is chosen."""
    _box(axes, 1.42, y, 1.4, "white")
    axes.text(1.5, y, str(control.label), va="center", size=8.5)
    axes.text(2.68, y, "▾", va="center", size=9, family="DejaVu Sans")


def _text(axes: Axes, y: float, control: widgets.Widget) -> None:
    """A box with what is written in it, or what might be."""
    _box(axes, 1.42, y, 1.55, "white")
    color = INK if control.value else "#999999"
    axes.text(
        1.5, y, str(control.value or control.placeholder)[:24], va="center", size=8, color=color
    )


DRAWN: dict[type | tuple[type, ...], Callable[[Axes, float, widgets.Widget], None]] = {
    (widgets.IntSlider, widgets.FloatSlider, widgets.FloatLogSlider): _slider,
    widgets.Dropdown: _list,
    widgets.Text: _text,
}


def _box(axes: Axes, x: float, y: float, width: float, face: str) -> None:
    """A frame with round corners around the middle line `y`."""
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.05"
    size = {"width": width, "height": 0.25}
    frame = FancyBboxPatch((x, y - 0.125), **size, boxstyle=style, fc=face, ec="#bbbbbb", lw=0.8)
    axes.add_patch(frame)


def _open(file: bytes) -> Image:
    """A PNG file as a picture without transparency."""
    from PIL import Image

    return Image.open(io.BytesIO(file)).convert("RGB")


def _stacked(parts: Sequence[Image]) -> Image:
    """Pictures below each other."""
    whole = _blank(max(part.width for part in parts), sum(part.height for part in parts))
    y = 0
    for part in parts:
        whole.paste(part, (0, y))
        y += part.height
    return whole


def _blank(width: int, height: int) -> Image:
    """White paper."""
    from PIL import Image

    return Image.new("RGB", (width, height), "white")
