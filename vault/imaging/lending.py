"""What a parent and its zygote say to each other of a child: its limits, and what became of it.

Floor 0. Apart from the zygote, so that no parent loads the decoders only to speak of them.
"""

from dataclasses import dataclass
from typing import Final

from vault.imaging.confine import MAX_OUTPUT_BYTES

READY: Final = b'{"ready": true}\n'
"""What a zygote says when it has loaded everything."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one child: address space in bytes, processor and wall time in seconds, pixels, frames.

    `output_bytes` bounds each file that it writes; `niceness` is how much it lets other processes go before.
    """

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: float
    max_pixels: int
    max_frames: int
    output_bytes: int = MAX_OUTPUT_BYTES
    niceness: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What the zygote reports of a child: its line, the signal that ended it, its greatest memory in bytes."""

    answer: str
    signal: int
    is_timed_out: bool
    peak_memory_bytes: int
