"""Training runs in a thread: begun, stopped, remembered. No widgets here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from helpers.evaluation import Accuracy

if TYPE_CHECKING:
    import pandas as pd

    from helpers.training import Epoch

Settings = dict[str, Any]
# Begins a run: settings and a question whether to stop go in, epochs come out.
Start = Callable[[Settings, Callable[[], bool]], "Iterator[Epoch]"]

RUNNING, DONE, STOPPED, DIVERGED, FAILED = "running", "done", "stopped", "diverged", "failed"


@dataclass
class Run:
    """One run: what was asked for and what came of it.

    Attributes:
        number: 1 for the first of a panel.
        settings: by name; `epochs` is how many were asked for.
        epochs: those that are done.
        state: one of the five words above.
        note: a sentence on how it ended.
        seconds: from the click to the end, or to now.
    """

    number: int
    settings: Settings
    epochs: list[Epoch] = field(default_factory=list)
    state: str = RUNNING
    note: str = ""
    seconds: float = 0.0

    def last(self, validation_pictures: int) -> Accuracy | None:
        """The validation accuracy of the last epoch so far.

        Not that of the best one: an interval says how far chance can carry one accuracy, and the
        best of many was picked for having been carried far.
        """
        if not self.epochs:
            return None
        correct = round(self.epochs[-1].val_accuracy * validation_pictures)
        return Accuracy(correct, validation_pictures)


class Runs:
    """The runs of one panel, of which one at a time is running.

    Args:
        start: begins a run; called in the run's thread.
        validation_pictures: how many stand behind a validation accuracy.
        changed: called, mostly from the run's thread, whenever there is something new to show.
    """

    def __init__(self, start: Start, validation_pictures: int, changed: Callable[[], None]) -> None:
        self._start = start
        self._changed = changed
        self._asked_to_stop = threading.Event()
        self._why = ""
        self._threads: list[threading.Thread] = []
        self.validation_pictures = validation_pictures
        self.all: list[Run] = []

    @property
    def running(self) -> bool:
        """Whether a run is under way; its thread may live a little longer, to show the end."""
        return any(run.state == RUNNING for run in self.all)

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to stop."""
        return self._asked_to_stop.is_set()

    def begin(self, settings: Settings) -> Run:
        """Begin a run in a thread.

        Raises:
            RuntimeError: where one is running.
        """
        if self.running:
            raise RuntimeError("Received: a second run. Expected: the first is stopped or done.")
        self._asked_to_stop.clear()
        run = Run(1 + max((run.number for run in self.all), default=0), dict(settings))
        self.all.append(run)
        thread = threading.Thread(
            target=self._carry_out, args=(run,), name=f"run {run.number}", daemon=True
        )
        self._threads = [*filter(threading.Thread.is_alive, self._threads), thread]
        thread.start()
        return run

    def stop(self, why: str = "Stopped") -> None:
        """Ask the run to stop; while it trains it does within a batch. `why` begins its note."""
        self._why = why
        self._asked_to_stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the run has ended and was shown, each thread at most so long."""
        for thread in self._threads:
            join(thread, seconds)

    def clear(self) -> None:
        """Forget all runs but the one under way."""
        self.all = [run for run in self.all if run.state == RUNNING]
        self._changed()

    def frame(self, runs: list[Run] | None = None) -> pd.DataFrame:
        """A row a run: its settings, state, epochs done, last validation accuracy, seconds."""
        import pandas as pd

        return pd.DataFrame([self._row(run) for run in (self.all if runs is None else runs)])

    def _row(self, run: Run) -> dict[str, Any]:
        last = run.last(self.validation_pictures)
        low, high = last.interval if last else (None, None)
        return {
            "run": run.number,
            **run.settings,
            "state": run.state,
            "epochs_done": len(run.epochs),
            "last_val_accuracy": last.value if last else None,
            "interval_low": low,
            "interval_high": high,
            "seconds": round(run.seconds, 2),
        }

    def _carry_out(self, run: Run) -> None:
        """The thread: take epochs until there are no more, and say how it ended."""
        started = time.perf_counter()
        try:
            for epoch in self._start(run.settings, self._asked_to_stop.is_set):
                run.epochs.append(epoch)
                run.seconds = time.perf_counter() - started
                self._changed()
                if self._asked_to_stop.is_set():
                    break
            run.state, run.note = self._ending(run)
        except Exception as error:  # whatever a setting leads to is shown, and the panel lives on
            run.state, run.note = FAILED, f"It failed: {error}"
        run.seconds = time.perf_counter() - started
        self._changed()

    def _ending(self, run: Run) -> tuple[str, str]:
        """In which state a run ended, and the sentence about it."""
        asked, done = run.settings["epochs"], len(run.epochs)
        if run.epochs and run.epochs[-1].diverged:
            return DIVERGED, (
                f"The loss is no number any more in epoch {done}: the learning rate "
                f"{run.settings['learning_rate']:g} is too high here. Take a lower one."
            )
        if done < asked:
            return STOPPED, f"{self._why} after {done} of {asked} epochs."
        return DONE, f"Done: {done} of {asked} epochs."


def join(thread: threading.Thread, seconds: float | None) -> None:
    """Wait for a thread, in short waits that an interrupt can end on every system."""
    if seconds is not None:
        thread.join(seconds)
        return
    while thread.is_alive():
        thread.join(0.1)
