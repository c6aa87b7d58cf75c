"""Every mode of pixel into plain eight-bit sRGB.

Floor 0. Knows modes and profiles, not sizes.
"""

from io import BytesIO
from typing import Final

from PIL import Image, ImageCms

_MAX_PROFILE_BYTES: Final = 4_000_000
_SRGB: Final = ImageCms.createProfile("sRGB")
# The colour spaces of a profile that fit a mode (ICC.1:2022, 7.2.6).
_SPACES: Final = {"L": "GRAY", "RGB": "RGB ", "RGBA": "RGB ", "CMYK": "CMYK"}


def plain(image: Image.Image) -> Image.Image:
    """Unfold palettes, bits and wide integers: the result is L, RGB, RGBA or CMYK, in the colours of the source."""
    if image.mode.startswith("I;16"):
        # `convert` would clip at 255; the raw decoder takes the upper byte.
        return Image.frombytes("L", image.size, image.tobytes(), "raw", "L;16B" if image.mode.endswith("B") else "L;16")
    if image.mode in ("I", "F"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "CMYK" or (image.mode in ("L", "RGB") and not image.has_transparency_data):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Turn a `plain` picture into sRGB: RGB, or RGBA where something shows through.

    A profile that is broken, too large, or meant for another kind of pixel is ignored.
    """
    converted = _through_profile(image, profile) or image
    if converted.mode == "RGBA" and converted.getchannel("A").getextrema() == (255, 255):
        return converted.convert("RGB")
    return converted if converted.mode in ("RGB", "RGBA") else converted.convert("RGB")


def _through_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    if not profile or len(profile) > _MAX_PROFILE_BYTES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _SPACES.get(image.mode) or _is_srgb(source):
            return None
        output = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(
            image, source, _SRGB, renderingIntent=ImageCms.Intent.PERCEPTUAL, outputMode=output
        )
    except (OSError, ValueError, ImageCms.PyCMSError):
        return None


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    return (profile.profile.profile_description or "").startswith("sRGB")
