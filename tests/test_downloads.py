"""Downloads against a server on 127.0.0.1; hashlib and zipfile are the oracles."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from serving import Served, serving

from helpers import archives, downloads
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


def is_whole(body: bytes = BODY) -> Checks:
    """Only these bytes pass."""

    def verify(path: Path) -> None:
        if path.read_bytes() != body:
            raise ValueError("other bytes")

    return Checks(verify=verify)


def ranges(served: Served) -> list[str | None]:
    return [headers.get("Range") for _, headers in served.requests]


def test_the_file_arrives_whole_and_alone(mirror, tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    assert fetched(f"{mirror.url}/file.zip", folder, is_whole()) == BODY
    assert sorted(path.name for path in folder.iterdir()) == [".file.zip.lock", "file.zip"]
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
    assert len(mirror.requests) == 1 + downloads.ATTEMPTS  # the first brought something


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
    checks = Checks(looks_like=archives.begins_like_zip)
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
    checks = Checks(looks_like=archives.begins_like_zip)
    with pytest.raises(DownloadError, match="it begins differently"):
        fetched(f"{mirror.url}/file.zip", tmp_path, checks)


def test_wrong_contents_are_refused_and_deleted(mirror, tmp_path):
    def refuse(path: Path) -> None:
        raise ValueError(f"{path.stat().st_size} bytes of nothing")

    with pytest.raises(DownloadError, match="1000000 bytes of nothing"):
        fetched(f"{mirror.url}/file.zip", tmp_path, Checks(verify=refuse))
    assert not list(tmp_path.glob("file.zip*"))


@pytest.mark.parametrize(
    "kept", ["{}", "[]", '"text"', "{", '{"url": 1, "validator": "x"}', '{"validator": null}']
)
def test_a_note_that_says_nothing_starts_anew(mirror, tmp_path, kept):
    (tmp_path / "file.zip.part").write_bytes(BODY[:1000])
    (tmp_path / "file.zip.part.json").write_text(kept)
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == BODY
    assert ranges(mirror) == [None]


@pytest.mark.parametrize("keep", [0, 1, 9_999, 10_000, 10_001, 65_536, 999_999])
def test_a_cut_at_any_byte_is_gone_on_from(mirror, tmp_path, keep):
    mirror.misbehave = break_off(1, keep=keep)
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == BODY
    assert ranges(mirror) == [None, f"bytes={keep}-" if keep else None]


def test_twenty_cuts_are_survived_for_each_brought_something(mirror, tmp_path):
    cuts = iter(range(40_000, 840_000, 40_000))

    def cut_further_on(handler):
        stop = next(cuts, None)
        if stop is None:
            return False
        start = handler.asked_start(ETAG)
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        handler.send_header("Content-Length", str(len(BODY) - start))
        handler.send_header("ETag", ETAG)
        handler.end_headers()
        handler.wfile.write(BODY[start:stop])
        handler.close_connection = True
        return True

    mirror.misbehave = cut_further_on
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == BODY
    assert ranges(mirror) == [None, *(f"bytes={at}-" for at in range(40_000, 840_000, 40_000))]


def test_a_mirror_that_hangs_up_for_ever_is_left(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "MOST_REQUESTS", 5)
    keep = iter(range(1_000_000))

    def a_byte_more(handler):
        return break_off(1, keep=next(keep))(handler)

    mirror.misbehave = a_byte_more
    with pytest.raises(DownloadError, match="it broke off"):
        fetched(f"{mirror.url}/file.zip", tmp_path)
    assert len(mirror.requests) == 5


def test_a_wrong_length_is_noticed(mirror, tmp_path):
    mirror.misbehave = answer_with(BODY[:5000])  # what the server says is the length of that
    with pytest.raises(DownloadError, match="other bytes"):
        fetched(f"{mirror.url}/file.zip", tmp_path, is_whole())
    mirror.misbehave = break_off(99, keep=len(BODY) - 1, headers={})
    with pytest.raises(DownloadError, match="it broke off"):
        fetched(f"{mirror.url}/file.zip", tmp_path, is_whole())
    assert not (tmp_path / "file.zip").exists()


def waits(monkeypatch) -> list[float]:
    """What `downloads` would sleep for, instead of sleeping."""
    slept: list[float] = []
    monkeypatch.setattr(downloads.time, "sleep", slept.append)
    return slept


def test_a_busy_mirror_is_waited_for_as_long_as_it_asks(mirror, tmp_path, monkeypatch):
    slept = waits(monkeypatch)
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    answers = [answer_with(b"", 503, {"Retry-After": value}) for value in (soon, "7", "nonsense")]
    mirror.misbehave = lambda handler: bool(answers and answers.pop()(handler))
    monkeypatch.setattr(downloads, "ATTEMPTS", 4)
    monkeypatch.setattr(downloads, "BACKOFF_SECONDS", 0.25)
    assert fetched(f"{mirror.url}/file.zip", tmp_path) == BODY
    assert slept[:2] == [0.5, 7.0] and 15 < slept[2] <= 20


def test_a_mirror_that_asks_for_too_long_is_left_for_the_next(mirror, tmp_path, monkeypatch):
    slept = waits(monkeypatch)
    other = tmp_path / "other"
    other.mkdir()
    (other / "file.zip").write_bytes(BODY)
    mirror.misbehave = answer_with(b"", 503, {"Retry-After": "3600"})
    with serving(other) as second:
        urls = [f"{mirror.url}/file.zip", f"{second.url}/file.zip"]
        assert downloads.fetch(urls, tmp_path / "file.zip").read_bytes() == BODY
    assert slept == [] and len(mirror.requests) == 1
    with pytest.raises(DownloadError, match="asks for 3,600 s of patience"):
        fetched(f"{mirror.url}/file.zip", tmp_path)


def drip(gone: threading.Event):
    """A server that sends byte after byte until `gone` is set or nobody listens any more."""

    def misbehave(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        try:
            while not gone.wait(0.005):
                handler.wfile.write(b"x")
        except OSError:
            handler.close_connection = True
        return True

    return misbehave


def test_a_slow_mirror_is_left_for_the_next(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "SLOW_SECONDS", 0.05)
    other, gone = tmp_path / "other", threading.Event()
    other.mkdir()
    (other / "file.zip").write_bytes(BODY)
    mirror.misbehave = drip(gone)
    try:
        with serving(other) as second:
            urls = [f"{mirror.url}/file.zip", f"{second.url}/file.zip"]
            assert downloads.fetch(urls, tmp_path / "file.zip").read_bytes() == BODY
            with pytest.raises(DownloadError, match=r"too slow: .* bytes in 0.05 s"):
                fetched(f"{mirror.url}/file.zip", tmp_path / "again")
    finally:
        gone.set()


def test_a_silent_mirror_is_left_for_the_next(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "READ_SECONDS", 0.1)
    gone = threading.Event()
    mirror.misbehave = lambda handler: gone.wait() and False
    try:
        with pytest.raises(DownloadError, match=r"silent for 0.1 s.*no connection"):
            downloads.fetch([f"{mirror.url}/file.zip", CLOSED], tmp_path / "file.zip")
    finally:
        gone.set()


def test_too_small_a_disk_is_seen_before_it_is_filled(mirror, tmp_path, monkeypatch):
    usage = downloads.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda path: usage._replace(free=500_000))
    with pytest.raises(DownloadError, match=r"full disk .*0 MB free.*1 MB for file.zip.*Make room"):
        fetched(f"{mirror.url}/file.zip", tmp_path)
    assert not (tmp_path / "file.zip.part").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_named(mirror, tmp_path):
    (tmp_path / "file.zip.part").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"Received: a full disk at .*COURSE_CACHE"):
        fetched(f"{mirror.url}/file.zip", tmp_path)
    assert not (tmp_path / "file.zip").exists()


def test_a_folder_that_cannot_be_written_is_named(mirror, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DownloadError, match=r"cannot be written to .*COURSE_CACHE"):
        fetched(f"{mirror.url}/file.zip", tmp_path / "file")
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # an administrator may write everywhere

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(folder))

        monkeypatch.setattr(downloads.FileLock, "acquire", refuse)
    with pytest.raises(DownloadError, match=r"Permission denied.*COURSE_CACHE"):
        fetched(f"{mirror.url}/file.zip", folder)
    assert mirror.requests == []


def test_the_networks_proxy_is_asked(mirror, tmp_path, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, mirror.url)
    # The test's server answers requests for whole addresses too, as a proxy gets them.
    assert fetched("http://course.invalid/file.zip", tmp_path) == BODY
    assert [path for path, _ in mirror.requests] == ["http://course.invalid/file.zip"]


FETCH = """
import sys
from pathlib import Path
from helpers import archives, downloads
downloads.CHUNK_BYTES = 10_000
downloads.fetch([sys.argv[1]], Path(sys.argv[2]))
"""


def test_who_comes_second_waits_and_takes_what_the_first_got(mirror, tmp_path):
    others_wait = threading.Event()
    mirror.misbehave = lambda handler: not others_wait.wait(60)
    command = [sys.executable, "-u", "-c", FETCH, f"{mirror.url}/file.zip", tmp_path / "file.zip"]
    options = {"stdout": subprocess.PIPE, "text": True, "env": {**os.environ, "NO_PROXY": "*"}}
    started = [subprocess.Popen(command, **options) for _ in range(4)]
    # Whoever has the lock says nothing yet; the three others say that they wait.
    waiting = threading.Semaphore(0)

    def listen(process: subprocess.Popen) -> None:
        for line in process.stdout:
            if "another process is fetching it; waiting." in line:
                waiting.release()

    listeners = [threading.Thread(target=listen, args=(process,)) for process in started]
    for listener in listeners:
        listener.start()
    for _ in range(3):
        assert waiting.acquire(timeout=60)
    others_wait.set()
    assert [process.wait(60) for process in started] == [0, 0, 0, 0]
    for listener in listeners:
        listener.join()
    assert (tmp_path / "file.zip").read_bytes() == BODY
    assert len(mirror.requests) == 1


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from helpers import archives, downloads
import requests  # once, for all children
downloads.CHUNK_BYTES = 10_000
url, target, chance = sys.argv[1], Path(sys.argv[2]), random.Random(int(sys.argv[4]))
for _ in range(int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        downloads.fetch([url], target, quiet=True)
        os._exit(0)
    time.sleep(chance.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    whole = target.exists() and target.read_bytes() == Path(sys.argv[5]).read_bytes()
    print(os.WIFSIGNALED(status), target.exists(), whole, flush=True)
    target.unlink(missing_ok=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_hundred_kills_leave_the_whole_file_or_none(mirror, tmp_path):
    source = mirror.folder / "file.zip"
    source.write_bytes(BODY * 3)
    target = tmp_path / "file.zip"
    arguments = [f"{mirror.url}/file.zip", target, 100, 0, source]
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_PROXY": "*"},
    )
    assert ran.returncode == 0, ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert len(lines) == 100
    assert all(whole == "True" for _, there, whole in lines if there == "True")
    # Some were killed at work, or this test says nothing.
    assert sum(killed == "True" and there == "False" for killed, there, _ in lines) >= 20
    assert fetched(f"{mirror.url}/file.zip", tmp_path, is_whole(BODY * 3)) == BODY * 3
