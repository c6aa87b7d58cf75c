"""Cutting metadata out of a WebP (RFC 9649): its frames, transparency and colour profile stay as they are.

Floor 0. EXIF, XMP and chunks that nobody knows go; the header that announces them is written anew.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from vault.imaging import exif
from vault.imaging.cuts import Cut, Pieces, Rule, Source, Uncuttable
from vault.imaging.profiles import rewritten

_MOST_CHUNKS: Final = 100_000
_FRAME_HEADER_BYTES: Final = 16
# Transparency and colours.
_MOST_CHUNKS_OF_A_FRAME: Final = 2
_PIXELS: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
# Bits of the extended header (2.7.1.1).
_HAS_PROFILE, _HAS_ALPHA, _HAS_EXIF, _IS_ANIMATED = 0x20, 0x10, 0x08, 0x02


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    length: int

    @property
    def end(self) -> int:
        """The byte behind it and its padding."""
        return self.start + 8 + self.length + (self.length & 1)


def cut(source: Source, rule: Rule) -> Cut:
    """Leave the metadata out of a WebP. Raises `Uncuttable`."""
    header = source.read(0, 12)
    end = int.from_bytes(header[4:8], "little") + 8
    if header[:4] != b"RIFF" or header[8:] != b"WEBP" or end > source.size_bytes:
        raise Uncuttable("no whole WebP")
    chunks = list(_chunks(source, 12, end))
    extended = chunks[0] if chunks and chunks[0].kind == b"VP8X" else None
    body = _pixels(source, chunks, is_extended=extended is not None)
    front = Pieces()
    if extended is not None:
        packet = exif.kept(
            _first(source, chunks, b"EXIF"), _first(source, chunks, b"XMP "), only_orientation=rule == "all"
        )
        front.write(_extended(source, extended, chunks, has_exif=bool(packet)))
        if packet:
            body.write(_written(b"EXIF", packet))
    front.extend(body)
    whole = Pieces()
    whole.write(b"RIFF" + struct.pack("<I", front.size_bytes + 4) + b"WEBP")
    whole.extend(front)
    return whole.cut()


def _chunks(source: Source, start: int, end: int, *, most: int = _MOST_CHUNKS) -> Iterator[_Chunk]:
    at = start
    for number in range(most + 1):
        if at == end:
            return
        if number == most:
            break
        kind, length = struct.unpack("<4sI", source.read(at, 8))
        chunk = _Chunk(kind, at, length)
        at = chunk.end
        if at > end:
            break
        yield chunk
    raise Uncuttable("chunks that do not fit into their file")


def _pixels(source: Source, chunks: list[_Chunk], *, is_extended: bool) -> Pieces:
    """Collect what shows the pixels, in order; a plain file has exactly one such chunk, and it is the first."""
    pieces, count = Pieces(), 0
    for chunk in chunks if is_extended else chunks[:1]:
        if chunk.kind == b"ANMF":
            _require_pixels_only(source, chunk)
        elif chunk.kind == b"ICCP":
            pieces.write(_profile(source, chunk))
            continue
        elif chunk.kind == b"ANIM":
            if chunk.length != 6:
                raise Uncuttable("an animation of an odd form")
        elif chunk.kind not in _PIXELS:
            continue
        count += chunk.kind not in (b"ANIM", b"ALPH")
        pieces.keep(chunk.start, 8 + chunk.length)
        pieces.write(bytes(chunk.length & 1))
    if not count:
        raise Uncuttable("no pixels")
    return pieces


def _profile(source: Source, chunk: _Chunk) -> bytes:
    profile = rewritten(source.read(chunk.start + 8, chunk.length))
    if profile is None:
        raise Uncuttable("a colour profile that is broken, or not understood")
    return _written(b"ICCP", profile)


def _require_pixels_only(source: Source, frame: _Chunk) -> None:
    start = frame.start + 8
    inner = _chunks(source, start + _FRAME_HEADER_BYTES, start + frame.length, most=_MOST_CHUNKS_OF_A_FRAME)
    if {each.kind in _PIXELS for each in inner} != {True}:
        raise Uncuttable("a frame with something in it that is not understood")


def _extended(source: Source, header: _Chunk, chunks: list[_Chunk], *, has_exif: bool) -> bytes:
    """Write the header that says what the file holds, now that it holds less; the size of the canvas stays."""
    if header.length != 10:
        raise Uncuttable("a header of an odd length")
    body = source.read(header.start + 8, 10)
    flags = body[0] & (_HAS_ALPHA | _IS_ANIMATED)
    flags |= _HAS_PROFILE if any(chunk.kind == b"ICCP" for chunk in chunks) else 0
    flags |= _HAS_EXIF if has_exif else 0
    return _written(b"VP8X", bytes([flags, 0, 0, 0]) + body[4:])


def _first(source: Source, chunks: list[_Chunk], kind: bytes) -> bytes:
    found = next((chunk for chunk in chunks if chunk.kind == kind), None)
    return source.read(found.start + 8, found.length) if found else b""


def _written(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)
