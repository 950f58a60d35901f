"""Downloads against a server on 127.0.0.1; hashlib and zipfile are the oracles."""

from __future__ import annotations

import hashlib
import io
import random
import stat
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from serving import Served, serving

from helpers import downloads
from helpers.downloads import Checks, DownloadError

BODY = random.Random(0).randbytes(1_000_000)
ETAG = f'"{hashlib.sha256(BODY).hexdigest()[:16]}"'
# Nothing listens on the port for 'discard', so the connection is refused at once.
CLOSED = "http://127.0.0.1:9/file.zip"


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch):
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloads, "BACKOFF_SECONDS", 0)
    # So that a transfer can break off after a whole number of chunks.
    monkeypatch.setattr(downloads, "CHUNK_BYTES", 10_000)


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file.zip").write_bytes(BODY)
    with serving(folder) as served:
        yield served


def fetched(url: str, folder: Path, *checks: Checks) -> bytes:
    return downloads.fetch([url], folder / "file.zip", *checks).read_bytes()


def break_off(times: int, keep: int = 300_000, headers: dict[str, str] | None = None):
    """A server that sends `keep` bytes of the whole file and hangs up, so many times."""
    left = [times]

    def misbehave(handler: BaseHTTPRequestHandler) -> bool:
        if not left[0]:
            return False
        left[0] -= 1
        body = (handler.served.folder / "file.zip").read_bytes()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        for name, value in ({"ETag": etag} if headers is None else headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body[:keep])
        handler.close_connection = True
        return True

    return misbehave


def answer_with(body: bytes, status: int = 200, headers: dict[str, str] | None = None):
    """A server that gives this answer to every request."""

    def misbehave(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return misbehave


def ranges(served: Served) -> list[str | None]:
    return [headers.get("Range") for _, headers in served.requests]


def test_the_file_arrives_whole_and_alone(mirror, tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    digest = hashlib.sha256(BODY).hexdigest()
    assert fetched(f"{mirror.url}/file.zip", folder, Checks(sha256=digest)) == BODY
    assert [path.name for path in folder.iterdir()] == ["file.zip"]
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("file.zip: 1.0 MB in ")
    assert printed.out.endswith(f" s from {mirror.url.removeprefix('http://')}\n")
    assert printed.out.count("\n") == 1


def test_quiet_prints_nothing(mirror, tmp_path, capsys):
    downloads.fetch([f"{mirror.url}/file.zip"], tmp_path / "file.zip", quiet=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_classrooms_mirror_comes_first(mirror, tmp_path, monkeypatch, slash):
    monkeypatch.setenv("COURSE_MIRROR", mirror.url + "/class" + slash)
    assert fetched("http://127.0.0.1:9/elsewhere/file.zip", tmp_path) == BODY
    assert [path for path, _ in mirror.requests] == ["/class/file.zip"]


def test_the_next_mirror_is_asked_where_one_fails(mirror, tmp_path):
    urls = [CLOSED, f"{mirror.url}/missing.zip", f"{mirror.url}/file.zip"]
    assert downloads.fetch(urls, tmp_path / "file.zip").read_bytes() == BODY


def test_the_error_names_every_mirror_and_its_answer(mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", "http://teacher:secret@127.0.0.1:9")
    with pytest.raises(DownloadError) as raised:
        fetched(f"{mirror.url}/missing.zip", tmp_path)
    text = str(raised.value)
    assert "http://127.0.0.1:9/missing.zip: no connection" in text
    assert f"{mirror.url}/missing.zip: HTTP 404 Not Found" in text
    assert "COURSE_MIRROR" in text and "file.zip" in text
    assert "secret" not in text
    assert not (tmp_path / "file.zip").exists()


def test_an_address_that_is_none_is_an_answer_too(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", "10.0.0.1/course")
    with pytest.raises(DownloadError, match="no such address can be asked"):
        fetched(CLOSED, tmp_path)


def test_a_broken_transfer_goes_on_where_it_stopped(mirror, tmp_path):
    mirror.misbehave = break_off(1)
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == BODY
    assert ranges(mirror) == [None, "bytes=300000-"]


def test_a_mirror_may_send_less_of_a_range_than_was_asked(mirror, tmp_path):
    first = break_off(1)
    short = {"Content-Range": f"bytes 300000-399999/{len(BODY)}"}
    second = [answer_with(BODY[300_000:400_000], 206, short | {"ETag": ETAG})]
    mirror.misbehave = lambda handler: first(handler) or bool(second and second.pop()(handler))
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == BODY
    assert ranges(mirror) == [None, "bytes=300000-", "bytes=400000-"]


@pytest.mark.parametrize(("status", "requests"), [(503, 2), (429, 2), (404, 1), (403, 1)])
def test_only_what_may_pass_is_tried_again(mirror, tmp_path, status, requests):
    answers = [answer_with(b"", status)]
    mirror.misbehave = lambda handler: bool(answers and answers.pop()(handler))
    urls = [f"{mirror.url}/file.zip", CLOSED]
    if requests == 1:
        with pytest.raises(DownloadError, match=f"HTTP {status}"):
            downloads.fetch(urls, tmp_path / "file.zip")
    else:
        assert downloads.fetch(urls, tmp_path / "file.zip").read_bytes() == BODY
    assert len(mirror.requests) == requests


def test_a_later_call_goes_on_too(mirror, tmp_path):
    url = f"{mirror.url}/file.zip"
    # The first hangs up in the middle; the others, asked for the rest, have no answer.
    mirror.misbehave = break_off(1)
    first = mirror.misbehave
    mirror.misbehave = lambda handler: first(handler) or answer_with(b"", 503)(handler)
    with pytest.raises(DownloadError, match="HTTP 503"):
        fetched(url, tmp_path)
    assert not (tmp_path / "file.zip").exists()
    mirror.misbehave = None
    assert fetched(url, tmp_path) == BODY
    assert ranges(mirror)[-1] == "bytes=300000-"


def test_a_transfer_that_keeps_breaking_is_an_error(mirror, tmp_path):
    mirror.misbehave = break_off(99, headers={})
    with pytest.raises(DownloadError, match="it broke off"):
        fetched(f"{mirror.url}/file.zip", tmp_path)
    assert len(mirror.requests) == downloads.ATTEMPTS


def test_a_changed_file_is_not_glued_to_the_old_one(mirror, tmp_path):
    first = break_off(1)
    changed = bytes(reversed(BODY))

    def change_after_the_first(handler):
        if first(handler):
            return True
        (mirror.folder / "file.zip").write_bytes(changed)
        return False

    mirror.misbehave = change_after_the_first
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == changed
    assert ranges(mirror) == [None, "bytes=300000-"]


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}])
def test_without_a_promise_of_equal_bytes_it_starts_anew(mirror, tmp_path, headers):
    mirror.misbehave = break_off(1, headers=headers)
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == BODY
    assert ranges(mirror) == [None, None]


def test_one_mirrors_part_is_not_glued_to_anothers(mirror, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "file.zip").write_bytes(BODY)
    mirror.misbehave = break_off(99)
    with serving(other) as second:
        urls = [f"{mirror.url}/file.zip", f"{second.url}/file.zip"]
        assert downloads.fetch(urls, tmp_path / "file.zip").read_bytes() == BODY
        assert ranges(second) == [None]


@pytest.mark.parametrize(
    ("status", "headers"),
    [(416, {}), (206, {"Content-Range": "bytes 5-9/1000000"}), (206, {})],
)
def test_a_wrong_range_is_thrown_away(mirror, tmp_path, status, headers):
    first, second = break_off(1), [answer_with(b"wrong", status, headers | {"ETag": ETAG})]

    def misbehave(handler):
        return first(handler) or bool(second and second.pop()(handler))

    mirror.misbehave = misbehave
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == BODY
    assert ranges(mirror) == [None, "bytes=300000-", None]


def test_a_login_page_is_no_zip_and_costs_nothing(mirror, tmp_path):
    url = f"{mirror.url}/file.zip"
    archive = b"PK\x03\x04" + BODY
    (mirror.folder / "file.zip").write_bytes(archive)
    checks = Checks(looks_like=downloads.begins_like_zip)
    page = answer_with(b"<!doctype html><title>Log in</title>", headers={"ETag": '"page"'})
    first = break_off(1)
    mirror.misbehave = lambda handler: first(handler) or page(handler)
    with pytest.raises(DownloadError, match="a web page instead of the file"):
        fetched(url, tmp_path, checks)
    assert not (tmp_path / "file.zip").exists()
    mirror.misbehave = None
    assert fetched(url, tmp_path, checks) == archive
    assert ranges(mirror)[-1] == "bytes=300000-"


def test_what_does_not_begin_like_the_file_is_refused(mirror, tmp_path):
    checks = Checks(looks_like=downloads.begins_like_zip)
    with pytest.raises(DownloadError, match="it begins differently"):
        fetched(f"{mirror.url}/file.zip", tmp_path, checks)


def test_a_wrong_digest_or_content_is_refused_and_deleted(mirror, tmp_path):
    with pytest.raises(DownloadError, match="SHA-256"):
        fetched(f"{mirror.url}/file.zip", tmp_path, Checks(sha256="0" * 64))

    def refuse(path: Path) -> None:
        raise ValueError(f"{path.stat().st_size} bytes of nothing")

    with pytest.raises(DownloadError, match="1000000 bytes of nothing"):
        fetched(f"{mirror.url}/file.zip", tmp_path, Checks(verify=refuse))
    assert not list(tmp_path.glob("file.zip*"))


def test_check_reachable_takes_any_answer_but_none(mirror):
    downloads.check_reachable(f"{mirror.url}/missing")
    with pytest.raises(DownloadError, match="no connection"):
        downloads.check_reachable(CLOSED)


# Unpacking


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
    assert downloads.unpack_zip(archive, folder) == folder
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
        downloads.unpack_zip(archive, folder)
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


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path, monkeypatch):
    bomb = {"zeros": bytes(5_000_000)}
    refused(archive_of(bomb, tmp_path / "bad.zip", zipfile.ZIP_DEFLATED), "5,000,000 bytes")
    monkeypatch.setattr(downloads, "MAX_UNPACKED_BYTES", 1000)
    large = archive_of({"large": BODY[:1001]}, tmp_path / "large.zip")
    with pytest.raises(ValueError, match="1,001 bytes"):
        downloads.unpack_zip(large, tmp_path / "unpacked")


def test_names_that_meet_are_refused(tmp_path):
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(tmp_path / "bad.zip", "w") as opened,
    ):
        opened.writestr("a", b"1")
        opened.writestr("a", b"2")
    refused(tmp_path / "bad.zip", "cannot be unpacked")


def test_damage_is_noticed(tmp_path):
    archive = archive_of({"first": b"f" * 10, "second": BODY[:5000]}, tmp_path / "bad.zip")
    raw = bytearray(archive.read_bytes())
    raw[raw.index(BODY[:100]) + 50] ^= 1
    archive.write_bytes(raw)
    with pytest.raises(ValueError, match="bad CRC-32 of 'second'"):
        downloads.check_zip(archive)
    refused(archive, "Bad CRC-32")


def test_half_an_archive_is_noticed(tmp_path):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr("a", BODY[:5000])
    (tmp_path / "bad.zip").write_bytes(whole.getvalue()[:3000])
    with pytest.raises(ValueError, match="damaged"):
        downloads.check_zip(tmp_path / "bad.zip")
    refused(tmp_path / "bad.zip", "cannot be unpacked")


def test_check_zip_names_the_members(tmp_path):
    archive = archive_of({"a/b": b"1", "c": b"2"}, tmp_path / "good.zip")
    assert downloads.check_zip(archive) == ["a/b", "c"]
