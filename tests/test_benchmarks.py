"""The benchmarks still run; how fast is not asked here."""

from __future__ import annotations

import csv
import importlib
import os
import queue
import runpy
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from helpers import evaluation
from helpers.paths import ROOT

BENCHMARKS = ROOT / "benchmarks"


def rows(table: Path) -> list[list[str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both recipes on a few drawings; the folder with the tables."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(cache))
        patch.setattr(sys, "argv", ["recipes.py", "--quick", "--seeds", "0"])
        before = {table: table.read_bytes() for table in BENCHMARKS.glob("*.csv")}
        runpy.run_path(str(BENCHMARKS / "recipes.py"), run_name="__main__")
        assert {table: table.read_bytes() for table in BENCHMARKS.glob("*.csv")} == before
    return cache / "benchmarks"


def test_a_quick_run_measures_all_of_both_recipes(quick_run: Path) -> None:
    found = rows(quick_run / "recipes.csv")
    names = {name for name, *_ in rows(BENCHMARKS / "recipes.csv")}
    assert {name for name, *_ in found} == names
    for _, seed, value, unit in found:
        assert seed == "0"
        assert float(value) > 0 if unit == "s" else 0 <= float(value) <= 1


def test_a_pair_is_what_both_accuracies_say(quick_run: Path) -> None:
    accuracy = {name: float(value) for name, _, value, _ in rows(quick_run / "recipes.csv")}
    header, *pairs = rows(quick_run / "pairs.csv")
    assert header[:2] == ["first", "second"] and len(pairs) == 4
    for first, second, seed, *numbers in pairs:
        first_right, second_right, only_first, only_second, total = map(int, numbers[:5])
        difference, low, high, p = map(float, numbers[5:])
        assert (seed, total) == ("0", 32)
        assert first_right / total == pytest.approx(accuracy[first], abs=1e-4)
        assert second_right / total == pytest.approx(accuracy[second], abs=1e-4)
        assert only_second - only_first == second_right - first_right
        assert difference == pytest.approx(accuracy[second] - accuracy[first], abs=2e-4)
        assert low < difference < high and 0 <= p <= 1


def answering(results: ModuleType, *wrong: int) -> object:
    """Answers to a hundred pictures, wrong for those of these numbers."""
    labels = np.arange(100) % 2
    logits = np.where(np.isin(np.arange(100), wrong), -1, 1) * (2 * labels - 1)
    return results.Answers(logits[:, np.newaxis].astype("float32"), labels)


def test_models_are_compared_where_both_were_measured(tmp_path: Path) -> None:
    results = importlib.import_module("results")

    def two(seed: int) -> Iterator[tuple]:
        yield "old", answering(results, *range(8 + seed)), ""
        yield "new", answering(results, 0, 50), ""

    table = tmp_path / "some.csv"
    pairs = [("old", "new"), ("old", "never measured")]
    for seeds in ([0, 1], [1]):  # a seed that is measured again takes the place of the first time
        results.measure([two], seeds, table, lambda found, more: [found.correct], pairs)
    found = [",".join(row) for row in rows(table)]
    assert found == ["old,0,92", "new,0,98", "old,1,91", "new,1,98"]
    # p by hand: both tails of 8 throws of a coin with one head or none, 2 * 9 / 256.
    assert [row[2:-3] + row[-1:] for row in rows(tmp_path / "pairs.csv")[1:]] == [
        ["0", "92", "98", "1", "7", "100", "0.0600", "0.07"],
        ["1", "91", "98", "1", "8", "100", "0.0700", "0.039"],
    ]


def test_ways_to_transfer_are_compared_for_each_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer, results = map(importlib.import_module, ("transfer", "results"))

    def way(name: str):
        def measure(seed: int, count: int) -> Iterator[tuple]:
            yield f"{name}, {count} pictures", answering(results, seed), 1.0

        return measure

    ways = {"frozen": way("frozen"), "tuned": way("fine-tuned"), "scratch": way("from scratch")}
    monkeypatch.setattr(transfer, "WITH_COUNTS", ways)
    monkeypatch.setattr(transfer, "FOLDER", tmp_path)
    arguments = ["frozen", "tuned", "--counts", "25", "50", "--seeds", "3"]
    monkeypatch.setattr(sys, "argv", ["transfer.py", *arguments])
    transfer.main()
    assert rows(tmp_path / "transfer.csv") == [
        [f"{name}, {count} pictures", "3", "99", "100", "1"]
        for name in ("frozen", "fine-tuned")
        for count in (25, 50)
    ]
    assert [row[:3] for row in rows(tmp_path / "pairs.csv")[1:]] == [
        [f"frozen, {count} pictures", f"fine-tuned, {count} pictures", "3"] for count in (25, 50)
    ]


def test_the_readme_states_the_pairs_as_they_were_measured() -> None:
    stated = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    _, *pairs = rows(BENCHMARKS / "pairs.csv")
    for _, _, seed, *numbers in pairs:
        first_right, second_right, only_first, only_second, total = map(int, numbers[:5])
        pair = evaluation.Comparison(only_first, only_second, total)
        points = [f"{100 * number:+.1f}" for number in (pair.difference, *pair.interval)]
        p = f"{pair.p_value:.3f}" if pair.p_value >= 0.001 else "< 0.001"
        assert (
            f"| {seed} | {first_right / total:.3f} | {second_right / total:.3f} | {only_first} "
            f"| {only_second} | {points[0]} ({points[1]} to {points[2]}) | {p} |"
        ) in stated


def test_the_readme_states_where_networks_look_as_it_was_measured() -> None:
    stated = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    header, *found = rows(BENCHMARKS / "maps.csv")
    table = [dict(zip(header, row, strict=True)) for row in found]
    for sound, tricked in zip(table[::2], table[1::2], strict=True):
        seed, gap = sound["seed"], f"{sound['gap']} ({sound['low']} to {sound['high']})"
        shares = f"{sound['inside']} | {tricked['inside']}"
        assert f"| `{sound['tap']}` | {seed} | {shares} | {gap} |" in stated
        for row in (sound, tricked):
            assert f"| {seed} | {row['network']} | {row['matched']} | {row['swapped']} |" in stated


@pytest.mark.skipif(not os.environ.get("COURSE_WHOLE"), reason="trains two networks: nightly")
def test_maps_are_measured_for_each_seed_tap_and_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = importlib.import_module("maps")
    for name, value in {"TRAINING": 4, "TEST": 3, "EPOCHS": 1, "FOLDER": tmp_path}.items():
        monkeypatch.setattr(maps, name, value)
    monkeypatch.setattr(sys, "argv", ["maps.py", "--seeds", "3"])
    maps.main()
    header, *found = rows(tmp_path / "maps.csv")
    assert header == rows(BENCHMARKS / "maps.csv")[0]
    known = [row[1:3] for row in rows(BENCHMARKS / "maps.csv")[1:7]]
    assert [row[1:3] for row in found] == known
    for row in found:
        low, gap, high = (float(row[header.index(name)]) for name in ("low", "gap", "high"))
        assert row[0] == "3" and int(row[header.index("maps")]) <= 6 and low < gap < high


def test_the_fuzzer_stops_at_a_finding_and_keeps_its_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fuzz = runpy.run_path(str(ROOT / "benchmarks" / "fuzz.py"))
    read: list[bytes] = []

    def reader(contents: bytes, folder: Path) -> str:
        read.append(contents)
        if len(read) == 3:
            raise KeyError("a finding")
        return "read"

    monkeypatch.setitem(fuzz["READERS"], "pictures", (fuzz["sound_pictures"], reader))
    told: queue.Queue = queue.Queue()
    fuzz["work"]("pictures", 0, time.monotonic() + 60, tmp_path, told)
    counts: Counter[str] = Counter()
    assert fuzz["listen"](None, told, counts) == "KeyError: 'a finding'"
    assert counts == {"read": 2} and told.empty()
    assert (tmp_path / "current").read_bytes() == read[-1]


def test_recipes_are_judged_as_published_and_mended(tmp_path: Path) -> None:
    program = importlib.import_module("preflight")
    table = tmp_path / "preflight.csv"
    program.judge(["keras_guide_from_scratch"], table)
    header, *found = rows(table)
    assert tuple(header) == program.HEADER
    kept = [row[2:8] for row in found]  # as, faults, found, missed, false, failed
    assert kept == [["published", "1", "1", "0", "0", "0"], ["mended", "0", "0", "0", "0", "0"]]
    assert list(program.as_table(table))[2].endswith(" on logits | own | 1 | 1 | 0 | 0 | 0 |")


def test_eight_families_of_keras_applications_are_among_the_recipes() -> None:
    program = importlib.import_module("preflight")
    assert len({one.network for one in program.RECIPES.values()} - {"own"}) >= 8


def test_the_stages_up_to_a_head_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    quick = runpy.run_path(str(BENCHMARKS / "recipes.py"))["QUICK"]
    found = runpy.run_path(str(BENCHMARKS / "stages.py"))["measure"](quick)
    until_head = list(found)[: list(found).index("from files to a head")]
    assert len(until_head) == 5
    total = sum(found[name] for name in until_head)
    assert found["from files to a head"] == pytest.approx(total, abs=0.02)
    assert {"a first try", "one more try", "an epoch of fine-tuning"} <= set(found)
