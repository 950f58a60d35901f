"""Ray's beginning and end, and what to say where it cannot begin."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from helpers import paths

INSTALL = "python3 course.py cluster"
# One network and TensorFlow's decoders, as benchmarks/cluster.py measures them.
WORKER_BYTES = 1_200_000_000
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


def is_installed() -> bool:
    """Whether Ray is here."""
    return importlib.util.find_spec("ray") is not None


def skip_without_ray() -> None:
    """Where Ray is missing, say so, and have the notebook pass over all cells but the exercises."""
    from IPython import get_ipython

    def passed_over(lines: list[str]) -> list[str]:
        needed = not is_installed() and not any("exercises." in line for line in lines)
        return ["pass\n"] if needed else lines

    if not is_installed():
        print(f"Ray is not installed, so the cells below are skipped. `{INSTALL}` installs it.")
        get_ipython().input_transformers_post.append(passed_over)


# Ray's beginning and end


@contextmanager
def connected() -> Iterator[None]:
    """Ray, at `RAY_ADDRESS` or begun on two cores of this machine; one that runs already is used.

    Raises:
        ConnectionError: where no cluster answers at the address.
        RuntimeError: where it runs another version of Ray or of Python, or Ray is not installed.
    """
    if not is_installed():
        raise RuntimeError(f"Received: no Ray. Expected: it installed. Run `{INSTALL}`.")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # it would report each start to its makers
    import ray

    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS")
    _check_address(address)
    # What the course's workers import travels to the machines of a cluster.
    travels = {"py_modules": [str(paths.ROOT / "helpers")]} if address else {}
    environment: dict[str, Any] = {"env_vars": QUIET, **travels}
    try:
        ray.init(
            address=address,
            num_cpus=None if address else 2,
            include_dashboard=None if address else False,
            runtime_env=environment,
            log_to_driver=False,
            logging_level="ERROR",
        )
    except RuntimeError as error:
        if "mismatch" not in str(error):
            raise
        raise RuntimeError(_said_of_versions(address, str(error))) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_address(address: str | None) -> None:
    """Ask whether anybody listens, for Ray itself would try for minutes."""
    if address in (None, "auto", "local"):
        return
    host, _, port = str(address).rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"Received: RAY_ADDRESS={address}, where no cluster answers ({error}). Expected: host "
            f"and port of a cluster's head, such as 10.0.0.1:6379. Start one there with `ray start "
            f"--head`, or unset RAY_ADDRESS to work on this machine."
        ) from error


def _said_of_versions(address: str | None, said: str) -> str:
    lines = " ".join(line.strip() for line in said.splitlines() if line.strip())
    return (
        f"Received: another version at RAY_ADDRESS={address} than here ({lines}). Expected: the "
        f"same Ray and the same Python. Run `{INSTALL}` on all machines, from the same commit."
    )


def check_memory(needed: int) -> None:
    """Say no where a worker fits on no machine, for Ray would wait for one that never comes."""
    import ray

    largest = max((node["Resources"].get("memory", 0) for node in _machines(ray)), default=0)
    if largest < needed:
        raise MemoryError(
            f"Received: {largest / 1e9:.1f} GB of memory on the largest machine that Ray has. "
            f"Expected: at least {needed / 1e9:.1f} GB, for one worker. Close other programs, or "
            f"take machines with more memory."
        )


def _machines(ray: Any) -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]
