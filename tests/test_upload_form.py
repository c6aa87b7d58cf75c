"""The plain form, which sends all its files in one request: what it says is what was kept."""

import io
from pathlib import Path

import pytest

from tests.factories import House, small_picture
from vault.imaging import identify
from vault.storage import StorageFull
from vault.storage.local import LocalStorage
from vault.web.receiving import MOST_FILES


def files(count: int) -> dict[str, list[tuple[io.BytesIO, str]]]:
    return {"file": [(io.BytesIO(small_picture()), f"{number}.jpg") for number in range(count)]}


def blobs(house: House) -> int:
    return len(list(house.vault.storage.keys()))


def test_what_was_kept_before_the_disk_was_full_is_said_to_be_here(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, keep = house.browser(house.person()), LocalStorage.put
    headers = house.csrf(browser)

    def put(storage: LocalStorage, key: str, source: Path) -> None:
        if blobs(house):
            raise StorageFull("the disk is full")
        keep(storage, key, source)

    monkeypatch.setattr(LocalStorage, "put", put)
    answer = browser.post("/upload", data=files(2), headers=headers, follow_redirects=True)

    page = answer.get_data(as_text=True)
    assert (answer.status_code, "1 picture is here." in page, blobs(house)) == (200, True, 1)
    assert "1.jpg: there is no room left for it." in page


def test_as_many_as_the_form_says_are_kept(house: House) -> None:
    browser = house.browser(house.person())
    assert f"Up to {MOST_FILES} fit into this form." in browser.get("/upload").get_data(as_text=True)

    answer = browser.post("/upload", data=files(MOST_FILES), headers=house.csrf(browser), follow_redirects=True)

    assert f"{MOST_FILES} pictures are here." in answer.get_data(as_text=True)
    assert blobs(house) == MOST_FILES


@pytest.mark.parametrize("count", [MOST_FILES + 1, 6 * MOST_FILES])
def test_more_than_that_are_refused_by_number_and_none_is_kept(house: House, count: int) -> None:
    browser = house.browser(house.person())

    answer = browser.post("/upload", data=files(count), headers=house.csrf(browser))

    assert answer.status_code == 422
    assert f"That was more than {MOST_FILES} pictures at once, and none was kept." in answer.get_data(as_text=True)
    assert blobs(house) == 0
    assert list(house.vault.storage.temporaries()) == []


def test_every_page_tells_the_uploader_for_whom_and_how(house: House) -> None:
    anna = house.person()
    page = house.browser(anna).get("/albums").text
    settings = house.vault.settings
    for name, value in (
        ("person", anna.public_id),
        ("upload-to", "/uploads/"),
        ("upload-piece-bytes", settings.upload_piece_bytes),
        ("upload-max-bytes", settings.max_upload_bytes),
    ):
        assert f'data-{name}="{value}"' in page
    assert "data-upload-to" not in house.browser().get("/sign-in").text


def test_the_page_names_what_is_kept_here(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.browser(house.person())
    for name in ("has_raws", "has_heif", "has_films"):
        monkeypatch.setattr(identify, name, lambda: True)
    page = browser.get("/upload").text
    assert all(word in page for word in ("JPEG", "HEIC", "Camera RAW", "CR2", "Videos", "MP4"))
    for name in ("has_raws", "has_heif", "has_films"):
        monkeypatch.setattr(identify, name, lambda: False)
    page = browser.get("/upload").text
    assert "JPEG" in page
    assert not any(word in page for word in ("HEIC,", "Camera RAW", "<dt>Videos"))
