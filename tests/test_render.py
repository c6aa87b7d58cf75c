"""Preview, thumb and placeholder: upright, in sRGB, bare, small, and never made of a bomb."""

import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests import pictures
from tests.rendering import MAX_PIXELS, difference, opened, rendered
from vault.imaging.identify import GIF, JPEG, WEBP, Kind, Unsupported
from vault.imaging.refusals import Reason, Refused
from vault.imaging.render import PLACEHOLDER_AIM_BYTES, PREVIEW, TARGETS, THUMB
from vault.imaging.scaling import fit


def _refusal(file: bytes, kind: Kind | None = None) -> Reason:
    with pytest.raises(Refused) as refused:
        rendered(file, kind)
    return refused.value.reason


def _chunks(body: bytes) -> list[bytes]:
    """The names of a RIFF file's chunks, read without any library (RFC 9649, 2.3)."""
    assert body[:4] == b"RIFF"
    assert body[8:12] == b"WEBP"
    assert int.from_bytes(body[4:8], "little") + 8 == len(body)
    names, at = [], 12
    while at < len(body):
        names.append(body[at : at + 4])
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return names


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIC"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(orientation: int, kind: str) -> None:
    upright = pictures.drawing(300, 200)
    answer, bodies = rendered(pictures.oriented(orientation, kind, upright))
    assert (answer.width, answer.height) == (300, 200)
    for target in TARGETS:
        variant = opened(bodies[target.name])
        assert difference(variant, upright) < 8, target.name
        # The measure can tell: a picture turned or mirrored is far off.
        for turn in (Image.Transpose.ROTATE_180, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM):
            assert difference(variant, upright.transpose(turn)) > 20


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_that_is_decoded_at_part_of_its_size_comes_out_upright(orientation: int) -> None:
    upright = pictures.drawing(4000, 1000)
    answer, bodies = rendered(pictures.oriented(orientation, "JPEG", upright), max_pixels=4_000_000)
    assert (answer.width, answer.height) == (4000, 1000)
    assert [(variant.width, variant.height) for variant in answer.variants] == [(1920, 480), (480, 120)]
    assert difference(opened(bodies["preview"]), upright.resize((1920, 480))) < 8
    assert difference(opened(bodies["thumb"]), upright.resize((480, 120))) < 8


def test_no_variant_carries_anything_but_pixels() -> None:
    exif = pictures.camera_exif(orientation=6, taken="2024:07:06 15:04:05", gps=True)
    extras = {"exif": exif, "xmp": pictures.xmp_packet(), "icc_profile": pictures.profile("Display P3")}
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "HEIC"):
        file = pictures.encoded(pictures.drawing(200, 100), kind, **extras)
        answer, bodies = rendered(file)
        assert answer.metadata.latitude is not None, "the original did carry a place"
        for body in (*bodies.values(), answer.placeholder):
            assert set(_chunks(body)) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
            for secret in (b"Exif", b"Testar", b"SERIAL", b"xmpmeta", b"acsp"):
                assert secret not in body


@pytest.mark.parametrize(
    ("size", "preview", "thumb"),
    [
        ((1, 1), (1, 1), (1, 1)),
        ((480, 100), (480, 100), (480, 100)),
        ((600, 400), (600, 400), (480, 320)),
        ((1920, 3), (1920, 3), (480, 1)),
        ((50_000, 2), (1920, 1), (480, 1)),
        ((7, 100_000), (1, 1920), (1, 480)),
        ((2500, 400), (1920, 307), (480, 77)),
    ],
)
def test_variants_fit_and_are_never_enlarged(
    size: tuple[int, int], preview: tuple[int, int], thumb: tuple[int, int]
) -> None:
    answer, bodies = rendered(pictures.encoded(Image.new("RGB", size, (9, 99, 199)), "PNG"))
    assert [(variant.width, variant.height) for variant in answer.variants] == [preview, thumb]
    for variant in answer.variants:
        assert opened(bodies[variant.name]).size == (variant.width, variant.height)
        assert len(bodies[variant.name]) == variant.size_bytes
    assert max(opened(answer.placeholder).size) <= 16


@settings(deadline=None)
@given(st.integers(1, 10**8), st.integers(1, 10**8), st.sampled_from([16, 480, 1920]))
def test_fit_keeps_proportions_and_bounds(width: int, height: int, long_edge_px: int) -> None:
    wide, high = fit((width, height), long_edge_px)
    assert 1 <= wide <= min(width, long_edge_px)
    assert 1 <= high <= min(height, long_edge_px)
    assert max(wide, high) == min(long_edge_px, max(width, height))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_above_the_limit_is_refused(kind: str) -> None:
    file = pictures.animated(kind, frames=5)
    answer, _ = rendered(file, max_frames=5)
    assert answer.frames == 5
    with pytest.raises(Refused) as refused:
        rendered(file, max_frames=4)
    assert refused.value.reason is Reason.TOO_MANY_FRAMES


@pytest.mark.parametrize("kind", pictures.WRITABLE, ids=lambda kind: kind.format)
def test_a_picture_above_the_pixel_limit_is_refused(kind: Kind) -> None:
    for width, height in ((100, 50), (99, 51)):
        file = pictures.encoded(pictures.drawing(width, height), kind.format)
        answer, _ = rendered(file, max_pixels=width * height)
        assert (answer.width, answer.height) == (width, height)
        with pytest.raises(Refused) as refused:
            rendered(file, max_pixels=width * height - 1)
        assert refused.value.reason is Reason.TOO_MANY_PIXELS


def _png_claiming(width: int, height: int) -> bytes:
    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x06\x00\x00\x00"
    chunks = (header, b"IDAT" + zlib.compress(bytes(1000)), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) for chunk in chunks
    )


def test_bombs_are_refused_by_what_they_claim() -> None:
    assert _refusal(_png_claiming(60_000, 60_000)) is Reason.TOO_MANY_PIXELS
    assert _refusal(pictures.webp_claiming(16_000, 16_000)) is Reason.TOO_MANY_PIXELS
    gif = b"GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x08\x01\x00\x00;"
    assert _refusal(gif) is Reason.TOO_MANY_PIXELS


@pytest.mark.parametrize("chunk", ["zTXt", "iTXt"])
def test_text_that_unfolds_to_too_much_is_refused(chunk: str) -> None:
    file = pictures.png_with_text("Comment", "boom " * 2_000_000, chunk=chunk)
    assert len(file) < 200_000
    assert _refusal(file) is Reason.TEXT_BOMB


@pytest.mark.parametrize("kind", pictures.WRITABLE, ids=lambda kind: kind.format)
def test_a_cut_off_picture_is_damaged(kind: Kind) -> None:
    file = pictures.encoded(pictures.drawing(300, 200), kind.format)
    assert _refusal(file[: len(file) // 2], kind) is Reason.DAMAGED
    assert _refusal(file[:40], kind) is Reason.DAMAGED


def test_only_the_decoder_that_fits_the_first_bytes_is_asked() -> None:
    assert _refusal(pictures.encoded(pictures.drawing(), "PNG"), JPEG) is Reason.DAMAGED
    assert _refusal(pictures.jpeg(), GIF) is Reason.DAMAGED
    assert _refusal(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", WEBP) is Reason.DAMAGED
    answer, _ = rendered(pictures.jpeg() + pictures.encoded(pictures.drawing(), "PNG"))
    assert answer.kind == JPEG


def test_a_placeholder_is_tiny() -> None:
    for mode in ("RGB", "L"):
        answer, _ = rendered(pictures.encoded(pictures.drawing(600, 400, mode), "PNG"))
        assert len(answer.placeholder) <= PLACEHOLDER_AIM_BYTES
        assert opened(answer.placeholder).size == (16, 11)
    noise = Image.effect_noise((600, 600), 255).convert("RGB")
    answer, _ = rendered(pictures.encoded(noise, "PNG"))
    assert len(answer.placeholder) <= 2 * PLACEHOLDER_AIM_BYTES


def test_rendering_leaves_pillows_own_limit_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    rendered(pictures.jpeg())
    _refusal(_png_claiming(60_000, 60_000))
    assert before == Image.MAX_IMAGE_PIXELS


_SEEDS = [pictures.encoded(pictures.drawing(), kind.format) for kind in pictures.WRITABLE] + [
    pictures.animated("GIF"),
    pictures.animated("WEBP"),
    pictures.jpeg(exif=pictures.camera_exif(orientation=6, gps=True), xmp=pictures.xmp_packet()),
    pictures.encoded(pictures.drawing(), "PNG", icc_profile=pictures.profile("Display P3")),
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(_SEEDS), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_picture_with_changed_bytes_is_rendered_or_refused(seed: bytes, changes: list[tuple[int, int]]) -> None:
    file = bytearray(seed)
    for at, value in changes:
        file[at % len(file)] = value
    try:
        answer, bodies = rendered(bytes(file))
    except (Refused, Unsupported):
        return
    assert answer.width * answer.height <= MAX_PIXELS
    for variant in answer.variants:
        assert opened(bodies[variant.name]).size == (variant.width, variant.height)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([(kind, seed[:32]) for kind, seed in zip(pictures.WRITABLE, _SEEDS, strict=False)]),
    st.binary(max_size=300),
)
def test_a_kinds_beginning_with_any_end_is_rendered_or_refused(start: tuple[Kind, bytes], rest: bytes) -> None:
    with suppress(Refused):
        rendered(start[1] + rest, start[0])


def test_the_targets_are_those_that_pages_count_on() -> None:
    assert [(target.name, target.long_edge_px, target.file_name) for target in TARGETS] == [
        ("preview", 1920, "preview.webp"),
        ("thumb", 480, "thumb.webp"),
    ]
    assert (PREVIEW, THUMB) == TARGETS
