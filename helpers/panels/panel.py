"""What all panels are made of: a column of widgets that leaves a still picture behind."""

from __future__ import annotations

import io
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Long labels are cut off unless the descriptions get the room they need.
ROOM = {"description_width": "initial"}
STILL = "A still picture of a panel: run this cell in JupyterLab to use it."
# The panels of each cell, and in which run of it they were made.
_panels: dict[str, tuple[int, list[weakref.ref[Panel]]]] = {}


class Panel(widgets.VBox):
    """A column of widgets that has something to show where widgets cannot run.

    Args:
        children: the widgets, from top to bottom.
        still: called when the panel is displayed; returns representations by MIME type, such as
            `{"image/png": ...}` or `{"text/html": ...}`.
    """

    def __init__(self, children: Sequence[widgets.Widget], still: Callable[[], dict[str, str]]):
        super().__init__(children)
        self.still = still
        self.replaces = self._replace_earlier()

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**options)
        bundle.update(self.still())
        bundle["text/plain"] = STILL
        return bundle

    def leave(self) -> None:
        """Give up the place to a newer panel: ipywidgets keeps all widgets that are not closed."""
        for widget in _inside(self):
            widget.close()

    def _replace_earlier(self) -> bool:
        """Close what an earlier run of the same cell has left; whether there was anything."""
        place = _place()
        if place is None:
            return False
        cell, number = place
        before, earlier = _panels.get(cell, (number, []))
        old = [panel for panel in (found() for found in earlier) if panel and before != number]
        for panel in old:
            panel.leave()
        kept = earlier if before == number else []
        _panels[cell] = number, [*kept, weakref.ref(self)]
        return bool(old)


def _inside(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """A widget and all that it holds, the innermost first."""
    for child in getattr(widget, "children", ()):
        yield from _inside(child)
    yield widget


def _place() -> tuple[str, int] | None:
    """The cell that is being executed and its number, where the front end says which."""
    try:
        from IPython import get_ipython

        shell = get_ipython()
        return shell.get_parent()["metadata"]["cellId"], shell.execution_count
    except (ImportError, AttributeError, KeyError, TypeError):
        return None


def beside(left: Sequence[widgets.Widget], right: Sequence[widgets.Widget]) -> widgets.Box:
    """Controls on the left, what they lead to on the right; below each other in little room."""
    controls = widgets.VBox(left, layout=widgets.Layout(flex="0 1 330px"))
    shown = widgets.VBox(right, layout=widgets.Layout(flex="1 1 420px", min_width="0"))
    layout = widgets.Layout(flex_flow="row wrap", align_items="flex-start", width="100%")
    return widgets.Box([controls, shown], layout=layout)


def png(figure: Figure) -> bytes:
    """A matplotlib figure as a PNG file; pyplot, where it made the figure, forgets it."""
    import matplotlib.pyplot as plt

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    if plt.fignum_exists(getattr(figure, "number", -1)):
        plt.close(figure)
    return file.getvalue()
