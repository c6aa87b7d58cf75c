"""What a sensor saw, as a picture: the one that the camera has put into its RAW, or one developed here.

Floor 0. The extra `raw` brings the library (LibRaw), which is loaded only where something is decoded. Cameras develop
better and quicker than anything here, so their own picture is taken unless it is tiny.
"""

import importlib
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO, Final, NamedTuple

from PIL import ExifTags, Image

from vault.imaging import metadata
from vault.imaging.metadata import Metadata
from vault.imaging.refusals import Reason, Refused
from vault.imaging.scaling import fit

# A camera's own picture with a shorter long edge is developed anew, if the sensor has more.
TINY_PX: Final = 1000
# A sensor with a longer edge is developed at half its size, four pixels becoming one: no colours have to be guessed.
_HALVED_FROM_PX: Final = 2400
# LibRaw's flips, as EXIF names them.
_ORIENTATIONS: Final = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}
_LYING: Final = frozenset({5, 6, 7, 8})
_TIFFS: Final = (b"II*\x00", b"MM\x00*")
# The same directories under another magic number.
_DISGUISED: Final = {b"IIU\x00": b"II*\x00", b"IIRO": b"II*\x00", b"IIRS": b"II*\x00", b"MMOR": b"MM\x00*"}
# What LibRaw writes into a JPEG that had no EXIF of its own.
_LIBRARYS: Final = "dcraw"


class Developed(NamedTuple):
    """A picture of a RAW: its pixels, the sensor's size the right way up, and what the file says of itself.

    The orientation in `facts` is what brings these pixels upright.
    """

    image: Image.Image
    size: tuple[int, int]
    facts: Metadata


def load() -> Any:
    """Return the library. Raises ImportError where the extra is missing."""
    return importlib.import_module("rawpy")


def opened(source: BinaryIO, *, long_edge_px: int | None, max_pixels: int) -> Developed:
    """Return a picture of a RAW; where its JPEG can be decoded smaller, no smaller than asked for.

    Raises Refused, and whatever decoders raise.
    """
    library = load()
    body = source.read()
    with library.RawPy() as sensor:
        sensor.open_buffer(BytesIO(body))
        size, orientation = _size(sensor.sizes, max_pixels)
        preview = _preview(library, sensor, long_edge_px, max_pixels)
    facts = _facts(body, preview)
    if preview is None or (max(preview.size) < TINY_PX and 10 * max(preview.size) < 9 * max(size)):
        developed = _developed(library, body, max(size), must=preview is None)
        if developed is not None:
            return Developed(developed, size, replace(facts, orientation=1))
    if preview is None:
        raise Refused(Reason.DAMAGED)
    return Developed(preview, size, replace(facts, orientation=_turn(preview, size, orientation)))


def _size(sizes: Any, max_pixels: int) -> tuple[tuple[int, int], int]:
    """Return a sensor's size when the picture is upright, and the EXIF orientation that says how it was held."""
    if max(sizes.raw_width * sizes.raw_height, sizes.width * sizes.height) > max_pixels:
        raise Refused(Reason.TOO_MANY_PIXELS)
    if not sizes.width or not sizes.height:
        raise Refused(Reason.DAMAGED)
    orientation = _ORIENTATIONS.get(sizes.flip, 1)
    size = (sizes.height, sizes.width) if orientation in _LYING else (sizes.width, sizes.height)
    return size, orientation


def _preview(library: Any, sensor: Any, long_edge_px: int | None, max_pixels: int) -> Image.Image | None:
    """Return the largest picture that the camera has put into its RAW; None where there is none that can be read."""
    try:
        found = sensor.extract_thumb()
        if found.format is library.ThumbFormat.BITMAP:
            return Image.fromarray(found.data)
        image = Image.open(BytesIO(found.data), formats=["JPEG"])
        if image.width * image.height > max_pixels:
            return None
        # Only what is decoded shows that it is whole; the tiny ones are not made tinier.
        if long_edge_px is not None and max(image.size) > TINY_PX:
            image.draft(None, fit(image.size, max(long_edge_px, TINY_PX)))
        image.load()
    except MemoryError:
        raise
    except (library.LibRawError, OSError, SyntaxError, ValueError, TypeError, Image.DecompressionBombError):
        return None
    return image


def _developed(library: Any, body: bytes, long_edge_px: int, *, must: bool) -> Image.Image | None:
    """Develop a RAW, upright and in sRGB; None where that fails and does not have to succeed."""
    try:
        # The camera's picture may have left the first reader in no state to go on.
        with library.RawPy() as sensor:
            sensor.open_buffer(BytesIO(body))
            pixels = sensor.postprocess(half_size=long_edge_px > _HALVED_FROM_PX, use_camera_wb=True, output_bps=8)
    except (library.LibRawError, MemoryError):
        if must:
            raise
        return None
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])


def _turn(preview: Image.Image, size: tuple[int, int], orientation: int) -> int:
    """Return the EXIF orientation of a camera's own picture.

    Its own word counts, then the sensor's, unless the result would be as high as the upright picture is wide: many
    converters put a picture into a RAW that is upright already.
    """
    said = preview.getexif().get(ExifTags.Base.Orientation)
    for one in (said, orientation, 1, 8):
        if isinstance(one, int) and 1 <= one <= 8:
            turned = preview.size[::-1] if one in _LYING else preview.size
            if (turned[0] >= turned[1]) == (size[0] >= size[1]) or turned[0] == turned[1]:
                return one
    return 1


def _facts(body: bytes, preview: Image.Image | None) -> Metadata:
    """Read what a RAW says of itself: in its own directories, where they are TIFF's, else in the camera's picture."""
    magic = body[:4]
    facts = Metadata()
    if magic in _TIFFS or magic in _DISGUISED:
        carrier = Image.new("L", (1, 1))
        # Shares the bytes of the file, unless they have to be told otherwise.
        carrier.info["exif"] = body if magic in _TIFFS else _DISGUISED[magic] + body[4:]
        packet = carrier.getexif().get(ExifTags.Base.XMLPacket)
        if isinstance(packet, bytes):
            carrier.info["xmp"] = packet
        facts = metadata.read(carrier)
    if facts.taken_at is not None or preview is None:
        return facts
    exif = preview.getexif()
    if str(exif.get(ExifTags.Base.Software, "")).startswith(_LIBRARYS):
        # LibRaw knows when it was taken, and writes that under the name for the last change.
        exif.get_ifd(ExifTags.IFD.Exif).setdefault(ExifTags.Base.DateTimeOriginal, exif.get(ExifTags.Base.DateTime))
    seen = metadata.read(preview)
    return seen if seen.taken_at is not None or facts == Metadata() else facts
