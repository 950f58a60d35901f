"""What an animal's row may say: its traits, their words and colours, and how they are drawn by lot.

A trait is a range, from which a number is drawn evenly; a number; or words, one of which is drawn
(a word that stands twice is drawn twice as often). Those in `CHANCES` are how often something is
there. `FACE` says what holds where a row is silent. The rows stand in `species`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from helpers.drawings.canvas import Colour

# A range, a number, a word, or words to choose from.
Trait = tuple[float, float] | float | str | tuple[str, ...]

# Lengths in head units and angles in degrees: helpers/drawings/faces.py.
FACE: dict[str, Trait] = {
    "size": 1.0,
    "head_width": (0.95, 1.08),
    "head_height": (0.88, 1.0),
    "jaw": (0.05, 0.25),  # how much narrower the chin is
    "crown": (0.0, 0.1),  # how much narrower the forehead is
    "cheek": (0.0, 0.08),  # how much wider the cheeks are
    "tufts": 0.0,  # how ragged the cheeks are
    "ear_angle": (38, 50),  # where on the head: 0 on top, 90 at the side
    "ear_length": (0.5, 0.6),
    "ear_width": (0.5, 0.6),
    "ear_direction": (20, 40),  # which way its root points: 0 up, 90 outwards, 180 down
    "ear_turn": 0,  # how far it has turned at its tip
    "ear_sharp": 0.0,  # 0 round, 1 pointed
    "ear_flare": 0.0,  # how much wider it is in its middle
    "ear_fold": 0.0,  # how much of its length is folded forward
    "ear_depth": (-0.1, 0.0),
    "ear_front": 0.0,  # 1: it hangs before the head
    "ear_inside": (0.5, 0.6),  # width of its inside, as a share
    "ear_dark": 0.0,  # 1: it has the second colour
    "muzzle_width": (0.36, 0.44),
    "muzzle_height": (0.28, 0.34),
    "muzzle_y": (0.34, 0.42),
    "muzzle_length": (0.15, 0.3),
    "muzzle_taper": (0.1, 0.2),
    "muzzle_split": (0.2, 0.35),
    "pale_muzzle": 0.5,
    "nose": "oval",
    "nose_width": (0.14, 0.18),
    "nose_height": (0.10, 0.13),
    "nose_rise": (0.45, 0.6),
    "nose_colours": ("black", "black", "brown"),
    "mouth_width": (0.5, 0.7),
    "smile": (0.2, 0.4),
    "tongue": 0.08,
    "whiskers": 0.1,
    "eye": ("white", "iris", "bead"),
    "eye_size": (0.15, 0.2),
    "eye_open": (0.9, 1.05),
    "eye_almond": (0.0, 0.15),
    "eye_tilt": (-8, 8),
    "eye_lid": 0.0,
    "eye_spacing": (0.38, 0.46),
    "eye_y": (-0.2, -0.1),
    "irises": ("brown", "amber", "hazel"),
    "pupil": "round",
    "body": 0.8,
    "body_width": (0.9, 1.15),
    "chest": 0.4,
}

# What the traits that are words can be.
WORDS = {
    "nose": ("triangle", "oval", "broad", "snout", "beak", "none"),
    "eye": ("white", "iris", "bead"),
    "pupil": ("slit", "round", "wide", "bar", "small"),
}
# Traits that are a chance from 0 to 1 of being there.
CHANCES = ("body", "chest", "pale_muzzle", "tongue", "whiskers")

# Coat, second colour (markings), pale colour (muzzle, chest).
COATS: dict[str, tuple[Colour, Colour, Colour]] = {
    "black": ((58, 54, 58), (34, 32, 36), (112, 106, 106)),
    "tuxedo": ((56, 54, 60), (34, 32, 36), (240, 236, 228)),
    "grey": ((136, 140, 150), (86, 90, 100), (206, 208, 212)),
    "blue": ((112, 122, 138), (76, 84, 98), (170, 178, 188)),
    "silver": ((190, 192, 196), (112, 114, 122), (236, 236, 236)),
    "white": ((240, 236, 228), (206, 178, 140), (250, 248, 244)),
    "pied": ((238, 232, 222), (74, 64, 60), (248, 244, 238)),
    "calico": ((240, 230, 214), (206, 122, 58), (250, 246, 240)),
    "tortie": ((84, 66, 58), (206, 120, 54), (196, 160, 124)),
    "cream": ((232, 208, 168), (188, 150, 104), (246, 234, 212)),
    "sable": ((214, 196, 166), (84, 66, 56), (240, 228, 206)),
    "ginger": ((224, 148, 78), (176, 98, 40), (246, 220, 184)),
    "red": ((188, 98, 52), (112, 58, 34), (240, 214, 182)),
    "gold": ((214, 168, 96), (158, 112, 56), (240, 216, 168)),
    "tan": ((190, 142, 94), (104, 74, 50), (228, 200, 160)),
    "brown": ((132, 92, 62), (78, 52, 36), (196, 162, 122)),
    "chocolate": ((98, 66, 50), (58, 40, 32), (158, 122, 96)),
    "rust_black": ((60, 54, 54), (34, 32, 34), (192, 126, 70)),
    "brindle": ((138, 108, 78), (66, 54, 44), (204, 182, 150)),
    "pink": ((240, 176, 172), (206, 130, 130), (248, 202, 196)),
    "yellow": ((246, 214, 96), (222, 172, 60), (252, 236, 170)),
    "green": ((112, 168, 84), (66, 114, 54), (196, 218, 148)),
    "moss": ((122, 134, 82), (78, 88, 54), (190, 192, 140)),
    "sand": ((212, 188, 146), (150, 120, 82), (238, 222, 190)),
    "slate": ((104, 112, 118), (70, 76, 82), (150, 158, 162)),
    "sky": ((92, 160, 206), (56, 108, 160), (216, 232, 240)),
    "scarlet": ((212, 66, 58), (60, 110, 170), (246, 214, 130)),
}
NOSES: dict[str, Colour] = {
    "black": (42, 36, 38),
    "brown": (98, 64, 54),
    "pink": (226, 138, 140),
    "brick": (176, 92, 82),
    "grey": (92, 88, 94),
    "orange": (238, 150, 54),
    "yellow": (240, 196, 74),
}
IRISES: dict[str, Colour] = {
    "green": (142, 186, 84),
    "yellow": (232, 196, 66),
    "amber": (214, 146, 52),
    "copper": (190, 104, 44),
    "brown": (104, 66, 42),
    "hazel": (146, 112, 62),
    "blue": (112, 174, 218),
    "red": (190, 52, 44),
}


@dataclass(frozen=True)
class Breed:
    """A kind within a species.

    Attributes:
        name: its name.
        traits: where it differs from its species.
        weight: how common it is beside the others.
        extras: names of helpers.drawings.extras.EXTRAS; None for those of the species.
    """

    name: str
    traits: Mapping[str, Trait] = field(default_factory=dict)
    weight: float = 1.0
    extras: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Animal:
    """A row of the table.

    Attributes:
        name: of the species; the name of a class.
        coats: names of COATS.
        markings: names of helpers.drawings.markings.MARKINGS, several joined by `+`.
        traits: where it differs from FACE.
        extras: names of helpers.drawings.extras.EXTRAS.
        breeds: one is drawn for each picture.
    """

    name: str
    coats: tuple[str, ...]
    markings: tuple[str, ...] = ("plain",)
    traits: Mapping[str, Trait] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    breeds: tuple[Breed, ...] = (Breed("common"),)


def choose_breed(animal: Animal, generator: np.random.Generator) -> Breed:
    """One breed of an animal, by weight."""
    weights = np.array([breed.weight for breed in animal.breeds])
    return animal.breeds[generator.choice(len(animal.breeds), p=weights / weights.sum())]


def choose_traits(animal: Animal, breed: Breed, generator: np.random.Generator) -> SimpleNamespace:
    """Draw a number, a word or a colour for each trait of one animal of that breed."""
    rows: dict[str, Trait] = {**FACE, "coats": animal.coats, "markings": animal.markings}
    rows |= {**animal.traits, **breed.traits}
    # In the order of their names, so that the order within a row changes no picture.
    chosen: dict[str, Any] = {name: _choose(rows[name], generator) for name in sorted(rows)}
    for name in CHANCES:
        chosen[name] = bool(generator.random() < chosen[name])
    coat = COATS[chosen.pop("coats")]
    shift = generator.normal(0, 12) + generator.normal(0, 3, size=3)
    chosen["colours"] = tuple(tuple(np.clip(np.add(colour, shift), 0, 255)) for colour in coat)
    chosen["marking"] = chosen.pop("markings")
    chosen["nose_colour"] = NOSES[chosen.pop("nose_colours")]
    chosen["iris"] = IRISES[chosen.pop("irises")]
    chosen["inside_colour"] = tuple(0.5 * np.add(colour_of_skin(generator), chosen["colours"][0]))
    chosen["extras"] = animal.extras if breed.extras is None else breed.extras
    return SimpleNamespace(**chosen)


def describe(traits: SimpleNamespace) -> dict[str, float]:
    """The traits of one animal as numbers: lengths, angles, colours (0 to 1), yes (1) or no (0)."""
    numbers: dict[str, float] = {}
    for name in FACE:
        value = getattr(traits, name, None)
        if isinstance(value, str):
            numbers |= {f"{name} {word}": float(word == value) for word in WORDS[name]}
        elif value is not None:
            numbers[name] = float(value)
    colours = {"coat": traits.colours[0], "nose": traits.nose_colour, "iris": traits.iris}
    for name, colour in colours.items():
        for part, value in zip(("red", "green", "blue"), colour, strict=True):
            numbers[f"{name} {part}"] = float(value) / 255
    return numbers


def colour_of_skin(generator: np.random.Generator) -> Colour:
    """Rosy to brown, as inside an ear."""
    return tuple(np.array([236, 160, 156]) - generator.uniform(0, 90))


def _choose(trait: Trait, generator: np.random.Generator) -> float | str:
    """A number from a range, a word from words, or what stands there."""
    if not isinstance(trait, tuple):
        return trait
    if isinstance(trait[0], str):
        return trait[generator.integers(len(trait))]
    return generator.uniform(*trait)
