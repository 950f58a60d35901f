"""Time a picture and peak memory of feature extraction, from 1,000 pictures to 50,000.

    .venv/bin/python benchmarks/growth.py

The 2,000 training photographs are repeated as often as it takes. They stay on disk and are decoded
block by block; each size runs in a process of its own, whose peak resident memory is what the
system says. A line a size goes to benchmarks/growth.csv.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

SIZES = (1_000, 5_000, 23_000, 46_000, 50_000)
TABLE = Path(__file__).with_name("growth.csv")


def measure(count: int) -> tuple[float, float, float]:
    """Seconds of extraction, MB of features, peak MB of this process."""
    import keras

    from helpers import bases, features, pictures

    files = pictures.load("photos", 160, in_memory=False, quiet=True).train.images.paths
    images = pictures.PictureFiles((files * (count // len(files) + 1))[:count], 160)
    scaling, base = bases.find("MobileNetV2").scaling(), bases.load("MobileNetV2")
    pooling = keras.layers.GlobalAveragePooling2D()
    extractor = keras.Sequential([keras.Input((160, 160, 3)), scaling, base, pooling])
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, COURSE_CACHE=folder):
        started = time.perf_counter()
        found = features.extract(extractor, images)
        seconds = time.perf_counter() - started
    return seconds, found.nbytes / 1e6, peak_megabytes()


def peak_megabytes() -> float:
    """The most memory that this process has had resident."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def main() -> None:
    """Run each size in a process of its own."""
    if len(sys.argv) > 1:
        print(*measure(int(sys.argv[1])))
        return
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        for count in SIZES:
            command = [sys.executable, __file__, str(count)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds, stored, peak = map(float, answer.splitlines()[-1].split())
            print(
                f"{count:,} pictures: {seconds:.0f} s, {1000 * seconds / count:.2f} ms a picture, "
                f"features {stored:,.0f} MB, peak memory {peak:,.0f} MB",
                flush=True,
            )
            csv.writer(file).writerow([count, f"{seconds:.1f}", f"{stored:.0f}", f"{peak:.0f}"])
            file.flush()


if __name__ == "__main__":
    main()
