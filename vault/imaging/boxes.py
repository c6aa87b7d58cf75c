"""The boxes of an MP4 (ISO/IEC 14496-12): a walk that proves that a rendition holds pictures, sound and nothing else.

Floor 0. Reads without a decoder; the parent doubts with it what the child of `vault.imaging.sandbox` made.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

_INSIDE: Final = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl"})
_LEAVES: Final = frozenset(
    {
        *(b"mvhd", b"tkhd", b"elst", b"mdhd", b"hdlr", b"vmhd", b"smhd", b"dref", b"stsd", b"stts", b"stss", b"ctts"),
        *(b"stsc", b"stsz", b"stco", b"co64", b"sgpd", b"sbgp", b"sdtp"),
    }
)
_NAMES: Final = {b"vide": b"VideoHandler\0", b"soun": b"SoundHandler\0"}
# One reference, to this very file.
_OWN_DATA: Final = bytes.fromhex("00000000 00000001 0000000c") + b"url " + bytes.fromhex("00000001")
_MOST_MOOV_BYTES: Final = 64 * 1024 * 1024
_MOST_BOXES: Final = 200


class NotBare(ValueError):
    """A file that is no MP4, or one in which something may be hidden."""


class Box(NamedTuple):
    """A box: its type, where it begins, where what it holds begins, and where it ends."""

    type: bytes
    start: int
    inner: int
    end: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Walk the boxes of a stretch of a file. Raises `NotBare` where they do not fit into it."""
    at = start
    while at < end:
        head = os.pread(file.fileno(), 16, at)
        size, inner = int.from_bytes(head[:4]), at + 8
        if size == 1:
            size, inner = int.from_bytes(head[8:16]), at + 16
        if size == 0:
            size = end - at
        if len(head) < 8 or at + size > end or at + size < inner:
            raise NotBare("a box that does not fit")
        yield Box(head[4:8], at, inner, at + size)
        at += size


def require_bare(file: BinaryIO, size_bytes: int) -> None:
    """Refuse what is not an MP4 that begins to play at once and says nothing but its pictures and sound.

    Raises `NotBare`.
    """
    if os.fstat(file.fileno()).st_size != size_bytes:
        raise NotBare("another size than was said")
    found = [box for box in boxes(file, 0, size_bytes) if not _is_empty_space(file, box)]
    if [box.type for box in found] != [b"ftyp", b"moov", b"mdat"]:
        raise NotBare("other boxes than an MP4 needs, or in another order")
    moov = found[1]
    if moov.end - moov.start > _MOST_MOOV_BYTES:
        raise NotBare("too long an index")
    kinds: list[bytes] = []
    for box in _within(file, moov):
        if box.type == b"hdlr":
            kinds.append(_kind(_held(file, box)))
        elif box.type == b"dref" and _held(file, box) != _OWN_DATA:
            raise NotBare("bytes that lie elsewhere")
    if kinds not in ([b"vide"], [b"vide", b"soun"]):
        raise NotBare("other tracks than one of pictures and one of sound")


def silence(file: BinaryIO, size_bytes: int) -> None:
    """Turn the box of user data, which some writers leave empty but never out, into blank space."""
    for moov in boxes(file, 0, size_bytes):
        if moov.type != b"moov":
            continue
        for box in boxes(file, moov.inner, moov.end):
            if box.type in (b"udta", b"meta"):
                os.pwrite(file.fileno(), b"free" + bytes(box.end - box.start - 8), box.start + 4)


def _within(file: BinaryIO, moov: Box) -> Iterator[Box]:
    waiting, seen = [moov], 0
    while waiting:
        outer = waiting.pop(0)
        for box in boxes(file, outer.inner, outer.end):
            seen += 1
            if box.type in _INSIDE and seen < _MOST_BOXES:
                waiting.append(box)
            elif box.type in _LEAVES and seen < _MOST_BOXES:
                yield box
            elif not _is_empty_space(file, box):
                raise NotBare(f"a box of type {box.type!r}")


def _is_empty_space(file: BinaryIO, box: Box) -> bool:
    return box.type == b"free" and box.end - box.inner <= _MOST_MOOV_BYTES and not any(_held(file, box))


def _kind(handler: bytes) -> bytes:
    kind = handler[8:12]
    if handler[24:] != _NAMES.get(kind):
        raise NotBare("a track with a name")
    return kind


def _held(file: BinaryIO, box: Box) -> bytes:
    return os.pread(file.fileno(), min(box.end - box.inner, _MOST_MOOV_BYTES), box.inner)
