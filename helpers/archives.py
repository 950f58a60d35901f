"""Unpack an archive of pictures safely: nothing leads out of its folder, whole or not at all."""

from __future__ import annotations

import errno
import lzma
import re
import shutil
import stat
import struct
import unicodedata
import uuid
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from helpers.downloads import writing

# A picture does not shrink tenfold in a zip; what grows a hundredfold was made to fill a disk.
MAX_RATIO = 100
MAX_UNPACKED_BYTES = 8 * 10**9
MAX_MEMBERS = 200_000
# What every file system of today can hold, and the names that Windows keeps for itself.
MAX_NAME_BYTES = 255
RESERVED = {"CON", "PRN", "AUX", "NUL"} | {f"{n}{i}" for n in ("COM", "LPT") for i in range(1, 10)}
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
# In a member's flags: its name is UTF-8 (APPNOTE.TXT, section 4.4.4, bit 11).
NAME_IS_UTF8 = 1 << 11
# What zipfile raises for archives that are damaged, or packed in a way that it does not know.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    UnicodeError,
)


def begins_like_zip(first: bytes) -> bool:
    """Whether these first bytes begin a zip archive (APPNOTE.TXT, section 4.3.7)."""
    return first.startswith(b"PK\x03\x04")


def check_zip(archive: Path) -> list[str]:
    """Read every member to its end, which compares it with its CRC-32; return their names.

    Raises:
        ValueError: where the archive or a member is damaged.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            damaged, names = opened.testzip(), opened.namelist()
    except (*DAMAGED, OSError, ValueError) as error:
        raise ValueError(f"the zip archive is damaged ({error})") from error
    if damaged:
        raise ValueError(f"the zip archive is damaged (bad CRC-32 of '{damaged}')")
    return names


def unpack_zip(archive: Path, folder: Path) -> Path:
    """Unpack an archive so that `folder` appears whole, or not at all.

    What an unpacking that was killed has left behind is removed: hold `downloads.alone(folder)`
    where another process may be at the same.

    Nothing is written outside it, whatever the archive's names say, and the CRC-32 of each member
    is checked. An earlier `folder` is replaced.

    Raises:
        ValueError: where the archive is damaged, or has members that do not belong in one of
            pictures: paths that lead out, links, encrypted ones, far more bytes than it holds.
    """
    beside = folder.with_name(f"{folder.name}-{uuid.uuid4().hex[:8]}.part")
    try:
        with writing(folder), _reading(archive) as opened:
            _check_members(opened, archive)
            _remove_leftovers(folder)
            beside.mkdir()
            for member in opened.infolist():
                _unpack_member(opened, member, beside)
            _replace_folder(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _remove_leftovers(folder: Path) -> None:
    """The folders that `unpack_zip` names for itself, of times when it could not tidy up."""
    own = re.compile(re.escape(folder.name) + r"-[0-9a-f]{8}\.part(\.old)?")
    for path in folder.parent.iterdir():
        if own.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _reading(archive: Path) -> Iterator[zipfile.ZipFile]:
    """The opened archive.

    Raises:
        ValueError: where it turns out to be damaged, in whatever way zipfile stumbles over it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except (*DAMAGED, OSError, ValueError) as error:
        ours = str(error).startswith("Received: ")
        # An offset that points nowhere is an invalid argument to the file; bz2's have no number.
        if ours or (isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}):
            raise
        raise ValueError(
            f"Received: {archive.name}, which cannot be unpacked ({error}). "
            f"Expected: an undamaged zip archive. Delete it and fetch it again."
        ) from error


def _check_members(opened: zipfile.ZipFile, archive: Path) -> None:
    """Look at what the archive says of its members, before anything is written.

    zipfile never reads more of a member than the size that is checked here.
    """
    members = opened.infolist()
    size = sum(member.file_size for member in members)
    if size > min(MAX_UNPACKED_BYTES, MAX_RATIO * archive.stat().st_size):
        raise ValueError(
            f"Received: {archive.name}, which would unpack to {size:,} bytes. Expected: an archive "
            f"of pictures, which hardly grow. Delete it and fetch it from another address."
        )
    if len(members) > MAX_MEMBERS:
        raise ValueError(
            f"Received: {archive.name} with {len(members):,} members. Expected: at most "
            f"{MAX_MEMBERS:,}. Delete it and fetch it from another address."
        )
    twice = _names_that_meet(members)
    for member in members:
        wrong = _wrong_with(member) or ("whose name meets another's" if member in twice else None)
        if wrong:
            raise ValueError(
                f"Received: {archive.name} with the member {member.filename!r}, {wrong}. "
                f"Expected: plain files inside one folder. Delete it and fetch it from "
                f"another address."
            )


def _wrong_with(member: zipfile.ZipInfo) -> str | None:
    """Why this member must not be unpacked, or None."""
    name = member.filename
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or "\\" in name or ":" in name or ".." in parts:
        return "whose path leads out of the folder"
    if not member.flag_bits & NAME_IS_UTF8 and not name.isascii():
        return "whose name is in an unknown encoding"
    if any(_is_no_name(part) for part in parts):
        return "whose name not every system can hold"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "which is a link or a device"
    if member.flag_bits & 1:
        return "which is encrypted"
    return "which is an archive itself" if name.lower().endswith(ARCHIVES) else None


def _is_no_name(part: str) -> bool:
    """Whether a file of that name cannot be made on Linux, macOS or Windows."""
    return (
        not part
        or len(part.encode()) > MAX_NAME_BYTES
        or not part.isprintable()
        or part[-1] in " ."
        or any(letter in '<>"|?*' for letter in part)
        or PurePosixPath(part).stem.upper() in RESERVED
    )


def _names_that_meet(members: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Members that would be one file on some system, or a file where another needs a folder."""
    folded = [
        unicodedata.normalize("NFC", member.filename).casefold().rstrip("/") for member in members
    ]
    count = Counter(folded)
    above = {str(parent) for name in count for parent in PurePosixPath(name).parents}
    return [
        member
        for member, name in zip(members, folded, strict=True)
        if count[name] > 1 or (name in above and not member.is_dir())
    ]


def _unpack_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """Write one member; a name that is there already is an error, not overwritten."""
    target = folder / member.filename
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file)


def _replace_folder(new: Path, folder: Path) -> None:
    """Rename `new` to `folder`, of which an earlier one is moved aside and deleted."""
    old = folder.with_name(f"{new.name}.old")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
