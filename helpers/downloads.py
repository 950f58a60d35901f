"""Fetch a file from the first mirror that answers: resume, verify."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from helpers import progress

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS, READ_SECONDS = 10, 30
# A mirror is asked again so often as long as no byte comes; whatever comes starts the count anew.
ATTEMPTS = 3
# But a mirror that hangs up after every few bytes must not keep a learner for a day.
MOST_REQUESTS = 100
# Before the second attempt; each further one waits twice as long.
BACKOFF_SECONDS = 0.5
# A busy mirror may ask for so much patience (Retry-After); for more, the next one is asked.
PATIENCE_SECONDS = 30
# A mirror that sends less than this in as many seconds is given up for the next.
SLOW_SECONDS, SLOW_BYTES = 30, 30_000
CHUNK_BYTES = 1 << 16


class DownloadError(RuntimeError):
    """No mirror gave the file; the text names each one, its answer, and what to do.

    Attributes:
        short: what failed and what to do, for a panel.
    """

    def __init__(self, text: str, short: str = "") -> None:
        super().__init__(text)
        self.short = short or text


class MirrorFailed(Exception):
    """What one mirror answered, in a short phrase.

    Attributes:
        again: whether a second attempt may help.
        wait: for how many seconds the mirror asked to be left alone, where it did.
    """

    def __init__(self, answer: str, again: bool = False, wait: float | None = None) -> None:
        super().__init__(answer)
        self.again = again
        self.wait = wait


@dataclass(frozen=True)
class Checks:
    """What a download must pass before it gets its name.

    Attributes:
        looks_like: given the first bytes, says whether they begin such a file. A network's login
            page fails here, before it overwrites what an earlier attempt had fetched.
        verify: given the finished file, raises ValueError with a phrase that says what is wrong.
    """

    looks_like: Callable[[bytes], bool] | None = None
    verify: Callable[[Path], None] | None = None


def fetch(
    urls: Sequence[str], target: Path, checks: Checks = Checks(), *, quiet: bool = False
) -> Path:
    """Download a file from the first mirror that answers with a good one.

    Bytes go to `<target>.part`, which a later call resumes where the same mirror says that the
    file has not changed since (RFC 9110, section 13.1.5, If-Range). Where another process is
    fetching the same file, this one waits and takes what that one got.

    Args:
        urls: addresses of the same file, tried in this order. Where the environment variable
            `COURSE_MIRROR` holds a base address, that comes first.
        target: where the file goes; it appears there whole or not at all.
        checks: what it must pass.
        quiet: no progress bar and no line at the end.

    Raises:
        DownloadError: where no mirror gave the file, or it cannot be written.
    """
    with writing(target), alone(target) as waited:
        if waited and target.exists():
            return target
        return _fetch(urls, target, checks, quiet)


def _fetch(urls: Sequence[str], target: Path, checks: Checks, quiet: bool) -> Path:
    """As `fetch`, with nobody else at work on the file."""
    part = target.with_name(target.name + ".part")
    answers = []
    for url in mirrors(urls):
        try:
            _fetch_from(_Job(url, part, checks, quiet))
        except MirrorFailed as failure:
            answers.append(f"{shown(url)}: {failure}")
            continue
        os.replace(part, target)
        _validator_path(part).unlink(missing_ok=True)
        return target
    raise DownloadError(_explanation(target.name, answers), _short(target.name, answers))


@contextmanager
def alone(target: Path) -> Iterator[bool]:
    """Keep other processes from making `target` meanwhile; True where this one had to wait.

    The operating system frees the lock of a process that dies. Its empty file stays: were it
    deleted, a third process could lock a new one while the second holds the old.
    """
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    waited = False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waited = True
        print(f"{target.name}: another process is fetching it; waiting.")
        lock.acquire()
    try:
        yield waited
    finally:
        lock.release()


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Make the folder of `target`, and say what to do where nothing can be written there.

    Raises:
        DownloadError: for a full disk, and a folder that is read-only or none.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _no_room(target, None) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}:
            raise DownloadError(
                f"Received: {target.parent}, which cannot be written to ({error.strerror}). "
                f"Expected: a folder for {target.name}. Set COURSE_CACHE to a folder of your own."
            ) from error
        raise


def _no_room(target: Path, wanted: int | None) -> DownloadError:
    """What to say of a disk that is full, or would be."""
    free = shutil.disk_usage(target.parent).free
    size = f"{wanted / 1e6:,.0f} MB for {target.name}" if wanted else f"room for {target.name}"
    return DownloadError(
        f"Received: a full disk at {target.parent} ({free / 1e6:,.0f} MB free). Expected: {size}. "
        f"Make room and run it again, it goes on where it stopped; or set COURSE_CACHE to a folder "
        f"on another disk."
    )


def mirrors(urls: Sequence[str]) -> list[str]:
    """`urls`, led by the classroom's own mirror where `COURSE_MIRROR` names one."""
    base = os.environ.get("COURSE_MIRROR", "").strip().rstrip("/")
    if not base:
        return list(urls)
    return [f"{base}/{PurePosixPath(urlsplit(urls[0]).path).name}", *urls]


def shown(url: str) -> str:
    """An address as it may be printed: without a password or a signed query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{_host(url)}{parts.path}"


def _host(url: str) -> str:
    """The host of an address, with its port and without a password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _explanation(name: str, answers: Sequence[str]) -> str:
    """The one message for a learner whose download failed everywhere."""
    proxy = "set HTTPS_PROXY if this network needs a proxy"
    return (
        f"Received: no {name} from any of {len(answers)} addresses ({'; '.join(answers)}). "
        f"Expected: one that answers with the file. Check the connection ({proxy}) and run it "
        f"again, it goes on where it stopped; or set COURSE_MIRROR to the address of a folder, "
        f"on a web server that you can reach, which holds {name}."
    )


def _short(name: str, answers: Sequence[str]) -> str:
    """As `_explanation`, in one sentence."""
    asked = []
    for answer in answers:
        url, _, phrase = answer.partition(": ")
        asked.append(f"{_host(url)}: {phrase}")
    return (
        f"{name} could not be downloaded ({'; '.join(asked)}): check the connection, and the proxy "
        f"(HTTPS_PROXY) if this network has one, then try again; it goes on where it stopped."
    )


@dataclass(frozen=True)
class _Job:
    """One address, the file that it fills, and what that must pass."""

    url: str
    part: Path
    checks: Checks
    quiet: bool

    @property
    def name(self) -> str:
        """The finished file's name."""
        return self.part.name.removesuffix(".part")


def _fetch_from(job: _Job) -> None:
    """Fill the part from one mirror and check it, with a few attempts.

    Raises:
        MirrorFailed: with the last answer.
    """
    started = time.monotonic()
    most, in_vain = 0, 0
    for request in range(1, MOST_REQUESTS + 1):
        try:
            _attempt(job)
            break
        except MirrorFailed as failure:
            have = job.part.stat().st_size if job.part.exists() else 0
            most, in_vain = max(most, have), 0 if have > most else in_vain + 1
            if not failure.again or in_vain == ATTEMPTS or request == MOST_REQUESTS:
                raise
            wait = failure.wait
        time.sleep(BACKOFF_SECONDS * 2**in_vain if wait is None else wait)
    _check_finished(job)
    if not job.quiet:
        megabytes, seconds = job.part.stat().st_size / 1e6, time.monotonic() - started
        print(f"{job.name}: {megabytes:.1f} MB in {seconds:.1f} s from {_host(job.url)}")


def _attempt(job: _Job) -> None:
    """One request: for the whole file, or for what is missing of it.

    Raises:
        MirrorFailed: where the answer is no such file, or breaks off.
    """
    import requests

    validator = _validator(job)
    start = job.part.stat().st_size if validator else 0
    # Were it compressed on the way, Content-Length would not be the file's.
    headers = {"Accept-Encoding": "identity"}
    if validator:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    try:
        with requests.get(job.url, headers=headers, stream=True, timeout=timeout) as response:
            _save(response, _accepted_start(response, job, start), job)
    except requests.RequestException as error:
        raise _failure(error) from error


def _accepted_start(response: requests.Response, job: _Job, asked: int) -> int:
    """The byte from which the mirror sends: `asked`, or 0 where it sends the whole file.

    Raises:
        MirrorFailed: for every other answer.
    """
    status = response.status_code
    if status == 200:
        return 0
    if status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {asked}-"):
        return asked
    if status in {206, 416}:
        # What is here does not begin the file that is there; the next attempt starts anew.
        job.part.unlink(missing_ok=True)
        raise MirrorFailed(f"HTTP {status}, not the range that was asked for", again=True)
    answer, wait = f"HTTP {status} {response.reason or ''}".strip(), _asked_to_wait(response)
    if wait is not None and wait > PATIENCE_SECONDS:
        raise MirrorFailed(f"{answer}, asks for {wait:,.0f} s of patience")
    raise MirrorFailed(answer, status in {408, 429} or status >= 500, wait)


def _asked_to_wait(response: requests.Response) -> float | None:
    """The seconds that the mirror asks for (RFC 9110, section 10.2.3), where it does."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(tz=until.tzinfo)).total_seconds())


def _save(response: requests.Response, start: int, job: _Job) -> None:
    """Write the body to the part from byte `start` on, and check that it came whole.

    Raises:
        MirrorFailed: where it begins like something else, or ends too early.
    """
    total = _total(response)
    chunks = _looked_at(_arriving(response), start, job.checks)
    if total and total - start > shutil.disk_usage(job.part.parent).free:
        raise _no_room(job.part.with_name(job.name), total - start)
    bytes_of = {"unit": "B", "unit_scale": True}
    with (
        job.part.open("r+b" if start else "wb") as file,
        progress.bar(job.name, total, start, quiet=job.quiet, **bytes_of) as bar,
    ):
        _remember_validator(response, job)
        file.seek(start)
        for chunk in chunks:
            file.write(chunk)
            bar.update(len(chunk))
    size = job.part.stat().st_size
    if total is not None and size != total:
        raise MirrorFailed(f"it broke off after {size:,} of {total:,} bytes", again=True)


def _total(response: requests.Response) -> int | None:
    """The whole file's bytes, where the mirror says so; of a range it may send less than asked."""
    ranged = response.headers.get("Content-Range", "")
    length = ranged.rpartition("/")[2] or response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _arriving(response: requests.Response) -> Iterator[bytes]:
    """The body as it arrives; `iter_content` would wait for a whole chunk, however slow it comes.

    Raises:
        MirrorFailed: where it breaks off, falls silent, or comes too slowly.
    """
    import urllib3

    since, came = time.monotonic(), 0
    while True:
        try:
            chunk = response.raw.read1(CHUNK_BYTES)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise MirrorFailed(f"silent for {READ_SECONDS} s", again=True) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise MirrorFailed("it broke off", again=True) from error
        if not chunk:
            return
        yield chunk
        came += len(chunk)
        if time.monotonic() - since > SLOW_SECONDS:
            if came < SLOW_BYTES:
                raise MirrorFailed(f"too slow: {came:,} bytes in {SLOW_SECONDS} s")
            since, came = time.monotonic(), 0


def _looked_at(chunks: Iterator[bytes], start: int, checks: Checks) -> Iterator[bytes]:
    """The same chunks, the first of which has been looked at before this returns.

    Raises:
        MirrorFailed: where a file that comes from its start begins like something else.
    """
    first = next(chunks, b"")
    if start == 0 and checks.looks_like and not checks.looks_like(first):
        if first.lstrip()[:1] == b"<":
            raise MirrorFailed(
                "a web page instead of the file (does this network ask for a login?)"
            )
        raise MirrorFailed("something else than the file: it begins differently")
    return itertools.chain([first], chunks)


def _failure(error: requests.RequestException) -> MirrorFailed:
    """What went wrong before an answer came, in a phrase without addresses or passwords."""
    import requests

    phrases = {
        requests.exceptions.ProxyError: "the proxy did not let it through",
        requests.exceptions.SSLError: "its certificate could not be verified",
        requests.exceptions.ConnectTimeout: f"no answer within {CONNECT_SECONDS} s",
        requests.exceptions.ReadTimeout: f"silent for {READ_SECONDS} s",
        requests.exceptions.ConnectionError: "no connection",
    }
    for kind, phrase in phrases.items():
        if isinstance(error, kind):
            certain = kind is requests.exceptions.SSLError
            return MirrorFailed(phrase, again=not certain)
    return MirrorFailed(f"no such address can be asked ({type(error).__name__})")


def _check_finished(job: _Job) -> None:
    """Check the whole file; one that fails is deleted, so that nothing goes on with it.

    Raises:
        MirrorFailed: with what is wrong.
    """
    try:
        if job.checks.verify:
            job.checks.verify(job.part)
    except ValueError as error:
        job.part.unlink()
        _validator_path(job.part).unlink(missing_ok=True)
        raise MirrorFailed(str(error)) from error


def _validator_path(part: Path) -> Path:
    """Where it is kept what would tell a changed file from the one that `part` began."""
    return part.with_name(part.name + ".json")


def _validator(job: _Job) -> str | None:
    """The value for If-Range, where the part was begun from this mirror and can be gone on with."""
    try:
        kept = json.loads(_validator_path(job.part).read_text(encoding="utf-8"))
        begun = job.part.stat().st_size > 0
        same = begun and kept["url"] == shown(job.url) and isinstance(kept["validator"], str)
        return kept["validator"] if same else None
    except (OSError, ValueError, KeyError, TypeError):  # none, damaged, or of another program
        return None


def _remember_validator(response: requests.Response, job: _Job) -> None:
    """Keep the mirror's ETag, or its Last-Modified; a weak ETag does not promise equal bytes."""
    etag = response.headers.get("ETag", "")
    strong = etag if etag.startswith('"') else None
    kept = {"url": shown(job.url), "validator": strong or response.headers.get("Last-Modified")}
    _validator_path(job.part).write_text(json.dumps(kept), encoding="utf-8")
