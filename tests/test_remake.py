"""Pictures made anew in the child: their bounds, their text, what they do not carry, and what is not believed."""

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from tests import laden, pictures
from tests.laden import SECRET
from tests.sandboxes import ENDLESS, new_sandbox, put
from vault.imaging import nursery, watermark, wire
from vault.imaging.identify import JPEG, KINDS, PNG, WEBP, Kind
from vault.imaging.lending import Report
from vault.imaging.refusals import Reason, Refused
from vault.imaging.remake import Made, Order, remake
from vault.imaging.sandbox import Unmakeable

LARGE = pictures.drawing(900, 600)


def made(body: bytes, kind: Kind, order: Order) -> tuple[Made, bytes]:
    """What becomes of a file in this very process, without the child."""
    sink = io.BytesIO()
    return remake(io.BytesIO(body), kind, sink, order, max_pixels=10**6, max_frames=10), sink.getvalue()


def image(body: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(body))
    found.load()
    return found


def colour(found: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    value = found.getpixel(place)
    assert isinstance(value, tuple)
    return value


@pytest.mark.parametrize("kind", pictures.WRITABLE, ids=lambda kind: kind.extension)
@pytest.mark.parametrize("text", ["", "For Anna"])
@pytest.mark.parametrize(
    ("form", "edge", "size"), [("file", None, (900, 600)), ("file", 300, (300, 200)), ("screen", 450, (450, 300))]
)
def test_it_is_as_large_as_ordered_and_says_what_it_is(
    kind: Kind, text: str, form: str, edge: int | None, size: tuple[int, int]
) -> None:
    result, body = made(pictures.encoded(LARGE, kind.format), kind, Order(form, edge, text))  # type: ignore[arg-type]  # of the table above

    assert (result.width, result.height) == size == image(body).size
    assert (result.kind, result.size_bytes) == (WEBP if form == "screen" else JPEG, len(body))


def test_a_small_picture_is_not_enlarged() -> None:
    result, _ = made(pictures.jpeg(), JPEG, Order("file", 4000, "For Anna"))

    assert (result.width, result.height) == (96, 64)


@pytest.mark.parametrize("kind", laden.KINDS, ids=lambda kind: kind.extension)
@pytest.mark.parametrize("form", ["file", "screen"])
def test_it_carries_nothing_but_pixels(kind: Kind, form: str) -> None:
    _, body = made(laden.laden(kind, laden.exif(orientation=6)), kind, Order(form, None, "For Anna"))  # type: ignore[arg-type]  # as above

    assert SECRET not in body
    assert not {"exif", "xmp", "icc_profile", "comment", "photoshop"} & image(body).info.keys()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("edge", [None, 60])
def test_it_is_upright(orientation: int, edge: int | None) -> None:
    _, body = made(pictures.oriented(orientation), JPEG, Order("file", edge, ""))
    upright = image(body).convert("RGB")
    expected = pictures.drawing().resize(upright.size)

    for place in [(3, 3), (upright.width - 4, 3), (3, upright.height - 4)]:
        assert all(abs(a - b) < 40 for a, b in zip(colour(upright, place), colour(expected, place), strict=True))


def test_what_shows_through_stays_so_in_a_file_to_take_home() -> None:
    clear = pictures.drawing(mode="RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    result, body = made(pictures.encoded(clear, "PNG"), PNG, Order("file", None, "For Anna"))

    assert (result.kind, image(body).mode) == (PNG, "RGBA")


def test_of_a_moving_picture_the_first_frame_is_left() -> None:
    _, body = made(pictures.animated("WEBP"), WEBP, Order("screen", 96, ""))

    assert getattr(image(body), "n_frames", 1) == 1
    assert colour(image(body).convert("RGB"), (5, 5))[0] > 180  # the first frame's red corner


@pytest.mark.parametrize("size", [(480, 320), (320, 480), (1920, 1280), (2000, 120)])
@pytest.mark.parametrize("ground", ["black", "white", "gray"])
def test_the_text_is_seen_in_every_part_of_the_picture(size: tuple[int, int], ground: str) -> None:
    plain = Image.new("RGB", size, ground)
    written = plain.copy()
    watermark.draw(written, "For Anna Miller")
    difference = ImageChops.difference(plain, written).convert("L")

    wide, high = size[0] // 2, size[1] // 2
    for box in [(x, y, x + wide, y + high) for x in (0, wide) for y in (0, high)]:
        assert difference.crop(box).point(lambda value: 255 * (value > 40)).getbbox() is not None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Für Größe", "Fuer Groesse"),
        ("Łódź, señor", "Lodz, senor"),
        ("Привет, Щука", "Privet, Shchuka"),
        ("Ελλάδα", "Ellada"),
        ("Proof – Ida — 2026", "Proof - Ida - 2026"),  # the dashes are meant
        ("日本", "□□"),
        ("  a\n b\t", "a b"),
        ("x" * 300, "x" * 100),
    ],
)
def test_letters_that_the_font_lacks_are_written_otherwise(text: str, written: str) -> None:
    assert watermark.writable(text) == written


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120), st.sampled_from([(1, 1), (1, 300), (300, 1), (96, 64)]), st.sampled_from(["RGB", "RGBA"]))
def test_any_text_fits_on_any_picture(text: str, size: tuple[int, int], mode: str) -> None:
    watermark.draw(Image.new(mode, size), text)


class TestInTheChild:
    def test_it_makes_one_file_that_only_we_can_read(self, tmp_path: Path) -> None:
        with new_sandbox() as sandbox:
            result = sandbox.remake(
                put(tmp_path, pictures.jpeg(LARGE)), tmp_path / "made", Order("file", 300, "Für Żółć 日本")
            )

        assert (result.width, result.height) == (300, 200)
        assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600
        assert image((tmp_path / "made").read_bytes()).size == (300, 200)

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"<html>", Reason.UNSUPPORTED),
            (pictures.jpeg()[:200], Reason.DAMAGED),
            (pictures.webp_claiming(16383, 16383), Reason.TOO_MANY_PIXELS),
        ],
        ids=["html", "broken", "bomb"],
    )
    def test_a_bad_file_is_refused_and_leaves_nothing(self, tmp_path: Path, body: bytes, reason: Reason) -> None:
        with new_sandbox() as sandbox, pytest.raises(Unmakeable) as refused:
            sandbox.remake(put(tmp_path, body), tmp_path / "made", Order("file", None, ""))

        assert refused.value.reason is reason
        assert not (tmp_path / "made").exists()

    def test_one_that_takes_too_long_is_ended_and_the_next_is_made(self, tmp_path: Path) -> None:
        with new_sandbox(wall_seconds=1.5) as sandbox:
            with pytest.raises(Unmakeable) as refused:
                sandbox.remake(put(tmp_path, ENDLESS), tmp_path / "made", Order("file", None, ""))
            assert refused.value.reason is Reason.TOO_SLOW
            assert (
                sandbox.remake(put(tmp_path, pictures.jpeg()), tmp_path / "made", Order("screen", 96, "")).width == 96
            )

    @pytest.mark.parametrize(
        "body",
        [laden.jpeg(b""), pictures.jpeg() + b"tail", b"<html>", b""],
        ids=["metadata", "tail", "html", "empty"],
    )
    def test_a_child_that_writes_more_than_pixels_is_not_believed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
    ) -> None:
        def lie(_self: nursery.Nursery, _word: str, descriptors: list[int]) -> Report:
            os.write(descriptors[1], body)
            return Report(
                json.dumps({"made": ["JPEG", 96, 64, max(1, len(body))]}), 0, is_timed_out=False, peak_memory_bytes=1
            )

        monkeypatch.setattr(nursery.Nursery, "ask", lie)
        with new_sandbox() as sandbox, pytest.raises(Unmakeable) as refused:
            sandbox.remake(put(tmp_path, pictures.jpeg()), tmp_path / "made", Order("file", None, ""))

        assert refused.value.reason is Reason.CRASHED
        assert not (tmp_path / "made").exists()


ORDER = Order("file", 300, "For \u00e4nna \U0001f642 \n")


def test_a_request_arrives_as_it_was_sent() -> None:
    for kind in KINDS:
        for order in (None, ORDER, Order("screen", None, "\U0001f642" * 100)):
            line = wire.write_request(kind, order).encode()
            assert len(line) < wire.MAX_REQUEST_BYTES
            assert b"\n" not in line
            assert wire.read_request(line + b"\n") == (kind, order)


def test_an_honest_answer_is_believed() -> None:
    honest = Made(JPEG, 300, 200, 1234)

    assert wire.read_made(wire.write_made(honest), ORDER, max_pixels=10**6) == honest


@pytest.mark.parametrize(
    "lie",
    [
        '{"made": ["WEBP", 300, 200, 5]}',
        '{"made": ["HTML", 300, 200, 5]}',
        '{"made": ["JPEG", 301, 200, 5]}',
        '{"made": ["JPEG", 0, 200, 5]}',
        '{"made": ["JPEG", 300, 200, 0]}',
        '{"made": ["JPEG", 300, 200, 99999999999]}',
        '{"made": ["JPEG", 300.5, 200, 5]}',
        '{"made": ["JPEG", 300, 200]}',
        '{"made": {}}',
        '{"refused": "because"}',
        "[]",
        "",
        "[" * 60_000,
    ],
)
def test_a_lie_is_not_believed(lie: str) -> None:
    with pytest.raises(wire.Unbelievable):
        wire.read_made(lie.encode(), ORDER, max_pixels=10**6)


def test_a_refusal_is_a_refusal() -> None:
    with pytest.raises(Refused):
        wire.read_made(wire.write_refusal(Reason.DAMAGED), ORDER, max_pixels=10**6)
    with pytest.raises(wire.Unwritten):
        wire.read_made(wire.UNWRITTEN, ORDER, max_pixels=10**6)
