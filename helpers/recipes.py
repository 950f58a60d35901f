"""The ways to take the course: which pictures, which base, how long and how fast to train.

A recipe is a row of `RECIPES`. The learner chooses one on the start page; `COURSE_RECIPE` chooses
one for a process. Lessons ask `chosen()` and use its fields; nothing else in them asks which
pictures there are.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import paths
from helpers.files import write_whole

if TYPE_CHECKING:
    import numpy as np

CHOICE = "recipe.json"


@dataclass(frozen=True)
class Recipe:
    """One way to take the course.

    Attributes:
        name: of the row.
        about: what it is, in half a sentence.
        pictures: what `pictures.load` takes: the name of a set, or the path of a folder.
        base: what `bases.load` takes.
        network: the network's name in `keras.applications`.
        options: what that network is called with, besides its input's shape, top and weights.
        weights: what `keras.applications` takes: `"imagenet"`, a file, or None for random ones.
        side: of the square picture that the base gets, in pixels.
        rotation: the share of a full turn that augmentation turns a picture by at most.
        head_rate, head_epochs: to train the head on the frozen base.
        unfreeze_from: the base's first layer that is fine-tuned, counted from 0.
        fine_tuning_rate, fine_tuning_epochs: to fine-tune.
        depth, cut_rate: in lesson 5, how many cuts before its end the base is cut in two, and the
            learning rate above that cut.
        minutes: after which a lesson ends a training that has not ended yet.
        megabytes: what it downloads, by what it is.
    """

    name: str
    about: str
    pictures: str
    base: str
    network: str
    side: int
    rotation: float
    head_rate: float
    head_epochs: int
    unfreeze_from: int
    fine_tuning_rate: float
    fine_tuning_epochs: int
    depth: int
    cut_rate: float
    minutes: float = 10.0
    weights: str | None = "imagenet"
    options: dict[str, Any] = field(default_factory=dict)
    megabytes: dict[str, int] = field(default_factory=dict)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width, in pixels, as Keras wants them."""
        return self.side, self.side

    @property
    def tfds(self) -> str | None:
        """The name under which TensorFlow Datasets has the pictures; None where they are files."""
        return "cats_vs_dogs" if self.pictures == "tfds" else None

    @property
    def folder(self) -> Path | None:
        """The pictures as files: `train`, `validation` and `test`, in each a subfolder a class.

        None where the pictures are no files. They are laid out at the first call, downloaded
        before where they have to be; no file is in two of the three.
        """
        from helpers.pictures import layout

        return None if self.tfds else layout.lay_out(self.pictures)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, sorted: the position of one is its label."""
        if self.folder is None:
            return "cat", "dog"
        return tuple(sorted(path.name for path in (self.folder / "train").iterdir()))

    def example(self) -> np.ndarray:
        """A picture of the first class, uint8 `(side, side, 3)`."""
        if self.folder is not None:
            from helpers.pictures import decode

            files = (self.folder / "train" / self.class_names[0]).iterdir()
            return decode(min(files).read_bytes(), self.side)
        import tensorflow as tf
        import tensorflow_datasets as tfds

        from helpers.pictures.tfds import folder

        some = tfds.load(
            self.tfds, split="train[:40]", as_supervised=True, data_dir=folder(), download=False
        )
        image = next(image for image, label in some if label == 0)
        return tf.cast(tf.image.resize(image, self.image_size), tf.uint8).numpy()

    @property
    def models(self) -> Path:
        """A folder for the models that lessons hand on to later ones."""
        from helpers.pictures import layout

        own = (layout.where(self.pictures).name,) if self.name == "folder" else ()
        folder = paths.cache_folder().joinpath("models", self.name, *own)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def __repr__(self) -> str:
        lines = [
            f"Recipe '{self.name}': {self.about}.",
            f"Base: {self.network}, {self.side} x {self.side} pixels.",
        ]
        if self.name in NAMES:  # what is no choice of the start page is not changed there
            lines += [f"To change it: the start page, or recipes.choose({other(self.name)!r})."]
        return "\n".join(lines)


MOBILENET = Recipe(
    name="tutorial",
    about="3,000 photographs of cats and dogs, 2,000 of them to train, as in TensorFlow's tutorial",
    pictures="photos",
    base="MobileNetV2",
    network="MobileNetV2",
    side=160,
    rotation=0.2,
    head_rate=1e-4,
    head_epochs=10,
    unfreeze_from=100,
    fine_tuning_rate=1e-5,
    fine_tuning_epochs=10,
    depth=9,
    cut_rate=3e-5,
    megabytes={"photographs": 69, "weights": 9},
)
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="drawings",
            about="2,000 drawings of cats and dogs, 1,000 of them to train",
            pictures="drawings",
            base="drawn",
            network="MobileNetV2",
            options={"alpha": 0.35},
            weights=str(paths.DATA / "bases" / "drawn.weights.h5"),
            side=96,
            rotation=0.04,
            head_rate=3e-3,
            head_epochs=6,
            unfreeze_from=27,
            fine_tuning_rate=3e-4,
            fine_tuning_epochs=4,
            depth=29,
            cut_rate=6e-4,
        ),
        MOBILENET,
        Recipe(
            name="article",
            about="9,305 photographs of cats and dogs, 40 % of TensorFlow Datasets' cats_vs_dogs",
            pictures="tfds",
            base="Xception",
            network="Xception",
            side=150,
            rotation=0.1,
            head_rate=1e-3,
            head_epochs=20,
            unfreeze_from=0,
            fine_tuning_rate=1e-5,
            fine_tuning_epochs=10,
            depth=4,
            cut_rate=3e-5,
            megabytes={"photographs": 825, "weights": 84},
        ),
    )
}
NAMES = (*RECIPES, "folder")
# What COURSE_PICTURES, of the course's first editions, says without doubt.
BY_PICTURES = {recipe.pictures: recipe.name for recipe in RECIPES.values()}


def find(name: str, folder: str | os.PathLike[str] | None = None) -> Recipe:
    """The recipe of that name; `"folder"` needs the path of a folder of one's own.

    Raises:
        ValueError: where there is no such recipe, or no such folder.
    """
    if name in RECIPES:
        return RECIPES[name]
    if name != "folder":
        raise ValueError(f"Received: recipe '{name}'. Expected: one of {', '.join(NAMES)}.")
    from helpers.pictures.folder import is_there

    if not folder or not is_there(folder):
        raise ValueError(
            f"Received: recipe 'folder' with the folder '{folder or ''}'. Expected: the path of a "
            f"folder with one subfolder a class."
        )
    path = Path(folder).expanduser().resolve()
    about = f"your own pictures, in {path}"
    return replace(MOBILENET, name=name, about=about, pictures=str(path), megabytes={"weights": 9})


def chosen() -> Recipe:
    """The recipe that is taken now: `COURSE_RECIPE`'s, else `COURSE_PICTURES`', else the kept one.

    Both variables take the path of a folder, too. Without any, it is `"drawings"`.
    `COURSE_MINUTES` ends a lesson's trainings earlier, or later, than the recipe does.

    Raises:
        ValueError: where a variable names no recipe and no folder, or no number of minutes.
    """
    recipe = _chosen()
    minutes = os.environ.get("COURSE_MINUTES")
    if not minutes:
        return recipe
    try:
        return replace(recipe, minutes=float(minutes))
    except ValueError:
        raise ValueError(
            f"Received: COURSE_MINUTES='{minutes}'. Expected: a number of minutes."
        ) from None


def _chosen() -> Recipe:
    """The recipe that is taken now, as the table has it."""
    for variable in ("COURSE_RECIPE", "COURSE_PICTURES"):
        if text := os.environ.get(variable):
            return from_text(text)
    try:
        kept = json.loads(choice_path().read_text(encoding="utf-8"))
        return find(kept["name"], kept.get("folder"))
    except (OSError, ValueError, KeyError, TypeError):  # none, or a folder that is gone
        return RECIPES["drawings"]


def from_text(text: str) -> Recipe:
    """The recipe called `text`, that of a picture set, or that of a folder with that path."""
    name = BY_PICTURES.get(text, text)
    return find(name) if name in RECIPES else find("folder", text)


def choose(name: str, folder: str | os.PathLike[str] | None = None) -> Recipe:
    """Take a recipe from now on, in every lesson that is opened or restarted.

    Raises:
        ValueError: where there is no such recipe or folder; the choice then stays.
    """
    recipe = find(name, folder)
    kept = {"name": name, "folder": recipe.pictures if name == "folder" else None}
    write_whole(choice_path(), json.dumps(kept))
    return recipe


def choice_path() -> Path:
    """The small file that keeps the choice."""
    return paths.cache_folder() / CHOICE


def other(name: str) -> str:
    """A recipe to name as an example of another one."""
    return "tutorial" if name == "drawings" else "drawings"


def as_code(recipe: Recipe) -> str:
    """A recipe as Python that needs nothing of this course; models are kept where it is run."""
    values = {each.name: getattr(recipe, each.name) for each in fields(recipe)}
    for name in ("about", "pictures", "base", "depth", "cut_rate", "megabytes"):
        del values[name]
    values |= {name: getattr(recipe, name) for name in ("image_size", "tfds", "class_names")}
    lines = [f"    {name}={value!r}," for name, value in sorted(values.items())]
    folder = f"Path({str(recipe.folder)!r})" if recipe.folder else None
    lines += [f"    folder={folder},", '    models=Path("."),']
    imports = "from pathlib import Path\nfrom types import SimpleNamespace\n"
    return "\n".join([imports, "recipe = SimpleNamespace(", *lines, ")"])
