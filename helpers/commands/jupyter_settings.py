"""The course's defaults for JupyterLab and its kernels, written into the virtual environment.

Standard library only, for `course.py` writes them when it installs. A learner's own settings go
before them.
"""

from __future__ import annotations

import json
from pathlib import Path

NEWS = {"fetchNews": "false", "checkForUpdates": False}
SETTINGS: dict[str, dict] = {
    # No question about news in the corner.
    "share/jupyter/lab/settings/overrides.json": {
        "@jupyterlab/apputils-extension:notification": NEWS
    },
    # No text file paired with a notebook.
    "etc/jupyter/jupyter_server_config.json": {
        "ServerApp": {"jpserver_extensions": {"jupyterlab_jupytext": False}}
    },
    "etc/jupyter/labconfig/page_config.json": {"disabledExtensions": {"jupyterlab-jupytext": True}},
    # TensorFlow's C++ part writes to the process's own stderr: to the terminal, not the lesson.
    "etc/ipython/ipython_kernel_config.json": {"IPKernelApp": {"capture_fd_output": False}},
}


def write(venv: Path) -> None:
    """Write each file of `SETTINGS` below `venv`."""
    for name, content in SETTINGS.items():
        path = venv / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
