"""helpers/panels/runs.py: runs in a thread, stopped, compared, and never two at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from helpers.panels.runs import DIVERGED, DONE, FAILED, STOPPED, Run, Runs, Settings
from helpers.training import Epoch

SETTINGS = {"epochs": 3, "learning_rate": 0.5}


def epoch(number: int, loss: float = 0.5) -> Epoch:
    """An epoch with a validation accuracy that falls."""
    return Epoch(number, loss, 0.75, 0.6, 0.9 - number / 10, number / 10)


def steady(settings: Settings, stop: Callable[[], bool]) -> Iterator[Epoch]:
    """As many epochs as are asked for."""
    for number in range(1, settings["epochs"] + 1):
        yield epoch(number)


def endless(settings: Settings, stop: Callable[[], bool]) -> Iterator[Epoch]:
    """One epoch, and then none until it is stopped."""
    yield epoch(1)
    while not stop():
        time.sleep(0.001)


def finished(start: Callable, settings: Settings = SETTINGS) -> tuple[Runs, list[int]]:
    """Runs after one has ended, and how many epochs were there at each change."""
    seen: list[int] = []
    runs = Runs(start, 10, lambda: seen.append(len(runs.all[0].epochs)))
    runs.begin(settings)
    runs.wait()
    return runs, seen


def test_a_run_tells_of_every_epoch() -> None:
    runs, seen = finished(steady)
    assert seen == [1, 2, 3, 3]
    (run,) = runs.all
    assert (run.state, run.note) == (DONE, "Done: 3 of 3 epochs.")
    assert (run.last(10).correct, run.last(10).total) == (6, 10)
    assert not runs.running


def test_a_stopped_run_says_how_far_it_came() -> None:
    runs = Runs(endless, 10, lambda: None)
    run = runs.begin(SETTINGS)
    assert runs.running
    with pytest.raises(RuntimeError, match="Received: a second run"):
        runs.begin(SETTINGS)
    runs.stop("Stopped by you")
    runs.wait(5)
    assert (run.state, run.note) == (STOPPED, "Stopped by you after 1 of 3 epochs.")
    again = runs.begin(SETTINGS | {"epochs": 1})
    runs.stop()
    runs.wait(5)
    assert again.number == 2
    assert len(runs.all) == 2


def test_a_run_stopped_before_its_first_epoch_has_no_accuracy() -> None:
    def waiting(settings: Settings, stop: Callable[[], bool]) -> Iterator[Epoch]:
        while not stop():
            time.sleep(0.001)
        yield from ()

    runs = Runs(waiting, 10, lambda: None)
    run = runs.begin(SETTINGS)
    runs.stop()
    runs.wait(5)
    assert run.last(10) is None
    assert run.note == "Stopped after 0 of 3 epochs."
    assert runs.frame()["last_val_accuracy"].isna().all()


def test_a_loss_that_is_no_number_is_explained() -> None:
    def diverging(settings: Settings, stop: Callable[[], bool]) -> Iterator[Epoch]:
        yield epoch(1)
        yield epoch(2, float("nan"))

    runs, _ = finished(diverging)
    assert runs.all[0].state == DIVERGED
    assert "in epoch 2: the learning rate 0.5 is too high here" in runs.all[0].note


def test_an_error_is_shown_and_the_next_run_works() -> None:
    def failing(settings: Settings, stop: Callable[[], bool]) -> Iterator[Epoch]:
        yield epoch(1)
        if settings["learning_rate"] == 0.5:
            raise OSError("Received: a full disk.")

    runs, _ = finished(failing)
    assert runs.all[0].state == FAILED
    assert runs.all[0].note == "It failed: Received: a full disk."
    runs.begin(SETTINGS | {"learning_rate": 0.1, "epochs": 1})
    runs.wait()
    assert runs.all[1].state == DONE


def test_the_next_run_need_not_wait_until_the_end_of_the_last_is_shown() -> None:
    shown = threading.Event()
    runs = Runs(steady, 10, lambda: runs.all[0].state == DONE and shown.wait(5))
    runs.begin(SETTINGS)
    while runs.all[0].state != DONE:
        time.sleep(0.001)
    assert not runs.running
    second = runs.begin(SETTINGS)
    shown.set()
    runs.wait(5)
    assert second.state == DONE


def test_clear_forgets_all_but_the_run_under_way() -> None:
    runs = Runs(endless, 10, lambda: None)
    runs.begin(SETTINGS)
    runs.stop()
    runs.wait(5)
    running = runs.begin(SETTINGS)
    runs.clear()
    assert runs.all == [running]
    runs.stop()
    runs.wait(5)
    runs.clear()
    assert runs.all == []


def test_the_frame_has_a_row_a_run() -> None:
    runs, _ = finished(steady)
    runs.begin(SETTINGS | {"epochs": 1})
    runs.wait()
    frame = runs.frame()
    assert list(frame["run"]) == [1, 2]
    assert list(frame["epochs"]) == [3, 1]
    assert list(frame["epochs_done"]) == [3, 1]
    assert list(frame["last_val_accuracy"]) == [0.6, 0.8]
    low, high = frame["interval_low"], frame["interval_high"]
    assert ((low < [0.6, 0.8]) & (high > [0.6, 0.8])).all()


def test_coins_are_not_shown_to_be_better_than_coins() -> None:
    """Thirty epochs of guessing: 95 of 100 intervals, about, hold one half."""
    tossed = np.random.default_rng(0).binomial(500, 0.5, (100, 30)) / 500
    runs = [Run(1, {}, [Epoch(1, 0.7, 0.5, 0.7, share, 1.0) for share in row]) for row in tossed]
    intervals = np.array([run.last(500).interval for run in runs])
    holding = (intervals[:, 0] <= 0.5) & (intervals[:, 1] >= 0.5)
    assert 90 <= holding.sum() < 100


def test_a_hundred_clicks_at_random_moments_leave_nothing_behind() -> None:
    def working(settings: Settings, stop: Callable[[], bool]) -> Iterator[Epoch]:
        for number in range(1, settings["epochs"] + 1):
            if stop():
                return
            time.sleep(0.002)
            yield epoch(number)

    chances = random.Random(0)
    before = set(threading.enumerate())
    runs = Runs(working, 10, lambda: None)
    for _ in range(100):
        if runs.running and chances.random() < 0.6:
            runs.stop()
        elif not runs.running:
            runs.begin(SETTINGS)
        time.sleep(chances.random() * 0.006)
    runs.stop()
    runs.wait(5)
    assert set(threading.enumerate()) <= before
    assert len(runs.all) > 10
    assert {run.state for run in runs.all} == {DONE, STOPPED}
    assert [run.number for run in runs.all] == list(range(1, len(runs.all) + 1))
