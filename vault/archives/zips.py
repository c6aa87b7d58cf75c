"""Zip archives that somebody else made: what lies in them, and the bytes of one entry, within limits.

Floor 0: knows the format and how it is abused. An entry is streamed and never unpacked to where its name points. What
is looked at before a byte is unpacked: the size of the directory, entries that lie over each other, links and devices,
encryption, and how much an entry says it becomes; and while it is: that it becomes no more than that.
"""

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Self

from vault.archives import HIDDEN, LINK, SPECIAL, BadArchive, Entry, Folder, Unreadable

CHUNK_BYTES = 256 * 1024
# APPNOTE.TXT 4.3.7, 4.3.12, 4.3.14 to 4.3.16: how long the fixed parts are, and how they begin.
LOCAL_BYTES, CENTRAL_BYTES, END_BYTES, END64_BYTES, LOCATOR_BYTES = 30, 46, 22, 56, 20
CENTRAL, END, END64, LOCATOR = b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
LONGEST_COMMENT = 65_535
# Extra fields: the name in UTF-8, and times in UTC (4.6.9 and Info-ZIP's).
UNICODE_PATH, UNIX_TIMES = 0x7075, 0x5455
UTF8, ENCRYPTED = 0x800, 0x1 | 0x40 | 0x2000
WAYS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What a small file is packed to says nothing; a large one that shrinks like this holds nothing.
HARMLESS_BYTES = 16 * 1024**2
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
DAMAGED = "This archive is damaged or is none: {}."
OVERLAPPING = "The files in this archive lie over each other, as no honest archive has them. It was not opened."
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, OSError, NotImplementedError, KeyError)


@dataclass(frozen=True)
class Limits:
    """How much an archive may be. `most_ratio` is how many times its packed size a large entry may become."""

    most_entries: int = 200_000
    most_directory_bytes: int = 64 * 1024**2
    most_entry_bytes: int = 4 * 1024**3
    most_bytes: int = 4 * 1024**4
    most_ratio: int = 200


class Zips:
    """Several archives read as one: what was split over them lies together again. Safe for several threads."""

    def __init__(self, paths: list[Path], limits: Limits) -> None:
        """Open them and read their directories. Raises BadArchive."""
        self._limits = limits
        self._open = ExitStack()
        found: dict[tuple[str, ...], list[Entry]] = {}
        try:
            for path in paths:
                for parts, entry in self._entries(self._opened(path), path):
                    found.setdefault(parts, []).append(entry)
        except BaseException:
            self._open.close()
            raise
        self._found = found
        entries = [entry for each in found.values() for entry in each]
        self.count = len(entries)
        self.bytes = sum(entry.size_bytes for entry in entries)
        if self.bytes > limits.most_bytes or self.count > limits.most_entries:
            self._open.close()
            raise BadArchive("This archive holds more than may be unpacked at once. Split it into smaller ones.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._open.close()

    def folders(self) -> Iterator[Folder]:
        """Yield the folders in order, each with its files; the same order every time."""
        for parts in sorted(self._found):
            yield Folder(parts, "/".join(parts), sorted(self._found[parts], key=lambda entry: entry.path))

    def _opened(self, path: Path) -> zipfile.ZipFile:
        try:
            file = self._open.enter_context(path.open("rb"))
            _count(file, self._limits)
            opened = self._open.enter_context(zipfile.ZipFile(file))
        except BROKEN as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "it ends too early"
            raise BadArchive(DAMAGED.format(why.rstrip(".").lower())) from error
        _refuse_overlapping(opened)
        return opened

    def _entries(self, opened: zipfile.ZipFile, path: Path) -> Iterator[tuple[tuple[str, ...], Entry]]:
        packed_ns, where = path.stat().st_mtime_ns, path.absolute()
        for info in opened.infolist():
            *parts, name = _parts(_name(info))
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir() or kind == stat.S_IFDIR or not name:
                continue
            left_out = ""
            if any(part.startswith(".") or part == "__MACOSX" for part in (*parts, name)):
                left_out = HIDDEN
            elif kind == stat.S_IFLNK:
                left_out = LINK
            elif kind not in (0, stat.S_IFREG):
                left_out = SPECIAL
            yield (
                tuple(parts),
                Entry(
                    "/".join((*parts, name)),
                    name,
                    info.file_size,
                    partial(_chunks, opened, info),
                    modified_at=_changed(info),
                    # Two entries may be called alike; no two begin at one place.
                    place=f"{where}#{info.header_offset}",
                    mtime_ns=packed_ns,
                    trouble=self._trouble(info),
                    left_out=left_out,
                ),
            )

    def _trouble(self, info: zipfile.ZipInfo) -> str:
        if info.flag_bits & ENCRYPTED:
            return "It is encrypted with a password. Unpack the archive and import what was in it."
        if info.compress_type not in WAYS:
            return "It is packed in a way that this vault does not unpack. Unpack the archive, or pack it as usual."
        if info.file_size > self._limits.most_entry_bytes:
            return f"It is larger than the {self._limits.most_entry_bytes:,} bytes that a file may have here."
        packed = max(info.compress_size, 1)
        if info.file_size > HARMLESS_BYTES and info.file_size > packed * self._limits.most_ratio:
            return "It unpacks to so much more than it takes that it cannot be a picture, and was not unpacked."
        return ""


def _chunks(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack an entry: never more than it announced, and all of it agrees with its checksum."""
    count = 0
    try:
        with opened.open(info) as file:
            while chunk := file.read(CHUNK_BYTES):
                count += len(chunk)
                yield chunk
    except (*BROKEN, RuntimeError) as error:
        raise Unreadable("Its bytes in the archive are damaged.") from error
    if count != info.file_size:
        raise Unreadable("Its bytes in the archive are damaged.")


def _count(file: BinaryIO, limits: Limits) -> None:
    """Refuse a directory of too many entries before it is read into memory. Raises BadArchive and what BROKEN names."""
    at, size = _directory(file)
    if size > limits.most_directory_bytes:
        raise BadArchive("This archive holds more files than may be imported at once. Split it into smaller ones.")
    file.seek(at)
    directory, place, count = file.read(size), 0, 0
    while place < len(directory):
        if directory[place : place + 4] != CENTRAL or len(directory) < place + CENTRAL_BYTES:
            raise zipfile.BadZipFile("its list of files is broken")
        place += CENTRAL_BYTES + sum(struct.unpack_from("<3H", directory, place + 28))
        count += 1
        if count > limits.most_entries:
            raise BadArchive("This archive holds more files than may be imported at once. Split it into smaller ones.")


def _directory(file: BinaryIO) -> tuple[int, int]:
    """Return where the list of files begins, and its length."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - LONGEST_COMMENT - END_BYTES))
    tail = file.read()
    found = tail.rfind(END)
    if found < 0 or len(tail) < found + END_BYTES:
        raise zipfile.BadZipFile("it has no list of files at its end")
    end = length - len(tail) + found
    size: int = struct.unpack_from("<L", tail, found + 12)[0]
    file.seek(max(0, end - LOCATOR_BYTES))
    locator = file.read(LOCATOR_BYTES)
    if locator.startswith(LOCATOR):
        end -= LOCATOR_BYTES + END64_BYTES
        file.seek(max(0, end))
        long_end = file.read(END64_BYTES)
        if not long_end.startswith(END64):
            raise zipfile.BadZipFile("the end of its list of files is broken")
        size = struct.unpack_from("<Q", long_end, 40)[0]
    if size > end:
        raise zipfile.BadZipFile("its list of files is larger than itself")
    return end - size, size


def _refuse_overlapping(opened: zipfile.ZipFile) -> None:
    end = 0
    for info in sorted(opened.infolist(), key=lambda each: each.header_offset):
        if info.header_offset < end:
            raise BadArchive(OVERLAPPING)
        # The name may be written shorter in front of the bytes than in the list, never longer than not at all.
        end = info.header_offset + LOCAL_BYTES + info.compress_size
    if end > opened.start_dir:
        raise BadArchive(OVERLAPPING)


def _name(info: zipfile.ZipInfo) -> str:
    """Return a name as it was meant: what is not said to be UTF-8 may be it all the same, or Japanese."""
    if info.flag_bits & UTF8:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    said = _extra(info, UNICODE_PATH)
    if len(said) > 5 and said[0] == 1 and struct.unpack_from("<L", said, 1)[0] == zlib.crc32(raw):
        return said[5:].decode(errors="replace")
    for encoding in ("utf-8", "cp932"):
        try:
            meant = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or JAPANESE.search(meant):
            return meant
    return info.orig_filename


def _parts(path: str) -> tuple[str, ...]:
    """Return the folders and the name of a path, without what would lead anywhere else."""
    plain = path.replace("\\", "/").replace("\0", "\N{REPLACEMENT CHARACTER}")
    *folders, name = plain.split("/")
    kept = [part for part in folders if part not in ("", ".", "..") and not re.fullmatch("[A-Za-z]:", part)]
    return (*kept, name)


def _extra(info: zipfile.ZipInfo, wanted: int) -> bytes:
    rest = info.extra
    while len(rest) >= 4:
        kind, length = struct.unpack_from("<2H", rest)
        if kind == wanted:
            return rest[4 : 4 + length]
        rest = rest[4 + length :]
    return b""


def _changed(info: zipfile.ZipInfo) -> datetime | None:
    """Return when a file was changed: the moment where one is given, else the clock of who packed it, as UTC."""
    times = _extra(info, UNIX_TIMES)
    try:
        if len(times) >= 5 and times[0] & 1:
            return datetime.fromtimestamp(struct.unpack_from("<l", times, 1)[0], UTC)
        # The format's first moment stands for none.
        return datetime(*info.date_time, tzinfo=UTC) if info.date_time > (1980, 1, 1, 0, 0, 59) else None
    except (ValueError, OverflowError):
        return None
