"""Every mode of pixel and every profile, as plain sRGB."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms

from tests import pictures
from tests.rendering import difference, opened, rendered
from vault.imaging import colour


def _in_mode(mode: str) -> Image.Image:
    drawing = pictures.drawing(200, 100)
    if mode == "P":
        return drawing.quantize(128, dither=Image.Dither.NONE)
    if mode == "I;16":
        return Image.frombytes(
            mode, drawing.size, b"".join(bytes((0, value)) for value in drawing.convert("L").tobytes())
        )
    return drawing.convert("L").convert(mode) if mode in ("1", "LA") else drawing.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_keeps_its_look(mode: str) -> None:
    image = _in_mode(mode)
    _, bodies = rendered(pictures.encoded(image, "PNG"))
    expected = pictures.drawing(200, 100, "L") if mode == "I;16" else image
    # Dots of black and white are hard on a lossy encoder.
    assert difference(opened(bodies["preview"]), expected) < (25 if mode == "1" else 6)


def test_sixteen_bits_keep_the_whole_ramp_from_black_to_white() -> None:
    _, bodies = rendered(pictures.wide_png())
    row = [opened(bodies["preview"]).convert("L").getpixel((x, 8)) for x in (2, 64, 128, 192, 253)]
    assert row == pytest.approx([2, 64, 128, 192, 253], abs=6)


def test_cmyk_without_a_profile_keeps_its_look() -> None:
    _, bodies = rendered(pictures.encoded(pictures.drawing(200, 100, "CMYK"), "JPEG", quality=95))
    assert difference(opened(bodies["preview"]), pictures.drawing(200, 100)) < 8


def test_what_shows_through_keeps_showing_through() -> None:
    image = pictures.drawing(200, 100, "RGBA")
    image.putalpha(Image.linear_gradient("L").resize((200, 100)))
    palette = pictures.drawing(200, 100).quantize(16)
    palette.info["transparency"] = palette.getpixel((5, 5))
    for file in (pictures.encoded(image, "PNG"), pictures.encoded(image, "WEBP"), pictures.encoded(palette, "PNG")):
        _, bodies = rendered(file)
        assert opened(bodies["preview"]).mode == "RGBA"
        assert opened(bodies["thumb"]).mode == "RGBA"
    _, bodies = rendered(pictures.encoded(pictures.drawing(200, 100, "RGBA"), "PNG"))
    assert opened(bodies["preview"]).mode == "RGB", "an alpha channel that hides nothing is left out"


@pytest.mark.parametrize("name", ["Display P3", "Adobe RGB (1998)"])
def test_wide_colours_are_turned_into_srgb(name: str) -> None:
    strong = Image.new("RGB", (64, 64), (60, 200, 60))
    profile = pictures.profile(name)
    expected = ImageCms.profileToProfile(
        strong, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert expected is not None
    assert difference(expected, strong) > 10, "the profile says something"
    for file in (pictures.jpeg(strong, profile=profile), pictures.encoded(strong, "PNG", icc_profile=profile)):
        _, bodies = rendered(file)
        assert difference(opened(bodies["preview"]), expected) < 4


@pytest.mark.parametrize(
    "profile",
    [b"", b"nonsense", pictures.profile("Display P3")[:200], bytes(5_000_000)],
    ids=["empty", "nonsense", "cut", "huge"],
)
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    image = pictures.drawing(64, 64)
    assert colour.srgb(image, profile).tobytes() == image.tobytes()


def test_a_profile_for_another_kind_of_pixel_is_ignored() -> None:
    grey = Image.linear_gradient("L")
    assert colour.srgb(grey, pictures.profile("Display P3")).tobytes() == grey.convert("RGB").tobytes()
