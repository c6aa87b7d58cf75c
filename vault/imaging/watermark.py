"""A text over a whole picture, so that everybody sees for whom it was made.

Floor 0. Drawn with the font that Pillow brings along, which has few letters: others are written as a person would write
them on a foreign keyboard, and what cannot be written so becomes a box. Knows no files.
"""

import math
import textwrap
import unicodedata
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

LONGEST_TEXT: Final = 100
"""Characters of a watermark."""

_DEGREES: Final = 28
_LINE_CHARACTERS: Final = 30
# Of 255: the letters shine on dark ground, their outline holds them on bright ground.
_LETTER_OPACITY: Final = 118
_OUTLINE_OPACITY: Final = 92
_UNWRITABLE: Final = "\u25a1"
_LATIN: Final = (
    "ä=ae ö=oe ü=ue ß=ss æ=ae œ=oe ø=o ð=d þ=th ł=l đ=d ħ=h ı=i ŋ=ng "  # noqa: RUF001 - the letters are meant
    "€=EUR £=GBP ¥=JPY ‐=- ‑=- ‒=- –=- —=- −=- ´=' `='"  # noqa: RUF001 - the dashes are meant
)
_CYRILLIC: Final = (
    "а=a б=b в=v г=g ґ=g д=d е=e ё=yo є=ye ж=zh з=z и=i і=i ї=yi й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f "  # noqa: RUF001 - Cyrillic is meant
    "х=kh ц=ts ч=ch ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya ђ=dj ј=j љ=lj њ=nj ћ=c џ=dz"  # noqa: RUF001 - Cyrillic is meant
)
_GREEK: Final = "α=a β=v γ=g δ=d ε=e ζ=z η=i θ=th ι=i κ=k λ=l μ=m ν=n ξ=x ο=o π=p ρ=r σ=s ς=s τ=t υ=y φ=f χ=ch ψ=ps ω=o"  # noqa: RUF001 - Greek is meant
_WRITTEN: Final = dict(each.split("=", 1) for each in f"{_LATIN} {_CYRILLIC} {_GREEK}".split(" "))


def draw(image: Image.Image, text: str) -> None:
    """Write a text all over an RGB or RGBA picture, in place and a piece at a time."""
    size = font_px(image.size)
    letters, outline = _stamp(writable(text), size)
    step_x, step_y = letters.width + size, round(letters.height * 0.92 + size * 0.6)
    for row, y in enumerate(range(-letters.height // 3, image.height, max(1, step_y))):
        for x in range(-letters.width // 4 - (row % 2) * step_x // 2, image.width, step_x):
            box = (x, y)
            image.paste((0, 0, 0), box, outline)
            image.paste((255, 255, 255), box, letters)


def font_px(size: tuple[int, int]) -> int:
    """Return the height of the letters: readable in a small picture, not shouting in a large one."""
    return max(9, round(0.4 * math.pow(size[0] * size[1], 0.32)))


def writable(text: str) -> str:
    """Return the text in letters that the font has."""
    return "".join(_letter(sign) for sign in " ".join(text.split())[:LONGEST_TEXT])


def _letter(sign: str) -> str:
    if _is_drawn(sign) or sign == " ":
        return sign
    composed = unicodedata.normalize("NFC", sign)
    found = _WRITTEN.get(composed.lower())
    if found is None:
        # Without its accents it may be one of ours; NFKD also unfolds ligatures and wide letters.
        plain = [each for each in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(each)]
        written = "".join(each if _is_drawn(each) else _WRITTEN.get(each.lower(), _UNWRITABLE) for each in plain)
        return written[:8]
    return found.capitalize() if composed.isupper() else found


@lru_cache(1024)
def _is_drawn(sign: str) -> bool:
    """Whether the font has a picture of a sign of its own."""
    font = _font(24)
    return len(sign) == 1 and sign.isprintable() and bytes(font.getmask(sign)) != bytes(font.getmask(_UNWRITABLE))


def _stamp(text: str, size: int) -> tuple[Image.Image, Image.Image]:
    """Draw the text once, slanted, as two masks: its letters, and the fine line around them."""
    lines = textwrap.wrap(text, _LINE_CHARACTERS) or [" "]
    font, line_px, pad = _font(size), round(size * 1.25), max(2, size // 4)
    width = max(1, *(math.ceil(font.getlength(line)) for line in lines)) + 2 * pad
    masks = [Image.new("L", (width, line_px * len(lines) + 2 * pad)) for _ in range(2)]
    stroke = max(1, round(size / 22))
    for number, line in enumerate(lines):
        place = (width / 2, pad + line_px * (number + 0.5))
        letters, outline = (ImageDraw.Draw(mask) for mask in masks)
        outline.text(place, line, fill=_OUTLINE_OPACITY, font=font, anchor="mm", stroke_width=stroke)
        outline.text(place, line, fill=0, font=font, anchor="mm")
        letters.text(place, line, fill=_LETTER_OPACITY, font=font, anchor="mm")
    slanted = [mask.rotate(_DEGREES, Image.Resampling.BICUBIC, expand=True) for mask in masks]
    return slanted[0], slanted[1]


@lru_cache(8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
