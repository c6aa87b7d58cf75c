"""RAW files made for tests: what a sensor would have seen of a drawing, and the camera's own picture beside it."""

import struct
from io import BytesIO

from PIL import Image

# TIFF's types.
BYTE, ASCII, SHORT, LONG, SIGNED = 1, 2, 3, 4, 10
Entry = tuple[int, int, int, bytes]
# What undoes each EXIF orientation.
STORED = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
# sRGB's primaries as a camera's matrix, in ten thousandths.
MATRIX = (32405, -15371, -4985, -9693, 18760, 416, 556, -2040, 10572)


def shorts(tag: int, *values: int) -> Entry:
    return tag, SHORT, len(values), struct.pack(f"<{len(values)}H", *values)


def longs(tag: int, *values: int) -> Entry:
    return tag, LONG, len(values), struct.pack(f"<{len(values)}L", *values)


def text(tag: int, value: str) -> Entry:
    return tag, ASCII, len(value) + 1, value.encode() + b"\x00"


def directory(entries: list[Entry], start: int) -> bytes:
    """Write a directory that begins at `start`, and behind it all values that do not fit into four bytes."""
    table, after = b"", b""
    behind = start + 2 + 12 * len(entries) + 4
    for tag, form, count, value in sorted(entries):
        if len(value) > 4:
            place, after = struct.pack("<L", behind + len(after)), after + value + bytes(len(value) % 2)
        else:
            place = value.ljust(4, b"\x00")
        table += struct.pack("<HHL", tag, form, count) + place
    return struct.pack("<H", len(entries)) + table + bytes(4) + after


def stored(upright: Image.Image, orientation: int) -> Image.Image:
    """How a picture lies in a file of this orientation."""
    return upright.transpose(STORED[orientation]) if orientation in STORED else upright


def mosaic(lying: Image.Image) -> bytes:
    """What a sensor behind red, green and blue filters (RGGB) sees, in sixteen bits, linear."""
    width, height = lying.size
    linear = [round(65535 * (value / 255) ** 2.2) for value in range(256)]
    channels = [channel.tobytes() for channel in lying.convert("RGB").split()]
    which = ((0, 1), (1, 2))
    return b"".join(
        struct.pack("<H", linear[channels[which[y % 2][x % 2]][y * width + x]])
        for y in range(height)
        for x in range(width)
    )


def jpeg(lying: Image.Image, **options: object) -> bytes:
    """A camera's own picture."""
    body = BytesIO()
    lying.save(body, "JPEG", quality=92, **options)
    return body.getvalue()


def dng(
    upright: Image.Image, *, orientation: int = 1, preview: bytes | None = None, taken: str = "2024:07:06 15:04:05"
) -> bytes:
    """A DNG whose sensor saw a picture while it was held as the orientation says (DNG 1.4)."""
    lying = stored(upright, orientation)
    said = [
        *(text(271, "Testar"), text(272, "Testar Raw"), text(50708, "Testar Raw"), shorts(274, orientation)),
        *((50706, BYTE, 4, b"\x01\x04\x00\x00"), longs(34665, 8)),
        (50721, SIGNED, 9, b"".join(struct.pack("<ii", each, 10_000) for each in MATRIX)),
        (50728, 5, 3, struct.pack("<6L", 1, 1, 1, 1, 1, 1)),
    ]
    body = b"II*\x00\x00\x00\x00\x00" + directory([text(36867, taken)], 8)
    if preview is not None:
        at = len(body)
        body += preview + bytes(len(preview) % 2)
        with Image.open(BytesIO(preview)) as picture:
            said += [longs(254, 1), longs(256, picture.width), longs(257, picture.height), shorts(258, 8, 8, 8)]
        said += [shorts(259, 7), shorts(262, 6), longs(273, at), shorts(277, 3), longs(279, len(preview))]
    pixels, at = mosaic(lying), len(body)
    body += pixels
    sensor = [
        *(longs(254, 0), longs(256, lying.width), longs(257, lying.height), shorts(258, 16), shorts(259, 1)),
        *(shorts(262, 32803), longs(273, at), shorts(277, 1), longs(278, lying.height), longs(279, len(pixels))),
        *(shorts(33421, 2, 2), (33422, BYTE, 4, b"\x00\x01\x01\x02")),
    ]
    if preview is None:
        said += sensor
    else:
        at = len(body)
        body += directory(sensor, at)
        said.append(longs(330, at))
    return body[:4] + struct.pack("<L", len(body)) + body[8:] + directory(said, len(body))


def camera_tiff(make: str, model: str = "", **tags: int) -> bytes:
    """The first bytes of a TIFF by this maker; `subfile`, `compression` and `photometric` as the tags are called."""
    numbers = {"subfile": 254, "compression": 259, "photometric": 262}
    entries = [longs(256, 64), longs(257, 64), text(271, make), text(272, model)]
    entries += [shorts(numbers[name], value) for name, value in tags.items()]
    return b"II*\x00" + struct.pack("<L", 8) + directory(entries, 8)
