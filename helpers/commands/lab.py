"""Open JupyterLab on the learner's copies: for this machine only, its token on."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers import copies
from helpers.lessons import START
from helpers.paths import NOTEBOOKS, work_folder


def main(
    no_browser: bool = False,
    port: int | None = None,
    originals: bool = False,
    extra: Sequence[str] = (),
) -> int:
    """Serve until the learner stops it; `extra` goes to JupyterLab.

    With `originals` it serves `notebooks/` itself, for authors.
    """
    folder = NOTEBOOKS if originals else work_folder()
    if not originals:
        try:
            for line in copies.told(copies.refresh()):
                print(line, flush=True)
        except OSError as error:
            print(f"lab: {error}", file=sys.stderr)
            return 1
    compile_ahead("keras")
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(server_arguments(folder, no_browser, port, extra))
    return 0


def compile_ahead(package: str) -> subprocess.Popen[bytes] | None:
    """Import a package in the background where nobody did since it was installed.

    Python compiles a package's sources at its first import. With TensorFlow that takes longer than
    the import itself, and the learner reads the start page meanwhile.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.cached is None or Path(found.cached).exists():
        return None
    command = [sys.executable, "-c", f"import {package}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def server_arguments(
    folder: Path, no_browser: bool, port: int | None, extra: Sequence[str]
) -> list[str]:
    """JupyterLab's own command line, to show `folder`."""
    arguments = ["--ServerApp.ip=127.0.0.1", "--ServerApp.answer_yes=True"]
    arguments += [f"--ServerApp.root_dir={folder}"]
    arguments += [f"--LabApp.default_url=/lab/tree/{START.notebook.name}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments += ["--allow-root"]  # as in a container; Jupyter would refuse to start
    if port is not None:
        arguments += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if no_browser:
        arguments += ["--no-browser"]
    return [*arguments, *extra]
