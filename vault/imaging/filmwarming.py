"""Every way that a video takes, taken once before the first: a confined child can load nothing and start no thread.

Floor 0. Only for the zygote of `vault.imaging.sandbox`, where the extra `video` is installed.
"""

import importlib
import pkgutil
import tempfile
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import av
from av.audio.frame import AudioFrame
from av.codec.context import ThreadType
from av.video.frame import VideoFrame
from PIL import Image

from vault.imaging import film, rendition
from vault.imaging.identify import AVI, MATROSKA, Kind
from vault.imaging.playing import Play
from vault.imaging.refusals import Refused
from vault.imaging.render import TARGETS

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

_MOST_PIXELS: Final = 4096
# A program of its own, and a fetcher of samples from the network.
_LEFT_OUT: Final = frozenset({"av.__main__", "av.datasets"})


def warm_up() -> None:
    """Load what PyAV loads on first use, and make the pictures and the rendition of two tiny videos."""
    # What codecs print is nobody's business, and printing takes a lock that a fork could copy while it is held.
    av.logging.set_level(None)
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in _LEFT_OUT:
            importlib.import_module(module.name)
    for kind, codec, sound in ((MATROSKA, "libx264", "aac"), (AVI, "mjpeg", "pcm_s16le")):
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink:
            _write(source, kind, codec, sound)
            with suppress(Refused):
                film.render(source, kind, {target.name: BytesIO() for target in TARGETS}, max_pixels=_MOST_PIXELS)
            length = source.seek(0, 2)
            with suppress(Refused):
                rendition.play(source, kind, sink, Play(0, length), max_pixels=_MOST_PIXELS)


def _write(sink: BinaryIO, kind: Kind, codec: str, sound: str) -> None:
    with av.open(sink, "w", format="avi" if kind is AVI else "matroska") as output:
        picture = cast("VideoStream", output.add_stream(codec, 10))
        picture.width, picture.height = 64, 48
        picture.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        picture.codec_context.thread_type, picture.codec_context.thread_count = ThreadType.NONE, 1
        voice = cast("AudioStream", output.add_stream(sound, 8000))
        for number in range(4):
            frame = VideoFrame.from_image(Image.new("RGB", (64, 48), (60 * number, 99, 0)))  # type: ignore[no-untyped-call]  # PyAV has no types for it
            frame.pts, frame.time_base = number, Fraction(1, 10)
            output.mux(picture.encode(frame.reformat(format=picture.pix_fmt, threads=1)))
        silence = AudioFrame("fltp" if sound == "aac" else "s16", "stereo", 1024)
        silence.sample_rate, silence.pts = 8000, 0
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        output.mux(voice.encode(silence))
        output.mux(picture.encode(None))
        output.mux(voice.encode(None))
    sink.flush()
