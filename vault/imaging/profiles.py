"""A colour profile as it is carried in files: written anew of what colours need, without a colour engine.

Floor 0. A profile is part of what the pixels mean, so its numbers stay with them; but it is also a file in a file, with
room for texts, dates, serial numbers and anything else. Knows curves, matrices and tables (ICC.1:2022, ICC.1:2001-04),
and copies no byte that is not one of their numbers.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final

_HEADER_BYTES: Final = 128
_MOST_TAGS: Final = 100
# Versions as they are written: of a version's number only the first figure changes how a profile is read.
_VERSIONS: Final = {2: 0x02400000, 4: 0x04400000}
_CLASSES: Final = frozenset({b"mntr", b"scnr", b"prtr", b"spac"})
_SPACES: Final = frozenset({b"RGB ", b"GRAY", b"CMYK"})
_CONNECTIONS: Final = frozenset({b"XYZ ", b"Lab "})
_MOST_INTENT: Final = 3
_D50: Final = struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
# How many numbers a curve of each type has (10.18).
_PARAMETERS: Final = (1, 3, 4, 5, 7)
_MOST_CHANNELS: Final = 4
_NAME: Final = "Colour profile"
_RIGHTS: Final = "None"
# Tables of floating numbers come before all others where a program knows them: without them the look would change.
_BEYOND: Final = frozenset(way + each for way in (b"D2B", b"B2D") for each in (b"0", b"1", b"2", b"3"))


def rewritten(body: bytes) -> bytes | None:
    """Return a profile that means the same colours and says nothing else; None for what is not understood to the end.

    The same for the same profile, and for what it returned before.
    """
    try:
        header, tags = _header(body), dict(_tags(body))
    except (_Odd, struct.error, IndexError):
        return None
    return _put_together(header, tags)


class _Odd(Exception):
    """A profile of a form that is not known here."""


def _require(is_so: bool) -> None:  # noqa: FBT001 - it is the only word of its sentence
    if not is_so:
        raise _Odd


def _header(body: bytes) -> bytes:
    """Write what a header says of colours behind its first eight bytes (7.2).

    Makers, devices, dates, flags and the profile's id are zero.
    """
    _require(len(body) >= _HEADER_BYTES and body[36:40] == b"acsp" and int.from_bytes(body[:4]) == len(body))
    kind, space, connection, intent = body[12:16], body[16:20], body[20:24], int.from_bytes(body[64:68])
    _require(body[8] in _VERSIONS and kind in _CLASSES and space in _SPACES and connection in _CONNECTIONS)
    _require(intent <= _MOST_INTENT)
    front = struct.pack(">I4s4s4s12x4s24x", _VERSIONS[body[8]], kind, space, connection, b"acsp")
    return front + struct.pack(">I", intent) + _D50 + bytes(48)


def _tags(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the tags that colours need, each written anew (7.3)."""
    (count,) = struct.unpack_from(">I", body, _HEADER_BYTES)
    _require(count <= _MOST_TAGS)
    seen: set[bytes] = set()
    for at in range(_HEADER_BYTES + 4, _HEADER_BYTES + 4 + 12 * count, 12):
        name, offset, length = struct.unpack_from(">4sII", body, at)
        _require(name not in seen and name not in _BEYOND)
        _require(_HEADER_BYTES + 4 + 12 * count <= offset and offset + length <= len(body))
        seen.add(name)
        if name in _KEPT:
            element = body[offset : offset + length]
            write = _KEPT[name].get(element[:4])
            if write is None:
                raise _Odd
            yield name, write(element)


def _numbers(element: bytes, start: int, length: int) -> bytes:
    """Return a type's name, and all from its first field to the end of the numbers that begin at `start`."""
    _require(start + length <= len(element))
    return element[:4] + bytes(4) + element[8 : start + length]


def _point(element: bytes) -> bytes:
    return _numbers(element, 8, 12)


def _matrix(element: bytes) -> bytes:
    return _numbers(element, 8, 36)


def _curve(element: bytes) -> bytes:
    (count,) = struct.unpack_from(">I", element, 8)
    return _numbers(element, 12, 2 * count)


def _formula(element: bytes) -> bytes:
    (form,) = struct.unpack_from(">H", element, 8)
    length = 4 * _PARAMETERS[form]
    _require(12 + length <= len(element))
    return b"para" + struct.pack(">4xHxx", form) + element[12 : 12 + length]


def _points_of_light(element: bytes) -> bytes:
    channels, phosphor = struct.unpack_from(">HH", element, 8)
    _require(channels <= _MOST_CHANNELS and phosphor <= _MOST_CHANNELS)
    return _numbers(element, 12, 8 * channels)


def _signal(element: bytes) -> bytes:
    return _numbers(element, 8, 4)


def _table(element: bytes) -> bytes:
    """Write a table of eight or sixteen bits anew (10.10, 10.11), without the byte that fills its head."""
    inputs, outputs, grid = element[8], element[9], element[10]
    _require(1 <= inputs <= _MOST_CHANNELS and 1 <= outputs <= _MOST_CHANNELS)
    start, width, entering, leaving = 48, 1, 256, 256
    if element[:4] == b"mft2":
        start, width = 52, 2
        entering, leaving = struct.unpack_from(">HH", element, 48)
    length = width * (inputs * entering + grid**inputs * outputs + leaving * outputs)
    _require(start + length <= len(element))
    return element[:4] + bytes(4) + element[8:11] + b"\x00" + element[12 : start + length]


_Writers = dict[bytes, Callable[[bytes], bytes]]
_XYZ: Final[_Writers] = {b"XYZ ": _point}
_CURVES: Final[_Writers] = {b"curv": _curve, b"para": _formula}
_TABLES: Final[_Writers] = {b"mft1": _table, b"mft2": _table}
# The tags that stay, with the types that they may have. A tag that is not here goes.
_KEPT: Final[dict[bytes, _Writers]] = {
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"bkpt", b"lumi"), _XYZ),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), _CURVES),
    **dict.fromkeys((b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt"), _TABLES),
    b"chad": {b"sf32": _matrix},
    b"chrm": {b"chrm": _points_of_light},
    b"cicp": {b"cicp": _signal},
}


def _put_together(header: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Write a whole profile; tags that are alike share their bytes, as they do in files of cameras."""
    is_new = header[0] == 4
    said = _spoken if is_new else _described
    ordered = {
        b"desc": said(_NAME),
        b"cprt": _spoken(_RIGHTS) if is_new else b"text" + bytes(4) + _RIGHTS.encode() + b"\x00",
        **{name: tags[name] for name in _KEPT if name in tags},
    }
    at = _HEADER_BYTES + 4 + 12 * len(ordered)
    table, rest, places = struct.pack(">I", len(ordered)), bytearray(), dict[bytes, int]()
    for name, element in ordered.items():
        if element not in places:
            places[element] = at + len(rest)
            rest += element + bytes(-len(element) % 4)
        table += struct.pack(">4sII", name, places[element], len(element))
    return struct.pack(">I", at + len(rest)) + bytes(4) + header + table + rest


def _described(text: str) -> bytes:
    """Write a description of version 2 (ICC.1:2001-04, 6.5.17)."""
    return struct.pack(">4s4xI", b"desc", len(text) + 1) + text.encode() + b"\x00" + bytes(78)


def _spoken(text: str) -> bytes:
    """Write a text of version 4 (10.15)."""
    body = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(body), 28) + body
