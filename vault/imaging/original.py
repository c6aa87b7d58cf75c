"""An original, opened: its first picture in pixels, and what it says of itself, whatever its kind.

Floor 0. Meant for the child of `vault.imaging.sandbox`: it decodes strangers' bytes. Which way up they are is told, and
left to be done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import Image

from vault.imaging import frames, heif, metadata, raw
from vault.imaging.kinds import HEIFS, TIFF, Kind
from vault.imaging.metadata import Metadata
from vault.imaging.refusals import Reason, Refused
from vault.imaging.scaling import fit


@dataclass(frozen=True, slots=True)
class Original:
    """The first picture of a file, decoded.

    `image` may be smaller than `size`, which is the true one, the right way up, in pixels. What brings it upright
    is the orientation in `facts`. `profile` is what its colours mean, None for sRGB.
    """

    image: Image.Image
    size: tuple[int, int]
    frame_count: int
    facts: Metadata
    profile: bytes | None


@contextmanager
def opened(
    source: BinaryIO, kind: Kind, *, long_edge_px: int | None, max_pixels: int, max_frames: int
) -> Iterator[Original]:
    """Lend the first picture of a file, decoded by the one decoder of its kind.

    Where that is quicker it is decoded smaller, but no smaller than asked for. Raises Refused, and whatever decoders
    raise.
    """
    if kind.is_raw:
        developed = raw.opened(source, long_edge_px=long_edge_px, max_pixels=max_pixels)
        with developed.image as image:
            yield Original(image, developed.size, 1, developed.facts, image.info.get("icc_profile"))
        return
    if kind in HEIFS:
        heif.load()
    with Image.open(source, formats=[heif.FORMAT if kind in HEIFS else kind.format]) as image:
        yield _read(image, source, kind, long_edge_px, max_pixels, max_frames)


def _read(  # noqa: PLR0917 - one step of `opened`
    image: Image.Image, source: BinaryIO, kind: Kind, long_edge_px: int | None, max_pixels: int, max_frames: int
) -> Original:
    _bound(image.size, max_pixels)
    frame_count = frames.count(image, kind, source, at_most=max_frames)
    if frame_count > max_frames:
        raise Refused(Reason.TOO_MANY_FRAMES)
    size = image.size
    if long_edge_px is not None:
        # Lets the JPEG decoder leave out what would be thrown away; does nothing for the other kinds.
        image.draft(None, fit(size, long_edge_px))
    image.load()
    facts = metadata.read(image)
    if kind in HEIFS or kind == TIFF:
        # These decoders turn the picture themselves, and only then know its size for sure.
        size, facts = image.size, replace(facts, orientation=1)
        _bound(size, max_pixels)
    upright = size[::-1] if facts.orientation >= 5 else size
    profile = image.info.get("icc_profile") or heif.stated_profile(image)
    return Original(_wide(image), upright, frame_count, facts, profile)


def _wide(image: Image.Image) -> Image.Image:
    """Spread light that is told in floating numbers from nought to one, as programs do, over sixteen bits."""
    if image.mode != "F":
        return image
    highest = image.getextrema()[1]
    return image.point(lambda value: value * 65_280) if isinstance(highest, float) and highest <= 1 else image


def _bound(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise Refused(Reason.TOO_MANY_PIXELS)
