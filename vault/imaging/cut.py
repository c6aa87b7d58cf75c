"""Cutting metadata out of a file without touching its pixels, and without a decoder.

Floor 0. Safe on strangers' bytes in any process: plain reading, bounded everywhere. What is not understood is never
handed out uncut: `Uncuttable` says so, and then the file has to be made anew (`vault.imaging.remake`).
"""

from collections.abc import Callable
from typing import BinaryIO, Final

from vault.imaging import cut_gif, cut_jpeg, cut_png, cut_webp
from vault.imaging.cuts import Cut, Rule, Source, Uncuttable
from vault.imaging.identify import GIF, JPEG, PNG, WEBP, Kind

__all__ = ["CUT_VERSION", "Cut", "Rule", "Uncuttable", "cut"]

CUT_VERSION: Final = 2
"""Goes up whenever the same file would be cut into other bytes; part of their ETag."""

_CUTTERS: Final[dict[Kind, Callable[[Source, Rule], Cut]]] = {
    JPEG: cut_jpeg.cut,
    PNG: cut_png.cut,
    WEBP: cut_webp.cut,
    GIF: cut_gif.cut,
}


def cut(file: BinaryIO, kind: Kind, rule: Rule) -> Cut:
    """Return which parts of an open file stay under a rule, and what is written anew between them.

    The pixels, their colour profile and which way up they are stay. Of the rest "all" keeps nothing; "location" keeps
    camera, exposure, dates, author and description, in EXIF of our own writing. The same file gives the same cut.
    Moves the position of `file`. Raises `Uncuttable`, and `OSError` when it cannot be read.
    """
    cutter = _CUTTERS.get(kind)
    if cutter is None:
        raise Uncuttable("a kind of file that is not cut")
    return cutter(Source(file, window_bytes=cut_gif.WINDOW_BYTES if kind == GIF else 4096), rule)
