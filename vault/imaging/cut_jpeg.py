"""Cutting metadata out of a JPEG (ITU-T T.81, annex B): its tables, frame and scans stay byte for byte.

Floor 0. An allow-list: what is not needed to show the pixels rightly goes, and so does everything behind the end of the
first picture. A file that is built in another way than cameras and programs build theirs is `Uncuttable`.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from vault.imaging import exif
from vault.imaging.cuts import MOST_BYTES_AT_ONCE, Cut, Pieces, Rule, Source, Uncuttable
from vault.imaging.profiles import rewritten

_SOI, _EOI, _SOS, _DHT, _DAC, _DQT, _DNL, _DRI = 0xD8, 0xD9, 0xDA, 0xC4, 0xCC, 0xDB, 0xDC, 0xDD
_APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
# Sequential and progressive, Huffman and arithmetic; what is lossless or hierarchical no browser shows.
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_SCAN_END: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SCAN_CHUNK: Final = 256 * 1024
_MOST_SEGMENTS: Final = 4096
_JFIF: Final = b"JFIF\x00"
_ADOBE: Final = b"Adobe"
_EXIF: Final = b"Exif\x00\x00"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\x00"
_ICC: Final = b"ICC_PROFILE\x00"
_PROFILE_PART: Final = 0xFFFD - len(_ICC) - 2


class _Segment(NamedTuple):
    """A marker with what belongs to it: `start` is its first byte, `end` the byte behind its last."""

    marker: int
    start: int
    end: int


@dataclass
class _Found:
    """What the metadata of a file said, and the pieces of its profile by number."""

    exif: bytes = b""
    xmp: bytes = b""
    profile: dict[int, bytes] = field(default_factory=dict)
    profile_count: int = 0


def cut(source: Source, rule: Rule) -> Cut:
    """Leave the metadata out of a JPEG. Raises `Uncuttable`."""
    found, front, rest = _Found(), Pieces(), Pieces()
    has_frame = has_scan = False
    for segment in _segments(source):
        if segment.marker == _APP0 and not has_scan:
            front.write(_jfif(source, segment))
        elif _APP0 <= segment.marker <= _APP15:
            rest.write(b"" if has_scan else _application(source, segment, found))
        elif segment.marker in _FRAMES:
            if has_frame:
                raise Uncuttable("two frames")
            has_frame = True
            rest.keep(*_whole(segment))
        elif segment.marker == _SOS and not has_frame:
            raise Uncuttable("a scan before its frame")
        elif segment.marker != _COM:
            has_scan = has_scan or segment.marker == _SOS
            rest.keep(*_whole(segment))
    if not has_scan:
        raise Uncuttable("no scan")
    return _put_together(found, front, rest, rule)


def _put_together(found: _Found, front: Pieces, rest: Pieces, rule: Rule) -> Cut:
    pieces = Pieces()
    pieces.write(b"\xff\xd8")
    pieces.extend(front)
    packet = exif.kept(found.exif, found.xmp, only_orientation=rule == "all")
    if packet:
        pieces.write(_written(_APP1, _EXIF + packet))
    for body in _profile(found):
        pieces.write(_written(_APP2, body))
    pieces.extend(rest)
    return pieces.cut()


def _segments(source: Source) -> Iterator[_Segment]:
    """Yield every segment behind the SOI, each looked at for its form, up to the EOI."""
    if source.read(0, 2) != b"\xff\xd8":
        raise Uncuttable("no JPEG")
    at = 2
    for _ in range(_MOST_SEGMENTS):
        marker, start = _marker(source, at)
        if marker == _EOI:
            yield _Segment(marker, start, start + 2)
            return
        length = int.from_bytes(source.read(start + 2, 2))
        at = start + 2 + length
        body = source.read(start + 4, length - 2)
        if not _is_well_formed(marker, body):
            raise Uncuttable(f"a segment of an odd form: {marker:#x}")
        if marker == _SOS:
            at = _scan_end(source, at)
        yield _Segment(marker, start, at)
    raise Uncuttable("too many segments")


def _marker(source: Source, at: int) -> tuple[int, int]:
    """Return the marker at a place and where it begins; fill bytes before it are passed over (B.1.1.2)."""
    for start in range(at, at + 64):
        pair = source.read(start, 2)
        if pair[0] != 0xFF:
            break
        if pair[1] != 0xFF:
            return pair[1], start
    raise Uncuttable("bytes between two segments")


def _scan_end(source: Source, at: int) -> int:
    """Return where the entropy-coded data ends: at the next marker that is no restart."""
    while chunk := source.upto(at, _SCAN_CHUNK):
        found = _SCAN_END.search(chunk)
        if found:
            return at + found.start()
        if len(chunk) < 2:
            break
        # A marker may lie across two chunks.
        at += len(chunk) - 1
    raise Uncuttable("a scan without an end")


def _is_well_formed(marker: int, body: bytes) -> bool:
    """Whether a segment has exactly the form of its kind, so that nothing travels in a table but the table."""
    if marker in _FRAMES:
        return len(body) >= 9 and 1 <= body[5] <= 4 and len(body) == 6 + 3 * body[5]
    match marker:
        case 0xDA:  # _SOS
            return len(body) >= 6 and 1 <= body[0] <= 4 and len(body) == 4 + 2 * body[0]
        case 0xDB:  # _DQT
            return _are_quantizers(body)
        case 0xC4:  # _DHT
            return _are_codes(body)
        case 0xCC:  # _DAC
            return 2 <= len(body) <= 64 and len(body) % 2 == 0
        case 0xDC | 0xDD:  # _DNL, _DRI
            return len(body) == 2
        case _:
            return _APP0 <= marker <= _APP15 or marker == _COM


def _are_quantizers(body: bytes) -> bool:
    at = 0
    while at < len(body):
        if body[at] & 0x0F > 3 or body[at] >> 4 > 1:
            return False
        at += 65 + 64 * (body[at] >> 4)
    return at == len(body) > 0


def _are_codes(body: bytes) -> bool:
    at = 0
    while at + 17 <= len(body):
        if body[at] & 0xEC:
            return False
        at += 17 + sum(body[at + 1 : at + 17])
    return at == len(body) > 0


def _jfif(source: Source, segment: _Segment) -> bytes:
    """Write the JFIF header anew, without the thumbnail that it may hold (JFIF 1.02)."""
    body = _body(source, segment)
    return _written(_APP0, body[:12] + b"\x00\x00") if body.startswith(_JFIF) and len(body) >= 14 else b""


def _application(source: Source, segment: _Segment, found: _Found) -> bytes:
    """Read what may be needed of an application's segment; only Adobe's, which names the colours, stays where it is."""
    body = _body(source, segment)
    if segment.marker == _APP14 and body.startswith(_ADOBE) and len(body) >= 12:
        return _written(_APP14, body[:12])
    if segment.marker == _APP1 and body.startswith(_EXIF):
        # A packet that is too long for one segment goes on in the next, with the same prefix.
        found.exif += body[len(_EXIF) :]
        if len(found.exif) > exif.MOST_BYTES:
            raise Uncuttable("too much EXIF")
    elif segment.marker == _APP1 and body.startswith(_XMP):
        found.xmp = found.xmp or body
    elif segment.marker == _APP2 and body.startswith(_ICC):
        number, count = body[len(_ICC) : len(_ICC) + 2].ljust(2, b"\x00")
        if not 1 <= number <= count or found.profile_count not in (0, count) or number in found.profile:
            raise Uncuttable("a colour profile in odd pieces")
        found.profile_count = count
        found.profile[number] = body
    return b""


def _profile(found: _Found) -> list[bytes]:
    """Return the pieces of the colour profile, written anew (ICC.1:2022, B.4), when they are one whole profile."""
    bodies = [body for _, body in sorted(found.profile.items())]
    whole = b"".join(body[len(_ICC) + 2 :] for body in bodies)
    if not bodies:
        return []
    profile = rewritten(whole) if len(bodies) == found.profile_count and len(whole) <= MOST_BYTES_AT_ONCE else None
    if profile is None:
        raise Uncuttable("a colour profile that is broken, or not understood")
    parts = [profile[at : at + _PROFILE_PART] for at in range(0, len(profile), _PROFILE_PART)]
    return [_ICC + bytes([number, len(parts)]) + part for number, part in enumerate(parts, 1)]


def _body(source: Source, segment: _Segment) -> bytes:
    return source.read(segment.start + 4, segment.end - segment.start - 4)


def _whole(segment: _Segment) -> tuple[int, int]:
    return segment.start, segment.end - segment.start


def _written(marker: int, body: bytes) -> bytes:
    if len(body) > 0xFFFD:
        raise Uncuttable("more metadata than fits")
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
