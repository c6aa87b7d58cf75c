"""Texts in EXIF that are not plain ones: Windows' titles, the comment with its character set, and Apple's identifier.

Floor 0. Takes the values of single tags, as Pillow reads them, and trusts none of them.
"""

import re
import struct
from typing import Final

from vault.imaging.texts import MAX_CAPTION, cleaned

# UserComment begins with eight bytes that name its character set (EXIF 3.0, 4.6.6).
_CHARACTER_SETS: Final = {
    b"ASCII\x00\x00\x00": "ascii",
    b"UNICODE\x00": "utf-16",
    b"JIS\x00\x00\x00\x00\x00": "iso2022_jp",
    bytes(8): "utf-8",
}
# A decoding child can open no file any more when it first meets one of them.
for _name in ("utf-16", "utf-16-le", "utf-16-be", "iso2022_jp"):
    b"a ".decode(_name, "ignore")
_APPLE: Final = b"Apple iOS\x00\x00\x01"
_CONTENT_ID_TAG: Final = 0x0011
_CONTENT_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}")
_ASCII: Final = 2
_MOST_ENTRIES: Final = 256


def windows(value: object, longest: int = MAX_CAPTION) -> str | None:
    """Read XPTitle, XPComment or XPKeywords: UTF-16, the low byte first, whatever the rest of the file does."""
    if isinstance(value, tuple) and all(isinstance(each, int) and 0 <= each <= 255 for each in value):
        value = bytes(value)
    if not isinstance(value, bytes):
        return None
    return cleaned(value[: 8 * longest].decode("utf-16-le", "ignore"), longest)


def comment(value: object, *, big_endian: bool = False) -> str | None:
    """Read UserComment in the character set that it names; UTF-16 in the file's order of bytes, or by its own mark."""
    if isinstance(value, str):
        # Some writers leave the character set out.
        return cleaned(value, MAX_CAPTION)
    if not isinstance(value, bytes) or len(value) <= 8:
        return None
    name, body = _CHARACTER_SETS.get(value[:8]), value[8 : 8 + 8 * MAX_CAPTION]
    if name is None:
        return None
    text = _utf16(body, big_endian=big_endian) if name == "utf-16" else body.decode(name, "ignore")
    return cleaned(text, MAX_CAPTION)


def content_id(maker_note: object) -> str | None:
    """Read what the still of a live photo has in common with its film, from Apple's maker note."""
    if not isinstance(maker_note, bytes) or not maker_note.startswith(_APPLE) or len(maker_note) < 16:
        return None
    mark = {b"MM": ">", b"II": "<"}.get(maker_note[12:14])
    if mark is None:
        return None
    count = min(struct.unpack_from(f"{mark}H", maker_note, 14)[0], _MOST_ENTRIES, (len(maker_note) - 16) // 12)
    for at in range(16, 16 + 12 * count, 12):
        tag, kind, length, place = struct.unpack_from(f"{mark}HHII", maker_note, at)
        if tag == _CONTENT_ID_TAG and kind == _ASCII:
            return identifier(maker_note[place : place + min(length, 65)])
    return None


def identifier(value: object) -> str | None:
    """Return a content identifier of Apple's in capitals, or nothing for what is none."""
    text = cleaned(value, 65)
    return text.upper() if text and _CONTENT_ID.fullmatch(text) else None


def _utf16(body: bytes, *, big_endian: bool) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "ignore")
    # Many programs write the low byte first into any file; of letters, the high byte is mostly the smaller one.
    pairs = len(body) // 2 * 2
    first, second = sum(body[0:pairs:2]), sum(body[1:pairs:2])
    high_first = first < second if first != second else big_endian
    return body.decode("utf-16-be" if high_first else "utf-16-le", "ignore")
