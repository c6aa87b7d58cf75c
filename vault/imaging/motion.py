"""The moving seconds that phones write behind a picture, in the same file: where they begin, and how long they are.

Floor 0. Reads bytes without a decoder, and believes no words about offsets: what looks like a whole MP4 from its first
box to its last is one, whatever the XMP in front of it says.
"""

import mmap
from pathlib import Path
from typing import Final

from vault.imaging.kinds import HEIFS, JPEG, Kind
from vault.imaging.playing import Play

CARRIERS: Final = frozenset({JPEG, *HEIFS})
"""The kinds of picture that phones write something behind."""
_TYPES: Final = frozenset(
    {
        b"ftyp",
        b"moov",
        b"mdat",
        b"free",
        b"skip",
        b"wide",
        b"uuid",
        b"meta",
        b"udta",
        b"styp",
        b"sidx",
        b"moof",
        b"mfra",
    }
)
_NEEDED: Final = frozenset({b"ftyp", b"moov", b"mdat"})
# Of what only looks like the beginning of one.
_MOST_TRIES: Final = 16


def find(path: Path, kind: Kind) -> Play | None:
    """Return where the moving seconds of a picture lie in its file; None where it has none. Raises `OSError`."""
    if kind not in CARRIERS or path.stat().st_size == 0:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        # A picture in the same family of containers begins with such a box itself.
        at = whole.find(b"ftyp", 12)
        for _ in range(_MOST_TRIES):
            if at < 0:
                return None
            end = _end_of_film(whole, at - 4)
            if end is not None:
                return Play(at - 4, end - (at - 4))
            at = whole.find(b"ftyp", at + 4)
    return None


def _end_of_film(whole: mmap.mmap, start: int) -> int | None:
    """Walk the boxes of a film as far as they are those of one; behind it some phones write an index of their own."""
    seen: set[bytes] = set()
    at, end = start, len(whole)
    while at + 8 <= end:
        size, name = int.from_bytes(whole[at : at + 4]), whole[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(whole[at + 8 : at + 16])
        elif size == 0:
            size = end - at
        if name not in _TYPES or size < 8 or at + size > end or (name in seen and name == b"ftyp"):
            break
        seen.add(name)
        at += size
    return at if seen >= _NEEDED else None
