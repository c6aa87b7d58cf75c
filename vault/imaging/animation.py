"""A picture that moves, kept moving: its frames as one WebP, as long as that stays small and quick to make.

Floor 0. Meant for the child of `vault.imaging.sandbox`. Whatever is above a limit here is shown by its first frame.
"""

import resource
import time
from collections.abc import Callable
from io import BytesIO
from typing import Final

from PIL import Image

from vault.imaging.original import Original

MOST_FRAMES: Final = 600
MOST_PIXELS: Final = 80_000_000
"""Width times height times frames of the original."""
LONGEST_SECONDS: Final = 60.0
MOST_BYTES: Final = 10 * 1024 * 1024
# Of the processor's time, and at most this part of what a child has: the still pictures need some too.
_BUSY_SECONDS: Final = 10.0
_BUSY_PART: Final = 1 / 3
# What browsers do with frames that claim to last no time.
_HASTY_MS, _PATIENT_MS = 10, 100
_MOST_REPEATS: Final = 65_535
# How many frames may refer to the ones before them: fewer bytes, and still quick to begin anywhere.
_KEY_FRAMES: Final = {"kmin": 9, "kmax": 17}


class _TooMuch(Exception):
    """It takes too long to make, or to watch."""


def moving(original: Original, prepare: Callable[[Image.Image], Image.Image], *, quality: int, method: int) -> bytes:
    """Return the frames of an open original as a bare moving WebP; b"" where it does not move, or not within limits.

    `prepare` makes of each frame what is shown of it, all of one size.
    """
    image, width, height = original.image, *original.size
    if not 1 < original.frame_count <= MOST_FRAMES or width * height * original.frame_count > MOST_PIXELS:
        return b""
    # Some PNG hide a picture before the first frame, for those who cannot play.
    first = 1 if image.info.get("default_image") else 0
    if original.frame_count - first < 2:
        return b""
    reel = _Reel(image, prepare, first, original.frame_count)
    body = BytesIO()
    try:
        reel.save(
            body,
            "WEBP",
            save_all=True,
            duration=reel.durations_ms,
            loop=_repeats(image),
            quality=quality,
            method=method,
            background=(0, 0, 0, 0),
            **_KEY_FRAMES,
        )
    except _TooMuch:
        return b""
    return body.getvalue() if body.tell() <= MOST_BYTES else b""


def _repeats(image: Image.Image) -> int:
    """How often it plays, 0 for ever. A GIF counts what follows the first time, and says nothing for once."""
    loop = image.info.get("loop", None if image.format == "GIF" else 0)
    if not isinstance(loop, int):
        return 1
    again = 1 if image.format == "GIF" and loop else 0
    return min(max(0, loop) + again, _MOST_REPEATS)


def _seconds() -> float:
    allowed, _ = resource.getrlimit(resource.RLIMIT_CPU)
    return _BUSY_SECONDS if allowed == resource.RLIM_INFINITY else min(_BUSY_SECONDS, allowed * _BUSY_PART)


class _Reel(Image.Image):
    """Frames of an open file, decoded when Pillow asks for them: all at once would not fit into memory.

    `durations_ms` grows with them: Pillow looks up how long a frame lasts only after it has taken it.
    """

    def __init__(
        self, source: Image.Image, prepare: Callable[[Image.Image], Image.Image], first: int, frame_count: int
    ) -> None:
        super().__init__()
        self._source, self._prepare, self._first = source, prepare, first
        self._until = time.process_time() + _seconds()
        self.n_frames = frame_count - first
        self.durations_ms: list[int] = []
        self._shown = -1
        self._show(0)

    def tell(self) -> int:
        return 0

    def seek(self, frame: int) -> None:
        """Make one frame the picture. Raises _TooMuch."""
        if len(self.durations_ms) == self.n_frames:
            return  # Pillow rewinds at the end, and looks no more
        if frame != self._shown:
            self._show(frame)
        length = self._source.info.get("duration", _PATIENT_MS)
        length = round(length) if isinstance(length, int | float) else _PATIENT_MS
        self.durations_ms.append(length if length > _HASTY_MS else _PATIENT_MS)
        if sum(self.durations_ms) > LONGEST_SECONDS * 1000 or time.process_time() > self._until:
            raise _TooMuch

    def _show(self, frame: int) -> None:
        self._source.seek(self._first + frame)
        self._source.load()
        picture = self._prepare(self._source)
        self.im, self._mode, self._size = picture.im, picture.mode, picture.size
        self._shown = frame
