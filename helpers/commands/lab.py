"""Open JupyterLab on the lessons: for this machine only, its token on."""

from __future__ import annotations

import os
from collections.abc import Sequence

from helpers.lessons import START
from helpers.paths import NOTEBOOKS


def main(no_browser: bool = False, port: int | None = None, extra: Sequence[str] = ()) -> int:
    """Serve until the learner stops it; `extra` goes to JupyterLab."""
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(server_arguments(no_browser, port, extra))
    return 0


def server_arguments(no_browser: bool, port: int | None, extra: Sequence[str]) -> list[str]:
    """JupyterLab's own command line."""
    arguments = ["--ServerApp.ip=127.0.0.1", "--ServerApp.answer_yes=True"]
    arguments += [f"--ServerApp.root_dir={NOTEBOOKS}"]
    arguments += [f"--LabApp.default_url=/lab/tree/{START.notebook.name}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments += ["--allow-root"]  # as in a container; Jupyter would refuse to start
    if port is not None:
        arguments += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if no_browser:
        arguments += ["--no-browser"]
    return [*arguments, *extra]
