"""The small pictures of a picture: preview, thumb and placeholder.

Floor 0. Meant for the child of `vault.imaging.sandbox`: it decodes strangers' bytes, and it sets limits of Pillow
that hold for a whole process. Knows no paths.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final

from PIL import Image

from vault.imaging import animation, colour, metadata
from vault.imaging.kinds import Kind
from vault.imaging.original import Original, opened
from vault.imaging.refusals import Reason, Refused
from vault.imaging.scaling import shrink

PIPELINE_VERSION: Final = 2
"""Goes up whenever the same original would give other variants."""


@dataclass(frozen=True, slots=True)
class Target:
    """A variant to make: its name, the longest it may be in pixels, and WebP's quality from 0 to 100."""

    name: str
    long_edge_px: int
    quality: int

    @property
    def file_name(self) -> str:
        return f"{self.name}.webp"


PREVIEW: Final = Target("preview", 1920, 80)
THUMB: Final = Target("thumb", 480, 80)
TARGETS: Final = (PREVIEW, THUMB)
"""Largest first: each is made from the one before it."""

PLACEHOLDER_LONG_EDGE_PX: Final = 16
PLACEHOLDER_AIM_BYTES: Final = 200
_PLACEHOLDER_QUALITIES: Final = (40, 20, 0)
# Half the time of method 4 for 1.5 % more bytes and the same likeness.
_METHOD: Final = 2

TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture of each EXIF orientation upright; 1 needs nothing."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant that was made: a WebP of this size."""

    name: str
    width: int
    height: int
    size_bytes: int

    @property
    def file_name(self) -> str:
        return f"{self.name}.webp"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a picture. `width` and `height` are the original's, in pixels, the right way up.

    `duration_seconds` is how long a video plays, None for pictures.
    """

    kind: Kind
    width: int
    height: int
    frames: int
    variants: tuple[Variant, ...]
    placeholder: bytes
    metadata: metadata.Metadata
    duration_seconds: float | None = None


def render(
    source: BinaryIO, kind: Kind, sinks: Mapping[str, BinaryIO], *, max_pixels: int, max_frames: int
) -> Rendered:
    """Make all `TARGETS` of one picture into `sinks` by name, and the placeholder.

    Raises `Refused` whatever is wrong with the picture, and `OSError` when a sink cannot be written.
    """
    with refusing(), strict(max_pixels):
        longest = PREVIEW.long_edge_px
        with opened(source, kind, long_edge_px=longest, max_pixels=max_pixels, max_frames=max_frames) as original:
            picture = upright(shrink(original.image, longest), original)
            moving = _moving(original)
        encoded: list[tuple[Variant, bytes]] = []
        for target in TARGETS:
            picture = shrink(picture, target.long_edge_px)
            body = (moving if target == PREVIEW else b"") or encode(picture, target.quality)
            encoded.append((Variant(target.name, *picture.size, len(body)), body))
        placeholder = placeholder_of(picture)
    for variant, body in encoded:
        sinks[variant.name].write(body)
    variants = tuple(variant for variant, _ in encoded)
    return Rendered(kind, *original.size, original.frame_count, variants, placeholder, original.facts)


def _moving(original: Original) -> bytes:
    """Return the preview of a picture that moves; b"" where a still one has to do."""

    def prepare(frame: Image.Image) -> Image.Image:
        return upright(shrink(frame, PREVIEW.long_edge_px), original)

    try:
        return animation.moving(original, prepare, quality=PREVIEW.quality, method=_METHOD)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a later frame may be as odd as a first one, and the first one is there
        return b""


def upright(picture: Image.Image, original: Original) -> Image.Image:
    """Return a picture of an original in sRGB, the right way up."""
    seen = colour.srgb(picture, original.profile)
    turn = TURNS.get(original.facts.orientation)
    return seen if turn is None else seen.transpose(turn)


def encode(image: Image.Image, quality: int, method: int = _METHOD) -> bytes:
    """Write a picture as a bare WebP; `quality` from 0 to 100."""
    # Pillow would carry a profile or EXIF over from here.
    image.info = {}
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=method)
    return buffer.getvalue()


def placeholder_of(image: Image.Image) -> bytes:
    """A few blurred pixels for a `data:` address; coarser where it would otherwise be above the aim."""
    tiny = shrink(image, PLACEHOLDER_LONG_EDGE_PX)
    body = b""
    for quality in _PLACEHOLDER_QUALITIES:
        body = encode(tiny, quality, method=6)
        if len(body) <= PLACEHOLDER_AIM_BYTES:
            break
    return body


@contextmanager
def strict(max_pixels: int) -> Iterator[None]:
    """Make Pillow refuse what is too large already while it opens a file."""
    before = Image.MAX_IMAGE_PIXELS
    # Pillow refuses above twice this number, and only warns below; an odd limit is checked again by `_open`.
    Image.MAX_IMAGE_PIXELS = (max_pixels + 1) // 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextmanager
def refusing() -> Iterator[None]:
    """Turn whatever a decoder raises into `Refused`."""
    try:
        yield
    except Refused:
        raise
    except Image.DecompressionBombError as error:
        raise Refused(Reason.TOO_MANY_PIXELS) from error
    except Exception as error:
        # Decoders raise nine kinds of exception for odd files, and none of them promises to be complete.
        raise Refused(_reason(error)) from error


def _reason(error: Exception) -> Reason:
    words = str(error).lower()
    if isinstance(error, MemoryError) or "memory" in words:
        return Reason.TOO_MUCH_MEMORY
    # Pillow names its own limit on unpacked PNG chunks.
    return Reason.TEXT_BOMB if "max_text" in words else Reason.DAMAGED
