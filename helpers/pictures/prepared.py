"""The drawings as TensorFlow Datasets prepares a set: `tfds.load("course_drawings", ...)`.

Importing this module makes the name known. The class's documentation is what `tfds` shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from helpers import paths
from helpers.pictures import layout

NAME = "course_drawings"


class CourseDrawings(tfds.core.GeneratorBasedBuilder):
    """2,000 drawings of cats and dogs, in one split as `cats_vs_dogs` has one."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "As they come with the course."}

    def _info(self) -> tfds.core.DatasetInfo:
        """What an example holds."""
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(None, None, 3)),
                    "label": tfds.features.ClassLabel(names=["cat", "dog"]),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[str, dict]]]:
        """One split with all of them; TensorFlow Datasets shuffles by the hash of the keys."""
        return {"train": self._generate_examples(layout.lay_out("drawings"))}

    def _generate_examples(self, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and example of each file."""
        for file in sorted(folder.glob("*/*/*.png")):
            key = file.relative_to(folder).as_posix()
            yield key, {"image": file, "label": file.parent.name}


def data_dir(name: str) -> str | None:
    """Where a set of TensorFlow Datasets is kept: the course's drawings in the course's cache."""
    return str(paths.cache_folder() / "tfds") if name == NAME else None
