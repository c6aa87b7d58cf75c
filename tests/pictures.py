"""Small pictures drawn for tests: every kind, every orientation, with whatever a camera or a villain would add."""

import struct
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo

from vault.imaging import heif
from vault.imaging.kinds import AVIF, GIF, HEIC, JPEG, PNG, TIFF, WEBP

SHARED: Final = Path(__file__).resolve().parents[2] / "shared"
"""Real photos and hostile files beside the repository, on machines that have them."""

WRITABLE: Final = (JPEG, PNG, WEBP, GIF, AVIF, TIFF, HEIC)
"""The kinds that a test can write by `encoded`; for what sensors see there is `tests.sensors`."""
# What undoes each EXIF orientation: a picture stored so, and marked so, is seen upright.
_STORED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
# Chromaticities of the primaries (x, y): SMPTE EG 432-1 and Adobe RGB (1998), both with the white point D65.
_PRIMARIES: Final = {
    "Display P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "Adobe RGB (1998)": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)),
}


def drawing(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    """A picture that looks different from every side: four coloured corners, a line, and a gentle ramp."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    w, h = width // 3, height // 3
    draw.rectangle((0, 0, w, h), fill=(220, 30, 30))
    draw.rectangle((width - w, 0, width, h), fill=(30, 200, 30))
    draw.rectangle((0, height - h, w, height), fill=(30, 30, 220))
    draw.line((0, height // 2, width, height // 2), fill=(250, 250, 120), width=max(2, height // 20))
    return image.convert(mode)


def camera_exif(
    *, orientation: int | None = None, taken: str | None = None, offset: str | None = None, gps: bool = False
) -> Image.Exif:
    """EXIF as a camera writes it; `gps` is a place in Berlin, `taken` is `YYYY:MM:DD HH:MM:SS`."""
    exif = Image.Exif()
    exif[Base.Make] = "Testar"
    exif[Base.Model] = "Testar One"
    if orientation is not None:
        exif[Base.Orientation] = orientation
    details = exif.get_ifd(IFD.Exif)
    details[Base.LensModel] = "Testar 35mm F2"
    details[Base.FNumber] = 2.8
    details[Base.ExposureTime] = 0.004
    details[Base.ISOSpeedRatings] = 200
    details[Base.FocalLength] = 35.0
    details[Base.BodySerialNumber] = "SERIAL-4711"
    if taken is not None:
        details[Base.DateTimeOriginal] = taken
    if offset is not None:
        details[Base.OffsetTimeOriginal] = offset
    if gps:
        exif.get_ifd(IFD.GPSInfo).update(
            {
                GPS.GPSLatitudeRef: "N",
                GPS.GPSLatitude: (52.0, 30.0, 36.0),
                GPS.GPSLongitudeRef: "E",
                GPS.GPSLongitude: (13.0, 22.0, 30.0),
                GPS.GPSAltitudeRef: b"\x00",
                GPS.GPSAltitude: 34.5,
            }
        )
    return exif


def xmp_packet(*, title: str = "A day out", description: str = "Seen from the hill") -> bytes:
    """An XMP packet with a title and a description; the texts go in as they are, unescaped."""
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>""".encode()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file; `kind` is a kind's `format`, and `options` are Pillow's."""
    if kind == HEIC.format:
        heif.load()
        kind = heif.FORMAT
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(
    image: Image.Image | None = None, *, exif: Image.Exif | None = None, xmp: bytes = b"", profile: bytes | None = None
) -> bytes:
    """A JPEG of good quality."""
    return encoded(
        image or drawing(), "JPEG", quality=95, subsampling=0, exif=exif or b"", xmp=xmp, icc_profile=profile
    )


def oriented(orientation: int, kind: str = "JPEG", upright: Image.Image | None = None) -> bytes:
    """A file whose pixels lie as EXIF orientation 1 to 8 says, so that a correct reader sees `upright`."""
    stored = upright or drawing()
    if orientation in _STORED:
        stored = stored.transpose(_STORED[orientation])
    # As bytes: the writer of HEIC turns what it finds there into the turn that the container states.
    return encoded(stored, kind, quality=95, exif=camera_exif(orientation=orientation).tobytes())


def png_with_text(key: str, text: str, *, chunk: str = "zTXt") -> bytes:
    """A PNG with a packed text chunk, `zTXt` or `iTXt`."""
    info = PngInfo()
    if chunk == "iTXt":
        info.add_itxt(key, text, zip=True)
    else:
        info.add_text(key, text, zip=True)
    return encoded(drawing(), "PNG", pnginfo=info)


def wide_png() -> bytes:
    """A grey PNG of 16 bits a pixel, a ramp from black to white."""
    ramp = b"".join(struct.pack("<H", column * 65535 // 255) for column in range(256)) * 16
    return encoded(Image.frombytes("I;16", (256, 16), ramp), "PNG")


def animated(kind: str, frames: int = 3) -> bytes:
    """A moving picture as GIF, WebP, PNG or AVIF; its first frame is a `drawing`, the others are plain."""
    rest = [Image.new("RGB", (96, 64), (30 * each % 256, 90, 10 + each % 200)) for each in range(1, frames)]
    return encoded(drawing(), kind, save_all=True, append_images=rest, duration=50)


def webp_claiming(width: int, height: int) -> bytes:
    """A WebP of a few bytes that claims to be large."""
    bits = (width - 1) | (height - 1) << 14
    chunk = b"VP8L" + struct.pack("<IBI", 14, 0x2F, bits) + bytes(9)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def many_scans(count: int) -> bytes:
    """A progressive JPEG of 16 megapixels that goes over itself `count` times more: some 6 ms each, in 31 bytes."""
    body = encoded(Image.new("L", (4000, 4000), 90), "JPEG", progressive=True)
    last_scan = body[body.rindex(b"\xff\xda") : -2]
    return body[:-2] + last_scan * count + body[-2:]


def profile(name: str) -> bytes:
    """A small ICC profile, `Display P3` or `Adobe RGB (1998)`, with gamma 2.2 (ICC.1:2001-04, 6.1 to 6.5)."""
    description = name.encode() + b"\x00"
    tags = {
        b"desc": struct.pack(">4sII", b"desc", 0, len(description)) + description + bytes(78),
        b"cprt": b"text" + bytes(4) + b"CC0\x00",
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), _adapted(_PRIMARIES[name]), strict=True)),
        **{tag: struct.pack(">4sIIH", b"curv", 0, 1, round(2.2 * 256)) for tag in (b"rTRC", b"gTRC", b"bTRC")},
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        table += struct.pack(">4sII", tag, start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    header += bytes(28) + struct.pack(">iii", *(round(each * 65536) for each in (0.9642, 1.0, 0.8249)))
    return header.ljust(128, b"\x00") + table + body


def _xyz(*values: float) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *(round(value * 65536) for value in values))


def _adapted(primaries: tuple[tuple[float, float], ...]) -> list[bytes]:
    """The primaries as XYZ under D50: scaled so that they add up to D65's white, then turned by Bradford's matrix."""
    (a, b, c) = [(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]
    scales = _solved((a, b, c), (0.95047, 1.0, 1.08883))
    bradford = ((1.0478, 0.0229, -0.0501), (0.0295, 0.9905, -0.0171), (-0.0092, 0.0150, 0.7521))
    return [
        _xyz(*(scale * sum(row[i] * primary[i] for i in range(3)) for row in bradford))
        for primary, scale in zip((a, b, c), scales, strict=True)
    ]


def _solved(columns: tuple[tuple[float, ...], ...], wanted: tuple[float, ...]) -> list[float]:
    """The weights with which three columns add up to the wanted vector (Cramer's rule)."""
    whole = _determinant(columns)
    return [_determinant((*columns[:at], wanted, *columns[at + 1 :])) / whole for at in range(3)]


def _determinant(columns: tuple[tuple[float, ...], ...]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = columns
    return a * (e * i - f * h) - d * (b * i - c * h) + g * (b * f - c * e)
