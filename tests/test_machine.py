"""Memory is asked for before it is taken; psutil and the system's own files are the oracle."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from helpers import machine

GIGABYTE = 10**9


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for control groups of this test's own, on a machine with 20 GB free."""
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    available = type("Memory", (), {"available": 20 * GIGABYTE})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: available)
    return tmp_path


def limit(group: Path, most: str, used: int, stat: str, version: int = 2) -> None:
    """Write what the system says of a group."""
    group.mkdir(parents=True, exist_ok=True)
    names = machine.V2 if version == 2 else machine.V1
    (group / names[0]).write_text(f"{most}\n")
    (group / names[1]).write_text(f"{used}\n")
    (group / "memory.stat").write_text(stat)


def test_without_limits_it_is_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OWN_GROUPS", Path("/no/such/file"))
    assert machine.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


@pytest.mark.parametrize(("most", "left"), [("3000000000", 1), ("max", 20)])
def test_a_containers_limit_counts(groups: Path, most: str, left: int) -> None:
    (groups / "own").write_text("0::/\n")
    limit(groups, most, 2 * GIGABYTE, "anon 2000000000\ninactive_file 0\n")
    assert machine.free_memory() == left * GIGABYTE


@pytest.mark.parametrize(
    ("version", "own", "stat"),
    [
        (2, "0::/\n", "anon 400000000\ninactive_file 2000000000\nactive_file 1500000000\n"),
        (1, "4:memory:/\n", "total_inactive_file 2000000000\ntotal_active_file 1500000000\n"),
    ],
)
def test_what_is_kept_of_files_counts_as_free(
    groups: Path, version: int, own: str, stat: str
) -> None:
    (groups / "own").write_text(own)
    top = groups if version == 2 else groups / "memory"
    limit(top, str(4 * GIGABYTE), 3_900_000_000, stat, version)
    assert machine.free_memory() == 3_600_000_000


@pytest.mark.parametrize("tightest", ["user/learner", "user"])
def test_the_process_own_group_counts_and_those_above_it(groups: Path, tightest: str) -> None:
    (groups / "own").write_text("1:name=systemd:/user/learner\n0::/user/learner\n")
    for group in ("user/learner", "user"):
        limit(groups / group, "max", GIGABYTE, "")
    limit(groups / "somebody", "1", 0, "")
    limit(groups / tightest, str(3 * GIGABYTE), GIGABYTE, "")
    assert machine.free_memory() == 2 * GIGABYTE


def test_a_path_of_the_host_leads_to_the_containers_own_group(groups: Path) -> None:
    (groups / "own").write_text("0::/docker/0123456789\n")
    limit(groups, str(5 * GIGABYTE), GIGABYTE, "")
    assert machine.free_memory() == 4 * GIGABYTE


def test_what_does_not_fit_is_refused_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: 2 * GIGABYTE)
    machine.check_memory(GIGABYTE, "pictures", "Take fewer.")
    with pytest.raises(MemoryError) as raised:
        machine.check_memory(7 * GIGABYTE, "50,000 pictures", "Take fewer.")
    assert str(raised.value) == (
        "Received: 50,000 pictures, 7.0 GB, with 2.0 GB of memory free. "
        "Expected: at most 1.5 GB. Take fewer."
    )
