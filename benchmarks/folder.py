"""Load a folder of very many files, and say how long it took and how much memory.

    .venv/bin/python benchmarks/folder.py --files 50000

One class gets all files but fifty, which the other gets. Each file is another picture.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

FEW = 50
PIXELS_BEGIN = 54  # in a BMP file of 24 bits


def fill(folder: Path, files: int) -> None:
    """Write so many small pictures, all different."""
    from PIL import Image

    encoded = io.BytesIO()
    Image.new("RGB", (16, 16)).save(encoded, "BMP")
    contents = bytearray(encoded.getvalue())
    for number in range(files):
        inside = folder / ("few" if number < FEW else "many")
        inside.mkdir(exist_ok=True)
        contents[PIXELS_BEGIN : PIXELS_BEGIN + 4] = number.to_bytes(4, "little")
        (inside / f"{number:06}.bmp").write_bytes(contents)


def main() -> int:
    """Print the counts; 1 where a picture is missing."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--size", type=int, default=96, help="pixels")
    options = parser.parse_args()
    if options.files < 2 * FEW:
        parser.error(f"argument --files: {options.files}, expected at least {2 * FEW}")
    import psutil

    from helpers import pictures

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, options.files)
        before, started = psutil.Process().memory_info().rss, time.monotonic()
        data = pictures.load(str(folder), size=options.size, quiet=True)
        taken = time.monotonic() - started
        grown = psutil.Process().memory_info().rss - before
    loaded = len(data.train) + len(data.validation) + len(data.test)
    print(f"{loaded:,} of {options.files:,} pictures, {taken:.0f} s, {grown / 1e6:,.0f} MB more")
    return 0 if loaded == options.files else 1


if __name__ == "__main__":
    sys.exit(main())
