"""Cutting metadata out of a PNG (W3C PNG, third edition): its pixels, and what says how to show them, stay as they are.

Floor 0. An allow-list of chunks, each with the lengths that it may have; texts, times, EXIF and everything private go.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from vault.imaging import exif
from vault.imaging.cuts import MOST_BYTES_AT_ONCE, Cut, Pieces, Rule, Source, Uncuttable
from vault.imaging.profiles import rewritten

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS: Final = 200_000
_ANY: Final = range(1 << 31)
# What stays, with the lengths that it may have in bytes.
_KEPT: Final = {
    b"IHDR": range(13, 14),
    b"PLTE": range(3, 769, 3),
    b"IDAT": _ANY,
    b"IEND": range(1),
    b"tRNS": range(1, 257),
    b"gAMA": range(4, 5),
    b"cHRM": range(32, 33),
    b"sRGB": range(1, 2),
    b"cICP": range(4, 5),
    b"mDCV": range(24, 25),
    b"cLLI": range(8, 9),
    b"sBIT": range(1, 5),
    b"pHYs": range(9, 10),
    b"bKGD": range(1, 7),
    b"acTL": range(8, 9),
    b"fcTL": range(26, 27),
    b"fdAT": range(4, 1 << 31),
}
_XMP_KEY: Final = b"XML:com.adobe.xmp\x00"
_RAW_PROFILE: Final = b"Raw profile type "


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    length: int

    @property
    def end(self) -> int:
        """The byte behind its checksum."""
        return self.start + self.length + 12


def cut(source: Source, rule: Rule) -> Cut:
    """Leave the metadata out of a PNG. Raises `Uncuttable`."""
    head, pieces = Pieces(), Pieces()
    packet = xmp = b""
    has_profile = False
    for chunk in _chunks(source):
        if chunk.kind == b"IHDR":
            head.write(_SIGNATURE)
            head.keep(chunk.start, chunk.end - chunk.start)
        elif chunk.kind in _KEPT:
            if chunk.length not in _KEPT[chunk.kind]:
                raise Uncuttable("a chunk of an odd length")
            pieces.keep(chunk.start, chunk.end - chunk.start)
        elif chunk.kind == b"iCCP":
            if has_profile:
                raise Uncuttable("two colour profiles")
            has_profile = True
            pieces.write(_profile(_body(source, chunk)))
        elif chunk.kind == b"eXIf":
            packet = packet or _body(source, chunk)
        elif chunk.kind in (b"iTXt", b"tEXt", b"zTXt"):
            xmp = xmp or _xmp(source, chunk)
    kept = exif.kept(packet, xmp, only_orientation=rule == "all")
    if kept:
        head.write(_written(b"eXIf", kept))
    head.extend(pieces)
    return head.cut()


def _chunks(source: Source) -> Iterator[_Chunk]:
    """Yield the chunks from IHDR to IEND; what follows is not looked at."""
    if source.read(0, 8) != _SIGNATURE:
        raise Uncuttable("no PNG")
    at, has_pixels = 8, False
    for number in range(_MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", source.read(at, 8))
        chunk = _Chunk(kind, at, length)
        at = chunk.end
        is_first = kind == b"IHDR"
        if not kind.isalpha() or at > source.size_bytes or is_first != (number == 0) or (is_first and length != 13):
            raise Uncuttable("a chunk out of order")
        if kind[:1].isupper() and kind not in _KEPT:
            raise Uncuttable("a chunk that must be understood and is not")
        has_pixels = has_pixels or kind == b"IDAT"
        yield chunk
        if kind == b"IEND" and has_pixels:
            return
    raise Uncuttable("too many chunks")


def _profile(body: bytes) -> bytes:
    """Write the chunk of a colour profile anew, with nothing in it but colours, nor in its name (11.3.2.3)."""
    name, _, packed = body.partition(b"\x00")
    if not 1 <= len(name) <= 79 or packed[:1] != b"\x00":
        raise Uncuttable("a colour profile of an odd form")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], MOST_BYTES_AT_ONCE)
    except zlib.error as error:
        raise Uncuttable("a colour profile that is broken") from error
    anew = rewritten(profile) if unpacking.eof and not unpacking.unused_data else None
    if anew is None:
        raise Uncuttable("a colour profile that is broken, or not understood")
    # Not pressed together: another release of zlib might do it in other bytes.
    return _written(b"iCCP", b"ICC profile\x00\x00" + zlib.compress(anew, 0))


def _xmp(source: Source, chunk: _Chunk) -> bytes:
    """Return an XMP packet, which may say which way up the picture is.

    Raises `Uncuttable` where that would be said in a packed way, as some programs do.
    """
    key = source.read(chunk.start + 8, min(chunk.length, 32))
    if key.startswith(_RAW_PROFILE):
        raise Uncuttable("EXIF as packed text")
    if chunk.kind != b"iTXt" or not key.startswith(_XMP_KEY):
        return b""
    body = _body(source, chunk)
    if body[len(_XMP_KEY) : len(_XMP_KEY) + 1] != b"\x00":
        raise Uncuttable("XMP as packed text")
    return body


def _body(source: Source, chunk: _Chunk) -> bytes:
    return source.read(chunk.start + 8, chunk.length)


def _written(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
