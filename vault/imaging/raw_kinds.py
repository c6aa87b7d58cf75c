"""Whose RAW is this? Most makers write TIFF, and only its first directory tells it from a scanner's picture.

Floor 0. Reads bytes, and decodes nothing. What is not surely a RAW is a TIFF.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Final

from vault.imaging.kinds import (
    ARW,
    CR2,
    DCR,
    DNG,
    ERF,
    HASSELBLAD,
    IIQ,
    MEF,
    MOS,
    NEF,
    NRW,
    PEF,
    RW2,
    RWL,
    SR2,
    SRW,
    TIFF,
    Kind,
)

Beyond = Callable[[int, int], bytes]
"""Reads bytes of a file that lie beyond its head: from so far, so many (fewer at its end)."""

_ORDERS: Final = {b"II": "<", b"MM": ">"}
_MOST_TAGS: Final = 1000
_LONGEST_TEXT: Final = 64
# Tags of TIFF 6.0, TIFF/EP and DNG 1.7.
_SUBFILE: Final = 254
_COMPRESSION: Final = 259
_PHOTOMETRIC: Final = 262
_MAKE: Final = 271
_MODEL: Final = 272
_DNG_VERSION: Final = 50706
_PRIVATE: Final = frozenset({34310, 50740})
# A reduced picture of another in the same file: that other one is the sensor's.
_REDUCED: Final = 1
# Colour filters before demosaicing, and the linear form of DNG.
_SENSOR: Final = frozenset({32803, 34892})
# Compressions of Sony, Samsung, Nikon, Pentax, Kodak.
_OF_MAKERS: Final = frozenset({32767, 32769, 32770, 32772, 34713, 65000, 65535})
# In small letters, as the maker's name begins.
_MAKERS: Final = (
    ("nikon", NEF),
    ("sony", ARW),
    ("pentax", PEF),
    ("ricoh", PEF),
    ("samsung", SRW),
    ("hasselblad", HASSELBLAD),
    ("imacon", HASSELBLAD),
    ("phase one", IIQ),
    ("seiko epson", ERF),
    ("eastman kodak", DCR),
    ("kodak", DCR),
    ("mamiya", MEF),
    ("leaf", MOS),
)
_NUMBERS: Final = {1: "B", 3: "H", 4: "L"}


def of_tiff(head: bytes, beyond: Beyond | None) -> Kind:
    """Tell whose RAW a TIFF is, or that it is none; without `beyond` only by what its first bytes hold."""
    if head[8:10] == b"CR":
        return CR2
    if head[8:16] in (b"IIIITwaR", b"MMMMRawT"):
        return IIQ
    tags = _first_directory(head, beyond)
    if _DNG_VERSION in tags:
        return DNG
    make, model = (str(tags.get(each, "")).strip().lower() for each in (_MAKE, _MODEL))
    kind = next((kind for name, kind in _MAKERS if make.startswith(name)), TIFF)
    if kind is TIFF or not _is_sensors(tags):
        return TIFF
    if kind is NEF and model.startswith("coolpix"):
        return NRW
    return SR2 if kind is ARW and model.startswith("dsc-r1") else kind


def of_panasonic(head: bytes, beyond: Beyond | None) -> Kind:
    """Tell the RAW of a Leica from that of a Panasonic, which look the same from outside."""
    make = str(_first_directory(head, beyond).get(_MAKE, ""))
    return RWL if make.strip().lower().startswith("leica") else RW2


def _is_sensors(tags: Mapping[int, int | str]) -> bool:
    subfile = tags.get(_SUBFILE, 0)
    return (
        (isinstance(subfile, int) and bool(subfile & _REDUCED))
        or tags.get(_PHOTOMETRIC) in _SENSOR
        or tags.get(_COMPRESSION) in _OF_MAKERS
        or not _PRIVATE.isdisjoint(tags)
    )


def _first_directory(head: bytes, beyond: Beyond | None) -> dict[int, int | str]:
    """Read the numbers and texts of the first directory (TIFF 6.0, 2); of what lies out of reach, nothing."""
    order = _ORDERS.get(head[:2])
    if order is None or len(head) < 8:
        return {}

    def at(offset: int, length: int) -> bytes:
        if offset + length <= len(head) or beyond is None:
            return head[offset : offset + length]
        return beyond(offset, length)

    (start,) = struct.unpack_from(f"{order}L", head, 4)
    counted = at(start, 2)
    count = struct.unpack(f"{order}H", counted)[0] if len(counted) == 2 else 0
    entries = at(start + 2, 12 * min(count, _MOST_TAGS))
    found: dict[int, int | str] = {}
    for place in range(0, len(entries) - 11, 12):
        tag, form, length = struct.unpack_from(f"{order}HHL", entries, place)
        value = entries[place + 8 : place + 12]
        if form == 2:
            text = value if length <= 4 else at(struct.unpack(f"{order}L", value)[0], min(length, _LONGEST_TEXT))
            found[tag] = text.partition(b"\x00")[0].decode("latin-1")
        else:
            found[tag] = struct.unpack_from(f"{order}{_NUMBERS[form]}", value)[0] if form in _NUMBERS else 0
    return found
