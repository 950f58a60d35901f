"""helpers/files.py: the old file or the new one, and nothing beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.files import write_whole


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "a.txt", "caf\u00e9\n")
    write_whole(tmp_path / "new" / "a.txt", b"\0\xff")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\0\xff"
    write_whole(tmp_path / "new" / "a.txt", "caf\u00e9\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"caf\xc3\xa9\n"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_what_was_there_survives_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "a", "old")
    plain = Path.write_bytes

    def half(path: Path, contents: bytes) -> int:
        plain(path, contents[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
