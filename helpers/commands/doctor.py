"""Say what this machine has, what would stop the course, and how long each lesson will take."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from helpers import machine
from helpers.lessons import LESSONS, expected_seconds
from helpers.paths import ROOT, cache_folder

SHOWN = (
    "tensorflow",
    "keras",
    "tensorflow-datasets",
    "numpy",
    "scikit-learn",
    "matplotlib",
    "jupyterlab",
    "ipywidgets",
)
MEMORY_STOPS_GB, MEMORY_WARNS_GB = 2.0, 4.0
DISK_STOPS_GB, DISK_WARNS_GB = 1.0, 4.0
REINSTALL = "Delete the file .venv/course-stamp and run `python3 course.py doctor` again."


class Report:
    """Prints the findings as they come, and keeps those that would stop the course."""

    def __init__(self) -> None:
        """Nothing found yet."""
        self.problems: list[str] = []

    def line(self, name: str, text: str) -> None:
        """Print one finding."""
        print(f"{name:<22} {text}", flush=True)

    def problem(self, sentence: str) -> None:
        """Keep a sentence that says what is wrong and how to mend it."""
        self.problems.append(sentence)


def main() -> int:
    """Print the report; 1 where something would stop the course."""
    report = Report()
    report_versions(report)
    report_machine(report)
    report_room(report)
    report_files(report)
    report_speed(report)
    for sentence in report.problems:
        print(f"\nTo mend: {sentence}")
    if not report.problems:
        print("\nNothing stops the course.")
    return 1 if report.problems else 0


def report_versions(report: Report) -> None:
    """Python and the packages, against the lock."""
    report.line("Python", f"{platform.python_version()} ({sys.prefix})")
    for name in SHOWN:
        report.line(name, installed_version(name) or "missing")
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wrong = list(wrong_versions(locked))
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        report.problem(f"Not as locked: {', '.join(wrong[:3])}{more}. {REINSTALL}")


def installed_version(name: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def wrong_versions(locked: Iterable[str]) -> Iterator[str]:
    """Each package of the lock that is missing here or has another version."""
    for line in locked:
        try:
            wanted = Requirement(line.split("#")[0].strip().removesuffix("\\"))
        except InvalidRequirement:  # a hash, a comment or an empty line
            continue
        if wanted.marker and not wanted.marker.evaluate():
            continue
        found = installed_version(wanted.name)
        if found is None or not wanted.specifier.contains(found, prereleases=True):
            yield f"{wanted.name} is {found or 'missing'}, not {wanted.specifier}"


def report_machine(report: Report) -> None:
    """System, processor, and what TensorFlow sees."""
    report.line("system", f"{platform.system()} {platform.release()} ({platform.machine()})")
    report.line("CPU", f"{cpu_name()}, {machine.usable_cores()} cores usable")
    if lacks_avx(cpu_information()):
        report.problem(
            "This processor has no AVX instructions, which TensorFlow's packages need. "
            "Use another machine."
        )
        return
    try:
        with quiet_stderr():
            names = gpu_names()
        report.line("GPU (TensorFlow sees)", names or "none")
    except ImportError as error:
        mend = "On Windows, install Microsoft's Visual C++ Redistributable; else: "
        report.problem(f"TensorFlow cannot be imported ({error}). {mend}{REINSTALL}")


def cpu_information() -> str:
    """Linux's own description of the processor, or nothing."""
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def lacks_avx(information: str) -> bool:
    """Whether `/proc/cpuinfo` describes an x86 processor that is too old."""
    flags = [line for line in information.splitlines() if line.startswith("flags")]
    return bool(flags) and "avx" not in flags[0].split()


def cpu_name() -> str:
    """The processor's name, from where each system keeps it."""
    names = [line for line in cpu_information().splitlines() if line.startswith("model name")]
    if names:
        return names[0].partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def gpu_names() -> str:
    """The names of the GPUs that TensorFlow can use."""
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(device) for device in devices]
    return ", ".join(detail.get("device_name", "unnamed") for detail in details)


def report_room(report: Report) -> None:
    """Memory and disk."""
    import psutil

    memory = psutil.virtual_memory()
    free = memory.available / 1e9
    report.line("memory", f"{free:.1f} GB free of {memory.total / 1e9:.1f} GB")
    judge(
        report, free, MEMORY_STOPS_GB, MEMORY_WARNS_GB, "memory", "Close programs or restart first."
    )
    folder = existing(cache_folder())
    free = shutil.disk_usage(folder).free / 1e9
    report.line("disk", f"{free:.1f} GB free at {folder}")
    mend = "Free some, or set COURSE_CACHE to a folder on another disk."
    judge(report, free, DISK_STOPS_GB, DISK_WARNS_GB, "disk", mend)


def judge(report: Report, free: float, stops: float, warns: float, what: str, mend: str) -> None:
    """Too little stops the course; little is a note."""
    if free < stops:
        report.problem(f"Only {free:.1f} GB of {what} are free, {stops:.0f} GB are needed. {mend}")
    elif free < warns:
        report.line("", f"note: the larger picture sets may need {warns:.0f} GB. {mend}")


def existing(folder: Path) -> Path:
    """`folder`, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def report_files(report: Report) -> None:
    """Notebooks, the kernel, and what is downloaded."""
    absent = [lesson.notebook.name for lesson in LESSONS if not lesson.notebook.is_file()]
    report.line("lessons", f"{len(LESSONS) - len(absent)} of {len(LESSONS)} notebooks are there")
    if absent:
        report.problem(
            f"Missing in {LESSONS[0].notebook.parent}: {', '.join(absent)}. "
            "Get them back with `git checkout -- notebooks`, or clone the course again."
        )
    fault = kernel_fault()
    report.line("kernel python3", "in this environment" if fault is None else fault)
    if fault:
        report.problem(f"The kernel 'python3' {fault}. {REINSTALL}")
    report_downloads(report)


def kernel_fault() -> str | None:
    """What is wrong with the kernel that lessons run in, or None."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        found = KernelSpecManager().get_kernel_spec("python3").resource_dir
    except NoSuchKernel:
        return "is missing"
    inside = Path(found).resolve().is_relative_to(Path(sys.prefix).resolve())
    return None if inside or "ipykernel" in found else f"is another environment's: {found}"


def report_downloads(report: Report) -> None:
    """Which picture sets and bases are here; what is not can be fetched, and stops nothing."""
    from helpers import bases, cache, features, pictures

    for what, reason in (
        ("pictures drawings", pictures.is_ready("drawings")),
        ("base drawn", bases.is_ready("drawn")),
    ):
        report.line(what, reason or "comes with the course")
        if reason:
            report.problem(reason)
    for name in ("photos", "tfds"):
        report.line(f"pictures {name}", pictures.is_ready(name) or "downloaded")
    to_download = [name for name, base in bases.BASES.items() if base.pretrained_on == "imagenet"]
    here = [name for name in to_download if bases.is_ready(name) is None]
    absent = [name for name in bases.NAMES_TO_FETCH if name not in here]
    report.line("bases downloaded", ", ".join(here) or "none")
    if absent:
        report.line("bases to fetch", f"{', '.join(absent)} (`python3 course.py fetch bases`)")
    kept = cache.used_bytes(features.folder())
    try:
        limit = cache.limit_bytes()
    except ValueError as error:
        return report.problem(str(error))
    report.line(
        "features kept",
        f"{kept / 1e6:,.0f} MB of at most {limit / 1e6:,.0f} MB (COURSE_CACHE_GB) in "
        f"{features.folder()}; may be deleted",
    )


def report_speed(report: Report) -> None:
    """About how long each lesson takes here, from a short calibration."""
    if any("TensorFlow" in sentence for sentence in report.problems):
        return
    with quiet_stderr():
        rate = pictures_per_second()
    with contextlib.suppress(OSError):  # a full disk was said already
        machine.remember_speed(rate)
    report.line("speed", f"{rate:.0f} pictures a second through MobileNetV2 at 160 x 160")
    for lesson in LESSONS:
        seconds = expected_seconds(lesson, rate)
        report.line(f"lesson {lesson.number}", f"about {readable(seconds)}: {lesson.title}")


def readable(seconds: float) -> str:
    """Seconds up to two minutes, minutes from there."""
    return f"{round(seconds, -1) or 10:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def pictures_per_second(batches: int = 3, repeats: int = 5) -> float:
    """The median speed of MobileNetV2 at 160 x 160 with random weights, after a warm-up."""
    import keras
    import numpy as np
    import tensorflow as tf

    model = keras.applications.MobileNetV2(input_shape=(160, 160, 3), weights=None)
    call = tf.function(lambda batch: model(batch, training=False))
    batch = np.random.default_rng(0).uniform(-1, 1, (32, 160, 160, 3)).astype("float32")
    call(batch)
    rates = []
    for _ in range(repeats):
        started = time.perf_counter()
        for _ in range(batches):
            call(batch).numpy()  # a GPU answers before it has computed
        rates.append(batches * len(batch) / (time.perf_counter() - started))
    return statistics.median(rates)


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Silence what TensorFlow's C++ part writes while it is loaded; no variable does."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
