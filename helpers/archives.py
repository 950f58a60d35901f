"""Unpack an archive of pictures safely: nothing leads out of its folder, whole or not at all."""

from __future__ import annotations

import errno
import lzma
import re
import shutil
import stat
import struct
import tarfile
import unicodedata
import uuid
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from helpers.downloads import writing

# A picture does not shrink tenfold in a zip; what grows a hundredfold was made to fill a disk.
MAX_RATIO = 100
MAX_UNPACKED_BYTES = 8 * 10**9
MAX_MEMBERS = 200_000
# What every file system of today can hold, and the names that Windows keeps for itself.
MAX_NAME_BYTES = 255
RESERVED = {"CON", "PRN", "AUX", "NUL"} | {f"{n}{i}" for n in ("COM", "LPT") for i in range(1, 10)}
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
# What to do with an archive that will not do: one that the course fetched, and a learner's own.
FETCHED = "Delete it and fetch it from another address."
OWN = "Unpack it yourself, and take the folder; or pack the pictures anew."
# In a member's flags: its name is UTF-8 (APPNOTE.TXT, section 4.4.4, bit 11).
NAME_IS_UTF8 = 1 << 11
# What zipfile raises for archives that are damaged, or packed in a way that it does not know.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
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


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar archive, by its contents."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(archive: Path, folder: Path, advice: str = FETCHED) -> Path:
    """As `unpack_zip`, of a zip or a tar archive, packed further or not."""
    if zipfile.is_zipfile(archive):
        return unpack_zip(archive, folder, advice)
    beside = folder.with_name(f"{folder.name}-{uuid.uuid4().hex[:8]}.part")
    try:
        with writing(folder), _reading(archive, advice, _open_tar) as opened:
            members = _tar_members(opened, archive, advice)
            _check_members([_of_tar(member) for member in members], archive, advice)
            _remove_leftovers(folder)
            beside.mkdir()
            opened.extractall(beside, members=members, filter="data")
            _replace_folder(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _open_tar(archive: Path) -> tarfile.TarFile:
    return tarfile.open(archive)


def _tar_members(opened: tarfile.TarFile, archive: Path, advice: str) -> list[tarfile.TarInfo]:
    """The members; reading ends where there are too many, or too much to unpack.

    A tar says the size of each member right before it, and has to be read to find the next.
    """
    members, size = [], 0
    most = _most_bytes(archive)
    for member in opened:
        member.name = member.name.removeprefix("./")
        if member.name in {"", "."}:
            continue
        members.append(member)
        size += member.size
        if size > most or len(members) > MAX_MEMBERS:
            break
    return members


def _of_tar(member: tarfile.TarInfo) -> zipfile.ZipInfo:
    """A tar's member as a zip's, to be judged by the same rules."""
    kind = stat.S_IFDIR if member.isdir() else stat.S_IFREG if member.isfile() else stat.S_IFLNK
    found = zipfile.ZipInfo("x")
    found.filename = f"{member.name}/" if member.isdir() else member.name
    found.flag_bits |= NAME_IS_UTF8
    found.file_size = member.size
    found.external_attr = kind << 16
    return found


def unpack_zip(archive: Path, folder: Path, advice: str = FETCHED) -> Path:
    """Unpack an archive so that `folder` appears whole, or not at all.

    What an unpacking that was killed has left behind is removed: hold `downloads.alone(folder)`
    where another process may be at the same.

    Nothing is written outside it, whatever the archive's names say, and the CRC-32 of each member
    is checked. An earlier `folder` is replaced.

    Args:
        archive: the file.
        folder: where its contents go.
        advice: what to do where the archive will not do: `FETCHED` or `OWN`.

    Raises:
        ValueError: where the archive is damaged, or has members that do not belong in one of
            pictures: paths that lead out, links, encrypted ones, far more bytes than it holds.
    """
    beside = folder.with_name(f"{folder.name}-{uuid.uuid4().hex[:8]}.part")
    try:
        with writing(folder), _reading(archive, advice) as opened:
            _check_members(opened.infolist(), archive, advice)
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
def _reading(
    archive: Path, advice: str, open_it: Callable[[Path], Any] = zipfile.ZipFile
) -> Iterator[Any]:
    """The opened archive.

    Raises:
        ValueError: where it turns out to be damaged, in whatever way zipfile stumbles over it.
    """
    try:
        with open_it(archive) as opened:
            yield opened
    except (*DAMAGED, OSError, ValueError) as error:
        ours = str(error).startswith("Received: ")
        # An offset that points nowhere is an invalid argument to the file; bz2's have no number.
        if ours or (isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}):
            raise
        raise ValueError(
            f"Received: {archive.name}, which cannot be unpacked ({error}). "
            f"Expected: an undamaged archive. {advice}"
        ) from error


def _most_bytes(archive: Path) -> int:
    """To how much an archive may unpack."""
    return min(MAX_UNPACKED_BYTES, MAX_RATIO * archive.stat().st_size)


def _check_members(members: Sequence[zipfile.ZipInfo], archive: Path, advice: str) -> None:
    """Look at what the archive says of its members, before anything is written.

    zipfile never reads more of a member than the size that is checked here.
    """
    size = sum(member.file_size for member in members)
    if size > _most_bytes(archive):
        raise ValueError(
            f"Received: {archive.name}, which would unpack to {size:,} bytes. Expected: an archive "
            f"of pictures, which hardly grow. {advice}"
        )
    if len(members) > MAX_MEMBERS:
        raise ValueError(
            f"Received: {archive.name} with {len(members):,} members. Expected: at most "
            f"{MAX_MEMBERS:,}. {advice}"
        )
    twice = _names_that_meet(members)
    for member in members:
        wrong = _wrong_with(member) or ("whose name meets another's" if member in twice else None)
        if wrong:
            raise ValueError(
                f"Received: {archive.name} with the member {member.filename!r}, {wrong}. "
                f"Expected: plain files inside one folder. {advice}"
            )


def _wrong_with(member: zipfile.ZipInfo) -> str | None:
    """Why this member must not be unpacked, or None."""
    name = member.filename
    parts = name.rstrip("/").split("/")
    drive = re.match(r"[A-Za-z]:", name)
    if name.startswith("/") or "\\" in name or drive or ".." in parts:
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
        or any(letter in '<>:"|?*' for letter in part)
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
