"""What all panels are made of: a column of widgets that leaves a still picture behind."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Long labels are cut off unless the descriptions get the room they need.
ROOM = {"description_width": "initial"}
STILL = "A still picture of a panel: run this cell in JupyterLab to use it."


class Panel(widgets.VBox):
    """A column of widgets that has something to show where widgets cannot run.

    Args:
        children: the widgets, from top to bottom.
        still: called when the panel is displayed; returns representations by MIME type, such as
            `{"image/png": ...}` or `{"text/html": ...}`.
    """

    def __init__(self, children: Sequence[widgets.Widget], still: Callable[[], dict[str, str]]):
        super().__init__(children)
        self._still = still

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**options)
        bundle.update(self._still())
        bundle["text/plain"] = STILL
        return bundle


def png(figure: Figure) -> bytes:
    """A matplotlib figure as a PNG file; pyplot, where it made the figure, forgets it."""
    import matplotlib.pyplot as plt

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    if plt.fignum_exists(getattr(figure, "number", -1)):
        plt.close(figure)
    return file.getvalue()
