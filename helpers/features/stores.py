"""Arrays on disk: written block by block, continued after a stop, checked when they are opened.

A store is an ordinary `.npy` file with a record beside it that says what it was computed from and
has a CRC-32 of every block. What is not whole has other names, so that a killed kernel leaves
nothing that could be taken for a finished store.
"""

from __future__ import annotations

import builtins
import errno
import hashlib
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

# A change in how stores are written, or in what the numbers mean, makes older ones void.
VERSION = 1


@dataclass(frozen=True)
class Store:
    """An array of known shape in a folder, under a name made from what it depends on.

    Attributes:
        folder: where stores lie; it is made when something is written.
        key: what the array is computed from, as JSON; another key is another store.
        shape: the first dimension counts rows.
        dtype: such as `"float32"`.
        block: rows that are written, and checked, together.
    """

    folder: Path
    key: dict[str, Any]
    shape: tuple[int, ...]
    dtype: str
    block: int = 256
    _header: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.shape) < 1 or min(self.shape) < 1 or self.block < 1:
            raise ValueError(
                f"Received: a store of shape {self.shape} in blocks of {self.block} rows. "
                f"Expected: at least one row, one number in each, and one row a block."
            )
        header = io.BytesIO()
        described = {"descr": np.dtype(self.dtype).str, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(header, described)
        object.__setattr__(self, "_header", header.getvalue())

    @property
    def path(self) -> Path:
        """The finished array."""
        text = json.dumps(self._description(), sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.npy"

    def lock(self) -> FileLock:
        """To be held while writing: who comes second waits, and then finds the store finished.

        Raises:
            PermissionError: where nothing can be written to the folder.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
                raise
            raise PermissionError(
                error.errno,
                f"Received: {self.folder}, which cannot be written to. Expected: a folder to keep "
                f"{self.megabytes:,.0f} MB in. Set COURSE_CACHE to a folder of your own; what "
                f"others have computed can be read from the folder that COURSE_SHARED names.",
            ) from error
        return FileLock(self.path.with_suffix(".lock"))

    def open(self) -> np.ndarray | None:
        """The finished array, memory-mapped and read-only; None where it is missing or not whole.

        Every byte is read once and compared with the record, at about a gigabyte a second.
        """
        sums = self._recorded_sums(self._record_path)
        if sums is None or len(sums) != self._count:
            return None
        if self._whole_blocks(self.path, sums) < len(sums):
            return None
        try:
            return np.load(self.path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:  # another process has made room meanwhile
            return None

    def rows_done(self) -> int:
        """How many rows an earlier, stopped writing has left behind, each block checked."""
        sums = self._recorded_sums(self._journal_path)
        if not sums:
            return 0
        if not self._part_path.exists() and self._whole_blocks(self.path, sums) == self._count:
            self.path.replace(self._part_path)  # stopped between the two renamings of `_finish`
        whole = self._whole_blocks(self._part_path, sums)
        return min(whole * self.block, self.shape[0])

    def write(self, blocks: Iterator[np.ndarray], start: int) -> None:
        """Append blocks from row `start` on, which `rows_done` gave; rename when all are there.

        Args:
            blocks: arrays of `block` rows each, the last with what remains.
            start: the row of the first.

        Raises:
            OSError: where the disk is full or not to be written, with what to do.
        """
        sums = (self._recorded_sums(self._journal_path) or [])[: -(-start // self.block)]
        try:
            self._prepare(sums)
            self._check_room(start)
            with self._part_path.open("r+b") as file, self._journal_path.open("a") as journal:
                file.seek(0, io.SEEK_END)
                for block in blocks:
                    contents = self._as_bytes(block)
                    file.write(contents)
                    file.flush()
                    sums.append(zlib.crc32(contents))
                    journal.write(f"{sums[-1]}\n")
                    journal.flush()
            self._finish(sums)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise OSError(error.errno, self._no_room()) from error

    def _check_room(self, start: int) -> None:
        """Refuse to begin what the disk cannot hold, before hours are spent on it."""
        if shutil.disk_usage(self.folder).free < self._row_bytes * (self.shape[0] - start):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _no_room(self) -> str:
        """What to say of a disk that is full, or would be."""
        free = shutil.disk_usage(self.folder).free / 1e6
        return (
            f"Received: a full disk at {self.folder} ({free:,.0f} MB free). Expected: "
            f"{self.megabytes:,.0f} MB for all rows. Make room and run the cell again; what was "
            f"computed is kept. Or set COURSE_CACHE to a folder on another disk, cut the network "
            f"further up, or take fewer views."
        )

    @property
    def megabytes(self) -> float:
        """Size of the whole array in MB (a million bytes)."""
        return self.bytes / 1e6

    @property
    def bytes(self) -> int:
        """Size of the whole array."""
        return self._row_bytes * self.shape[0]

    @property
    def _row_bytes(self) -> int:
        return int(np.prod(self.shape[1:])) * np.dtype(self.dtype).itemsize

    @property
    def _record_path(self) -> Path:
        return self.path.with_suffix(".json")

    @property
    def _part_path(self) -> Path:
        return self.path.with_suffix(".npy.part")

    @property
    def _journal_path(self) -> Path:
        """A line with what is being written, then a line a block with its CRC-32."""
        return self.path.with_suffix(".journal.part")

    def _description(self) -> dict[str, Any]:
        """What must be the same for a store to be used again; `dtype` tells the byte order."""
        return {
            "version": VERSION,
            "key": self.key,
            "shape": list(self.shape),
            "dtype": np.dtype(self.dtype).str,
            "block": self.block,
        }

    @property
    def _count(self) -> int:
        """How many blocks the whole array has."""
        return -(-self.shape[0] // self.block)

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """First row and row behind the last of each block."""
        for start in range(0, self.shape[0], self.block):
            yield start, min(start + self.block, self.shape[0])

    def _recorded_sums(self, path: Path) -> list[int] | None:
        """The blocks' checksums in a record or journal; None where it belongs to no such store."""
        try:
            first, *lines = path.read_text(encoding="utf-8").splitlines()
            if json.loads(first) != self._description():
                return None
            return [int(line) for line in lines if line]
        except (OSError, ValueError):
            return None

    def _whole_blocks(self, path: Path, sums: list[int]) -> int:
        """How many blocks from the first on are in the file as they were written."""
        try:
            with path.open("rb") as file:
                if file.read(len(self._header)) != self._header:
                    return 0
                for number, ((start, stop), expected) in enumerate(
                    zip(self._blocks(), sums, strict=False)
                ):
                    if zlib.crc32(file.read((stop - start) * self._row_bytes)) != expected:
                        return number
                # Nothing may follow a finished array.
                whole = len(sums)
                return whole - 1 if path == self.path and file.read(1) else whole
        except OSError:
            return 0

    def _prepare(self, sums: list[int]) -> None:
        """Cut the two unfinished files back to the whole blocks, or begin them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = min(len(sums) * self.block, self.shape[0])
        if not sums:
            self._part_path.write_bytes(self._header)
        with self._part_path.open("r+b") as file:
            file.truncate(len(self._header) + rows * self._row_bytes)
        # Beside and renamed: a journal that is cut short would lose all that it vouches for.
        beside = self._journal_path.with_suffix(".new")
        beside.write_text(self._record_text(sums), encoding="utf-8")
        beside.replace(self._journal_path)

    def _record_text(self, sums: list[int]) -> str:
        lines = [json.dumps(self._description(), sort_keys=True), *map(str, sums)]
        return "\n".join(lines) + "\n"

    def _as_bytes(self, block: np.ndarray) -> builtins.bytes:
        """A block's numbers as they stand in the file."""
        if block.shape[1:] != self.shape[1:]:
            raise ValueError(
                f"Received: rows of shape {block.shape[1:]}. Expected: {self.shape[1:]}."
            )
        return np.ascontiguousarray(block, dtype=self.dtype).tobytes()

    def _finish(self, sums: list[int]) -> None:
        """Give both files their names; the record last, for without it there is no store."""
        if len(sums) != self._count:
            raise ValueError(f"Received: {len(sums)} blocks. Expected: {self._count}.")
        self._record_path.unlink(missing_ok=True)
        self._part_path.replace(self.path)
        self._journal_path.replace(self._record_path)
