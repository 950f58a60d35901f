"""Download pictures and weights ahead: for a classroom, a flight, or a slow network."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers import bases, fetching, pictures
from helpers.fetching import Part

IMAGENET = tuple(name for name, base in bases.BASES.items() if base.pretrained_on == "imagenet")
RECIPES = ("tutorial", "article")
CHOICES = (*RECIPES, "photos", "tfds", "bases", *IMAGENET)


@dataclass(frozen=True)
class Outcome:
    """What became of one item: where it is now (None where it is not) and whether it is ready."""

    name: str
    where: Path | None
    ready: bool


def main(names: Sequence[str]) -> int:
    """Fetch what is named and print what is now where; 0 where all of it is ready."""
    if unknown := [name for name in names if name not in CHOICES]:
        print(f"Received: {', '.join(unknown)}. Expected: {', '.join(CHOICES)}.", file=sys.stderr)
        return 2
    wanted = {part.name: part for name in names for part in parts(name)}  # each once
    outcomes = [fetch(part) for part in wanted.values()]
    print(table(outcomes))
    return 0 if all(outcome.ready for outcome in outcomes) else 1


def parts(what: str) -> list[Part]:
    """What a recipe, `photos`, `tfds`, `bases` or the name of a base stands for."""
    if what in RECIPES:
        return list(fetching.needs(what))
    if what == "bases" or what in IMAGENET:
        names = bases.NAMES_TO_FETCH if what == "bases" else (what,)
        return [Part(name, "weights", 0, bases.fetch, bases.is_ready) for name in names]
    return [Part(what, "photographs", 0, pictures.fetch, pictures.is_ready)]


def fetch(part: Part) -> Outcome:
    """Download one thing; where that fails, say why on standard error."""
    print(f"{part.name}: {'is here' if part.here else 'downloading'}", flush=True)
    try:
        where = part.fetch()
    except (RuntimeError, ValueError, OSError) as error:
        print(f"{part.name}: {error}", file=sys.stderr)
        return Outcome(part.name, None, False)
    return Outcome(part.name, where, part.here)


def table(outcomes: Sequence[Outcome]) -> str:
    """What, whether it is ready, how large in megabytes (10**6 bytes), and where."""
    rows = [("what", "ready", "MB", "where")]
    for outcome in outcomes:
        where = outcome.where
        megabytes = f"{size(where) / 1e6:.1f}" if where else "-"
        rows.append((outcome.name, "yes" if outcome.ready else "no", megabytes, str(where or "-")))
    wide = max(len(row[0]) for row in rows)
    return "\n".join(f"{what:{wide}}  {ready:5}  {mb:>7}  {at}" for what, ready, mb, at in rows)


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.is_file() else 0
