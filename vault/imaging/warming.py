"""Pictures that the zygote opens before any stranger's: whatever is loaded on first use is loaded then.

Floor 0. Confined children can load nothing.
"""

import base64
import codecs
import contextlib
import struct
import zlib
from io import BytesIO
from typing import Final

from PIL import Image

from vault.imaging.identify import has_heif, has_raws
from vault.imaging.kinds import AVIF, DNG, GIF, HEIC, JPEG, PNG, TIFF, WEBP, Kind
from vault.imaging.refusals import Refused
from vault.imaging.remake import FORMS, Order, remake
from vault.imaging.render import TARGETS, render

# In what texts are written, in one or another field of one or another file.
_ALPHABETS: Final = ("ascii", "latin-1", "cp1252", "utf-8", "utf-16", "utf-16-le", "utf-16-be")
_XMP: Final = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li>a</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
_MOST_PIXELS: Final = 2048
_MOST_FRAMES: Final = 2
# Sixteen pixels by eight of one colour, packed: writing one would start the threads of an encoder.
_SMALL_HEIC: Final = (
    "eNpjYGCQSSupLMhIzUxmAILczDRDEDs3MzGNgYGxJje1JJEBAhQzUnKKoGyGgszkEgY0oJSZkw82xMWBgREIgYBxAYQGAlUgVs7MzEsD80Ciok"
    "BOKhOUl1GWbAhi8hVkluTClfzJLCgqANJ3MguS84F0KVCZMyMzSGgCWJHcB4Y/f3/8YGDgZ04A6pBwYORh/P8fpIAZpIIZhOR2MTkkAiU1nRgZ"
    "0WQWKDSyTnu1btazB4oLDjQwMPA0gIRbkoCq2VwYDxYf7ATaIZycn1OUl5xTARTlZWADKmEQySwuSIV6zAGKNZJzEkEOE4C6nQNE/////wKQZg"
    "LSJ0A0SL4gsyITpJGZgwOkRiKzIBcWxsBgY21kYmZtAbJ1c1MSQWGsqMG4nkVImOfBj5eHMvTtj64MmvKp7sJq7cee88s3Skxa+X8BAK37Xvg="
)
# The colours of sRGB's primaries as a camera's matrix, in ten thousandths.
_MATRIX: Final = (32405, -15371, -4985, -9693, 18760, 416, 556, -2040, 10572)


def warm_up() -> None:
    """Take every path of pictures once."""
    for alphabet in _ALPHABETS:
        codecs.lookup(alphabet)
    for kind, body in _samples():
        with contextlib.suppress(Refused):
            sinks = {target.name: BytesIO() for target in TARGETS}
            render(BytesIO(body), kind, sinks, max_pixels=_MOST_PIXELS, max_frames=_MOST_FRAMES)
        for form in FORMS:
            order = Order(form, 8, "a\xe4")
            with contextlib.suppress(Refused):
                remake(BytesIO(body), kind, BytesIO(), order, max_pixels=_MOST_PIXELS, max_frames=_MOST_FRAMES)


def _samples() -> list[tuple[Kind, bytes]]:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2001:01:01 00:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    plain, inked = Image.new("RGB", (16, 8)), Image.new("CMYK", (16, 8))
    frames = {"save_all": True, "append_images": [Image.new("RGB", (16, 8), "red")], "duration": 100}
    found = [(kind, _saved(plain, kind, exif=exif)) for kind in (PNG, WEBP, GIF)]
    found += [(kind, _saved(plain, kind, **frames)) for kind in (PNG, WEBP, GIF)]
    found += [(TIFF, _saved(plain, TIFF, exif=exif, compression=each)) for each in ("raw", "tiff_lzw")]
    # AVIF's encoder would start threads.
    found += [(JPEG, _saved(inked, JPEG, exif=exif, xmp=_XMP)), (AVIF, b"")]
    if has_heif():
        found.append((HEIC, zlib.decompress(base64.b64decode("".join(_SMALL_HEIC)))))
    if has_raws():
        found.append((DNG, sensor_dng()))
    return found


def _saved(picture: Image.Image, kind: Kind, **options: object) -> bytes:
    body = BytesIO()
    picture.save(body, kind.format, **options)
    return body.getvalue()


def sensor_dng(width: int = 32, height: int = 32) -> bytes:
    """Return a DNG of grey noise, with colour filters before the sensor and no picture of a camera's own (DNG 1.4)."""
    matrix = b"".join(struct.pack("<ii", each, 10_000) for each in _MATRIX)
    after = 8 + 2 + 12 * 18 + 4
    shorts = {258: (16, 0), 259: (1, 0), 262: (32803, 0), 274: (1, 0), 277: (1, 0), 33421: (2, 2)}
    longs = {254: 0, 256: width, 257: height, 273: after + len(matrix), 278: height, 279: 2 * width * height}
    entries = [
        *((tag, 3, 2 if tag == 33421 else 1, struct.pack("<HH", *value)) for tag, value in shorts.items()),
        *((tag, 4, 1, struct.pack("<L", value)) for tag, value in longs.items()),
        *((tag, 2, 4, text) for tag, text in ((271, b"Tst\x00"), (272, b"One\x00"), (50708, b"One\x00"))),
        *((33422, 1, 4, b"\x00\x01\x01\x02"), (50706, 1, 4, b"\x01\x04\x00\x00")),
        (50721, 10, 9, struct.pack("<L", after)),
    ]
    directory = b"".join(struct.pack("<HHL4s", *entry) for entry in sorted(entries))
    pixels = bytes(each * 37 % 256 for each in range(2 * width * height))
    return b"II*\x00" + struct.pack("<LH", 8, len(entries)) + directory + bytes(4) + matrix + pixels
