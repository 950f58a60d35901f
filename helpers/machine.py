"""What this machine has for us."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from helpers import paths
from helpers.files import write_whole

# What is left for the kernel's other work: TensorFlow, the notebook, the figures.
SPARE_BYTES = 500_000_000
# Where Linux tells which control groups this process is in, and what these may use.
OWN_GROUPS = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
# Files of a group: its limit, its use, and what of that is kept from files and given up when memory
# runs short (control groups of version 2, then of version 1, whose use counts the groups within).
V2 = ("memory.max", "memory.current", ("inactive_file", "active_file", "slab_reclaimable"))
V1 = (
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    ("total_inactive_file", "total_active_file"),
)


def usable_cores() -> int:
    """The cores that this process may use, where the system says so, else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int:
    """Bytes that this process can still get, of the machine or of its container."""
    import psutil

    return min([psutil.virtual_memory().available, *_left_in_groups()])


def _left_in_groups() -> Iterator[int]:
    """Bytes that are left of each limit on this process's group, or on one above it."""
    for top, inside, files in _own_groups():
        for group in (top / inside, *(top / inside).parents):
            if not group.is_relative_to(top):
                break
            with contextlib.suppress(OSError, ValueError):  # no such file, or the word "max"
                yield _left_in(group, *files)


def _own_groups() -> Iterator[tuple[Path, str, tuple[str, str, tuple[str, ...]]]]:
    """Where groups are mounted, this process's own within, and the names of its files.

    In a container the path may be the host's: then no such folder is there, but those above it are.
    """
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if kinds == "":
            yield GROUPS, path.strip("/"), V2
        elif "memory" in kinds.split(","):
            yield GROUPS / "memory", path.strip("/"), V1


def _left_in(group: Path, most: str, used: str, reclaimable: tuple[str, ...]) -> int:
    """Bytes that a group can still get; what the system keeps for it of files counts as free.

    Raises:
        OSError, ValueError: where the group has no limit.
    """
    limit = int((group / most).read_text())
    stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    kept = sum(int(stat.get(name, 0)) for name in reclaimable)
    return limit - max(0, int((group / used).read_text()) - kept)


def memory_to_give() -> int:
    """Bytes of `free_memory` that one thing may take."""
    return max(0, free_memory() - SPARE_BYTES)


def check_memory(wanted: int, what: str, instead: str) -> None:
    """Say no to what would not fit, before the system kills the kernel for it.

    Args:
        wanted: bytes.
        what: what they are for, such as `"50,000 pictures of 224 x 224"`.
        instead: what would do with less, as a sentence.

    Raises:
        MemoryError: with the sizes and `instead`.
    """
    free, most = free_memory(), memory_to_give()
    if wanted > most:
        raise MemoryError(
            f"Received: {what}, {wanted / 1e9:,.1f} GB, with {free / 1e9:,.1f} GB of memory free. "
            f"Expected: at most {most / 1e9:,.1f} GB. {instead}"
        )


def remember_speed(pictures_per_second: float) -> None:
    """Keep how many pictures a second MobileNetV2 takes here, at 160 x 160."""
    write_whole(_speed_path(), json.dumps({"pictures_per_second": pictures_per_second}))


def speed() -> float | None:
    """The pictures a second that were measured here last; None where nobody measured."""
    try:
        kept = json.loads(_speed_path().read_text(encoding="utf-8"))
        rate = float(kept["pictures_per_second"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return rate if rate > 0 else None


def _speed_path() -> Path:
    return paths.cache_folder() / "speed.json"
