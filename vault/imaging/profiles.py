"""A colour profile as it is carried in files: whether it is one, looked at without a colour engine.

Floor 0. A profile is part of what the pixels mean, so it stays with them, but only when it is whole and nothing else.
"""

from typing import Final

_HEADER_BYTES: Final = 128


def is_profile(body: bytes) -> bool:
    """Whether these bytes are one ICC profile, from its first byte to its last (ICC.1:2022, 7.2)."""
    return len(body) >= _HEADER_BYTES and body[36:40] == b"acsp" and int.from_bytes(body[:4]) == len(body)
