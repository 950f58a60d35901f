"""Load the pictures of other projects' test collections as a folder, with Pillow as the oracle.

    .venv/bin/python benchmarks/decoding.py

The source packages come from the index that pip is configured with, into a folder that is thrown
away, or into the one that `--keep` names. Every file counts that begins as a picture does or is
named as one; equal files count once. Each gets another format's name, so that only contents count.

What Pillow and pillow-heif make of a file is expected: its first picture, upright, in sRGB by
littlecms, on white; of 16 bits the upper eight; of a large JPEG what Pillow's own `draft` gives for
the same square. No value may be further off than `BOUND`, and the size has to be the same. A file
is left out rightly where Pillow cannot read it, its format is none of the course's, it is larger
than the limit, a camera's raw picture, or has pixels of 32 bits. What loads though Pillow cannot
read it has a column of its own, and is named: a person judges it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import sys
import tarfile
import tempfile
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent

# Those that carry many pictures in their source packages.
PACKAGES = (
    "pillow", "pillow-heif", "matplotlib", "scikit-image", "imagecodecs", "piexif", "wand", "kivy",
    "pygame", "pyglet", "reportlab", "wxpython", "glymur", "hachoir",
)  # fmt: skip
SIZE = 96
BOUND = 2  # of 255: a profile that changes no colour by more is taken for sRGB's own
LARGEST_FILE = 60_000_000  # bytes
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",
              b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")  # fmt: skip
NAMES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".dib", ".webp", ".tif",
    ".tiff", ".heic", ".heif", ".hif", ".avif", ".avifs", ".jp2", ".j2k", ".jpx", ".jpf", ".j2c",
    ".jxl", ".dng", ".cr2", ".psd", ".ico", ".tga", ".ppm", ".pgm", ".svg",
)  # fmt: skip
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "WEBP", "HEIF", "AVIF", "TIFF", "JPEG2000")
BEYOND = "loaded, Pillow cannot"
COLUMNS = ("tried", "loaded right", BEYOND, "left out rightly", "wrong", "crashed")


@dataclass(frozen=True)
class Expected:
    """What the oracle makes of a file: a kind, and pixels and size or why there are none."""

    kind: str
    pixels: np.ndarray | None = None
    size: tuple[int, int] = (0, 0)
    why: str = ""


# Fetch


def fetch(packages: list[str], folder: Path) -> list[Path]:
    """The newest source package of each, from pip's index; one that is there already is kept."""
    from pip._internal.commands import create_command  # pip has no public door to its index

    command = create_command("download")
    options, _ = command.parse_args(["--no-binary", ":all:", *packages])
    fetched = []
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)
        for package in packages:
            link = finder.find_best_candidate(package).best_candidate.link
            path = folder / link.filename
            if not path.exists():
                reply = session.get(link.url_without_fragment)
                reply.raise_for_status()
                path.write_bytes(reply.content)
            fetched.append(path)
    return fetched


def members(package: Path) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the files in a package, without very large ones."""
    if package.suffix == ".zip":
        with zipfile.ZipFile(package) as archive:
            for one in archive.infolist():
                if not one.is_dir() and one.file_size <= LARGEST_FILE:
                    yield one.filename, archive.read(one)
        return
    with tarfile.open(package) as archive:
        for one in archive:
            if one.isfile() and one.size <= LARGEST_FILE:
                yield one.name, archive.extractfile(one).read()


def is_candidate(name: str, contents: bytes) -> bool:
    """Whether a file begins as a picture does, or is named as one."""
    head = contents[:12]
    begins = head.startswith(BEGINNINGS) or head[4:8] == b"ftyp" or head[8:] == b"WEBP"
    return begins or name.lower().endswith(NAMES)


def unpack(packages: list[Path], folder: Path) -> dict[Path, str]:
    """Each picture under another format's name, and where it came from."""
    seen, found = set(), {}
    for package in packages:
        for name, contents in members(package):
            digest = hashlib.sha256(contents).digest()
            if digest in seen or not is_candidate(name, contents):
                continue
            seen.add(digest)
            other = "png" if contents.startswith(b"\xff\xd8\xff") else "jpg"
            path = folder / f"{len(found):05}.{other}"
            path.write_bytes(contents)
            found[path] = name
    return found


# The oracle


def expect(contents: bytes, lenient: bool = False) -> Expected:
    """What Pillow makes of a file; `lenient` also of a PNG with checksums that are wrong."""
    from PIL import Image, ImageFile

    from helpers.pictures import headers

    kind = "other"
    ImageFile.LOAD_TRUNCATED_IMAGES = lenient
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(contents)) as image:
                kind = image.format if image.format in FORMATS else "other"
                if kind == "other":
                    return Expected(kind, why=f"{image.format} is not promised")
                if image.width * image.height > headers.MOST_PIXELS:
                    return Expected(kind, why="too large")
                return expect_picture(image, kind)
    except Exception as error:
        return Expected(kind, why=f"Pillow: {error!r}"[:100])
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def expect_picture(image, kind: str) -> Expected:
    """The pixels of an opened picture, upright, in sRGB, on white."""
    import tensorflow as tf
    from PIL import ImageOps

    from helpers.pictures import apart, headers

    if apart._is_raw(image):
        return Expected(kind, why="raw")
    if image.mode in {"I", "F"}:
        return Expected(kind, why="32 bits")
    width, height = image.size
    if kind in {"JPEG", "MPO"}:
        image.draft(None, (headers.SPARE * SIZE, headers.SPARE * SIZE))
    drawn = image.size
    upright = ImageOps.exif_transpose(image)
    if upright.size != drawn:  # or it is a square, which stays one
        width, height = height, width
    flat = np.asarray(on_white(upright))
    pixels = tf.image.resize(flat, (SIZE, SIZE)).numpy()
    return Expected(kind, np.rint(pixels).astype(int), (height, width))


def on_white(image):
    """RGB in sRGB, what is transparent laid on white."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        deep = np.asarray(image)
        clear = image.info.get("transparency")
        image = Image.fromarray((deep >> 8).astype(np.uint8))
        if clear is not None:
            image.putalpha(Image.fromarray(np.where(deep == clear, 0, 255).astype(np.uint8)))
    if not image.has_transparency_data:
        return in_srgb(image)
    whole = image.convert("RGBA")
    flat = in_srgb(whole.convert("RGB"))
    flat.putalpha(whole.getchannel("A"))
    return Image.alpha_composite(Image.new("RGBA", flat.size, "white"), flat).convert("RGB")


def in_srgb(image):
    """RGB by the picture's profile, where littlecms can use it."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    ready = image if image.mode in {"RGB", "L", "CMYK"} else image.convert("RGB")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(ready, opened, srgb, outputMode="RGB")
    return ready.convert("RGB")


# The comparison


def judge(path: Path, row: int, decoded) -> tuple[str, str, str]:
    """Kind, one of `COLUMNS`, and what to say of it."""
    from helpers.pictures import apart

    contents = path.read_bytes()
    expected, reason = expect(contents), decoded.failed.get(row)
    if expected.pixels is None and reason is None and contents.startswith(b"\x89PNG"):
        expected = expect(contents, lenient=True)
    if reason in {apart.CRASHED, apart.TOO_SLOW}:
        return expected.kind, "crashed", reason
    if expected.pixels is None:
        refused = BEYOND if expected.why.startswith("Pillow") else "wrong"
        said = "left out rightly" if reason is not None else refused
        return expected.kind, said, f"{expected.why}; here: {reason or 'loaded'}"
    if reason is not None:
        return expected.kind, "wrong", f"left out: {reason}"
    size, off = tuple(decoded.sizes[row]), np.abs(decoded.images[row] - expected.pixels).max()
    right = size == expected.size and off <= BOUND
    said = f"off by {off}, {size} for {expected.size}"
    return expected.kind, "loaded right" if right else "wrong", said


def compare(paths: list[Path], names: dict[Path, str], verbose: bool) -> Counter:
    """Load files together, and count what became of them by kind and column."""
    from helpers.pictures import decoding

    counts: Counter = Counter()
    try:
        decoded = decoding.decode_files([str(path) for path in paths], SIZE)
    except Exception:
        if len(paths) == 1:
            print(f"crashed: {names[paths[0]]}\n{traceback.format_exc()}", flush=True)
            return Counter({("other", "tried"): 1, ("other", "crashed"): 1})
        return sum((compare([path], names, verbose) for path in paths), counts)
    for row, path in enumerate(paths):
        kind, column, said = judge(path, row, decoded)
        counts[kind, "tried"] += 1
        counts[kind, column] += 1
        if verbose or column in {BEYOND, "wrong", "crashed"}:
            print(f"{column}: {kind} {path.name} {names[path]}: {said}", flush=True)
    return counts


def table(counts: Counter) -> str:
    """Markdown, a line a kind, and their sum."""
    kinds = sorted({kind for kind, _ in counts}, key=lambda kind: (kind == "other", kind))
    rows = {kind: [counts[kind, column] for column in COLUMNS] for kind in kinds}
    rows["all"] = [sum(row[at] for row in rows.values()) for at in range(len(COLUMNS))]
    lines = [f"| | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    lines += [f"| {kind} | {' | '.join(f'{n:,}' for n in row)} |" for kind, row in rows.items()]
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 where a file was wrong or crashed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--packages", nargs="+", default=PACKAGES)
    parser.add_argument("--keep", type=Path, help="a folder for the source packages")
    parser.add_argument("--verbose", action="store_true", help="a line for each file")
    options = parser.parse_args()
    import pillow_heif

    pillow_heif.register_heif_opener()
    counts: Counter = Counter()
    with tempfile.TemporaryDirectory() as name:
        kept = options.keep or Path(name) / "packages"
        kept.mkdir(parents=True, exist_ok=True)
        (Path(name) / "pictures").mkdir()
        names = unpack(fetch(list(options.packages), kept), Path(name) / "pictures")
        paths = list(names)
        for at in range(0, len(paths), 256):
            counts += compare(paths[at : at + 256], names, options.verbose)
    print(table(counts))
    return 1 if any(column in {"wrong", "crashed"} for _, column in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
