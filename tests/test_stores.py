"""Stores of features: what is not whole is never taken for whole, and nothing is done twice."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers.features import stores

ROWS = np.arange(22, dtype="float32").reshape(11, 2)


def store(folder: Path, **changes: object) -> stores.Store:
    """A store of 11 rows in blocks of 4, or another one."""
    settings = {"key": {"of": "rows"}, "shape": (11, 2), "dtype": "float32", "block": 4} | changes
    return stores.Store(folder, **settings)


def blocks(start: int = 0) -> Iterator[np.ndarray]:
    """The rows from `start` on, in blocks."""
    for first in range(start, 11, 4):
        yield ROWS[first : first + 4]


def written(folder: Path) -> stores.Store:
    """A finished store."""
    made = store(folder)
    made.write(blocks(), 0)
    return made


def stopped() -> Iterator[np.ndarray]:
    """Two blocks, and then an interrupt."""
    yield ROWS[:4]
    yield ROWS[4:8]
    raise KeyboardInterrupt


def test_a_finished_store_opens_as_an_ordinary_npy(tmp_path: Path) -> None:
    made = written(tmp_path)
    np.testing.assert_array_equal(made.open(), ROWS)
    np.testing.assert_array_equal(np.load(made.path, allow_pickle=False), ROWS)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".npy"]


def test_a_missing_store_is_none(tmp_path: Path) -> None:
    assert store(tmp_path / "nowhere").open() is None
    assert store(tmp_path / "nowhere").rows_done() == 0


@pytest.mark.parametrize(
    "changes",
    [{"key": {"of": "others"}}, {"shape": (12, 2)}, {"dtype": "float16"}, {"block": 5}],
)
def test_another_description_is_another_store(tmp_path: Path, changes: dict) -> None:
    written(tmp_path)
    assert store(tmp_path, **changes).open() is None


def test_a_store_that_another_process_removes_while_it_is_opened_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, check = written(tmp_path), stores.Store._whole_blocks

    def checked_and_removed(self: stores.Store, path: Path, sums: list[int]) -> int:
        whole = check(self, path, sums)
        path.unlink()
        return whole

    monkeypatch.setattr(stores.Store, "_whole_blocks", checked_and_removed)
    assert made.open() is None


@pytest.mark.parametrize("suffix", [".npy", ".json"])
def test_no_flipped_byte_goes_unnoticed(tmp_path: Path, suffix: str) -> None:
    made = written(tmp_path)
    path = made.path.with_suffix(suffix)
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        found = made.open()
        assert found is None or np.array_equal(found, ROWS), f"byte {position}"
    path.write_bytes(whole)
    assert made.open() is not None


@pytest.mark.parametrize("suffix", [".npy", ".json"])
def test_no_truncation_and_no_trailing_byte_goes_unnoticed(tmp_path: Path, suffix: str) -> None:
    made = written(tmp_path)
    path = made.path.with_suffix(suffix)
    whole = path.read_bytes()
    for length in range(len(whole) - 1):  # of the record, the last byte is a line's end
        path.write_bytes(whole[:length])
        assert made.open() is None, f"{length} bytes"
    if suffix == ".npy":
        path.write_bytes(whole + b"\0")
        assert made.open() is None


def test_another_version_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path)
    monkeypatch.setattr(stores, "VERSION", stores.VERSION + 1)
    assert store(tmp_path).open() is None


def test_another_byte_order_is_noticed(tmp_path: Path) -> None:
    made = written(tmp_path)
    foreign = np.dtype("float32").newbyteorder("S")
    record = made.path.with_suffix(".json")
    first, *sums = record.read_text(encoding="utf-8").splitlines()
    described = json.loads(first) | {"dtype": foreign.str}
    record.write_text("\n".join([json.dumps(described), *sums]), encoding="utf-8")
    np.save(made.path, ROWS.astype(foreign))
    assert made.open() is None


def test_writing_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path).write(stopped(), 0)
    again = store(tmp_path)
    assert again.open() is None
    assert again.rows_done() == 8
    again.write(blocks(8), 8)
    np.testing.assert_array_equal(again.open(), ROWS)


def test_a_damaged_beginning_is_not_gone_on_from(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path).write(stopped(), 0)
    part = next(tmp_path.glob("*.npy.part"))
    damaged = bytearray(part.read_bytes())
    damaged[-1] ^= 1  # in the second block
    part.write_bytes(damaged)
    again = store(tmp_path)
    assert again.rows_done() == 4
    again.write(blocks(4), 4)
    np.testing.assert_array_equal(again.open(), ROWS)


def test_all_rows_written_but_not_renamed(tmp_path: Path) -> None:
    made = written(tmp_path)
    made.path.replace(made.path.with_suffix(".npy.part"))
    made.path.with_suffix(".json").replace(made.path.with_suffix(".journal.part"))
    assert made.rows_done() == 11
    made.write(iter(()), 11)
    np.testing.assert_array_equal(made.open(), ROWS)


def test_a_kill_between_the_two_renamings_loses_nothing(tmp_path: Path) -> None:
    made = written(tmp_path)
    made.path.with_suffix(".json").replace(made.path.with_suffix(".journal.part"))
    assert made.open() is None
    assert made.rows_done() == 11
    made.write(iter(()), 11)
    np.testing.assert_array_equal(made.open(), ROWS)


def test_too_few_blocks_make_no_store(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Received: 1 blocks\. Expected: 3\."):
        store(tmp_path).write(iter([ROWS[:4]]), 0)
    assert store(tmp_path).open() is None


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Received: rows of shape \(3,\)\. Expected: \(2,\)\."):
        store(tmp_path).write(iter([np.zeros((4, 3), "float32")]), 0)


def test_an_empty_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        store(tmp_path, shape=(0, 2))


def test_a_full_disk_keeps_what_was_done(tmp_path: Path) -> None:
    def full() -> Iterator[np.ndarray]:
        yield ROWS[:4]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"Received: a full disk .* Make room .* COURSE_CACHE"):
        store(tmp_path).write(full(), 0)
    assert store(tmp_path).rows_done() == 4


def test_too_small_a_disk_is_seen_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=ROWS.nbytes - 1))

    def never() -> Iterator[np.ndarray]:
        raise AssertionError("a block was computed")
        yield

    with pytest.raises(OSError, match=r"Received: a full disk .* take fewer views"):
        store(tmp_path).write(never(), 0)


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # an administrator may everywhere
    with pytest.raises(PermissionError, match=r"cannot be written to.*COURSE_CACHE.*COURSE_SHARED"):
        store(tmp_path).lock()


LEARNER = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
from helpers.features.stores import Store

ROWS = np.arange(120_000, dtype="float32").reshape(400, 300)


def learner(work, pipe=None):
    def block(at):
        if pipe:
            os.write(pipe, b".")
        return ROWS[at : at + 20]

    store = Store(Path(sys.argv[1]), {"work": work}, ROWS.shape, "float32", block=20)
    with store.lock():
        if store.open() is None:
            done = store.rows_done()
            print("computes", work, done, flush=True)
            store.write((block(at) for at in range(done, 400, 20)), done)
    assert np.array_equal(store.open(), ROWS)
"""

KILLED = """
chance = random.Random(0)
went_on = 0
for work in range(100):
    store = Store(Path(sys.argv[1]), {"work": work}, ROWS.shape, "float32", block=20)
    mine, its = os.pipe()
    child = os.fork()
    if child == 0:
        sys.stdout = open(os.devnull, "w")
        learner(work, its)
        os._exit(0)
    os.close(its)
    for _ in range(chance.randrange(21)):  # so many blocks, and then a moment
        os.read(mine, 1)
    time.sleep(chance.uniform(0, 0.001))
    os.close(mine)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = store.open()
    assert found is None or np.array_equal(found, ROWS), work
    went_on += found is None and store.rows_done() > 0
    learner(work)
print("went on", went_on)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_hundred_kills_leave_a_whole_store_or_what_can_be_gone_on_from(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LEARNER + KILLED, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    # Some were killed between two blocks, or this test says nothing.
    assert int(ran.stdout.split()[-1]) >= 10


def test_of_twenty_processes_one_computes_and_none_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LEARNER + "learner(0)", str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(20)]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * 20
    assert sorted(said) == [""] * 19 + ["computes 0 0\n"]


def test_who_comes_second_waits_and_finds_it_finished(tmp_path: Path) -> None:
    computed, found = [], []

    def learner() -> None:
        own = store(tmp_path)
        with own.lock():
            if own.open() is None:
                computed.append(threading.get_ident())
                own.write(blocks(), 0)
        found.append(np.array_equal(own.open(), ROWS))

    learners = [threading.Thread(target=learner) for _ in range(8)]
    for thread in learners:
        thread.start()
    for thread in learners:
        thread.join()
    assert len(computed) == 1
    assert found == [True] * 8
