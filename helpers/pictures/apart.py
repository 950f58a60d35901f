"""Decode HEIC, AVIF, TIFF and JPEG 2000 in processes that may die: a crash costs one file.

Their decoders are large, and a file that was made up can end the process that runs them. So each
`Worker` is a Python of its own without TensorFlow, which is given a file and gives pixels back;
where it dies or takes too long, that file is named, and the next one gets a new process.

`python -m helpers.pictures.apart` is such a process.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, TypeVar

import numpy as np

from helpers.pictures import colours, headers

# A 50-megapixel HEIC takes about two seconds.
PATIENCE = 60.0  # seconds
CRASHED = "the program that decodes such pictures crashed over it: save it as JPEG"
TOO_SLOW = f"decoding it took longer than {PATIENCE:.0f} seconds: save it as JPEG"
NUMBERS = "pixels of 32 bits, whose brightness nobody knows: save it with 8 or 16 bits"
Result = TypeVar("Result")
LENGTH = struct.Struct(">Q")
# Tags of TIFF 6.0 and of DNG, and what they say of what a camera's sensor saw.
DNG_VERSION, PHOTOMETRIC, SUBFILE = 50706, 262, 254
SENSOR, REDUCED = frozenset((32803, 34892)), 1


@dataclass(frozen=True)
class Reply:
    """What became of one file.

    Attributes:
        height, width: of the upright picture, in pixels; 0 where there is none.
        transparent: whether something of it was laid on the background.
        reason: why there is no picture.
    """

    height: int = 0
    width: int = 0
    transparent: bool = False
    reason: str | None = None


class Worker:
    """One process, started with the first file."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._late = False

    def decode(self, contents: bytes) -> tuple[Reply, np.ndarray | None]:
        """The picture in a file's bytes, uint8 `(height, width, 3)`, upright, in sRGB."""
        process = self._running()
        self._late = False
        timer = threading.Timer(PATIENCE, self._give_up)
        timer.start()
        try:
            _write(process.stdin, contents)  # type: ignore[arg-type]
            reply = Reply(**json.loads(_read(process.stdout)))  # type: ignore[arg-type]
            if reply.reason is not None:
                return reply, None
            raw = _read(process.stdout)  # type: ignore[arg-type]
            return reply, np.frombuffer(raw, np.uint8).reshape(reply.height, reply.width, 3)
        except (EOFError, OSError, ValueError, TypeError):
            self.close()
            return Reply(reason=TOO_SLOW if self._late else CRASHED), None
        except BaseException:  # interrupted: the reply that is under way is not the next file's
            self.close()
            raise
        finally:
            timer.cancel()
            if self._late:  # perhaps just behind the reply
                self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]
            self._process.wait()
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            command = [sys.executable, "-m", __name__]
            root = str(Path(__file__).parents[2])
            before = os.environ.get("PYTHONPATH")
            path = os.pathsep.join([root, *([before] if before else [])])
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C ends the work here, not the decoder
            )
        return self._process

    def _give_up(self) -> None:
        self._late = True
        if self._process is not None:
            self._process.kill()


@cache
def _idle() -> SimpleQueue[Worker]:
    """As many workers as cores; those that are at work are not in it."""
    workers: SimpleQueue[Worker] = SimpleQueue()
    for _ in range(_cores()):
        worker = Worker()
        atexit.register(worker.close)
        workers.put(worker)
    return workers


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decode(contents: bytes) -> tuple[Reply, np.ndarray | None]:
    """One file by a worker that is idle.

    Args:
        contents: the bytes of a file that `headers.is_apart`.

    Returns:
        What became of it, and uint8 `(height, width, 3)` where it is a picture.
    """
    workers = _idle()
    worker = workers.get()
    try:
        return worker.decode(contents)
    finally:
        workers.put(worker)


def in_parallel(task: Callable[[int], Result], jobs: Sequence[int]) -> list[Result]:
    """`task` of each job, on as many threads as there are cores, in their order."""
    with ThreadPoolExecutor(_cores()) as threads:
        return list(threads.map(task, jobs))


# In the process


def main() -> None:
    """Answer files with pixels until nobody asks any more."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints does not get between the answers
    with contextlib.suppress(EOFError):
        while True:
            reply, pixels = look(_read(asked))
            _write(answers, json.dumps(asdict(reply)).encode())
            if pixels is not None:
                _write(answers, pixels.tobytes())


def look(contents: bytes) -> tuple[Reply, np.ndarray | None]:
    """Decode a file within the limits; nothing that a file holds is raised."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = headers.MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(contents), formats=headers.APART) as image:
                if image.width * image.height > headers.MOST_PIXELS:
                    return Reply(reason=headers.TOO_LARGE), None
                if _is_raw(image):
                    return Reply(reason=headers.RAW), None
                found = colours.render(image)
    except Image.DecompressionBombError:
        return Reply(reason=headers.TOO_LARGE), None
    except colours.UnknownNumbers:
        return Reply(reason=NUMBERS), None
    except Exception:  # whatever its readers stumble over in a file that somebody made up
        return Reply(reason=headers.kind(contents[: headers.HEAD])), None
    height, width = found.pixels.shape[:2]
    return Reply(height, width, found.transparent), found.pixels


def _is_raw(image: object) -> bool:
    """Whether a TIFF holds what a camera's sensor saw, and only a small picture beside it."""
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return False
    reduced = int(tags.get(SUBFILE, 0)) & REDUCED and getattr(image, "n_frames", 1) == 1
    return DNG_VERSION in tags or tags.get(PHOTOMETRIC) in SENSOR or bool(reduced)


def _read(pipe: BinaryIO) -> bytes:
    """One message.

    Raises:
        EOFError: where the other side has ended.
    """
    (length,) = LENGTH.unpack(_exactly(pipe, LENGTH.size))
    return _exactly(pipe, length)


def _exactly(pipe: BinaryIO, length: int) -> bytes:
    found = pipe.read(length)
    if len(found) < length:
        raise EOFError
    return found


def _write(pipe: BinaryIO, message: bytes) -> None:
    """Send one message."""
    pipe.write(LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


if __name__ == "__main__":
    main()
