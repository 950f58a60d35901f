"""The learner's copies: made, renewed, never overwritten."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers import copies, files, lessons, paths
from helpers.commands import afresh, lab

LESSON = lessons.find(3)
NAME = LESSON.notebook.name


@pytest.fixture
def originals(tmp_path):
    folder = tmp_path / "notebooks"
    (folder / "figures").mkdir(parents=True)
    (folder / "source").mkdir()
    (folder / NAME).write_text("lesson 3")
    (folder / "00_start.ipynb").write_text("start")
    (folder / "figures" / "once.svg").write_text("<svg/>")
    (folder / "source" / "03.py").write_text("text")
    return folder


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "my work"))
    return tmp_path / "my work"


def states(found: list[copies.Copy]) -> dict[str, str]:
    return {copy.name: copy.state for copy in found}


def visible(folder: Path) -> list[str]:
    """All files that do not begin with a dot, by their path."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_the_first_time_all_is_copied_but_the_text(originals, work):
    made = states(copies.refresh(originals))
    assert made == dict.fromkeys(("00_start.ipynb", NAME, "figures/once.svg"), "made")
    assert visible(work) == sorted(made)
    assert (work / NAME).read_bytes() == (originals / NAME).read_bytes()
    assert set(states(copies.refresh(originals)).values()) == {"same"}


def test_an_untouched_copy_is_renewed_again_and_again(originals, work):
    copies.refresh(originals)
    for text in ("second", "third", "lesson 3"):
        (originals / NAME).write_text(text)
        assert states(copies.refresh(originals))[NAME] == "renewed"
        assert (work / NAME).read_text() == text


def test_what_a_learner_changed_stays(originals, work):
    copies.refresh(originals)
    (work / NAME).write_text("my answer")
    assert states(copies.refresh(originals))[NAME] == "yours"
    (originals / NAME).write_text("second")
    (originals / "figures" / "once.svg").write_text("<svg>2</svg>")
    for _ in range(2):
        found = copies.refresh(originals)
        assert states(found)[NAME] == "outdated"
        assert (work / NAME).read_text() == "my answer"
    assert (work / "figures" / "once.svg").read_text() == "<svg>2</svg>"
    (said,) = [line for line in copies.told(found) if NAME in line]
    assert "afresh 3`" in said and "stays as it is" in said


def test_a_copy_that_was_there_before_the_record_is_the_learners(originals, work):
    work.mkdir()
    (work / NAME).write_text("my answer")
    assert states(copies.refresh(originals))[NAME] == "outdated"
    assert (work / NAME).read_text() == "my answer"


@pytest.mark.parametrize("record", ["", "{", "[]", '{"03_extract_features.ipynb": 7}', None])
def test_a_lost_record_costs_nothing_of_the_learners(originals, work, record):
    copies.refresh(originals)
    (work / "00_start.ipynb").write_text("my start")
    if record is None:
        (work / copies.RECORD).unlink()
    else:
        (work / copies.RECORD).write_text(record)
    found = states(copies.refresh(originals))
    assert found[NAME] == "same" and found["00_start.ipynb"] == "outdated"
    (originals / NAME).write_text("second")
    assert states(copies.refresh(originals))[NAME] == "renewed"
    assert (work / "00_start.ipynb").read_text() == "my start"


def test_a_deleted_copy_is_made_again(originals, work):
    copies.refresh(originals)
    (work / NAME).unlink()
    assert states(copies.refresh(originals))[NAME] == "made"


def test_a_lesson_that_is_no_more_goes_unless_it_was_changed(originals, work):
    (originals / "08_old.ipynb").write_text("old")
    (originals / "09_old.ipynb").write_text("old")
    copies.refresh(originals)
    (work / "09_old.ipynb").write_text("my answer")
    (work / "mine.ipynb").write_text("my own")
    for name in ("08_old.ipynb", "09_old.ipynb"):
        (originals / name).unlink()
    found = copies.refresh(originals)
    assert states(found)["08_old.ipynb"] == "gone"
    assert not (work / "08_old.ipynb").exists()
    assert (work / "09_old.ipynb").read_text() == "my answer"
    assert (work / "mine.ipynb").read_text() == "my own"
    assert copies.told(found) == ["Removed, for the course has them no more: 08_old.ipynb."]


def test_afresh_keeps_the_learners_under_a_name_with_the_date(originals, work):
    copies.refresh(originals)
    asides = []
    for answer in ("first answer", "second answer", "third answer"):
        (work / NAME).write_text(answer)
        asides.append(copies.afresh(LESSON, originals))
        assert asides[-1].read_text() == answer
        assert (work / NAME).read_text() == "lesson 3"
    assert len(set(asides)) == 3
    assert all(re.match(r"03_extract_features_\d{4}-\d\d-\d\d_", path.name) for path in asides)
    (originals / NAME).write_text("second")
    assert states(copies.refresh(originals))[NAME] == "renewed"
    assert [path.read_text()[:5] for path in asides] == ["first", "secon", "third"]


def test_afresh_of_an_untouched_or_missing_copy_keeps_nothing(originals, work):
    assert copies.afresh(LESSON, originals) is None
    assert copies.afresh(LESSON, originals) is None
    (originals / NAME).write_text("second")
    assert copies.afresh(LESSON, originals) is None
    assert (work / NAME).read_text() == "second"
    assert visible(work) == [NAME]


@pytest.mark.parametrize("writes", range(6))
def test_who_is_killed_while_copying_loses_nothing(originals, work, monkeypatch, writes):
    copies.refresh(originals)
    (work / "00_start.ipynb").write_text("my start")
    for name in ("00_start.ipynb", NAME):
        (originals / name).write_text("second")
    (originals / "figures" / "once.svg").write_text("<svg>2</svg>")
    left = [writes]

    def write_or_die(path, contents):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        files.write_whole(path, contents)

    monkeypatch.setattr(copies, "write_whole", write_or_die)
    try:
        copies.refresh(originals)
        assert writes >= 4  # two files, each with its record
    except KeyboardInterrupt:
        pass
    assert (work / NAME).read_text() in {"lesson 3", "second"}
    monkeypatch.setattr(copies, "write_whole", files.write_whole)
    (originals / NAME).write_text("third")  # while the learner is away
    assert states(copies.refresh(originals))[NAME] == "renewed"
    assert (work / NAME).read_text() == "third"
    assert (work / "00_start.ipynb").read_text() == "my start"


def test_a_full_disk_is_said_in_a_sentence(originals, work, monkeypatch):
    def full(path, contents):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, "write_whole", full)
    with pytest.raises(OSError, match=r"No space left.*Expected: a folder.*COURSE_WORK"):
        copies.refresh(originals)
    assert visible(work) == []


def test_a_folder_that_cannot_be_is_said_by_the_commands(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "file" / "work"))
    assert lab.main(no_browser=True) == 1
    assert afresh.main(LESSON) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 2 and said.count("COURSE_WORK") == 2


def test_a_folder_without_lessons_is_an_error(tmp_path, work):
    with pytest.raises(FileNotFoundError, match="git checkout notebooks"):
        copies.refresh(tmp_path / "nothing")


def test_the_command_says_what_was_kept(work, capsys):
    copies.refresh()
    assert afresh.main(LESSON) == 0
    assert "nothing of yours" in capsys.readouterr().out
    (work / NAME).write_text("my answer")
    assert afresh.main(LESSON) == 0
    assert "Yours is kept as 03_extract_features_" in capsys.readouterr().out
    assert (work / NAME).read_bytes() == LESSON.notebook.read_bytes()


def test_figures_and_links_work_from_the_copies(work):
    copies.refresh()
    for path in work.glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join(
            "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
        )
        targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text))
        for target in targets:
            path = work / target.partition("#")[0]
            assert target.startswith(("https://", "#")) or path.is_file(), target


def test_git_ignores_the_copies():
    assert "work/" in (paths.ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_a_page_without_a_number_is_told_by_its_name(originals, work):
    page = lessons.GLOSSARY.notebook.name
    (originals / page).write_text("words")
    copies.refresh(originals)
    (work / page).write_text("mine")
    (originals / page).write_text("more words")
    assert "course.py afresh glossary`" in copies.told(copies.refresh(originals))[-1]
