"""Files laden with all that a camera, a program or a villain puts beside the pixels, and a secret in each of it."""

import io
import struct
import warnings
import zlib
from typing import Final

from PIL import Image, ImageCms
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from tests import pictures
from vault.imaging.cut import Rule, cut
from vault.imaging.identify import GIF, JPEG, PNG, WEBP, Kind
from vault.imaging.spliced import Spliced

SECRET: Final = b"PLANTED-SECRET"
KINDS: Final = (JPEG, PNG, WEBP, GIF)
XMP: Final = b"http://ns.adobe.com/xap/1.0/\x00"
_EXTENDED_XMP: Final = b"http://ns.adobe.com/xmp/extension/\x00"
_PACKET: Final = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description exif:GPSLatitude="%s"/></x:xmpmeta>' % SECRET


def exif(*, orientation: int | None = None, endian: str = "<") -> bytes:
    """EXIF of a camera with a place, a serial number, a maker's note and a thumbnail; all but the camera is secret."""
    found = pictures.camera_exif(orientation=orientation, taken="2024:07:06 15:04:05", offset="+02:00", gps=True)
    found.endian = endian
    found[Base.Artist], found[Base.Copyright], found[Base.ImageDescription] = "Anna", "(c) Anna", "On the hill"
    found[Base.HostComputer] = SECRET.decode()
    details = found.get_ifd(IFD.Exif)
    details[Base.MakerNote], details[Base.UserComment] = SECRET * 9, b"ASCII\x00\x00\x00" + SECRET
    details[Base.BodySerialNumber] = details[Base.CameraOwnerName] = details[Base.ImageUniqueID] = SECRET.decode()
    details[Base.FNumber], details[Base.ExposureTime] = IFDRational(28, 10), IFDRational(1, 250)
    details[Base.FocalLength] = IFDRational(35)
    found.get_ifd(IFD.GPSInfo)[GPS.GPSAreaInformation] = SECRET
    return found.tobytes().removeprefix(b"Exif\x00\x00")


def colours(profile: bytes | None) -> tuple[bytes, ...] | None:
    """What a profile makes of a spread of colours, in each way of rendering: two with the same answer look the same."""
    if profile is None:
        return None
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}[source.profile.xcolor_space]
    spread = Image.frombytes(mode, (64, 64), bytes(7 * at * at // 11 % 256 for at in range(4096 * len(mode))))
    made = (
        ImageCms.profileToProfile(spread, source, ImageCms.createProfile("sRGB"), renderingIntent=way, outputMode="RGB")
        for way in ImageCms.Intent
    )
    return tuple(each.tobytes() for each in made if each is not None)


def tiff(entries: bytes, *, count: int | None = None, mark: bytes = b"II*\x00") -> bytes:
    """A directory made by hand, little-endian, of entries of twelve bytes each."""
    number = len(entries) // 12 if count is None else count
    return mark + struct.pack("<IH", 8, number) + entries + bytes(4)


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    """One entry of a directory, little-endian."""
    return struct.pack("<HHII", tag, kind, count, value)


def segment(marker: int, body: bytes) -> bytes:
    """One segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(packet: bytes, *, upright: Image.Image | None = None, progressive: bool = False) -> bytes:
    """A JPEG with a profile, and secrets in every segment that may hold any, between its scans and behind its end."""
    plain = pictures.encoded(
        upright or pictures.drawing(),
        "JPEG",
        quality=90,
        progressive=progressive,
        icc_profile=pictures.profile("Display P3"),
    )
    start = 20 if plain[3] == 0xE0 else 2  # behind SOI and JFIF
    front = b"\xff\xd8" + segment(0xE0, plain[6:18] + b"\x05\x01" + SECRET + b".")  # with a thumbnail of 5 by 1
    laden = segment(0xE1, b"Exif\x00\x00" + packet) + segment(0xE1, XMP + _PACKET)
    laden += segment(0xE1, _EXTENDED_XMP + bytes(40) + _PACKET) + segment(0xE0, b"JFXX\x00\x10" + SECRET)
    laden += segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x10\x1c\x02\x5a" + SECRET)
    laden += segment(0xE2, b"MPF\x00" + SECRET) + segment(0xE5, SECRET) + segment(0xEF, SECRET) + segment(0xFE, SECRET)
    body = laden + plain[start:-2]
    if progressive:
        last = body.rindex(b"\xff\xda")
        body = body[:last] + segment(0xFE, SECRET) + segment(0xE1, XMP + _PACKET) + body[last:]
    return (
        (front if start == 20 else plain[:2])
        + body
        + b"\xff\xd9"
        + plain
        + SECRET
        + b"\x00\x00\x00\x18ftypmp42"
        + SECRET
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(packet: bytes, *, upright: Image.Image | None = None) -> bytes:
    """A PNG with a profile of a secret name, and secrets before and behind its pixels and its end."""
    plain = pictures.encoded(upright or pictures.drawing(), "PNG")
    at = plain.index(b"IDAT") - 4
    profile = zlib.compress(pictures.profile("Display P3"))
    before = chunk(b"iCCP", SECRET + b"\x00\x00" + profile) + chunk(b"gAMA", struct.pack(">I", 45455))
    before += chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1)) + chunk(b"tIME", b"\x07\xe8\x07\x06\x0f\x04\x05")
    texts = chunk(b"tEXt", b"Author\x00" + SECRET) + chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(SECRET * 9))
    texts += chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + _PACKET) + chunk(b"prVt", SECRET)
    after = chunk(b"eXIf", packet) + texts
    return plain[:at] + before + texts + plain[at:-12] + after + plain[-12:] + SECRET


def webp(packet: bytes, *, upright: Image.Image | None = None, animated: bool = False) -> bytes:
    """A WebP with a profile, an unknown chunk, and something behind its end."""
    image = upright or pictures.drawing(mode="RGBA")
    more = {"save_all": True, "append_images": [Image.new("RGB", image.size, "teal")]} if animated else {}
    plain = pictures.encoded(
        image, "WEBP", lossless=True, icc_profile=pictures.profile("Display P3"), exif=packet, xmp=_PACKET, **more
    )
    body = plain[12:] + b"SECR" + struct.pack("<I", len(SECRET)) + SECRET
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body + SECRET


def gif(_packet: bytes, *, upright: Image.Image | None = None) -> bytes:
    """An animation with a comment, a text and applications' blocks around its frames, and something behind its end."""
    frames = [upright or pictures.drawing(), Image.new("RGB", (96, 64), "teal")]
    plain = pictures.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0)
    block = bytes([len(SECRET)]) + SECRET + b"\x00"
    secrets = b"\x21\xfe" + block + b"\x21\xff\x0bXMP DataXMP" + block + b"\x21\xff\x0bNETSCAPE2.0" + block
    secrets += b"\x21\x01\x0c" + SECRET[:12] + block
    at = 13 + (3 << ((plain[10] & 7) + 1))
    return plain[:at] + secrets + plain[at:-1] + secrets + b";" + SECRET


def laden(kind: Kind, packet: bytes, *, upright: Image.Image | None = None) -> bytes:
    """A file of a kind, laden with all that it can carry."""
    makers = {JPEG: jpeg, PNG: png, WEBP: webp, GIF: gif}
    return makers[kind](packet, upright=upright)


def cut_out(body: bytes, kind: Kind, rule: Rule = "all") -> bytes:
    """The file as it leaves under a rule. Raises Uncuttable."""
    file = io.BytesIO(body)
    found = cut(file, kind, rule)
    result = Spliced(file, found).read() or b""
    assert len(result) == found.size_bytes
    return result


def opened(body: bytes) -> Image.Image:
    """What Pillow makes of a file; that it is odd beside the pixels is no news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(io.BytesIO(body))
