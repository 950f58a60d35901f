"""The panel that goes through suspicious labels, one by one."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import numpy as np

from helpers.panels import shown
from helpers.panels.panel import ROOM, STILL, Panel, png
from helpers.pictures.labels import Decisions, suspects

STILL_SHOWN = 12


@dataclass(frozen=True, eq=False)
class Pile:
    """Pictures to go through, the most suspicious first.

    Attributes:
        images: uint8 `(n, size, size, 3)`.
        files: n names.
        labels: int `(n,)`, those given.
        probability: `(n, classes)`, of models that were trained without the picture.
        class_names: in the order of the probabilities.
    """

    images: Any
    files: Sequence[str]
    labels: np.ndarray
    probability: np.ndarray
    class_names: Sequence[str]

    def __post_init__(self) -> None:
        lengths = {len(self.images), len(self.files), len(self.labels), len(self.probability)}
        if len(lengths) != 1 or not len(self.files):
            raise ValueError(
                f"Received: {len(self.images)} pictures, {len(self.files)} names, "
                f"{len(self.labels)} labels, {len(self.probability)} rows of probabilities. "
                f"Expected: as many of each, and at least one."
            )


def labels_panel(
    images: Any,
    files: Sequence[str],
    labels: np.ndarray,
    probability: np.ndarray,
    class_names: Sequence[str],
    decisions: Decisions,
    count: int = 30,
) -> Panel:
    """Look at the labels that the model believes least, and keep, relabel or leave out each.

    Args:
        images, files, labels, probability, class_names: as of `Pile`.
        decisions: takes what is decided, at once; nothing happens to the files.
        count: how many are shown.
    """
    pile = Pile(images, files, np.asarray(labels), np.asarray(probability), class_names)
    return _Walk(pile, suspects(pile.probability, pile.labels)[:count], decisions).panel()


class _Walk:
    """The widgets, and which picture is shown."""

    def __init__(self, pile: Pile, rows: np.ndarray, decisions: Decisions) -> None:
        self.pile, self.rows, self.decisions = pile, rows, decisions
        self.place = 0
        self.said = widgets.HTML()
        self.to = widgets.Dropdown(options=list(pile.class_names), description="to", style=ROOM)
        self.buttons = {
            "Keep": lambda file: decisions.keep(file),
            "Relabel": lambda file: decisions.relabel(file, self.to.value),
            "Leave out": lambda file: decisions.leave_out(file),
            "Undecided": lambda file: decisions.forget(file),
        }

    def panel(self) -> Panel:
        """All of it."""
        made = {name: self._button(name, self._decide) for name in self.buttons}
        steps = [self._button("Previous", self._step), self._button("Next", self._step)]
        self.show()
        row = widgets.Layout(flex_flow="row wrap")
        first = widgets.HBox([made["Keep"], made["Relabel"], self.to], layout=row)
        second = widgets.HBox([made["Leave out"], made["Undecided"], *steps], layout=row)
        return Panel([self.said, first, second], still=self.still)

    @staticmethod
    def _button(name: str, click: Any) -> widgets.Button:
        button = widgets.Button(description=name, layout=widgets.Layout(width="auto"))
        button.on_click(click)
        return button

    def _decide(self, button: widgets.Button) -> None:
        self.buttons[button.description](self.pile.files[self.rows[self.place]])
        if button.description != "Undecided":
            self.place = min(self.place + 1, len(self.rows) - 1)
        self.show()

    def _step(self, button: widgets.Button) -> None:
        by = 1 if button.description == "Next" else -1
        self.place = int(np.clip(self.place + by, 0, len(self.rows) - 1))
        self.show()

    def show(self) -> None:
        """Paint the picture at the place, and propose the class that the model predicts."""
        row = self.rows[self.place]
        file, probability = self.pile.files[row], self.pile.probability[row]
        label = self.pile.class_names[self.pile.labels[row]]
        decision = self.decisions.get(file)
        self.to.value = (decision and decision.to) or self.pile.class_names[probability.argmax()]
        text = (
            f"{self.place + 1} of {len(self.rows)}: {html.escape(file)}<br>"
            f"labelled <b>{html.escape(label)}</b>; the model thinks:"
            f"{shown.bars(probability, self.pile.class_names)}"
            f"Decided: {html.escape(str(decision or 'nothing yet'))}.<br>"
            f"So far {self.decisions!r}."
        )
        image = np.asarray(self.pile.images[int(row)])
        self.said.value = shown.beside(shown.picture(image, f"{file}, labelled {label}", 224), text)

    def still(self) -> dict[str, str]:
        """The first pictures in a grid."""
        from helpers import plots

        rows = self.rows[:STILL_SHOWN]
        names, probability = self.pile.class_names, self.pile.probability
        titles = [
            f"is it {names[self.pile.labels[row]]}?\n"
            f"{names[probability[row].argmax()]} {probability[row].max():.2f}"
            for row in rows
        ]
        images = [np.asarray(self.pile.images[int(row)]) for row in rows]
        axes = plots.pictures(images, titles, columns=6, side=1.5)
        figure = axes.flat[0].figure
        figure.supxlabel(STILL, fontsize=9, color="#555555")
        return {"image/png": base64.b64encode(png(figure)).decode()}
