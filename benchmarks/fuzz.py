"""Feed damaged pictures and archives to the readers, and count what they do with them.

    .venv/bin/python benchmarks/fuzz.py --minutes 10

Each input is a sound file of one of many kinds, changed at random. A reader may give a picture, or
unpack inside its folder, or refuse with its own error. Anything else is a finding: another error, a
crash of the process, a file outside the folder, or more than `PATIENCE_SECONDS` for one input. The
input is then left in the folder that `--findings` names.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PATIENCE_SECONDS = 60
START_SECONDS = 600  # to import TensorFlow, on a machine that may be busy
SIZE = 32


def sound_pictures() -> list[bytes]:
    """A small picture in each format and mode, some with EXIF, progressive, interlaced, moving."""
    import numpy as np
    from PIL import ExifTags, Image

    patches = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    image = Image.fromarray(patches).resize((56, 48), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    ways = [
        ("RGB", "JPEG", {}), ("RGB", "JPEG", {"progressive": True, "exif": exif}),
        ("L", "JPEG", {}), ("CMYK", "JPEG", {}), ("RGB", "PNG", {"exif": exif}),
        ("RGBA", "PNG", {}), ("P", "PNG", {}), ("1", "PNG", {}), ("I;16", "PNG", {}),
        ("P", "GIF", {}), ("P", "GIF", {"save_all": True, "append_images": [image.convert("P")]}),
        ("RGB", "BMP", {}), ("P", "BMP", {}), ("RGB", "WEBP", {}), ("RGBA", "WEBP", {}),
        ("RGB", "WEBP", {"lossless": True, "exif": exif}),
        ("RGB", "WEBP", {"save_all": True, "append_images": [image.rotate(90)]}),
        ("RGB", "TIFF", {}),
    ]  # fmt: skip
    made = []
    for mode, kind, options in ways:
        file = io.BytesIO()
        image.convert("L" if mode == "I;16" else mode).convert(mode).save(file, kind, **options)
        made.append(file.getvalue())
    return made


def sound_archives() -> list[bytes]:
    """Small archives, stored and deflated."""
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name in ("cats/1.jpg", "cats/2.jpg", "dogs/caf\u00e9.jpg", "dogs/"):
                archive.writestr(name, name.encode() * 20)
        made.append(file.getvalue())
    return made


def damaged(contents: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The file with one to eight changes: bytes set, cut out, doubled, or taken from another."""
    changed = bytearray(contents)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(changed) or 1)
        length = chance.choice((1, 1, 2, 4, 16, 64))
        way = chance.randrange(6)
        if way == 0 and changed:
            changed[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            changed[at : at + length] = chance.randbytes(length)
        elif way == 2:
            changed[at : at + length] = chance.choice((b"\0", b"\xff")) * length
        elif way == 3:
            del changed[at : at + length]
        elif way == 4:
            changed[at:at] = changed[at : at + length]
        else:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            changed[at:at] = other[start : start + length]
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.1 else changed)


def read_picture(contents: bytes, folder: Path) -> str:
    """What the decoder does with it."""
    from helpers.pictures import decoding

    try:
        found = decoding.decode(contents, SIZE)
    except decoding.NotAPicture:
        return "refused"
    return "read" if found.shape == (SIZE, SIZE, 3) else f"FINDING shape {found.shape}"


def read_archive(contents: bytes, folder: Path) -> str:
    """What the unpacker does with it."""
    from helpers import archives

    archive, inside = folder / "a.zip", folder / "outer" / "inside"
    shutil.rmtree(folder / "outer", ignore_errors=True)
    (folder / "outer").mkdir()
    archive.write_bytes(contents)
    try:
        archives.unpack_zip(archive, inside)
        said = "read"
    except ValueError:
        said = "refused"
    seen = {path.name for path in folder.iterdir()} | {
        path.name for path in (folder / "outer").iterdir()
    }
    extra = seen - {"a.zip", "outer", "inside", "current"}
    return f"FINDING outside: {sorted(extra)}" if extra else said


READERS: dict[str, tuple[Callable[[], list[bytes]], Callable[[bytes, Path], str]]] = {
    "pictures": (sound_pictures, read_picture),
    "archives": (sound_archives, read_archive),
}


def work(kind: str, seed: int, until: float, folder: Path, told: multiprocessing.Queue) -> None:
    """Feed one reader until the time is up or a finding, telling of each input what came of it.

    After a finding nothing more is read, so that the input is still there to be kept.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    make, read = READERS[kind]
    chance, sound = random.Random(seed), make()
    while time.monotonic() < until:
        contents = damaged(chance.choice(sound), sound, chance)
        (folder / "current").write_bytes(contents)
        try:
            said = read(contents, folder)
        except Exception as error:
            said = f"FINDING {type(error).__name__}: {error}"[:200]
        told.put(said)
        if said.startswith("FINDING"):
            return
    told.put(None)


def feed(kind: str, minutes: float, findings: Path) -> Counter[str]:
    """Feed a reader in a process of its own, which is begun anew where it dies or hangs."""
    until, counts, seed = time.monotonic() + 60 * minutes, Counter(), 0
    spawn = multiprocessing.get_context("spawn")
    while time.monotonic() < until:
        with tempfile.TemporaryDirectory() as name:
            told = spawn.Queue()
            process = spawn.Process(target=work, args=(kind, seed, until, Path(name), told))
            process.start()
            said = listen(process, told, counts)
            if said is not None:
                findings.mkdir(parents=True, exist_ok=True)
                counts[f"FINDING {said}"] += 1
                kept = findings / f"{kind}-{seed}-{sum(counts.values())}"
                shutil.copy(Path(name) / "current", kept)
            process.kill()
            process.join()
        seed += 1
    return counts


def listen(
    process: multiprocessing.Process, told: multiprocessing.Queue, counts: Counter[str]
) -> str | None:
    """Count what a process tells; why it stopped, where that was not in order."""
    import queue

    before = sum(counts.values())
    while True:
        begun = sum(counts.values()) > before
        try:
            said = told.get(timeout=PATIENCE_SECONDS if begun else START_SECONDS)
        except queue.Empty:
            alive = process.is_alive()
            return f"no answer in {PATIENCE_SECONDS} s" if alive else f"died: {process.exitcode}"
        if said is None:
            return None
        if said.startswith("FINDING"):
            return said.removeprefix("FINDING ")
        counts[said] += 1


def main() -> int:
    """Feed each reader its share of the time; 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--findings", type=Path, default=ROOT / ".cache" / "findings")
    options = parser.parse_args()
    found = 0
    for kind in READERS:
        counts = feed(kind, options.minutes / len(READERS), options.findings)
        wrong = {said: count for said, count in counts.items() if said.startswith("FINDING")}
        found += len(wrong)
        print(
            f"{kind}: {sum(counts.values()):,} inputs, {counts['read']:,} read, "
            f"{counts['refused']:,} refused, {len(wrong)} findings {wrong or ''}",
            flush=True,
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
