"""Run every lesson under nbval again and again; report green runs and seconds.

    .venv/bin/python benchmarks/repeat_lessons.py --runs 20

A line a run goes to benchmarks/repeated_lessons.csv as soon as the run ends.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import time
from pathlib import Path

from helpers import recipes
from helpers.lessons import LESSONS, Lesson, find
from helpers.paths import ROOT

TABLE = Path(__file__).with_name("repeated_lessons.csv")


def run_once(lesson: Lesson) -> tuple[bool, float, str]:
    """Whether one run of a lesson was green, its seconds, and pytest's last line."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", str(lesson.notebook)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    last = (done.stdout.strip().splitlines() or [""])[-1]
    # A skipped lesson also exits with 0, and has shown nothing.
    return done.returncode == 0 and "skipped" not in last, seconds, last


def main() -> int:
    """Repeat, write the table, print the summary; 1 if a run was not green."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--lesson", action="append", help="a lesson's number; default: all")
    options = parser.parse_args()
    chosen = [find(text) for text in options.lesson] if options.lesson else list(LESSONS)
    green, seconds = dict.fromkeys(chosen, 0), {lesson: [] for lesson in chosen}
    with TABLE.open("a", newline="", encoding="utf-8") as file:
        for number in range(1, options.runs + 1):
            for lesson in chosen:
                passed, took, last = run_once(lesson)
                csv.writer(file).writerow(
                    [recipes.chosen().name, lesson.number, passed, f"{took:.0f}", last]
                )
                file.flush()
                green[lesson] += passed
                seconds[lesson].append(took)
                print(f"run {number}, lesson {lesson.number}: {last}", flush=True)
    for lesson in chosen:
        middle = statistics.median(seconds[lesson])
        print(f"{lesson.stem}: {green[lesson]} of {options.runs} green, median {middle:.0f} s")
    return int(sum(green.values()) != options.runs * len(chosen))


if __name__ == "__main__":
    raise SystemExit(main())
