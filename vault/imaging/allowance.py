"""What a vault allows for one picture, made into a sandbox: the one place that turns settings into limits.

Floor 0. Knows the names of settings, nothing of where they come from.
"""

from typing import Final, Protocol

from vault.imaging.sandbox import Sandbox

# A child that waits for a processor lives longer than it works.
_WALL_CLOCK_FACTOR: Final = 1.5


class Allowance(Protocol):
    """The settings that bound the opening of one picture: bytes, seconds of a processor, pixels, frames."""

    @property
    def decoder_memory_bytes(self) -> int: ...
    @property
    def decoder_seconds(self) -> int: ...
    @property
    def max_pixels(self) -> int: ...
    @property
    def max_frames(self) -> int: ...


def sandbox_for_pictures(allowed: Allowance, *, most_memory_bytes: int | None = None, niceness: int = 0) -> Sandbox:
    """Return a sandbox with the limits of the settings; `most_memory_bytes` may be less than they allow."""
    memory_bytes = allowed.decoder_memory_bytes
    return Sandbox(
        memory_bytes=memory_bytes if most_memory_bytes is None else min(memory_bytes, most_memory_bytes),
        cpu_seconds=allowed.decoder_seconds,
        wall_seconds=allowed.decoder_seconds * _WALL_CLOCK_FACTOR,
        max_pixels=allowed.max_pixels,
        max_frames=allowed.max_frames,
        niceness=niceness,
    )
