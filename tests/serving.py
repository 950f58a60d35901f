"""A small web server on 127.0.0.1 for tests of downloads; it knows ranges and their conditions.

`python tests/serving.py FOLDER` prints its address on the first line and serves until killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Served:
    """A running server: its address, what it was asked for, and what it does besides serving.

    Attributes:
        url: the base address, without a slash at its end.
        folder: whose files it serves.
        requests: path and headers of each request so far.
        misbehave: called before each answer with the handler; where it returns True, it has
            answered by itself.
    """

    url: str
    folder: Path
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    misbehave: Callable[[BaseHTTPRequestHandler], bool] | None = None


class Handler(BaseHTTPRequestHandler):
    """Answers GET with a file of the folder, whole or from a byte on."""

    served: Served

    def do_GET(self) -> None:
        self.served.requests.append((self.path, dict(self.headers)))
        if self.served.misbehave and self.served.misbehave(self):
            return
        path = self.served.folder / Path(self.path).name
        if not path.is_file():
            self.send_error(404)
            return
        self.send_body(path.read_bytes())

    def send_body(self, body: bytes) -> None:
        """Send a file's bytes, or the range of them that was asked for."""
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        start = self.asked_start(etag)
        if start >= len(body) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body[start:])

    def asked_start(self, etag: str) -> int:
        """The first byte that is wanted; 0 where the file changed since."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        unchanged = self.headers.get("If-Range", etag) == etag
        return int(asked[1]) if asked and unchanged else 0

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    """Says nothing of clients that are killed or hang up while they are served."""

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def start(folder: Path) -> tuple[ThreadingHTTPServer, Served]:
    """A server of `folder` on a free port; the caller runs `serve_forever`."""
    handler = type("FolderHandler", (Handler,), {})
    server = Server(("127.0.0.1", 0), handler)
    handler.served = Served(f"http://127.0.0.1:{server.server_port}", folder)
    return server, handler.served


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Serve `folder` in a thread for the time of a `with` block."""
    server, served = start(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve the folder that the command line names."""
    server, served = start(Path(sys.argv[1]).resolve())
    print(served.url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
