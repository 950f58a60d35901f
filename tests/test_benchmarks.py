"""The benchmarks still run; how fast is not asked here."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from helpers.lessons import ROOT


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
