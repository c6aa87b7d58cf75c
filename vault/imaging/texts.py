"""Strangers' texts, made harmless before anybody stores or shows them.

Floor 0. Knows nothing of where a text came from.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_NAME: Final = 200
"""Characters of a camera's, lens's or picture's name."""
MAX_CAPTION: Final = 2000
"""Characters of a caption."""
MAX_KEYWORD: Final = 100
"""Characters of one keyword."""
MAX_KEYWORDS: Final = 100
"""How many keywords a picture has at most."""
MAX_KEYWORD_CHARACTERS: Final = 2000
"""Characters of all keywords of a picture together."""

# Signs that end or hide a line, or that turn the reading direction of what follows.
_UNWANTED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def cleaned(value: object, longest: int) -> str | None:
    """Make a text harmless: no control characters, single blanks, at most `longest` characters.

    Answers `None` for everything that is no text, or none after cleaning.
    """
    if isinstance(value, bytes):
        value = _decoded(value[: 8 * longest])
    if not isinstance(value, str):
        return None
    # Some writers fill the field behind a NUL with rubbish.
    text = value[: 8 * longest].lstrip("\x00").split("\x00", 1)[0]
    visible = "".join(" " if unicodedata.category(sign) in _UNWANTED else sign for sign in text)
    return " ".join(visible.split())[:longest].strip() or None


def keywords(values: Iterable[object]) -> tuple[str, ...]:
    """Make keywords harmless: each cleaned and named once, whatever its letters' size, as many as there may be."""
    found: dict[str, str] = {}
    room = MAX_KEYWORD_CHARACTERS
    for value in values:
        word = cleaned(value, MAX_KEYWORD)
        if word is None or word.casefold() in found:
            continue
        room -= len(word)
        if room < 0 or len(found) == MAX_KEYWORDS:
            break
        found[word.casefold()] = word
    return tuple(found.values())


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
