"""What `course.py lab` starts: a server for this machine only, which asks for its token."""

from __future__ import annotations

import argparse
import http.client
import ipaddress
from collections.abc import Iterator

import laboratory
import psutil
import pytest

import course


def answer(port: int, path: str, headers: dict[str, str] | None = None) -> int:
    """The status that the server answers with."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=laboratory.PATIENCE)
    try:
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The port and the process of a server as the course starts it."""
    program = course.lab(argparse.Namespace(port=0, no_browser=True), [], [])
    with laboratory.started(program.arguments, tmp_path_factory.mktemp("server") / "run") as record:
        yield record["port"], record["pid"]


def test_it_listens_to_this_machine_only(server: tuple[int, int]) -> None:
    port, process = server
    family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
    listening = [
        connection.laddr
        for member in family
        for connection in member.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert port in {address.port for address in listening}
    assert all(ipaddress.ip_address(address.ip).is_loopback for address in listening)


@pytest.mark.parametrize("path", ["/api/contents", "/api/kernels", "/api/terminals", "/lab"])
def test_it_asks_for_the_token(server: tuple[int, int], path: str) -> None:
    assert answer(server[0], path) in {302, 403}  # to the page that asks for it, or no
    assert answer(server[0], path, {"Authorization": "token wrong"}) in {302, 403}


def test_a_foreign_page_may_not_ask(server: tuple[int, int]) -> None:
    # A name that leads to this machine (DNS rebinding) does not open it either.
    assert answer(server[0], "/api", {"Host": "course.example"}) == 403
