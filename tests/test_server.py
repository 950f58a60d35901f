"""What `course.py lab` starts: a server for this machine only, which asks for its token."""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import laboratory
import psutil
import pytest

from helpers.commands import jupyter_settings
from helpers.paths import NOTEBOOKS

LAB = ["-m", "helpers.commands.command_line", "lab", "--no-browser", "--port", "0"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a server as the course starts it writes about itself, and its `log`."""
    jupyter_settings.write(Path(sys.prefix))
    folder = tmp_path_factory.mktemp("server")
    nobodys = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA")}
    nobodys["COURSE_WORK"] = str(folder / "work")
    with laboratory.started(LAB, folder / "run", nobodys) as record:
        yield record | {"log": folder / "run" / "log", "work": folder / "work"}


def answer(
    server: dict[str, Any], path: str, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """The status and the body that the server answers with."""
    patience = laboratory.PATIENCE
    connection = http.client.HTTPConnection("127.0.0.1", server["port"], timeout=patience)
    try:
        connection.request("GET", path, headers=headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def answer_with_token(server: dict[str, Any], path: str) -> bytes:
    """What a learner's browser gets."""
    status, body = answer(server, path, {"Authorization": f"token {server['token']}"})
    assert status == 200
    return body


def test_it_listens_to_this_machine_only(server: dict[str, Any]) -> None:
    family = psutil.Process(server["pid"])
    listening = [
        connection.laddr
        for member in [family, *family.children(recursive=True)]
        for connection in member.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert server["port"] in {address.port for address in listening}
    assert all(ipaddress.ip_address(address.ip).is_loopback for address in listening)


@pytest.mark.parametrize("path", ["/api/contents", "/api/kernels", "/api/terminals", "/lab"])
def test_it_asks_for_the_token(server: dict[str, Any], path: str) -> None:
    assert answer(server, path)[0] in {302, 403}  # to the page that asks for it, or no
    assert answer(server, path, {"Authorization": "token wrong"})[0] in {302, 403}


def test_a_foreign_page_may_not_ask(server: dict[str, Any]) -> None:
    # A name that leads to this machine (DNS rebinding) does not open it either.
    assert answer(server, "/api", {"Host": "course.example"})[0] == 403


def test_it_shows_copies_of_the_lessons_the_start_page_first(server: dict[str, Any]) -> None:
    assert Path(server["root_dir"]) == server["work"]
    names = {path.name for path in NOTEBOOKS.glob("*.ipynb")}
    assert names == {path.name for path in server["work"].glob("*.ipynb")}
    assert "/lab/tree/00_start.ipynb" in server["log"].read_text(encoding="utf-8")


def test_it_asks_about_no_news_and_pairs_no_text(server: dict[str, Any]) -> None:
    page = answer_with_token(server, "/lab")
    assert b'"jupyterlab-jupytext"' in page.partition(b'"disabledExtensions"')[2][:200]
    assert "jupyterlab_jupytext" not in server["log"].read_text(encoding="utf-8")
    name = "/lab/api/settings/@jupyterlab/apputils-extension:notification"
    defaults = json.loads(answer_with_token(server, name))["schema"]["properties"]
    assert defaults["fetchNews"]["default"] == "false"


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_ends_it_in_peace(server: dict[str, Any]) -> None:  # the last: it ends the server
    process = psutil.Process(server["pid"])
    process.send_signal(signal.SIGINT)
    assert process.wait(laboratory.PATIENCE) == 0
    assert "Traceback" not in server["log"].read_text(encoding="utf-8")
