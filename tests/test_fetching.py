"""What a recipe needs, and its download in a process of its own, against a server on 127.0.0.1."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections import namedtuple
from pathlib import Path

import keras
import pytest
import recipe_server
from bs4 import BeautifulSoup
from PIL import Image
from recipe_server import Held, break_off_once, ranges
from serving import serving

from helpers import bases, costs, fetching, lessons, machine, recipes
from helpers.fetching import DONE, FAILED, STOPPED, Bar, Fetching
from helpers.pictures import photographs, tfds

PATIENCE = 120
# The same program without the pauses between attempts.
WITHOUT_PAUSES = (
    "import sys; from helpers import downloads, fetching; downloads.BACKOFF_SECONDS = 0; "
    "sys.exit(fetching.main(sys.argv[1:]))"
)
COMMAND = (sys.executable, "-c", WITHOUT_PAUSES)
DEAD = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of this test's own, and no way out of this machine: its proxy is dead."""
    for name in ("COURSE_MIRROR", "COURSE_RECIPE", "COURSE_PICTURES", "COURSE_SHARED"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, DEAD)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server") / "served"
    recipe_server.fill(folder)
    return folder


@pytest.fixture
def mirror(filled, monkeypatch):
    with serving(filled) as served:
        monkeypatch.setenv("COURSE_MIRROR", served.url)
        yield served


def fetched(name: str, folder: Path | None = None) -> Fetching:
    """Fetch to the end."""
    one = Fetching(name, folder, command=COMMAND)
    one.wait(PATIENCE)
    return one


def begun(name: str, condition) -> Fetching:
    """Fetch until a condition holds."""
    reached = threading.Event()

    def look():
        if made and condition(made[0]):
            reached.set()

    made = []
    made.append(Fetching(name, changed=look, command=COMMAND))
    look()
    assert reached.wait(PATIENCE), made[0].note
    return made[0]


# What is needed, and how long it takes


def test_the_drawings_need_nothing():
    assert fetching.needs("drawings") == ()
    assert fetching.size("drawings") == "no download"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("tutorial", "69 MB of photographs and 9 MB of weights"),
        ("article", "825 MB of photographs and 84 MB of weights"),
        ("folder", "9 MB of weights"),
    ],
)
def test_what_is_to_be_downloaded(name, size):
    assert fetching.size(name) == size
    assert fetching.here(name) == "not here yet"


def test_what_is_here_already(monkeypatch):
    monkeypatch.setattr(bases, "is_ready", lambda name: None)
    assert fetching.here("tutorial") == "weights are here, 69 MB to come"
    assert fetching.here("folder") == "all of it is here"


def test_the_size_of_the_articles_archive_is_tfdss():
    assert fetching.needs("article")[0].megabytes == round(tfds.BYTES / 1e6)


def test_the_networks_costs_are_as_counted():
    def count(network, side):
        shape = (side, side, 3)
        return costs.multiply_adds(network(input_shape=shape, include_top=False, weights=None))

    ratio = count(keras.applications.Xception, 150) / count(keras.applications.MobileNetV2, 160)
    assert ratio == pytest.approx(fetching.WORK["Xception"], rel=0.01)


def test_the_drawings_time_is_the_lessons_own():
    seconds = sum(lesson.seconds for lesson in lessons.LESSONS if lesson.number <= 5)
    drawings, tutorial = recipes.find("drawings"), recipes.find("tutorial")
    reference = lessons.REFERENCE_PICTURES_PER_SECOND
    assert fetching.expected_minutes(drawings) == pytest.approx(seconds / 60)
    assert fetching.expected_minutes(drawings, rate=reference / 2) == pytest.approx(seconds / 30)
    # 10 epochs of 2,500 pictures, 10 of 2,000 there and back and 500, and all once.
    passes = 10 * 2500 + 10 * 4500 + 2500
    expected = (seconds / 2 + passes / (2 * reference)) / 60
    assert fetching.expected_minutes(tutorial, rate=2 * reference) == pytest.approx(expected)


def test_a_training_ends_after_its_minutes():
    article = recipes.find("article")
    slow = fetching.expected_minutes(article, rate=1.0)
    seconds = sum(
        lessons.expected_seconds(lesson, 1.0) for lesson in lessons.LESSONS if lesson.number <= 5
    )
    assert slow == pytest.approx(seconds / 60 + 3 * article.minutes)
    assert fetching.expected_minutes(article, rate=1e6) < 2


def test_it_is_said_how_a_time_is_known():
    assert fetching.duration("drawings").endswith("on two CPU cores (measured)")
    assert "for 1,000 pictures" in fetching.duration("folder")
    assert fetching.duration("tutorial", rate=500.0).endswith("on this machine (calculated)")


@pytest.mark.parametrize("kept", [None, "", "{}", '{"pictures_per_second": 0}', "[1]"])
def test_a_speed_that_was_not_measured_is_none(cache, kept):
    if kept is not None:
        cache.mkdir()
        (cache / "speed.json").write_text(kept)
    assert machine.speed() is None
    machine.remember_speed(50.0)
    assert machine.speed() == 50.0


# Fetching


def test_all_of_it_comes_and_is_chosen(mirror):
    one = fetched("tutorial")
    assert (one.state, one.note) == (DONE, "All is here. The recipe 'tutorial' is chosen.")
    assert recipes.chosen().name == "tutorial"
    assert fetching.here("tutorial") == "all of it is here"
    assert len(mirror.requests) == 2
    assert fetched("tutorial").state == DONE and len(mirror.requests) == 2


def test_a_break_in_the_middle_is_gone_on_from(mirror):
    mirror.misbehave = break_off_once()
    assert fetched("tutorial").state == DONE
    first, second = ranges(mirror.requests)
    assert first is None and int(second.removeprefix("bytes=").rstrip("-")) > 1_000_000


def test_stop_keeps_what_came_and_the_next_click_goes_on(mirror, cache):
    mirror.misbehave = held = Held()
    try:
        one = begun("tutorial", lambda one: one.bar and one.bar.done > 1_000_000)
        assert 0.3 < one.bar.share < 0.7
        one.stop()
        one.wait(PATIENCE)
    finally:
        held.go_on.set()
    assert one.state == STOPPED and "it goes on" in one.note
    assert recipes.chosen().name == "drawings"
    kept = (cache / f"{photographs.ZIP}.part").stat().st_size
    assert kept > 1_000_000
    assert fetched("tutorial").state == DONE
    assert ranges(mirror.requests) == [None, f"bytes={kept}-"]


def test_a_process_that_does_not_want_to_stop_is_ended():
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        'print(\'{"said": "deaf"}\', flush=True); time.sleep(600)'
    )
    heard = threading.Event()
    one = Fetching("tutorial", changed=heard.set, command=(sys.executable, "-c", deaf))
    assert heard.wait(PATIENCE)
    one.stop()
    one.wait(PATIENCE)
    assert one.state == STOPPED


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_a_process_that_is_stopped_tidies_up(tmp_path):
    tidy = (
        "import pathlib, signal, sys, threading; from helpers import fetching\n"
        "signal.signal(signal.SIGTERM, fetching._end)\n"
        "try:\n"
        "    fetching.tell(said='half a file is there')\n"
        "    threading.Event().wait()\n"
        f"finally: pathlib.Path({str(tmp_path / 'tidied')!r}).touch()"
    )
    heard = threading.Event()
    one = Fetching("tutorial", changed=heard.set, command=(sys.executable, "-c", tidy))
    assert heard.wait(PATIENCE)
    one.stop()
    one.wait(PATIENCE)
    assert one.state == STOPPED and (tmp_path / "tidied").exists()


@pytest.mark.parametrize("code", ["raise SystemExit(130)", "import os; os.kill(os.getpid(), 2)"])
def test_the_kernels_interrupt_stops_it(code):
    one = Fetching("tutorial", command=(sys.executable, "-c", code))
    one.wait(PATIENCE)
    assert one.state == STOPPED


def test_another_file_than_the_published_one_is_refused(mirror, tmp_path, monkeypatch):
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / tfds.ARCHIVE).write_bytes(b"PK\x03\x04" + bytes(5000))
    recipes.choose("tutorial")
    with serving(tmp_path / "wrong") as wrong:
        monkeypatch.setenv("COURSE_MIRROR", wrong.url)
        one = fetched("article")
    assert one.state == FAILED and "another file than the published one" in one.note
    assert recipes.chosen().name == "tutorial"  # as before


def test_a_proxy_that_refuses_is_said_in_a_sentence():
    one = fetched("tutorial")
    assert one.state == FAILED
    assert "the proxy did not let it through" in one.note and "HTTPS_PROXY" in one.note
    assert "it goes on where it stopped" in one.note and "Received" not in one.note


def test_no_network_is_said_in_a_sentence(monkeypatch):
    monkeypatch.setattr(photographs, "URLS", (f"{DEAD}/{photographs.ZIP}",))
    said = told(monkeypatch, "tutorial")
    assert "127.0.0.1:9: no connection" in said["failed"]


def told(monkeypatch, *arguments: str) -> dict:
    """The last line that the program prints, run here."""
    from helpers import downloads

    lines = []
    monkeypatch.setattr(downloads, "BACKOFF_SECONDS", 0)
    monkeypatch.setattr(fetching.signal, "signal", lambda *arguments: None)
    monkeypatch.setattr(fetching, "tell", lambda **line: lines.append(line))
    fetching.main(arguments)
    return lines[-1]


def test_a_full_disk_is_said_in_a_sentence(mirror, monkeypatch):
    full = namedtuple("usage", "total used free")(10, 10, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    said = told(monkeypatch, "tutorial")
    assert "a full disk" in said["failed"] and "Make room" in said["failed"]


def test_what_came_and_is_not_whole_is_no_success(mirror, monkeypatch):
    monkeypatch.setattr(bases, "fetch", lambda name: Path())
    assert "not on this machine" in told(monkeypatch, "tutorial")["failed"]


def test_a_program_that_falls_over_is_a_failure_with_its_last_line():
    one = Fetching("tutorial", command=(sys.executable, "-c", "raise KeyError('oh')"))
    one.wait(PATIENCE)
    assert (one.state, one.note) == (FAILED, "It failed: KeyError: 'oh'")
    one = Fetching("tutorial", command=(sys.executable, "-c", "raise SystemExit(3)"))
    one.wait(PATIENCE)
    assert "code 3" in one.note


def test_preparing_is_counted():
    line = "Generating train examples...:  3000 examples [00:02, 1200.00 examples/s]"
    seen = []
    one = Fetching(
        "drawings",
        changed=lambda: seen.append(1),
        command=(sys.executable, "-c", f"import sys; print({line!r}, file=sys.stderr)"),
    )
    one.wait(PATIENCE)
    assert "prepares the pictures: 3,000 so far." in one.said and seen


# A folder


def pictures_in(folder: Path, **counts: int) -> Path:
    """A folder with a subfolder a class, each picture of another colour."""
    for red, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (40, 30), (50 * red, number, 9)).save(folder / name / f"{number}.png")
    return folder


def test_a_folder_is_looked_at_then_its_weights_come(mirror, tmp_path):
    mine = pictures_in(tmp_path / "my mugs", cup=10, mug=40)
    (mine / "cup" / "notes.png").write_text("milk")
    one = fetched("folder", mine)
    assert one.state == DONE, one.note
    chosen = recipes.chosen()
    assert (chosen.name, chosen.pictures) == ("folder", str(mine))
    report = BeautifulSoup(one.report, "html.parser")
    said = report.get_text(" ", strip=True)
    assert "50 pictures of 2 classes" in said and "not a picture in" in said
    assert [image["alt"] for image in report("img")] == 3 * ["cup"] + 3 * ["mug"]
    assert "Few pictures of cup (10)" in said
    assert "4 times as many of mug as of cup" in said
    assert "Lessons 1 to 5: about" in said


def test_a_folder_that_will_not_do_costs_no_download(mirror, tmp_path):
    one = fetched("folder", pictures_in(tmp_path / "one", mug=5))
    assert one.state == FAILED and "at least 2, one for each class" in one.note
    one = fetched("folder", pictures_in(tmp_path / "few", cup=5, mug=2))
    assert one.state == FAILED and "2 readable pictures in class 'mug'" in one.note
    assert mirror.requests == [] and recipes.chosen().name == "drawings"


# How far a download is


@pytest.mark.parametrize(
    ("bar", "text"),
    [
        (Bar("a.zip", 0), "a.zip: 0.0 MB"),
        (Bar("a.zip", 31_000_000, 69_000_000), "a.zip: 31.0 of 69.0 MB"),
        (
            Bar("a.zip", 31_000_000, 69_000_000, 4e6),
            "a.zip: 31.0 of 69.0 MB, 4.0 MB/s, about 10 s left",
        ),
        (
            Bar("a.zip", 0, 825_000_000, 1e6),
            "a.zip: 0.0 of 825.0 MB, 1.0 MB/s, about 14 min left",
        ),
        (Bar("a.zip", 1_000_000, None, 1e6), "a.zip: 1.0 MB, 1.0 MB/s"),
    ],
)
def test_a_bar_in_words(bar, text):
    assert str(bar) == text


def test_the_program_prints_json(mirror, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_BAR", "lines")
    monkeypatch.setattr(fetching.signal, "signal", lambda *arguments: None)
    assert fetching.main(["tutorial"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    told = [json.loads(line) for line in lines]
    bars = [line for line in told if "bar" in line]
    size = (mirror.folder / photographs.ZIP).stat().st_size
    assert (bars[0]["done"], bars[0]["total"]) == (0, size)
    assert [line["said"] for line in told if "said" in line] == [
        "Downloading: photographs.",
        "Downloading: weights.",
    ]
