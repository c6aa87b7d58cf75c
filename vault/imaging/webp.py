"""The outside of a WebP file, read without a decoder.

Floor 0. Used on what the decoding child wrote, which is believed only after this look.
"""

import os
from collections.abc import Set as AbstractSet
from typing import BinaryIO, Final

_PIXELS: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_MAX_CHUNKS: Final = 8
# The flags of VP8X for an animation and for what shows through; all others promise metadata.
_ANIMATED, _CLEAR = 0x02, 0x10
_FRAME_HEAD_BYTES: Final = 16


def measure(file: BinaryIO, *, most_frames: int = 1) -> tuple[int, int]:
    """Width and height in pixels of a WebP that holds pixels and nothing else; with several frames only where allowed.

    Raises `ValueError` for anything else: another format, metadata, a frame beyond the canvas, bytes after the end
    (RFC 9649, 2.3 to 2.7).
    """
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    header = file.read(12)
    if header[:4] != b"RIFF" or header[8:] != b"WEBP" or int.from_bytes(header[4:8], "little") + 8 != size_bytes:
        raise ValueError("not a whole WebP file")
    name, _, head = _chunk(file, size_bytes)
    if name == b"VP8X" and head[0] & _ANIMATED and most_frames > 1:
        size = _moving(file, head, size_bytes, most_frames)
    else:
        file.seek(12)
        size = _still(file, size_bytes, {b"VP8X"})
    if file.tell() != size_bytes:
        raise ValueError("a WebP file of an unexpected build")
    return size


def _still(file: BinaryIO, end: int, more: AbstractSet[bytes]) -> tuple[int, int]:
    """Walk to `end` over one picture; the size that its first chunk with a size states."""
    size: tuple[int, int] | None = None
    for _ in range(_MAX_CHUNKS):
        if file.tell() >= end:
            break
        name, _, head = _chunk(file, end)
        if name not in _PIXELS | more or (name == b"VP8X" and head[0] & ~_CLEAR):
            raise ValueError("a chunk that is not pixels")
        size = size or _size(name, head)
    if size is None:
        raise ValueError("no picture")
    return size


def _moving(file: BinaryIO, head: bytes, end: int, most_frames: int) -> tuple[int, int]:
    """Walk over the frames of an animation, each of which has to lie within the canvas."""
    canvas = _size(b"VP8X", head)
    if canvas is None or head[0] & ~(_ANIMATED | _CLEAR) or _chunk(file, end)[:2] != (b"ANIM", 6):
        raise ValueError("an animation of an unexpected build")
    found = 0
    while file.tell() < end and found < most_frames:
        start = file.tell()
        name, length, head = _chunk(file, end)
        x, y, width, height = (_three(head, at) for at in (0, 3, 6, 9))
        if name != b"ANMF" or 2 * x + width + 1 > canvas[0] or 2 * y + height + 1 > canvas[1]:
            raise ValueError("a frame that lies elsewhere")
        after = file.tell()
        file.seek(start + 8 + _FRAME_HEAD_BYTES)
        is_true = _still(file, start + 8 + length, set()) == (width + 1, height + 1)
        if not is_true or file.tell() != start + 8 + length:
            raise ValueError("a frame of another size than it says")
        file.seek(after)
        found += 1
    if not found:
        raise ValueError("an animation without frames")
    return canvas


def _chunk(file: BinaryIO, end: int) -> tuple[bytes, int, bytes]:
    """Pass over a chunk: its name, how long it says that it is, and how it begins."""
    header = file.read(8)
    length = int.from_bytes(header[4:], "little")
    after = file.tell() + length + (length & 1)
    if len(header) < 8 or after > end:
        raise ValueError("a chunk that is cut off")
    head = file.read(min(length, _FRAME_HEAD_BYTES)).ljust(_FRAME_HEAD_BYTES, b"\x00")
    file.seek(after)
    return header[:4], length, head


def _three(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 3], "little")


def _size(name: bytes, body: bytes) -> tuple[int, int] | None:
    if name == b"VP8X":
        return _three(body, 4) + 1, _three(body, 7) + 1
    if name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None
