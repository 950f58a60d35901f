"""doctor: what it finds, and what it says to mend."""

from __future__ import annotations

import re
import sys
from collections import namedtuple
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from helpers import bases, machine, pictures
from helpers.commands import doctor
from helpers.lessons import LESSONS, REFERENCE_PICTURES_PER_SECOND, expected_seconds
from helpers.paths import ROOT

Memory = namedtuple("Memory", "available total")


@pytest.fixture
def healthy(tmp_path, monkeypatch):
    """A machine on which nothing stops the course, and no TensorFlow to wait for."""
    for lesson in LESSONS:
        (tmp_path / f"{lesson.stem}.ipynb").touch()
    monkeypatch.setattr("helpers.paths.NOTEBOOKS", tmp_path)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(8e9, 16e9))
    Usage = namedtuple("Usage", "free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: Usage(50e9))
    monkeypatch.setattr(doctor, "gpu_names", lambda: "")
    monkeypatch.setattr(doctor, "cpu_information", lambda: "flags : sse avx avx2\n")
    reference = REFERENCE_PICTURES_PER_SECOND
    monkeypatch.setattr(doctor, "pictures_per_second", lambda: reference / 2)
    monkeypatch.setattr(doctor, "wrong_versions", lambda locked: [])
    return monkeypatch


def test_a_limit_that_is_no_number_is_a_problem(healthy, capsys):
    healthy.setenv("COURSE_CACHE_GB", "a lot")
    assert doctor.main() == 1
    assert "Received: COURSE_CACHE_GB=a lot." in capsys.readouterr().out


def test_a_healthy_machine(healthy, capsys):
    healthy.setattr(pictures, "is_ready", lambda name: "not here" if name == "tfds" else None)
    healthy.setattr(bases, "is_ready", lambda name: "absent" if name == "Xception" else None)
    assert doctor.main() == 0
    said = capsys.readouterr().out
    assert version("tensorflow") in said and version("keras") in said
    lines = {line[:22].strip(): line[23:] for line in said.splitlines()}
    assert lines["pictures photos"] == "downloaded"
    assert lines["pictures tfds"] == "not here"
    assert lines["pictures drawings"] == lines["base drawn"] == "comes with the course"
    assert lines["bases downloaded"].startswith("MobileNetV2, ResNet50V2")
    assert "drawn" not in lines["bases downloaded"]
    assert re.match(r"\d+ MB of at most 10,000 MB .*features; may", lines["features kept"])
    assert "Xception" in lines["bases to fetch"]
    assert lines["kernel python3"] == "in this environment"
    for lesson in LESSONS:
        assert lines[f"lesson {lesson.number}"] == (
            f"about {doctor.readable(2 * lesson.seconds)}: {lesson.title}"
        )
    assert "Nothing stops the course." in said
    assert machine.speed() == REFERENCE_PICTURES_PER_SECOND / 2  # for the start page


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (("psutil.virtual_memory", lambda: Memory(1e9, 4e9)), "1.0 GB of memory .* Close programs"),
        (
            ("shutil.disk_usage", lambda f: namedtuple("U", "free")(2e8)),
            "0.2 GB of disk .*COURSE_CACHE",
        ),
        (("cpu_information", lambda: "flags : sse\n"), "no AVX .*another machine"),
        (
            ("wrong_versions", lambda locked: ["keras is 3.0, not ==3.15"]),
            "keras is 3.0.*course-stamp",
        ),
        (("kernel_fault", lambda: "is missing"), "kernel 'python3' is missing.*course-stamp"),
    ],
)
def test_what_stops_the_course(healthy, capsys, spoil, mend):
    name, value = spoil
    target = psutil if name.startswith("psutil.") else doctor
    target = doctor.shutil if name.startswith("shutil.") else target
    healthy.setattr(target, name.split(".")[-1], value)
    assert doctor.main() == 1
    assert re.search(f"To mend: .*{mend}", capsys.readouterr().out)


@pytest.mark.parametrize("room", [bases, pictures])
def test_missing_embedded_files_stop_the_course(healthy, capsys, room):
    embedded = {"drawn", "drawings"}
    healthy.setattr(
        room, "is_ready", lambda name: "git brings it back" if name in embedded else None
    )
    assert doctor.main() == 1
    assert "To mend: git brings it back" in capsys.readouterr().out


def test_missing_notebooks_stop_the_course(healthy, capsys):
    LESSONS[1].notebook.unlink()
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert f"{LESSONS[1].stem}.ipynb" in said and "git checkout" in said
    assert LESSONS[0].stem not in said.partition("To mend")[2]


def test_a_tensorflow_that_cannot_be_imported_stops_the_course(healthy, capsys):
    def fail():
        raise ImportError("DLL load failed")

    healthy.setattr(doctor, "gpu_names", fail)
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert "DLL load failed" in said and "Visual C++" in said


def test_versions_against_the_lock():
    here = version("numpy")
    lock = [
        "# a comment",
        f"numpy=={here}",
        "    # via keras",
        "pandas==0.1 \\",
        "    --hash=sha256:0123",
        "no-such-package==1.0",
        "no-such-package==2.0 ; sys_platform == 'nowhere'",
    ]
    assert [line.split()[0] for line in doctor.wrong_versions(lock)] == [
        "pandas",
        "no-such-package",
    ]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_this_environment_is_as_locked(name):
    lock = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert list(doctor.wrong_versions(lock)) == []


def test_old_processors():
    assert doctor.lacks_avx("model name: x\nflags\t\t: fpu sse sse2\n")
    assert not doctor.lacks_avx("flags\t\t: fpu avx avx2\n")
    assert not doctor.lacks_avx("")  # no such file: macOS, Windows, or ARM, which lists 'Features'


def test_expected_seconds_scale_and_stop_shrinking():
    lesson = replace(LESSONS[0], seconds=100)
    reference = REFERENCE_PICTURES_PER_SECOND
    assert expected_seconds(lesson, reference) == pytest.approx(100)
    assert expected_seconds(lesson, reference / 4) == pytest.approx(400)
    assert expected_seconds(lesson, 100 * reference) == pytest.approx(30)
    assert [doctor.readable(s) for s in (3, 44, 119, 600)] == ["10 s", "40 s", "120 s", "10 min"]


def test_the_kernel_of_another_environment_is_told(tmp_path, monkeypatch):
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["x"], "display_name": "x", "language": "python"}')
    monkeypatch.setattr("jupyter_client.kernelspec.jupyter_path", lambda *_: [str(spec.parent)])
    assert "another environment's" in doctor.kernel_fault()


def test_the_cache_folder_need_not_exist(tmp_path):
    assert doctor.existing(tmp_path / "a" / "b") == tmp_path
    assert Path(sys.prefix).exists()


@pytest.mark.slow
def test_calibration_measures_a_speed():
    assert doctor.pictures_per_second(batches=1, repeats=1) > 1
