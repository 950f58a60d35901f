"""What this machine has for us."""

from __future__ import annotations

import os
from pathlib import Path

# What is left for the kernel's other work: TensorFlow, the notebook, the figures.
SPARE_BYTES = 500_000_000
# Where Linux says how much memory this process's group may use, and how much it does (a container,
# a JupyterHub's user): control groups of version 2, then of version 1.
LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
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


def _left_in_groups() -> list[int]:
    """Bytes that are left of each limit that there is."""
    left = []
    for most, used in LIMITS:
        try:
            left.append(int(Path(most).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    return left


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
