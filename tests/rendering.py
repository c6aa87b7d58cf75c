"""Rendering in the test's own process, and measuring how alike two pictures are."""

from io import BytesIO

from PIL import Image, ImageChops, ImageStat

from vault.imaging.identify import Kind, identify
from vault.imaging.render import TARGETS, Rendered, render

MAX_PIXELS = 1_000_000
MAX_FRAMES = 20


def rendered(
    file: bytes, kind: Kind | None = None, *, max_pixels: int = MAX_PIXELS, max_frames: int = MAX_FRAMES
) -> tuple[Rendered, dict[str, bytes]]:
    """What rendering a file in this very process gives: the answer, and the variants' bytes by name."""
    sinks = {target.name: BytesIO() for target in TARGETS}
    result = render(BytesIO(file), kind or identify(file), sinks, max_pixels=max_pixels, max_frames=max_frames)
    return result, {name: sink.getvalue() for name, sink in sinks.items()}


def opened(body: bytes) -> Image.Image:
    """A variant, decoded."""
    image = Image.open(BytesIO(body), formats=["WEBP"])
    image.load()
    return image


def pixel(image: Image.Image, place: tuple[int, int]) -> tuple[int, int, int]:
    """Red, green and blue of one pixel."""
    offset = 3 * (place[1] * image.width + place[0])
    red, green, blue = image.convert("RGB").tobytes()[offset : offset + 3]
    return red, green, blue


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference per channel, 0 to 255."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)
