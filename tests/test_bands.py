"""Bands: a value inside passes, one outside fails, an unknown claim is an error."""

import pathlib
import re

import pytest

from helpers import bands
from helpers.lessons import LESSONS

SETS = {"drawings", "photos", "tfds"}


@pytest.fixture(scope="module")
def text():
    return "".join(pathlib.Path(lesson.source).read_text(encoding="utf-8") for lesson in LESSONS)


def test_every_claim_has_a_band_for_every_set_that_it_is_checked_on(text):
    on_any = set(re.findall(r'bands\.check\("([^"]+)", data\.name', text))
    for claim in {claim for claim, _ in bands.BANDS}:
        wanted = SETS if claim in on_any else {"drawings"}
        assert {known for name, known in bands.BANDS if name == claim} == wanted, claim


def test_every_claim_stands_in_a_lesson_and_every_check_has_a_claim(text):
    assert set(re.findall(r'bands\.check\("([^"]+)"', text)) == {c for c, _ in bands.BANDS}


def test_value_inside_passes_and_is_printed(capsys):
    bands.check("frozen", "photos", 0.97)
    assert capsys.readouterr().out.startswith("frozen: 0.970 lies between 0.95")


@pytest.mark.parametrize("value", [0.949, float("nan")])
def test_value_outside_fails(value):
    with pytest.raises(AssertionError, match=r"Received: frozen .* on photos. Expected: 0.95"):
        bands.check("frozen", "photos", value)


def test_set_without_a_band_passes_and_says_so(capsys):
    bands.check("frozen", "my_holiday", 0.1)
    assert "no band for 'my_holiday'" in capsys.readouterr().out


def test_unknown_claim_is_an_error():
    with pytest.raises(ValueError, match="Received: the claim 'frozn'"):
        bands.check("frozn", "photos", 0.97)
