"""Making a picture smaller, with good colours and little memory.

Floor 0. Knows pixels alone.
"""

from typing import Final

from PIL import Image

from vault.imaging import colour
from vault.imaging.refusals import Reason, Refused

# A box filter by whole numbers first, while at least this many times the wanted size remains for the good filter.
_GAP: Final = 2
_BAND_PIXELS: Final = 8_000_000


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
