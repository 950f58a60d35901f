"""The benchmarks still run; how fast is not asked here."""

from __future__ import annotations

import os
import queue
import re
import runpy
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from helpers.paths import ROOT


@pytest.mark.slow
def test_both_recipes_run_on_a_few_drawings() -> None:
    program = ROOT / "benchmarks" / "recipes.py"
    before = (ROOT / "benchmarks" / "recipes.csv").read_bytes()
    done = subprocess.run(
        [sys.executable, program, "--quick"],
        cwd=ROOT,
        env=os.environ | {"KERAS_HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = dict(re.findall(r"^seed 0, (.+): ([\d.]+|inf)(?: s)?$", done.stdout, re.MULTILINE))
    for name in (
        "published: all",
        "published: test accuracy",
        "ours: from files to a head",
        "ours: one more try, 10 epochs",
        "ours: tuned, all",
        "ours: test accuracy, tuned",
    ):
        assert float(found[name]) > 0
    assert (ROOT / "benchmarks" / "recipes.csv").read_bytes() == before


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
