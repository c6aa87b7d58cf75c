"""How many frames an animation has, counted without decoding them and never far beyond the limit.

Floor 0. Pillow counts the frames of the other kinds from their headers; a GIF has to be walked.
"""

from typing import BinaryIO, Final

from PIL import Image

from vault.imaging.kinds import AVIF, GIF, PNG, WEBP, Kind

# Of other kinds the first picture is the picture: a TIFF has pages, a HEIC a series.
_MOVING: Final = (GIF, WEBP, PNG, AVIF)
_EXTENSION: Final = b"\x21"
_IMAGE: Final = b"\x2c"


def count(image: Image.Image, kind: Kind, source: BinaryIO, *, at_most: int) -> int:
    """Count frames; stops at `at_most` + 1, so that an endless animation costs no endless time.

    Leaves the position of `source` where it was.
    """
    if kind not in _MOVING:
        return 1
    if kind != GIF:
        return int(getattr(image, "n_frames", 1))
    position = source.tell()
    try:
        source.seek(0)
        return max(1, _count_gif(source, at_most))
    finally:
        source.seek(position)


def _count_gif(source: BinaryIO, at_most: int) -> int:
    """Walk the blocks (GIF89a specification, 17 to 26); a file that breaks off has the frames seen until then."""
    header = source.read(13)
    _skip_colours(source, header[10:11])
    found = 0
    while found <= at_most:
        block = source.read(1)
        if block == _EXTENSION:
            source.read(1)
        elif block == _IMAGE:
            found += 1
            _skip_colours(source, source.read(9)[8:9])
            source.read(1)
        else:
            break
        _skip_data(source)
    return found


def _skip_colours(source: BinaryIO, flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        source.read(3 << ((flags[0] & 7) + 1))


def _skip_data(source: BinaryIO) -> None:
    while size := source.read(1):
        if size == b"\x00" or len(source.read(size[0])) < size[0]:
            return
