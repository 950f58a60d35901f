"""Every faulty set-up of the table is named, its mend is clean, and no sound one is accused."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import preflight_cases
import pytest
from preflight_cases import FAULTY, SOUND, Case, Outcome, look

from helpers.preflight import CHECKS, Finding


def said(found: Outcome) -> str:
    return "\n".join((*found.false, *found.broken)) or "nothing"


# Every third fault; of their mends and of what is sound every fourth. Nightly all, with all checks.
WHOLE = bool(os.environ.get("COURSE_WHOLE"))
FAULTS, STRIDE = list(FAULTY)[:: 1 if WHOLE else 3], 1 if WHOLE else 4
ROOM = sys.modules["helpers.preflight"]


def look_without_trials(case: Case, *wrong: bool) -> Outcome:
    """The same as `look`, without the check that takes longest where nobody asks for it."""
    if WHOLE or {"rate", "255"} & {*case.words}:
        return look(case, *wrong)
    with patch.object(ROOM, "CHECKS", {n: c for n, c in CHECKS.items() if n != "learning rate"}):
        return look(case, *wrong)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_nothing_else(name):
    found = look_without_trials(FAULTY[name], True)
    assert found.named and not found.false and not found.broken, said(found)


@pytest.mark.parametrize("name", list(FAULTY)[::STRIDE])
def test_a_second_look_after_the_mend_is_clean(name):
    found = look_without_trials(FAULTY[name], False)
    assert not found.false and not found.broken, said(found)


@pytest.mark.parametrize("name", list(SOUND)[::STRIDE])
def test_a_sound_set_up_is_not_accused(name):
    found = look(SOUND[name])
    assert not found.false and not found.broken, said(found)


def test_the_table_is_large_and_has_no_name_twice():
    assert len(FAULTY) >= 60 and len(SOUND) >= 40 and not FAULTY.keys() & SOUND.keys()
    assert all(case.words and "\n" not in case.about for case in FAULTY.values())


def test_without_checks_no_fault_is_named(monkeypatch):
    """Else the table would say so of anything."""
    monkeypatch.setattr(ROOM, "CHECKS", {})
    assert not look(FAULTY["raw_pixels"], True).named


def test_what_is_said_beside_the_fault_is_a_false_alarm(monkeypatch):
    def alarm(_):
        yield Finding("size", "warning", "Too few.", "More.")

    monkeypatch.setattr(ROOM, "CHECKS", {"size": alarm})
    assert look(SOUND["a_nested_base"]).false == ("size: Too few. More.",)
    found = look(FAULTY["raw_pixels"], True)
    assert not found.named and found.false


def test_the_table_runs_as_a_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["preflight_cases.py", "not_compiled"])
    assert preflight_cases.main() == 0
    assert "1 of 1 faults named, 0 false alarms" in capsys.readouterr().out


PAGE = Path(__file__).resolve().parent.parent / "docs" / "preflight.md"


def findings() -> Iterator[tuple[str, str]]:
    """Where a finding is made, and the longest of the words that it says of every fault."""
    for file in (Path(__file__).resolve().parent.parent / "helpers" / "preflight").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                said = [n.value for n in ast.walk(node.args[2]) if isinstance(n, ast.Constant)]
                words = max((one for one in said if isinstance(one, str)), key=len, default="")
                yield f"{file.name}:{node.lineno}", " ".join(words.split())


def test_every_finding_has_a_fault_in_the_table_so_that_its_mend_is_tried():
    """What the page says was said of the table's faults, each of which is then built mended."""
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert len(dict(findings())) >= 50
    assert not [place for place, words in findings() if words not in text]


def test_the_page_has_each_check_with_a_fault_and_no_fault_of_another_table():
    text = PAGE.read_text(encoding="utf-8")
    sections = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    assert sections.keys() == {*CHECKS, "What is refused"}
    for name, section in sections.items():
        assert "```text\n" in section and ("Mend: " in section or "Received: " in section), name
    titles = re.findall(r"^\*\*(.+)\*\*$", text, re.MULTILINE)
    assert set(titles) <= {case.about for case in FAULTY.values()}
    assert len(titles) == len(set(titles)) >= 60
