"""Archives are unpacked whole, inside one folder, or not at all; zipfile is the oracle."""

from __future__ import annotations

import io
import random
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from helpers import archives, downloads

BODY = random.Random(0).randbytes(1_000_000)


def archive_of(members: dict[str, bytes], path: Path, method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return path


def contents_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_unpacking_gives_what_zipfile_gives_and_replaces_what_was_there(tmp_path):
    members = {"top/a.txt": b"a" * 100, "top/inner/b.bin": BODY[:5000], "c": b"", "top/d/": b""}
    archive = archive_of(members, tmp_path / "good.zip", zipfile.ZIP_DEFLATED)
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (folder / "old").write_text("old")
    assert archives.unpack_zip(archive, folder) == folder
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "oracle")
    assert contents_of(folder) == contents_of(tmp_path / "oracle")
    assert {path.name for path in tmp_path.iterdir()} == {"good.zip", "unpacked", "oracle"}


def refused(archive: Path, match: str) -> None:
    """Unpacking must fail, leave an earlier folder as it was, and nothing else."""
    folder = archive.parent / "inner" / "unpacked"
    folder.mkdir(parents=True)
    (folder / "old").write_text("old")
    with pytest.raises(ValueError, match=match):
        archives.unpack_zip(archive, folder)
    assert contents_of(archive.parent) == {
        archive.name: archive.read_bytes(),
        "inner/unpacked/old": b"old",
    }


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "C:/out", "..\\out", "a/.."])
def test_paths_that_lead_out_are_refused(tmp_path, name):
    archive = tmp_path / "bad.zip"
    info = zipfile.ZipInfo("bad")
    with zipfile.ZipFile(archive, "w") as opened:
        # Set afterwards: ZipInfo itself would tidy the name on some platforms.
        info.filename = name
        opened.writestr("good", b"good")
        opened.writestr(info, b"bad")
    refused(archive, "leads out of the folder")


def test_links_are_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as opened:
        opened.writestr(info, "/etc/passwd")
    refused(tmp_path / "bad.zip", "a link or a device")


def test_encrypted_members_are_refused(tmp_path):
    archive = archive_of({"a": b"a"}, tmp_path / "bad.zip")
    raw = bytearray(archive.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(magic) + offset] |= 1
    archive.write_bytes(raw)
    refused(archive, "encrypted")


def test_what_killed_unpackings_left_behind_is_removed(tmp_path):
    archive = archive_of({"top/a.txt": b"a"}, tmp_path / "good.zip")
    for name in ("out-0123abcd.part", "out-0123abcd.part.old", "out-mine.part", "other"):
        (tmp_path / name).mkdir()
    archives.unpack_zip(archive, tmp_path / "out")
    left = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert left == {"out", "out-mine.part", "other"}


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path, monkeypatch):
    bomb = {"zeros": bytes(5_000_000)}
    refused(archive_of(bomb, tmp_path / "bad.zip", zipfile.ZIP_DEFLATED), "5,000,000 bytes")
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1000)
    large = archive_of({"large": BODY[:1001]}, tmp_path / "large.zip")
    with pytest.raises(ValueError, match="1,001 bytes"):
        archives.unpack_zip(large, tmp_path / "unpacked")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a", "a"),
        ("A.jpg", "a.jpg"),  # one file on macOS and Windows
        ("caf\u00e9", "cafe\u0301"),  # composed and decomposed: one file on macOS
        ("a", "a/b"),
        ("a/b", "A"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate")
def test_names_that_meet_are_refused(tmp_path, first, second):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as opened:
        opened.writestr(first, b"1")
        opened.writestr(second, b"2")
    refused(tmp_path / "bad.zip", "whose name meets another's")


@pytest.mark.parametrize("name", ["x.zip", "in/photos.TAR.GZ", "a.7z"])
def test_archives_within_archives_are_refused(tmp_path, name):
    refused(archive_of({"a": b"1", name: b"2"}, tmp_path / "bad.zip"), "an archive itself")


@pytest.mark.parametrize(
    "name",
    ["bell\x07", "line\nbreak", "stop.", "space ", "what?", "CON", "aux.txt", "a//b", "n" * 256],
)
def test_names_that_not_every_system_can_hold_are_refused(tmp_path, name):
    refused(
        archive_of({"good": b"1", name: b"2"}, tmp_path / "bad.zip"), "not every system can hold"
    )


def test_names_in_an_unknown_encoding_are_refused(tmp_path):
    archive = archive_of({"caf\u00e9.jpg": b"1"}, tmp_path / "bad.zip")
    raw = archive.read_bytes()
    # The same name in Latin-1, padded to as many bytes, and the flag for UTF-8 taken away.
    raw = raw.replace("caf\u00e9.jpg".encode(), b"caf\xe9e.jpg")
    for magic, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        at = raw.index(magic) + offset
        raw = raw[:at] + bytes([raw[at] & ~8]) + raw[at + 1 :]
    archive.write_bytes(raw)
    refused(archive, "in an unknown encoding")


def test_names_in_utf8_are_kept(tmp_path):
    members = {"chats/caf\u00e9 \U0001f431.jpg": b"1", "\u732b/1.jpg": b"2"}
    archives.unpack_zip(archive_of(members, tmp_path / "good.zip"), tmp_path / "unpacked")
    assert contents_of(tmp_path / "unpacked") == members


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    three = archive_of(dict.fromkeys("abc", b"1"), tmp_path / "bad.zip")
    refused(three, "3 members. Expected: at most 2")


def test_no_room_for_an_archive_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    archive = archive_of({"a": b"1"}, tmp_path / "good.zip")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives.shutil, "copyfileobj", full)
    with pytest.raises(downloads.DownloadError, match="Received: a full disk"):
        archives.unpack_zip(archive, tmp_path / "unpacked")
    assert [path.name for path in tmp_path.iterdir()] == ["good.zip"]


def test_damage_is_noticed(tmp_path):
    archive = archive_of({"first": b"f" * 10, "second": BODY[:5000]}, tmp_path / "bad.zip")
    raw = bytearray(archive.read_bytes())
    raw[raw.index(BODY[:100]) + 50] ^= 1
    archive.write_bytes(raw)
    with pytest.raises(ValueError, match="bad CRC-32 of 'second'"):
        archives.check_zip(archive)
    refused(archive, "Bad CRC-32")


def test_half_an_archive_is_noticed(tmp_path):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr("a", BODY[:5000])
    (tmp_path / "bad.zip").write_bytes(whole.getvalue()[:3000])
    with pytest.raises(ValueError, match="damaged"):
        archives.check_zip(tmp_path / "bad.zip")
    refused(tmp_path / "bad.zip", "cannot be unpacked")


def test_an_offset_that_points_nowhere_is_damage(tmp_path):
    archive = archive_of({"a": b"1" * 100}, tmp_path / "bad.zip")
    raw = bytearray(archive.read_bytes())
    at = raw.rindex(b"PK\x05\x06") + 16  # where the end record says that the directory begins
    raw[at : at + 4] = (10_000).to_bytes(4, "little")
    archive.write_bytes(raw)
    with pytest.raises(ValueError, match="damaged"):
        archives.check_zip(archive)
    refused(archive, "cannot be unpacked")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_compressed_members_are_damage(tmp_path, method):
    whole = archive_of({"a": BODY[:5000]}, tmp_path / "good.zip", method).read_bytes()
    begin, end = 31, whole.rindex(b"PK\x01\x02")  # of the packed member, behind its name
    said = set()
    for at in range(begin, end, max(1, (end - begin) // 60)):
        archive = tmp_path / "bad.zip"
        archive.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            unpacked = archives.unpack_zip(archive, tmp_path / "folder")
        except ValueError as error:
            assert str(error).startswith("Received: bad.zip, which cannot be unpacked")
            said.add(str(error))
            assert not (tmp_path / "folder").exists()
        else:  # a byte that means nothing to the decompressor
            assert contents_of(unpacked) == {"a": BODY[:5000]}
            shutil.rmtree(unpacked)
    assert len(said) > 1  # damaged in more than one way


def test_check_zip_names_the_members(tmp_path):
    archive = archive_of({"a/b": b"1", "c": b"2"}, tmp_path / "good.zip")
    assert archives.check_zip(archive) == ["a/b", "c"]
