"""Uploaded files are hostile: size, kind by contents, names; and the panels that take them."""

from __future__ import annotations

import datetime
import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from test_decoding import boxed, png_of, saved, scene, turned_exif

from helpers import panels, pictures
from helpers.pictures import headers, labels, uploads

NAMES = ("ant", "bee <b>")
HOSTILE = '<script>alert("x")</script>.jpg'


def sent(*files: tuple[str, bytes]) -> tuple[dict, ...]:
    """What `FileUpload.value` holds."""
    now = datetime.datetime.now(tz=datetime.UTC)
    return tuple(
        {
            "name": name,
            "type": "image/jpeg",
            "size": len(contents),
            "content": memoryview(contents),
            "last_modified": now,
        }
        for name, contents in files
    )


def predict(images: np.ndarray) -> np.ndarray:
    """The share of red and of all else."""
    assert images.dtype == np.uint8
    red = images[..., 0].mean(axis=(1, 2)) / 255
    return np.stack([red, 1 - red], axis=1)


def colour(red: int) -> bytes:
    return saved(Image.new("RGB", (30, 20), (red, 0, 0)), "PNG")


# What is received


def test_pictures_and_reasons_come_in_their_order():
    contents = saved(scene(), "JPEG", exif=turned_exif(6))
    found = uploads.receive(
        sent(("a.jpg", contents), ("b.jpg", boxed(b"heic")), ("c.png", png_of(50_000, 50_000))), 16
    )
    np.testing.assert_array_equal(found[0].image, pictures.decode(contents, 16))
    with Image.open(io.BytesIO(contents)) as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored).resize((16, 16))).astype(int)
    assert np.abs(found[0].image - upright).mean() < 20
    assert [one.reason for one in found] == [None, headers.CODING, headers.TOO_LARGE]
    assert found[1].image is None and found[1].contents == b""


def test_files_of_too_many_bytes_are_not_even_looked_at(monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 100)
    monkeypatch.setattr(pictures, "decode", None)
    (found,) = uploads.receive(sent(("a.jpg", bytes(101))), 16)
    assert found.image is None and found.reason.startswith("larger than")


def test_too_many_files_are_cut_off(monkeypatch):
    monkeypatch.setattr(uploads, "MOST_FILES", 2)
    found = uploads.receive(sent(*[(f"{n}.png", colour(9)) for n in range(5)]), 8)
    assert len(found) == 3 and found[2].name == "3 more" and "more than 2 files" in found[2].reason


# What is stored


@pytest.mark.parametrize(
    "name",
    ["", "  ", ".", "..", "../up", "a/b", "a\\b", "/etc", ".hidden", "C:", "con", "NUL", "lpt1",
     "a\0b", "a\nb", "x" * 51, "-rf", "a.b", "$(x)"],
)  # fmt: skip
def test_a_class_name_that_is_no_folder_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="Received: class name"):
        uploads.store(tmp_path, name, uploads.receive(sent(("a.png", colour(1))), 8))
    assert list(tmp_path.iterdir()) == []


def test_pictures_get_new_names_and_none_is_overwritten(tmp_path):
    received = uploads.receive(
        sent(("../../evil.jpg", colour(1)), ("x.php", saved(scene(), "JPEG")), ("t.txt", b"no")), 8
    )
    first = uploads.store(tmp_path / "mine", " my mug ", received)
    assert [path.name for path in first] == ["upload_0001.png", "upload_0002.jpg"]
    before = {path: path.read_bytes() for path in first}
    first[0].rename(first[0].with_name("upload_0003.png"))
    second = uploads.store(tmp_path / "mine", "my mug", received)
    files = sorted(path.name for path in (tmp_path / "mine" / "my mug").iterdir())
    assert len(second) == 2 and len(files) == len({name[:11] for name in files}) == 4
    assert first[1].read_bytes() == before[first[1]]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert uploads.counts(tmp_path / "mine") == {"my mug": 4}
    assert uploads.counts(tmp_path / "nowhere") == {}


def test_a_class_folder_that_leads_elsewhere_is_refused(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "elsewhere").mkdir()
    try:
        (tmp_path / "mine" / "mug").symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("this system lets only administrators make links")
    with pytest.raises(ValueError, match="which leads to"):
        uploads.store(tmp_path / "mine", "mug", uploads.receive(sent(("a.png", colour(1))), 8))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_was_collected_loads(tmp_path):
    for name in ("red", "dark"):
        files = [(f"{n}.png", colour(n + 200 * (name == "red"))) for n in range(4)]
        uploads.store(tmp_path, name, uploads.receive(sent(*files), 8))
    found = pictures.load(str(tmp_path), 8, quiet=True)
    assert found.class_names == ("dark", "red") and found.left_out == ()


# The panels


def test_the_predict_panel_names_pictures_and_refuses_the_rest():
    panel = panels.predict_panel(predict, NAMES, 16, threshold=0.6)
    upload, said = panel.children
    assert said.value == "No picture yet."
    upload.value = sent(("dark.png", colour(10)), (HOSTILE, b"text"), ("half.png", colour(128)))
    first, refused, half = (
        said.value.split("</div></div>")[0],
        *[part for part in said.value.split("<b>") if "script" in part or "half" in part],
    )
    assert "bee &lt;b&gt;" in first and "0.961" in first and "<img" in first
    assert "<script" not in said.value and "&lt;script&gt;" in refused
    assert headers.NOT_A_PICTURE in refused
    assert half.startswith("half.png</b>: none of these")
    assert said.value in panel._repr_mimebundle_()["text/html"]


def test_the_predict_panel_shows_examples_first_and_a_limited_number(monkeypatch):
    from helpers.panels import predict as module

    monkeypatch.setattr(module, "MOST_SHOWN", 2)
    images = np.full((1, 16, 16, 3), 200, np.uint8)
    panel = panels.predict_panel(predict, NAMES, 16, examples=images)
    upload, said = panel.children
    assert "example</b>: ant" in said.value
    upload.value = sent(*[(f"{n}.png", colour(9)) for n in range(4)])
    assert said.value.count("<img") == 2 and "Only the first 2" in said.value


def test_the_upload_panel_fills_a_class(tmp_path):
    panel = panels.upload_panel(tmp_path / "mine")
    (name, upload, add), said = panel.children[0].children, panel.children[1]
    assert "No classes yet" in said.value
    name.value = "../etc"
    upload.value = sent(("a.png", colour(1)))
    add.click()
    assert "Received: class name" in said.value and not (tmp_path / "mine").exists()
    name.value = "mug"
    add.click()
    assert "No pictures chosen yet" in said.value
    upload.value = sent(("a.png", colour(1)), (HOSTILE, b"text"))
    add.click()
    assert "Added to mug: 1." in said.value and "<td>mug</td><td>1</td>" in said.value
    assert "<script" not in said.value and headers.NOT_A_PICTURE in said.value
    assert upload.value == () and uploads.counts(tmp_path / "mine") == {"mug": 1}


@pytest.fixture
def pile() -> dict:
    random = np.random.default_rng(0)
    given = np.arange(20) % 2
    probability = np.full((20, 2), 0.5)
    probability[np.arange(20), given] = 0.9
    probability[np.arange(20), 1 - given] = 0.1
    probability[[4, 7]] = probability[[4, 7], ::-1] * [[0.99, 1.01]]
    probability[7] = [0.98, 0.02]
    return {
        "images": random.integers(0, 255, (20, 12, 12, 3), dtype=np.uint8),
        "files": [f"<i>{number}.jpg" for number in range(20)],
        "labels": given,
        "probability": probability,
        "class_names": NAMES,
    }


def test_the_labels_panel_goes_through_the_most_suspicious(pile, tmp_path):
    decisions = labels.Decisions(tmp_path / "decisions.json")
    panel = panels.labels_panel(**pile, decisions=decisions, count=3)
    said, (keep, relabel, to), (leave_out, undecided, previous, following) = (
        panel.children[0],
        panel.children[1].children,
        panel.children[2].children,
    )
    assert "1 of 3: &lt;i&gt;7.jpg" in said.value and to.value == "ant"
    relabel.click()
    assert "2 of 3: &lt;i&gt;4.jpg" in said.value and to.value == "bee <b>"
    leave_out.click()
    keep.click()
    keep.click()
    assert "3 of 3" in said.value
    previous.click()
    assert "Decided: leave out" in said.value
    undecided.click()
    assert "2 of 3" in said.value and "Decided: nothing yet" in said.value
    previous.click()
    previous.click()
    assert "1 of 3" in said.value and "Decided: relabel to ant" in said.value
    following.click()
    assert "2 of 3" in said.value
    assert dict(labels.Decisions(tmp_path / "decisions.json")) == dict(decisions)
    assert decisions["<i>7.jpg"] == labels.Decision("relabel", "ant")
    assert [str(one) for one in decisions.values()] == ["relabel to ant", "keep"]
    again = panels.labels_panel(**pile, decisions=labels.Decisions(decisions.path))
    assert "Decided: relabel to ant" in again.children[0].value


def test_the_labels_panel_leaves_a_grid_behind(pile):
    import base64

    bundle = panels.labels_panel(**pile, decisions=labels.Decisions())._repr_mimebundle_()
    grid = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert grid.width > 600


def test_the_labels_panel_wants_as_many_of_each(pile):
    pile["files"] = pile["files"][:3]
    with pytest.raises(ValueError, match="20 pictures, 3 names"):
        panels.labels_panel(**pile, decisions=labels.Decisions())


def test_letters_of_any_language_will_do():
    assert uploads.class_name("Größe 2_b-c") == "Größe 2_b-c"
