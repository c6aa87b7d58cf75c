"""Where what is known of a picture was read, and which word counts when several places speak of its date.

Floor 0. The one table behind docs/adr/0020-describing-and-parts.md.
"""

from enum import StrEnum
from typing import Final


class Source(StrEnum):
    """Where a field was read; kept in a picture's row as the plain word."""

    PERSON = "person"
    """Somebody wrote it in the vault."""
    SIDECAR = "xmp-sidecar"
    """An XMP file beside the picture: what its photographer wrote later, in a program for that."""
    EXIF = "exif"
    """The camera, at the moment of exposure."""
    EXIF_DIGITIZED = "exif-digitized"
    """The camera or scanner, at the moment of digitising."""
    XMP = "xmp"
    IPTC = "iptc"
    GPS = "gps"
    """The satellites' clock, which is late by the time since the last fix."""
    QUICKTIME = "quicktime"
    """What a phone says of a film in words, with its zone."""
    TAKEOUT = "takeout"
    """Google's list of a picture that was taken out of its service."""
    EXIF_CHANGED = "exif-changed"
    """When a program last wrote the file."""
    CONTAINER = "container"
    """The clock of a film's container: without a zone, and often a program's instead of the camera's."""
    FILE_NAME = "file-name"
    FILE_TIME = "file-time"
    """When the sender's folder says that the file was changed."""


DATES: Final = tuple(Source)
"""Whose date counts, the most trusted first. An impossible date is no date, and the next one is asked."""

TEXTS: Final = (Source.PERSON, Source.SIDECAR, Source.XMP, Source.IPTC, Source.EXIF, Source.QUICKTIME, Source.TAKEOUT)
"""Whose title, caption, keywords, rating and place count. Of one file, XMP is what programs write today."""


def prefers(order: tuple[Source, ...], one: str, other: str | None) -> bool:
    """Whether the word of `one` counts before that of `other`; one that is not in the order counts last."""
    return _rank(order, one) < _rank(order, other)


def _rank(order: tuple[Source, ...], source: str | None) -> int:
    return order.index(Source(source)) if source in order else len(order)
