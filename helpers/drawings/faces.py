"""One routine draws every animal's face, from a row of traits (helpers/drawings/traits.py)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from helpers.drawings import extras, markings
from helpers.drawings.canvas import (
    Canvas,
    Colour,
    Pose,
    darker,
    ellipse,
    lighter,
    mix,
    smooth,
)

INK = (34.0, 28.0, 30.0)
PINK = (232.0, 142.0, 146.0)


class Face:
    """An animal's head on a canvas.

    Lengths are in head units: half the width of an average head. The middle of the head is
    (0, 0, 0), x goes to the picture's right, y down, z towards you; angles are in degrees.

    Attributes:
        canvas, pose: what it is drawn on, and how it is turned.
        traits: one number, word or colour for each trait of the row.
        generator: decides what the traits leave open.
    """

    def __init__(
        self,
        canvas: Canvas,
        traits: SimpleNamespace,
        pose: Pose,
        generator: np.random.Generator,
    ) -> None:
        self.canvas, self.traits, self.pose = canvas, traits, pose
        self.generator = generator
        self.coat, self.second, self.pale = traits.colours
        self.edge = darker(self.coat, 0.55)
        self.outline = self._head_outline()

    def draw(self) -> None:
        """Draw the whole animal, from the back to the front."""
        if self.traits.body:
            self._body()
        extras.draw(self, "behind")
        if not self.traits.ear_front:
            self._ears()
        self._head()
        self._muzzle()
        self._eyes()
        if self.traits.ear_front:
            self._ears()
        extras.draw(self, "before")
        if self.traits.whiskers:
            self._whiskers()

    def on_face(self, points: np.ndarray, lift: float = 0.0) -> np.ndarray:
        """Flat points `(n, 2)` put on the round of the face, `lift` above it, in pixels."""
        traits = self.traits
        x, y = np.asarray(points, dtype=float).T
        inside = 1 - (x / traits.head_width) ** 2 - (y / traits.head_height) ** 2
        z = 0.75 * np.sqrt(np.maximum(inside, 0.04)) + lift
        return self.pose.project(np.stack([x, y, z], axis=1))

    def at_depth(self, points: np.ndarray, depth: float) -> np.ndarray:
        """Flat points `(n, 2)` in a plane `depth` before the middle of the head, in pixels."""
        return self.pose.project(np.column_stack([points, np.full(len(points), depth)]))

    def _head_outline(self) -> np.ndarray:
        """The closed curve of the head in pixels."""
        traits = self.traits
        turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        x, y = np.cos(turn), np.sin(turn)
        below, above = np.maximum(y, 0), np.maximum(-y, 0)
        x = x * (1 - traits.jaw * below**2 - traits.crown * above**2)
        x = x * (1 + traits.cheek * np.exp(-(((y - 0.35) / 0.3) ** 2)))
        zigzag = np.abs((np.arange(72) % 6) - 3) / 3 - 0.5
        tuft = 1 + traits.tufts * zigzag * np.exp(-(((y - 0.4) / 0.35) ** 2))
        flat = np.stack([traits.head_width * x * tuft, traits.head_height * y * tuft], axis=1)
        return self.pose.place(flat)

    def _body(self) -> None:
        """Shoulders that reach out of the picture, sometimes with a pale chest."""
        width = self.traits.body_width
        half = [(0.45, 0.5), (0.62, 1.1), (0.85, 1.8), (0.95, 2.8), (0.9, 4.5)]
        right = [(width * x, y) for x, y in half]
        left = [(-x, y) for x, y in reversed(right)]
        lean = np.array([0.35 * np.sin(self.pose.yaw), 0.0])
        upright = Pose(0, 0, 0.3 * self.pose.roll, self.pose.scale, self.pose.x, self.pose.y)
        body = upright.place(smooth(right + left) - lean)
        self.canvas.fill_animal(body, darker(self.coat, 0.12), self.edge)
        if self.traits.chest:
            chest = ellipse((0, 2.2), 0.5 * width, 1.1) - lean
            with self.canvas.inside(body):
                self.canvas.fill(upright.place(chest), self.pale)
        markings.draw_on_body(self, body, upright)

    def _head(self) -> None:
        """The head, its markings, and a soft light on it."""
        self.canvas.fill_animal(self.outline, self.coat, self.edge)
        with self.canvas.inside(self.outline):
            for marking in self.traits.marking.split("+"):
                markings.draw(self, marking)
            glow = self.pose.place(ellipse((-0.3, -0.5), 0.55, 0.35, -0.4))
            self.canvas.fill(glow, (255, 255, 255), alpha=0.10)
            shade = self.pose.place(ellipse((0.1, 1.25), 1.1, 0.6))
            self.canvas.fill(shade, (0, 0, 0), alpha=0.10)
        closed = np.concatenate([self.outline, self.outline[:1]])
        self.canvas.line(closed, self.edge, 3)

    # Ears

    def _ears(self) -> None:
        """Both ears; each may stand a little differently."""
        if self.traits.ear_length < 0.05:
            return
        for side in (-1, 1):
            tilt = self.generator.normal(0, 5)
            Ear(self, side, tilt).draw()

    # Muzzle, nose and mouth

    def _muzzle(self) -> None:
        """A snout of slices from the face to its tip; then nose and mouth on the tip."""
        traits, canvas = self.traits, self.canvas
        colour = self.pale if self.traits.pale_muzzle else lighter(self.coat, 0.08)
        if "dark_muzzle" in traits.marking:
            colour = self.second
        slices = [part for share in np.linspace(0, 1, 6) for part in self._muzzle_slice(share)]
        for part in slices:
            canvas.fill_animal(part, colour, mix(colour, INK, 0.35))
        for part in slices:
            canvas.fill(part, colour)
        if traits.nose == "beak":
            extras.draw_beak(self)
            return
        self._mouth(colour)
        self._nose()

    def muzzle_middle(self, share: float) -> tuple[float, float]:
        """Height y and depth z of the muzzle's middle; share 0 at the face, 1 at its tip."""
        traits = self.traits
        return traits.muzzle_y + 0.25 * traits.muzzle_length * share, (
            0.62 + traits.muzzle_length * share
        )

    def _muzzle_slice(self, share: float) -> list[np.ndarray]:
        """Two cheeks and a chin, which lie on each other where muzzle_split is 0."""
        traits = self.traits
        y, depth = self.muzzle_middle(share)
        narrow = 1 - traits.muzzle_taper * share
        width, height = traits.muzzle_width * narrow, traits.muzzle_height * narrow
        apart = traits.muzzle_split * width
        shapes = [ellipse((side * apart, y), width - apart, height) for side in (-1, 1)]
        shapes.append(ellipse((0, y + 0.55 * height), 0.62 * width, 0.62 * height))
        return [self.at_depth(shape, depth) for shape in shapes]

    def _nose(self) -> None:
        """The nose on the upper edge of the muzzle's tip, if there is one."""
        traits = self.traits
        if traits.nose == "none":
            return
        y, depth = self.muzzle_middle(1.0)
        y -= traits.nose_rise * traits.muzzle_height
        width, height = traits.nose_width, traits.nose_height
        shapes = {
            "triangle": smooth([(-width, y - height), (width, y - height), (0, y + height)], 5),
            "oval": ellipse((0, y), width, height),
            "broad": smooth(
                [
                    (-width, y - 0.5 * height),
                    (0, y - height),
                    (width, y - 0.5 * height),
                    (0.55 * width, y + 0.7 * height),
                    (0, y + height),
                    (-0.55 * width, y + 0.7 * height),
                ],
                5,
            ),
        }
        shapes["snout"] = shapes["oval"]
        colour = traits.nose_colour
        self.canvas.fill(
            self.at_depth(shapes[traits.nose], depth + 0.04), colour, edge=darker(colour, 0.4)
        )
        if traits.nose == "snout":
            for side in (-1, 1):
                hole = ellipse((side * 0.42 * width, y), 0.16 * width, 0.36 * height)
                self.canvas.fill(self.at_depth(hole, depth + 0.05), darker(colour, 0.55))
        else:
            shine = ellipse((-0.3 * width, y - 0.45 * height), 0.28 * width, 0.18 * height)
            self.canvas.fill(self.at_depth(shine, depth + 0.05), lighter(colour, 0.75), alpha=0.75)

    def _mouth(self, colour: Colour) -> None:
        """A line down from the nose and two arcs; sometimes a tongue."""
        traits = self.traits
        y, depth = self.muzzle_middle(1.0)
        bottom = y + 0.30 * traits.muzzle_height
        half = traits.mouth_width * traits.muzzle_width
        ink = mix(colour, INK, 0.8)
        if self.traits.tongue:
            reach = traits.muzzle_height * self.generator.uniform(0.35, 0.6)
            tongue = ellipse((0.15 * half, bottom + 0.75 * reach), 0.42 * half, reach)
            self.canvas.fill(self.at_depth(tongue, depth), PINK, edge=darker(PINK, 0.3))
        top = y - (traits.nose_rise - 0.1) * traits.muzzle_height
        self.canvas.line(self.at_depth(np.array([[0, top], [0, bottom]]), depth), ink, 3)
        smile = traits.smile * traits.muzzle_height
        for side in (-1, 1):
            arc = smooth(
                [(0, bottom), (side * 0.5 * half, bottom + smile), (side * half, bottom)],
                closed=False,
            )
            self.canvas.line(self.at_depth(arc, depth - 0.02), ink, 3)

    def _whiskers(self) -> None:
        """Three fine hairs on each side."""
        traits = self.traits
        y, depth = self.muzzle_middle(0.8)
        pale = (244, 244, 240) if np.mean(self.coat) < 190 else (120, 112, 108)
        for side in (-1, 1):
            for lift in (-0.16, 0.0, 0.16):
                droop = lift + self.generator.normal(0, 0.04)
                start = (side * 0.6 * traits.muzzle_width, y + 0.4 * lift)
                middle = (side * (traits.muzzle_width + 0.3), y + 0.9 * droop)
                end = (side * (traits.muzzle_width + 0.62), y + 2.0 * droop + 0.06)
                hair = smooth([start, middle, end], closed=False)
                self.canvas.line(self.at_depth(hair, depth), pale, 2, alpha=0.9)

    # Eyes

    def _eyes(self) -> None:
        """Both eyes; both look the same way."""
        gaze = self.generator.normal(0, 0.12, size=2)
        asleep = self.generator.random() < 0.03
        for side in (-1, 1):
            if asleep:
                self._closed_eye(side)
            else:
                self._eye(side, gaze)

    def _closed_eye(self, side: int) -> None:
        traits = self.traits
        size = traits.eye_size
        lid = [(-size, 0), (0, 0.5 * size), (size, 0)]
        middle = np.array([side * traits.eye_spacing, traits.eye_y])
        self.canvas.line(self.on_face(smooth(lid, closed=False) + middle, 0.02), INK, 4)

    def _eye(self, side: int, gaze: np.ndarray) -> None:
        """Rim, white, iris, pupil and a glint."""
        traits = self.traits
        size = traits.eye_size
        middle = np.array([side * traits.eye_spacing, traits.eye_y])
        almond = ellipse((0, 0), size, size * traits.eye_open)
        almond[:, 1] *= 1 - traits.eye_almond * np.abs(almond[:, 0] / size)
        tilt = np.radians(side * traits.eye_tilt)
        turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
        rim = self.on_face(almond @ turn + middle, 0.02)
        ground = {"white": (246, 244, 238), "iris": traits.iris, "bead": INK}[traits.eye]
        self.canvas.fill(rim, ground, edge=mix(self.edge, INK, 0.6))
        with self.canvas.inside(rim):
            look = middle + size * gaze
            if traits.eye == "white":
                self._disc(look, 0.72 * size, 0.72 * size, traits.iris)
            if traits.eye != "bead":
                widths = {"slit": (0.26, 0.92), "round": (0.5, 0.5), "wide": (0.74, 0.8)}
                widths |= {"bar": (0.62, 0.24), "small": (0.3, 0.3)}
                wide, high = widths[traits.pupil]
                self._disc(look, wide * size, high * size, INK)
            if traits.eye_lid > 0:
                lid = np.array([[-2, -2], [2, -2], [2, 0], [-2, 0]]) * size
                lid[2:, 1] = size * traits.eye_open * (2 * traits.eye_lid - 1)
                self.canvas.fill(self.on_face(lid @ turn + middle, 0.03), darker(self.coat, 0.2))
        glint = middle + size * np.array([-0.28, -0.32 * traits.eye_open])
        self._disc(glint, 0.2 * size, 0.2 * size, (255, 255, 255))

    def _disc(self, middle: np.ndarray, width: float, height: float, colour: Colour) -> None:
        self.canvas.fill(self.on_face(ellipse(middle, width, height, corners=16), 0.03), colour)


class Ear:
    """One ear: a spine that turns on its way from the head, and a width along it."""

    def __init__(self, face: Face, side: int, tilt: float) -> None:
        self.face, self.side, traits = face, side, face.traits
        self.shares = np.linspace(0, 1, 13)
        place = np.radians(traits.ear_angle)
        # A little inside the head's outline, so that no gap shows.
        root = 0.86 * np.array(
            [traits.head_width * np.sin(place), -traits.head_height * np.cos(place)]
        )
        turns = np.radians(traits.ear_direction + tilt + traits.ear_turn * self.shares)
        steps = np.stack([np.sin(turns), -np.cos(turns)], axis=1) * traits.ear_length / 12
        self.spine = root + np.concatenate([[[0, 0]], np.cumsum(steps[:-1], axis=0)])
        self.normals = np.stack([np.cos(turns), np.sin(turns)], axis=1)

    def draw(self) -> None:
        """The ear, its inside, and its tip where that is folded forward."""
        face, traits = self.face, self.face.traits
        canvas = face.canvas
        colour = face.second if traits.ear_dark else face.coat
        last = 1 - traits.ear_fold
        canvas.fill_animal(self._in_pixels(self._between(0, last, 1.0)), colour, face.edge)
        if traits.ear_inside > 0:
            inner = self._between(0.12, min(0.86, last), traits.ear_inside)
            canvas.fill(self._in_pixels(inner), traits.inside_colour)
        if traits.ear_fold > 0:
            flap = self._between(last, 1, 1.0)
            folded = self._folded(flap, last)
            canvas.fill_animal(self._in_pixels(folded), darker(colour, 0.18), face.edge)

    def _between(self, first: float, last: float, width: float) -> np.ndarray:
        """The closed curve of the ear from one share of its length to another."""
        traits, shares = self.face.traits, np.linspace(first, last, 13)
        pointed, round_ = 1 - shares, np.sqrt(np.maximum(1 - shares**2.4, 0))
        profile = traits.ear_sharp * pointed + (1 - traits.ear_sharp) * round_
        profile = profile * (1 + traits.ear_flare * np.sin(np.pi * shares))
        half = 0.5 * traits.ear_width * width * profile[:, None]
        spine = self._along(self.spine, shares)
        normals = self._along(self.normals, shares)
        return np.concatenate([spine + half * normals, (spine - half * normals)[::-1]])

    def _along(self, values: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Values `(13, 2)` of the spine at other shares of its length."""
        columns = [np.interp(shares, self.shares, column) for column in values.T]
        return np.stack(columns, axis=1)

    def _folded(self, flap: np.ndarray, share: float) -> np.ndarray:
        """The flap mirrored at the fold, where it hangs forward and down."""
        fold = self._along(self.spine, np.array([share]))[0]
        normal = self._along(self.normals, np.array([share]))[0]
        along = np.array([normal[1], -normal[0]])
        beyond = (flap - fold) @ along
        return flap - 1.75 * beyond[:, None] * along

    def _in_pixels(self, points: np.ndarray) -> np.ndarray:
        depth = self.face.traits.ear_depth
        mirrored = points * np.array([self.side, 1])
        return self.face.pose.project(np.column_stack([mirrored, np.full(len(points), depth)]))


def choose_pose(generator: np.random.Generator, size: float) -> Pose:
    """A head that looks more or less at you, somewhere around the middle.

    Args:
        generator: decides.
        size: of the head as a share of the usual; small where ears or horns need room.
    """
    scale = generator.uniform(0.21, 0.32) * size
    room = max(0.0, 0.5 - 1.15 * scale)
    return Pose(
        yaw=generator.uniform(-0.55, 0.55),
        pitch=generator.uniform(-0.18, 0.22),
        roll=generator.normal(0, 0.16),
        scale=scale,
        x=0.5 + room * generator.uniform(-0.8, 0.8),
        y=0.52 + room * generator.uniform(-0.6, 0.6),
    )
