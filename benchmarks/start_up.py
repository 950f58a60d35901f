"""What the imports of a lesson's first cells cost: TensorFlow's and Keras's share, and the rest.

    .venv/bin/python benchmarks/start_up.py

Each lesson up to the cell that imports Keras, in a process of its own, after what a kernel
has imported anyway. Seconds of the processor, so that other programs count little; medians.
"""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys

import jupytext

from helpers.paths import SOURCES

TIMED = """
import time
import ipykernel.kernelapp
begun = time.process_time()
import keras, tensorflow
keras_done = time.process_time()
{imports}
print(keras_done - begun, time.process_time() - keras_done)
"""


IMPORTS = ast.Import | ast.ImportFrom


def imports(lesson: int) -> str:
    """The import statements up to the first cell that imports Keras."""
    (path,) = SOURCES.glob(f"{lesson:02}_*.py")
    cells = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]
    last = next(number for number, cell in enumerate(cells) if "import keras" in cell)
    found = ast.parse("\n".join(cells[: last + 1])).body
    return "\n".join(ast.unparse(each) for each in found if isinstance(each, IMPORTS))


def main(runs: int = 5) -> None:
    """Print a row for each lesson."""
    rows: dict[int, list[list[float]]] = {lesson: [] for lesson in range(1, 6)}
    for _ in range(runs):  # in turn, so that none has the quiet minutes for itself
        for lesson, seconds in rows.items():
            command = [sys.executable, "-c", TIMED.format(imports=imports(lesson))]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds.append([float(part) for part in done.stdout.split()])
    for lesson, seconds in rows.items():
        keras, rest = (statistics.median(part) for part in zip(*seconds, strict=True))
        print(f"lesson {lesson}: TensorFlow and Keras {keras:.1f} s, the rest {rest:.2f} s")


if __name__ == "__main__":
    main()
