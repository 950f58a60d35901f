"""Pictures laid out as files for Keras: `train`, `validation`, `test`, in each a folder a class."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import os
import shutil
import uuid
from pathlib import Path

from filelock import FileLock

from helpers import paths, pictures
from helpers.pictures import decoding, headers
from helpers.pictures.splits import PARTS, PictureSet

# What `keras.utils.image_dataset_from_directory` takes for a picture.
READ_BY_KERAS = {".jpeg": "jpg", ".jpg": "jpg", ".png": "png"}
# Pixels: no JPEG is decoded smaller for such a square.
WHOLE = 100_000


def lay_out(name: str, seed: int = 0) -> Path:
    """The folder with the files of a set, split as `pictures.load(name, seed=seed)` splits them.

    Files that Keras reads as they are get a hard link; others (WebP, what a phone has stored
    lying on its side, files of another kind than their name says) become PNG files, upright.

    Args:
        name: `"drawings"`, `"photos"` or the path of a folder.
        seed: of the split.

    Raises:
        ValueError, RuntimeError: as `pictures.load` does.
    """
    folder = where(name, seed)
    top = folder.parent
    top.mkdir(parents=True, exist_ok=True)
    with FileLock(top / f".{folder.name}.lock"):
        if not folder.is_dir():
            found = pictures.load(name, size=32, seed=seed, in_memory=False, quiet=True)
            beside = top / f".{folder.name}.{uuid.uuid4().hex[:8]}"
            try:
                _fill(beside, found)
                beside.replace(folder)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
    return folder


def where(name: str, seed: int = 0) -> Path:
    """Where `lay_out` lays out the set: another folder where a file of it has changed.

    Raises:
        ValueError, RuntimeError: as `pictures.fetch` does.
    """
    source = pictures.fetch(name)
    return paths.cache_folder() / "pictures" / f"{source.name}-{_key(source, seed)}"


def _key(source: Path, seed: int) -> str:
    """A digest of what lies in a folder: names, sizes, times; and of the seed."""
    digest = hashlib.sha256(f"{source} {seed}".encode())
    for parent, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            with contextlib.suppress(OSError):
                stat = os.stat(os.path.join(parent, name))
                digest.update(f"{parent}/{name} {stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:8]


def _fill(folder: Path, found: PictureSet) -> None:
    """Write the three parts into `folder`."""
    for part in PARTS:
        split = getattr(found, part)
        for class_name in found.class_names:
            (folder / part / class_name).mkdir(parents=True)
        for path, name, label in zip(split.images.paths, split.files, split.labels, strict=True):
            class_name = found.class_names[label]
            parts = Path(name).parts
            # Of a class in a folder of its own, what is inside it; else all of the name.
            inside = parts[parts.index(class_name) + 1 :] if class_name in parts[:-1] else parts
            _place(Path(path), folder / part / class_name / "_".join(inside))


def _place(path: Path, target: Path) -> None:
    """Link or copy a picture that Keras reads as it should be seen; else write it as PNG."""
    from PIL import Image

    contents = path.read_bytes()
    header = headers.inspect(io.BytesIO(contents))
    plain = header.decoder is headers.Decoder.TENSORFLOW and header.turn == 1
    if not plain or READ_BY_KERAS.get(path.suffix.lower()) != headers.suffix(contents):
        png = Image.fromarray(decoding.render(contents, size=WHOLE).pixels)
        png.save(_free(target.with_suffix(".png")), compress_level=1)
        return
    target = _free(target)
    try:
        os.link(path, target)
    except OSError:  # another disk, or a file system without links
        shutil.copy2(path, target)


def _free(target: Path) -> Path:
    """A path that no file has yet: `a/b.png`, or `a/b_1.png` and so on."""
    names = (f"{target.stem}_{number}{target.suffix}" for number in itertools.count(1))
    while target.exists():
        target = target.with_name(next(names))
    return target
