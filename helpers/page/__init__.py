"""A page in the browser on which a picture is dropped, and an exported model names it.

It is served to this machine only, asks nothing of any other, and needs neither TensorFlow nor
Keras. `python -m helpers.page FILE` keeps it open; in a notebook::

    served = page.serve("cats_and_dogs.tflite")  # prints nothing, blocks nothing
    served.url
    served.close()
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import export
from helpers.pictures import decoding

if TYPE_CHECKING:
    import tornado.httpserver
    import tornado.web

# A photograph of a phone has 3 to 12 million bytes.
MOST_BYTES = 20_000_000
PATIENCE = 0.5  # seconds
FILES = {"": "index.html", "page.css": "page.css", "page.js": "page.js"}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
# Nothing from anywhere else, neither shown nor asked; not to be framed by another page.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Decode = Callable[[bytes, int], np.ndarray]


def decode(contents: bytes, size: int) -> np.ndarray:
    """A picture's file as pixels, upright, resized as the training pictures were.

    Pillow's own `resize` blurs before it makes smaller; the pictures that the model was trained on
    were not blurred. `transform` samples as `tf.image.resize(method="bilinear")` does, to within
    one of the 255 steps, for it rounds down.

    `decoding.decode`, which is the training's own, needs TensorFlow. Limits, reasons and what is
    done with colours are the same.

    Args:
        contents: the bytes of a picture's file.
        size: the side of the square in pixels.

    Returns:
        uint8 `(size, size, 3)`, red, green, blue.

    Raises:
        headers.NotAPicture: a `ValueError`, where it is none, damaged, or too large.
    """
    from PIL import Image

    return _sample(Image.fromarray(decoding.render(contents, size).pixels), size)


def _sample(image: Any, size: int) -> np.ndarray:
    """Bilinear samples of a Pillow picture, `(size, size, 3)`, without blurring it before."""
    from PIL import Image

    grid = (image.width / size, 0, 0, 0, image.height / size, 0)
    affine, bilinear = Image.Transform.AFFINE, Image.Resampling.BILINEAR
    return np.asarray(image.transform((size, size), affine, grid, resample=bilinear))


def answer(
    model: export.Exported, contents: bytes, decode: Decode = decode
) -> list[dict[str, str | float]]:
    """The classes of a picture with their probabilities, the most probable one first.

    Args:
        model: an exported model.
        contents: the bytes of a picture's file.
        decode: from these and a size to pixels of 0 to 255.

    Raises:
        ValueError: where it is no picture.
    """
    pixels = decode(contents, model.size)[np.newaxis]
    probabilities = model.probabilities(model.scaled(pixels))[0]
    names = model.class_names or tuple(f"class {label}" for label in range(len(probabilities)))
    return [
        {"name": names[label], "probability": float(probabilities[label])}
        for label in np.argsort(-probabilities, kind="stable")
    ]


def serve(path: str | Path | export.Exported, port: int = 0, decode: Decode = decode) -> Page:
    """Open the page on 127.0.0.1, in a thread of its own.

    Args:
        path: a file that `export.litert` or `export.onnx` has written, or what `export.load` gave.
        port: 0 takes a free one.
        decode: from the bytes of a file and a size to pixels, `(size, size, 3)`.

    Returns:
        The page; its `url` is to be opened in a browser on this machine.

    Raises:
        ValueError, FileNotFoundError: as `export.load`.
        OSError: where the port is taken.
    """
    model = path if isinstance(path, export.Exported) else export.load(path)
    return Page(model, port, decode)


class Page:
    """A page that is being served, until it is closed or the process ends."""

    def __init__(self, model: export.Exported, port: int, decode: Decode) -> None:
        self.model = model
        self._ready = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(
            target=self._serve, args=(port, decode), name="page", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed

    def __repr__(self) -> str:
        state = f"open at {self.url}" if self._thread.is_alive() else "closed"
        return f"A page for {self.model.path.name}, {state}."

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address, which answers on this machine only."""
        return f"http://127.0.0.1:{self.port}/"

    def close(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closed.set)
            self.wait()

    def wait(self) -> None:
        """Return when the page is closed, or Ctrl-C is pressed.

        Windows hears Ctrl-C only between waits, so none is without an end.
        """
        while self._thread.is_alive():
            self._thread.join(PATIENCE)

    def _serve(self, port: int, decode: Decode) -> None:
        """The thread: an event loop of its own, apart from the notebook's."""
        try:
            asyncio.run(self._until_closed(port, decode))
        except Exception as error:
            self._failed = error
        finally:
            self._ready.set()

    async def _until_closed(self, port: int, decode: Decode) -> None:
        from tornado.httpserver import HTTPServer
        from tornado.netutil import bind_sockets

        self._loop, self._closed = asyncio.get_running_loop(), asyncio.Event()
        (socket,) = bind_sockets(port, "127.0.0.1")
        self.port = socket.getsockname()[1]
        server = HTTPServer(application(self.model, self.port, decode), max_buffer_size=MOST_BYTES)
        server.add_socket(socket)
        self._ready.set()
        await self._closed.wait()
        server.stop()
        await server.close_all_connections()


def application(
    model: export.Exported, port: int, decode: Decode = decode
) -> tornado.web.Application:
    """What is answered at which address; to requests from this machine's own page only."""
    from tornado.web import Application, HTTPError, RequestHandler

    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    class Own(RequestHandler):
        """Refuses whom another web page, or a name that was turned to 127.0.0.1, has sent."""

        def set_default_headers(self) -> None:
            self.clear_header("Server")
            self.set_header("Content-Security-Policy", POLICY)
            self.set_header("X-Content-Type-Options", "nosniff")
            self.set_header("Referrer-Policy", "no-referrer")
            self.set_header("Cache-Control", "no-store")

        def prepare(self) -> None:
            origin = self.request.headers.get("Origin", f"http://{self.request.host}")
            if self.request.host not in hosts or origin.removeprefix("http://") not in hosts:
                raise HTTPError(403)

    class File(Own):
        def get(self, name: str) -> None:
            path = Path(__file__).with_name(FILES[name])
            self.set_header("Content-Type", f"{TYPES[path.suffix]}; charset=utf-8")
            self.finish(path.read_bytes())

    class Answer(Own):
        def post(self) -> None:
            try:
                self.finish({"classes": answer(model, self.request.body, decode)})
            except ValueError as error:
                self.set_status(400)
                self.finish({"error": str(error)})

    class About(Own):
        def get(self) -> None:
            described = {"model": repr(model), "classes": list(model.class_names)}
            self.finish({**described, "most_bytes": MOST_BYTES})

    return Application(
        [(r"/(|page\.css|page\.js)", File), (r"/answer", Answer), (r"/about", About)],
        log_function=lambda handler: None,
    )
