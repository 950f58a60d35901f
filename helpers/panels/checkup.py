"""The start page's check of the machine: `course.py doctor` at a click."""

from __future__ import annotations

import html
import subprocess
import sys
import threading

import ipywidgets as widgets

from helpers.panels.panel import STILL, Panel
from helpers.panels.still import button_html
from helpers.paths import ROOT

LABEL = "Check this machine"
ABOUT = "What the course needs, what this machine has, and how long each lesson will take here."


def check_machine() -> Panel:
    """A button that runs `doctor` in a process of its own, and shows what it says."""
    button = widgets.Button(
        description=LABEL,
        tooltip="Run `course.py doctor`; it takes about half a minute",
        button_style="primary",
        layout=widgets.Layout(width="max-content"),
    )
    said = widgets.HTML(ABOUT)

    def work() -> None:
        said.value = as_html(*run_doctor())
        button.disabled = False

    def begin(clicked: widgets.Button) -> None:
        button.disabled = True
        said.value = "Looking around, for about half a minute."
        threading.Thread(target=work, name="doctor", daemon=True).start()

    button.on_click(begin)
    shown = f"<p>{button_html(LABEL, primary=True)}</p><p>{ABOUT}</p><p><small>{STILL}</small></p>"
    return Panel([button, said], still=lambda: {"text/html": shown})


def run_doctor() -> tuple[bool, str]:
    """Whether nothing stops the course, and what `doctor` printed."""
    done = subprocess.run(
        [sys.executable, "-m", "helpers.commands.command_line", "doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout or done.stderr


def as_html(fine: bool, report: str) -> str:
    """The verdict first, then all that was printed."""
    verdict = "Nothing stops the course." if fine else "Something would stop the course: see below."
    return f"<b>{verdict}</b><pre>{html.escape(report.strip())}</pre>"
