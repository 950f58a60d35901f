"""Feed damaged pictures and archives to the readers, and count what they do with them.

    .venv/bin/python benchmarks/fuzz.py --minutes 10

Each input is a sound file of one of many kinds, changed at random: anywhere, or, in every second
picture, in the places that readers believe: the entries of TIFF and EXIF, the chunks of a PNG (with
checksums that are right), the boxes of HEIC and AVIF. A reader may give a picture, or unpack inside
its folder, or refuse with its own error. Where a decoder dies in the process that it may die in,
that is counted. Anything else is a finding: another error, a crash of the process, a file outside
the folder, or more than `PATIENCE_SECONDS` for one input. The input is then left in the folder that
`--findings` names.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import random
import shutil
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PATIENCE_SECONDS = 90  # longer than the course waits for a decoder
START_SECONDS = 600  # to import TensorFlow, on a machine that may be busy
SIZE = 32


def sound_pictures() -> list[bytes]:
    """A small picture in each format and mode, some with notes, progressive, interlaced, moving."""
    import numpy as np
    import pillow_heif
    from PIL import ExifTags, Image, ImageCms, PngImagePlugin

    pillow_heif.register_heif_opener()
    patches = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    image = Image.fromarray(patches).resize((56, 48), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "maker"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifVersion] = b"0232"
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "words " * 9, zip=True)
    text.add_itxt("XML:com.adobe.xmp", '<a xmlns:tiff="t" tiff:Orientation="6"/>')
    noted = {"exif": exif, "icc_profile": profile_of(ImageCms)}
    ways = [
        ("RGB", "JPEG", {}), ("RGB", "JPEG", {"progressive": True, "exif": exif}),
        ("L", "JPEG", {}), ("CMYK", "JPEG", {}), ("RGB", "PNG", {"exif": exif}),
        ("RGBA", "PNG", {}), ("P", "PNG", {}), ("1", "PNG", {}), ("I;16", "PNG", {}),
        ("P", "GIF", {}), ("P", "GIF", {"save_all": True, "append_images": [image.convert("P")]}),
        ("RGB", "BMP", {}), ("P", "BMP", {}), ("RGB", "WEBP", {}), ("RGBA", "WEBP", {}),
        ("RGB", "WEBP", {"lossless": True, "exif": exif}),
        ("RGB", "WEBP", {"save_all": True, "append_images": [image.rotate(90)]}),
        ("RGB", "TIFF", {}), ("RGBA", "TIFF", {"compression": "tiff_lzw", **noted}),
        ("CMYK", "TIFF", {"compression": "tiff_adobe_deflate"}), ("1", "TIFF", {}),
        ("RGB", "JPEG", noted), ("RGB", "PNG", {"pnginfo": text, **noted}), ("RGB", "WEBP", noted),
        ("RGB", "HEIF", noted), ("RGBA", "HEIF", {}), ("RGB", "AVIF", noted), ("RGBA", "AVIF", {}),
        ("RGB", "JPEG2000", {}),
    ]  # fmt: skip
    made = []
    for mode, kind, options in ways:
        file = io.BytesIO()
        image.convert("L" if mode == "I;16" else mode).convert(mode).save(file, kind, **options)
        made.append(file.getvalue())
    return made


def profile_of(cms) -> bytes:
    """sRGB's own profile with red and green exchanged: one that has to be converted."""
    profile = bytearray(cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


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
    return bytes(
        changed[: chance.randrange(len(changed) or 1)] if chance.random() < 0.1 else changed
    )


# Damage where readers look


def damaged_inside(contents: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """One to three changes of entries, chunks or boxes; of bytes where a file has none."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        ways = [
            way for way in (with_chunk, with_box, with_entry) if way(contents, random.Random(0))
        ]
        if not ways:
            return damaged(contents, others, chance)
        contents = chance.choice(ways)(contents, chance) or contents
    return contents


def with_chunk(contents: bytes, chance: random.Random) -> bytes | None:
    """A PNG with one chunk changed, renamed, doubled or gone; its checksum is right."""
    from helpers.pictures import mending

    chunks = list(mending.chunks(contents)) if contents.startswith(b"\x89PNG") else []
    if not chunks:
        return None
    at = chance.randrange(len(chunks))
    name, whole = chunks[at]
    body = damaged(whole[8:-4], [whole], chance) if chance.random() < 0.6 else whole[8:-4]
    if chance.random() < 0.3:
        name = chance.choice(
            (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"tRNS", b"acTL", b"gAMA")
        )
    changed = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    )
    put = chance.choice(([changed], [changed], [changed, changed], [whole, changed], []))
    pieces = [one for _, one in chunks[:at]] + put + [one for _, one in chunks[at + 1 :]]
    return contents[:8] + b"".join(pieces)


def boxes(contents: bytes, begin: int, end: int) -> list[tuple[int, int]]:
    """Begin and end of the boxes of a file, and of those in them."""
    found = []
    while begin + 8 <= end:
        length, name = struct.unpack_from(">I4s", contents, begin)
        if not 8 <= length <= end - begin:
            break
        found.append((begin, begin + length))
        if name in {b"meta", b"iprp", b"ipco", b"iref", b"iinf", b"dinf", b"moov", b"trak"}:
            inside = begin + {b"meta": 12, b"iref": 12, b"iinf": 14}.get(name, 8)
            found += boxes(contents, inside, begin + length)
        begin += length
    return found


def with_box(contents: bytes, chance: random.Random) -> bytes | None:
    """A file of boxes with the length, name or head of one changed, or one doubled or gone."""
    found = boxes(contents, 0, len(contents)) if contents[4:8] == b"ftyp" else []
    if not found:
        return None
    begin, end = chance.choice(found[1:] or found)
    changed, way = bytearray(contents), chance.randrange(6)
    if way == 0:
        changed[begin : begin + 4] = struct.pack(">I", odd_number(chance))
    elif way == 1:
        changed[begin + 4 : begin + 8] = chance.choice(
            (b"irot", b"clap", b"ispe", b"auxC", b"colr")
        )
    elif way == 2:
        changed[begin:begin] = contents[begin:end]
    elif way == 3:
        del changed[begin:end]
    else:  # the first bytes of a box say most
        at = chance.randrange(begin + 8, max(begin + 9, min(end, begin + 40)))
        changed[at : at + 4] = struct.pack(">I", odd_number(chance))[: chance.choice((1, 2, 4))]
    return bytes(changed)


def odd_number(chance: random.Random) -> int:
    """A number of 32 bits that readers may not have thought of."""
    few = (0, 1, 2, 7, 8, 9, 255, 256, 65_535, 65_536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    return chance.choice((*few, chance.randrange(300), chance.randrange(1 << 32)))


def with_entry(contents: bytes, chance: random.Random) -> bytes | None:
    """A TIFF, or what has EXIF, with the tag, type, count or value of one entry changed."""
    begins = [at for mark in (b"II*\0", b"MM\0*") if (at := contents.find(mark)) >= 0]
    if not begins or len(contents) < begins[0] + 10:
        return None
    base, order = begins[0], "<" if contents[begins[0]] == 73 else ">"
    (first,) = struct.unpack_from(order + "I", contents, base + 4)
    if base + first + 2 > len(contents):
        return None
    (count,) = struct.unpack_from(order + "H", contents, base + first)
    entry = base + first + 2 + 12 * chance.randrange(min(count, 40) or 1)
    if entry + 12 > len(contents):
        return None
    changed, way = bytearray(contents), chance.randrange(5)
    if way == 0:
        struct.pack_into(
            order + "H", changed, entry, chance.choice((254, 262, 274, 330, 34665, 50706))
        )
    elif way == 1:
        struct.pack_into(order + "H", changed, entry + 2, chance.choice((*range(19), 255, 65_535)))
    elif way < 4:
        struct.pack_into(order + "I", changed, entry + 4 * (way - 1), odd_number(chance))
    else:
        struct.pack_into(order + "H", changed, base + first, odd_number(chance) & 0xFFFF)
    return bytes(changed)


def read_picture(contents: bytes, folder: Path) -> str:
    """What the decoder does with it."""
    from helpers.pictures import apart, decoding, headers

    try:
        found = decoding.decode(contents, SIZE)
    except headers.NotAPicture as error:
        return "decoder died" if error.reason == apart.CRASHED else "refused"
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
        change = damaged_inside if kind == "pictures" and chance.random() < 0.5 else damaged
        contents = change(chance.choice(sound), sound, chance)
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
    parser.add_argument("--kinds", nargs="+", choices=list(READERS), default=list(READERS))
    parser.add_argument("--findings", type=Path, default=ROOT / ".cache" / "findings")
    options = parser.parse_args()
    found = 0
    for kind in options.kinds:
        counts = feed(kind, options.minutes / len(options.kinds), options.findings)
        wrong = {said: count for said, count in counts.items() if said.startswith("FINDING")}
        found += len(wrong)
        print(
            f"{kind}: {sum(counts.values()):,} inputs, {counts['read']:,} read, "
            f"{counts['refused']:,} refused, {counts['decoder died']:,} decoders died, "
            f"{len(wrong)} findings {wrong or ''}",
            flush=True,
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
