"""Ray: the same numbers as without it, whatever is lost in mid-run; a sentence where it cannot work.

Skipped where Ray is not installed: `python3 course.py cluster` installs it. The nodes of the
cluster are processes of this machine.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from helpers import cluster, features
from helpers.cluster import connection, extraction, tuning
from helpers.pictures import decoding

pytestmark = pytest.mark.skipif(not cluster.is_installed(), reason="Ray is not installed")
SIDE, COUNT = 48, 240
# The tests' own process reaches no other address (tests/no_network).
HERE = {"node_ip_address": "127.0.0.1", "include_dashboard": False}
NO_NETWORK = Path(__file__).with_name("no_network")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Pictures of noise in two classes, in the formats that Ray's own reader would leave out too."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for number in range(COUNT):
        pixels = generator.integers(0, 256, (60, 64, 3), dtype=np.uint8)
        suffix = ("png", "jpg", "webp")[number % 3]
        path = folder / ("cat", "dog")[number % 2] / f"{number:03}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture(scope="module")
def model():
    """A network that takes its time: there is a middle in which something can be lost."""
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(64, 3, padding="same", activation="relu") for _ in range(14)]
    pooling = keras.layers.GlobalAveragePooling2D()
    scaling = keras.layers.Rescaling(1 / 255)
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), scaling, *layers, pooling])


@pytest.fixture(scope="module")
def expected(folder, model) -> tuple[list[str], np.ndarray]:
    """Names and features without Ray."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    decoded = decoding.decode_files([str(folder / name) for name in names], SIDE)
    assert not decoded.failed
    return names, features.extract(model, decoded.images, engine="litert", keep=False, quiet=True)


@pytest.fixture(scope="module")
def nodes():
    """A cluster of a head without cores, and one worker node; tests add others."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **HERE})
    made.add_node(num_cpus=1, **HERE)
    yield made
    made.shutdown()


@pytest.fixture
def address(nodes, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    return nodes.address


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(extraction, "PART", 16)


def parts(output: Path) -> list[Path]:
    return sorted(output.glob("*.parquet"))


class InMidRun(threading.Thread):
    """Does something as soon as the first part is written."""

    def __init__(self, output: Path, do) -> None:
        super().__init__(daemon=True)
        self.output, self.do, self.left = output, do, 0

    def run(self) -> None:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and not parts(self.output):
            time.sleep(0.02)
        self.left = COUNT - sum(len(names(part)) for part in parts(self.output))
        self.do()


def names(part: Path) -> list[str]:
    return extraction._names_in(*extraction._filesystem(str(part))) or []


def agrees(output: Path, expected) -> None:
    """Nothing lost, nothing twice, the same numbers to the bit."""
    found = cluster.read(str(output))
    rows = [name for part in parts(output) for name in names(part)]
    assert sorted(rows) == expected[0] == list(found.files)
    assert np.array_equal(found.features, expected[1])
    assert [name.split("/")[0] for name in found.files] == found.labels.tolist()


def workers() -> list[psutil.Process]:
    """The actors' processes, of those that this test's cluster began."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "MapBatches(Worker)" in " ".join(process.cmdline()):
                found.append(process)
    return found


def kill_a_worker() -> None:
    while not (found := workers()):
        time.sleep(0.05)
    found[0].kill()


def test_the_same_numbers_as_without_ray(folder, model, expected, address, tmp_path):
    cluster.extract(model, str(folder), str(tmp_path), quiet=True)
    agrees(tmp_path, expected)


def test_a_killed_actor(folder, model, expected, address, tmp_path, small_parts):
    fault = InMidRun(tmp_path, kill_a_worker)
    fault.start()
    cluster.extract(model, str(folder), str(tmp_path), quiet=True)
    fault.join()
    assert fault.left > 0
    agrees(tmp_path, expected)


def test_a_lost_machine(nodes, folder, model, expected, address, tmp_path, small_parts):
    node = nodes.add_node(num_cpus=1, **HERE)
    nodes.wait_for_nodes()
    fault = InMidRun(tmp_path, lambda: nodes.remove_node(node, allow_graceful=False))
    fault.start()
    cluster.extract(model, str(folder), str(tmp_path), quiet=True)
    fault.join()
    assert fault.left > 0
    agrees(tmp_path, expected)


SCRIPT = """
import sys
import keras
from helpers import cluster
from helpers.cluster import extraction
extraction.PART = 16
cluster.extract(keras.models.load_model(sys.argv[1]), sys.argv[2], sys.argv[3], quiet=True)
"""


def test_a_killed_driver_goes_on(folder, model, expected, address, tmp_path, small_parts):
    output = tmp_path / "output"
    model.save(tmp_path / "model.keras")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "model.keras"), str(folder)]
    path = os.pathsep.join([str(NO_NETWORK), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    driver = subprocess.Popen([*command, str(output)], env=environment)
    fault = InMidRun(output, driver.kill)
    fault.run()
    assert driver.wait() == -signal.SIGKILL and fault.left > 0
    # What a writer that was killed leaves behind.
    whole = parts(output)[0]
    (output / "cut.parquet").write_bytes(whole.read_bytes()[:-100])
    (output / "twice.parquet").write_bytes(whole.read_bytes())
    before = whole.stat().st_mtime_ns
    cluster.extract(model, str(folder), str(output), quiet=True)
    agrees(output, expected)
    assert parts(output)[0] != whole or whole.stat().st_mtime_ns == before


def test_a_second_call_computes_nothing(folder, model, tmp_path, address, monkeypatch):
    cluster.extract(model, str(folder), str(tmp_path), quiet=True)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert cluster.extract(model, str(folder), str(tmp_path), quiet=True) == str(tmp_path)
