"""What the training panels share: knobs, Train and Stop, growing curves, runs compared."""

from __future__ import annotations

import asyncio
import base64
import html
import signal
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from helpers.panels import still
from helpers.panels.blocks import Blocks
from helpers.panels.panel import Panel, beside, png
from helpers.panels.runs import RUNNING, Run, Runs, Settings, Start, join
from helpers.panels.strip import Strip

if TYPE_CHECKING:
    import pandas as pd

HELP = (
    "If a click does nothing, the kernel is busy. If broken chains show, it was restarted: "
    "run the notebook's cells again."
)
ACCURACY = "last val accuracy (95 % interval)"
REPLACED = "The panel that stood here before is closed; its runs are not in this one."


class Board(Panel):
    """Knobs, buttons, curves and a table of runs.

    Args:
        title: a line above.
        knobs: the controls by the name of their setting; `epochs` and `learning_rate` among them.
        start: begins a run, as `Runs` wants it.
        code: prints the plain Keras code of some settings.
        validation_pictures: how many stand behind a validation accuracy.
        network: the network as blocks, above the curves.
        counted: a sentence on the network, below its blocks.
        strip: pictures whose frames turn right or wrong, below the curves.
    """

    def __init__(
        self,
        title: str,
        knobs: Mapping[str, widgets.Widget],
        start: Start,
        code: Callable[[Settings], str],
        validation_pictures: int,
        network: Blocks | None = None,
        counted: widgets.Widget | None = None,
        strip: Strip | None = None,
    ) -> None:
        self.knobs = dict(knobs)
        self.runs = Runs(start, validation_pictures, self._changed)
        self._code = code
        self._dirty = False
        self._painted: list[tuple[int, int]] = []
        self._deciding = threading.Lock()
        self._painter: threading.Thread | None = None
        self._buttons = _buttons()
        self.network, self.strip = network, strip
        self.progress = widgets.HTML()
        self.chart = widgets.Image(
            format="png", layout=widgets.Layout(max_width="100%", width="780px")
        )
        self.chart.add_class("course-curves")
        self.table = widgets.HTML()
        self.pick = widgets.Dropdown(
            description="Settings of run",
            tooltip="Set the controls to what this run had",
            style={"description_width": "initial"},
            options=[("choose", 0)],
        )
        self.shown_code = widgets.HTML()
        self._connect()
        buttons = widgets.Box(
            list(self._buttons.values()), layout=widgets.Layout(flex_flow="row wrap")
        )
        name = widgets.HTML(f"<b>{html.escape(title)}</b>")
        left = [name, *self.knobs.values(), buttons, self.pick]
        right = [network, counted, self.progress, self.chart, strip]
        grid = beside(left, [part for part in right if part is not None])
        super().__init__([grid, self.table, self.shown_code], still=self._still_picture)

    # What a learner, or a test, can do

    @property
    def settings(self) -> Settings:
        """What the knobs say now."""
        return {name: knob.value for name, knob in self.knobs.items()}

    def train(self, button: Any = None) -> Run | None:
        """Begin a run with the knobs' settings; nothing where one is running."""
        if self.runs.running:
            return None
        self._listen_for_interrupts()
        self._enable(running=True)
        run = self.runs.begin(self.settings)
        self._changed()
        return run

    def stop(self, button: Any = None) -> None:
        """Stop the run that is under way."""
        self.runs.stop("Stopped by you")
        self._changed()  # so that it is seen to be heard, even where a batch takes a while

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the run has ended and all is shown; each of the two at most so long."""
        self.runs.wait(seconds)
        painter = self._painter
        if painter is not None:
            join(painter, seconds)

    def clear(self, button: Any = None) -> None:
        """Forget the runs."""
        self.runs.clear()
        self.shown_code.value = ""

    def show_code(self, button: Any = None) -> str:
        """Show, and return, plain Keras code for the last run's settings, or for the knobs'."""
        settings = self.runs.all[-1].settings if self.runs.all else self.settings
        text = self._code(settings)
        self.shown_code.value = f"<pre>{html.escape(text)}</pre>"
        return text

    def frame(self) -> pd.DataFrame:
        """The runs so far, a row each."""
        return self.runs.frame()

    # How it works

    def _connect(self) -> None:
        for name in ("train", "stop", "clear", "show_code"):
            self._buttons[name].on_click(getattr(self, name))
        self._enable(running=False)
        self.pick.observe(self._restore, "value")

    def _enable(self, running: bool) -> None:
        """Offer Train, or Stop."""
        self._buttons["train"].disabled = running
        self._buttons["stop"].disabled = not running

    def _restore(self, change: Any) -> None:
        """Set the knobs to what the run picked had."""
        for run in self.runs.all:
            if run.number == change["new"]:
                for name, value in run.settings.items():
                    self.knobs[name].value = value

    def _changed(self) -> None:
        """Have it shown soon, in a thread of its own: training does not wait for a picture."""
        with self._deciding:
            self._dirty = True
            if self._painter is None:
                self._painter = threading.Thread(target=self._paint, name="painter", daemon=True)
                self._painter.start()

    def _paint(self) -> None:
        """Show, and show again as long as something has changed meanwhile."""
        while True:
            with self._deciding:
                if not self._dirty:
                    self._painter = None
                    return
                self._dirty = False
            try:
                self._show()
            except BaseException:
                with self._deciding:
                    self._painter = None  # so that the next change is shown again
                raise

    def _show(self) -> None:
        """Bring all that is shown up to date."""
        runs = list(self.runs.all)
        last = runs[-1] if runs else None
        running = last is not None and last.state == RUNNING
        self._enable(running)
        said = _progress(last, self.runs.stopping)
        replaced = f" {REPLACED}" if self.replaces else ""
        self.progress.value = (
            f'<div style="line-height: 1.4">{said}{replaced}<br><small>{HELP}</small></div>'
        )
        self.table.value = _table(self.runs.frame(runs))
        numbers = [("choose", 0), *((str(run.number), run.number) for run in runs)]
        if list(self.pick.options) != numbers:
            self.pick.options = numbers
        points = [(run.number, len(run.epochs)) for run in runs if run.epochs]
        if points != self._painted:  # a picture takes longer than a first epoch
            self.chart.value = paint(runs)
            self._painted = points

    def _still_picture(self) -> dict[str, str]:
        """The curves of a first run, which is made where there is none yet."""
        if not self.runs.all:
            self.runs.begin(self.settings)
            try:
                self.wait()
            except BaseException:
                self.runs.stop("Stopped by the kernel's interrupt")
                raise
        shown = [self.network.paint()] if self.network else []
        shown += [paint(self.runs.all), *([self.strip.value] if self.strip else [])]
        return still.picture([*self.knobs.values(), *self._buttons.values()], shown)

    def leave(self) -> None:
        """Stop what is under way, then close."""
        self.runs.stop("Stopped, for its cell was run again,")
        super().leave()

    def _listen_for_interrupts(self) -> None:
        """Let the kernel's interrupt stop the run, as it stops a cell.

        An idle kernel ignores interrupts, and while a run is under way in a thread it is idle. The
        handler is set once this click has been dealt with, for the kernel puts its own back then.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        board = weakref.ref(self)

        def interrupted(number: int, frame: Any) -> None:
            own = board()
            if own is not None:
                own.runs.stop("Stopped by the kernel's interrupt")

        loop.call_later(0.05, signal.signal, signal.SIGINT, interrupted)


def paint(runs: list[Run]) -> bytes:
    """Training and validation curves of the last run, earlier ones' validation behind them."""
    from matplotlib.figure import Figure

    from helpers import plots

    # Fixed margins: to fit them anew would take half of the time that a picture takes.
    with plots.style():
        figure = Figure(figsize=(8.5, 3.4))
        figure.subplots_adjust(left=0.07, right=0.99, bottom=0.16, top=0.9, wspace=0.15)
        histories = [(run.number, list(run.epochs)) for run in runs if run.epochs]
        plots.run_curves(histories, figure.subplots(1, 2))
        return png(figure)


def _buttons() -> dict[str, widgets.Button]:
    """The four buttons by the name of the method that each calls."""
    described = {
        "train": ("Train", "Train with the settings above", "primary"),
        "stop": ("Stop", "Stop after the batch that is being worked on", "warning"),
        "clear": ("Clear", "Forget the runs that are done", ""),
        "show_code": ("Show code", "Plain Keras code that does what the last run did", ""),
    }
    return {
        name: widgets.Button(description=label, tooltip=tooltip, button_style=style)
        for name, (label, tooltip, style) in described.items()
    }


def _progress(run: Run | None, stopping: bool) -> str:
    """A sentence on the last run."""
    if run is None:
        return "No run yet."
    if run.state != RUNNING:
        return f"Run {run.number}: {html.escape(run.note)}"
    asked, done = run.settings["epochs"], len(run.epochs)
    if stopping:
        return f"Run {run.number}: stopping."
    if not done:
        return f"Run {run.number}: beginning."
    left = run.seconds / done * (asked - done)
    return f"Run {run.number}: epoch {done} of {asked}, about {left:.1f} s left."


def _table(frame: pd.DataFrame) -> str:
    """The runs as an HTML table, and a link that saves them."""
    if frame.empty:
        return ""
    contents = base64.b64encode(frame.to_csv(index=False).encode()).decode()
    low, high = frame.pop("interval_low"), frame.pop("interval_high")
    frame[ACCURACY] = [
        # No-break spaces, for the tables of JupyterLab break lines wherever they can.
        "" if value != value else f"{value:.3f}\u00a0({first:.3f}\u00a0to\u00a0{last:.3f})"
        for value, first, last in zip(
            frame.pop("last_val_accuracy").astype(float), low, high, strict=True
        )
    ]
    frame["learning_rate"] = [f"{rate:.3g}" for rate in frame["learning_rate"]]
    frame.columns = [name.replace("_", " ") for name in frame.columns]
    link = f'<a download="runs.csv" href="data:text/csv;base64,{contents}">Save as CSV</a>'
    results = ["run", ACCURACY, "state", "epochs done", "seconds"]
    frame = frame[[*results, *(name for name in frame.columns if name not in results)]]
    shown = frame.to_html(index=False, border=0)
    style = "overflow-x: auto; white-space: nowrap; line-height: 1.5"
    # The class is JupyterLab's own for tables; other front ends pass over it.
    return f'<div class="jp-RenderedHTMLCommon" style="{style}">{shown}</div>{link}'
