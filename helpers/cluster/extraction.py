"""The frozen part on Ray Data: from a folder of pictures to a folder of Parquet files.

Ray hands out names. The workers read, decode, compute and write, so no picture passes through Ray's
memory, and no task has to wait for another. (Reading and writing as tasks of Ray Data's own, in
shares of a core, kept Ray busy starting processes for them.) The Parquet files are the only record
of what is done.
"""

from __future__ import annotations

import hashlib
import json
import logging
import posixpath
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import progress, versions
from helpers.cluster.connection import WORKER_BYTES, check_memory, connected
from helpers.features import engines, fingerprints
from helpers.pictures import arrangements, decoding

if TYPE_CHECKING:
    import keras
    import pyarrow as pa
    from pyarrow.fs import FileSystem

# Pictures that are read, and written, together: what a lost machine or a stop can cost.
PART = 256
# A machine that is lost while it writes can leave a part that is not whole: it is done anew.
TRIES = 3
# Of what an output was made; it is written when all else of the beginning is there.
RECORD = "extraction.json"
LIBRARIES = ("ai-edge-litert", "keras", "numpy", "pillow", "pillow-heif", "tensorflow")
# Files of a bucket, which answers late, that are opened at a time.
READERS = 16


@dataclass(frozen=True)
class Extracted:
    """What lies in a folder of Parquet files: a row a picture, in the order of the names.

    Attributes:
        files: each picture's path within its folder, with `/`.
        labels: the name of the folder that each lies in.
        features: float32 `(n, *shape)`.
        left_out: what is no picture, with the reason.
    """

    files: tuple[str, ...]
    labels: np.ndarray
    features: np.ndarray
    left_out: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return (
            f"{len(self.files):,} pictures, features {self.features.shape[1:]}, "
            f"{len(self.left_out):,} left out"
        )


def extract(model: keras.Model, pictures: str, output: str, quiet: bool = False) -> str:
    """What `features.extract` computes, by Ray, from a folder of pictures to Parquet files.

    No picture and no feature passes through this process, only the names do. When it is stopped,
    the next call goes on from there. A file that cannot be read or decoded gets a row with the
    reason. One that a bucket does not give ends the run, which names it: the next try may get it.

    Args:
        model: as of `features.extract`, from pixels of 0 to 255; of one fixed, square size.
        pictures: a folder with one subfolder a class, or an address such as `s3://bucket/folder`
            (S3 and GCS were not tried).
        output: a folder or an address, for this model and these pictures only. On a cluster, both
            must be reachable from all of its machines.
        quiet: no progress bar.

    Returns:
        `output`, for `read`. The columns are `file`, `label`, `features` (a list of float32, or
        null) and `reason`.

    Raises:
        ValueError: where there are no pictures, or `output` holds those of another model.
        MemoryError: where no machine has the memory for a worker.
        RuntimeError: where a machine lacks the folder, a bucket does not give a file, or pictures
            are left to do in the end.
    """
    side = model.input_shape[1]
    files, folder = _filesystem(pictures)
    names = _listed(files, folder)
    into, place = _filesystem(output)
    into.create_dir(place, recursive=True)
    network = _begin(into, place, model, folder)
    left = sorted(set(names) - _done(into, place))
    if not left:
        return output
    begun = len(names) - len(left)
    with (
        connected(),
        progress.bar("features", len(names), begun, quiet=quiet, unit=" pictures") as bar,
    ):
        check_memory(WORKER_BYTES)
        for _ in range(TRIES):
            if left:
                _run(files, folder, left, (into, place, network, side), bar.update)
                left = sorted(set(names) - _done(into, place))
    if left:
        raise RuntimeError(
            f"Received: {len(left):,} pictures without a row in {output}, such as {left[0]}. "
            f"Expected: none. Run it again; what is there is kept."
        )
    return output


def _run(
    files: FileSystem,
    folder: str,
    names: Sequence[str],
    worker: tuple[Any, ...],
    advance: Callable[[int], Any],
) -> None:
    """Hand out these pictures, and wait until they are written."""
    import ray

    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    size = max(1, min(PART, len(names) // (2 * cores)))
    parts = [{"names": names[first : first + size]} for first in range(0, len(names), size)]
    worked = ray.data.from_items(parts, override_num_blocks=len(parts)).map_batches(
        Worker,
        fn_constructor_args=(files, folder, *worker, versions.of(*LIBRARIES)),
        batch_size=1,
        batch_format="pyarrow",
        # As many as there are cores; one is enough to begin.
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=cores, initial_size=cores),
        num_cpus=1,
        memory=WORKER_BYTES,
    )
    for row in worked.iter_rows():
        advance(row["pictures"])


class Worker:
    """An actor: reads the pictures of a part, and writes their features to a file."""

    def __init__(
        self,
        files: FileSystem,
        folder: str,
        into: FileSystem,
        place: str,
        network: str,
        side: int,
        expected: Mapping[str, str],
    ) -> None:
        import tensorflow as tf

        found = versions.of(*expected)
        if found != expected:
            raise RuntimeError(f"Received: a machine with {found}. Expected: {expected}, as here.")
        if files.type_name == "local" and not Path(folder).is_dir():  # else it would find no file
            raise RuntimeError(
                f"Received: a machine without {folder}. Expected: it on all of them."
            )
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        with into.open_input_stream(network) as file:
            self._run = engines.interpret(file.read(), threads=1)
        self._files, self._folder, self._side = files, folder, side
        self._into, self._place = into, place

    def __call__(self, batch: pa.Table) -> pa.Table:
        """From the names of a part to how many pictures it has."""
        import pyarrow as pa
        from pyarrow import parquet

        (names,) = batch["names"].to_pylist()
        table = self._table(names)
        # A second try writes the same file again.
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]
        path = posixpath.join(self._place, f"{digest}.parquet")
        with self._into.open_output_stream(path) as file:
            parquet.write_table(table, file)
        return pa.table({"pictures": [len(names)]})

    def _table(self, names: Sequence[str]) -> pa.Table:
        """A row a picture."""
        import pyarrow as pa

        with tempfile.TemporaryDirectory() as here:
            decoded = decoding.decode_files(self._brought(names, here), self._side)
        good = [row for row in range(len(names)) if row not in decoded.failed]
        computed = dict(zip(good, self._features(decoded.images[good]), strict=True))
        rows = [computed[row].ravel() if row in computed else None for row in range(len(names))]
        columns = {
            "file": pa.array(names),
            "label": pa.array([posixpath.basename(posixpath.dirname(name)) for name in names]),
            "features": pa.array(rows, pa.list_(pa.float32())),
            "reason": pa.array([decoded.failed.get(row) for row in range(len(names))], pa.string()),
        }
        return pa.table(columns)

    def _brought(self, names: Sequence[str], here: str) -> list[str]:
        """Where these files lie on this machine, copied to `here` where they do not yet."""
        sources = [posixpath.join(self._folder, name) for name in names]
        if self._files.type_name == "local":
            return sources
        copies = [f"{here}/{number}" for number in range(len(names))]

        def copy(source: str, copied: str) -> None:
            with self._files.open_input_stream(source) as file:
                Path(copied).write_bytes(file.read())

        with ThreadPoolExecutor(READERS) as readers:
            list(readers.map(copy, sources, copies))
        return copies

    def _features(self, images: np.ndarray) -> Iterator[np.ndarray]:
        step = engines.BATCH["litert"]
        for first in range(0, len(images), step):
            yield from self._run(images[first : first + step])


def read(output: str) -> Extracted:
    """What `extract` has written; it needs no Ray."""
    import pyarrow as pa
    from pyarrow import parquet

    files, place = _filesystem(output)
    record = _record(files, place)
    parts = [parquet.read_table(path, filesystem=files) for path in _parts(files, place)]
    if record is None or not parts:
        raise ValueError(f"Received: no features in {output}. Expected: those of `extract`.")
    table = pa.concat_tables(parts)
    # What a killed run had begun may be written late, when the next one has done it again.
    table = table.take(np.unique(table["file"].to_numpy(), return_index=True)[1])
    good = table.filter(pa.compute.is_null(table["reason"]))
    bad = table.filter(pa.compute.is_valid(table["reason"]))
    numbers = good["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return Extracted(
        tuple(good["file"].to_pylist()),
        np.array(good["label"].to_pylist(), dtype=str),
        numbers.reshape(-1, *record["shape"]),
        tuple(zip(bad["file"].to_pylist(), bad["reason"].to_pylist(), strict=True)),
    )


def _filesystem(where: str) -> tuple[FileSystem, str]:
    """What reads an address or a folder, and the path within it."""
    from pyarrow import fs

    if "://" in where:
        return fs.FileSystem.from_uri(where)
    return fs.LocalFileSystem(), Path(where).expanduser().resolve().as_posix()


def _listed(files: FileSystem, folder: str) -> list[str]:
    """The names of all that should be pictures, within their folder."""
    from pyarrow import fs

    found = files.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True))
    names = [posixpath.relpath(one.path, folder) for one in found if one.is_file]
    names = [name for name in names if arrangements.is_picture_name(name) and "/" in name]
    if not names:
        raise ValueError(
            f"Received: {folder}, with no pictures in subfolders. Expected: a folder with one "
            f"subfolder a class. Check the path."
        )
    return names


def _record(files: FileSystem, place: str) -> dict[str, Any] | None:
    """What an output was made from; None where it was not begun."""
    path = posixpath.join(place, RECORD)
    if not files.get_file_info(path).is_file:
        return None
    with files.open_input_stream(path) as file:
        return json.loads(file.read())


def _begin(files: FileSystem, place: str, model: keras.Model, folder: str) -> str:
    """Begin an output, or make sure that it goes on as it was begun; where its network lies."""
    shape = list(model.compute_output_shape((1, *model.input_shape[1:]))[1:])
    made = {
        "model": fingerprints.fingerprint(model),
        "pictures": folder,
        "shape": shape,
        "software": versions.of(*LIBRARIES),
    }
    network = posixpath.join(place, "network.tflite")
    begun = _record(files, place)
    if begun is None:  # the record is written last: where it is, all is
        with files.open_output_stream(network) as file:
            file.write(engines.convert(model, model.input_shape[1:]))
        with files.open_output_stream(posixpath.join(place, RECORD)) as file:
            file.write(json.dumps(made).encode())
    elif begun != made:
        differs = [name for name, value in made.items() if begun.get(name) != value]
        raise ValueError(
            f"Received: {place}, which was begun with another {' and '.join(differs)}. "
            f"Expected: an output of its own for each. Name another folder."
        )
    return network


def _parts(files: FileSystem, place: str) -> list[str]:
    """The Parquet files of an output."""
    from pyarrow import fs

    found = files.get_file_info(fs.FileSelector(place))
    return sorted(one.path for one in found if one.extension == "parquet")


def _done(files: FileSystem, place: str) -> set[str]:
    """The pictures that have a row; parts that are not whole, or repeat another, are removed."""
    done: set[str] = set()
    parts = _parts(files, place)
    with ThreadPoolExecutor(READERS) as readers:
        found = readers.map(lambda part: _names_in(files, part), parts)
    for part, names in zip(parts, found, strict=True):
        if names is None or done.intersection(names):
            files.delete_file(part)
        else:
            done.update(names)
    return done


def _names_in(files: FileSystem, part: str) -> list[str] | None:
    """The pictures of a part; None where it was not written to its end."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(part, filesystem=files, columns=["file"])["file"].to_pylist()
    except (pa.ArrowInvalid, OSError):
        return None
