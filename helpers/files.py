"""Files that are there whole, or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path


def write_whole(path: Path, contents: bytes | str) -> None:
    """Write beside and rename: who is killed at it leaves the file that was there, or none.

    Args:
        path: its folder is made where it is missing.
        contents: text is written as UTF-8, with line ends as they are.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        beside.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
