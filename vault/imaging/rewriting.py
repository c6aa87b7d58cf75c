"""Writing the pictures and the sound of a video anew.

Floor 0. Only for the child of `vault.imaging.sandbox`, where the extra `video` is installed and no thread may start.
"""

from fractions import Fraction
from typing import Any, Final

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.codec.context import ThreadType
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from vault.imaging.containers import Tracks
from vault.imaging.filmcolour import Screen
from vault.imaging.filters import Chain

# Ticks per second: every usual rate of pictures is a whole number of them.
_CLOCK: Final = 90_000
# Slow motion is filmed at 240 a second; no screen shows more than this.
_SHORTEST_GAP: Final = _CLOCK // 61
_USUAL_RATE: Final = Fraction(30)
_FASTEST: Final = Fraction(60)
_PICTURES: Final = {"preset": "veryfast", "crf": "23", "maxrate": "8M", "bufsize": "16M"}
_KEY_EVERY_FRAMES: Final = 120
_SOUND_HZ: Final = 48_000
_SOUND_BITS_PER_SECOND: Final = 160_000
_FRAME_SAMPLES: Final = 1024
_SHORTEST_SILENCE: Final = Fraction(1, 2)
_TURNS: Final = {90: (("transpose", "cclock"),), 180: (("hflip", ""), ("vflip", "")), 270: (("transpose", "clock"),)}
# One picture for each that came, woven of both halves of those that were filmed in halves.
_WEAVING: Final = (("bwdif", "mode=send_frame:deint=interlaced"),)


class PictureWriter:
    """Decodes the pictures of a stream and writes them upright, at a size, for browsers."""

    def __init__(
        self, output: OutputContainer, tracks: Tracks, size: tuple[int, int], turn: int, start: Fraction
    ) -> None:
        rate = tracks.picture.average_rate or tracks.picture.guessed_rate or _USUAL_RATE
        self._rate = rate if 1 <= rate <= _FASTEST else _USUAL_RATE
        self._output, self._tracks, self._start = output, tracks, start
        self._size = size if turn % 180 == 0 else size[::-1]
        self._screen = Screen()
        self._weaving = Chain(_WEAVING)
        self._turning = Chain(_TURNS.get(turn, ()))
        self._last = -1
        self._stream = stream = output.add_stream("libx264", self._rate, options=dict(_PICTURES))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = *size, "yuv420p"
        context.time_base = Fraction(1, _CLOCK)
        context.gop_size = _KEY_EVERY_FRAMES
        context.thread_type, context.thread_count = ThreadType.NONE, 1
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709

    def take(self, packet: "Packet[Any]") -> None:
        """Write the pictures of a packet. Raises what PyAV raises for a broken one."""
        for frame in packet.decode():
            if isinstance(frame, VideoFrame):
                self._take(frame)

    def finish(self) -> None:
        """Write what the decoder and the encoder still hold."""
        for frame in self._tracks.picture.codec_context.decode(None):
            self._take(frame)
        for frame in self._weaving.rest():
            self._write(frame)
        self._output.mux(self._stream.encode(None))

    def _take(self, frame: VideoFrame) -> None:
        if not self._weaving.is_begun and not frame.interlaced_frame:
            self._write(frame)
            return
        for whole in self._weaving.passed(frame):
            self._write(whole)

    def _write(self, frame: VideoFrame) -> None:
        at = self._moment(frame)
        if self._last >= 0 and at - self._last < _SHORTEST_GAP:
            return
        small = self._screen.for_browsers(frame, self._size)
        for shown in self._turning.passed(small):
            shown.pts, shown.time_base, self._last = at, Fraction(1, _CLOCK), at
            # The encoder decides anew which pictures stand by themselves.
            shown.pict_type = 0
            self._output.mux(self._stream.encode(shown))

    def _moment(self, frame: VideoFrame) -> int:
        if frame.pts is None or frame.time_base is None:
            return self._last + round(_CLOCK / self._rate)
        return max(0, round((frame.pts * frame.time_base - self._start) * _CLOCK))


class SoundWriter:
    """Decodes the sound of a stream and writes it in stereo, for browsers."""

    def __init__(self, output: OutputContainer, start: Fraction) -> None:
        self._output, self._start = output, start
        self._resampler = AudioResampler("fltp", "stereo", _SOUND_HZ, _FRAME_SAMPLES)
        self._stream = stream = output.add_stream("aac", _SOUND_HZ)
        stream.codec_context.bit_rate = _SOUND_BITS_PER_SECOND
        stream.codec_context.thread_type, stream.codec_context.thread_count = ThreadType.NONE, 1
        # When the next sample that comes in is due, in seconds; and the place of the next that goes out, in samples.
        self._due: Fraction | None = None
        self._at = 0

    def take(self, packet: "Packet[Any]") -> None:
        """Write the sound of a packet. Raises what PyAV raises for a broken one."""
        decoded: list[Any] = packet.decode()
        for frame in decoded:
            if isinstance(frame, AudioFrame):
                self._keep_time(frame)
                self._write(self._resampler.resample(frame))

    def finish(self) -> None:
        """Write what is still held."""
        self._write(self._resampler.resample(None))
        self._output.mux(self._stream.encode(None))

    def _keep_time(self, frame: AudioFrame) -> None:
        """Go by the samples, whose number is exact where the moments of coarse containers are not, but over gaps."""
        lasts = Fraction(frame.samples, frame.sample_rate)
        said = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base - self._start
        if self._due is None:
            self._due = max(Fraction(0), said or Fraction(0))
            self._at = round(self._due * _SOUND_HZ)
        elif said is not None and said - self._due > _SHORTEST_SILENCE:
            self._at += round((said - self._due) * _SOUND_HZ)
            self._due = said
        self._due += lasts

    def _write(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            frame.pts, frame.time_base = self._at, Fraction(1, _SOUND_HZ)
            self._at += frame.samples
            self._output.mux(self._stream.encode(frame))
