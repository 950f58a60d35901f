"""A strip of validation pictures, whose frames turn right or wrong as epochs pass."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

if TYPE_CHECKING:
    from helpers.training import Epoch

COUNT, SIDE, FRAME, GAP = 9, 72, 5, 6  # pictures; pixels
UNKNOWN = "#bbbbbb"


class Strip(widgets.Image):
    """Nine pictures in a row: grey frames at first, then a mark and a colour for right and wrong.

    Args:
        images: uint8 `(n, height, width, 3)`; the first nine are shown.
        labels: int `(n,)`.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.thumbnails = [_thumbnail(image) for image in images[:COUNT]]
        self.labels = np.asarray(labels[:COUNT])
        width = f"{len(self.thumbnails) * (SIDE + GAP)}px"
        layout = widgets.Layout(max_width="100%", width=width)
        super().__init__(format="png", layout=layout, value=self.paint(None))

    def show(self, logits: np.ndarray) -> None:
        """Show which are right by these logits, `(n, 1)` or `(n, classes)`."""
        logits = np.asarray(logits, dtype="float32")
        predicted = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)
        self.value = self.paint(predicted == self.labels)

    def watch(self, epochs: Iterable[Epoch], answer: Callable[[], Any]) -> Iterator[Epoch]:
        """Pass epochs on, and show after each what `answer` says of the nine."""
        for epoch in epochs:
            self.show(np.asarray(answer()))
            yield epoch

    def paint(self, right: np.ndarray | None) -> bytes:
        """The strip as a PNG file; None where nothing was predicted yet."""
        from PIL import Image

        from helpers.plots import RIGHT, WRONG

        whole = Image.new("RGB", (len(self.thumbnails) * (SIDE + GAP), SIDE), "white")
        for place, thumbnail in enumerate(self.thumbnails):
            color = UNKNOWN if right is None else RIGHT if right[place] else WRONG
            framed = Image.new("RGB", (SIDE, SIDE), color)
            framed.paste(thumbnail, (FRAME, FRAME))
            if right is not None:
                _mark(framed, bool(right[place]), color)
            whole.paste(framed, (place * (SIDE + GAP), 0))
        file = io.BytesIO()
        whole.save(file, format="png")
        return file.getvalue()


def _thumbnail(image: np.ndarray) -> Any:
    """A picture small enough for the frame."""
    from PIL import Image

    inside = SIDE - 2 * FRAME
    return Image.fromarray(np.asarray(image, dtype="uint8")).resize((inside, inside))


def _mark(framed: Any, right: bool, color: str) -> None:
    """A check or a cross in the corner: colour alone tells not everyone."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(framed)
    x = y = SIDE - 21
    draw.rectangle((x, y, SIDE, SIDE), fill=color)
    if right:
        draw.line([(x + 4, y + 11), (x + 8, y + 15), (x + 16, y + 6)], fill="white", width=3)
    else:
        draw.line([(x + 5, y + 6), (x + 15, y + 16)], fill="white", width=3)
        draw.line([(x + 15, y + 6), (x + 5, y + 16)], fill="white", width=3)
