"""Names of files and folders that every system can keep, whatever somebody called them.

Floor 0: knows characters and what file systems make of them. Must not know what is in the files.
"""

import re
import unicodedata

# File systems take names of 255 bytes, and paths of 4,096 with twenty folders in them.
LONGEST_NAME, LONGEST_NAME_BYTES = 180, 240
LONGEST_FOLDER, LONGEST_FOLDER_BYTES = 100, 150
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,12}")
# What no file of Windows may be called, alone or before a dot.
DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
FORBIDDEN = frozenset('":*?<>|/\\')
# Not to be seen and still letters: Persian words and families of emoji fall apart without them.
JOINERS = "\u200c\u200d"


def file_name(text: str) -> str:
    """Return a name that every system can keep: the last part of a path, nothing invisible, not too long."""
    last = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return _bounded(_plain(last) or "picture", "", LONGEST_NAME, LONGEST_NAME_BYTES)


def folder_name(text: str) -> str:
    """Return a title as a folder that every system can keep."""
    return _bounded(_plain(text) or "album", "", LONGEST_FOLDER, LONGEST_FOLDER_BYTES)


def storable(text: str, most: int) -> str:
    """Return a text as it came, but for what no database takes: NUL, lone surrogates, and more than so much."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()[:most]


class Names:
    """The paths of one archive: no two are alike, whatever their case, so that none falls over another unpacked."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def folder(self, above: str, title: str) -> str:
        """Return the path of one more folder in another, both ending with a slash; the second of a title says (2)."""
        return self._free(above, folder_name(title), LONGEST_FOLDER, LONGEST_FOLDER_BYTES) + "/"

    def file(self, folder: str, wanted: str) -> str:
        """Return the path of one more file in a folder, which ends with a slash; the second of a name says (2)."""
        return self._free(folder, file_name(wanted), LONGEST_NAME, LONGEST_NAME_BYTES)

    def _free(self, folder: str, name: str, most: int, most_bytes: int) -> str:
        first = _alike(folder + name)
        number = self._taken.get(first, 0)
        path, alike = folder + name, first
        while alike in self._taken:
            number += 1
            path = folder + _bounded(name, f" ({number})", most, most_bytes)
            alike = _alike(path)
        self._taken[first], self._taken[alike] = max(number, 1), 1
        return path


def _plain(text: str) -> str:
    shown = (
        "_" if each in FORBIDDEN or not (each.isprintable() or each in JOINERS) else each
        for each in unicodedata.normalize("NFC", text)
    )
    return "".join(shown).strip(f" .{JOINERS}")


def _bounded(name: str, mark: str, most: int, most_bytes: int) -> str:
    """Return a plain name with a mark before its extension, shortened where it must be."""
    dot = name.rfind(".")
    extension = name[dot:] if dot > 0 and EXTENSION.fullmatch(name[dot:]) else ""
    stem = name.removesuffix(extension)
    if DEVICES.match(name):
        stem = f"_{stem}"
    stem = stem[: most - len(mark) - len(extension)]
    while len(f"{stem}{mark}{extension}".encode()) > most_bytes:
        stem = stem[:-1]
    return f"{stem.rstrip(f' .{JOINERS}')}{mark}{extension}"


def _alike(path: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
