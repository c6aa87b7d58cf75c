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

from vault.imaging import colour, frames, metadata
from vault.imaging.identify import Kind
from vault.imaging.refusals import Reason, Refused

PIPELINE_VERSION: Final = 1
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
# A box filter by whole numbers first, while at least this many times the wanted size remains for the good filter.
_GAP: Final = 2
_BAND_PIXELS: Final = 8_000_000

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
    """What became of a picture. `width` and `height` are the original's, in pixels, the right way up."""

    kind: Kind
    width: int
    height: int
    frames: int
    variants: tuple[Variant, ...]
    placeholder: bytes
    metadata: metadata.Metadata


def render(
    source: BinaryIO, kind: Kind, sinks: Mapping[str, BinaryIO], *, max_pixels: int, max_frames: int
) -> Rendered:
    """Make all `TARGETS` of one picture into `sinks` by name, and the placeholder.

    Raises `Refused` whatever is wrong with the picture, and `OSError` when a sink cannot be written.
    """
    with refusing(), strict(max_pixels):
        picture, facts, size, frame_count = _open(source, kind, max_pixels, max_frames)
        encoded: list[tuple[Variant, bytes]] = []
        for target in TARGETS:
            picture = shrink(picture, target.long_edge_px)
            body = encode(picture, target.quality)
            encoded.append((Variant(target.name, *picture.size, len(body)), body))
        placeholder = _placeholder(picture)
    for variant, body in encoded:
        sinks[variant.name].write(body)
    width, height = size[::-1] if facts.orientation >= 5 else size
    return Rendered(kind, width, height, frame_count, tuple(variant for variant, _ in encoded), placeholder, facts)


def _open(
    source: BinaryIO, kind: Kind, max_pixels: int, max_frames: int
) -> tuple[Image.Image, metadata.Metadata, tuple[int, int], int]:
    """The first frame, upright, in sRGB, at the size of the largest target; what it says; its true size; its frames."""
    with Image.open(source, formats=[kind.format]) as image:
        size = image.size
        if size[0] * size[1] > max_pixels:
            raise Refused(Reason.TOO_MANY_PIXELS)
        frame_count = frames.count(image, source, at_most=max_frames)
        if frame_count > max_frames:
            raise Refused(Reason.TOO_MANY_FRAMES)
        # Lets the JPEG decoder leave out what would be thrown away; does nothing for the other kinds.
        image.draft(None, fit(size, PREVIEW.long_edge_px))
        image.load()
        facts = metadata.read(image)
        profile = image.info.get("icc_profile")
        small = shrink(image, PREVIEW.long_edge_px)
    upright = colour.srgb(small, profile)
    if facts.orientation in TURNS:
        upright = upright.transpose(TURNS[facts.orientation])
    return upright, facts, size, frame_count


def fit(size: tuple[int, int], long_edge_px: int) -> tuple[int, int]:
    """The size at which a picture fits: proportions kept, never enlarged, no side below one pixel."""
    scale = min(1.0, long_edge_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrink(image: Image.Image, long_edge_px: int) -> Image.Image:
    """Make a picture fit, in one of the modes of `colour.plain`."""
    wanted = fit(image.size, long_edge_px)
    factor = max(image.size) // (_GAP * long_edge_px)
    if factor < 2:
        return colour.plain(image).resize(wanted, Image.Resampling.LANCZOS)
    box = (0.0, 0.0, image.width / factor, image.height / factor)
    return _reduce(image, factor).resize(wanted, Image.Resampling.LANCZOS, box)


def _reduce(image: Image.Image, factor: int) -> Image.Image:
    """Average squares of `factor` pixels, a band at a time: a whole copy in another mode would double the memory."""
    rows = max(1, _BAND_PIXELS // (image.width * factor)) * factor
    reduced: Image.Image | None = None
    for top in range(0, image.height, rows):
        band = colour.plain(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(factor)
        if reduced is None:
            reduced = Image.new(band.mode, (band.width, -(-image.height // factor)))
        reduced.paste(band, (0, top // factor))
    if reduced is None:
        raise Refused(Reason.DAMAGED)
    return reduced


def encode(image: Image.Image, quality: int, method: int = _METHOD) -> bytes:
    """Write a picture as a bare WebP; `quality` from 0 to 100."""
    # Pillow would carry a profile or EXIF over from here.
    image.info = {}
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=method)
    return buffer.getvalue()


def _placeholder(image: Image.Image) -> bytes:
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
