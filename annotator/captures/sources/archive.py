"""The members of a zip, which may be hostile. Nothing is unpacked to a path that a zip names, and
nothing is inflated beyond what was promised and allowed."""

from __future__ import annotations

import re
import stat
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO

from django.conf import settings

from annotator.core.errors import DomainError
from annotator.media.pictures import BadPicture, check_size

from ..intake import Incoming, refused

_UTF8 = 0x800
_ENCRYPTED = 0x1
_HAS_DESCRIPTOR = 0x8
_LOCAL = struct.Struct("<4s5H3I2H")
_LOCAL_SIGN = b"PK\x03\x04"
_DIRECTORY_ENTRY_BYTES = 512
"""What an entry of the directory is reckoned at; larger directories are refused unread."""
_PLAIN_BYTES = 1 << 20
"""Members up to this size may be squeezed at any ratio: whole pages of white are."""
_NESTED = re.compile(r"\.(zip|rar|7z|tar|t?gz|bz2|xz|zst)$", re.IGNORECASE)
_CLUTTER = re.compile(r"(^|/)(__MACOSX/|\.[^./]|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_KANA = re.compile("[ぁ-ゖァ-ヺ]")
_HALF_KANA = re.compile("[｡-ﾟ]")


def members_of(file: IO[bytes], *, name: str, cam_type: str = "") -> Iterator[Incoming]:
    """The members of the zip ``file``, named below ``name``; hostile ones with the reason why they
    are refused. A zip whose end is missing gives the members that are there, then that reason.
    Raises DomainError for what is no zip or has too many members."""
    try:
        archive = _opened(file)
    except zipfile.BadZipFile as error:
        file.seek(0)
        if file.read(4) != _LOCAL_SIGN:
            raise DomainError("zip_unreadable", detail=str(error)[:120]) from error
        return _truncated(file, name, cam_type)
    return _listed(archive, name, cam_type)


def count_members(file: IO[bytes]) -> int | None:
    """How many files the zip holds; None where its directory is missing."""
    try:
        return sum(_wanted(info) for info in _opened(file).infolist())
    except zipfile.BadZipFile:
        return None


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    limit: int = settings.ZIP_MAX_MEMBERS
    if end and (end[4] > limit or end[5] > limit * _DIRECTORY_ENTRY_BYTES):
        raise DomainError("zip_too_many", limit=limit)
    archive = zipfile.ZipFile(file)
    if len(archive.infolist()) > limit:
        raise DomainError("zip_too_many", limit=limit)
    return archive


def _wanted(info: zipfile.ZipInfo) -> bool:
    return not info.is_dir() and not _CLUTTER.search(info.filename)


def _listed(archive: zipfile.ZipFile, above: str, cam_type: str) -> Iterator[Incoming]:
    seen: set[str] = set()
    total = 0
    lock = threading.Lock()
    for info in archive.infolist():
        if not _wanted(info):
            continue
        inner = readable_name(info.orig_filename, info.flag_bits)
        name = f"{above}/{inner}"
        reason = _reason(info, inner, seen)
        seen.add(inner)
        if reason is None and total + info.file_size > settings.ZIP_MAX_TOTAL_BYTES:
            limit_gb = settings.ZIP_MAX_TOTAL_BYTES >> 30
            reason = BadPicture("zip_total_too_large", limit_gb=limit_gb)
        if reason is not None:
            yield refused(name, reason.code, size=info.file_size, **reason.params)
            continue
        total += info.file_size
        yield Incoming(name, _reader(archive, info, lock), size=info.file_size, cam_type=cam_type)


def _reason(info: zipfile.ZipInfo, inner: str, seen: set[str]) -> BadPicture | None:
    """Why a member is not even read."""
    if info.flag_bits & _ENCRYPTED:
        return BadPicture("zip_encrypted")
    if stat.S_ISLNK(info.external_attr >> 16):
        return BadPicture("zip_symlink")
    if _leaves_root(inner):
        return BadPicture("zip_path_outside")
    if inner in seen:
        return BadPicture("zip_duplicate_name")
    if _NESTED.search(inner):
        return BadPicture("zip_nested")
    if info.file_size > max(_PLAIN_BYTES, info.compress_size * settings.ZIP_MAX_RATIO):
        ratio = info.file_size // max(1, info.compress_size)
        return BadPicture("zip_ratio", ratio=ratio, limit=settings.ZIP_MAX_RATIO)
    try:
        check_size(info.file_size, max_bytes=settings.MAX_UPLOAD_BYTES)
    except BadPicture as bad:
        return bad
    return None


def _leaves_root(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or bool(re.match(r"[A-Za-z]:", name))


def _reader(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, lock: threading.Lock
) -> Callable[[], bytes]:
    def read() -> bytes:
        # A member that inflates to more than it promised ends there; its checksum is then wrong.
        try:
            with lock, archive.open(info) as member:
                return member.read(info.file_size + 1)
        except NotImplementedError as error:
            raise BadPicture("zip_method", detail=str(error)[:120]) from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise BadPicture("zip_damaged", detail=str(error)[:120]) from error

    return read


def readable_name(raw: str, flags: int) -> str:
    """A member's name. Archivers of Chinese and Japanese systems write it in the system's own
    encoding without saying so; Python then reads it as code page 437."""
    if flags & _UTF8:
        return raw
    try:
        data = raw.encode("cp437")
    except UnicodeEncodeError:
        return raw
    return _decoded(data)


def _decoded(data: bytes) -> str:
    guesses = {}
    for encoding in ("utf-8", "cp932", "gb18030"):
        try:
            guesses[encoding] = data.decode(encoding)
        except UnicodeDecodeError:
            continue
    if "utf-8" in guesses:
        return guesses["utf-8"]
    japanese = guesses.get("cp932", "")
    if _KANA.search(japanese) and not _HALF_KANA.search(japanese):
        return japanese
    return guesses.get("gb18030") or japanese or data.decode("cp437")


# --- a zip whose end is missing ---------------------------------------------------------------


def _truncated(file: IO[bytes], above: str, cam_type: str) -> Iterator[Incoming]:
    """The members that stand before the break, found by their own headers."""
    file.seek(0)
    seen: set[str] = set()
    total = 0
    while len(seen) < settings.ZIP_MAX_MEMBERS:
        head = file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or not head.startswith(_LOCAL_SIGN):
            break
        _, _, flags, method, _, _, crc, squeezed, size, name_size, extra_size = _LOCAL.unpack(head)
        raw = file.read(name_size)
        file.seek(extra_size, 1)
        inner = raw.decode("utf-8", "replace") if flags & _UTF8 else _decoded(raw)
        if flags & (_HAS_DESCRIPTOR | _ENCRYPTED) or squeezed > settings.MAX_UPLOAD_BYTES:
            break  # where it ends is written behind it, or cannot be trusted
        data = file.read(squeezed)
        if len(data) < squeezed:
            break
        info = zipfile.ZipInfo(inner or "?")
        info.file_size, info.compress_size, info.flag_bits = size, squeezed, flags
        info.compress_type = method
        if not _wanted(info):
            continue
        reason = _reason(info, inner, seen)
        seen.add(inner)
        total += size
        if total > settings.ZIP_MAX_TOTAL_BYTES:
            break
        name = f"{above}/{inner}"
        if reason is not None:
            yield refused(name, reason.code, size=size, **reason.params)
        else:
            yield Incoming(name, _inflater(data, info, crc), size=size, cam_type=cam_type)
    yield refused(above, "zip_truncated")


def _inflater(data: bytes, info: zipfile.ZipInfo, crc: int) -> Callable[[], bytes]:
    def read() -> bytes:
        plain = data
        if info.compress_type == zipfile.ZIP_DEFLATED:
            try:
                plain = zlib.decompressobj(-15).decompress(data, info.file_size + 1)
            except zlib.error as error:
                raise BadPicture("zip_damaged", detail=str(error)[:120]) from error
        elif info.compress_type != zipfile.ZIP_STORED:
            raise BadPicture("zip_method", detail=str(info.compress_type))
        if len(plain) != info.file_size or zlib.crc32(plain) != crc:
            raise BadPicture("zip_damaged", detail="CRC")
        return plain

    return read
