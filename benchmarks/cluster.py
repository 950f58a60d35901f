"""Time the extraction on Ray beside `features.extract`, and look at what memory it takes.

    .venv/bin/python benchmarks/cluster.py --pictures 1000 --base drawn

Each way gets the same files: the embedded drawings, linked as often as it takes. A node of the
cluster has one core to give away, and nothing binds it to that core. Ray is needed
(`python3 course.py cluster`). A row a way is added to `benchmarks/cluster.csv`.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "RAY_USAGE_STATS_ENABLED": "0"}
TABLE = ROOT / "benchmarks" / "cluster.csv"
WAYS = ("one core", "two cores", "Ray, one node", "Ray, two nodes")


def main() -> None:
    """Measure each way that was asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pictures", type=int, default=1000)
    options.add_argument("--base", default="drawn")
    options.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        model = extractor(asked.base)
        folder = Path(name, "pictures")
        write_pictures(folder, asked.pictures, model.input_shape[1])
        for way in asked.ways:
            measured = measure(way, model, folder, Path(name, way))
            row = {"way": way, "base": asked.base, "pictures": asked.pictures, **measured}
            print(row, flush=True)
            append(row)


def extractor(name: str):
    """From bytes to pooled features; other bases than the embedded one with random weights."""
    import keras

    from helpers import bases

    base = bases.load(name, weights="pretrained" if name == "drawn" else None)
    pooling = keras.layers.GlobalAveragePooling2D()
    return keras.Sequential(
        [keras.Input(base.input_shape[1:]), bases.find(name).scaling(), base, pooling]
    )


def write_pictures(folder: Path, count: int, side: int) -> None:
    """The drawings as PNG files in two classes, each linked as often as it takes."""
    from PIL import Image

    from helpers import pictures

    drawn = pictures.load("drawings", size=side, quiet=True).train
    for number in range(count):
        row = number % len(drawn)
        path = folder / str(drawn.labels[row]) / f"{number:07}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < len(drawn):
            Image.fromarray(drawn.images[row]).save(path)
        else:
            path.hardlink_to(folder / str(drawn.labels[row]) / f"{row:07}.png")


def measure(way: str, model, folder: Path, output: Path) -> dict[str, float]:
    """Seconds, pictures a second, and megabytes at most in the first and in the second half."""
    if not way.startswith("Ray"):
        return without_ray(model, folder, cores=1 + (way == "two cores"))
    import ray
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(1 + (way == "Ray, two nodes")):
        nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    os.environ["RAY_ADDRESS"] = nodes.address
    try:
        return on_ray(model, folder, output)
    finally:
        ray.shutdown()
        nodes.shutdown()


def without_ray(model, folder: Path, cores: int) -> dict[str, float]:
    """`features.extract` from the same files, on so many cores, all in memory."""
    from helpers import features
    from helpers.pictures.splits import PictureFiles

    everyone = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(everyone)[:cores])
    try:
        files = [str(path) for path in sorted(folder.rglob("*.png"))]
        with Memory() as memory:
            images = PictureFiles(files, model.input_shape[1])
            features.extract(model, images, engine="litert", keep=False, quiet=True)
    finally:
        os.sched_setaffinity(0, everyone)
    return memory.row(len(files), memory.seconds)


def on_ray(model, folder: Path, output: Path) -> dict[str, float]:
    """`cluster.extract`, its connection included; `begun` is when the first part was there."""
    from helpers import cluster

    count = sum(1 for _ in folder.rglob("*.png"))
    with Memory(output) as memory:
        cluster.extract(model, str(folder), str(output), quiet=True)
    assert len(cluster.read(str(output)).files) == count
    return memory.row(count, memory.seconds)


class Memory:
    """Samples this process and Ray's workers twice a second, while something runs."""

    def __init__(self, output: Path | None = None) -> None:
        self.output, self.begun, self.samples = output, float("nan"), []

    def __enter__(self) -> Memory:
        self.started, self._over = time.perf_counter(), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.perf_counter() - self.started
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._over.wait(0.5):
            if self.output and np.isnan(self.begun) and any(self.output.glob("*.parquet")):
                self.begun = time.perf_counter() - self.started
            workers = [0]
            for process in me.children(recursive=True) if self.output else []:
                try:
                    if "MapBatches(Worker)" in " ".join(process.cmdline()):
                        workers.append(process.memory_info().rss)
                except psutil.Error:
                    continue
            self.samples.append((me.memory_info().rss, max(workers)))

    def row(self, count: int, seconds: float) -> dict[str, float]:
        """Numbers of a table's row; megabytes are millions of bytes."""
        half = len(self.samples) // 2
        halves = np.array(self.samples[:half] or [(0, 0)]), np.array(self.samples[half:])
        row = {"seconds": round(seconds, 1), "first part": round(self.begun, 1)}
        row["pictures a second"] = round(count / seconds)
        for position, who in enumerate(("driver", "worker")):
            for name, samples in zip(("first half", "second half"), halves, strict=True):
                row[f"{who} MB, {name}"] = round(samples[:, position].max() / 1e6)
        return row


def append(row: dict[str, object]) -> None:
    """Add a row to the table."""
    new = not TABLE.exists()
    with TABLE.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
