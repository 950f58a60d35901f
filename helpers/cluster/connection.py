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
START = ".venv/bin/ray start --head --port=6379 --disable-usage-stats"
JOIN = ".venv/bin/ray start --address={} --disable-usage-stats"
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
    """As `connect`, and gone again in the end; a Ray that runs already stays.

    Raises:
        RuntimeError: also where the work itself fails on a machine.
    """
    ray = _imported()
    began = not ray.is_initialized()
    connect()
    try:
        yield
    except (ray.exceptions.RayError, OSError) as error:
        raise RuntimeError(
            f"Received: work that failed on a machine ({last_words(error)}). Expected: all of it "
            f"done. What is written is kept: mend that, and run it again."
        ) from error
    finally:
        if began:
            ray.shutdown()


def connect() -> None:
    """Ray, at `RAY_ADDRESS` or begun on two cores of this machine; one that runs already is used.

    Raises:
        ConnectionError: where no cluster answers at the address, or this machine is not of it.
        RuntimeError: where it runs another version of Ray or of Python, or Ray is not installed.
    """
    ray = _imported()
    address = os.environ.get("RAY_ADDRESS", "")
    if ray.is_initialized():
        return
    _check_address(address)
    options: dict[str, Any] = {"env_vars": QUIET}
    if address:  # what the workers import travels to the machines of a cluster
        options["py_modules"] = [str(paths.ROOT / "helpers")]
    # "local": else Ray would join whatever it finds running on this machine.
    here = {} if address else {"num_cpus": 2, "include_dashboard": False}
    try:
        ray.init(
            address or "local",
            runtime_env=options,
            log_to_driver=False,
            logging_level="ERROR",
            **here,
        )
    except (ConnectionError, RuntimeError) as error:
        said = " ".join(str(error.__cause__ or error).split())
        if "No node info found" in said:
            raise ConnectionError(
                f"Received: RAY_ADDRESS={address}, a cluster that this machine is not part of. "
                f"Expected: Ray runs here, too. Run `{JOIN.format(address)}` on this machine."
            ) from error
        if "mismatch" not in said:
            raise
        raise RuntimeError(
            f"Received: another version at RAY_ADDRESS={address} than here ({said}). Expected: the "
            f"same Ray and the same Python. Run `{INSTALL}` on all machines, from the same commit."
        ) from error


def _imported() -> Any:
    """Ray, which shall not report to its makers that it was started."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if not is_installed():
        raise RuntimeError(f"Received: no Ray. Expected: it beside the course. Run `{INSTALL}`.")
    import ray

    return ray


def last_words(error: Exception) -> str:
    """The line of a traceback from another machine that says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "Received:" in line), lines[-1])


def _check_address(address: str) -> None:
    """Ask whether anybody listens, for Ray itself would try for minutes."""
    if address in ("", "auto", "local"):
        return
    if "://" in address:
        raise ConnectionError(
            f"Received: RAY_ADDRESS={address}, an address for Ray's clients, which are outside the "
            f"cluster. Expected: host and port of its head, such as 10.0.0.1:6379, on a machine of "
            f"the cluster. To make this one such a machine run `{JOIN.format('10.0.0.1:6379')}`."
        )
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"Received: RAY_ADDRESS={address}, where no cluster answers ({error}). Expected: host "
            f"and port of a cluster's head, such as 10.0.0.1:6379. Start one there with `{START}`, "
            f"or unset RAY_ADDRESS to work on this machine."
        ) from error


def check_memory(needed: int) -> None:
    """Say no where a worker fits on no machine, for Ray would wait for one that never comes."""
    import ray

    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    largest = max((resources.get("memory", 0) for resources in alive), default=0)
    if largest < needed:
        raise MemoryError(
            f"Received: {largest / 1e9:.1f} GB of memory on the largest machine that Ray has. "
            f"Expected: at least {needed / 1e9:.1f} GB, for one worker. Close other programs, or "
            f"take machines with more memory."
        )
