"""The colours of a video's frames, as every screen shows them.

Floor 0. Only for the child of `vault.imaging.sandbox`, where the extra `video` is installed.
"""

from typing import Any, Final

from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from PIL import Image

_UNSPECIFIED: Final = 2
# What says nothing of itself is as television was: of high definition from this width on (BT.709), else not (BT.601).
_HIGH_DEFINITION_PX: Final = 1280
_BRIGHTER_THAN_SCREENS: Final = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})
_SCALING: Final = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def picture(frame: VideoFrame, size: tuple[int, int]) -> Image.Image:
    """Return a frame as an RGB picture of a size."""
    shown = VideoReformatter().reformat(
        frame, *size, "rgb24", dst_color_range=ColorRange.JPEG, interpolation=_SCALING, threads=1, **_source(frame)
    )
    return shown.to_image()


def for_browsers(reformatter: VideoReformatter, frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
    """Return a frame as browsers want it: 8 bits, 4:2:0, BT.709, in the range of television."""
    return reformatter.reformat(
        frame,
        *size,
        "yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC,
        threads=1,
        **_source(frame),
    )


def _source(frame: VideoFrame) -> dict[str, Any]:
    """Say what a frame does not say of itself, and bring what is brighter than screens down to them."""
    said: dict[str, Any] = {}
    if frame.colorspace == _UNSPECIFIED:
        wide = max(frame.width, frame.height) >= _HIGH_DEFINITION_PX
        said["src_colorspace"] = Colorspace.ITU709 if wide else Colorspace.ITU601
    if frame.color_trc in _BRIGHTER_THAN_SCREENS or frame.color_primaries == ColorPrimaries.BT2020:
        said |= {"dst_color_trc": ColorTrc.BT709, "dst_color_primaries": ColorPrimaries.BT709}
    return said
