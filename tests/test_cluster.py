"""Ray: the same numbers whatever is lost in mid-run; a sentence where it cannot work.

Skipped where Ray is not installed: `python3 course.py cluster` installs it. The nodes of the
cluster are processes of this machine.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pillow_heif
import psutil
import pytest
import yaml
from PIL import ExifTags, Image
from pyarrow import fs

from helpers import cluster, features, paths
from helpers.cluster import connection, extraction, tuning
from helpers.pictures import decoding, headers

pytestmark = pytest.mark.skipif(not cluster.is_installed(), reason="Ray is not installed")
SIDE, COUNT = 48, 244
LEAST_STORE = 80_000_000  # Ray takes no smaller one
NO_NETWORK = Path(__file__).with_name("no_network")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Pictures of noise in two classes, one format that Ray's own reader leaves out.

    The last four are those that `decode`, for Ray, and `decode_files` read in different ways.
    """
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for number in range(COUNT - 4):
        pixels = generator.integers(0, 256, (60, 64, 3), dtype=np.uint8)
        suffix = ("png", "jpg", "webp")[number % 3]
        path = folder / ("cat", "dog")[number % 2] / f"{number:03}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
    noise = Image.fromarray(generator.integers(0, 256, (700, 800, 4), dtype=np.uint8), "RGBA")
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    noise.convert("RGB").crop((0, 0, 90, 70)).save(folder / "cat" / "turned.jpg", exif=turned)
    noise.crop((0, 0, 90, 70)).save(folder / "cat" / "transparent.png")
    noise.convert("RGB").save(folder / "dog" / "large.jpg")
    pillow_heif.from_pillow(noise.convert("RGB")).save(folder / "dog" / "phone.heic")
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
    assert len(names) == COUNT and not decoded.failed
    return names, features.extract(model, decoded.images, engine="litert", keep=False, quiet=True)


@pytest.fixture(scope="module")
def nodes():
    """A cluster of a head without cores, and one worker node; tests add others."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    made.add_node(num_cpus=1)
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


def wait_for(found):
    """What `found` returns, as soon as it is something."""
    deadline = time.monotonic() + 120
    while not (what := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return what


class InMidRun(threading.Thread):
    """Does something to a run under way, and then counts the pictures that have no row yet."""

    def __init__(self, output: Path, do) -> None:
        super().__init__(daemon=True)
        self.output, self.do, self.left = output, do, 0

    def run(self) -> None:
        self.do()
        self.left = COUNT - sum(len(names(part)) for part in parts(self.output))


def first_part(output: Path) -> None:
    """Wait for one that is whole."""
    wait_for(lambda: any(map(names, parts(output))))


def names(part: Path) -> list[str]:
    return extraction._names_in(*extraction._filesystem(str(part))) or []


def agrees(output: Path, expected) -> None:
    """Nothing lost, nothing twice, the same numbers to the bit."""
    found = cluster.read(str(output))
    rows = [name for part in parts(output) for name in names(part)]
    assert sorted(rows) == expected[0] == list(found.files)
    assert np.array_equal(found.features, expected[1])
    assert [name.split("/")[0] for name in found.files] == found.labels.tolist()


def at_work(but: psutil.Process | None = None) -> psutil.Process | None:
    """An actor of this test's cluster, stopped in the middle of a batch; another than `but`."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process != but and "MapBatches(Worker)" in " ".join(process.cmdline()):
                process.suspend()
                if " ".join(process.cmdline()).strip().endswith(".submit"):  # as Ray names work
                    return process
                process.resume()
    return None


def test_the_same_numbers_as_without_ray(folder, model, expected, address, tmp_path):
    cluster.extract(model, str(folder), str(tmp_path), quiet=True)
    agrees(tmp_path, expected)


def test_a_killed_actor(folder, model, expected, address, tmp_path, small_parts):
    def kill() -> None:
        first_part(tmp_path)
        wait_for(at_work).kill()

    fault = InMidRun(tmp_path, kill)
    fault.start()
    cluster.extract(model, str(folder), str(tmp_path), quiet=True)
    fault.join()
    assert fault.left > 0
    agrees(tmp_path, expected)


def test_a_lost_machine(nodes, folder, model, expected, address, tmp_path, small_parts):
    node = nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    lost = []

    def lose() -> None:
        one = wait_for(at_work)
        both = [one, wait_for(lambda: at_work(but=one))]  # one on each machine
        lost.extend(set(both) & set(raylet.children(recursive=True)))
        nodes.remove_node(node, allow_graceful=False)
        for process in both:
            process.kill() if process in lost else process.resume()

    fault = InMidRun(tmp_path, lose)
    fault.start()
    cluster.extract(model, str(folder), str(tmp_path), quiet=True)
    fault.join()
    assert len(lost) == 1 and fault.left > 0
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
    first_part(output)
    fault = InMidRun(output, driver.kill)
    fault.run()
    assert driver.wait() == -signal.SIGKILL and fault.left > 0
    # What a writer that was killed leaves behind.
    whole = next(part for part in parts(output) if names(part))
    (output / "cut.parquet").write_bytes(whole.read_bytes()[:-100])
    (output / "twice.parquet").write_bytes(whole.read_bytes())
    before = whole.stat().st_mtime_ns
    cluster.extract(model, str(folder), str(output), quiet=True)
    agrees(output, expected)
    assert whole.stat().st_mtime_ns == before
    # What the killed driver had handed out may be written later still.
    (output / "late.parquet").write_bytes(parts(output)[0].read_bytes())
    late = cluster.read(str(output))
    assert list(late.files) == expected[0] and np.array_equal(late.features, expected[1])


def test_a_second_call_computes_nothing(folder, model, tmp_path, address, monkeypatch):
    cluster.extract(model, str(folder), str(tmp_path), quiet=True)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert cluster.extract(model, str(folder), str(tmp_path), quiet=True) == str(tmp_path)


def test_what_is_no_picture_gets_a_row_with_the_reason(
    folder, model, address, tmp_path, monkeypatch
):
    real = extraction._listed
    monkeypatch.setattr(extraction, "_listed", lambda *where: [*real(*where), "cat/gone.png"])
    few = tmp_path / "few"
    (few / "cat").mkdir(parents=True)
    good = sorted((folder / "cat").glob("*.png"))[:5]
    for path in good:
        (few / "cat" / path.name).write_bytes(path.read_bytes())
    (few / "cat" / "cut.png").write_bytes(good[0].read_bytes()[:300])
    (few / "cat" / "text.jpg").write_text("no picture", encoding="utf-8")
    output = tmp_path / "output"
    cluster.extract(model, few.as_uri(), output.as_uri(), quiet=True)
    found = cluster.read(str(output))
    assert found.files == tuple(f"cat/{path.name}" for path in good)
    assert dict(found.left_out) == {
        "cat/cut.png": headers.DAMAGED,
        "cat/gone.png": "the file cannot be read (No such file or directory)",
        "cat/text.jpg": headers.NOT_A_PICTURE,
    }


def test_a_file_of_a_bucket_that_cannot_be_read_ends_the_run_with_its_name(tmp_path):
    """At the next try it may be readable, so it gets no row."""
    bucket = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    worker = object.__new__(extraction.Worker)
    worker._files, worker._folder = bucket, "pictures"
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "here.png").write_bytes(b"whole")
    (copied,) = worker._brought(["here.png"], str(tmp_path))
    assert copied != "pictures/here.png" and Path(copied).read_bytes() == b"whole"
    with pytest.raises(OSError, match=r"gone\.png"):
        worker._brought(["here.png", "gone.png"], str(tmp_path))


def test_a_machine_without_the_folder(tmp_path):
    where = extraction._filesystem(str(tmp_path / "nothing"))
    with pytest.raises(RuntimeError, match=r"a machine without .*nothing\. Expected"):
        extraction.Worker(*where, *where, "network", SIDE, {})


def test_another_model_gets_an_output_of_its_own(folder, model, tmp_path, address):
    import keras

    other = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.GlobalMaxPooling2D()])
    extraction._begin(*extraction._filesystem(str(tmp_path)), other, str(folder))
    with pytest.raises(ValueError, match=r"begun with another model and shape.*another folder"):
        cluster.extract(model, str(folder), str(tmp_path), quiet=True)


def test_a_folder_without_pictures(model, tmp_path):
    with pytest.raises(ValueError, match=r"no pictures in subfolders.*Check the path"):
        cluster.extract(model, str(tmp_path / "nothing"), str(tmp_path), quiet=True)
    with pytest.raises(ValueError, match=r"no features in"):
        cluster.read(str(tmp_path))


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "nobody"])
def test_no_cluster_at_the_address(address, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound and not listening
        monkeypatch.setenv("RAY_ADDRESS", address.format(probe.getsockname()[1]))
        with pytest.raises(ConnectionError, match=r"no cluster answers.*ray start.*or unset"):
            cluster.connect()


def test_an_address_for_clients(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "ray://127.0.0.1:10001")
    with pytest.raises(ConnectionError, match=r"Ray's clients.*ray start --address=10.0.0.1:6379"):
        cluster.connect()


def test_an_empty_address_is_none(monkeypatch):
    import ray

    begun = {}
    monkeypatch.setenv("RAY_ADDRESS", "")
    monkeypatch.setattr(ray, "init", lambda address, **options: begun.update(options, at=address))
    cluster.connect()
    assert begun["at"] == "local" and begun["num_cpus"] == 2


def test_a_machine_outside_the_cluster(address, monkeypatch):
    from ray._private import services

    monkeypatch.setattr(services, "find_node_ids", set)
    patient = services.get_node_to_connect_for_driver
    hasty = functools.partial(patient, timeout_seconds=1)
    monkeypatch.setattr(services, "get_node_to_connect_for_driver", hasty)
    with pytest.raises(ConnectionError, match=rf"not part of.*ray start --address={address} "):
        cluster.connect()


def test_another_version_of_ray(address, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "__version__", "2.1.0")
    with pytest.raises(RuntimeError, match=r"another version.*2\.1\.0.*course\.py cluster"):
        cluster.connect()
    ray.shutdown()


def test_other_libraries_on_a_machine(folder, model, tmp_path, address, monkeypatch):
    real = extraction.versions.of
    monkeypatch.setattr(
        extraction.versions, "of", lambda *names: {**real(*names), "tensorflow": "2.0"}
    )
    with pytest.raises(RuntimeError, match=r"a machine with .*Expected: .*'tensorflow': '2.0'"):
        cluster.extract(model, str(folder), str(tmp_path), quiet=True)


def test_too_little_memory(folder, model, tmp_path, address, monkeypatch):
    monkeypatch.setattr(extraction, "WORKER_BYTES", 10**15)
    with pytest.raises(MemoryError, match=r"1000000.0 GB, for one worker.*more memory"):
        cluster.extract(model, str(folder), str(tmp_path), quiet=True)


class Shown(io.StringIO):
    """Where somebody watches."""

    def isatty(self) -> bool:
        return True


def test_a_search(address, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 300)
    good = (generator.normal(size=(300, 8)) + 3 * (labels - 0.5)[:, None]).astype("float32")
    chance = generator.normal(size=(300, 8)).astype("float32")
    train = {"good": good[:200], "chance": chance[:200]}, labels[:200]
    validation = {"good": good[200:], "chance": chance[200:]}, labels[200:]
    shown = Shown()
    monkeypatch.setattr("sys.stdout", shown)
    found = cluster.search(train, validation, trials=6, epochs=3)
    # The last steps may come too fast to be drawn.
    assert re.search(r"settings: .* [3-6]/6 ", shown.getvalue())
    assert len(found.table) == 6 and found.best["cut"] == "good"
    assert set(found.table["state"]) <= {"done", "stopped"}
    assert found.table["last_val_accuracy"].is_monotonic_decreasing
    assert found.cross_validated.total == 200 and found.cross_validated.value > 0.8
    assert "of 6, so part of it is luck" in repr(found)
    assert {"run", "epochs_done", "interval_low", "seconds"} <= set(found.table.columns)


def test_trials_that_fail_once_and_always(address, monkeypatch, tmp_path):
    from ray import tune

    real, marker = tuning._trial, tmp_path / "died"

    def dies_once(settings, **data):
        if settings["cut"] == "good" and not marker.exists():
            marker.touch()
            os._exit(1)
        real(settings, **data)

    monkeypatch.setattr(tuning, "_trial", dies_once)
    monkeypatch.setattr(tuning, "TRIES", 2)
    labels = np.arange(100) % 2
    given = {"good": np.stack([labels, 1 - labels], axis=1).astype("float32")}, labels
    space = {"cut": tune.grid_search(["gone", "good"]), "learning_rate": 3e38}
    found = cluster.search(given, given, space, trials=1, epochs=2, quiet=True)
    assert marker.exists() and found.best["cut"] == "good"
    assert found.table["state"].tolist() == ["diverged", "failed"]


def test_trials_that_all_fail():
    error = RuntimeError("Traceback ...\nKeyError: 'gone'\n")
    failed = SimpleNamespace(error=error, metrics={}, config={"cut": "gone"})
    with pytest.raises(RuntimeError, match=r"2 trials that all failed \(KeyError: 'gone'\)"):
        tuning._table([failed, failed], 100, epochs=2)


def test_folds_never_see_what_they_are_tried_on():
    """Labels that are nothing but chance cannot be learned, only looked up."""
    generator = np.random.default_rng(1)
    features_, labels = generator.normal(size=(120, 400)), generator.integers(0, 2, 120)
    settings = {"learning_rate": 0.03}
    found = tuning.cross_validate(settings, features_.astype("float32"), labels, 10, 0)
    assert found.value < 0.7


def test_the_example_for_a_cloud_is_one():
    from ray.autoscaler._private import util

    text = (paths.ROOT / "docs" / "ray-aws.yaml").read_text(encoding="utf-8")
    example = yaml.safe_load(text)
    util.validate_config(util.prepare_config(example))
    assert ".git" in example["rsync_exclude"] and ".gitignore" in example["rsync_filter"]


# Last: a second Ray in this process leaves the cluster above without its workers.


def test_a_full_object_store(folder, model, expected, tmp_path, monkeypatch):
    """It is full of something else, which Ray moves to disk; no picture passes through it."""
    import ray
    from ray._private.internal_api import memory_summary

    large = tmp_path / "large"
    for name in expected[0][:24]:
        path = (large / name).with_suffix(".bmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(folder / name) as image:
            image.convert("RGB").resize((1200, 1400), Image.NEAREST).save(path)
    assert sum(path.stat().st_size for path in large.rglob("*.bmp")) > LEAST_STORE
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    ray.init(
        "local",
        num_cpus=1,
        object_store_memory=LEAST_STORE,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": connection.QUIET},
    )
    try:
        held = ray.put(np.ones(int(0.9 * LEAST_STORE), np.uint8))
        cluster.extract(model, str(large), str(tmp_path / "output"), quiet=True)
        said = memory_summary(ray.get_runtime_context().gcs_address, stats_only=True)
        assert "Spilled 68 MiB" in said  # that, and nothing else
        assert ray.get(held).all()
    finally:
        ray.shutdown()
    names = sorted(path.relative_to(large).as_posix() for path in large.rglob("*.bmp"))
    decoded = decoding.decode_files([str(large / name) for name in names], SIDE)
    without = features.extract(model, decoded.images, engine="litert", keep=False, quiet=True)
    agrees(tmp_path / "output", (names, without))
