"""Takeout's names: which list belongs to which file, in the shapes that real archives have."""

import json

import pytest

from vault.archives.takeout import album_title, is_by_date, is_of_a_picture, is_trashed, match, picture_title

LONG = "a_very_long_name_of_a_picture_that_somebody_gave_it_on_a_phone"  # 62 characters
CYRILLIC = "Очень длинное название фотографии из отпуска на море летом"

# What the names have in common, the files, the lists (with titles where they matter), and what belongs together.
Case = tuple[list[str], dict[str, str], dict[str, str]]
CASES: dict[str, Case] = {
    "as it was for years": (["IMG.jpg"], {"IMG.jpg.json": ""}, {"IMG.jpg": "IMG.jpg.json"}),
    "as it is now": (
        ["IMG.jpg"],
        {"IMG.jpg.supplemental-metadata.json": ""},
        {"IMG.jpg": "IMG.jpg.supplemental-metadata.json"},
    ),
    "the number moves behind the extension": (
        ["IMG.jpg", "IMG(1).jpg", "IMG(2).jpg"],
        {"IMG.jpg.json": "", "IMG.jpg(1).json": "", "IMG.jpg(2).json": ""},
        {"IMG.jpg": "IMG.jpg.json", "IMG(1).jpg": "IMG.jpg(1).json", "IMG(2).jpg": "IMG.jpg(2).json"},
    ),
    "the number behind the supplement": (
        ["IMG.jpg", "IMG(1).jpg"],
        {"IMG.jpg.supplemental-metadata.json": "", "IMG.jpg.supplemental-metadata(1).json": ""},
        {"IMG.jpg": "IMG.jpg.supplemental-metadata.json", "IMG(1).jpg": "IMG.jpg.supplemental-metadata(1).json"},
    ),
    "the number behind a cut supplement": (
        ["Screenshot_20240102-101112_Photos(3).png"],
        {"Screenshot_20240102-101112_Photos.png.supple(3).json": ""},
        {"Screenshot_20240102-101112_Photos(3).png": "Screenshot_20240102-101112_Photos.png.supple(3).json"},
    ),
    "a number that was in the name before": (
        ["IMG (1).jpg", "IMG(4).jpg"],
        {"IMG (1).jpg.json": "", "IMG(4).jpg.json": ""},
        {"IMG (1).jpg": "IMG (1).jpg.json", "IMG(4).jpg": "IMG(4).jpg.json"},
    ),
    "a list that numbers only the one": (
        ["IMG(1).jpg"],
        {"IMG.jpg.json": "", "IMG.jpg(1).json": ""},
        {"IMG(1).jpg": "IMG.jpg(1).json"},
    ),
    "a number without its list gets no other's": (["IMG(1).jpg"], {"IMG.jpg.json": ""}, {}),
    "a long name, cut for the list": (
        [f"{LONG[:47]}.jpg"],
        {f"{LONG[:46]}.json": ""},
        {f"{LONG[:47]}.jpg": f"{LONG[:46]}.json"},
    ),
    "cut in its extension": (
        ["original_a1b2c3d4-5678-90ab-cdef-1234567890ab_PXL.jpg"],
        {"original_a1b2c3d4-5678-90ab-cdef-1234567890ab_.json": ""},
        {
            "original_a1b2c3d4-5678-90ab-cdef-1234567890ab_PXL.jpg": (
                "original_a1b2c3d4-5678-90ab-cdef-1234567890ab_.json"
            )
        },
    ),
    "a long name, cut and numbered": (
        [f"{LONG[:47]}.jpg", f"{LONG[:47]}(1).jpg"],
        {f"{LONG[:46]}.json": "", f"{LONG[:46]}(1).json": ""},
        {f"{LONG[:47]}.jpg": f"{LONG[:46]}.json", f"{LONG[:47]}(1).jpg": f"{LONG[:46]}(1).json"},
    ),
    "two long names alike in their beginning: the titles know": (
        [f"{LONG[:45]}one.jpg", f"{LONG[:45]}owl.jpg"],
        {f"{LONG[:45]}o.json": f"{LONG[:45]}owl.jpg", f"{LONG[:45]}o(1).json": f"{LONG[:45]}one.jpg"},
        {f"{LONG[:45]}owl.jpg": f"{LONG[:45]}o.json", f"{LONG[:45]}one.jpg": f"{LONG[:45]}o(1).json"},
    ),
    "cut in Cyrillic": (
        [f"{CYRILLIC[:47]}.jpg"],
        {f"{CYRILLIC[:46]}.json": ""},
        {f"{CYRILLIC[:47]}.jpg": f"{CYRILLIC[:46]}.json"},
    ),
    "edited": (
        ["IMG.jpg", "IMG-edited.jpg"],
        {"IMG.jpg.json": ""},
        {"IMG.jpg": "IMG.jpg.json", "IMG-edited.jpg": "IMG.jpg.json"},
    ),
    "edited in German, only the edited one left": (
        ["IMG-bearbeitet.jpg"],
        {"IMG.jpg.supplemental-metadata.json": ""},
        {"IMG-bearbeitet.jpg": "IMG.jpg.supplemental-metadata.json"},
    ),
    "edited in French, decomposed": (
        ["IMG-modifie\u0301.jpg"],
        {"IMG.jpg.json": ""},
        {"IMG-modifie\u0301.jpg": "IMG.jpg.json"},
    ),
    "edited in Spanish": (["IMG-editado.jpg"], {"IMG.jpg.json": ""}, {"IMG-editado.jpg": "IMG.jpg.json"}),
    "edited and numbered": (
        ["IMG(1).jpg", "IMG-edited(1).jpg"],
        {"IMG.jpg.json": "", "IMG.jpg(1).json": ""},
        {"IMG(1).jpg": "IMG.jpg(1).json", "IMG-edited(1).jpg": "IMG.jpg(1).json"},
    ),
    "edited from HEIC": (
        ["IMG.HEIC", "IMG-edited.jpg"],
        {"IMG.HEIC.json": ""},
        {"IMG.HEIC": "IMG.HEIC.json", "IMG-edited.jpg": "IMG.HEIC.json"},
    ),
    "edited, and the word cut": (
        [f"{LONG[:42]}.jpg", f"{LONG[:42]}-edit.jpg"],
        {f"{LONG[:42]}.jpg.json": ""},
        {f"{LONG[:42]}.jpg": f"{LONG[:42]}.jpg.json", f"{LONG[:42]}-edit.jpg": f"{LONG[:42]}.jpg.json"},
    ),
    "not edited, only called alike": (
        ["beach-2.jpg", "beach.jpg"],
        {"beach.jpg.json": ""},
        {"beach.jpg": "beach.jpg.json"},
    ),
    "a live photo": (
        ["IMG.HEIC", "IMG.MP4"],
        {"IMG.HEIC.json": ""},
        {"IMG.HEIC": "IMG.HEIC.json", "IMG.MP4": "IMG.HEIC.json"},
    ),
    "a live photo, numbered": (
        ["IMG(1).HEIC", "IMG(1).MOV"],
        {"IMG.HEIC.supplemental-metadata(1).json": ""},
        {
            "IMG(1).HEIC": "IMG.HEIC.supplemental-metadata(1).json",
            "IMG(1).MOV": "IMG.HEIC.supplemental-metadata(1).json",
        },
    ),
    "a video beside a picture, each with its own": (
        ["IMG.JPG", "IMG.MP4"],
        {"IMG.JPG.json": "", "IMG.MP4.json": ""},
        {"IMG.JPG": "IMG.JPG.json", "IMG.MP4": "IMG.MP4.json"},
    ),
    "a motion photo's half": (
        ["PXL_1.MP.jpg", "PXL_1.MP"],
        {"PXL_1.MP.jpg.supplemental-metadata.json": ""},
        {
            "PXL_1.MP.jpg": "PXL_1.MP.jpg.supplemental-metadata.json",
            "PXL_1.MP": "PXL_1.MP.jpg.supplemental-metadata.json",
        },
    ),
    "another extension than the list says": (
        ["IMG.jpg"],
        {"IMG.HEIC.json": "IMG.HEIC"},
        {"IMG.jpg": "IMG.HEIC.json"},
    ),
    "a still gets no list that another still has": (
        ["IMG.jpg", "IMG.png"],
        {"IMG.jpg.json": "IMG.jpg"},
        {"IMG.jpg": "IMG.jpg.json"},
    ),
    "characters that were replaced": (
        ["Tom _ Jerry_ where_.jpg"],
        {"Tom _ Jerry_ wh.json": "Tom & Jerry: where?.jpg"},
        {"Tom _ Jerry_ where_.jpg": "Tom _ Jerry_ wh.json"},
    ),
    "letters in another case": (["IMG.JPG"], {"IMG.jpg.json": ""}, {"IMG.JPG": "IMG.jpg.json"}),
    "two that differ in case only": (
        ["IMG.JPG", "IMG.jpg"],
        {"IMG.jpg.json": "", "IMG.JPG.json": ""},
        {"IMG.JPG": "IMG.JPG.json", "IMG.jpg": "IMG.jpg.json"},
    ),
    "composed and decomposed": (
        ["Caf\u00e9.jpg"],
        {"Cafe\u0301.jpg.json": ""},
        {"Caf\u00e9.jpg": "Cafe\u0301.jpg.json"},
    ),
    "an album's own list is nobody's": (["IMG.jpg"], {"metadata.json": ""}, {}),
    "without an extension": (["IMG"], {"IMG.json": ""}, {"IMG": "IMG.json"}),
    "nothing at all": ([], {}, {}),
} | {
    f"a supplement cut at {length}": (
        ["IMG.jpg"],
        {f"IMG.jpg{'.supplemental-metadata'[:length]}.json": ""},
        {"IMG.jpg": f"IMG.jpg{'.supplemental-metadata'[:length]}.json"},
    )
    for length in range(1, 22)
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_file_finds_its_list(case: Case) -> None:
    files, lists, expected = case
    asked: list[str] = []

    def title_of(name: str) -> str | None:
        asked.append(name)
        return lists[name] or None

    found = match([*files, *lists], title_of)

    assert found == expected
    assert not set(asked) & {name for name in expected.values() if name.removesuffix(".json") in files}


@pytest.mark.parametrize(
    "name",
    [
        *("Photos from 2019", "Fotos von 2019", "Photos de 2019", "Fotos de 2019", "Foto dal 2019", "Foto's uit 2019"),
        *("Zdjęcia z 2019", "Foton från 2019", "Billeder fra 2019", "Bilder fra 2019", "Kuvat vuodelta 2019"),
        *(
            "Fotky z roku 2019",
            "Фото за 2019 год",
            "2019 年の写真",
            "2019年的照片",
            "2019년 사진",
            "2013-05-04",
            "2013-05-04 #2",
        ),
    ],
)
def test_a_folder_that_only_sorts_by_date_is_no_album(name: str) -> None:
    assert is_by_date(name)


@pytest.mark.parametrize(
    "name", ["Paris 2019", "2019", "Photos", "Our photos from the sea", "Fotos von Oma", "Wedding"]
)
def test_a_folder_with_a_name_of_its_own_is_one(name: str) -> None:
    assert not is_by_date(name)


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ({"title": "Paris", "description": "", "access": "protected", "date": {"timestamp": "1"}}, "Paris"),
        ({"albumData": {"title": "Rome", "date": {}}}, "Rome"),
        ({"title": "", "description": ""}, ""),
        ({"title": "IMG.jpg", "description": "", "photoTakenTime": {"timestamp": "1"}}, None),
        ({"title": "a list of something else"}, None),
        ([1, 2], None),
    ],
)
def test_an_album_is_known_by_what_its_list_says(said: object, title: str | None) -> None:
    assert album_title(json.dumps(said).encode()) == title


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'"x"', b"null"])
def test_what_is_no_list_says_nothing(body: bytes) -> None:
    assert (album_title(body), picture_title(body), is_of_a_picture(body), is_trashed(body)) == (
        None,
        None,
        False,
        False,
    )


def test_the_trash_is_known() -> None:
    assert is_trashed(b'{"title": "x.jpg",\n  "trashed": true}')
