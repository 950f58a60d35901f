"""What the recipe 'tutorial' downloads, in little, for tests against a server on 127.0.0.1."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import h5py
import numpy as np

from helpers import bases
from helpers.pictures import photographs

WEIGHTS = bases.find("MobileNetV2").weights_file


def fill(folder: Path) -> None:
    """Write an archive with as many files as the published one, and a file of weights."""
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).bytes(3_000_000)
    with zipfile.ZipFile(folder / photographs.ZIP, "w") as archive:
        archive.writestr(f"{photographs.TOP}/noise", noise)
        for inside, count in photographs.COUNTS.items():
            for number in range(count):
                archive.writestr(f"{photographs.TOP}/{inside}/{number}.jpg", b"picture")
    with h5py.File(folder / WEIGHTS, "w") as file:
        file["kernel"] = np.zeros(1000, "int8")


class Held:
    """The archive's first half, then it drips until it is let go: there is time to press Stop."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> bool:
        """Answer in place of the server, where the archive is asked for."""
        if self.go_on.is_set() or not handler.path.endswith(photographs.ZIP):
            return False
        body = (handler.served.folder / photographs.ZIP).read_bytes()
        begin(handler, body)
        for place in range(len(body) // 2, len(body) - 1):
            if self.go_on.wait(0.05):
                break
            handler.wfile.write(body[place : place + 1])
        handler.close_connection = True
        return True


def break_off_once() -> Callable[[BaseHTTPRequestHandler], bool]:
    """A server that hangs up in the middle of the archive, the first time."""
    left = [True]

    def misbehave(handler: BaseHTTPRequestHandler) -> bool:
        if not left or not handler.path.endswith(photographs.ZIP):
            return False
        left.clear()
        begin(handler, (handler.served.folder / photographs.ZIP).read_bytes())
        handler.close_connection = True
        return True

    return misbehave


def begin(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Announce a whole file and send the first half of it."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


def ranges(requests: list[tuple[str, dict[str, str]]]) -> list[str | None]:
    """From which byte on the archive was asked for, each time."""
    asked = [headers for path, headers in requests if path.endswith(photographs.ZIP)]
    return [headers.get("Range") for headers in asked]
