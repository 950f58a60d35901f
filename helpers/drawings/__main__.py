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
            return _draw_sheet(options)
        folder, order = _folder_and_order(options)
        sets.write(order, folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(sets.read_truth(folder)):,} drawings in {folder}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.drawings",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path, help="default: data/drawings, as it was")
    parser.add_argument("--animals", nargs="+", default=["cat", "dog"], metavar="ANIMAL")
    parser.add_argument("--each", type=int, default=500, help="pictures of each animal")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--backdrop",
        action="append",
        default=[],
        metavar="ANIMAL=BACKDROP",
        help=f"one of {', '.join(drawings.BACKDROPS)}; may be given again",
    )
    parser.add_argument("--sheet", type=Path, help="write one PNG to look at, and no folder")
    parser.add_argument("--columns", type=int, default=12, help="pictures side by side on it")
    return parser


def _draw_sheet(options: argparse.Namespace) -> int:
    """Draw a contact sheet."""
    if options.each < 1 or options.columns < 1:
        raise ValueError(
            f"Received: --each {options.each} --columns {options.columns}. Expected: both from 1."
        )
    drawn = drawings.draw_many(options.animals, options.each, 10 * options.seed)
    sets.sheet(drawn, options.columns).save(options.sheet)
    print(f"{len(drawn):,} drawings in {options.sheet}")
    return 0


def _folder_and_order(options: argparse.Namespace) -> tuple[Path, sets.Order]:
    """Where to draw, and what.

    Raises:
        ValueError: where the folder holds something else, or an option makes no sense.
    """
    if options.folder is None:
        return sets.EMBEDDED, sets.Order()
    if options.each < 1 or options.seed < 1:
        # Seed 0 is that of data/drawings: its pictures would be drawn once more.
        raise ValueError(
            f"Received: --each {options.each} --seed {options.seed}. Expected: both from 1."
        )
    if options.folder.exists() and any(options.folder.iterdir()):
        raise ValueError(f"Received: {options.folder}, which is not empty. Expected: a new folder.")
    backdrops: dict[str, list[str]] = {}
    for text in options.backdrop:
        animal, _, backdrop = text.partition("=")
        backdrops.setdefault(animal, []).append(backdrop)
    strangers = sorted(set(backdrops) - set(options.animals))
    if strangers:
        raise ValueError(
            f"Received: a backdrop for {', '.join(strangers)}. Expected: one of the animals drawn, "
            f"{', '.join(options.animals)}, as in --backdrop {options.animals[0]}=room."
        )
    each = {"pictures": options.each}
    return options.folder, sets.Order(options.animals, each, options.seed, backdrops)


if __name__ == "__main__":
    raise SystemExit(main())
