"""What phones write as HEIC and scanners as TIFF, shown: upright, in sRGB, the first or main picture alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests import pictures
from tests.rendering import difference, opened, pixel, rendered
from tests.sandboxes import MEBIBYTE, emptied, names, new_sandbox, put
from vault.imaging.kinds import HEIC, TIFF, Kind
from vault.imaging.refusals import Reason, Refused
from vault.imaging.sandbox import Sandbox

UPRIGHT = pictures.drawing(300, 200)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with new_sandbox() as shared:
        yield shared


@pytest.fixture
def out_dir(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def heic(image: Image.Image, **options: object) -> bytes:
    return pictures.encoded(image, "HEIC", **{"quality": 95, **options})


def shown(body: bytes, kind: Kind, **options: int) -> Image.Image:
    return opened(rendered(body, kind, **options)[1]["preview"])


class TestHeic:
    def test_exif_alone_does_not_turn_it(self) -> None:
        # The container is what turns (ISO/IEC 23008-12, 6.5.10); EXIF repeats it, and is not to be applied again.
        body = heic(UPRIGHT, exif=pictures.camera_exif(orientation=6))
        answer, bodies = rendered(body, HEIC)

        assert (answer.width, answer.height, answer.metadata.orientation) == (300, 200, 1)
        assert difference(opened(bodies["preview"]), UPRIGHT) < 8

    def test_what_it_says_of_itself_is_read(self) -> None:
        exif = pictures.camera_exif(taken="2024:07:06 15:04:05", offset="+02:00", gps=True).tobytes()
        said = rendered(heic(UPRIGHT, exif=exif), HEIC)[0].metadata

        assert (said.camera_model, str(said.taken_at)) == ("Testar One", "2024-07-06 13:04:05+00:00")
        assert said.latitude == pytest.approx(52.51, abs=0.01)

    def test_its_profile_becomes_srgb(self) -> None:
        red = Image.new("RGB", (64, 64), (200, 40, 40))
        plain = shown(heic(red), HEIC)
        wide = shown(heic(red, icc_profile=pictures.profile("Display P3")), HEIC)

        assert pixel(wide, (30, 30))[0] > pixel(plain, (30, 30))[0] + 8

    def test_ten_bits_become_eight(self) -> None:
        deep = Image.frombytes("I;16", (256, 64), b"".join(value.to_bytes(1) * 2 for value in range(256)) * 64)
        picture = shown(heic(deep), HEIC)

        assert max(pixel(picture, (20, 30))) < 40
        assert min(pixel(picture, (235, 30))) > 215

    def test_what_shows_through_stays_so(self) -> None:
        clear = Image.new("RGBA", (64, 64), (0, 90, 0, 0))
        clear.paste((200, 0, 0, 255), (0, 0, 32, 64))

        assert shown(heic(clear), HEIC).mode == "RGBA"

    def test_of_a_series_the_main_picture_is_shown(self) -> None:
        others = [Image.new("RGB", (300, 200), "blue"), Image.new("RGB", (300, 200), "green")]
        body = heic(others[0], save_all=True, append_images=[UPRIGHT, others[1]], primary_index=1)
        answer, bodies = rendered(body, HEIC, max_frames=1)

        assert answer.frames == 1
        assert difference(opened(bodies["preview"]), UPRIGHT) < 8

    def test_a_picture_of_tiles_is_put_together_and_counted_whole(self) -> None:
        body = heic(pictures.drawing(640, 480), tile_size=128)
        assert difference(shown(body, HEIC, max_pixels=640 * 480), pictures.drawing(640, 480)) < 8

        with pytest.raises(Refused) as refused:
            rendered(body, HEIC, max_pixels=640 * 480 - 1)
        assert refused.value.reason is Reason.TOO_MANY_PIXELS

    def test_the_child_opens_it(self, sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
        for body in (heic(UPRIGHT), heic(pictures.drawing(1024, 768), tile_size=256)):
            outcome = sandbox.render(put(tmp_path, body), out_dir)
            assert outcome.failure is None
            assert outcome.ok is not None
            assert outcome.ok.kind == HEIC
            assert outcome.peak_memory_bytes < 128 * MEBIBYTE


class TestTiff:
    @pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
    def test_each_compression_is_opened_in_the_child(
        self, sandbox: Sandbox, tmp_path: Path, out_dir: Path, compression: str | None
    ) -> None:
        body = pictures.encoded(UPRIGHT, "TIFF", compression=compression)
        outcome = sandbox.render(put(tmp_path, body), out_dir)

        assert outcome.failure is None
        assert outcome.ok is not None
        assert (outcome.ok.kind, outcome.ok.width, outcome.ok.height) == (TIFF, 300, 200)
        assert difference(opened((out_dir / "preview.webp").read_bytes()), UPRIGHT) < 8

    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"])
    def test_each_kind_of_pixel_is_opened(self, mode: str) -> None:
        if mode in ("I;16", "I", "F"):
            source = UPRIGHT.convert("L").convert("I").point(lambda value: value * 256)
            # Programs write light from nought to one into floating numbers.
            source = source.convert("F").point(lambda value: value / 65280) if mode == "F" else source.convert(mode)
        elif mode == "LAB":
            source = pictures_lab(UPRIGHT)
        else:
            source = UPRIGHT.convert(mode)
        picture = shown(pictures.encoded(source, "TIFF"), TIFF)

        expected = UPRIGHT.convert("L") if mode in ("1", "L", "I;16", "I", "F") else UPRIGHT
        # Dots, and colours of a palette, are only alike from afar.
        small = (30, 20)
        assert difference(picture.convert("RGB").resize(small), expected.convert("RGB").resize(small)) < 25

    def test_of_many_pages_the_first_is_shown(self) -> None:
        pages: list[Any] = [Image.new("RGB", (50, 50), "blue") for _ in range(30)]
        answer, bodies = rendered(
            pictures.encoded(UPRIGHT, "TIFF", save_all=True, append_images=pages), TIFF, max_frames=1
        )

        assert answer.frames == 1
        assert difference(opened(bodies["preview"]), UPRIGHT) < 8

    def test_a_page_that_names_itself_the_next_ends_nothing(self) -> None:
        body = bytearray(pictures.encoded(UPRIGHT, "TIFF"))
        start = int.from_bytes(body[4:8], "little")
        after = start + 2 + 12 * int.from_bytes(body[start : start + 2], "little")
        body[after : after + 4] = body[4:8]

        assert rendered(bytes(body), TIFF)[0].frames == 1


def pictures_lab(picture: Image.Image) -> Image.Image:
    """A picture as Lab, as programs for print write it."""
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(picture, srgb, lab, outputMode="LAB")
    assert converted is not None
    return converted


_SEEDS = [
    heic(pictures.drawing(), exif=pictures.camera_exif(gps=True).tobytes()),
    heic(pictures.drawing(256, 256), tile_size=64),
    pictures.encoded(pictures.drawing(), "TIFF", compression="tiff_lzw", exif=pictures.camera_exif(gps=True)),
    pictures.encoded(pictures.drawing(), "TIFF", compression="jpeg"),
    pictures.encoded(pictures.drawing(mode="CMYK"), "TIFF"),
]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(_SEEDS),
    st.lists(st.tuples(st.integers(0, 1500), st.binary(min_size=1, max_size=4), st.booleans()), max_size=6),
    st.integers(0, 5),
)
def test_a_mutated_one_ends_in_order(
    sandbox: Sandbox, tmp_path: Path, seed: bytes, changes: list[tuple[int, bytes, bool]], cut: int
) -> None:
    file = bytearray(seed)
    for at, value, from_behind in changes:
        place = (-at if from_behind else at) % len(file)
        file[place : place + len(value)] = value
    out_dir = emptied(tmp_path / "out")
    outcome = sandbox.render(put(tmp_path, bytes(file if cut else file[: len(file) // 2])), out_dir)

    assert outcome.peak_memory_bytes < 512 * MEBIBYTE
    assert (outcome.ok is None) == (outcome.failure is not None)
    assert names(out_dir) == ([] if outcome.ok is None else ["preview.webp", "thumb.webp"])
    for name in names(out_dir):
        opened((out_dir / name).read_bytes())


def test_a_heic_that_claims_to_be_huge_is_refused_before_it_is_decoded(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path
) -> None:
    body = bytearray(heic(pictures.drawing(64, 64)))
    at = body.index(b"ispe") + 8
    body[at : at + 8] = (60_000).to_bytes(4) * 2
    outcome = sandbox.render(put(tmp_path, bytes(body)), out_dir)

    assert outcome.reason in (Reason.TOO_MANY_PIXELS, Reason.DAMAGED)
    assert outcome.peak_memory_bytes < 128 * MEBIBYTE


class TestStatedColours:
    """What a HEIC says of its colours by numbers (ITU-T H.273)."""

    def shown(self, colour: tuple[int, int, int], **numbers: int) -> tuple[int, int, int]:
        body = heic(Image.new("RGB", (64, 64), colour), chroma=444, matrix_coefficients=6, full_range_flag=1, **numbers)
        return pixel(shown(body, HEIC), (30, 30))

    def test_wide_primaries_become_srgb(self) -> None:
        plain = self.shown((200, 60, 60), color_primaries=1, transfer_characteristics=13)
        p3 = self.shown((200, 60, 60), color_primaries=12, transfer_characteristics=13)
        bt2020 = self.shown((200, 60, 60), color_primaries=9, transfer_characteristics=13)

        assert max(abs(one - other) for one, other in zip(plain, (200, 60, 60), strict=True)) < 5
        # sRGB's own mathematics: 218 and 246, less green and blue.
        assert p3[0] == pytest.approx(218, abs=5)
        assert bt2020[0] == pytest.approx(246, abs=6)

    @pytest.mark.parametrize(("transfer", "paper", "black"), [(16, 148, 0), (18, 191, 0)])
    def test_of_wide_light_paper_is_white_and_the_rest_is_pressed(self, transfer: int, paper: int, black: int) -> None:
        def grey(level: int) -> int:
            return self.shown((level,) * 3, color_primaries=9, transfer_characteristics=transfer)[1]

        assert grey(black) < 5
        # As bright as paper is four fifths of a screen's signal, and nothing falls together above it.
        assert grey(paper) == pytest.approx(204, abs=8)
        assert grey(paper) + 10 < grey(paper + 20) < grey(paper + 40) <= 255
