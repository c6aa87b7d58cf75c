"""How much smaller the pictures of a page are than the originals that it would load otherwise.

Reads the real photos where this machine has them, else draws some. Bound: at least 50 % smaller together.
"""

import tempfile
from pathlib import Path

from tests.pictures import jpeg
from vault.imaging.sandbox import Sandbox

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"
KINDS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"}


def run() -> None:
    """Print a line per picture and the sum."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(memory_bytes=1024**3, cpu_seconds=30, wall_seconds=45, max_pixels=10**8, max_frames=2000) as sandbox,
    ):
        total = [0, 0, 0]
        for path in _pictures(Path(folder)):
            outcome = sandbox.render(path, Path(folder))
            if outcome.ok is None:
                print(f"{path.name:44} {outcome.failure}")
                continue
            sizes = {variant.name: variant.size_bytes for variant in outcome.ok.variants}
            row = [path.stat().st_size, sizes["preview"], sizes["thumb"]]
            total = [have + more for have, more in zip(total, row, strict=True)]
            print(f"{path.name:44} {row[0]:>10,} {row[1]:>9,} {row[2]:>8,}  {_saved(row):5.0%} smaller")
        print(f"{'together':44} {total[0]:>10,} {total[1]:>9,} {total[2]:>8,}  {_saved(total):5.0%} smaller")


def _saved(row: list[int]) -> float:
    return 1 - (row[1] + row[2]) / row[0]


def _pictures(folder: Path) -> list[Path]:
    if PHOTOS.is_dir():
        return sorted(path for path in PHOTOS.iterdir() if path.suffix.lower() in KINDS)
    drawn = folder / "drawn.jpg"
    drawn.write_bytes(jpeg())
    return [drawn]
