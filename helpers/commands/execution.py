"""Run a lesson's cells in a fresh kernel of this environment, without a browser."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from helpers.commands.cleaning import ANSI
from helpers.paths import cache_folder

EXPECTED_ERROR = "nbval-raises-exception"


class CellFailed(Exception):
    """A cell of a lesson failed: the message names the lesson, the cell and the error."""


def execute(
    notebook: NotebookNode, folder: Path, name: str, environment: Mapping[str, str] | None = None
) -> None:
    """Run every cell of `notebook` in `folder`, storing the outputs in `notebook` itself.

    `environment` is added to the kernel's.

    Raises:
        CellFailed: at the first cell that fails and is not tagged as expected to.
    """
    # Another environment's kernel called `python3` must not win over this one's.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=lambda cell, cell_index: show_progress(name, notebook, cell_index),
    )
    expected = [cell for cell in notebook.cells if EXPECTED_ERROR in tags(cell)]
    for cell in expected:  # nbval's tag, in nbclient's spelling
        cell.metadata.tags = [*tags(cell), "raises-exception"]
    try:
        with kernel_log().open("w", encoding="utf-8") as log:
            variables = {**os.environ, **(environment or {})}
            client.execute(stdout=log, stderr=log, env=variables)
    except (CellExecutionError, DeadKernelError) as error:
        raise CellFailed(describe(name, notebook, error)) from None
    finally:
        end_progress()
        for cell in expected:
            cell.metadata.tags = tags(cell)[:-1]


def kernel_log() -> Path:
    """Where a kernel's own words go, such as TensorFlow's C++ log."""
    path = cache_folder() / "kernel.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def tags(cell: NotebookNode) -> list[str]:
    """The cell's tags."""
    return list(cell.metadata.get("tags", []))


def describe(name: str, notebook: NotebookNode, error: Exception) -> str:
    """The lesson, the failing cell's number and text, and the error in one line."""
    failed = next((cell for cell in notebook.cells if any_error(cell)), None)
    if failed is None:
        return (
            f"{name}: the kernel died: {error}. Close other programs and run it again "
            f"(its last words are in {kernel_log()})."
        )
    found = next(
        o for o in failed.outputs if o.output_type == "error" and not expects_error(failed)
    )
    short = ANSI.sub("", f"{found.ename}: {found.evalue}")
    number = notebook.cells.index(failed) + 1
    source = "\n".join(f"    {line}" for line in failed.source.splitlines())
    return f"{name}: cell {number} fails:\n\n{source}\n\n{short}"


def any_error(cell: NotebookNode) -> bool:
    """Whether the cell ended in an error that no tag announces."""
    errors = [out for out in cell.get("outputs", []) if out.output_type == "error"]
    return bool(errors) and not expects_error(cell)


def expects_error(cell: NotebookNode) -> bool:
    """Whether a tag announces that the cell raises."""
    return EXPECTED_ERROR in tags(cell)


def show_progress(name: str, notebook: NotebookNode, index: int) -> None:
    """One line, painted over, where a person looks on."""
    if sys.stdout.isatty():
        print(f"\r{name}: cell {index + 1} of {len(notebook.cells)} ", end="", flush=True)


def end_progress() -> None:
    """Clear the line of `show_progress`."""
    if sys.stdout.isatty():
        print("\r\x1b[K", end="", flush=True)
