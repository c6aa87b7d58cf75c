"""Google's Takeout: which list belongs to which file of a folder, and what a folder of it is.

Floor 0: knows names and what Takeout does to them. Every picture comes with a JSON file that speaks of it, and whose
name was made from the picture's by rules that nobody wrote down: cut short, numbered elsewhere, missing for edited
pictures and for the moving half of a live photo. Folders are named in the person's language.
"""

import json
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

LIST = ".json"
SUPPLEMENT = ".supplemental-metadata"
# Takeout cuts names at 46 or 47 characters; what is shorter than this was not cut.
SHORTEST_CUT, LONGEST_CUT = 40, 60
UNNUMBERED = -1
# Of lists whose names differ in nothing but case so many are looked at: no picture has more.
MOST_ALIKE = 8
# What a picture that was edited is called, in the languages that were seen.
EDITED = (
    *("edited", "bearbeitet", "modifié", "modifie", "retouché", "editado", "editada", "editat", "modificato"),
    *("modificata", "bewerkt", "edytowane", "redigerad", "redigeret", "redigert", "muokattu", "upraveno", "upravené"),
    *("szerkesztve", "szerkesztett", "düzenlendi", "отредактировано", "изменено", "змінено", "επεξεργασμένο"),
    *("编辑", "编辑后", "已修改", "已編輯", "編集済み", "수정됨", "נערך", "معدل", "đã chỉnh sửa", "diedit"),
)
MOVING = frozenset({"mp4", "mov", "mp", "mv", "m4v", "3gp"})
STILL = frozenset({"jpg", "jpeg", "heic", "heif", "png", "gif", "webp", "avif", "dng", "tif", "tiff", "bmp", "raw"})
OF_A_PICTURE = ("photoTakenTime", "geoData", "geoDataExif", "imageViews")
_NUMBER = re.compile(r"(.*)\((\d{1,4})\)", re.DOTALL)
_YEAR = r"(?:18|19|20)\d\d"
_OF_YEAR = (
    r"(?:photos?|fotos?|foto['’]s|foton|fotky|fotografie|fotografii|zdjęcia|bilder|billeder|kuvat|valokuvat|"
    r"φωτογραφίες|фото|фотографии|фотографії|снимки|poze|fotografije|slike|ảnh)"
)
BY_DATE = re.compile(
    rf"{_OF_YEAR} (?:\S+ ){{0,2}}{_YEAR}(?: \S+)?|{_YEAR}.{{0,14}}(?:写真|照片|相片|사진|fotók|képek|fotoğraf\w*)"
    rf"|{_YEAR}-\d\d-\d\d(?:-\d\d)?(?: ?#\d+)?"
)
_TRASHED = re.compile(rb'"trashed"\s*:\s*true')


def match(names: Iterable[str], title_of: Callable[[str], str | None]) -> dict[str, str]:
    """Say for the files of one folder which list belongs to each: {file: list}, for those that have one.

    `title_of` returns the title that a list gives, and is asked only for those that no name leads to.
    """
    lists, files = _Lists(), []
    for name in names:
        if name.lower().endswith(LIST):
            lists.add(name)
        else:
            files.append(name)
    found: dict[str, str] = {}
    for way in (lists.by_name, lists.by_title(title_of), lists.by_cut_name, lists.of_edited, lists.by_stem):
        for name in [name for name in files if name not in found]:
            chosen = way(name)
            if chosen is not None:
                found[name] = chosen
        lists.used.update(found.values())
    return found


def is_by_date(folder: str) -> bool:
    """Whether a folder only sorts pictures by when they were taken, like "Photos from 2019", and is no album."""
    return BY_DATE.fullmatch(_folded(folder)) is not None


def album_title(body: bytes) -> str | None:
    """Return the title where a list is about an album; it may be empty. None for any other."""
    said = _said(body)
    if isinstance(said.get("albumData"), dict):
        said = said["albumData"]
    title = said.get("title")
    if not isinstance(title, str) or any(name in said for name in OF_A_PICTURE):
        return None
    return title.strip() if "date" in said or "access" in said or "description" in said else None


def is_of_a_picture(body: bytes) -> bool:
    """Whether a list is about a picture or video."""
    return any(name in _said(body) for name in OF_A_PICTURE)


def picture_title(body: bytes) -> str | None:
    """Return what a list calls its picture; None for a list that is about none."""
    said = _said(body)
    title = said.get("title")
    return title if isinstance(title, str) and any(name in said for name in OF_A_PICTURE) else None


def is_trashed(body: bytes) -> bool:
    """Whether a list says that its picture lay in the trash there."""
    return _TRASHED.search(body) is not None


class _Lists:
    """The lists of a folder, by all that may lead to one.

    The number of a file, `IMG(1).jpg`, stands elsewhere in the name of its list: `IMG.jpg(1).json`.
    """

    def __init__(self) -> None:
        self.used: set[str] = set()
        self._names: list[str] = []
        self._by_key = _Index()
        self._by_stem = _Index()

    def add(self, name: str) -> None:
        """Take up one more."""
        self._names.append(name)
        whole = name[: -len(LIST)]
        for key, number in dict.fromkeys([_numbered(whole), (whole, 0)]):
            self._by_key.add(key, number, name)
            stem, extension = _split(_without_supplement(key))
            if extension.lower() in STILL | MOVING:
                self._by_stem.add(stem, number, name)

    def by_name(self, name: str) -> str | None:
        """Find the list that is named for a file, with or without what newer archives add, however much of it."""
        for spelling, number in _spellings(name):
            for length in range(len(SUPPLEMENT), -1, -1):
                found = self._by_key.find(spelling + SUPPLEMENT[:length], number)
                if found:
                    return found[0]
        return None

    def by_title(self, title_of: Callable[[str], str | None]) -> Callable[[str], str | None]:
        """Return what finds the list whose title is a file's name, where characters were replaced or cut off."""
        titles: _Titles | None = None

        def find(name: str) -> str | None:
            nonlocal titles
            if titles is None:
                unused = [each for each in self._names if each not in self.used]
                titles = _Titles([(title, each) for each in unused if (title := title_of(each))])
            return titles.find(name)

        return find

    def by_cut_name(self, name: str) -> str | None:
        """Find the list whose own name ends in the middle of a long file name."""
        for spelling, number in reversed(_spellings(name)):
            for length in range(min(len(spelling) - 1, LONGEST_CUT), SHORTEST_CUT - 1, -1):
                found = self._by_key.find(spelling[:length], number)
                if found:
                    return found[0]
        return None

    def of_edited(self, name: str) -> str | None:
        """Find the list of the picture that an edited one was made of."""
        stem, extension = _split(name)
        stem, number = _numbered(stem)
        base = _unedited(stem)
        if base is None:
            return None
        first = f"{base}({number}).{extension}" if number else f"{base}.{extension}"
        others = self._by_stem.find(base, number)
        return self.by_name(first) or self.by_cut_name(first) or (others[0] if others else None)

    def by_stem(self, name: str) -> str | None:
        """Find the list of the same name with another extension: a live photo's still, or what was converted."""
        for spelling, number in _spellings(name):
            stem, extension = _split(spelling)
            moves = extension.lower() in MOVING
            found = self._by_stem.find(stem, number)
            if moves:
                found = found + self._by_stem.find(spelling, number)
            # A still shares no list with another still: they are two pictures, and one has lost its own.
            free = [each for each in found if moves or each not in self.used]
            if free:
                return free[0]
        return None


class _Index:
    """Lists by a word and a number: first those that are spelt the same, then those that differ in case alone."""

    def __init__(self) -> None:
        self._spelt: dict[tuple[str, int], list[str]] = {}
        self._folded: dict[tuple[str, int], list[str]] = {}

    def add(self, word: str, number: int, name: str) -> None:
        """Take up a list, unless there are enough of its kind: nothing here may grow with how many are alike."""
        for index, key in ((self._spelt, _composed(word)), (self._folded, _folded(word))):
            alike = index.setdefault((key, number), [])
            if len(alike) < MOST_ALIKE:
                alike.append(name)

    def find(self, word: str, number: int) -> list[str]:
        """Return the lists, the best first."""
        folded = self._folded.get((_folded(word), number))
        if not folded:
            return []
        return list(dict.fromkeys([*self._spelt.get((_composed(word), number), []), *folded]))


class _Titles:
    """Lists by the titles they give, as far as those were kept when the files were named for them."""

    def __init__(self, titled: list[tuple[str, str]]) -> None:
        self._lists: dict[tuple[int, str], str] = {}
        for title, name in titled:
            number, plain = _numbered(name[: -len(LIST)])[1], _plain(title)
            # Two long names that are cut to the same one are numbered, though no file is.
            for key in ((number, plain), (number, _plain(_split(title)[0])), (UNNUMBERED, plain)):
                self._lists.setdefault(key, name)
        self._keys = sorted(self._lists)

    def find(self, name: str) -> str | None:
        """Find the list for a file."""
        keys = [(UNNUMBERED, _plain(name))]
        for spelling, number in _spellings(name):
            keys += [(number, _plain(spelling)), (number, _plain(_split(spelling)[0]))]
        found = next((self._lists[key] for key in keys if key in self._lists), None)
        return found or (self._longer(keys[-1]) if len(name) >= SHORTEST_CUT else None)

    def _longer(self, key: tuple[int, str]) -> str | None:
        at = bisect_left(self._keys, key)
        if at < len(self._keys) and self._keys[at][0] == key[0] and self._keys[at][1].startswith(key[1]):
            return self._lists[self._keys[at]]
        return None


def _spellings(name: str) -> list[tuple[str, int]]:
    """Return what a list may call a file: by its whole name, or without the number before its extension."""
    stem, extension = _split(name)
    base, number = _numbered(stem)
    dotted = f".{extension}" if extension else ""
    return [(name, 0)] if number == 0 else [(name, 0), (f"{base}{dotted}", number)]


def _numbered(stem: str) -> tuple[str, int]:
    found = _NUMBER.fullmatch(stem)
    return (found[1], int(found[2])) if found else (stem, 0)


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    return (stem, extension) if dot and stem else (name, "")


def _without_supplement(key: str) -> str:
    for length in range(len(SUPPLEMENT), 0, -1):
        if key.lower().endswith(SUPPLEMENT[:length]):
            return key[:-length]
    return key


def _unedited(stem: str) -> str | None:
    """Return what a name was before it was edited; None for one that does not say so."""
    base, dash, mark = unicodedata.normalize("NFC", stem).rpartition("-")
    said = mark.casefold()
    if not dash or not base:
        return None
    is_cut = len(stem) >= SHORTEST_CUT and bool(said)
    if any(said.startswith(word) if said == word else is_cut and word.startswith(said) for word in EDITED):
        return base
    # Chinese and Japanese say it in brackets as well.
    return base if re.fullmatch(r"(?:编辑|編集)?[((](?:已修改|已編輯|編集済み)[))]", mark) else None


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _folded(text: str) -> str:
    return _composed(text).casefold()


def _plain(text: str) -> str:
    return re.sub(r"[^\w.]", "_", _folded(text))


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
