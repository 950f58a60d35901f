"""A network as a row of blocks to click: frozen up to one of them, trainable from there on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from helpers.panels.panel import png

if TYPE_CHECKING:
    import keras

MOST = 16
LOW, HIGH = 26, 78  # pixels
# Keras code that trains a base from a layer on.
UNFREEZING = """\
base.trainable = True
for layer in base.layers[:{first}]:
    layer.trainable = False
"""


@dataclass(frozen=True)
class Block:
    """Some layers of a base, from behind one cut to another.

    Attributes:
        first, last: numbers of layers of the base.
        names: of these two layers.
        parameters: of all its layers.
        grid: height of the output, in places.
        depth: how many cuts lie behind the one that it begins at; None for the first block, which
            begins at the pictures.
    """

    first: int
    last: int
    names: tuple[str, str]
    parameters: int
    grid: int
    depth: int | None


def blocks(base: keras.Model, cuts: Sequence[str], most: int = MOST) -> list[Block]:
    """A base parted at cuts into about `most` blocks of about as many layers each.

    The first ends at the first cut, for no training begins before that.
    """
    names = [layer.name for layer in base.layers]
    found: list[Block] = []
    first, depth = 0, None
    for number, cut in enumerate(cuts):
        last = names.index(cut)
        enough = last + 1 >= len(found) * len(names) / most
        if not enough and number < len(cuts) - 1:
            continue
        layers = base.layers[first : last + 1]
        grid = int(layers[-1].output.shape[1])
        counted = sum(layer.count_params() for layer in layers)
        found.append(Block(first, last, (names[first], names[last]), counted, grid, depth))
        first, depth = last + 1, len(cuts) - 1 - number
    return found


class Blocks(widgets.Box):
    """The blocks as buttons, as high as they have parameters, and one for the head.

    Args:
        parts: the base's blocks, from the pictures to the head.
        chosen: called with a depth when a block is clicked: training begins with it. The first
            block that trains freezes when it is clicked.
    """

    def __init__(self, parts: Sequence[Block], chosen: Callable[[int], None]) -> None:
        self.parts = list(parts)
        self._chosen = chosen
        self.depth = 0
        self._buttons = [self._button(part) for part in self.parts]
        head = widgets.Button(description="head", tooltip="The head: it always trains")
        self._all = [*self._buttons, head]
        for button, height in zip(self._all, self._heights(), strict=True):
            button.layout = widgets.Layout(
                width="44px", height=f"{height}px", margin="1px", padding="0"
            )
        _color(head, trains=True)
        layout = widgets.Layout(flex_flow="row wrap", align_items="flex-end")
        super().__init__(self._all, layout=layout)

    def _button(self, part: Block) -> widgets.Button:
        said = f"{part.names[0]} to {part.names[1]}: {part.parameters:,} parameters"
        button = widgets.Button(description=f"{part.grid}²", tooltip=said)
        if part.depth is None:
            button.tooltip = f"{said}; stays frozen here"
            button.disabled = True
        else:
            button.on_click(lambda _, depth=part.depth: self.click(depth))
        return button

    def _heights(self) -> list[int]:
        """Pixels, by the root of the parameters."""
        roots = np.sqrt([*(part.parameters for part in self.parts), 0])
        return [int(height) for height in LOW + (HIGH - LOW) * roots / max(roots.max(), 1)]

    def click(self, depth: int) -> None:
        """Have training begin with the block of this depth, or behind it where it does so now."""
        depths = [part.depth for part in self.parts if part.depth is not None]
        behind = [other for other in depths if other < depth]
        self._chosen(max(behind, default=0) if depth == self.depth and behind else depth)

    def show(self, depth: int) -> None:
        """Colour the blocks for a depth: what lies before that cut is frozen."""
        self.depth = depth
        for part, button in zip(self.parts, self._buttons, strict=True):
            _color(button, self.trains(part))

    def trains(self, part: Block) -> bool:
        """Whether a block trains, all of it or its end."""
        number = self.parts.index(part)
        end = self.parts[number + 1].depth if number + 1 < len(self.parts) else 0
        return part.depth is not None and end is not None and end < self.depth

    def paint(self) -> bytes:
        """The blocks as a PNG file."""
        from matplotlib.figure import Figure

        from helpers.plots import FROZEN, TRAINABLE

        figure = Figure(figsize=(8.5, 1.05))
        axes = figure.add_axes((0.01, 0.02, 0.98, 0.96))
        heights = self._heights()
        colors = [TRAINABLE if self.trains(part) else FROZEN for part in self.parts]
        axes.bar(range(len(heights)), heights, color=[*colors, TRAINABLE], width=0.9)
        for place, said in enumerate([*(f"{part.grid}²" for part in self.parts), "head"]):
            light = place < len(colors) and colors[place] == FROZEN
            ink = "white" if light else "black"
            axes.text(place, 13, said, ha="center", va="center", fontsize=8, color=ink)
        axes.set(xlim=(-0.6, max(len(heights), MOST + 1) - 0.4), ylim=(0, HIGH + 2))
        axes.axis("off")
        return png(figure)


def _color(button: widgets.Button, trains: bool) -> None:
    """Blue where frozen, orange where it trains."""
    from helpers.plots import FROZEN, TRAINABLE

    button.style.button_color = TRAINABLE if trains else FROZEN
    button.style.text_color = "black" if trains else "white"
