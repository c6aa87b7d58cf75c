"""A stranger's video, opened: one demuxer over one lent file, and no other way into the world.

Floor 0. Only for the child of `vault.imaging.sandbox`, where the extra `video` is installed. Threads are forbidden
there, so every decoder is told to use none.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, NoReturn

import av
from av.audio.stream import AudioStream
from av.codec.context import CodecContext, ThreadType
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vault.imaging.identify import Kind
from vault.imaging.playing import LONGEST_SECONDS
from vault.imaging.refusals import Reason, Refused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_DEMUXERS: Final = {
    "MP4": "mov",
    "MOV": "mov",
    "3GP": "mov",
    "WEBM": "matroska",
    "MKV": "matroska",
    "AVI": "avi",
    "MPEG": "mpeg",
    "MPEGTS": "mpegts",
    "WMV": "asf",
}
# What cameras, phones and the programs around them write. Hundreds of decoders of old games are left alone.
PICTURE_CODECS: Final = frozenset(
    [
        "h264",
        "hevc",
        "av1",
        "libdav1d",
        "vp8",
        "libvpx",
        "vp9",
        "libvpx-vp9",
        "mpeg4",
        "mpeg2video",
        "mpeg1video",
        "mjpeg",
        "mjpegb",
        "h263",
        "h263p",
        "h261",
        "flv",
        "prores",
        "dnxhd",
        "dvvideo",
        "wmv1",
        "wmv2",
        "wmv3",
        "vc1",
        "msmpeg4",
        "msmpeg4v1",
        "msmpeg4v2",
        "svq1",
        "svq3",
        "cinepak",
        "rpza",
        "qtrle",
        "rawvideo",
        "indeo5",
        "jpeg2000",
        "huffyuv",
        "ffv1",
        "theora",
        "cfhd",
        "vvc",
        "png",
    ]
)
SOUND_CODECS: Final = frozenset(
    [
        "aac",
        "aac_latm",
        "mp3",
        "mp3float",
        "mp2",
        "mp2float",
        "mp1",
        "mp1float",
        "ac3",
        "eac3",
        "opus",
        "libopus",
        "vorbis",
        "flac",
        "alac",
        "amrnb",
        "libopencore_amrnb",
        "amrwb",
        "libopencore_amrwb",
        "wmav1",
        "wmav2",
        "wmapro",
        "wmavoice",
        "qdm2",
        "qcelp",
        "dca",
        "adpcm_ima_qt",
        "adpcm_ima_wav",
        "adpcm_ms",
        "adpcm_yamaha",
        "gsm",
        "gsm_ms",
        "mace3",
        "mace6",
        "pcm_s16le",
        "pcm_s16be",
        "pcm_s24le",
        "pcm_s24be",
        "pcm_s32le",
        "pcm_s32be",
        "pcm_f32le",
        "pcm_f32be",
        "pcm_f64le",
        "pcm_u8",
        "pcm_s8",
        "pcm_alaw",
        "pcm_mulaw",
        "pcm_bluray",
        "pcm_dvd",
    ]
)
_OPTIONS: Final = {
    "protocol_whitelist": "",
    "codec_whitelist": ",".join(sorted(PICTURE_CODECS | SOUND_CODECS)),
    "enable_drefs": "0",
    "probesize": "10000000",
    "analyzeduration": "10000000",
    # Phones write seven: pictures, sound, and a few of measurements.
    "max_streams": "64",
}
_MOST_STREAMS: Final = 64
_WIDEST_PIXEL: Final = 8


class Tracks(NamedTuple):
    """The one stream of pictures and the one of sound that count; there may be no sound."""

    container: InputContainer
    picture: VideoStream
    sound: AudioStream | None


class Window(io.RawIOBase):
    """A stretch of an open file, read as if it were the whole. Closing it does not close the file."""

    def __init__(self, file: BinaryIO, offset: int, length: int) -> None:
        super().__init__()
        self._descriptor = file.fileno()
        self._offset = offset
        self._length = max(0, min(length, os.fstat(self._descriptor).st_size - offset))
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that `seek` works."""
        return True

    def tell(self) -> int:
        """Return the present place."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place and return it. Raises `ValueError` for one before the beginning."""
        at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence] + offset
        if at < 0:
            raise ValueError("a place before the beginning")
        self._at = at
        return at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer as far as the stretch reaches."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._length - self._at))
        part = os.pread(self._descriptor, wanted, self._offset + self._at)
        view[: len(part)] = part
        self._at += len(part)
        return len(part)


@contextmanager
def opened(source: io.RawIOBase, kind: Kind) -> Iterator[Tracks]:
    """Open a video with the one demuxer of its kind. Raises `Refused` and whatever the demuxer raises."""
    # Whatever a file names is not opened, be it a playlist's part or a track kept elsewhere.
    container = av.open(
        source,
        "r",
        format=_DEMUXERS[kind.format],
        options=dict(_OPTIONS),
        metadata_errors="replace",
        io_open=_denied,
    )
    with container:
        yield _tracks(container)


def seconds_of(tracks: Tracks) -> float:
    """Return how long a video plays: what the container says or, where it says nothing, the end of its last packet.

    Raises `Refused` for one without any length.
    """
    container, picture = tracks.container, tracks.picture
    if container.duration:
        seconds = container.duration / av.time_base
    elif picture.duration and picture.time_base:
        seconds = float(picture.duration * picture.time_base)
    else:
        seconds = _counted(tracks)
    if not 0 < seconds <= LONGEST_SECONDS:
        raise Refused(Reason.DAMAGED if seconds <= 0 else Reason.TOO_LONG)
    return seconds


def words(tracks: Tracks) -> dict[str, str]:
    """Return the tags of the container, and those of its pictures that it does not have itself."""
    return {**tracks.picture.metadata, **tracks.container.metadata}


def pixel_ratio(picture: VideoStream) -> Fraction:
    """Return how wide a pixel is for its height; 1 where that is not credible."""
    ratio = picture.sample_aspect_ratio or picture.codec_context.sample_aspect_ratio
    if not ratio or not Fraction(1, _WIDEST_PIXEL) <= ratio <= _WIDEST_PIXEL:
        return Fraction(1)
    return ratio


def _denied(url: str, *_said: object) -> NoReturn:
    raise PermissionError(url)


def _tracks(container: InputContainer) -> Tracks:
    if len(container.streams) > _MOST_STREAMS:
        raise Refused(Reason.DAMAGED)
    found = container.streams.best("video")
    if not isinstance(found, VideoStream) or found.disposition & Disposition.attached_pic:
        raise Refused(Reason.NO_PICTURES)
    if _codec_of(found) not in PICTURE_CODECS:
        raise Refused(Reason.UNKNOWN_CODEC)
    sound = container.streams.best("audio", found)
    if not isinstance(sound, AudioStream) or _codec_of(sound) not in SOUND_CODECS:
        sound = None
    for stream in (found, sound):
        if stream is not None:
            stream.codec_context.thread_type = ThreadType.NONE
            stream.codec_context.thread_count = 1
    return Tracks(container, found, sound)


def _codec_of(stream: VideoStream | AudioStream) -> str | None:
    """Name the decoder of a stream. PyAV has none for what FFmpeg was built without, though it says otherwise."""
    context: CodecContext | None = stream.codec_context
    return None if context is None else context.name


def _counted(tracks: Tracks) -> float:
    first: Fraction | None = None
    last = Fraction(0)
    for packet in tracks.container.demux(tracks.picture):
        if packet.pts is None or packet.time_base is None:
            continue
        at = packet.pts * packet.time_base
        first = at if first is None else min(first, at)
        last = max(last, at + (packet.duration or 0) * packet.time_base)
    tracks.container.seek(0)
    return float(last - first) if first is not None else 0.0
