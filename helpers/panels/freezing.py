"""The panel that opens lesson 1: click a block of a base, and see what would train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets

from helpers.panels import still
from helpers.panels.blocks import UNFREEZING, Blocks, blocks
from helpers.panels.panel import Panel

if TYPE_CHECKING:
    import keras

FREEZE_ALL = "base.trainable = False\n"


def freezing_panel(base: keras.Model, outputs: int = 1) -> Panel:
    """The base as blocks, how many parameters train with a head on it, and the code for that.

    The base itself stays as it is.

    Args:
        base: a network without its top.
        outputs: of the head, a Dense layer on its pooled features.
    """
    from helpers import bases

    cuts = bases.cuts(base)
    said = widgets.HTML()
    row = Blocks(blocks(base, cuts), lambda depth: show(depth))
    head = outputs * (base.output_shape[-1] + 1)
    # Counted now: the base may be frozen when somebody clicks.
    trainable = [
        sum(weight.numpy().size for weight in layer.trainable_weights) for layer in base.layers
    ]

    def show(depth: int) -> None:
        row.show(depth)
        said.value = describe(base, trainable, cuts[-1 - depth], head)

    show(0)
    return Panel([row, said], still=lambda: still.picture([], [row.paint()]))


def describe(base: keras.Model, trainable: Sequence[int], cut: str, head: int) -> str:
    """Of a base that trains behind a cut, and of its head: how many parameters, and the code."""
    names = [layer.name for layer in base.layers]
    first = names.index(cut) + 1
    trained = head + sum(trainable[first:])
    whole = head + base.count_params()
    code = UNFREEZING.format(first=first) if first < len(names) else FREEZE_ALL
    return (
        f"<b>{trained:,}</b> of {whole:,} parameters train (orange), "
        f"{100 * trained / whole:.2g} %; the others are frozen (blue).<pre>{code}</pre>"
    )
