"""Drawn animals: pictures of 96 x 96 pixels, and the truth about each of them.

`draw("cat", seed=7)` draws one; `python -m helpers.drawings` draws folders of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from helpers.drawings.animals import CAT, DOG, Animal, choose_breed, choose_traits
from helpers.drawings.canvas import SIZE, Pose
from helpers.drawings.faces import Face, choose_pose
from helpers.drawings.others import OTHERS
from helpers.drawings.scenes import (
    BACKDROPS,
    OCCLUDER_CHANCES,
    OCCLUDERS,
    draw_backdrop,
    draw_occluder,
    photograph,
)

ANIMALS: dict[str, Animal] = {animal.name: animal for animal in (CAT, DOG, *OTHERS)}


@dataclass(frozen=True, eq=False)
class Drawing:
    """One picture and the truth about it.

    Attributes:
        picture: uint8 `(96, 96, 3)`, red, green, blue.
        outline: bool `(96, 96)`, where the animal can be seen.
        animal, breed: names in the table of animals.
        backdrop: one of `BACKDROPS`.
        occluder: one of `OCCLUDERS`: what stands before the animal.
        pose: how the head is turned and where it is.
    """

    picture: np.ndarray
    outline: np.ndarray
    animal: str
    breed: str
    backdrop: str
    occluder: str
    pose: Pose


def draw(
    animal: str,
    seed: int | Sequence[int],
    *,
    backdrops: Sequence[str] = BACKDROPS,
    occluders: Sequence[str] | None = None,
) -> Drawing:
    """Draw one animal.

    The same arguments give the same picture to the bit on one platform. Other backdrops leave the
    animal as it is: only what is around it changes.

    Args:
        animal: a name of `ANIMALS`.
        seed: one whole number from 0, or several.
        backdrops: what is around it; one of these is chosen.
        occluders: what may stand before it; by default mostly nothing.

    Raises:
        ValueError: where a name is unknown.
    """
    row = _find(animal)
    _check("backdrops", backdrops, BACKDROPS)
    _check("occluders", occluders or OCCLUDERS, OCCLUDERS)
    # A stream of numbers for each, so that a change of one leaves the others alone.
    streams = np.random.SeedSequence(seed).spawn(5)
    traits_from, pose_from, scene_from, before_from, camera = map(np.random.default_rng, streams)
    breed = choose_breed(row, traits_from)
    traits = choose_traits(row, breed, traits_from)
    pose = choose_pose(pose_from, traits.size)
    backdrop = str(scene_from.choice(backdrops))
    canvas = draw_backdrop(backdrop, scene_from)
    Face(canvas, traits, pose, traits_from).draw()
    occluder = _choose_occluder(occluders, before_from)
    draw_occluder(canvas, occluder, before_from)
    picture, outline = photograph(canvas, camera)
    return Drawing(picture, outline, animal, breed.name, backdrop, occluder, pose)


def draw_many(
    animals: Sequence[str],
    each: int,
    seed: int,
    *,
    backdrops: Mapping[str, Sequence[str]] | None = None,
    processes: int | None = None,
) -> list[Drawing]:
    """Draw `each` pictures of each animal, in turns: first one of each, then another of each.

    Picture number n of an animal depends on `seed`, the animal and n alone, not on how many are
    drawn beside it.

    Args:
        animals: names of `ANIMALS`.
        each: how many pictures of each.
        seed: decides all of them.
        backdrops: for an animal, what may be around it, where that is not anything: this plants
            a cue. `{"cat": ["room"], "dog": ["meadow"]}` makes the backdrop tell the class.
        processes: how many draw at the same time; by default one a core.

    Raises:
        ValueError: where a name is unknown.
    """
    chosen = backdrops or {}
    jobs = [
        (animal, (seed, *animal.encode(), number), tuple(chosen.get(animal, BACKDROPS)))
        for number in range(each)
        for animal in animals
    ]
    # A few are drawn sooner than a second process has started.
    if processes == 1 or len(jobs) < 400:
        return [_draw_job(job) for job in jobs]
    # Not forked: TensorFlow's threads would not survive that.
    with ProcessPoolExecutor(processes or os.cpu_count(), get_context("spawn")) as pool:
        return list(pool.map(_draw_job, jobs, chunksize=64))


def _draw_job(job: tuple[str, tuple[int, ...], tuple[str, ...]]) -> Drawing:
    animal, seed, backdrops = job
    return draw(animal, seed, backdrops=backdrops)


def _find(animal: str) -> Animal:
    if animal not in ANIMALS:
        raise ValueError(f"Received: animal '{animal}'. Expected: one of {', '.join(ANIMALS)}.")
    return ANIMALS[animal]


def _check(what: str, received: Sequence[str], known: Sequence[str]) -> None:
    unknown = sorted(set(received) - set(known))
    if unknown or not received:
        raise ValueError(f"Received: {what} {unknown or 'none'}. Expected: some of {known}.")


def _choose_occluder(occluders: Sequence[str] | None, generator: np.random.Generator) -> str:
    if occluders is None:
        return str(generator.choice(OCCLUDERS, p=OCCLUDER_CHANCES))
    return str(generator.choice(occluders))


__all__ = ["ANIMALS", "BACKDROPS", "OCCLUDERS", "SIZE", "Drawing", "draw", "draw_many"]
