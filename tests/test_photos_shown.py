"""Every real photo, of every format: ready, of the size that its list states, and the right way up."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from tests.rendering import difference
from vault.imaging.kinds import EVERY_KIND
from vault.imaging.sandbox import Sandbox

PHOTOS = pictures.SHARED / "photos"
# It says that it lies on its side, in a type that the standard does not allow; it stands upright, its sky on top.
_WRONG = "pigallery2__broken_orientation_exif2.jpg"
ENDINGS = {"HEIC": "image/heic", "DNG": "image/x-adobe-dng", "TIFF": "image/tiff", "GIF": "image/gif"}

pytestmark = pytest.mark.skipif(not PHOTOS.is_dir(), reason="no real photos on this machine")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(
        memory_bytes=1 << 30, cpu_seconds=30, wall_seconds=60.0, max_pixels=100_000_000, max_frames=2000
    ) as shared:
        yield shared


def stills() -> list[dict[str, str]]:
    with (PHOTOS / "MANIFEST.tsv").open() as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["type"] not in ("MOV", "MP4")]


def test_every_photo_becomes_ready_at_its_size_upright(sandbox: Sandbox, tmp_path: Path) -> None:
    rows = stills()
    assert len(rows) > 50
    for row in rows:
        outcome = sandbox.render(PHOTOS / row["file"], tmp_path)
        assert outcome.ok is not None, (row["file"], outcome.failure)
        width, height = (int(side) for side in row["pixels"].split())
        turned = row["orientation"] in {"5", "6", "7", "8"} and row["file"] != _WRONG
        assert (outcome.ok.width, outcome.ok.height) == ((height, width) if turned else (width, height)), row["file"]
        assert outcome.ok.kind.media_type == ENDINGS.get(row["type"], outcome.ok.kind.media_type), row["file"]
        assert outcome.ok.kind in EVERY_KIND
        preview = outcome.ok.variants[0]
        # Of a RAW the camera's own picture is shown, whose shape is the sensor's but for a few rows.
        shape = preview.width / preview.height, outcome.ok.width / outcome.ok.height
        assert shape[0] == pytest.approx(shape[1], rel=0.02), row["file"]


def test_the_same_scene_held_in_eight_ways_is_seen_in_one(sandbox: Sandbox, tmp_path: Path) -> None:
    seen: list[Image.Image] = []
    for number in range(1, 9):
        assert sandbox.render(PHOTOS / f"exif__Landscape_{number}.jpg", tmp_path).ok is not None
        with Image.open(tmp_path / "thumb.webp") as image:
            seen.append(image.convert("RGB").resize((60, 40)))
    # The pictures bear their number in the middle, and differ there alone.
    assert max(difference(seen[0], other) for other in seen) < 20
    assert difference(seen[0], seen[0].transpose(Image.Transpose.ROTATE_180)) > 20
