"""HEIC and HEIF: Pillow's plugin for them, as a confined child can use it.

Floor 0. The extra `heif` brings the library, which is loaded only where something is decoded. Its own limits on
security stay as they are.
"""

import importlib
from functools import cache
from typing import Final

from PIL import Image

from vault.imaging import nclx

FORMAT: Final = "HEIF"
"""What Pillow calls both kinds."""


@cache
def load() -> None:
    """Teach Pillow the format. Raises ImportError where the extra is missing.

    Tiles are decoded one after the other, in one thread; embedded thumbnails and depth maps are left alone, for they
    are other pictures than the one that is asked for.
    """
    library = importlib.import_module("pillow_heif")
    library.register_heif_opener(decode_threads=0, thumbnails=False, depth_images=False, aux_images=False)


def stated_profile(image: Image.Image) -> bytes | None:
    """Return a profile of the colours that an open picture states by numbers, None for sRGB."""
    stated = image.info.get("nclx_profile")
    if not isinstance(stated, dict):
        return None
    return nclx.profile(stated.get("color_primaries"), stated.get("transfer_characteristics"))
