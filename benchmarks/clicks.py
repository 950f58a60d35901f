"""Click on Train and on Stop in JupyterLab, three times each, and print how long each took.

    .venv/bin/python benchmarks/clicks.py

Needs Chromium. The panel is that of lesson 3, on as many features as 2,000 photographs have.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

if TYPE_CHECKING:
    from laboratory import Lab

FEATURES = """
import numpy as np
from helpers import panels

features = np.random.default_rng(0).normal(size=(2500, 1280)).astype("float32")
labels = (features[:, :40].sum(axis=1) > 0).astype(int)
panels.training_panel(features[:2000], labels[:2000], (features[2000:], labels[2000:]))
"""


def train(lab: Lab) -> tuple[float, float]:
    """Seconds from the click on Train to the first point, and to the end of ten epochs."""
    before, number, started = lab.curves(), len(lab.column("run")) + 1, time.perf_counter()
    lab.button("Train").click()
    lab.painted_anew(before)
    first = time.perf_counter() - started
    lab.says(f"Run {number}: Done: 10 of 10 epochs")
    return first, time.perf_counter() - started


def stop(lab: Lab) -> float:
    """Seconds from the click on Stop to the end of a run of 100 epochs."""
    number = len(lab.column("run")) + 1
    lab.move("epochs", "End")
    lab.button("Train").click()
    lab.says(rf"Run {number}: epoch \d+ of 100")
    started = time.perf_counter()
    lab.button("Stop").click()
    lab.says(f"Run {number}: Stopped by you after")
    return time.perf_counter() - started


def main() -> None:
    """Print a line a click."""
    import laboratory

    with (
        tempfile.TemporaryDirectory() as folder,
        laboratory.chromium() as browser,
        laboratory.jupyterlab(Path(folder)) as server,
    ):
        lab = laboratory.Lab(server.show(browser), server, "clicks", [FEATURES])
        lab.run()
        for first, whole in [train(lab) for _ in range(3)]:
            print(f"first point {first:.2f} s, 10 epochs {whole:.2f} s")
        for seconds in [stop(lab) for _ in range(3)]:
            print(f"Stop obeyed in {seconds:.2f} s")


if __name__ == "__main__":
    main()
