"""What archives may cost: so many pictures in one, so many on their way at once, and nothing for only asking."""

from contextlib import ExitStack

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import House, Person
from tests.test_zips import take
from vault.models.media import Album
from vault.models.sharing import LinkRole, Role
from vault.policy import Viewer
from vault.services import editions
from vault.services.zipping import choosing, places

PAGE = {"Accept": "text/html,*/*;q=0.8"}
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
pytestmark = sqlite_only


@pytest.fixture
def anna(house: House) -> Person:
    """Return the owner of everything."""
    return house.person("Anna")


@pytest.fixture
def album(house: House, anna: Person) -> Album:
    """Return her album with three pictures, one of them in an album below."""
    found = house.album(anna)
    for each in (found, found, house.album(anna, "Below", parent=found)):
        house.picture(anna, each)
    return found


def test_a_visitor_is_told_that_it_is_more_than_fits(
    house: House, monkeypatch: pytest.MonkeyPatch, album: Album, anna: Person
) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER)
    visitor, path = house.visitor(link), f"/l/{link.public_id}/zip"
    monkeypatch.setattr(choosing, "MOST_FOR_VISITORS", 3)
    assert [visitor.get(path, buffered=True).status_code, visitor.head(path).status_code] == [200, 200]
    monkeypatch.setattr(choosing, "MOST_FOR_VISITORS", 2)
    monkeypatch.setattr(editions, "find", None)  # nothing of it is prepared

    page, alone, head = visitor.get(path, headers=PAGE), visitor.get(path), visitor.head(path)

    assert [each.status_code for each in (page, alone, head)] == [422] * 3
    assert "This is more than fits into one archive" in page.text
    assert "at most 2 pictures" in page.text
    assert alone.text == "This is more than fits into one archive\n"
    assert page.headers["Referrer-Policy"] == alone.headers["Referrer-Policy"] == "no-referrer"
    whole = house.browser(anna).get(f"/albums/{album.public_id}/zip?below=1", buffered=True)
    assert whole.status_code == 200


def test_only_asking_for_an_archive_prepares_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, album: Album
) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER)
    visitor, path = house.visitor(link), f"/l/{link.public_id}/zip"
    whole = visitor.get(path, buffered=True)
    monkeypatch.setattr(editions, "find", None)

    head = visitor.head(path)

    assert (head.status_code, head.data) == (200, b"")
    assert dict(head.headers).items() <= dict(whole.headers).items()
    assert "Content-Disposition" in head.headers


def half(browser: FlaskClient, path: str) -> TestResponse:
    """Begin to take an archive, and read no more of it than its first piece."""
    return browser.get(path, buffered=False)


def test_a_visitor_has_one_archive_under_way(house: House, monkeypatch: pytest.MonkeyPatch, album: Album) -> None:
    monkeypatch.setattr("vault.services.zipping.JOINED_BYTES", 1)
    link = house.link(album, role=LinkRole.DOWNLOADER)
    visitor, path = house.visitor(link), f"/l/{link.public_id}/zip"
    with half(visitor, path) as under_way:
        again, page = visitor.get(path), visitor.get(path, headers=PAGE)
        assert [under_way.status_code, again.status_code, page.status_code] == [200, 503, 503]
        assert visitor.head(path).status_code == 503
        assert again.headers["Retry-After"] == page.headers["Retry-After"] == "30"
        assert '<meta http-equiv="refresh" content="30">' in page.text
        assert half(house.visitor(link), path).status_code == 200
    with half(visitor, path) as second:
        assert second.status_code == 200
        assert len(second.data) == second.content_length
        assert visitor.get(path, buffered=True).status_code == 200  # whole, it has left its place before it is closed


def test_what_fails_leaves_its_place(house: House, monkeypatch: pytest.MonkeyPatch, album: Album, anna: Person) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER)
    visitor, path = house.visitor(link), f"/l/{link.public_id}/zip"
    before = len(places._taken)  # noqa: SLF001  # that none is left is to be seen nowhere else
    with monkeypatch.context() as patch:
        patch.setattr(choosing, "MOST_FOR_VISITORS", 1)
        patch.setattr(choosing, "MOST_ENTRIES", 1)
        assert visitor.get(path).status_code == 422
        assert house.browser(anna).get(f"/albums/{album.public_id}/zip").status_code == 422
    assert take(house, anna, "A" * 22).status_code == 403
    house.browser(anna).head(f"/albums/{album.public_id}/zip").close()
    assert len(places._taken) == before  # noqa: SLF001  # as above


def test_so_many_archives_are_under_way_at_once(house: House, album: Album, anna: Person) -> None:
    ben = house.person("Ben")
    house.grant(album, ben, Role.DOWNLOADER)
    link = house.link(album, role=LinkRole.DOWNLOADER)
    visitor = house.visitor(link)
    of_people = f"/albums/{album.public_id}/zip"
    with ExitStack() as stack:
        others = [places.take(Viewer(link_id="L" * 22, visit_id=number)) for number in range(places.MOST_OF_VISITORS)]
        stack.callback(others.clear)
        assert visitor.get(f"/l/{link.public_id}/zip").status_code == 503
        assert house.browser(ben).get(of_people, buffered=True).status_code == 200
        others.pop().leave()
        assert visitor.get(f"/l/{link.public_id}/zip", buffered=True).status_code == 200
    with ExitStack() as stack:
        others = [places.take(anna.viewer) for _ in range(places.MOST_OF_PEOPLE)]
        stack.callback(others.clear)
        refused = house.browser(ben).get(of_people)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert house.browser().get(f"/api/v1{of_people}", headers=house.token(ben)).status_code == 503
        assert take(house, ben, "A" * 22).status_code == 503
        assert visitor.get(f"/l/{link.public_id}/zip", buffered=True).status_code == 200
        others.pop()  # one that nobody holds any more is free by itself
        assert house.browser(ben).get(of_people, buffered=True).status_code == 200
