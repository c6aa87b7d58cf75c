"""The outside of a WebP file, read without a decoder.

Floor 0. Used on what the decoding child wrote, which is believed only after this look.
"""

import os
from typing import BinaryIO, Final

_STILL_CHUNKS: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})
_MAX_CHUNKS: Final = 8


def measure(file: BinaryIO) -> tuple[int, int]:
    """Width and height in pixels of a still WebP that holds pixels and nothing else.

    Raises `ValueError` for anything else: another format, metadata, an animation, bytes after the end
    (RFC 9649, 2.3 to 2.7).
    """
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    header = file.read(12)
    if header[:4] != b"RIFF" or header[8:] != b"WEBP" or int.from_bytes(header[4:8], "little") + 8 != size_bytes:
        raise ValueError("not a whole WebP file")
    size: tuple[int, int] | None = None
    for _ in range(_MAX_CHUNKS):
        if file.tell() == size_bytes:
            break
        name, length = _chunk(file)
        body = file.read(10)
        size = size or _size(name, body)
        file.seek(length + (length & 1) - len(body), os.SEEK_CUR)
    if size is None or file.tell() != size_bytes:
        raise ValueError("a WebP file of an unexpected build")
    return size


def _chunk(file: BinaryIO) -> tuple[bytes, int]:
    header = file.read(8)
    if len(header) < 8 or header[:4] not in _STILL_CHUNKS:
        raise ValueError("a chunk that is not pixels")
    return header[:4], int.from_bytes(header[4:], "little")


def _size(name: bytes, body: bytes) -> tuple[int, int] | None:
    if name == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None
