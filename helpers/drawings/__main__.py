"""Draw folders of animals from the command line.

python -m helpers.drawings                             # data/drawings once more
python -m helpers.drawings FOLDER --each 500 --seed 7  # more cats and dogs, 500 of each
python -m helpers.drawings FOLDER --animals owl frog bat
python -m helpers.drawings FOLDER --backdrop cat=room --backdrop dog=meadow   # a planted cue
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers import drawings
from helpers.drawings import sets


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw as told; 2 where the order makes no sense."""
    options = _parser().parse_args(arguments)
    try:
        if options.sheet:
            _draw_sheet(options)
        else:
            _draw_folder(options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.drawings",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path, help="default: data/drawings, as it was")
    parser.add_argument("--animals", nargs="+", metavar="ANIMAL", help="default: cat dog")
    parser.add_argument("--each", type=int, help="pictures of each animal; default: 500")
    parser.add_argument("--seed", type=int, help="from 1, the default; 0 is that of data/drawings")
    parser.add_argument(
        "--backdrop",
        action="append",
        default=[],
        metavar="ANIMAL=BACKDROP",
        help=f"one of {', '.join(drawings.BACKDROPS)}; may be given again",
    )
    parser.add_argument("--sheet", type=Path, help="write one PNG to look at, and no folder")
    return parser


def _draw_folder(options: argparse.Namespace) -> None:
    """Draw the embedded set again, or a folder of its own.

    Raises:
        ValueError: where the folder holds something else, or an option makes no sense.
    """
    order = _order(options)
    if options.folder is None:
        if order != _order(_parser().parse_args([])):
            raise ValueError(
                "Received: what to draw, and no folder. Expected: a new folder to draw it into; "
                "without one, data/drawings is drawn again as it was."
            )
        sets.write(sets.Order(), sets.EMBEDDED)
        print(f"{len(sets.read_truth()):,} drawings in {sets.EMBEDDED}")
        return
    folder = options.folder
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(f"Received: {folder}, which is not empty. Expected: a new folder.")
    sets.write(order, folder)
    print(f"{len(sets.read_truth(folder)):,} drawings in {folder / 'pictures'}")


def _draw_sheet(options: argparse.Namespace) -> None:
    """Draw a contact sheet.

    Raises:
        ValueError: where it cannot be written, or an option makes no sense.
    """
    file, order = options.sheet, _order(options)
    if options.folder or file.suffix.lower() != ".png" or not file.resolve().parent.is_dir():
        raise ValueError(
            f"Received: --sheet {file}{' and a folder' if options.folder else ''}. Expected: a "
            f"file that ends in .png, in a folder that there is, and no folder to draw into."
        )
    each = order.each["pictures"]
    drawn = drawings.draw_many(order.animals, each, 10 * order.seed, backdrops=order.backdrops)
    sets.sheet(drawn).save(file)
    print(f"{len(drawn):,} drawings in {file}")


def _order(options: argparse.Namespace) -> sets.Order:
    """What the options ask for.

    Raises:
        ValueError: where a number or a backdrop makes no sense.
    """
    each = 500 if options.each is None else options.each
    seed = 1 if options.seed is None else options.seed
    if each < 1 or seed < 1:
        # Seed 0 is that of data/drawings: its pictures would be drawn once more.
        raise ValueError(f"Received: --each {each} --seed {seed}. Expected: both from 1.")
    backdrops: dict[str, list[str]] = {}
    for text in options.backdrop:
        animal, _, backdrop = text.partition("=")
        backdrops.setdefault(animal, []).append(backdrop)
    return sets.Order(options.animals or ("cat", "dog"), {"pictures": each}, seed, backdrops)


if __name__ == "__main__":
    raise SystemExit(main())
