"""What does not fit into a quota never reaches the disk, whatever its sender says of its size."""

import pytest
from flask.testing import FlaskClient

from tests.factories import House, small_picture
from vault.storage.incoming import Incoming
from vault.web.access import SMALL_BODY

ROOM = 4_000
BODY = {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return what is written to the disk, in bytes."""
    found: list[int] = []
    append = Incoming._append  # noqa: SLF001  # where bytes become a file

    def counting(incoming: Incoming, view: memoryview) -> None:
        found.append(len(view))
        append(incoming, view)

    monkeypatch.setattr(Incoming, "_append", counting)
    return found


def large(size_bytes: int) -> bytes:
    return small_picture().ljust(size_bytes, b".")


def form(*files: bytes) -> bytes:
    """Return a form's body, whole: the test client would lay a large one into a file and leave it open."""
    part = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="%d.jpg"\r\n\r\n%s\r\n'
    return b"".join(part % (number, data) for number, data in enumerate(files)) + b"--edge--\r\n"


def browser_of(house: House, quota: int) -> tuple[FlaskClient, dict[str, str]]:
    browser = house.browser(house.person("Anna", quota=quota))
    return browser, house.csrf(browser) | BODY


@pytest.mark.parametrize("size_bytes", [ROOM + 1, 500_000, ROOM + 2 * SMALL_BODY])
def test_the_api_answers_as_of_a_full_quota(house: House, written: list[int], size_bytes: int) -> None:
    browser, headers = browser_of(house, ROOM)

    answer = browser.post("/api/v1/media", data=form(large(size_bytes)), headers=headers)

    assert (answer.status_code, (answer.json or {}).get("title")) == (413, "Your space is full")
    assert sum(written) <= ROOM
    assert list(house.vault.storage.temporaries()) == []
    assert list(house.vault.storage.keys()) == []


def test_a_file_that_does_not_fit_leaves_the_others_of_its_form_alone(house: House, written: list[int]) -> None:
    browser, headers = browser_of(house, ROOM)

    files = form(large(ROOM // 2), large(300_000), large(ROOM // 2))
    page = browser.post("/upload", data=files, headers=headers, follow_redirects=True).get_data(as_text=True)

    assert "2 pictures are here." in page
    assert "1.jpg: This file does not fit into your quota any more." in page
    assert sum(written) <= ROOM
    assert list(house.vault.storage.temporaries()) == []


def test_the_files_of_one_form_share_the_room(house: House, written: list[int]) -> None:
    browser, headers = browser_of(house, ROOM)

    page = browser.post("/upload", data=form(*[large(1_500) for _ in range(5)]), headers=headers, follow_redirects=True)

    assert "4.jpg: This file does not fit into your quota any more." in page.get_data(as_text=True)
    assert sum(written) <= ROOM


def test_without_a_quota_everything_fits(house: House) -> None:
    browser = house.browser(house.person("Ben"))

    answer = browser.post("/api/v1/media", data=form(large(200_000)), headers=house.csrf(browser) | BODY)

    assert answer.status_code == 201
