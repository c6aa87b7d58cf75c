"""The still pictures of a video: one telling moment, upright, as preview, thumb and placeholder.

Floor 0. Only for the child of `vault.imaging.sandbox`, where the extra `video` is installed. Knows no paths.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from typing import BinaryIO, Final, NamedTuple

import av
from av.video.frame import VideoFrame
from PIL import Image, ImageStat

from vault.imaging import filmtags
from vault.imaging.containers import Tracks, Window, opened, pixel_ratio, seconds_of, words
from vault.imaging.filmcolour import Screen
from vault.imaging.identify import Kind
from vault.imaging.refusals import Reason, Refused
from vault.imaging.render import PREVIEW, TARGETS, Rendered, Variant, encode, placeholder_of, refusing
from vault.imaging.scaling import fit, shrink

TURNS: Final = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
"""What brings a frame upright, by how many degrees it wants to be turned, against the clock."""

_ALL: Final = 1 << 62
# A tenth of the way in, but not so far that one would not remember it as the beginning; then farther, then nearer.
_MOMENTS: Final = ((0.1, 5.0), (0.3, 30.0), (0.5, 120.0))
_DULL_DEVIATION: Final = 12.0
_LOOKED_THROUGH_FRAMES: Final = 150
_LOOK_EVERY_FRAMES: Final = 30
# Of processor time; the best that was seen by then is taken.
_CHOOSING_SECONDS: Final = 8.0
_MOST_BROKEN_PACKETS: Final = 200


class _Still(NamedTuple):
    """A frame, upright at the preview's size, its true size, and how much its brightness varies, up to 128."""

    picture: Image.Image
    size: tuple[int, int]
    deviation: float

    @property
    def is_dull(self) -> bool:
        """Whether it shows next to nothing: the black before a film, a wall, a pocket."""
        return self.deviation < _DULL_DEVIATION


def render(source: BinaryIO, kind: Kind, sinks: Mapping[str, BinaryIO], *, max_pixels: int) -> Rendered:
    """Make all `TARGETS` of one video into `sinks` by name, and the placeholder.

    Raises `Refused` whatever is wrong with the video, and `OSError` when a sink cannot be written.
    """
    with refusing():
        with opened(Window(source, 0, _ALL), kind) as tracks:
            _require_size(tracks, max_pixels)
            seconds, facts = seconds_of(tracks), filmtags.read(words(tracks))
            best = _choose(tracks, _sought(tracks, seconds), max_pixels)
        if best is None or best.is_dull:
            # Opened anew: not every container finds back to its beginning.
            with opened(Window(source, 0, _ALL), kind) as tracks:
                best = _choose(tracks, _looked_through(tracks), max_pixels, best)
        if best is None:
            raise Refused(Reason.DAMAGED)
        picture = best.picture
        encoded: list[tuple[Variant, bytes]] = []
        for target in TARGETS:
            picture = shrink(picture, target.long_edge_px)
            body = encode(picture, target.quality)
            encoded.append((Variant(target.name, *picture.size, len(body)), body))
        placeholder = placeholder_of(picture)
    for variant, body in encoded:
        sinks[variant.name].write(body)
    variants = tuple(variant for variant, _ in encoded)
    return Rendered(kind, *best.size, 1, variants, placeholder, facts, duration_seconds=seconds)


def frames(tracks: Tracks) -> Iterator[VideoFrame]:
    """Decode the pictures from where the container stands, passing over what is broken. Raises what PyAV raises."""
    broken = 0
    for packet in tracks.container.demux(tracks.picture):
        try:
            decoded = packet.decode()
        except av.error.InvalidDataError:
            broken += 1
            if broken > _MOST_BROKEN_PACKETS:
                raise
            continue
        for frame in decoded:
            if isinstance(frame, VideoFrame):
                yield frame


def shown_size(frame: VideoFrame, ratio: Fraction, max_pixels: int) -> tuple[int, int]:
    """Return a frame's size with square pixels, before it is turned. Raises `Refused` for one that is too large."""
    size = max(1, round(frame.width * ratio)), frame.height
    if max(size[0] * size[1], frame.width * frame.height) > max_pixels:
        raise Refused(Reason.TOO_MANY_PIXELS)
    return size


def turn_of(frame: VideoFrame) -> int:
    """Return by how many degrees a frame is turned against the clock to stand upright: 0, 90, 180 or 270."""
    return round(frame.rotation / 90) % 4 * 90


def _require_size(tracks: Tracks, max_pixels: int) -> None:
    """Refuse what is too large before anything is decoded, where the container says how large it is."""
    context = tracks.picture.codec_context
    if context.width * context.height > max_pixels:
        raise Refused(Reason.TOO_MANY_PIXELS)


def _choose(
    tracks: Tracks, candidates: Iterator[VideoFrame], max_pixels: int, best: _Still | None = None
) -> _Still | None:
    """Take the first frame that shows something, or the one that shows most."""
    ratio, until = pixel_ratio(tracks.picture), time.process_time() + _CHOOSING_SECONDS
    for frame in candidates:
        still = _drawn(frame, ratio, max_pixels)
        if best is None or still.deviation > best.deviation:
            best = still
        if not best.is_dull or time.process_time() > until:
            break
    return best


def _sought(tracks: Tracks, seconds: float) -> Iterator[VideoFrame]:
    start = (tracks.container.start_time or 0) / av.time_base
    for part, at_most in _MOMENTS:
        with suppress(av.error.FFmpegError):
            tracks.container.seek(round((start + min(part * seconds, at_most)) * av.time_base))
            found = next(frames(tracks), None)
            if found is not None:
                yield found


def _looked_through(tracks: Tracks) -> Iterator[VideoFrame]:
    with suppress(av.error.FFmpegError):
        for number, frame in enumerate(frames(tracks)):
            if number % _LOOK_EVERY_FRAMES == 0:
                yield frame
            if number >= _LOOKED_THROUGH_FRAMES:
                break


def _drawn(frame: VideoFrame, ratio: Fraction, max_pixels: int) -> _Still:
    size = shown_size(frame, ratio, max_pixels)
    picture = Screen().picture(frame, fit(size, PREVIEW.long_edge_px))
    turn = turn_of(frame)
    if turn in TURNS:
        picture = picture.transpose(TURNS[turn])
    deviation = ImageStat.Stat(picture.convert("L")).stddev[0]
    return _Still(picture, size if turn % 180 == 0 else size[::-1], deviation)
