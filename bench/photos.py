"""Photos of twelve megapixels to measure with: real ones where this machine has them, else drawn with grain."""

import random
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

SHARED = Path(__file__).resolve().parents[2] / "shared" / "photos"
SIZE = (4032, 3024)
DRAWN = 4


def twelve_megapixels(folder: Path) -> list[Path]:
    """Return JPEGs of exactly that size, written into the folder where there are no real ones."""
    if SHARED.is_dir():
        real = [path for path in sorted(SHARED.glob("*.jpg")) if _size(path) == SIZE]
        if real:
            return real
    return [_drawn(folder / f"drawn-{number}.jpg", number) for number in range(DRAWN)]


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def _drawn(path: Path, number: int) -> Path:
    """Draw soft shapes with the grain of a sensor: about three megabytes, as of a phone."""
    chance = random.Random(number)  # noqa: S311  # a picture, not a secret
    shapes = Image.new("RGB", (24, 18))
    shapes.putdata([tuple(chance.randrange(256) for _ in range(3)) for _ in range(24 * 18)])
    soft = shapes.resize(SIZE, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(SIZE, 24).filter(ImageFilter.GaussianBlur(0.7)).convert("RGB")
    ImageChops.add(soft, grain, scale=1.0, offset=-128).save(path, quality=90)
    return path
