"""Rows as CSV that a spreadsheet opens without running anything, and from which the very values can be had back.

Floor 0: knows values and how spreadsheets read them.
"""

import csv
import io
from collections.abc import Iterable

MEDIA_TYPE = "text/csv; charset=utf-8"
# A spreadsheet takes what begins so for a formula; the quotation mark itself, so that it can be told from ours.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "'")


def line(cells: Iterable[object]) -> str:
    """Return one line: every cell in quotes, None empty, numbers as they are.

    A text that would be a formula gets an apostrophe in front; a backslash and what cannot be seen (control and
    direction characters, line ends) are written as Python escapes.
    """
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([_cell(value) for value in cells])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and text.startswith(FORMULAS):
        text = f"'{text}"
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character.isprintable() and character != "\\":
        return character
    return character.encode("unicode_escape").decode()
