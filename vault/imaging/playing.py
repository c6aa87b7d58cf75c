"""What is asked for when a video shall be made playable, and what came of it.

Floor 0. Knows no decoder: the words that the parent and the child of `vault.imaging.sandbox` exchange.
"""

from dataclasses import dataclass
from typing import Final

PLAYBACK_VERSION: Final = 1
"""Goes up whenever the same original would give another rendition."""
LONG_EDGE_PX: Final = 1920
SHORT_EDGE_PX: Final = 1080
"""No rendition is larger than that, however it is held."""
LONGEST_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Play:
    """An order: the film that begins `offset` bytes into a file and has `length` bytes, for browsers to play."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Played:
    """A rendition that was made: its upright size in pixels, how long it plays, whether its pictures were copied."""

    width: int
    height: int
    duration_seconds: float
    size_bytes: int
    is_copy: bool


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """Return the even size at which an upright picture is no larger than a rendition may be."""
    scale = min(1.0, LONG_EDGE_PX / max(size), SHORT_EDGE_PX / min(size))
    width, height = (max(2, round(side * scale / 2) * 2) for side in size)
    return width, height
