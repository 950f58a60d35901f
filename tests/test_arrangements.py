"""How a learner's pictures lie on a disk, and what is read of each layout."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from helpers import pictures


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))


SEEDS = iter(range(10**6))


def save(path: Path, seed: int | None = None, **options) -> Path:
    """A picture of large patches, unlike every other seed's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    patches = np.random.default_rng(next(SEEDS) if seed is None else seed)
    values = patches.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    picture = Image.fromarray(values).resize((48, 40), Image.Resampling.BICUBIC)
    picture.save(path, **options)
    return path


def classes(folder: Path, count: int = 5, names: tuple[str, ...] = ("cat", "dog")) -> Path:
    """One subfolder a class."""
    for name in names:
        for number in range(count):
            save(folder / name / f"{number}.png")
    return folder


def load(folder: Path) -> pictures.PictureSet:
    return pictures.load(str(folder), 8, quiet=True)


def refused(folder: Path) -> str:
    with pytest.raises(ValueError) as raised:
        load(folder)
    return str(raised.value)


def lengths(found: pictures.PictureSet) -> tuple[int, ...]:
    return len(found.train), len(found.validation), len(found.test)


def names_of(found: pictures.PictureSet) -> set[str]:
    return {name for part in (found.train, found.validation, found.test) for name in part.files}


# Splits that are there already


@pytest.mark.parametrize("validation", ["validation", "valid", "val"])
def test_train_validation_and_test_are_the_split(tmp_path, validation):
    for part, count in (("train", 4), (validation, 2), ("test", 1)):
        classes(tmp_path / part, count)
    found = load(tmp_path)
    assert found.class_names == ("cat", "dog") and lengths(found) == (8, 4, 2)
    assert {name.split("/")[0] for name in found.test.files} == {"test"}
    assert {name.split("/")[0] for name in found.validation.files} == {validation}
    assert found.said == (f"Split as it lies: train, {validation}, test.",)


def test_without_a_labelled_test_the_validation_is_halved(tmp_path):
    classes(tmp_path / "train", 4)
    classes(tmp_path / "val", 4)
    found = load(tmp_path)
    assert lengths(found) == (8, 4, 4)
    assert found.said == ("No test set: half of val is for validation, half for the test.",)
    save(tmp_path / "test" / "1.png")
    found = load(tmp_path)
    assert lengths(found) == (8, 4, 4)
    assert found.said == ("test has no classes: half of val is for validation, half for the test.",)
    assert found.left_out == (("test/", "in no split"),)


def test_train_beside_an_unlabelled_test_is_split_alone(tmp_path):
    for number in range(6):
        save(tmp_path / "train" / f"cat.{number}.png")
        save(tmp_path / "train" / f"dog.{number}.png")
    save(tmp_path / "test1" / "1.png")
    found = load(tmp_path)
    assert found.class_names == ("cat", "dog") and sum(lengths(found)) == 12
    assert found.said[0] == "test1 holds pictures without classes: only train is used, and split."


def test_half_a_split_is_asked_for(tmp_path):
    classes(tmp_path / "train")
    classes(tmp_path / "test")
    assert refused(tmp_path) == (
        f"Received: {tmp_path} with train and test, but no validation. Expected: all three, with a "
        f"subfolder a class in each. Move some pictures of each class from train to validation, or "
        f"take {tmp_path / 'train'} alone: it is split then."
    )
    classes(tmp_path / "validation", names=("cat", "wolf"))
    assert refused(tmp_path) == (
        f"Received: {tmp_path}, where train has the classes cat, dog and validation has cat, wolf. "
        f"Expected: the same classes in each. Rename them, or take {tmp_path / 'train'} alone: it "
        f"is split then."
    )


def test_a_picture_to_train_with_that_is_in_the_test_is_left_out(tmp_path):
    for part in ("train", "validation", "test"):
        classes(tmp_path / part, 3)
    shutil.copy(tmp_path / "test" / "cat" / "0.png", tmp_path / "train" / "cat" / "again.png")
    assert load(tmp_path).left_out == (("train/cat/again.png", "a copy of test/cat/0.png"),)


def test_a_class_called_train_is_a_class(tmp_path):
    assert load(classes(tmp_path, names=("bus", "train"))).class_names == ("bus", "train")


# Other layouts


def test_the_only_subfolder_is_entered(tmp_path):
    classes(tmp_path / "PetImages", names=("Cat", "Dog"))
    (tmp_path / "readme[1].txt").write_text("x")
    found = load(tmp_path)
    assert (found.name, found.class_names) == ("PetImages", ("Cat", "Dog"))
    assert str(found).splitlines()[-2] == f"The classes lie in {tmp_path / 'PetImages'}."


@pytest.mark.parametrize("pattern", ["{}.{}.png", "{}_{}.png", "{} ({}).png", "{}{:04}.png"])
def test_names_tell_the_class(tmp_path, pattern):
    for number in range(4):
        for name in ("black cat", "dog"):
            save(tmp_path / pattern.format(name, number))
    found = load(tmp_path)
    assert found.class_names == ("black cat", "dog") and sum(lengths(found)) == 8
    first = pattern.format("black cat", 0)
    assert found.said == (f"Classes come from the names of the files, such as {first}.",)
    label = {
        name: int(row) for name, row in zip(found.train.files, found.train.labels, strict=True)
    }
    assert all(label[name] == name.startswith("dog") for name in label)


def test_a_cameras_names_tell_nothing(tmp_path):
    for number in range(4):
        save(tmp_path / f"DSC_{number}.png")
        save(tmp_path / f"IMG_{number}.png")
    assert refused(tmp_path) == (
        f"Received: {tmp_path} with 8 pictures and no classes: its subfolders are none, and names "
        f"such as DSC_0.png tell no class. Expected: one subfolder for each class, with its "
        f"pictures inside, or a labels.csv with the columns file and label. Sort the pictures into "
        f"such folders."
    )


TABLES = {
    "names": "file,label\n{}",
    "semicolons": "image;breed\n{}",
    "one-hot": "filename,cat,dog\n{}",
    "no suffix": "id,species,source\n{}",
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("inside", ["", "images"])
def test_a_table_tells_the_class(tmp_path, kind, inside):
    lines = []
    for number in range(8):
        path = save(tmp_path / inside / f"IMG_{number}.png")
        name, label = path.name, ("cat", "dog")[number % 2]
        hot = f"{label == 'cat':d},{label == 'dog':d}"
        lines.append(
            {
                "names": f"{path.relative_to(tmp_path).as_posix()},{label}",
                "semicolons": f"{name};{label}",
                "one-hot": f"{name},{hot}",
                "no suffix": f"{path.stem},{label},web{number}",
            }[kind]
        )
    (tmp_path / "labels.csv").write_text(TABLES[kind].format("\n".join(lines)))
    found = load(tmp_path)
    assert found.class_names == ("cat", "dog") and sum(lengths(found)) == 8
    assert found.said == ("Labels come from labels.csv.",) and found.left_out == ()
    for file, label in zip(found.train.files, found.train.labels, strict=True):
        assert int(Path(file).stem[-1]) % 2 == label


def test_what_a_table_leaves_open_is_named(tmp_path):
    for number in range(10):
        save(tmp_path / f"{number}.png")
    lines = [f"{number}.png,{'ab'[number % 2]}" for number in range(9)]
    lines += ["8.png,b", "gone.png,a"]
    (tmp_path / "labels.csv").write_text("file,label\n" + "\n".join(lines))
    assert load(tmp_path).left_out == (
        ("8.png", "two labels in labels.csv"),
        ("9.png", "not named in labels.csv"),
        ("gone.png", "named in labels.csv, but not there"),
    )


def test_a_table_without_labels_or_files_says_what_is_wanted(tmp_path):
    save(tmp_path / "1.png")
    (tmp_path / "labels.csv").write_text("file,height,width\n1.png,30,40")
    assert refused(tmp_path) == (
        f"Received: {tmp_path / 'labels.csv'} with the columns height, width besides the files. "
        f"Expected: one called label, or one for each class with a single 1 in each row. Rename "
        f"the column of the labels."
    )
    (tmp_path / "labels.csv").write_text("file,label\nother.png,a")
    assert refused(tmp_path) == (
        f"Received: {tmp_path / 'labels.csv'} with the columns file, label, none of which names "
        f"pictures in {tmp_path}. Expected: a column with their file names. Put the pictures "
        f"beside the table, or mend the names."
    )


def test_capitals_alone_make_no_class(tmp_path):
    classes(tmp_path, names=("Cat", "cat", "dog"))
    if len(list(tmp_path.iterdir())) == 2:
        pytest.skip("one folder on this file system")
    assert refused(tmp_path) == (
        f"Received: the classes 'Cat' and 'cat' in {tmp_path}, which differ only in how they are "
        f"written. Expected: one name for each class. Put them together, or rename one if you mean "
        f"two."
    )


# Archives


def packed(folder: Path, target: Path) -> Path:
    """A zip or a tar of a folder, by the target's name."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(folder.parent))
    else:
        with tarfile.open(target, "w:gz" if target.suffix == ".tgz" else "w") as archive:
            archive.add(folder, folder.name)
    return target


@pytest.mark.parametrize("name", ["pets.zip", "pets.tar", "pets.tgz"])
def test_an_archive_is_as_good_as_its_folder(tmp_path, name):
    folder = classes(tmp_path / "pets")
    expected = load(folder)
    archive = packed(folder, tmp_path / name)
    shutil.rmtree(folder)
    found = load(archive)
    assert names_of(found) == names_of(expected) and lengths(found) == lengths(expected)
    assert np.array_equal(found.train.images, expected.train.images)
    assert "unpacked" in found.folder and found.said[0].startswith("The classes lie in ")


def test_a_zip_of_ones_own_is_not_to_be_fetched_again(tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.writestr("cat/at 12:30.png", b"x")
    assert refused(tmp_path / "mine.zip") == (
        "Received: mine.zip with the member 'cat/at 12:30.png', whose name not every system can "
        "hold. Expected: plain files inside one folder. Unpack it yourself, and take the folder; "
        "or pack the pictures anew."
    )


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("../out.png", tarfile.REGTYPE, "whose path leads out of the folder"),
        ("/out.png", tarfile.REGTYPE, "whose path leads out of the folder"),
        ("cat/link.png", tarfile.SYMTYPE, "which is a link or a device"),
        ("cat/link.png", tarfile.LNKTYPE, "which is a link or a device"),
        ("cat/pipe", tarfile.FIFOTYPE, "which is a link or a device"),
    ],
)
def test_a_tar_that_leads_out_is_refused(tmp_path, name, kind, said):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        archive.addfile(member, io.BytesIO())
    assert said in refused(tmp_path / "bad.tar")
    assert not list(tmp_path.parent.glob("out.png"))


def test_a_tar_that_would_fill_the_disk_is_refused(tmp_path):
    member = tarfile.TarInfo("zeros")
    member.size = 5_000_000
    with tarfile.open(tmp_path / "bad.tgz", "w:gz") as archive:
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    assert "5,000,000 bytes. Expected: an archive of pictures" in refused(tmp_path / "bad.tgz")


def test_a_file_that_is_no_archive_is_said(tmp_path):
    (tmp_path / "mine.zip").write_text("no")
    assert f"({tmp_path / 'mine.zip'} is a file, and no zip or tar" in refused(
        tmp_path / "mine.zip"
    )


# Litter


def test_litter_is_no_class(tmp_path):
    folder = classes(tmp_path)
    for name in ("@eaDir", "$RECYCLE.BIN"):
        save(folder / name / "thumb.png")
    (folder / "empty").mkdir()
    (folder / "results").mkdir()
    (folder / "results" / "scores.csv").write_text("a,1")
    for name in ("cat", "dog"):
        save(folder / name / "@eaDir" / "thumb.png")
        (folder / name / "Picasa.ini").write_text("[a]")
        (folder / name / "Icon\r").write_bytes(b"")
        (folder / name / "page.html").write_text("<html>")
    found = load(folder)
    assert found.class_names == ("cat", "dog") and sum(lengths(found)) == 10
    reasons = dict(found.left_out)
    assert set(reasons) == {"cat/page.html", "dog/page.html", "empty/", "results/"}
    assert reasons["empty/"] == reasons["results/"] == "a folder without pictures"
    assert reasons["cat/page.html"].startswith("not a picture")


def test_a_name_that_breaks_a_line_does_not_break_the_summary(tmp_path):
    folder = classes(tmp_path)
    (folder / "cat" / "a\rb.png").write_bytes(b"")
    found = load(folder)
    assert "  cat/a?b.png: the file is empty" in str(found).splitlines()
    assert "\r" not in found._repr_html_()


# Near copies


def burst(folder: Path) -> Path:
    """Two classes of twelve; of three pictures of each there is one more that was saved again."""
    for name in ("cat", "dog"):
        for number in range(12):
            path = save(folder / name / f"{number:02}.png")
            if number < 3:
                with Image.open(path) as image:
                    image.resize((72, 60)).save(
                        folder / name / f"{number:02} again.jpg", quality=50
                    )
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_near_copies_are_in_one_split(tmp_path, seed):
    folder = burst(tmp_path)
    found = pictures.load(str(folder), 24, seed=seed, quiet=True)
    assert found.said == (
        "12 pictures are near copies of another, in 6 groups (saved again, or a burst): each group "
        "is kept in one split.",
    )
    parts = [{name[:6] for name in part.files} for part in (found.train, found.validation)]
    parts.append({name[:6] for name in found.test.files})
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert lengths(found) == (22, 4, 4) and found.left_out == ()


def test_the_split_depends_on_no_size(tmp_path):
    folder = burst(tmp_path)
    first, *others = (
        pictures.load(str(folder), size, in_memory=inside, quiet=True)
        for size, inside in ((8, True), (100, True), (16, False))
    )
    for other in others:
        assert other.train.files == first.train.files and other.test.files == first.test.files


def test_pictures_are_compared_at_one_size(tmp_path):
    """Grain hides at 96 pixels, and shows at the size of the comparison: these are no copies."""
    folder, grain = classes(tmp_path, 6), np.random.default_rng(0)
    scene = np.kron(grain.integers(100, 156, (8, 8, 3)), np.ones((32, 32, 1)))
    for number in range(2):
        grainy = (scene + grain.normal(0, 36, scene.shape)).clip(0, 255)
        Image.fromarray(grainy.astype(np.uint8)).save(folder / "cat" / f"grain {number}.png")
    for size, in_memory in ((96, True), (160, True), (96, False)):
        assert pictures.load(str(folder), size, in_memory=in_memory, quiet=True).said == ()


def test_near_copies_in_a_given_split_are_said(tmp_path):
    for part in ("train", "validation", "test"):
        classes(tmp_path / part, 3)
    with Image.open(tmp_path / "test" / "cat" / "0.png") as image:
        image.save(tmp_path / "train" / "cat" / "again.jpg", quality=60)
    assert load(tmp_path).said[1] == (
        "2 pictures are near copies of another, in 1 group (saved again, or a burst): 1 of these "
        "lies in more than one split, which makes scores too good."
    )


# What other code goes on with


def together(data) -> tuple[np.ndarray, np.ndarray]:
    """All pictures and labels of a dataset."""
    images, labels = zip(*data.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


@pytest.mark.parametrize("in_memory", [True, False])
def test_datasets_hold_the_splits(tmp_path, in_memory):
    found = pictures.load(str(classes(tmp_path)), 8, in_memory=in_memory, quiet=True)
    train, validation, test = found.datasets(batch_size=4, seed=1)
    for data, split in ((validation, found.validation), (test, found.test)):
        images, labels = (
            np.concatenate(parts) for parts in zip(*data.as_numpy_iterator(), strict=True)
        )
        assert np.array_equal(images, split.images[:]) and np.array_equal(labels, split.labels)
    assert train.element_spec[0].shape.as_list() == [None, 8, 8, 3]
    images, labels = (
        np.concatenate(parts) for parts in zip(*train.as_numpy_iterator(), strict=True)
    )
    key = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    wanted = zip(found.train.images[:], found.train.labels, strict=True)
    assert key == {image.tobytes(): label for image, label in wanted}


def test_a_table_has_a_row_a_picture(tmp_path):
    found = load(classes(tmp_path))
    table = found.table()
    assert list(table.columns) == ["file", "class", "label", "split", "height", "width"]
    assert set(table["file"]) == names_of(found)
    assert (table["file"].str.split("/").str[0] == table["class"]).all()
    assert table["split"].value_counts().to_dict() == {"train": 6, "validation": 2, "test": 2}
    assert set(table["height"]) == {40} and set(table["width"]) == {48}


def test_the_report_shows_counts_and_what_was_left_out(tmp_path):
    folder = classes(tmp_path, names=("<cat>", "dog"))
    for number in range(4):
        shutil.copy(folder / "dog" / "0.png", folder / "dog" / f"copy {number}.png")
        (folder / "dog" / f"empty {number}.png").write_bytes(b"")
    page = BeautifulSoup(load(folder)._repr_html_(), "html.parser")
    counts, left_out = (
        [
            [cell.get_text("|") for cell in row.find_all(["td", "th"])]
            for row in table.find_all("tr")
        ]
        for table in page.find_all("table")
    )
    assert counts == [
        ["class", "train", "validation", "test", "for example"],
        ["<cat>", "3", "1", "1", ""],
        ["dog", "3", "1", "1", ""],
        ["together", "6", "2", "2", ""],
    ]
    empty = "dog/empty 0.png|dog/empty 1.png|dog/empty 2.png|and 1 more"
    copies = "dog/copy 0.png|dog/copy 1.png|dog/copy 2.png|and 1 more"
    assert left_out == [
        ["left out", "files", "for example"],
        ["a copy of another", "4", copies],
        ["the file is empty", "4", empty],
    ]
    shown = [image["alt"] for image in page.find_all("img")]
    assert shown == ["<cat>"] * 3 + ["dog"] * 3 + copies.split("|")[:3]


def test_the_figure_has_a_bar_a_class_and_split(tmp_path):
    from helpers import plots

    found = load(classes(tmp_path))
    bars, sizes = plots.loaded(found)
    assert [bar.get_width() for bar in bars.patches] == [3, 3, 1, 1, 1, 1]
    assert sum(len(points.get_offsets()) for points in sizes.collections) == 10
