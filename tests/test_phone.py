"""The folder as it comes off a phone: what is planted is there, and the table tells the truth."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import drawings, pictures
from helpers.drawings import phone


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phone, "EACH", 6)
        patch.setattr(phone, "WRONG_SHARE", 0.1)
        yield phone.write(tmp_path_factory.mktemp("cache") / "phone")


def test_it_loads_upright_and_names_what_is_no_use(folder):
    found = pictures.load(str(folder / "pictures"), 96, quiet=True)
    assert found.class_names == tuple(phone.CLASSES)
    assert sum(map(len, (found.train, found.validation, found.test))) == 30
    assert [file.split("/")[-1] for file, _ in found.left_out] == [
        "IMG_9001.jpg", "PANO_9002.png", "IMG_9003.jpg", "shopping list.txt", "IMG_9004.jpg",
        "MOV_9005.mp4",
    ]  # fmt: skip
    assert len({reason for _, reason in found.left_out}) == 6


def test_each_picture_is_the_drawing_that_the_table_says(folder):
    table = phone.truth(folder)
    assert len(table) == 30
    for number, (file, true) in enumerate(table["true"].items()):
        animal, breed = phone.CLASSES[true]
        drawing = drawings.draw(animal, (phone.SEED, number), breeds=[breed])
        found = pictures.decode((folder / file).read_bytes(), 96).astype(int)
        assert np.abs(found - drawing.picture).mean() < 12, file


def test_wrong_labels_are_planted_as_many_as_said(folder):
    table = phone.truth(folder)
    assert (table["label"] == table.index.str.split("/").str[1]).all()
    assert (table["label"] != table["true"]).sum() == 3
    assert table["true"].value_counts().unique().tolist() == [6]


def test_it_is_drawn_once_and_leaves_nothing_beside(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert phone.write(folder) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert [path.name for path in folder.parent.iterdir()] == ["phone"]


def test_breeds_can_be_chosen_and_are_checked():
    assert drawings.draw("cat", 3, breeds=["siamese"]).breed == "siamese"
    same = drawings.draw("dog", 5)
    np.testing.assert_array_equal(same.picture, drawings.draw("dog", 5, breeds=None).picture)
    with pytest.raises(ValueError, match=r"Received: breeds \['pug'\]"):
        drawings.draw("cat", 3, breeds=["pug"])
