"""A picture made anew for those who may not have the original: smaller, or with a text over it, and without metadata.

Floor 0. Like `render` meant for the child of `vault.imaging.sandbox`: it decodes strangers' bytes. Knows no paths. Of a
moving picture the first frame is left; which way up it is, and its colours, are in the pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final, Literal

from PIL import Image

from vault.imaging import colour, watermark
from vault.imaging.confine import MAX_OUTPUT_BYTES
from vault.imaging.kinds import JPEG, PNG, WEBP, Kind
from vault.imaging.original import opened
from vault.imaging.refusals import Reason, Refused
from vault.imaging.render import encode, refusing, strict, upright
from vault.imaging.scaling import shrink

REMAKE_VERSION: Final = 1
"""Goes up whenever the same order would give other bytes."""

Form = Literal["screen", "file"]
FORMS: Final[dict[Form, tuple[Kind, ...]]] = {"screen": (WEBP,), "file": (JPEG, PNG)}
"""For looking, a WebP; to take home, a JPEG, or a PNG where something shows through."""

_SCREEN_QUALITY: Final = 80
_FILE_QUALITIES: Final = (92, 80)


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: at most so many pixels long (None: as large as it is), with this text over it ("": none)."""

    form: Form
    long_edge_px: int | None
    watermark: str


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: one file of this kind and size, upright, in sRGB."""

    kind: Kind
    width: int
    height: int
    size_bytes: int


def remake(source: BinaryIO, kind: Kind, sink: BinaryIO, order: Order, *, max_pixels: int, max_frames: int) -> Made:
    """Make one picture anew into `sink`.

    Raises `Refused` whatever is wrong with the picture, and `OSError` when the sink cannot be written.
    """
    with refusing(), strict(max_pixels):
        picture = _opened(source, kind, order.long_edge_px, max_pixels, max_frames)
        if order.watermark:
            watermark.draw(picture, order.watermark)
        made, body = next(_encoded(picture, order.form), (None, b""))
        if made is None:
            raise Refused(Reason.TOO_MUCH_MEMORY)
        size = picture.size
    sink.write(body)
    return Made(made, *size, len(body))


def _opened(source: BinaryIO, kind: Kind, long_edge_px: int | None, max_pixels: int, max_frames: int) -> Image.Image:
    """Return the first frame, upright, in sRGB, no longer than wanted."""
    with opened(source, kind, long_edge_px=long_edge_px, max_pixels=max_pixels, max_frames=max_frames) as original:
        image = original.image
        is_small = long_edge_px is None or max(image.size) <= long_edge_px
        picture = colour.plain(image) if is_small or long_edge_px is None else shrink(image, long_edge_px)
        picture = upright(picture, original)
        return image.copy() if picture is image else picture


def _encoded(picture: Image.Image, form: Form) -> Iterator[tuple[Kind, bytes]]:
    """Yield the ways to write the picture, best first, that are not larger than a child may write."""
    for kind, body in _tries(picture, form):
        if len(body) <= MAX_OUTPUT_BYTES:
            yield kind, body


def _tries(picture: Image.Image, form: Form) -> Iterator[tuple[Kind, bytes]]:
    # Pillow would carry a profile, EXIF or a comment over from here.
    picture.info = {}
    if form == "screen":
        yield WEBP, encode(picture, _SCREEN_QUALITY)
        return
    if picture.mode == "RGBA":
        yield PNG, _saved(picture, "PNG", compress_level=4)
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(picture, mask=picture.getchannel("A"))
        picture = paper
    for quality in _FILE_QUALITIES:
        yield JPEG, _saved(picture, "JPEG", quality=quality, subsampling=0)


def _saved(picture: Image.Image, kind: str, **options: int) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
