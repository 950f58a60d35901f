"""Bands: silent where all is well; outside they say so, and in the tests they fail."""

import pathlib
import re

import pytest

from helpers import bands
from helpers.lessons import LESSONS


@pytest.fixture(scope="module")
def text():
    return "".join(pathlib.Path(lesson.source).read_text(encoding="utf-8") for lesson in LESSONS)


def test_every_claim_stands_in_a_lesson_and_every_check_has_a_claim(text):
    # The four mistakes of lesson 4 are checked in a loop over their names.
    checked = set(re.findall(r'bands\.check\(\s*"([^"]+)"', text))
    checked |= set(re.findall(r'results\["([^"]+)"\] = few_steps', text))
    assert checked == {claim for claim, _ in bands.BANDS}


def test_what_is_checked_on_any_recipe_has_a_band_for_the_tutorial_too(text):
    on_any = set(re.findall(r'bands\.check\(\s*"([^"]+)", (?:data|recipe)\.name', text))
    for claim in on_any:
        found = {known for name, known in bands.BANDS if name == claim}
        # Lesson 9's claims are about the drawn folder that stands in for a learner's.
        assert found in ({"drawings", "tutorial"}, {"phone"}), claim


@pytest.mark.parametrize("name", ["tutorial", "photos", "my_holiday", "article"])
def test_value_inside_or_without_a_band_says_nothing(name, capsys):
    bands.check("frozen", name, 0.97)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", [0.949, float("nan")])
@pytest.mark.parametrize("name", ["tutorial", "photos"])
def test_value_outside_says_so_and_fails_where_that_is_asked_for(monkeypatch, name, value, capsys):
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match=r"This run differs: frozen is .* 0\.95 to 1\.0"):
        bands.check("frozen", name, value)
    monkeypatch.delenv("COURSE_STRICT")
    bands.check("frozen", name, value)
    assert "This run differs" in capsys.readouterr().out


def test_unknown_claim_is_an_error():
    with pytest.raises(ValueError, match="Received: the claim 'frozn'"):
        bands.check("frozn", "tutorial", 0.97)
