"""Small real films, written with PyAV."""

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, cast

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

SIZE: Final = (320, 240)
RATE: Final = 25
HZ: Final = 48_000
# Container, codec of the pictures and of the sound, by what a file of that kind is called.
CONTAINERS: Final = {
    "mp4": ("mp4", "libx264", "aac"),
    "mov": ("mov", "mjpeg", "pcm_s16le"),
    "hevc.mov": ("mov", "libx265", "aac"),
    "3gp": ("3gp", "mpeg4", "aac"),
    "webm": ("webm", "libvpx-vp9", "libopus"),
    "vp8.webm": ("webm", "libvpx", "libopus"),
    "av1.webm": ("webm", "libsvtav1", "libopus"),
    "mkv": ("matroska", "libx264", "aac"),
    "avi": ("avi", "mpeg4", "libmp3lame"),
    "mpg": ("mpeg", "mpeg2video", "mp2"),
    "ts": ("mpegts", "libx264", "aac"),
    "wmv": ("asf", "wmv2", "libmp3lame"),
}


def film(
    name: str = "mp4",
    *,
    seconds: float = 1.0,
    size: tuple[int, int] = SIZE,
    tags: dict[str, str] | None = None,
    colours: Sequence[str] = ("orangered", "teal", "gold"),
    sound: bool = True,
    options: dict[str, str] | None = None,
    **stream: Any,
) -> bytes:
    """Return a film that changes its colour as it goes and hums, in one of `CONTAINERS`."""
    container, codec, voice = CONTAINERS[name]
    body = io.BytesIO()
    with av.open(body, "w", format=container, options=options or {}) as output:
        output.metadata.update(tags or {})
        picture = cast("VideoStream", output.add_stream(codec, RATE, **stream))
        picture.width, picture.height = size
        picture.pix_fmt = "yuvj420p" if codec == "mjpeg" else picture.pix_fmt or "yuv420p"
        heard = cast("AudioStream", output.add_stream(voice, HZ)) if sound else None
        count = round(seconds * RATE)
        for number in range(count):
            drawn = _drawn(size, colours[number * len(colours) // count], number / count)
            shown: VideoFrame = VideoFrame.from_image(drawn)  # type: ignore[no-untyped-call]  # PyAV has no types for it
            shown.pts, shown.time_base = number, Fraction(1, RATE)
            output.mux(picture.encode(shown))
        if heard is not None:
            for packet in _hum(heard, seconds):
                output.mux(packet)
        output.mux(picture.encode(None))
    return body.getvalue()


def turned(mp4: bytes, degrees: int) -> bytes:
    """Return an MP4 whose pictures want to be turned by so many degrees with the clock, as phones write it."""
    matrix = {
        90: (0, 1, -1, 0),
        180: (-1, 0, 0, -1),
        270: (0, -1, 1, 0),
    }[degrees]
    a, b, c, d = ((number * 65536).to_bytes(4, signed=True) for number in matrix)
    at = mp4.index(b"tkhd") - 4 + 8 + 4 + 36
    return mp4[:at] + a + b + bytes(4) + c + d + mp4[at + 20 :]


def seconds_of(body: bytes) -> tuple[list[float], float, list[str]]:
    """Decode a film to its end: when its pictures are shown, how long it sounds, and its codecs."""
    with av.open(io.BytesIO(body), "r") as found:
        shown = [float(frame.time) for frame in found.decode(video=0)]
        names = [stream.codec_context.name for stream in found.streams]
    with av.open(io.BytesIO(body), "r") as found:
        frames = found.decode(audio=0) if found.streams.audio else ()
        heard = float(sum(frame.samples / frame.sample_rate for frame in frames))
    return shown, heard, names


def image(frame: VideoFrame) -> Image.Image:
    """Return a frame as a picture."""
    found: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV has no types for it
    return found


def _drawn(size: tuple[int, int], colour: str, part: float) -> Image.Image:
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    # Something in a corner, so that one sees which way is up, and something that moves.
    draw.rectangle((0, 0, size[0] // 4, size[1] // 4), "white")
    draw.ellipse((part * size[0] * 0.8, size[1] * 0.5, part * size[0] * 0.8 + 40, size[1] * 0.5 + 40), "black")
    return image


def _hum(stream: "AudioStream", seconds: float) -> list[Any]:
    packets: list[Any] = []
    at, step = 0, 1024
    while at < seconds * HZ:
        frame = AudioFrame("s16", "stereo", step)
        frame.sample_rate, frame.pts, frame.time_base = HZ, at, Fraction(1, HZ)
        wave = b"".join(((number % 200) * 40 - 4000).to_bytes(2, "little", signed=True) * 2 for number in range(step))
        for plane in frame.planes:
            plane.update(wave[: plane.buffer_size].ljust(plane.buffer_size, b"\0"))
        packets += stream.encode(frame)
        at += step
    return packets + stream.encode(None)


def bright(brightness: int, *, size: tuple[int, int] = SIZE) -> bytes:
    """Return a film in HEVC of ten bits, half red and half grey, for screens of a brightness (ITU-T H.273, table 3)."""
    body = io.BytesIO()
    with av.open(body, "w", format="mov") as output:
        picture = output.add_stream("libx265", RATE, options={"x265-params": "log-level=none"})
        picture.width, picture.height = size
        picture.pix_fmt = "yuv420p10le"
        context = picture.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = brightness, 9, 9, 1
        drawn = Image.new("RGB", size, (128, 128, 128))
        drawn.paste((160, 96, 96), (0, 0, size[0] // 2, size[1]))
        for number in range(5):
            shown = VideoFrame.from_image(drawn).reformat(format="yuv420p10le")  # type: ignore[no-untyped-call]  # PyAV has no types for it
            shown.color_trc, shown.color_primaries, shown.colorspace = brightness, 9, 9
            shown.pts, shown.time_base = number, Fraction(1, RATE)
            output.mux(picture.encode(shown))
        output.mux(picture.encode(None))
    return body.getvalue()
