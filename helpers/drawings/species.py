"""The table of species: a row of traits each, and the breeds that differ from it. Add yours here.

The first two are the cats and the dogs of the lessons. `OTHERS` are those that the base is
pretrained on: none is of the cats' family or of the dogs'. No lion, lynx or tiger and no wolf, fox
or tanuki is among them. Several look a little like a cat (genet, fossa) or a dog (thylacine,
hyena) and are neither.
"""

from __future__ import annotations

from helpers.drawings.traits import Animal, Breed, Trait

# Cats and dogs

_FOLDED: dict[str, Trait] = {
    "ear_fold": (0.42, 0.55),
    "ear_length": (0.6, 0.75),
    "ear_width": (0.55, 0.7),
}
_POINTED: dict[str, Trait] = {"ear_sharp": (0.75, 1.0), "ear_width": (0.6, 0.75)}

CAT = Animal(
    "cat",
    coats=(
        "black", "tuxedo", "grey", "blue", "silver", "white", "calico", "tortie", "cream",
        "ginger", "ginger", "tan", "brown", "sable", "pied", "brindle",
    ),
    markings=(
        "plain", "plain", "tabby", "tabby", "tabby+bib", "patch", "patches", "blaze", "bib",
        "patches+bib", "spots",
    ),
    traits={
        "head_width": (0.98, 1.12),
        "head_height": (0.80, 0.94),
        "jaw": (0.1, 0.3),
        "cheek": (0.02, 0.14),
        "tufts": (0.0, 0.08),
        "ear_angle": (32, 46),
        "ear_direction": (6, 30),
        "ear_turn": (-12, 8),
        **_POINTED,
        "ear_length": (0.58, 0.82),
        "muzzle_width": (0.28, 0.40),
        "muzzle_height": (0.19, 0.27),
        "muzzle_y": (0.34, 0.44),
        "muzzle_length": (0.05, 0.2),
        "muzzle_split": (0.34, 0.5),
        "pale_muzzle": 0.5,
        "nose": ("triangle", "triangle", "triangle", "oval"),
        "nose_width": (0.08, 0.12),
        "nose_height": (0.06, 0.09),
        "nose_rise": (0.5, 0.75),
        "nose_colours": ("pink", "pink", "brick", "black", "grey"),
        "mouth_width": (0.4, 0.65),
        "tongue": 0.06,
        "whiskers": 0.8,
        "eye": ("iris", "iris", "iris", "iris", "white"),
        "eye_size": (0.19, 0.27),
        "eye_open": (0.75, 1.0),
        "eye_almond": (0.1, 0.4),
        "eye_tilt": (0, 16),
        "eye_spacing": (0.40, 0.48),
        "eye_y": (-0.18, -0.04),
        "irises": ("green", "green", "yellow", "yellow", "amber", "copper", "blue"),
        "pupil": ("slit", "slit", "slit", "wide", "round"),
        "body_width": (0.8, 1.05),
    },
    breeds=(
        Breed("shorthair", weight=3),
        Breed("longhair", {"tufts": (0.16, 0.3), "cheek": (0.12, 0.25)}, weight=2),
        Breed("fold", {**_FOLDED, "ear_direction": (22, 42), "head_width": (1.02, 1.14)}, weight=1.5),
        Breed(
            "siamese",
            {
                "coats": ("sable", "sable", "cream"), "markings": "points", "ear_dark": 1.0,
                "irises": "blue", "head_width": (0.88, 0.98), "ear_length": (0.75, 0.95),
                "jaw": (0.3, 0.45),
            },
        ),
        Breed(
            "persian",
            {
                "muzzle_length": (0.0, 0.05), "muzzle_y": (0.22, 0.32), "head_width": (1.1, 1.2),
                "tufts": (0.1, 0.22), "ear_length": (0.4, 0.52), "ear_angle": (44, 54),
                "irises": ("copper", "amber"), "eye_almond": (0.0, 0.15),
            },
        ),
    ),
)  # fmt: skip

_HANGING: dict[str, Trait] = {
    "ear_angle": (52, 68), "ear_direction": (95, 125), "ear_turn": (50, 80), "ear_sharp": (0.0, 0.3),
    "ear_length": (0.85, 1.15), "ear_width": (0.42, 0.55), "ear_flare": (0.1, 0.4), "ear_front": 1.0,
    "ear_depth": (0.05, 0.2), "ear_inside": 0.0,
}  # fmt: skip
_ERECT: dict[str, Trait] = {
    **_POINTED, "ear_length": (0.62, 0.85), "ear_width": (0.48, 0.62), "ear_direction": (4, 26),
    "ear_angle": (30, 44),
}  # fmt: skip
DOG = Animal(
    "dog",
    coats=(
        "black", "tuxedo", "grey", "white", "pied", "calico", "cream", "sable", "ginger", "red",
        "gold", "tan", "tan", "brown", "chocolate", "rust_black", "brindle", "silver",
    ),
    markings=(
        "plain", "plain", "patch", "patch", "patches", "blaze", "bib", "cap", "cap+blaze", "spots",
        "brows",
    ),
    traits={
        "head_width": (0.84, 1.0),
        "head_height": (0.9, 1.04),
        "jaw": (0.05, 0.3),
        "muzzle_width": (0.34, 0.46),
        "muzzle_height": (0.30, 0.40),
        "muzzle_y": (0.36, 0.46),
        "muzzle_length": (0.30, 0.55),
        "muzzle_split": (0.1, 0.35),
        "pale_muzzle": 0.5,
        "nose": ("broad", "broad", "oval"),
        "nose_width": (0.16, 0.23),
        "nose_height": (0.11, 0.16),
        "nose_rise": (0.5, 0.7),
        "nose_colours": ("black", "black", "black", "black", "brown", "pink"),
        "mouth_width": (0.6, 0.85),
        "tongue": 0.3,
        "whiskers": 0.08,
        "eye": ("white", "bead", "bead", "iris", "iris"),
        "eye_size": (0.13, 0.19),
        "eye_open": (0.85, 1.05),
        "eye_almond": (0.0, 0.2),
        "eye_tilt": (-14, 4),
        "eye_spacing": (0.34, 0.43),
        "eye_y": (-0.24, -0.10),
        "irises": ("brown", "brown", "amber", "hazel", "blue"),
        "pupil": ("round", "round", "wide"),
        **_HANGING,
    },
    breeds=(
        Breed("retriever", weight=2),
        Breed(
            "spaniel",
            {
                "ear_length": (1.1, 1.45), "ear_width": (0.5, 0.65), "ear_flare": (0.4, 0.7),
                "ear_dark": 1.0,
            },
            weight=1.5,
        ),
        Breed(
            "shepherd",
            {**_ERECT, "ear_front": 0.0, "ear_turn": (-8, 8), "ear_flare": 0.0}
            | {"ear_inside": (0.45, 0.6), "ear_depth": (-0.1, 0.0), "tufts": (0.0, 0.15)}
            | {"markings": ("plain", "cap", "points", "bib", "mask"), "jaw": (0.2, 0.4)},
            weight=2,
        ),
        Breed(
            "terrier",
            {**_ERECT, **_FOLDED, "ear_front": 0.0, "ear_turn": (0, 20), "ear_flare": 0.0}
            | {"ear_inside": 0.0, "tufts": (0.05, 0.22), "ear_direction": (18, 42)}
            | {"ear_length": (0.95, 1.15), "ear_width": (0.6, 0.75), "muzzle_length": (0.4, 0.6)},
            weight=2,
        ),
        Breed(
            "pug",
            {
                "muzzle_length": (0.08, 0.18), "muzzle_width": (0.42, 0.5), "head_width": (0.98, 1.08),
                "coats": ("sable", "cream", "silver", "black", "brindle"),
                "markings": ("points+wrinkles", "dark_muzzle+wrinkles"), "eye": ("bead", "white"),
                "eye_size": (0.2, 0.25), "ear_length": (0.5, 0.65), "ear_sharp": (0.4, 0.8),
                "ear_turn": (30, 70), "ear_width": (0.45, 0.55), "eye_spacing": (0.44, 0.5),
            },
        ),
    ),
)  # fmt: skip

# The others

_ROUND_EARS: dict[str, Trait] = {
    "ear_angle": (40, 54), "ear_direction": (30, 50), "ear_length": (0.32, 0.45),
    "ear_width": (0.5, 0.62),
}  # fmt: skip
_POINTED_EARS: dict[str, Trait] = {
    "ear_sharp": (0.7, 1.0), "ear_length": (0.55, 0.8), "ear_width": (0.5, 0.68),
    "ear_angle": (32, 46), "ear_direction": (8, 32),
}  # fmt: skip
_LEAF_EARS: dict[str, Trait] = {
    "ear_sharp": (0.3, 0.6), "ear_flare": (0.2, 0.6), "ear_length": (0.65, 0.9),
    "ear_width": (0.32, 0.42), "ear_angle": (50, 64), "ear_direction": (60, 90),
}  # fmt: skip
_HANGING_EARS: dict[str, Trait] = {
    "ear_angle": (50, 66), "ear_direction": (95, 120), "ear_turn": (45, 75), "ear_front": 1.0,
    "ear_length": (0.8, 1.1), "ear_width": (0.38, 0.5), "ear_flare": (0.1, 0.4), "ear_inside": 0.0,
}  # fmt: skip
_LONG_SNOUT: dict[str, Trait] = {
    "muzzle_length": (0.4, 0.65), "muzzle_width": (0.32, 0.4), "muzzle_height": (0.26, 0.34),
    "muzzle_taper": (0.25, 0.4),
}  # fmt: skip
_SHORT_SNOUT: dict[str, Trait] = {
    "muzzle_length": (0.04, 0.15), "muzzle_width": (0.26, 0.36), "muzzle_height": (0.18, 0.26),
    "nose_width": (0.07, 0.11), "nose_height": (0.06, 0.09),
}  # fmt: skip
# Hoofed animals: a long head that ends in a large muzzle.
_LONG_HEAD: dict[str, Trait] = {
    "size": 0.86, "head_width": (0.72, 0.84), "head_height": (1.1, 1.25), "jaw": (0.2, 0.35),
    "muzzle_y": (0.68, 0.8), "muzzle_width": (0.42, 0.52), "muzzle_height": (0.32, 0.4),
    "muzzle_length": (0.3, 0.5), "nose": "snout", "nose_width": (0.28, 0.36),
    "nose_height": (0.13, 0.18), "eye_y": (-0.36, -0.24), "eye_spacing": (0.42, 0.52),
    "pupil": ("bar", "wide"), "eye": ("bead", "white"), "tongue": 0.05, "whiskers": 0.0,
}  # fmt: skip
_BIRD: dict[str, Trait] = {
    "ear_length": 0.0, "nose": "beak", "muzzle_width": 0.16, "muzzle_height": 0.1,
    "muzzle_length": (0.1, 0.2), "muzzle_y": (0.15, 0.25), "nose_width": (0.2, 0.26),
    "nose_height": (0.3, 0.4), "nose_colours": ("orange", "yellow", "grey"), "whiskers": 0.0,
    "head_width": (0.9, 1.0), "head_height": (0.9, 1.0), "eye_size": (0.15, 0.2),
    "eye": ("iris", "bead", "white"), "body_width": (0.9, 1.2),
}  # fmt: skip


def _with(*rows: dict[str, Trait], **own: Trait) -> dict[str, Trait]:
    """Several sets of traits in one; a later one wins."""
    together: dict[str, Trait] = {}
    for row in (*rows, own):
        together |= row
    return together


BEARS = (
    Animal(
        "brown bear", ("brown", "chocolate", "tan"), ("plain", "plain", "blaze"),
        _with(_ROUND_EARS, muzzle_length=(0.3, 0.5), eye="bead", eye_size=(0.1, 0.14),
              nose="broad", nose_width=(0.16, 0.22), pale_muzzle=0.9),
    ),
    Animal(
        "polar bear", ("white",), ("plain",),
        _with(_ROUND_EARS, ear_length=(0.24, 0.34), muzzle_length=(0.35, 0.55), eye="bead",
              eye_size=(0.09, 0.12), nose="broad", nose_width=(0.17, 0.22), jaw=(0.2, 0.35),
              pale_muzzle=1.0, nose_colours="black"),
    ),
    Animal(
        "panda", ("pied",), ("eye_patches",),
        _with(_ROUND_EARS, ear_dark=1.0, ear_inside=0.0, head_width=(1.05, 1.18),
              eye=("bead", "white"), eye_size=(0.1, 0.14), muzzle_length=(0.12, 0.25)),
    ),
    Animal(
        "koala", ("grey", "silver", "blue"), ("plain", "bib"),
        _with(_ROUND_EARS, ear_length=(0.6, 0.75), ear_width=(0.75, 0.95), ear_angle=(56, 70),
              ear_direction=(50, 75), muzzle_split=0.1, nose="oval", nose_width=(0.18, 0.23),
              nose_height=(0.26, 0.34), nose_colours=("black", "grey"), muzzle_y=(0.15, 0.25),
              muzzle_length=(0.05, 0.15), eye="bead", eye_size=(0.1, 0.15)),
    ),
    Animal(
        "wombat", ("brown", "tan", "grey"), ("plain",),
        _with(_ROUND_EARS, ear_length=(0.32, 0.42), ear_sharp=(0.4, 0.7), nose="broad",
              nose_width=(0.26, 0.34), nose_height=(0.16, 0.22), head_width=(1.08, 1.2),
              head_height=(0.82, 0.92), eye="bead", eye_size=(0.08, 0.12), muzzle_length=(0.1, 0.2)),
    ),
)  # fmt: skip

SMALL_HUNTERS = (
    Animal(
        "red panda", ("red", "ginger"), ("bib+brows", "heart", "rings+bib"),
        _with(_POINTED_EARS, ear_sharp=(0.3, 0.6), ear_inside=(0.6, 0.75), ear_width=(0.6, 0.75),
              tufts=(0.05, 0.2), eye="bead", eye_size=(0.12, 0.16), pale_muzzle=1.0),
    ),
    Animal(
        "raccoon", ("grey", "brindle", "brown"), ("mask", "mask+brows"),
        _with(_ROUND_EARS, ear_sharp=(0.2, 0.6), ear_length=(0.4, 0.52), tufts=(0.1, 0.25),
              muzzle_length=(0.25, 0.45), muzzle_taper=(0.3, 0.45), pale_muzzle=1.0,
              eye=("bead", "white"), eye_size=(0.12, 0.16), whiskers=0.4),
    ),
    Animal(
        "badger", ("white", "pied"), ("badger",),
        _with(_ROUND_EARS, _LONG_SNOUT, ear_length=(0.24, 0.34), ear_dark=1.0, jaw=(0.3, 0.45),
              eye="bead", eye_size=(0.07, 0.1), nose="broad"),
    ),
    Animal(
        "skunk", ("black", "tuxedo"), ("blaze", "cap+blaze"),
        _with(_ROUND_EARS, _SHORT_SNOUT, ear_length=(0.2, 0.3), jaw=(0.3, 0.5), eye="bead",
              muzzle_length=(0.2, 0.35), pale_muzzle=0.0, head_width=(0.85, 0.95)),
    ),
    Animal(
        "otter", ("brown", "chocolate", "tan"), ("bib", "plain"),
        _with(_ROUND_EARS, ear_length=(0.18, 0.26), ear_width=(0.28, 0.36), ear_angle=(62, 74),
              head_width=(1.05, 1.18), head_height=(0.8, 0.9), muzzle_width=(0.42, 0.52),
              muzzle_split=(0.4, 0.5), nose="broad", whiskers=0.8, pale_muzzle=1.0, eye="bead",
              eye_size=(0.1, 0.14), muzzle_length=(0.1, 0.25)),
    ),
    Animal(
        "ferret", ("cream", "sable", "white"), ("mask", "mask", "plain"),
        _with(_ROUND_EARS, _SHORT_SNOUT, ear_length=(0.26, 0.36), nose_colours="pink",
              head_width=(0.82, 0.95), jaw=(0.2, 0.4), eye="bead", whiskers=0.6,
              muzzle_length=(0.2, 0.35)),
    ),
    Animal(
        "meerkat", ("sand", "tan"), ("shadow_eyes", "eye_patches"),
        _with(_ROUND_EARS, _LONG_SNOUT, ear_length=(0.2, 0.3), ear_angle=(66, 80), ear_dark=1.0,
              head_width=(0.82, 0.92), muzzle_width=(0.24, 0.3), eye="iris", irises=("brown", "amber"),
              eye_size=(0.13, 0.17)),
    ),
    Animal(
        "hyena", ("sand", "tan", "brindle"), ("spots", "spots+dark_muzzle", "stripes+dark_muzzle"),
        _with(_ROUND_EARS, _LONG_SNOUT, ear_length=(0.6, 0.75), ear_width=(0.48, 0.58),
              ear_sharp=(0.1, 0.4), ear_angle=(34, 46), ear_direction=(15, 35), nose="broad",
              nose_width=(0.18, 0.24), nose_colours="black", eye=("bead", "iris")),
        extras=("mane",),
    ),
    Animal(
        "genet", ("sand", "silver", "cream"), ("spots+tabby", "spots+mask"),
        _with(_POINTED_EARS, _SHORT_SNOUT, ear_sharp=(0.3, 0.6), ear_length=(0.6, 0.85),
              head_width=(0.8, 0.92), jaw=(0.3, 0.5), muzzle_length=(0.25, 0.4), eye="iris",
              irises=("amber", "copper", "brown"), pupil=("slit", "wide"), whiskers=0.7,
              eye_size=(0.18, 0.24)),
    ),
    Animal(
        "fossa", ("red", "tan", "chocolate"), ("plain",),
        _with(_ROUND_EARS, ear_length=(0.42, 0.55), head_width=(0.84, 0.95), eye="iris",
              irises=("amber", "yellow", "copper"), pupil=("slit", "slit", "round"), whiskers=0.6,
              eye_size=(0.15, 0.2), muzzle_length=(0.3, 0.45), nose="broad", pale_muzzle=0.2),
    ),
    Animal(
        "thylacine", ("tan", "sand", "gold"), ("brows", "plain", "rings"),
        _with(_POINTED_EARS, _LONG_SNOUT, ear_sharp=(0.2, 0.5), ear_length=(0.55, 0.7), nose="broad",
              eye=("iris", "bead"), eye_size=(0.13, 0.17), nose_colours="black", tongue=0.2),
    ),
    Animal(
        "tasmanian devil", ("black",), ("plain",),
        _with(_ROUND_EARS, ear_length=(0.45, 0.55), ear_inside=(0.65, 0.8), nose="broad",
              head_width=(1.05, 1.18), head_height=(0.82, 0.92), pale_muzzle=0.0, whiskers=0.6,
              eye="bead", eye_size=(0.1, 0.13), muzzle_length=(0.25, 0.4), nose_colours=("black", "pink")),
        extras=("tusks",),
    ),
    Animal(
        "opossum", ("silver", "grey", "white"), ("points", "heart", "mask"),
        _with(_ROUND_EARS, _LONG_SNOUT, ear_length=(0.42, 0.55), ear_dark=1.0, muzzle_width=(0.24, 0.3),
              nose_colours="pink", jaw=(0.4, 0.55), eye="bead", whiskers=0.7, pale_muzzle=1.0),
    ),
)  # fmt: skip

RODENTS = (
    Animal(
        "mouse", ("grey", "tan", "white", "blue"), ("plain", "bib", "blush"),
        _with(_ROUND_EARS, _SHORT_SNOUT, ear_length=(0.75, 0.95), ear_width=(0.85, 1.05),
              ear_inside=(0.65, 0.8), nose_colours="pink", whiskers=0.9, eye="bead",
              muzzle_length=(0.2, 0.35), jaw=(0.3, 0.5), eye_size=(0.13, 0.18)),
    ),
    Animal(
        "rat", ("brown", "grey", "pied", "white"), ("plain", "cap", "patches"),
        _with(_ROUND_EARS, _LONG_SNOUT, ear_length=(0.42, 0.55), ear_width=(0.46, 0.58),
              muzzle_width=(0.28, 0.34), nose_colours="pink", whiskers=0.9, eye="bead",
              head_width=(0.78, 0.88), jaw=(0.3, 0.45), nose_width=(0.08, 0.11), eye_size=(0.1, 0.14)),
        extras=("teeth",),
    ),
    Animal(
        "hamster", ("gold", "ginger", "cream", "silver"), ("bib+blush", "bib", "patches"),
        _with(_ROUND_EARS, _SHORT_SNOUT, ear_length=(0.3, 0.4), ear_width=(0.4, 0.5),
              head_width=(1.08, 1.2), cheek=(0.1, 0.25), nose_colours="pink", eye="bead",
              eye_size=(0.13, 0.17), whiskers=0.5),
    ),
    Animal(
        "guinea pig", ("pied", "calico", "tortie", "brown", "ginger"), ("patches", "blaze", "plain"),
        _with(_SHORT_SNOUT, ear_angle=(58, 70), ear_direction=(80, 105), ear_turn=(20, 50),
              ear_length=(0.4, 0.52), ear_width=(0.36, 0.46), ear_front=1.0, ear_inside=0.3, eye="bead",
              head_width=(0.98, 1.1), tufts=(0.0, 0.3), muzzle_width=(0.34, 0.44), jaw=(0.0, 0.1)),
    ),
    Animal(
        "rabbit", ("white", "grey", "brown", "cream", "pied", "tan"), ("plain", "patch", "blaze", "bib"),
        _with(_SHORT_SNOUT, size=0.8, ear_angle=(14, 24), ear_direction=(-4, 14), ear_length=(1.2, 1.6),
              ear_width=(0.38, 0.5), ear_flare=(0.1, 0.4), nose_colours="pink", whiskers=0.6,
              eye=("bead", "iris"), eye_size=(0.15, 0.2), nose=("triangle", "oval")),
        extras=("teeth",),
        breeds=(Breed("upright"), Breed("lop", _HANGING_EARS | {"ear_length": (1.1, 1.5), "size": 0.95})),
    ),
    Animal(
        "hare", ("tan", "sand", "brindle"), ("plain", "rings"),
        _with(_SHORT_SNOUT, size=0.78, ear_angle=(12, 22), ear_direction=(6, 30), ear_length=(1.5, 1.9),
              ear_width=(0.3, 0.4), ear_sharp=(0.2, 0.5), ear_dark=1.0, head_width=(0.76, 0.86),
              eye="iris", irises=("amber", "yellow"), muzzle_length=(0.2, 0.35), whiskers=0.5),
    ),
    Animal(
        "squirrel", ("red", "grey", "ginger"), ("bib", "rings", "plain"),
        _with(_POINTED_EARS, _SHORT_SNOUT, ear_length=(0.4, 0.55), ear_sharp=(0.4, 0.8),
              ear_width=(0.36, 0.46), eye="bead", eye_size=(0.15, 0.2), head_width=(0.84, 0.95),
              whiskers=0.5, pale_muzzle=0.9),
        extras=("ear_tufts",),
    ),
    Animal(
        "chipmunk", ("tan", "ginger", "sand"), ("badger+rings", "shadow_eyes+brows"),
        _with(_ROUND_EARS, _SHORT_SNOUT, ear_length=(0.3, 0.4), ear_width=(0.36, 0.44), eye="bead",
              cheek=(0.15, 0.3), eye_size=(0.13, 0.17), pale_muzzle=1.0, whiskers=0.3),
    ),
    Animal(
        "beaver", ("brown", "chocolate"), ("plain",),
        _with(_ROUND_EARS, ear_length=(0.18, 0.26), ear_width=(0.26, 0.34), nose="broad",
              nose_width=(0.2, 0.26), muzzle_width=(0.42, 0.5), muzzle_split=(0.35, 0.45), eye="bead",
              eye_size=(0.09, 0.12), whiskers=0.4, muzzle_length=(0.15, 0.3)),
        extras=("teeth",),
    ),
    Animal(
        "capybara", ("tan", "brown", "gold"), ("plain",),
        _with(_ROUND_EARS, ear_length=(0.2, 0.28), ear_width=(0.26, 0.34), head_width=(0.8, 0.9),
              head_height=(1.0, 1.12), muzzle_width=(0.5, 0.6), muzzle_height=(0.42, 0.5),
              muzzle_split=(0.1, 0.2), muzzle_length=(0.3, 0.45), muzzle_taper=0.0, nose="snout",
              nose_width=(0.2, 0.26), nose_colours=("brown", "black"), eye="bead", eye_lid=(0.2, 0.5)),
    ),
    Animal(
        "hedgehog", ("sand", "cream", "tan"), ("plain", "rings", "mask"),
        _with(_ROUND_EARS, _LONG_SNOUT, size=0.82, ear_length=(0.2, 0.3), ear_angle=(50, 62),
              muzzle_width=(0.26, 0.32), eye="bead", eye_size=(0.1, 0.14), body=0.2),
        extras=("spines",),
    ),
    Animal(
        "mole", ("black", "slate", "blue"), ("plain",),
        _with(_LONG_SNOUT, ear_length=0.0, nose="oval", nose_colours="pink", nose_width=(0.12, 0.16),
              eye="bead", eye_size=(0.05, 0.07), eye_spacing=(0.26, 0.34), pale_muzzle=0.1, whiskers=0.5,
              jaw=(0.2, 0.4)),
    ),
    Animal(
        "bat", ("chocolate", "black", "tan", "grey"), ("plain", "heart", "bib"),
        _with(_POINTED_EARS, _SHORT_SNOUT, size=0.82, ear_length=(1.0, 1.35), ear_width=(0.75, 0.95),
              ear_flare=(0.1, 0.4), ear_inside=(0.65, 0.8), eye="bead", eye_size=(0.08, 0.12),
              nose=("oval", "broad"), nose_colours=("pink", "brown"), head_width=(0.82, 0.92),
              tufts=(0.0, 0.2)),
    ),
)  # fmt: skip

HOOFED = (
    Animal(
        "pig", ("pink", "pink", "pied", "slate"), ("plain", "patches", "patch"),
        _with(nose="snout", nose_width=(0.28, 0.36), nose_height=(0.2, 0.26), nose_colours="pink",
              nose_rise=0.0, muzzle_width=(0.32, 0.4), muzzle_split=0.0, ear_sharp=(0.6, 0.9),
              ear_length=(0.5, 0.7), ear_width=(0.5, 0.64), ear_turn=(20, 110), muzzle_y=(0.22, 0.32),
              eye=("bead", "white"), eye_size=(0.1, 0.14), pale_muzzle=0.3),
    ),
    Animal(
        "wild boar", ("chocolate", "brindle", "slate"), ("plain", "stripes"),
        _with(_LONG_SNOUT, nose="snout", nose_width=(0.24, 0.3), nose_height=(0.17, 0.22), nose_rise=0.0,
              nose_colours=("brick", "grey"), ear_sharp=(0.6, 0.9), ear_length=(0.5, 0.65),
              head_width=(0.84, 0.95), tufts=(0.1, 0.25), eye="bead", eye_size=(0.08, 0.11),
              muzzle_split=0.0, ear_width=(0.36, 0.46)),
        extras=("mane", "tusks"),
    ),
    Animal(
        "cow", ("pied", "tuxedo", "brown", "cream", "red"), ("patches", "patches", "blaze", "plain"),
        _with(_LONG_HEAD, _LEAF_EARS, nose_colours=("pink", "grey"), pale_muzzle=0.8),
        extras=("horns",),
        breeds=(Breed("horned"), Breed("hornless", extras=())),
    ),
    Animal(
        "sheep", ("cream", "white", "black", "pied"), ("plain",),
        _with(_LONG_HEAD, _LEAF_EARS, head_height=(0.98, 1.1), muzzle_y=(0.5, 0.6), nose="triangle",
              nose_width=(0.1, 0.14), nose_height=(0.07, 0.1), muzzle_width=(0.34, 0.42),
              nose_colours=("pink", "black"), eye="iris", irises=("amber", "yellow")),
        extras=("wool",),
    ),
    Animal(
        "ram", ("cream", "sand", "grey", "brown"), ("plain", "blaze"),
        _with(_LONG_HEAD, ear_length=(0.4, 0.5), ear_width=0.3, ear_angle=70, ear_direction=(80, 100),
              eye="iris", irises=("amber", "yellow"), nose="triangle", nose_width=(0.1, 0.14),
              nose_height=(0.07, 0.1)),
        extras=("curled_horns",),
    ),
    Animal(
        "goat", ("white", "brown", "pied", "grey", "black"), ("plain", "blaze", "patches", "badger"),
        _with(_LONG_HEAD, _LEAF_EARS, ear_direction=(85, 120), eye="iris",
              irises=("amber", "yellow", "blue"), pupil="bar", muzzle_width=(0.34, 0.42),
              nose_width=(0.14, 0.2), nose_height=(0.08, 0.11)),
        extras=("long_horns", "goatee"),
    ),
    Animal(
        "horse", ("brown", "chocolate", "black", "red", "silver"), ("blaze", "plain", "plain"),
        _with(_LONG_HEAD, ear_sharp=(0.5, 0.9), ear_length=(0.5, 0.62), ear_width=(0.28, 0.36),
              ear_angle=(18, 26), ear_direction=(-4, 14), head_height=(1.2, 1.35), muzzle_y=(0.84, 0.96),
              pale_muzzle=0.2, nose_colours=("grey", "black", "brown")),
        extras=("mane",),
    ),
    Animal(
        "donkey", ("grey", "slate", "brown"), ("rings",),
        _with(_LONG_HEAD, ear_sharp=(0.2, 0.5), ear_length=(1.0, 1.3), ear_width=(0.34, 0.44),
              ear_flare=(0.1, 0.3), ear_angle=(20, 30), ear_direction=(4, 30), size=0.78, pale_muzzle=1.0,
              nose_colours="grey"),
        extras=("mane",),
    ),
    Animal(
        "zebra", ("pied",), ("stripes",),
        _with(_LONG_HEAD, ear_sharp=(0.0, 0.3), ear_length=(0.5, 0.65), ear_width=(0.36, 0.46),
              ear_angle=(22, 32), ear_direction=(0, 20), pale_muzzle=0.0, nose_colours="black"),
        extras=("mane",),
    ),
    Animal(
        "deer", ("tan", "red", "brown"), ("plain", "rings", "spots"),
        _with(_LONG_HEAD, _LEAF_EARS, head_width=(0.68, 0.78), ear_direction=(45, 75), nose="broad",
              nose_width=(0.16, 0.2), nose_height=(0.1, 0.13), muzzle_width=(0.3, 0.38), size=0.74,
              eye="bead", eye_size=(0.14, 0.18), nose_colours="black"),
        extras=("antlers",),
    ),
    Animal(
        "moose", ("chocolate", "brown"), ("plain",),
        _with(_LONG_HEAD, _LEAF_EARS, size=0.68, ear_direction=(50, 80), muzzle_width=(0.5, 0.6),
              muzzle_height=(0.46, 0.56), eye="bead", eye_size=(0.08, 0.11), nose_colours=("brown", "grey")),
        extras=("palms", "goatee"),
    ),
    Animal(
        "giraffe", ("gold", "sand", "cream"), ("patches+spots", "spots"),
        _with(_LONG_HEAD, _LEAF_EARS, head_width=(0.66, 0.76), muzzle_width=(0.36, 0.44), size=0.76,
              eye="bead", eye_size=(0.13, 0.17), pale_muzzle=0.9, nose_colours=("grey", "brown")),
        extras=("ossicones",),
    ),
    Animal(
        "llama", ("white", "cream", "tan", "chocolate", "pied"), ("plain", "patch"),
        _with(_LONG_HEAD, ear_sharp=(0.2, 0.6), ear_length=(0.7, 0.9), ear_width=(0.28, 0.36),
              ear_turn=(-30, -5), ear_angle=(20, 30), ear_direction=(10, 30), muzzle_width=(0.34, 0.42),
              nose="triangle", nose_width=(0.1, 0.14), nose_height=(0.07, 0.1), muzzle_y=(0.5, 0.62),
              muzzle_split=(0.35, 0.5), eye="bead", tufts=(0.0, 0.2)),
        extras=("wool",),
    ),
)  # fmt: skip

GIANTS = (
    Animal(
        "elephant", ("grey", "slate", "blue"), ("plain", "blush"),
        _with(size=0.66, ear_angle=(66, 80), ear_direction=(85, 105), ear_length=(0.95, 1.15),
              ear_width=(1.2, 1.5), ear_flare=(0.0, 0.2), ear_inside=(0.6, 0.7), nose="none",
              muzzle_width=0.3, muzzle_height=0.2, eye="bead", eye_size=(0.09, 0.13), tongue=0.0),
        extras=("trunk", "tusks"),
    ),
    Animal(
        "rhinoceros", ("grey", "slate"), ("plain", "wrinkles"),
        _with(_LONG_HEAD, _LEAF_EARS, ear_angle=(26, 36), ear_direction=(10, 30), ear_length=(0.4, 0.5),
              head_height=(1.0, 1.12), muzzle_width=(0.48, 0.58), nose_colours="grey", eye="bead",
              eye_size=(0.08, 0.11), pale_muzzle=0.2),
        extras=("nose_horn",),
    ),
    Animal(
        "hippopotamus", ("slate", "blue", "pink"), ("plain", "blush"),
        _with(_ROUND_EARS, ear_length=(0.2, 0.28), ear_width=(0.24, 0.3), ear_angle=(30, 40), size=0.9,
              head_width=(0.82, 0.92), head_height=(0.95, 1.05), muzzle_width=(0.74, 0.88),
              muzzle_height=(0.44, 0.54), muzzle_y=(0.5, 0.6), muzzle_taper=0.0, nose="snout",
              nose_width=(0.44, 0.56), nose_height=(0.12, 0.16), nose_colours="grey", eye="white",
              eye_size=(0.11, 0.15), eye_y=(-0.45, -0.35), pale_muzzle=0.2),
        extras=("teeth",),
    ),
    Animal(
        "seal", ("silver", "slate", "white", "brown"), ("plain", "spots"),
        _with(_SHORT_SNOUT, ear_length=0.0, head_width=(1.0, 1.12), head_height=(0.86, 0.96), eye="bead",
              eye_size=(0.18, 0.24), muzzle_split=(0.4, 0.5), whiskers=0.9, nose="triangle",
              nose_width=(0.12, 0.16), muzzle_width=(0.36, 0.46)),
    ),
    Animal(
        "walrus", ("brown", "tan", "red"), ("plain", "wrinkles"),
        _with(ear_length=0.0, muzzle_width=(0.5, 0.6), muzzle_height=(0.32, 0.4), muzzle_split=(0.42, 0.5),
              muzzle_length=(0.2, 0.35), whiskers=0.9, eye="bead", eye_size=(0.08, 0.11), nose="broad"),
        extras=("tusks",),
    ),
    Animal(
        "kangaroo", ("tan", "red", "grey"), ("plain", "shadow_eyes"),
        _with(_LONG_SNOUT, size=0.82, ear_sharp=(0.2, 0.5), ear_flare=(0.1, 0.4), ear_length=(0.9, 1.15),
              ear_width=(0.4, 0.52), ear_angle=(26, 36), ear_direction=(10, 36), head_width=(0.74, 0.84),
              head_height=(0.95, 1.08), muzzle_y=(0.5, 0.6), eye="bead", eye_size=(0.12, 0.16), nose="broad"),
    ),
)  # fmt: skip

PRIMATES = (
    Animal(
        "monkey", ("brown", "tan", "chocolate"), ("heart",),
        _with(ear_angle=(82, 95), ear_direction=(85, 100), ear_length=(0.34, 0.44), ear_width=(0.5, 0.6),
              ear_inside=(0.6, 0.7), pale_muzzle=1.0, muzzle_width=(0.42, 0.52), muzzle_split=0.1,
              nose="oval", nose_width=(0.07, 0.1), nose_height=(0.04, 0.06), nose_rise=(0.6, 0.8),
              nose_colours="brown", eye=("white", "bead"), tongue=0.15),
    ),
    Animal(
        "gorilla", ("black", "slate"), ("wrinkles", "plain"),
        _with(ear_angle=(82, 95), ear_direction=(85, 100), ear_length=(0.2, 0.28), ear_width=(0.3, 0.38),
              crown=(0.2, 0.35), muzzle_width=(0.46, 0.56), nose="broad", nose_width=(0.24, 0.3),
              nose_height=(0.15, 0.2), eye=("iris", "white"), eye_size=(0.1, 0.13), eye_lid=(0.2, 0.4),
              eye_spacing=(0.28, 0.36), head_height=(1.0, 1.12)),
    ),
    Animal(
        "orangutan", ("red", "ginger"), ("heart", "points"),
        _with(ear_length=0.0, head_height=(1.0, 1.12), muzzle_width=(0.46, 0.56), muzzle_split=0.1,
              nose="oval", nose_width=(0.08, 0.11), nose_height=(0.05, 0.07), eye="white",
              eye_size=(0.1, 0.14), eye_spacing=(0.24, 0.32), tufts=(0.1, 0.25), pale_muzzle=1.0),
        extras=("mane",),
    ),
    Animal(
        "lemur", ("grey", "silver"), ("eye_patches", "heart+eye_patches"),
        _with(_ROUND_EARS, _LONG_SNOUT, ear_length=(0.45, 0.6), ear_sharp=(0.2, 0.5), tufts=(0.0, 0.15),
              muzzle_width=(0.26, 0.32), eye="iris", irises=("amber", "copper"), pupil=("round", "small"),
              eye_size=(0.17, 0.22), pale_muzzle=0.6),
    ),
    Animal(
        "bushbaby", ("tan", "grey", "brown"), ("rings", "eye_patches", "plain"),
        _with(_LEAF_EARS, _SHORT_SNOUT, ear_angle=(40, 52), ear_direction=(25, 50), ear_width=(0.55, 0.7),
              eye="iris", irises=("amber", "copper", "brown"), pupil=("slit", "wide", "small"),
              eye_size=(0.28, 0.34), eye_open=1.0, eye_almond=0.0, nose_colours=("pink", "brown")),
    ),
    Animal(
        "sloth", ("sand", "tan", "brown"), ("heart+shadow_eyes",),
        _with(_SHORT_SNOUT, ear_length=0.0, eye="bead", eye_size=(0.1, 0.14), nose="broad",
              nose_width=(0.16, 0.2), smile=(0.4, 0.6), mouth_width=(0.9, 1.1), tufts=(0.05, 0.2),
              pale_muzzle=1.0),
    ),
)  # fmt: skip

BIRDS_AND_OTHERS = (
    Animal(
        "owl", ("brown", "grey", "tan", "white"), ("heart", "rings", "heart+spots"),
        _with(_BIRD, ear_sharp=1.0, ear_length=(0.35, 0.5), ear_width=(0.36, 0.46), ear_inside=0.0,
              eye="iris", irises=("yellow", "amber"), pupil=("round", "wide"), eye_size=(0.26, 0.34),
              eye_open=1.0, nose_width=(0.11, 0.15), nose_height=(0.26, 0.34)),
        breeds=(Breed("horned"), Breed("hornless", {"ear_length": 0.0})),
    ),
    Animal(
        "penguin", ("tuxedo", "black", "slate"), ("heart", "bib", "cap"),
        _with(_BIRD, nose_colours=("orange", "grey"), chest=1.0, eye=("bead", "white")),
    ),
    Animal("chick", ("yellow", "yellow", "cream"), ("plain", "blush"), _with(_BIRD, eye="bead")),
    Animal(
        "cock", ("white", "red", "brown", "black"), ("plain", "spots"),
        _with(_BIRD, size=0.9), extras=("comb", "wattle"),
    ),
    Animal(
        "duck", ("white", "yellow", "brown", "green"), ("plain", "cap"),
        _with(_BIRD, nose_width=(0.34, 0.44), nose_height=(0.24, 0.32), muzzle_length=(0.3, 0.45)),
    ),
    Animal(
        "parrot", ("scarlet", "green", "sky", "yellow"), ("plain", "heart", "cap"),
        _with(_BIRD, nose_height=(0.5, 0.64), eye="iris", irises=("amber", "yellow"), pupil="small"),
        extras=("crest",),
    ),
    Animal(
        "frog", ("green", "moss", "gold"), ("plain", "spots", "patches"),
        _with(ear_length=0.0, head_width=(1.12, 1.25), head_height=(0.72, 0.82), muzzle_width=(0.7, 0.85),
              muzzle_height=(0.22, 0.3), muzzle_length=0.05, muzzle_split=0.1, nose="none",
              mouth_width=(0.9, 1.0), eye=("iris", "white"), irises=("yellow", "amber", "red"),
              pupil=("bar", "slit", "round"), eye_y=(-0.72, -0.6), eye_spacing=(0.5, 0.6),
              eye_size=(0.22, 0.28), whiskers=0.0, pale_muzzle=0.8),
    ),
    Animal(
        "turtle", ("green", "moss", "sand"), ("plain", "stripes", "spots"),
        _with(ear_length=0.0, head_width=(0.82, 0.94), head_height=(0.82, 0.92), muzzle_width=(0.44, 0.54),
              muzzle_split=0.0, nose="none", nose_colours="brown", eye=("iris", "bead"),
              eye_size=(0.14, 0.2), eye_lid=(0.1, 0.4), whiskers=0.0),
        extras=("scales",),
    ),
)  # fmt: skip

OTHERS = (
    *BEARS, *SMALL_HUNTERS, *RODENTS, *HOOFED, *GIANTS, *PRIMATES, *BIRDS_AND_OTHERS,
)  # fmt: skip

ANIMALS: dict[str, Animal] = {animal.name: animal for animal in (CAT, DOG, *OTHERS)}
