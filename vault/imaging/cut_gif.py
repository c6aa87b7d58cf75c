"""Cutting metadata out of a GIF (GIF89a specification): its frames, their times and how often they repeat stay.

Floor 0. Comments, texts and what applications wrote go, colour profiles too, which no browser heeds in a GIF; so does
everything behind the end.
"""

from itertools import count
from typing import Final

from vault.imaging.cuts import Cut, Pieces, Rule, Source, Uncuttable

WINDOW_BYTES: Final = 65_536
"""How much is read at a time: a picture is a long row of short blocks."""
_MOST_BLOCKS: Final = 100_000
# Of 255 bytes mostly, so that a hundred megabytes of pixels pass, and no file of one-byte blocks takes long.
_MOST_DATA_BLOCKS: Final = 400_000
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL: Final = b"\xf9\x04"
_REPEATS: Final = (b"\xff\x0bNETSCAPE2.0\x03\x01", b"\xff\x0bANIMEXTS1.0\x03\x01")


def cut(source: Source, _rule: Rule) -> Cut:
    """Leave the metadata out of a GIF; both rules come to the same, because it has no EXIF. Raises `Uncuttable`."""
    header = source.read(0, 13)
    if header[:6] not in (b"GIF87a", b"GIF89a"):
        raise Uncuttable("no GIF")
    pieces, frames, steps = Pieces(), 0, count()
    at = 13 + _colours(header[10])
    pieces.keep(0, at)
    for _ in range(_MOST_BLOCKS):
        introducer = source.read(at, 1)[0]
        if introducer == _TRAILER:
            if not frames:
                break
            pieces.keep(at, 1)
            return pieces.cut()
        if introducer == _IMAGE:
            frames += 1
            end = _image_end(source, at, steps)
            pieces.keep(at, end - at)
        elif introducer == _EXTENSION:
            end = _blocks_end(source, at + 2, steps)
            if _stays(source, at, end):
                pieces.keep(at, end - at)
        else:
            break
        at = end
    raise Uncuttable("a GIF without a picture or an end")


def _image_end(source: Source, at: int, steps: "count[int]") -> int:
    """Return the byte behind a frame. Its pixels fill equal blocks but for the last, else the row has lost its step."""
    at += 11 + _colours(source.read(at + 9, 1)[0])
    full = last = source.read(at, 1)[0]
    while length := _data_block(source, at, steps):
        if last != full or length > full:
            raise Uncuttable("pixels in odd blocks")
        last = length
        at += length + 1
    return at + 1


def _blocks_end(source: Source, at: int, steps: "count[int]") -> int:
    """Return the byte behind a row of blocks."""
    while length := _data_block(source, at, steps):
        at += length + 1
    return at + 1


def _data_block(source: Source, at: int, steps: "count[int]") -> int:
    if next(steps) >= _MOST_DATA_BLOCKS:
        raise Uncuttable("too many blocks")
    return source.read(at, 1)[0]


def _stays(source: Source, at: int, end: int) -> bool:
    """Whether an extension is one of time and transparency, or says how often an animation repeats."""
    if end - at == 8:
        return source.read(at + 1, 2) == _CONTROL
    return end - at == 19 and source.read(at + 1, 15) in _REPEATS


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
