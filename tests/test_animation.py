"""Previews that move: every kind that moves, within limits; and the parent's look at every frame."""

import io
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests import pictures
from tests.rendering import difference, opened, pixel, rendered
from tests.sandboxes import assert_failed, new_sandbox, put
from vault.imaging import animation, nursery, wire
from vault.imaging.kinds import GIF, PNG, WEBP
from vault.imaging.lending import Report
from vault.imaging.refusals import Reason
from vault.imaging.remake import Order, remake
from vault.imaging.render import render
from vault.imaging.sandbox import Sandbox
from vault.imaging.webp import measure

COLOURS = ("red", "lime", "blue", "yellow", "white", "black")
MOVING = ["GIF", "WEBP", "PNG", "AVIF"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with new_sandbox() as shared:
        yield shared


@pytest.fixture
def out_dir(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def clip(kind: str, frames: int = 4, size: tuple[int, int] = (96, 64), **options: Any) -> bytes:
    """A film of plain colours."""
    first, *rest = [Image.new("RGB", size, COLOURS[number % len(COLOURS)]) for number in range(frames)]
    options = {"duration": 50, **options}
    return pictures.encoded(first, kind, save_all=True, append_images=rest, **options)


def frames_of(body: bytes) -> list[Image.Image]:
    with Image.open(io.BytesIO(body), formats=["WEBP"]) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(image.convert("RGB"))
        return found


@pytest.mark.parametrize("kind", MOVING)
def test_a_picture_that_moves_moves_in_its_preview_and_stands_still_in_its_thumb(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path, kind: str
) -> None:
    outcome = sandbox.render(put(tmp_path, clip(kind)), out_dir)
    assert outcome.ok is not None
    assert outcome.ok.frames == 4
    preview, thumb = ((out_dir / name).read_bytes() for name in ("preview.webp", "thumb.webp"))

    shown = frames_of(preview)
    assert len(shown) == 4
    for picture, colour in zip(shown, COLOURS, strict=False):
        assert difference(picture, Image.new("RGB", (96, 64), colour)) < 12
    assert measure(io.BytesIO(preview), most_frames=4) == (96, 64)
    assert measure(io.BytesIO(thumb)) == (96, 64)
    assert difference(opened(thumb), Image.new("RGB", (96, 64), "red")) < 12


def test_each_frame_lasts_as_long_as_it_did() -> None:
    body = rendered(clip("GIF", duration=[40, 200, 10, 1000], loop=2))[1]["preview"]
    with Image.open(io.BytesIO(body)) as image:
        lengths = []
        for number in range(4):
            image.seek(number)
            image.load()
            lengths.append(image.info["duration"])
        # Browsers give a frame that claims to last no time a tenth of a second; and once means one time more.
        assert (lengths, image.info["loop"]) == ([40, 200, 100, 1000], 3)


@pytest.mark.parametrize(("loop", "times"), [(None, 1), (0, 0), (65_535, 65_535)])
def test_a_gif_plays_as_often_as_it_says(loop: int | None, times: int) -> None:
    said: dict[str, Any] = {} if loop is None else {"loop": loop}
    body = rendered(clip("GIF", **said))[1]["preview"]
    with Image.open(io.BytesIO(body)) as image:
        assert image.info["loop"] == times


def test_it_carries_nothing_but_pixels_and_shrinks() -> None:
    exif = pictures.camera_exif(gps=True)
    body = clip(
        "WEBP", 3, (2400, 100), exif=exif, xmp=pictures.xmp_packet(), icc_profile=pictures.profile("Display P3")
    )
    answer, bodies = rendered(body, max_pixels=10**7)

    assert answer.metadata.latitude is not None, "the original did carry a place"
    preview = bodies["preview"]
    assert measure(io.BytesIO(preview), most_frames=3) == (1920, 80)
    for secret in (b"EXIF", b"Exif", b"Testar", b"xmpmeta", b"ICCP", b"acsp"):
        assert secret not in preview


def test_every_frame_is_upright() -> None:
    upright = [pictures.drawing(90, 60), pictures.drawing(90, 60).transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    stored = [each.transpose(Image.Transpose.ROTATE_90) for each in upright]
    exif = pictures.camera_exif(orientation=6)
    body = pictures.encoded(stored[0], "WEBP", save_all=True, append_images=stored[1:], duration=99, exif=exif)
    answer, bodies = rendered(body)

    assert (answer.width, answer.height) == (90, 60)
    for shown, expected in zip(frames_of(bodies["preview"]), upright, strict=True):
        assert difference(shown, expected) < 12


def test_what_shows_through_stays_so_in_every_frame() -> None:
    clear = [Image.new("RGBA", (40, 40), (0, 0, 0, 0)) for _ in range(2)]
    # No rectangles: those would be written as smaller frames in which nothing shows through.
    ImageDraw.Draw(clear[0]).ellipse((0, 0, 19, 39), fill=(255, 0, 0, 255))
    ImageDraw.Draw(clear[1]).ellipse((20, 0, 39, 39), fill=(0, 0, 255, 255))
    body = pictures.encoded(clear[0], "PNG", save_all=True, append_images=clear[1:], duration=99, disposal=1)
    with Image.open(io.BytesIO(rendered(body)[1]["preview"])) as image:
        image.seek(1)
        alpha = image.convert("RGBA").getchannel("A")
        assert (alpha.getpixel((5, 20)), alpha.getpixel((30, 20))) == (0, 255)


def test_a_picture_for_those_who_cannot_play_is_no_frame() -> None:
    first, *rest = [Image.new("RGB", (40, 40), colour) for colour in COLOURS[:3]]
    body = pictures.encoded(first, "PNG", save_all=True, append_images=rest, duration=99, default_image=True)
    shown = frames_of(rendered(body, PNG)[1]["preview"])

    assert [pixel(each, (20, 20))[0] > 128 for each in shown] == [False, False]


@pytest.mark.parametrize(
    ("limit", "value"),
    [("MOST_FRAMES", 3), ("MOST_PIXELS", 4 * 96 * 64 - 1), ("LONGEST_SECONDS", 0.1), ("MOST_BYTES", 99)],
)
def test_above_each_limit_the_first_frame_stands_for_all(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    body = clip("GIF")
    assert len(frames_of(rendered(body)[1]["preview"])) == 4
    monkeypatch.setattr(animation, limit, value)
    answer, bodies = rendered(body)

    assert answer.frames == 4
    assert difference(opened(bodies["preview"]), Image.new("RGB", (96, 64), "red")) < 12
    assert measure(io.BytesIO(bodies["preview"])) == (96, 64)


def test_one_that_takes_too_long_to_make_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animation, "_BUSY_SECONDS", -1.0)

    assert len(frames_of(rendered(clip("GIF"))[1]["preview"])) == 1


def test_one_that_breaks_off_stands_still(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    body = clip("GIF", 6, (300, 300))
    outcome = sandbox.render(put(tmp_path, body[: len(body) // 2]), out_dir)

    assert outcome.ok is not None
    assert len(frames_of((out_dir / "preview.webp").read_bytes())) == 1


def test_made_anew_for_a_link_it_stands_still() -> None:
    sink = io.BytesIO()
    made = remake(io.BytesIO(clip("WEBP")), WEBP, sink, Order("screen", 96, "For Anna"), max_pixels=10**6, max_frames=9)

    assert measure(sink) == (made.width, made.height)


@pytest.fixture
def moving() -> bytes:
    """Return three frames, the second of which is clear."""
    clear = Image.new("RGBA", (96, 64), (0, 0, 0, 0))
    frames = [pictures.drawing(mode="RGBA"), clear, pictures.drawing(mode="RGBA")]
    body = pictures.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=99)
    assert measure(io.BytesIO(body), most_frames=3) == (96, 64)
    return body


class TestTheParentsLook:
    def chunks(self, body: bytes) -> list[int]:
        """Where each chunk begins, and where the last one ends."""
        places, at = [], 12
        while at < len(body):
            places.append(at)
            length = int.from_bytes(body[at + 4 : at + 8], "little")
            at += 8 + length + length % 2
        return [*places, at]

    def refused(self, body: bytes | bytearray, most_frames: int = 3) -> bool:
        whole = body[:4] + (len(body) - 8).to_bytes(4, "little") + body[8:]
        try:
            measure(io.BytesIO(whole), most_frames=most_frames)
        except ValueError:
            return True
        return False

    def test_more_frames_than_there_were_are_not_believed(self, moving: bytes) -> None:
        assert not self.refused(moving)
        assert self.refused(moving, most_frames=2)
        assert self.refused(moving, most_frames=1)

    @pytest.mark.parametrize("name", [b"EXIF", b"XMP ", b"ICCP", b"JUNK", b"VP8 "])
    def test_nothing_lies_between_the_frames(self, moving: bytes, name: bytes) -> None:
        for at in self.chunks(moving):
            assert self.refused(moving[:at] + name + (4).to_bytes(4, "little") + b"abcd" + moving[at:])

    @pytest.mark.parametrize("name", [b"EXIF", b"XMP ", b"JUNK", b"ANMF"])
    def test_nothing_lies_in_a_frame(self, moving: bytes, name: bytes) -> None:
        for at, after in list(pairwise(self.chunks(moving)))[2:]:
            length = int.from_bytes(moving[at + 4 : at + 8], "little") + 12
            inside = moving[at + 8 : after] + name + (4).to_bytes(4, "little") + b"abcd"
            assert self.refused(moving[:at] + b"ANMF" + length.to_bytes(4, "little") + inside + moving[after:])

    @pytest.mark.parametrize("flag", [0x20, 0x08, 0x04, 0x01, 0x80])
    def test_no_metadata_is_promised(self, moving: bytes, flag: int) -> None:
        body = bytearray(moving)
        body[20] |= flag
        assert self.refused(body)

    @pytest.mark.parametrize("field", [0, 3, 6, 9])
    def test_every_frame_lies_on_the_canvas(self, moving: bytes, field: int) -> None:
        body = bytearray(moving)
        at = self.chunks(moving)[2] + 8 + field
        body[at : at + 3] = (90).to_bytes(3, "little") if field < 6 else (99).to_bytes(3, "little")
        assert self.refused(body)

    def test_a_cut_off_one_is_refused(self, moving: bytes) -> None:
        for end in (*self.chunks(moving)[:-3], len(moving) - 2, len(moving) - 1, 40):
            assert self.refused(moving[:end])

    def test_a_child_that_says_still_and_writes_moving_is_not_believed(
        self, sandbox: Sandbox, tmp_path: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sinks = {"preview": io.BytesIO(), "thumb": io.BytesIO()}
        honest = render(io.BytesIO(clip("GIF")), GIF, sinks, max_pixels=10**6, max_frames=9)

        def lie(_self: nursery.Nursery, _word: str, descriptors: list[int]) -> Report:
            os.write(descriptors[1], sinks["preview"].getvalue())
            os.write(descriptors[2], sinks["thumb"].getvalue())
            said = wire.write_rendered(honest).replace(b'"frames": 4', b'"frames": 1')
            return Report(said.decode(), 0, is_timed_out=False, peak_memory_bytes=1)

        monkeypatch.setattr(nursery.Nursery, "ask", lie)
        assert_failed(sandbox.render(put(tmp_path, clip("GIF")), out_dir), Reason.CRASHED, out_dir)
