"""Memory is asked for before it is taken; psutil and the system's own files are the oracle."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from helpers import machine

GIGABYTE = 10**9


def test_without_limits_it_is_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LIMITS", ())
    assert machine.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


@pytest.mark.parametrize(("most", "left"), [("3000000000", 1_000_000_000), ("max", None)])
def test_a_containers_limit_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: str, left: int | None
) -> None:
    (tmp_path / "max").write_text(f"{most}\n")
    (tmp_path / "current").write_text("2000000000\n")
    nowhere = (str(tmp_path / "none"), str(tmp_path / "current"))
    limits = ((str(tmp_path / "max"), str(tmp_path / "current")), nowhere)
    monkeypatch.setattr(machine, "LIMITS", limits)
    available = type("Memory", (), {"available": 20 * GIGABYTE})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: available)
    assert machine.free_memory() == (left or 20 * GIGABYTE)


def test_what_does_not_fit_is_refused_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: 2 * GIGABYTE)
    machine.check_memory(GIGABYTE, "pictures", "Take fewer.")
    with pytest.raises(MemoryError) as raised:
        machine.check_memory(7 * GIGABYTE, "50,000 pictures", "Take fewer.")
    assert str(raised.value) == (
        "Received: 50,000 pictures, 7.0 GB, with 2.0 GB of memory free. "
        "Expected: at most 1.5 GB. Take fewer."
    )
