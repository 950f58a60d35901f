"""Drawn animals: pictures of 96 x 96 pixels, and the truth about each of them.

`draw("cat", seed=7)` draws one; `python -m helpers.drawings` draws folders of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from helpers.drawings.canvas import SIZE, Pose
from helpers.drawings.faces import Face, choose_pose
from helpers.drawings.scenes import (
    BACKDROPS,
    OCCLUDER_CHANCES,
    OCCLUDERS,
    draw_backdrop,
    draw_occluder,
    photograph,
)
from helpers.drawings.species import ANIMALS as ANIMALS
from helpers.drawings.traits import Animal, choose_breed, choose_traits, describe


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
        traits: what the animal looks like, in numbers (`helpers.drawings.traits.describe`).
    """

    picture: np.ndarray
    outline: np.ndarray
    animal: str
    breed: str
    backdrop: str
    occluder: str
    pose: Pose
    traits: dict[str, float]


def draw(
    animal: str,
    seed: int | Sequence[int],
    *,
    backdrops: Sequence[str] = BACKDROPS,
    occluders: Sequence[str] | None = None,
    breeds: Sequence[str] | None = None,
) -> Drawing:
    """Draw one animal.

    The same arguments give the same picture to the bit on one platform. Other backdrops leave the
    animal as it is: only what is around it changes.

    Args:
        animal: a name of `ANIMALS`.
        seed: one whole number from 0, or several.
        backdrops: what is around it; one of these is chosen.
        occluders: what may stand before it; by default mostly nothing.
        breeds: one of these is drawn; by default any.

    Raises:
        ValueError: where a name is unknown, or a seed is below 0.
    """
    row = _find(animal)
    if breeds is not None:
        _check("breeds", breeds, tuple(breed.name for breed in row.breeds))
        row = replace(row, breeds=tuple(breed for breed in row.breeds if breed.name in breeds))
    _check("backdrops", backdrops, BACKDROPS)
    if occluders is not None:
        _check("occluders", occluders, OCCLUDERS)
    _check_seed(seed)
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
    return Drawing(picture, outline, animal, breed.name, backdrop, occluder, pose, describe(traits))


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
        processes: how many draw at the same time; by default one a core from 400 pictures on. Then
            a script that calls this needs `if __name__ == "__main__":`.

    Raises:
        ValueError: where a name is unknown or stands twice, a backdrop is for an animal that is
            not drawn, or a number is below 0.
    """
    chosen = backdrops or {}
    _check_order(animals, each, seed, chosen)
    jobs = [
        (animal, (seed, *animal.encode(), number), tuple(chosen.get(animal, BACKDROPS)))
        for number in range(each)
        for animal in animals
    ]
    # A few are drawn sooner than a second process has started.
    if processes == 1 or (processes is None and len(jobs) < 400):
        return [_draw_job(job) for job in jobs]
    # Not forked: TensorFlow's threads would not survive that.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return list(pool.map(_draw_job, jobs, chunksize=64))


def _draw_job(job: tuple[str, tuple[int, ...], tuple[str, ...]]) -> Drawing:
    animal, seed, backdrops = job
    return draw(animal, seed, backdrops=backdrops)


def _check_order(
    animals: Sequence[str], each: int, seed: int, backdrops: Mapping[str, Sequence[str]]
) -> None:
    """Find out before anything is drawn whether the order of `draw_many` makes sense."""
    for animal in animals:
        _find(animal)
    twice = sorted({animal for animal in animals if list(animals).count(animal) > 1})
    if twice or each < 0:
        raise ValueError(
            f"Received: {', '.join(twice) or 'animals'} {'twice' if twice else f'{each} times'}. "
            f"Expected: each animal once, and 0 pictures of each or more."
        )
    strangers = sorted(set(backdrops) - set(animals))
    if strangers:
        raise ValueError(
            f"Received: backdrops for {', '.join(strangers)}. Expected: only for the animals that "
            f"are drawn, {', '.join(animals)}."
        )
    for some in backdrops.values():
        _check("backdrops", some, BACKDROPS)
    _check_seed(seed)


def _check_seed(seed: int | Sequence[int]) -> None:
    if np.min(seed) < 0:
        raise ValueError(f"Received: seed {seed}. Expected: whole numbers from 0.")


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
