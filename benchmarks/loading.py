"""How fast a folder loads, beside `keras.utils.image_dataset_from_directory`, in one run.

    .venv/bin/python benchmarks/loading.py

Drawings, each enlarged and with grain as a camera's, are written in each format, as many as the
options say. Keras decodes, resizes and batches; the course does that, and finds copies, checks
every file, and splits. The two are timed in turn, `--rounds` times, after a first round that does
not count.
"""

from __future__ import annotations

import argparse
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LARGE, SMALL = (3264, 2448), (320, 240)
GRAIN = 6  # standard deviation, of 255
# Display P3's primaries, adapted to D50, by the tags of red, green and blue of an ICC profile.
DISPLAY_P3 = {
    b"rXYZ": (0.5151, 0.2412, -0.0011),
    b"gXYZ": (0.2920, 0.6922, 0.0419),
    b"bXYZ": (0.1571, 0.0666, 0.7841),
}


def display_p3() -> bytes:
    """sRGB's own profile with other primaries; its curve is the same."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for tag, place in DISPLAY_P3.items():
        (begin,) = struct.unpack_from(">I", profile, profile.index(tag) + 4)
        numbers = [round(number * 65_536) for number in place]
        struct.pack_into(">3i", profile, begin + 8, *numbers)
    return bytes(profile)


def fill(
    folder: Path, size: tuple[int, int], kind: str, options: dict, count: int, suffix: str
) -> None:
    """Two classes of so many files, each another drawing with another grain."""
    import numpy as np
    from PIL import Image

    drawings = sorted((ROOT / "data" / "drawings").rglob("*.webp"))
    width, height = size
    grain = np.random.default_rng(0).normal(0, GRAIN, (height, width, 3)).astype(np.float32)
    for number in range(count):
        inside = folder / ("cats" if number % 2 else "dogs")
        inside.mkdir(parents=True, exist_ok=True)
        with Image.open(drawings[number * len(drawings) // count]) as image:
            enlarged = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))
        noisy = np.clip(enlarged + np.roll(grain, 7 * number), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(inside / f"{number:05}.{suffix}", kind, **options)


def by_keras(folder: Path, size: int) -> int:
    """How many pictures Keras gives."""
    import keras

    data = keras.utils.image_dataset_from_directory(
        folder, image_size=(size, size), shuffle=False, verbose=False
    )
    return sum(len(labels) for _, labels in data.as_numpy_iterator())


def by_course(folder: Path, size: int) -> int:
    """How many pictures the course gives."""
    from helpers import pictures

    data = pictures.load(str(folder), size=size, quiet=True)
    return len(data.train) + len(data.validation) + len(data.test)


def speed(
    load: Callable[[Path, int], int], folder: Path, size: int, count: int
) -> tuple[float, float]:
    """Pictures a second, and milliseconds of CPU a picture; stops where one is missing."""
    started, used = time.monotonic(), time.process_time()
    loaded = load(folder, size)
    if loaded != count:
        raise SystemExit(f"{load.__name__} loaded {loaded} of {count} pictures of {folder.name}.")
    return count / (time.monotonic() - started), 1000 * (time.process_time() - used) / count


def row(folder: Path, options: argparse.Namespace, count: int, keras_reads: bool) -> list[str]:
    """The medians of both for one folder: speeds, then CPU, which other work changes less."""
    loads = [by_course, by_keras] if keras_reads else [by_course]
    rounds = [
        [speed(load, folder, options.size, count) for load in loads]
        for _ in range(options.rounds + 1)
    ][1:]
    rates, cpu = (
        [statistics.median(one[measure] for one in column) for column in zip(*rounds, strict=True)]
        for measure in (0, 1)
    )
    cells = [f"{rate:,.1f}" for rate in rates] + ["cannot"] * (2 - len(loads))
    # HEIC is decoded in other processes, whose CPU is not counted.
    return cells + ([f"{each:.2f}" for each in cpu] if keras_reads else ["", ""])


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=160, help="pixels")
    parser.add_argument("--large", type=int, default=40, help="files of 8 megapixels")
    parser.add_argument("--small", type=int, default=1000, help="files of 320 x 240")
    options = parser.parse_args()
    import pillow_heif

    pillow_heif.register_heif_opener()
    p3 = {"icc_profile": display_p3(), "quality": 90}
    kinds = {
        "JPEG, 8 megapixels": (LARGE, "JPEG", {"quality": 90}, options.large, True),
        "the same in Display P3": (LARGE, "JPEG", p3, options.large, True),
        "JPEG, 320 x 240": (SMALL, "JPEG", {"quality": 90}, options.small, True),
        "the same in Display P3 ": (SMALL, "JPEG", p3, options.small, True),
        "HEIC, 8 megapixels": (LARGE, "HEIF", {"quality": 60}, options.large // 4, False),
        "HEIC, 8 megapixels, Display P3": (LARGE, "HEIF", p3, options.large // 4, False),
    }
    print("| pictures a second | course | Keras | CPU, ms: course | Keras |")
    print("|---|---|---|---|---|", flush=True)
    for name, (pixels, kind, how, count, keras_reads) in kinds.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "pictures"
            fill(folder, pixels, kind, how, count, "jpg")
            cells = row(folder, options, count, keras_reads)
        print(f"| {name.strip()} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
