"""Names that every system can keep, whatever somebody called a file or an album."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.names import DEVICES, JOINERS, Names, file_name, folder_name

RIGHT_TO_LEFT = "\u202e"
FAMILY = "👩\u200d👩\u200d👧"
# Pieces of names that file systems, shells and people stumble over.
PATHS = ["../", "..\\", "/", "CON", "nul", "COM¹", "Lpt9", ".", " ", ":", "?", "*", '"', "<", "|", "~", "-", "$"]
LETTERS = [
    "\0",
    "\n",
    RIGHT_TO_LEFT,
    "\ud800",
    FAMILY,
    "猫",
    "e\u0301",
    ".jpg",
    ".tar.gz",
    "x" * 300,
    "\u00a0",
    "\ufeff",
]
HOSTILE = st.sampled_from([*PATHS, *LETTERS])
NAMES = st.lists(HOSTILE | st.text(max_size=8), max_size=6).map("".join)

KEPT = [
    "a.jpg",
    "猫と犬.jpeg",
    f"{FAMILY}.png",
    "IMG 0001 (2).JPG",
    "no extension",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.jpg",
    "-rf.jpg",
    "~a",
]
CHANGED = [
    ("/etc/passwd", "passwd"),
    ("..\\..\\windows\\win.ini", "win.ini"),
    ("../../", "picture"),
    ("", "picture"),
    (" .. ", "picture"),
    ("\u200d", "picture"),
    (".htaccess", "htaccess"),
    ("a.jpg. . ", "a.jpg"),
    ("CON", "_CON"),
    ("nul.tar.jpg", "_nul.tar.jpg"),
    ("com¹.jpg", "_com¹.jpg"),
    ("aux .jpg", "_aux.jpg"),
    ("console.jpg", "console.jpg"),
    (f"cat{RIGHT_TO_LEFT}gpj.exe", "cat_gpj.exe"),
    ("a\0b\r\nc\x7f.jpg", "a_b__c_.jpg"),
    ("half a \ud83d pair.jpg", "half a _ pair.jpg"),
    ('what: "is" <this>|?*.jpg', "what_ _is_ _this____.jpg"),
    ("e\u0301.jpg", "é.jpg"),
    ("x" * 300 + ".jpeg", "x" * 175 + ".jpeg"),
    ("猫" * 300 + ".jpg", "猫" * 78 + ".jpg"),
    ("x." + "y" * 300, ("x." + "y" * 300)[:180]),
]


@pytest.mark.parametrize("name", KEPT)
def test_a_harmless_name_stays_as_it_is(name: str) -> None:
    assert file_name(name) == name


@pytest.mark.parametrize(("name", "safe"), CHANGED)
def test_an_odd_name_becomes_one_that_can_be_kept(name: str, safe: str) -> None:
    assert file_name(name) == safe


@given(NAMES)
def test_no_name_leads_anywhere_or_hides_anything(name: str) -> None:
    for made, longest, longest_bytes in ((file_name(name), 180, 240), (folder_name(name), 100, 150)):
        assert 0 < len(made) <= longest
        assert len(made.encode()) <= longest_bytes
        assert not set(made) & set('/\\:*?"<>|\0')
        assert [each for each in made if unicodedata.category(each)[0] == "C" and each not in JOINERS] == []
        assert made[0] not in ". "
        assert made[-1] not in ". "
        assert DEVICES.match(made) is None


@given(st.lists(NAMES | st.sampled_from(["a.jpg", "A.JPG", "a (2).jpg", "x" * 300 + ".jpg"]), max_size=30))
def test_no_two_files_of_a_folder_are_alike_on_any_system(names: list[str]) -> None:
    given_names = Names()
    made = [given_names.file("Summer/", name) for name in names]
    folded = {unicodedata.normalize("NFC", path.casefold()) for path in made}
    assert len(folded) == len(names)
    assert [path for path in made if len(path.removeprefix("Summer/")) > 180] == []


def test_the_second_of_a_name_says_so_and_keeps_its_extension() -> None:
    names = Names()
    wanted = ["a.jpg", "A.jpg", "a (2).jpg", "a.JPG", "x" * 300 + ".jpg", "X" * 300 + ".jpg"]
    made = [names.file("S/", name).removeprefix("S/") for name in wanted]
    assert made[:4] == ["a.jpg", "A (2).jpg", "a (2) (2).jpg", "a (3).JPG"]
    assert made[4:] == ["x" * 176 + ".jpg", "X" * 172 + " (2).jpg"]


def test_a_file_is_not_called_like_the_folder_beside_it() -> None:
    names = Names()
    assert names.folder("S/", "Below") == "S/Below/"
    assert names.folder("S/", "below") == "S/below (2)/"
    assert names.file("S/", "below") == "S/below (3)"
    assert names.file("S/Below/", "Below") == "S/Below/Below"


def test_a_hundred_thousand_pictures_of_one_name_get_theirs_quickly() -> None:
    names = Names()
    made = {names.file("", "picture.jpg") for _ in range(100_000)}
    assert len(made) == 100_000
    assert "picture (100000).jpg" in made
