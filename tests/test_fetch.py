"""The fetch command, against a mirror on 127.0.0.1."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
from serving import serving

from helpers import bases, downloads, paths
from helpers.commands import fetch
from helpers.pictures import photographs, tfds

COUNTS = {"train/cats": 3, "train/dogs": 3, "validation/cats": 2, "validation/dogs": 2}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of this test's own, and no way out of this machine."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("COURSE_CACHE", str(folder))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setattr(downloads, "BACKOFF_SECONDS", 0)
    monkeypatch.setattr(photographs, "COUNTS", COUNTS)
    monkeypatch.setattr(photographs, "URLS", (f"http://127.0.0.1:9/{photographs.ZIP}",))
    monkeypatch.setattr(tfds, "URLS", (f"http://127.0.0.1:9/{tfds.ARCHIVE}",))
    return folder


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Serves an archive in the published layout, 1,000 bytes a file."""
    (tmp_path / "served").mkdir()
    with zipfile.ZipFile(tmp_path / "served" / photographs.ZIP, "w") as archive:
        for inside, count in COUNTS.items():
            for number in range(count):
                name = f"{photographs.TOP}/{inside}/{number}.jpg"
                archive.writestr(name, number.to_bytes(1000, "big"))
    with serving(tmp_path / "served") as served:
        monkeypatch.setenv("COURSE_MIRROR", served.url)
        yield served


def last_table(out: str) -> list[list[str]]:
    """The rows that the command ends with, in cells."""
    lines = out.splitlines()
    head = max(number for number, line in enumerate(lines) if line.startswith("what "))
    return [line.split() for line in lines[head:]]


def test_photos_end_in_a_table_that_says_where(mirror, cache, capsys):
    assert fetch.main(["photos"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("photos: downloading\ncats_and_dogs_filtered.zip: ")
    assert last_table(out) == [
        ["what", "ready", "MB", "where"],
        ["photos", "yes", "0.0", str(cache / "photos")],
    ]
    assert fetch.main(["photos"]) == 0
    assert capsys.readouterr().out.startswith("photos: is here\n")
    assert len(mirror.requests) == 1


def test_what_is_out_of_reach_is_said_once_and_the_rest_goes_on(mirror, cache, capsys):
    assert fetch.main(["tfds", "photos"]) == 1
    printed = capsys.readouterr()
    assert last_table(printed.out)[1:] == [
        ["tfds", "no", "-", "-"],
        ["photos", "yes", "0.0", str(cache / "photos")],
    ]
    assert printed.err.startswith("tfds: Received: ")
    assert printed.err.count("\n") == 1


def test_the_bases_are_fetched_by_their_names(tmp_path, monkeypatch, capsys):
    def place(name):
        path = bases.find(name).weights_path
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            file["kernel"] = np.zeros(2_500_000, "int8")
        return path

    monkeypatch.setattr(bases, "fetch", place)
    assert fetch.main(["bases"]) == 0
    rows = last_table(capsys.readouterr().out)[1:]
    assert rows == [
        [name, "yes", "2.5", str(bases.find(name).weights_path)] for name in bases.NAMES_TO_FETCH
    ]


def test_a_base_can_be_fetched_by_its_name(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(bases, "fetch", lambda name: asked.append(name))
    assert fetch.main(["ConvNeXtTiny"]) == 1
    assert asked == ["ConvNeXtTiny"]
    assert "fetch ConvNeXtTiny`" in bases.is_ready("ConvNeXtTiny")
    assert "fetch bases`" in bases.is_ready("MobileNetV2")


def test_a_recipe_is_its_pictures_and_its_weights(mirror, cache, capsys):
    weights = bases.find("MobileNetV2").weights_path
    with h5py.File(mirror.folder / weights.name, "w") as file:
        file["kernel"] = np.zeros(2_500_000, "int8")
    assert fetch.main(["tutorial", "photos", "MobileNetV2"]) == 0
    assert last_table(capsys.readouterr().out)[1:] == [
        ["photos", "yes", "0.0", str(cache / "photos")],
        ["MobileNetV2", "yes", "2.5", str(weights)],
    ]
    assert len(mirror.requests) == 2


def test_the_articles_recipe_is_tfds_and_xception(mirror, capsys):
    assert fetch.main(["article"]) == 1
    printed = capsys.readouterr()
    assert [row[:2] for row in last_table(printed.out)[1:]] == [["tfds", "no"], ["Xception", "no"]]
    assert printed.err.count("Received") >= 2


def test_fetched_is_not_yet_ready(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bases, "fetch", lambda name: tmp_path)
    assert fetch.main(["bases"]) == 1
    assert {row[1] for row in last_table(capsys.readouterr().out)[1:]} == {"no"}


def test_weights_that_cannot_be_had_leave_the_command_standing(monkeypatch, capsys):
    def fail(name):
        raise RuntimeError(f"Received: no ImageNet weights of {name}.")

    monkeypatch.setattr(bases, "fetch", fail)
    assert fetch.main(["bases"]) == 1
    printed = capsys.readouterr()
    assert [row[1] for row in last_table(printed.out)[1:]] == ["no"] * len(bases.NAMES_TO_FETCH)
    assert printed.err.count("\n") == len(bases.NAMES_TO_FETCH)


def test_a_wrong_word_names_the_right_ones(capsys):
    assert fetch.main(["fotos"]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in fetch.CHOICES)


def test_size_is_that_of_all_files(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(bytes(70))
    (tmp_path / "a" / "d").write_bytes(bytes(30))
    assert fetch.size(tmp_path / "a") == 100
    assert fetch.size(tmp_path / "a" / "d") == 30


def test_the_program_ends_with_one_sentence_and_code_1(tmp_path):
    """From outside: no traceback, and nothing leaves this machine: its proxy is dead."""
    proxies = {"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"}
    dead = dict.fromkeys(proxies, "http://127.0.0.1:9")
    without_pauses = (
        "import runpy; from helpers import downloads; downloads.BACKOFF_SECONDS = 0; "
        "runpy.run_module('helpers.commands.command_line', run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", without_pauses, "fetch", "photos"],
        cwd=paths.ROOT,
        env=os.environ | dead | {"COURSE_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "the proxy did not let it through" in ended.stderr
    assert ended.stderr.count("\n") == 1
