"""EXIF, read and written without a decoder: what may stay with a picture when its place is to be forgotten.

Floor 0. A bounded reader of TIFF directories for strangers' bytes (TIFF 6.0, 2; EXIF 3.0, 4.6), and a writer that makes
a new packet of a short list of tags. Nothing is ever copied: no directory of places, no maker's note, no thumbnail, no
offsets of somebody else.
"""

import re
import struct
from collections.abc import Callable, Iterator
from typing import Final

from vault.imaging.texts import MAX_CAPTION, MAX_NAME, cleaned

Facts = dict[int, "int | str | tuple[int, int]"]
"""What was read, by tag: a whole number, a text, or a fraction."""

MOST_BYTES: Final = 1024 * 1024
"""A packet that is larger is not read."""
ORIENTATION: Final = 0x0112
_EXIF_DIRECTORY: Final = 0x8769
_EXIF_VERSION: Final = 0x9000
_MOST_ENTRIES: Final = 512
_LONGEST_VALUE: Final = 65_536
_PREFIX: Final = b"Exif\x00\x00"
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED, _SIGNED_RATIONAL, _UTF8 = 2, 3, 4, 5, 7, 10, 129
_UNITS: Final = {_ASCII: 1, _UTF8: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8, _SIGNED_RATIONAL: 8}
_XMP_ORIENTATION: Final = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])(?![0-9])")

_DATE: Final = re.compile(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d")
_DIGITS: Final = re.compile(r"\d{1,9}")


def _text(value: object, longest: int = MAX_NAME) -> str | None:
    return cleaned(value, longest) if isinstance(value, bytes) else None


def _caption(value: object) -> str | None:
    return _text(value, MAX_CAPTION)


def _matching(grammar: re.Pattern[str]) -> Callable[[object], str | None]:
    return lambda value: text if (text := _text(value)) and grammar.fullmatch(text) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value <= 0xFFFF else None


def _side(value: object) -> int | None:
    return value if isinstance(value, int) and 1 <= value <= 8 else None


def _fraction(value: object) -> tuple[int, int] | None:
    return value if isinstance(value, tuple) and value[0] > 0 and value[1] > 0 else None


_Check = Callable[[object], "int | str | tuple[int, int] | None"]
# The short list, by directory. A tag that is not here goes: of times also their distance from UTC, which tells where.
_MAIN: Final[dict[int, _Check]] = {
    0x010E: _caption,  # ImageDescription
    0x010F: _text,  # Make
    0x0110: _text,  # Model
    ORIENTATION: _side,
    0x0131: _text,  # Software
    0x0132: _matching(_DATE),  # DateTime
    0x013B: _text,  # Artist
    0x8298: _text,  # Copyright
}
_DETAILS: Final[dict[int, _Check]] = {
    0x829A: _fraction,  # ExposureTime
    0x829D: _fraction,  # FNumber
    0x8827: _number,  # PhotographicSensitivity, which was ISOSpeedRatings
    0x9003: _matching(_DATE),  # DateTimeOriginal
    0x9004: _matching(_DATE),  # DateTimeDigitized
    0x920A: _fraction,  # FocalLength
    0x9290: _matching(_DIGITS),  # SubSecTime
    0x9291: _matching(_DIGITS),  # SubSecTimeOriginal
    0x9292: _matching(_DIGITS),  # SubSecTimeDigitized
    0xA001: _number,  # ColorSpace
    0xA433: _text,  # LensMake
    0xA434: _text,  # LensModel
}


def read(packet: bytes) -> Facts:
    """Return the harmless facts of a packet, with or without its "Exif" prefix; what is broken is left out.

    Looks at two directories and no further, so that no ring of directories holds it.
    """
    tiff = packet.removeprefix(_PREFIX)
    mark = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if mark is None or len(tiff) > MOST_BYTES:
        return {}
    main = dict(_entries(tiff, mark, _pointer(tiff, mark, 4)))
    facts = _checked(main, _MAIN)
    details = main.get(_EXIF_DIRECTORY)
    if isinstance(details, int):
        facts |= _checked(dict(_entries(tiff, mark, details)), _DETAILS)
    return facts


def orientation_of(facts: Facts, xmp: bytes) -> int:
    """Return which way up the picture is (1 to 8): EXIF's word or, without one, that of an XMP packet."""
    said = facts.get(ORIENTATION)
    if isinstance(said, int):
        return said
    found = _XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else 1


def kept(packet: bytes, xmp: bytes, *, only_orientation: bool) -> bytes:
    """Write the packet that stays of an EXIF and an XMP packet: TIFF without a prefix, or nothing at all."""
    facts = read(packet)
    orientation = orientation_of(facts, xmp)
    left = {} if only_orientation else facts
    left.pop(ORIENTATION, None)
    if orientation != 1:
        left[ORIENTATION] = orientation
    return write(left) if left else b""


def write(facts: Facts) -> bytes:
    """Write a packet of its own, big-endian, the same for the same facts."""
    main = {tag: fact for tag, fact in facts.items() if tag in _MAIN}
    details = {tag: fact for tag, fact in facts.items() if tag in _DETAILS}
    if not details:
        return b"MM\x00*\x00\x00\x00\x08" + _directory([_entry(*each) for each in sorted(main.items())], 8)
    entries = [_entry(*each) for each in main.items()]
    length = len(_directory([*entries, _pointing(0)], 8))
    body = _directory(sorted([*entries, _pointing(8 + length)]), 8)
    version = (_EXIF_VERSION, _UNDEFINED, 4, b"0232")
    below = _directory(sorted([version, *(_entry(*each) for each in details.items())]), 8 + length)
    return b"MM\x00*\x00\x00\x00\x08" + body + below


_Entry = tuple[int, int, int, bytes]


def _entry(tag: int, fact: "int | str | tuple[int, int]") -> _Entry:
    match fact:
        case int():
            return tag, _SHORT, 1, struct.pack(">H", fact)
        case str():
            body = fact.encode() + b"\x00"
            return tag, _ASCII, len(body), body
        case _:
            return tag, _RATIONAL, 1, struct.pack(">II", *fact)


def _pointing(offset: int) -> _Entry:
    return _EXIF_DIRECTORY, _LONG, 1, struct.pack(">I", offset)


def _directory(entries: list[_Entry], start: int) -> bytes:
    """Write one directory that begins at `start`, and behind it the values that do not fit into its entries."""
    table, values = struct.pack(">H", len(entries)), b""
    beyond = start + 2 + 12 * len(entries) + 4
    for tag, kind, count, body in entries:
        place = body.ljust(4, b"\x00") if len(body) <= 4 else struct.pack(">I", beyond + len(values))
        table += struct.pack(">HHI", tag, kind, count) + place
        values += body + bytes(len(body) & 1) if len(body) > 4 else b""
    return table + bytes(4) + values


def _pointer(tiff: bytes, mark: str, at: int) -> int:
    return int(struct.unpack_from(f"{mark}I", tiff, at)[0]) if len(tiff) >= at + 4 else len(tiff)


def _entries(tiff: bytes, mark: str, start: int) -> Iterator[tuple[int, object]]:
    """Yield tags and first values of one directory, as far as it and they lie inside the packet."""
    if start + 2 > len(tiff):
        return
    count = min(struct.unpack_from(f"{mark}H", tiff, start)[0], _MOST_ENTRIES, (len(tiff) - start - 2) // 12)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, many = struct.unpack_from(f"{mark}HHI", tiff, at)
        length = _UNITS.get(kind, 0) * many
        place = at + 8 if length <= 4 else _pointer(tiff, mark, at + 8)
        if 0 < length <= _LONGEST_VALUE and place + length <= len(tiff):
            yield tag, _value(tiff[place : place + length], kind, mark)


def _value(body: bytes, kind: int, mark: str) -> object:
    match kind:
        case 3:  # _SHORT
            return struct.unpack_from(f"{mark}H", body)[0]
        case 4:  # _LONG
            return struct.unpack_from(f"{mark}I", body)[0]
        case 5:  # _RATIONAL
            return struct.unpack_from(f"{mark}II", body)
        case 10:  # _SIGNED_RATIONAL
            return struct.unpack_from(f"{mark}ii", body)
        case _:
            return body


def _checked(found: dict[int, object], checks: dict[int, _Check]) -> Facts:
    facts: Facts = {}
    for tag, check in checks.items():
        fact = check(found.get(tag))
        if fact is not None:
            facts[tag] = fact
    return facts
