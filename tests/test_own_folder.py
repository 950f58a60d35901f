"""A learner's folder, by the path that he types."""

from __future__ import annotations

import os
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import bases, own_folder, recipes
from helpers.own_folder import clean_path, glance, look_at


@pytest.fixture
def mugs(tmp_path, monkeypatch):
    """A folder `my mugs` in a home of this test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "Pictures" / "my mugs"
    for name in ("cup", "mug"):
        (folder / name).mkdir(parents=True)
        for number in range(3):
            (folder / name / f"{number}.jpg").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    "typed",
    [
        "{}",
        "  {}  ",
        '"{}"',
        "'{}'",
        "“{}”",
        '"{}" ',
        "{}/",
        "~/Pictures/my mugs",
        '"~/Pictures/my mugs"',
        "Pictures/my mugs",
        "~/Pictures/../Pictures/my mugs",
    ],
)
def test_a_path_is_understood(mugs, typed):
    assert clean_path(typed.format(mugs)) == mugs


@pytest.mark.skipif(os.name == "nt", reason="these are other systems' paths there")
@pytest.mark.parametrize("typed", [r"~/Pictures/my\ mugs", r"~\Pictures\my mugs", "file://{}"])
def test_what_shells_and_other_systems_write_is_understood(mugs, typed):
    assert clean_path(typed.format(str(mugs).replace(" ", "%20"))) == mugs


def test_windowss_drives_are_looked_for_where_linux_has_them():
    assert own_folder._in_wsl(r"C:\Users\me\my mugs") == "/mnt/c/Users/me/my mugs"
    assert own_folder._in_wsl("/home/me") is None


@pytest.mark.parametrize("typed", ["", "  ", '""', "' '"])
def test_no_path_is_said(typed):
    with pytest.raises(ValueError, match=r"Received: no path\. Expected: .* Type it"):
        clean_path(typed)


def test_a_path_that_is_not_there_names_what_is(mugs):
    with pytest.raises(ValueError) as raised:
        clean_path("~/Pictures/my cups/new")
    said = str(raised.value)
    assert f"{mugs.parent} is there, with the folders my mugs" in said
    with pytest.raises(ValueError, match="without folders to be seen"):
        clean_path(str(mugs / "cup" / "nothing"))


def test_a_file_is_no_folder_and_an_archive_is_as_good_as_one(mugs):
    (mugs / "mugs.txt").write_text("milk")
    with pytest.raises(ValueError, match=r"which is a file, and no zip or tar archive"):
        clean_path(str(mugs / "mugs.txt"))
    path = mugs / "mugs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cup/1.jpg", b"")
    assert clean_path(str(path)) == path
    assert glance(str(path)) == f"'{path.name}' is an archive. 'Take my folder' unpacks and reads it."


@pytest.mark.skipif(os.name == "nt", reason="there it is a path like any other")
def test_a_path_of_windows_elsewhere_is_said(mugs):
    with pytest.raises(ValueError, match=r"a path of Windows.*Copy the pictures"):
        clean_path(r'"C:\Users\me\mugs"')


def test_nobodys_home_is_not_there(mugs):
    with pytest.raises(ValueError, match="which is not there"):
        clean_path("~nobody at all/mugs")


def test_a_name_too_long_for_the_system_is_not_there(mugs):
    with pytest.raises(ValueError, match="which is not there"):
        clean_path("x" * 5000)


def test_a_glance_counts_files(mugs):
    read = "'Take my folder' reads them."
    assert glance(str(mugs)) == f"In {mugs}: cup (3), mug (3) pictures. {read}"
    (mugs / "cup" / "notes.txt").write_text("milk")
    assert glance(str(mugs)) == f"In {mugs}: cup (3), mug (3) pictures, and 1 other file. {read}"
    assert glance(str(mugs.parent)) == (
        f"In {mugs.parent}: cup (3), mug (3) pictures, and 1 other file. The classes lie in "
        f"{mugs}. {read}"
    )


def test_a_folder_with_one_class_or_none_is_said(mugs, tmp_path):
    (tmp_path / "one" / "mug").mkdir(parents=True)
    (tmp_path / "one" / "mug" / "1.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"with 1 subfolders.*at least 2"):
        glance(str(tmp_path / "one"))
    (tmp_path / "empty").mkdir()
    for ask in (glance, look_at):
        with pytest.raises(ValueError, match="with 0 subfolders"):
            ask(str(tmp_path / "empty"))


def test_a_folder_of_what_are_no_pictures_is_said(mugs):
    with pytest.raises(ValueError, match=r"0 readable pictures in class 'cup' \(left out: 3 x"):
        look_at(str(mugs))


def test_a_folder_that_may_not_be_read_is_said(mugs, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(mugs))

    monkeypatch.setattr(own_folder.pictures, "load", refuse)
    monkeypatch.setattr(own_folder, "arrange", refuse)
    for ask in (glance, look_at):
        with pytest.raises(ValueError, match=r"may not be read\. Expected: a folder of yours"):
            ask(str(mugs))


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """The stand-in, written in an instant, in a cache of this test's own."""
    from helpers.drawings import phone

    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    for name in ("COURSE_FOLDER", "COURSE_RECIPE", "COURSE_PICTURES"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "truth.csv").write_text(
        "file,label,true\npictures/pug/1.jpg,pug,spaniel\npictures/pug/2.jpg,pug,pug\n"
    )
    monkeypatch.setattr(phone, "write", lambda: tmp_path / "phone")
    return tmp_path / "phone"


def test_without_a_folder_a_drawn_one_stands_in(drawn):
    taken = own_folder.recipe()
    assert (taken.name, taken.base, taken.pictures) == ("phone", "drawn", str(drawn / "pictures"))
    assert "stands in for yours" in repr(taken) and "To change it" not in repr(taken)
    assert own_folder.wrong_labels(taken) == {"pug/1.jpg"}


@pytest.mark.parametrize("way", ["COURSE_FOLDER", "start page"])
def test_a_learners_folder_is_taken(drawn, mugs, monkeypatch, way):
    monkeypatch.setattr(bases, "is_ready", lambda name: None)
    if way == "COURSE_FOLDER":
        monkeypatch.setenv("COURSE_FOLDER", f"'{mugs}/'")
    else:
        recipes.choose("folder", mugs)
    taken = own_folder.recipe()
    assert (taken.name, taken.base, taken.pictures) == ("folder", "MobileNetV2", str(mugs))
    assert str(mugs) in repr(taken) and "drawn" not in repr(taken)
    assert own_folder.wrong_labels(taken) == frozenset()


def test_without_imagenets_weights_it_is_said(drawn, mugs, monkeypatch):
    monkeypatch.setattr(bases, "is_ready", lambda name: "No weights here.")
    monkeypatch.setenv("COURSE_FOLDER", str(mugs))
    taken = own_folder.recipe()
    assert (taken.name, taken.base, taken.pictures) == ("folder", "drawn", str(mugs))
    assert "No weights here." in repr(taken) and "not to judge your pictures" in repr(taken)


def test_models_have_a_place_that_lays_out_nothing(drawn, mugs):
    models = recipes.find("folder", mugs).models
    assert models.is_dir() and models.parent.name == "folder"
    assert not (models.parents[2] / "pictures").exists()
    (mugs / "cup" / "another.jpg").write_bytes(b"1")
    assert recipes.find("folder", mugs).models != models


def test_a_class_too_small_to_train_with_is_said(mugs):
    from PIL import Image

    for number in range(3):
        for count, name in ((2, "cup"), (1, "mug")):
            for copy in range(count):
                color = (80 * number, 100 * copy, 50 * count)
                Image.new("RGB", (20, 20), color).save(mugs / name / f"{number}{copy}.png")
    with pytest.raises(ValueError, match=r"Received: 1 training pictures of 'mug'\. Expected"):
        own_folder.load(recipes.find("folder", mugs))


def test_many_small_classes_are_not_all_named():
    part = SimpleNamespace(labels=np.arange(12))
    found = SimpleNamespace(
        train=part, validation=part, test=part, class_names=[f"class {n}" for n in range(12)]
    )
    (said,) = own_folder.notes(found)
    assert said.startswith("Few pictures of class 0 (3), class 1 (3), class 2 (3) and of 9 more:")
