"""What only some animals have: horns, a trunk, a mane, a beak."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from helpers.drawings.canvas import darker, ellipse, lighter, smooth

if TYPE_CHECKING:
    from helpers.drawings.faces import Face

HORN = (226.0, 214.0, 186.0)


def draw(face: Face, where: str) -> None:
    """Draw the face's extras that belong `"behind"` or `"before"` the head."""
    for name in face.traits.extras:
        place, pen = EXTRAS[name]
        if place == where:
            pen(face)


def _horns(face: Face) -> None:
    """Two short curved horns, as a cow's."""
    for side in (-1, 1):
        horn = [(0.45, -0.75), (0.95, -1.0), (1.0, -1.45), (0.78, -1.12), (0.3, -0.95)]
        points = np.array([(side * x, y) for x, y in horn])
        face.canvas.fill_animal(face.at_depth(smooth(points), 0), HORN, darker(HORN, 0.4))


def _long_horns(face: Face) -> None:
    """Two long horns, swept back, as a goat's or an antelope's."""
    for side in (-1, 1):
        horn = [(0.2, -0.8), (0.3, -1.4), (0.62, -1.95), (0.52, -1.35), (0.48, -0.8)]
        points = np.array([(side * x, y) for x, y in horn])
        face.canvas.fill_animal(face.at_depth(smooth(points), 0), darker(HORN, 0.35), (60, 50, 40))


def _curled_horns(face: Face) -> None:
    """Two curled horns at the sides, as a ram's."""
    for side in (-1, 1):
        for size in (0.42, 0.28, 0.14):
            curl = ellipse((side * 0.95, -0.25), size, size)
            face.canvas.fill_animal(face.at_depth(curl, 0.1), HORN, darker(HORN, 0.45))


def _antlers(face: Face) -> None:
    """Two branched antlers, as a deer's."""
    for side in (-1, 1):
        beam = [(0.25, -0.85), (0.5, -1.4), (0.85, -1.75)]
        for branch in (beam, [(0.42, -1.2), (0.3, -1.6)], [(0.6, -1.5), (0.6, -1.9)]):
            points = np.array([(side * x, y) for x, y in branch])
            face.canvas.line_animal(face.at_depth(points, 0), (146, 110, 74), 10)


def _palms(face: Face) -> None:
    """Two broad antlers, as a moose's."""
    for side in (-1, 1):
        palm = [(0.4, -0.8), (0.9, -0.9), (1.4, -1.6), (1.15, -1.35), (1.05, -1.75)]
        palm += [(0.85, -1.35), (0.65, -1.6), (0.7, -1.15)]
        points = np.array([(side * x, y) for x, y in palm])
        face.canvas.fill_animal(face.at_depth(points, 0), (170, 132, 88), (96, 72, 46))


def _ossicones(face: Face) -> None:
    """Two knobs on stalks, as a giraffe's."""
    for side in (-1, 1):
        stalk = np.array([(side * 0.22, -0.8), (side * 0.3, -1.3)])
        face.canvas.line_animal(face.at_depth(stalk, 0), face.coat, 14)
        knob = ellipse((side * 0.31, -1.36), 0.12, 0.12)
        face.canvas.fill_animal(face.at_depth(knob, 0), face.second, face.edge)


def _trunk(face: Face) -> None:
    """A long trunk that swings to one side, with rings."""
    swing = face.generator.uniform(-0.5, 0.5)
    for share in np.linspace(0, 1, 18):
        middle = (swing * share**2, 0.15 + 1.25 * share)
        slice_ = face.at_depth(ellipse(middle, 0.3 - 0.14 * share, 0.16), 0.75)
        face.canvas.fill_animal(slice_, face.coat, face.edge if share in (0, 1) else None)
        if int(18 * share) % 4 == 2:
            face.canvas.line(slice_[2:12], darker(face.coat, 0.3), 2)


def _tusks(face: Face) -> None:
    """Two tusks beside the mouth."""
    y, depth = face.muzzle_middle(0.8)
    low = y + 0.4 * face.traits.muzzle_height
    for side in (-1, 1):
        x = side * 0.6 * face.traits.muzzle_width
        tusk = np.array([(x - 0.09, low), (x + 0.09, low), (x + side * 0.12, low + 0.62)])
        face.canvas.fill_animal(face.at_depth(tusk, depth), (250, 246, 232), (150, 140, 120))


def _nose_horn(face: Face) -> None:
    """A horn on the nose, as a rhinoceros's."""
    y, depth = face.muzzle_middle(0.8)
    horn = np.array([(-0.2, y - 0.05), (0.2, y - 0.05), (0.05, y - 0.95)])
    face.canvas.fill_animal(face.at_depth(horn, depth), HORN, darker(HORN, 0.45))


def _teeth(face: Face) -> None:
    """Two front teeth."""
    y, depth = face.muzzle_middle(1.0)
    top = y + 0.32 * face.traits.muzzle_height
    for left, right in ((-0.11, -0.005), (0.005, 0.11)):
        box = np.array([(left, top), (right, top), (right, top + 0.2), (left, top + 0.2)])
        face.canvas.fill(face.at_depth(box, depth), (252, 250, 240), edge=(120, 104, 92))


def _goatee(face: Face) -> None:
    """A beard under the chin."""
    y, depth = face.muzzle_middle(0.9)
    low = y + 0.9 * face.traits.muzzle_height
    beard = np.array([(-0.22, low - 0.15), (0.22, low - 0.15), (0.02, low + 0.6)])
    face.canvas.fill_animal(face.at_depth(beard, depth), face.pale, face.edge)


def _wool(face: Face) -> None:
    """A crown of curls."""
    for x in np.linspace(-0.55, 0.55, 5):
        curl = ellipse((x, -0.82 - 0.22 * np.cos(1.6 * x)), 0.27, 0.25)
        face.canvas.fill_animal(face.at_depth(curl, 0.25), face.pale, darker(face.pale, 0.25))


def _mane(face: Face) -> None:
    """A strand of hair that falls on the forehead."""
    lean = face.generator.uniform(-0.25, 0.25)
    strand = np.array([(-0.3, -1.15), (0.3, -1.15), (0.2, -0.6), (lean, -0.3), (-0.2, -0.6)])
    face.canvas.fill_animal(face.at_depth(strand, 0.5), face.second, darker(face.second, 0.4))


def _spines(face: Face) -> None:
    """Spines around the head, as a hedgehog's."""
    turns = np.linspace(np.pi * 0.85, np.pi * 2.15, 46)
    reach = np.where(np.arange(46) % 2, 1.12, 1.55)[:, None]
    fan = reach * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    face.canvas.fill_animal(face.pose.place(fan), face.second, darker(face.second, 0.35))


def _crest(face: Face) -> None:
    """A few feathers on the head."""
    for lean in (-0.35, 0.0, 0.35):
        feather = ellipse((0.6 * lean, -1.15), 0.13, 0.42, lean)
        face.canvas.fill_animal(face.at_depth(feather, 0), face.second, darker(face.second, 0.3))


def _comb(face: Face) -> None:
    """A red comb, as a cock's."""
    for x in (-0.22, 0.0, 0.22):
        tooth = ellipse((x, -1.05), 0.17, 0.26)
        face.canvas.fill_animal(face.at_depth(tooth, 0), (206, 52, 48), (140, 30, 30))


def _wattle(face: Face) -> None:
    """Red lobes under the beak."""
    for side in (-1, 1):
        lobe = ellipse((side * 0.13, face.traits.muzzle_y + 0.55), 0.13, 0.24)
        face.canvas.fill_animal(face.at_depth(lobe, 0.7), (206, 52, 48), (140, 30, 30))


def _ear_tufts(face: Face) -> None:
    """A brush of hair on each ear's tip, as a squirrel's."""
    for side in (-1, 1):
        brush = np.array([(0.5, -1.0), (0.78, -1.75), (0.82, -1.0)]) * np.array([side, 1])
        face.canvas.fill_animal(face.at_depth(brush, -0.05), face.second, None)


def _scales(face: Face) -> None:
    """Rows of small arcs on the forehead, as a turtle's."""
    for y in (-0.75, -0.5):
        for x in (-0.4, -0.13, 0.13, 0.4):
            scale = ellipse((x, y), 0.12, 0.1, corners=6)
            face.canvas.fill(face.on_face(scale), face.second)


def draw_beak(face: Face) -> None:
    """A beak: the upper half over the lower, instead of nose and mouth."""
    traits = face.traits
    y, _ = face.muzzle_middle(1.0)
    colour, reach = traits.nose_colour, traits.nose_height
    for way, depth in ((1, 0.55), (-1, 0.6)):
        rows = [(-traits.nose_width, y), (0, y - 0.5 * reach * (way < 0)), (traits.nose_width, y)]
        edge = [(x, yy, depth) for x, yy in rows]
        tip = (0, y + reach * (0.45 + 0.35 * (way > 0)), depth + traits.muzzle_length + 0.25)
        shade = colour if way < 0 else darker(colour, 0.25)
        points = face.pose.project(np.array([*edge, tip]))
        face.canvas.fill_animal(points, shade, darker(colour, 0.5))
    for side in (-1, 1):
        hole = ellipse((side * 0.3 * traits.nose_width, y + 0.02), 0.035, 0.03, corners=8)
        face.canvas.fill(face.at_depth(hole, 0.8), darker(lighter(colour, 0.1), 0.6))


EXTRAS: dict[str, tuple[str, Callable[[Face], None]]] = {
    "horns": ("behind", _horns),
    "long_horns": ("behind", _long_horns),
    "curled_horns": ("before", _curled_horns),
    "antlers": ("behind", _antlers),
    "palms": ("behind", _palms),
    "ossicones": ("behind", _ossicones),
    "trunk": ("before", _trunk),
    "tusks": ("before", _tusks),
    "nose_horn": ("before", _nose_horn),
    "teeth": ("before", _teeth),
    "goatee": ("before", _goatee),
    "wool": ("before", _wool),
    "mane": ("before", _mane),
    "spines": ("behind", _spines),
    "crest": ("behind", _crest),
    "comb": ("behind", _comb),
    "wattle": ("before", _wattle),
    "ear_tufts": ("behind", _ear_tufts),
    "scales": ("before", _scales),
}
