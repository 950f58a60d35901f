"""The start page's choice: four ways to take the course, each fetched by a button."""

from __future__ import annotations

import html
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from helpers import fetching, machine, own_folder, recipes
from helpers.fetching import DONE, FAILED, RUNNING, Fetching
from helpers.panels.panel import STILL, Panel
from helpers.panels.still import button_html
from helpers.pictures import uploads
from helpers.pictures.uploads import MOST_ARCHIVE_BYTES as MOST_BYTES

CHOSEN_COLOUR, LINE_COLOUR = "#1976d2", "#9e9e9e"
PLACEHOLDER = "path, such as ~/Pictures/mugs"
FIELD = f'<div style="border: 1px solid {LINE_COLOUR}; padding: 2px 6px">{PLACEHOLDER}</div>'
NEXT = "Each lesson takes it from now on; one that is open takes it when you restart its kernel."


@dataclass(frozen=True)
class Offer:
    """What a card says: a recipe's name, its title, what it is, and what its button says."""

    name: str
    title: str
    about: str
    button: str


OFFERS = (
    Offer(
        "drawings",
        "Drawings",
        "2,000 drawings of cats and dogs. The network was trained on drawings of other animals.",
        "Take the drawings",
    ),
    Offer(
        "tutorial",
        "Photographs",
        "3,000 photographs of cats and dogs and MobileNetV2, as in TensorFlow's tutorial.",
        "Take the photographs",
    ),
    Offer(
        "article",
        "The article's",
        "14,000 photographs of TensorFlow Datasets' cats_vs_dogs and Xception, as in the article.",
        "Take the article's",
    ),
    Offer(
        "folder",
        "A folder of mine",
        "Your own pictures and MobileNetV2: a folder with one subfolder a class, or a zip of one.",
        "Take my folder",
    ),
)


class Choice(Panel):
    """A card for each recipe, and below them what is under way.

    Args:
        names: of recipes, of which there is a card each.
        command: the program that fetches, as `fetching.Fetching` wants it.
    """

    def __init__(
        self, names: Sequence[str] = recipes.NAMES, command: Sequence[str] | None = None
    ) -> None:
        self.offers = [offer for offer in OFFERS if offer.name in names]
        self.fetching: Fetching | None = None
        self._command = command
        self._showing = threading.Lock()
        self.texts = {offer.name: widgets.HTML() for offer in self.offers}
        self.buttons = {
            offer.name: widgets.Button(
                description=offer.button,
                tooltip=f"Download what is missing: {fetching.size(offer.name)}",
                layout=widgets.Layout(width="max-content"),
            )
            for offer in self.offers
        }
        self.path = widgets.Text(
            placeholder=PLACEHOLDER,
            tooltip="The path of your folder; Enter says what is in it",
            continuous_update=False,
            layout=widgets.Layout(width="100%"),
        )
        self.upload = widgets.FileUpload(
            accept=".zip,.tar,.tgz",
            description="Upload a zip",
            tooltip=f"At most {MOST_BYTES // 10**6} MB; of a larger one, type the path",
            layout=widgets.Layout(width="max-content"),
        )
        self.cards = {offer.name: self._card(offer) for offer in self.offers}
        self.said, self.figures, self.report = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.bar = widgets.FloatProgress(min=0.0, max=1.0, layout=widgets.Layout(width="320px"))
        self.stop_button = widgets.Button(
            description="Stop", tooltip="What was downloaded is kept", button_style="warning"
        )
        self.progress = widgets.Box(
            [self.bar, self.stop_button], layout=widgets.Layout(flex_flow="row wrap")
        )
        for name, button in self.buttons.items():
            button.on_click(lambda clicked, name=name: self.take(name))
        self.path.observe(self._path_typed, "value")
        self.upload.observe(self._uploaded, "value")
        self.stop_button.on_click(self.stop)
        grid = widgets.GridBox(
            list(self.cards.values()),
            layout=widgets.Layout(
                grid_template_columns="repeat(auto-fit, minmax(260px, 1fr))",
                grid_gap="10px",
                width="100%",
            ),
        )
        below = [self.said, self.progress, self.figures, self.report]
        super().__init__([grid, *below], still=lambda: still(self.offers))
        self._show()

    # What a learner, or a test, can do

    def take(self, name: str) -> None:
        """Fetch what a recipe needs, then choose it; nothing where one is being fetched."""
        if self.fetching is not None and self.fetching.state == RUNNING:
            return
        folder = None
        if name == "folder":
            try:
                folder = own_folder.clean_path(self.path.value)
            except ValueError as error:
                self._say(str(error))
                return
        try:
            self.fetching = Fetching(name, folder, self._show, self._command)
        except OSError as error:  # no memory for another process
            self._say(fetching.sentence(error))
            return
        self._show()

    def stop(self, button: Any = None) -> None:
        """Stop what is under way; what was downloaded is kept."""
        if self.fetching is not None:
            self.fetching.stop()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until what is under way has ended and is shown, at most so long."""
        if self.fetching is not None:
            self.fetching.wait(seconds)

    def leave(self) -> None:
        """Stop what is under way, then close."""
        self.stop()
        self.wait(1)
        super().leave()

    # How it works

    def _card(self, offer: Offer) -> widgets.VBox:
        inside = [self.texts[offer.name], self.buttons[offer.name]]
        if offer.name == "folder":
            inside[1:1] = [self.path, self.upload]
        return widgets.VBox(
            inside, layout=widgets.Layout(padding="10px", justify_content="space-between")
        )

    def _path_typed(self, change: Any) -> None:
        """Say at once what is there, or what is wrong."""
        if change["new"].strip():
            try:
                self._say(own_folder.glance(change["new"]))
            except ValueError as error:
                self._say(str(error))

    def _uploaded(self, change: Any) -> None:
        """Keep an archive that was sent, and type its path."""
        for sent in change["new"]:
            try:
                self.path.value = str(uploads.keep_archive(sent))
            except (ValueError, OSError) as error:
                self._say(str(error))

    def _say(self, text: str) -> None:
        self.said.value = paragraph(html.escape(text))

    def _show(self) -> None:
        """Bring all that is shown up to date."""
        with self._showing:
            now = self.fetching
            running = now is not None and now.state == RUNNING
            for button in (*self.buttons.values(), self.path, self.upload):
                button.disabled = running
            self.progress.layout.display = None if running else "none"
            if now is not None:
                self._show_fetching(now)
            if not running:
                self._show_cards()

    def _show_fetching(self, now: Fetching) -> None:
        """What is being fetched, or how it ended."""
        bar = now.bar
        self.bar.value = bar.share if bar else 0.0
        self.figures.value = html.escape(str(bar)) if bar else ""
        self.report.value = paragraph(now.report)
        if now.state == RUNNING:
            self._say(now.said)
        elif now.state == DONE:
            self.said.value = paragraph(f"<b>{html.escape(now.note)}</b> {NEXT}{_overruled()}")
        else:
            lead = "<b>Nothing was chosen.</b> " if now.state == FAILED else ""
            self.said.value = paragraph(lead + html.escape(now.note))

    def _show_cards(self) -> None:
        """What is here now, and which is chosen."""
        chosen = kept()
        rate = machine.speed()
        for offer in self.offers:
            is_chosen = offer.name == chosen
            here = fetching.here(offer.name)
            takes = fetching.duration(offer.name, rate=rate)
            self.texts[offer.name].value = text(offer, here, takes, is_chosen)
            self.cards[offer.name].layout.border = (
                f"2px solid {CHOSEN_COLOUR}" if is_chosen else f"1px solid {LINE_COLOUR}"
            )


def kept() -> str:
    """The name of the recipe that is chosen now; nothing where a variable names none."""
    try:
        return recipes.chosen().name
    except ValueError:
        return ""


def _overruled() -> str:
    """What goes before the choice, where something does."""
    for variable in ("COURSE_RECIPE", "COURSE_PICTURES"):
        if os.environ.get(variable):
            value = html.escape(os.environ[variable])
            return f" But {variable} is set to {value} here, and goes before it."
    return ""


def paragraph(markup: str) -> str:
    """HTML with lines closer to each other than the widget has them."""
    return f'<div style="line-height: 1.4">{markup}</div>'


def text(offer: Offer, here: str, takes: str, is_chosen: bool = False) -> str:
    """A card's words as HTML."""
    mark = f' <b style="color: {CHOSEN_COLOUR}">✓ chosen</b>' if is_chosen else ""
    size = fetching.size(offer.name)
    loaded = f": {here}" if here else ""
    lines = (offer.about, f"Needs {size}{loaded}.", f"Lessons 1 to 5: {takes}.")
    paragraphs = "".join(f"<div>{html.escape(line)}</div>" for line in lines)
    return (
        f'<div style="line-height: 1.4"><b>{html.escape(offer.title)}</b>{mark}{paragraphs}</div>'
    )


def still(offers: Sequence[Offer] = OFFERS) -> dict[str, str]:
    """The cards with their buttons, without what differs between machines."""
    cards = []
    for offer in offers:
        said = text(offer, "", fetching.duration(offer.name))
        field = FIELD if offer.name == "folder" else ""
        box = f"border: 1px solid {LINE_COLOUR}; padding: 10px"
        zipped = f"{button_html('Upload a zip')} " if offer.name == "folder" else ""
        button = f'<div style="margin-top: 6px">{zipped}{button_html(offer.button)}</div>'
        cards.append(f'<div style="{box}">{said}{field}{button}</div>')
    grid = "display: grid; grid-template-columns: repeat(2, 1fr); gap: 10px; max-width: 820px"
    return {"text/html": f'<div style="{grid}">{"".join(cards)}</div><p><small>{STILL}</small></p>'}


def choice_panel(*names: str, command: Sequence[str] | None = None) -> Choice:
    """Choose how to take the course; what that needs is downloaded, and the choice kept.

    Args:
        names: of the recipes to choose from; all without any.
        command: as of `Choice`.
    """
    return Choice(names or recipes.NAMES, command)
