"""A real JupyterLab in a headless Chromium, for tests of the panels and `benchmarks/clicks.py`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import paths

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
SCREENSHOTS = paths.ROOT / ".cache" / "screenshots"
PATIENCE = 300  # seconds until what must come is given up; a busy machine takes its time
POLLING = 50  # milliseconds; each frame, as by default, keeps a core busy
SETTINGS = {
    # All cells are in the page, seen or not, and what is on disk was saved by the test.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}

VISIBLE = ".jp-NotebookPanel:not(.lm-mod-hidden)"
# Functions of the page; `all` finds what a selector names in the notebook that is seen.
ALL = f"const all = selector => [...document.querySelectorAll(`{VISIBLE} ${{selector}}`)];"
READY = f"""name => {{ {ALL}
    const tab = document.querySelector(".lm-DockPanel-tabBar .jp-mod-current");
    return tab && tab.innerText == name && all(".jp-CodeCell").length > 0
        && all(".jp-KernelName").some(one => one.innerText.includes("Python"))
        && all(".jp-Notebook-ExecutionIndicator").some(one => one.dataset.status == "idle");
}}"""
PROMPTS = f"""pattern => {{ {ALL}
    const prompts = all(".jp-CodeCell .jp-InputPrompt").map(one => one.innerText);
    return prompts.every(prompt => new RegExp(pattern).test(prompt));
}}"""
LINE = f"""pattern => {{ {ALL}
    const lines = all(".widget-html-content").map(one => one.innerText);
    return lines.find(line => new RegExp(pattern, "s").test(line));
}}"""
PAINTED_ANEW = f"before => {{ {ALL} return all('.course-curves').pop().src != before; }}"


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """The browser, or rather one session of it, whose pages share what was fetched."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-background-networking"]
        )
        context = browser.new_context(viewport={"width": 1000, "height": 1400})
        context.set_default_timeout(1000 * PATIENCE)
        yield context
        browser.close()


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, its token, the folder it shows, and a kernel to share."""

    url: str
    token: str
    folder: Path
    kernel: str

    def ask(self, what: str, content: dict[str, Any]) -> dict[str, Any]:
        """Post to the server's interface."""
        return ask(self.url, self.token, what, content)

    def show(self, browser: Any) -> Any:
        """A page with JupyterLab and no notebook in it yet."""
        page = browser.new_page()
        page.goto(f"{self.url}lab?token={self.token}&reset")
        page.wait_for_selector(".jp-LauncherCard")
        return page


@contextlib.contextmanager
def jupyterlab(folder: Path, variables: dict[str, str] | None = None) -> Iterator[Server]:
    """JupyterLab on a folder of its own, with a kernel that imports this repository's `helpers`.

    `variables` are further ones of its environment.
    """
    for name, setting in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(setting), encoding="utf-8")
    environment = {
        "COURSE_CACHE": str(folder / "cache"),
        "COURSE_PICTURES": "",
        "COURSE_RECIPE": "",
        "COURSE_WORK": str(folder / "work"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "PYTHONPATH": os.pathsep.join([str(paths.ROOT), os.environ.get("PYTHONPATH", "")]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    options = ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--no-browser", "--allow-root"]
    options += ["--KernelManager.shutdown_wait_time=0"]  # TensorFlow takes seconds to leave
    arguments = ["-m", "jupyterlab", f"--ServerApp.root_dir={folder}", *options]
    with started(arguments, folder / "runtime", environment | (variables or {})) as record:
        url, token = record["url"], record["token"]
        yield Server(url, token, folder, ask(url, token, "kernels", {"name": "python3"})["id"])


@contextlib.contextmanager
def started(
    arguments: list[str], folder: Path, environment: dict[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Run Python with these arguments, which start a server: what that writes about itself."""
    folder.mkdir()
    own = os.environ | (environment or {}) | {"JUPYTER_RUNTIME_DIR": str(folder)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, *arguments], stdout=log, stderr=log, env=own)
    try:
        yield _record(process, folder)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _record(process: subprocess.Popen, folder: Path) -> dict[str, Any]:
    """What the server writes about itself, once it answers."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        # Not written yet, or half of it, or not listening yet.
        with contextlib.suppress(StopIteration, ValueError, OSError):
            path = next(folder.glob("jpserver-*.json"))
            record = json.loads(path.read_text(encoding="utf-8"))
            urllib.request.urlopen(f"{record['url']}api", timeout=PATIENCE).close()
            return record
        time.sleep(0.05)
    raise AssertionError((folder / "log").read_text())


def ask(url: str, token: str, what: str, content: dict[str, Any]) -> dict[str, Any]:
    """Post to the server's interface."""
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}api/{what}", json.dumps(content).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return json.load(reply)


class Lab:
    """A notebook of some code cells in the server's kernel, opened in a page of JupyterLab."""

    def __init__(self, page: Any, server: Server, name: str, cells: list[str]) -> None:
        self.name, self.page, self.path = name, page, server.folder / f"{name}.ipynb"
        self.panel = page.locator(VISIBLE)
        self._write(cells)
        session = {"path": self.path.name, "name": name, "type": "notebook"}
        server.ask("sessions", session | {"kernel": {"id": server.kernel}})
        self.open()

    def open(self) -> None:
        """Bring the notebook to the front."""
        self.menu("File", "Open from Path…")
        self.page.fill(".jp-Dialog input", self.path.name)
        self.page.click(".jp-Dialog button:has-text('Open')")
        self.wait_until_ready()

    def _write(self, cells: list[str]) -> None:
        """A notebook as the course stores them, with these code cells."""
        import nbformat

        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(text) for text in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, self.path)

    def wait_until_ready(self) -> None:
        """Wait for the notebook and its kernel, without which a command would be lost."""
        self.wait_for(READY, self.path.name)

    def run(self) -> None:
        """Run all cells to their end; nothing of an earlier run is taken for this one's."""
        self.open()
        self.menu("Edit", "Clear Outputs of All Cells")
        self.wait_for(PROMPTS, r"^\[\s*\]:$")
        self.menu("Run", "Run All Cells")
        self.wait_for(PROMPTS, r"^\[\d+\]:$")

    def save(self) -> None:
        """Save the notebook, until it is on the server's disk."""

        def is_save(reply: Any) -> bool:
            return reply.request.method == "PUT" and f"/api/contents/{self.path.name}" in reply.url

        with self.page.expect_response(is_save) as saved:
            self.menu("File", "Save Notebook")
        assert saved.value.ok

    def reload(self) -> None:
        """Load the page anew, as it was saved."""
        self.page.reload()
        self.wait_until_ready()

    def restart(self) -> None:
        """Restart the kernel, until it can be used again."""
        with self.page.expect_response(lambda reply: "/restart" in reply.url) as restarted:
            self.menu("Kernel", "Restart Kernel…")
            self.page.click(".jp-Dialog button:has-text('Restart')")
        assert restarted.value.ok
        self.wait_until_ready()

    def menu(self, name: str, item: str) -> None:
        """Choose an item of the menu bar."""
        self.page.click(f".lm-MenuBar-itemLabel:text-is('{name}')")
        self.page.click(f".lm-Menu-itemLabel:text-is('{item}')")

    def button(self, label: str) -> Any:
        """The panel's button."""
        return self.panel.locator(f".jp-OutputArea button:text-is('{label}')")

    def wait_for(self, function: str, argument: str | None = None) -> Any:
        """Wait until a function of the page returns something that holds, and return that."""
        try:
            found = self.page.wait_for_function(function, arg=argument, polling=POLLING)
            return found.json_value()
        except Exception:
            self.shot("failed")
            raise

    def says(self, pattern: str) -> str:
        """Wait until a line of the panel matches, and return it."""
        return self.wait_for(LINE, pattern)

    def curves(self) -> str:
        """Where the browser has the picture of the curves; another one when it was painted anew."""
        return self.panel.locator(".jp-OutputArea .course-curves").get_attribute("src")

    def painted_anew(self, before: str) -> None:
        """Wait until the curves are another picture than they were."""
        self.wait_for(PAINTED_ANEW, before)

    def move(self, label: str, key: str, times: int = 1) -> None:
        """Move a slider from the keyboard."""
        row = self.panel.locator(".widget-inline-hbox", has_text=label)
        handle = row.locator(".noUi-handle")
        handle.focus()
        for _ in range(times):
            handle.press(key)

    def focused(self) -> str:
        """What the element says that has the keyboard."""
        return self.page.evaluate("document.activeElement.innerText")

    def column(self, name: str) -> list[str]:
        """A column of the table of runs, by its heading."""
        table = self.panel.locator(".jp-OutputArea table")
        place = table.locator("thead th").all_inner_texts().index(name)
        return table.locator(f"tbody tr td:nth-child({place + 1})").all_inner_texts()

    def shot(self, name: str) -> None:
        """Keep a screenshot."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{self.name}_{name}.png")
