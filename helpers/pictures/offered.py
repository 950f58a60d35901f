"""A set of pictures as an archive that a small server on this machine offers for download."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import threading
import uuid
import zipfile
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from helpers import paths
from helpers.pictures import layout

HERE = "127.0.0.1"
EPOCH = (2026, 1, 1, 0, 0, 0)  # the time of every file in an archive: its digest does not change


@dataclass(frozen=True)
class Offer:
    """An archive that can be downloaded.

    Attributes:
        url: where from; the server answers until this process ends.
        sha256: the archive's digest, 64 hexadecimal digits.
        cache: a folder to keep the download in.
    """

    url: str
    sha256: str
    cache: Path


class _Quiet(SimpleHTTPRequestHandler):
    """Serves a folder's files and writes no log into the notebook."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def offer(name: str) -> Offer:
    """Offer the files of a set, laid out as `train`, `validation` and `test`, on 127.0.0.1.

    Args:
        name: `"drawings"`, `"photos"` or the path of a folder.

    Raises:
        ValueError, RuntimeError: as `pictures.load` does.
    """
    path = archive(name)
    handler = functools.partial(_Quiet, directory=str(path.parent))
    server = ThreadingHTTPServer((HERE, 0), handler)
    threading.Thread(target=server.serve_forever, name="offer", daemon=True).start()
    _reach_without_proxy()
    cache = paths.cache_folder() / "get_file"
    cache.mkdir(parents=True, exist_ok=True)  # `get_file` takes another folder where it is missing
    url = f"http://{HERE}:{server.server_port}/{path.name}"
    return Offer(url, hashlib.sha256(path.read_bytes()).hexdigest(), cache)


def archive(name: str) -> Path:
    """The zip archive of a set's files, made at the first call."""
    folder = layout.lay_out(name)
    path = paths.cache_folder() / "archives" / f"{folder.name}.zip"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{uuid.uuid4().hex[:8]}.zip")
        try:
            _pack(folder, beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return path


def _pack(folder: Path, path: Path) -> None:
    """Write all files of a folder, in their order, as they are: pictures are packed already."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        for file in sorted(found for found in folder.rglob("*") if found.is_file()):
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            info.external_attr = 0o644 << 16
            with file.open("rb") as source, packed.open(info, "w") as target:
                shutil.copyfileobj(source, target)


def _reach_without_proxy() -> None:
    """Keep a proxy that is set for this process out of what is asked of this machine."""
    for variable in ("no_proxy", "NO_PROXY"):
        hosts = [host for host in os.environ.get(variable, "").split(",") if host]
        if HERE not in hosts:
            os.environ[variable] = ",".join([*hosts, HERE])
