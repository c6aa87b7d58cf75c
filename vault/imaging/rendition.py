"""The copy of a video that browsers play: H.264 and AAC in an MP4 that begins at once, without a word of metadata.

Floor 0. Only for the child of `vault.imaging.sandbox`, where the extra `video` is installed. Streams that browsers play
are copied, others written anew.
"""

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import av
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from vault.imaging import boxes
from vault.imaging.containers import Tracks, Window, opened, pixel_ratio, seconds_of
from vault.imaging.film import frames, shown_size, turn_of
from vault.imaging.identify import Kind
from vault.imaging.playing import LONG_EDGE_PX, SHORT_EDGE_PX, Play, Played, fitted
from vault.imaging.refusals import Reason, Refused
from vault.imaging.render import refusing
from vault.imaging.rewriting import PictureWriter, SoundWriter

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_COPIED_FROM: Final = frozenset({"MP4", "MOV", "3GP", "MKV"})
_PLAYED_PROFILES: Final = frozenset(
    {"Constrained Baseline", "Baseline", "Main", "High", "Progressive High", "Constrained High"}
)
_PLAYED_FORMATS: Final = frozenset({"yuv420p", "yuvj420p"})
_PLAYED_SOUND: Final = frozenset({"aac", "mp3", "mp3float"})
_PROGRESSIVE: Final = frozenset({0, 1})
# Above this a phone's connection stalls; a smaller copy is worth its making.
_MOST_COPIED_BITS_PER_SECOND: Final = 25_000_000
# 1088 is what 1080 lines are in whole blocks.
_BLOCK_PX: Final = 16
_MUXER: Final = {"movflags": "+faststart", "fflags": "+bitexact"}
# Cameras hide places and times in the messages between pictures, too; no picture needs them.
_NO_MESSAGES: Final = "filter_units=remove_types=6"
_ODD_PACKETS: Final = (av.error.InvalidDataError, av.error.ArgumentError)


class _Reading(io.RawIOBase):
    """What was written so far, read back: that is how the index comes to stand before the pictures."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = os.fstat(self._descriptor).st_size
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: end}[whence] + offset
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        part = os.pread(self._descriptor, len(view), self._at)
        view[: len(part)] = part
        self._at += len(part)
        return len(part)


def play(source: BinaryIO, kind: Kind, sink: BinaryIO, order: Play, *, max_pixels: int) -> Played:
    """Make what browsers play of a video into `sink`, whose descriptor may be read, too.

    Raises `Refused` whatever is wrong with the video, and `OSError` when the sink cannot be written.
    """
    with refusing():
        with opened(Window(source, order.offset, order.length), kind) as tracks:
            size, turn = _size(tracks, max_pixels)
            seconds = seconds_of(tracks)
            is_copy = _plays(tracks, kind, size, order.length / seconds * 8)
        upright = made = size if turn % 180 == 0 else size[::-1]
        if is_copy:
            try:
                _write_anew(source, kind, sink, order, None, turn)
            except _Uncopyable:
                is_copy = False
        if not is_copy:
            made = fitted(upright)
            _write_anew(source, kind, sink, order, made, turn)
        sink.flush()
        written = os.fstat(sink.fileno()).st_size
        boxes.silence(sink, written)
    return Played(*made, seconds, written, is_copy)


def _size(tracks: Tracks, max_pixels: int) -> tuple[tuple[int, int], int]:
    """Look at the first frame: its size with square pixels, and how it wants to be turned."""
    frame = next(frames(tracks), None)
    if frame is None:
        raise Refused(Reason.DAMAGED)
    return shown_size(frame, pixel_ratio(tracks.picture), max_pixels), turn_of(frame)


def _plays(tracks: Tracks, kind: Kind, size: tuple[int, int], bits_per_second: float) -> bool:
    """Whether browsers play the pictures as they are."""
    context = tracks.picture.codec_context
    return (
        kind.format in _COPIED_FROM
        and context.name == "h264"
        and context.profile in _PLAYED_PROFILES
        and context.pix_fmt in _PLAYED_FORMATS
        and context.field_order in _PROGRESSIVE
        and bool(context.extradata)
        and pixel_ratio(tracks.picture) == 1
        and max(size) <= LONG_EDGE_PX
        and min(size) <= SHORT_EDGE_PX + _BLOCK_PX
        and bits_per_second <= _MOST_COPIED_BITS_PER_SECOND
    )


def _write_anew(  # noqa: PLR0917 - one step of `play`
    source: BinaryIO, kind: Kind, sink: BinaryIO, order: Play, size: tuple[int, int] | None, turn: int
) -> None:
    """Open the film once more, as not every container finds back to its beginning, and write from the start."""
    sink.seek(0)
    sink.truncate()
    with opened(Window(source, order.offset, order.length), kind) as tracks:
        _write(tracks, sink, size, turn)


def _write(tracks: Tracks, sink: BinaryIO, size: tuple[int, int] | None, turn: int) -> None:
    """Write pictures of a size, or copy them where there is none; and the sound."""
    output = av.open(sink, "w", format="mp4", options=dict(_MUXER), io_open=lambda *_asked: _Reading(sink.fileno()))
    start = Fraction(tracks.container.start_time or 0, av.time_base)
    picture: _Copier | PictureWriter = (
        _Copier(output, tracks.picture, _NO_MESSAGES)
        if size is None
        else PictureWriter(output, tracks, size, turn, start)
    )
    ways: dict[Stream, _Copier | PictureWriter | SoundWriter] = {tracks.picture: picture}
    sound = tracks.sound
    if sound is not None:
        is_played = sound.codec_context.name in _PLAYED_SOUND and bool(sound.codec_context.extradata or size is None)
        ways[sound] = _Copier(output, sound, None) if is_played and size is None else SoundWriter(output, start)
    for packet in _packets(tracks, list(ways)):
        with suppress(*_ODD_PACKETS):
            ways[packet.stream].take(packet)
    for way in ways.values():
        with suppress(*_ODD_PACKETS):
            way.finish()
    output.close()


def _packets(tracks: Tracks, streams: list[Stream]) -> "Iterator[Packet[Any]]":
    for packet in tracks.container.demux(*streams):
        # The last one of each stream is empty and only says that there are no more.
        if packet.size:
            yield packet


class _Uncopyable(Exception):
    """Packets that do not say when they are to be decoded: they can be decoded, but not carried over."""


class _Copier:
    """Carries the packets of a stream over as they are, or through a filter that takes something out."""

    def __init__(self, output: OutputContainer, stream: Stream, description: str | None) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        self._filter = BitStreamFilterContext(description, stream, self._stream) if description else None

    def take(self, packet: "Packet[Any]") -> None:
        if packet.dts is None:
            raise _Uncopyable
        for each in self._filter.filter(packet) if self._filter else [packet]:
            each.stream = self._stream
            self._output.mux(each)

    def finish(self) -> None:
        if self._filter is not None:
            for each in self._filter.filter(None):
                each.stream = self._stream
                self._output.mux(each)
