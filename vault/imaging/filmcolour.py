"""The colours of a video's frames, as ordinary screens show them.

Floor 0. Only for the child of `vault.imaging.sandbox`, where the extra `video` is installed. What was filmed for
brighter screens (HDR) is brought down by filters of our own: FFmpeg's scaler would start threads for it.
"""

from typing import Any, Final

from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from PIL import Image

from vault.imaging.filters import Chain, Filters

_UNSPECIFIED: Final = 2
# What says nothing of itself is as television was: of high definition from this width on (BT.709), else not (BT.601).
_HIGH_DEFINITION_PX: Final = 1280
_FINE: Final = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_DEEP: Final = "gbrp16le"

# Light of each signal, 1 being the white of paper (203 candela per square metre, ITU-R BT.2408).
_LIGHT: Final = {
    # ITU-R BT.2100, table 4: perceptual quantisation, up to 10,000 candela.
    ColorTrc.SMPTE2084: "pow(max(pow(val/maxval,1/78.84375)-0.8359375,0)"
    "/(18.8515625-18.6875*pow(val/maxval,1/78.84375)),1/0.1593017578125)*10000/203",
    # The same, table 5: hybrid log-gamma, on a screen of 1,000 candela.
    ColorTrc.ARIB_STD_B67: "pow(if(lte(val/maxval,0.5),pow(val/maxval,2)/3,"
    "(exp((val/maxval-0.55991073)/0.17883277)+0.28466892)/12),1.2)*1000/203",
}
# Dark stays as it is; from three tenths of white on light is bent so that five times white is the most.
_BENT: Final = "if(lte(ld(0),0.3),ld(0),1.1247*(ld(0)-0.08)/(ld(0)+0.5247))"
# From the primaries of BT.2020 to those of BT.709 (ITU-R BT.2087).
_PRIMARIES: Final = "rr=1.6605:rg=-0.5876:rb=-0.0728:gr=-0.1246:gg=1.1329:gb=-0.0083:br=-0.0182:bg=-0.1006:bb=1.1187"
_GAMMA: Final = "maxval*pow(val/maxval,1/2.2)"


class Screen:
    """An ordinary screen on which the frames of one video are shown."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._dimming: dict[int, Chain] = {}

    def picture(self, frame: VideoFrame, size: tuple[int, int]) -> Image.Image:
        """Return a frame as an RGB picture of a size."""
        shown = self._shown(frame, size, "rgb24", dst_color_range=ColorRange.JPEG, interpolation=_FINE)
        drawn: Image.Image = shown.to_image(threads=1)  # type: ignore[no-untyped-call]  # PyAV has no types for it
        return drawn

    def for_browsers(self, frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
        """Return a frame as browsers want it: 8 bits, 4:2:0, BT.709, in the range of television."""
        said = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
        return self._shown(frame, size, "yuv420p", interpolation=Interpolation.BICUBIC, **said)

    def _shown(self, frame: VideoFrame, size: tuple[int, int], form: str, **said: Any) -> VideoFrame:
        source = {} if frame.colorspace != _UNSPECIFIED else {"src_colorspace": _usual(frame)}
        if frame.color_trc in _LIGHT:
            frame, source = self._dimmed(frame, size, source), {}
        return self._reformatter.reformat(frame, size[0], size[1], form, threads=1, **source, **said)

    def _dimmed(self, frame: VideoFrame, size: tuple[int, int], source: dict[str, Any]) -> VideoFrame:
        kind = frame.color_trc
        chain = self._dimming.setdefault(kind, Chain(_filters(kind)))
        deep = VideoReformatter().reformat(
            frame, size[0], size[1], _DEEP, dst_color_range=ColorRange.JPEG, interpolation=_FINE, threads=1, **source
        )
        shown = next(chain.passed(deep))
        shown.color_trc, shown.color_primaries = ColorTrc.BT709, ColorPrimaries.BT709
        return shown


def _filters(kind: int) -> Filters:
    bent = f"st(0,{_LIGHT[ColorTrc(kind)]});maxval*min(max({_BENT},0),1)"
    return ("lutrgb", _each(bent)), ("colorchannelmixer", _PRIMARIES), ("lutrgb", _each(_GAMMA))


def _each(expression: str) -> str:
    return ":".join(f"{channel}='{expression}'" for channel in "rgb")


def _usual(frame: VideoFrame) -> Colorspace:
    wide = max(frame.width, frame.height) >= _HIGH_DEFINITION_PX
    return Colorspace.ITU709 if wide else Colorspace.ITU601
