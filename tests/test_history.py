"""Who looked: whom the vault tells it, and that it is true."""

import csv
import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.factories import House, Person
from tests.scripts import FORBIDDEN, Script, problem
from vault.db import db, transaction, utcnow
from vault.models.history import Visit
from vault.models.media import Album, Media
from vault.models.sharing import Link, LinkRole, Role
from vault.policy import Action, Permit, authorize
from vault.services import albums, history, library, links
from vault.services.history import Stay

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def manage(owner: Person, link: Link) -> Permit:  # type: ignore[type-arg]  # of a link, as the name says
    return authorize(owner.viewer, Action.MANAGE, Link, link.public_id)


def look(house: House, visitor: FlaskClient, link: Link, media: Media, variant: str = "preview") -> None:
    assert visitor.get(f"/l/{link.public_id}/media/{media.public_id}/{variant}").status_code == 200
    house.vault.recorder.flush()
    db.session.rollback()


def only_stay(owner: Person, link: Link) -> Stay:
    db.session.rollback()  # what requests wrote meanwhile is to be seen
    (stay,) = history.of_link(manage(owner, link), limit=10).items
    return stay


def test_a_link_tells_who_came_what_was_opened_and_what_was_taken(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    first, second = (house.picture(anna, album) for _ in range(2))
    link = house.link(album, role=LinkRole.DOWNLOADER)
    visitor = house.visitor(link)

    for media, variant in ((first, "preview"), (first, "preview"), (second, "preview"), (second, "original")):
        look(house, visitor, link, media, variant)

    stay = only_stay(anna, link)
    seen = {(sight.media and sight.media.id, sight.variant): sight.times for sight in stay.sights}
    assert seen == {(first.id, "preview"): 2, (second.id, "preview"): 1, (second.id, "original"): 1}
    assert stay.opened == 2
    (taking,) = stay.takings
    assert (taking.media and taking.media.id, taking.is_zip) == (second.id, False)
    assert taking.completed_at is not None
    used = history.use([link.id])[link.id]
    assert (used.visitors, used.first_at) == (1, stay.visit.opened_at)


def test_a_download_that_broke_off_is_told_as_one(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media, link = house.picture(anna, album), house.link(album, role=LinkRole.DOWNLOADER)
    visitor = house.visitor(link)

    part = visitor.get(f"/l/{link.public_id}/media/{media.public_id}/original", headers={"Range": "bytes=0-99"})
    house.vault.recorder.flush()

    assert part.status_code == 206
    (taking,) = only_stay(anna, link).takings
    assert (taking.completed_at, taking.sent_bytes) == (None, 100)
    page = house.browser(anna).get(f"/links/{link.public_id}").get_data(as_text=True)
    assert "% so far" in page


def test_an_archive_is_told_as_one(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    house.picture(anna, album)
    link = house.link(album, role=LinkRole.DOWNLOADER)

    assert house.visitor(link).get(f"/l/{link.public_id}/zip").status_code == 200
    house.vault.recorder.flush()

    (taking,) = only_stay(anna, link).takings
    assert (taking.is_zip, taking.completed_at is not None) == (True, True)
    assert "All as one archive" in house.browser(anna).get(f"/links/{link.public_id}").get_data(as_text=True)


def test_tries_that_failed_are_told_with_the_reason(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    link = house.link(album, password="open sesame please")
    house.visitor(link, password="not that")
    links.pause(manage(anna, link))
    house.browser().get(house.address(link))
    db.session.rollback()

    why = [each.why for each in history.refusals(manage(anna, link))]

    assert why == ["the link is closed", "wrong password"]
    page = house.browser(anna).get(f"/links/{link.public_id}").get_data(as_text=True)
    assert "2 tries that did not get in" in page
    assert "Wrong password" in page
    assert "not that" not in page


def test_only_who_manages_a_link_learns_who_came(house: House) -> None:
    anna, ben, cem = (house.person(name) for name in ("Anna", "Ben", "Cem"))
    album = house.album(anna)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.MANAGER)
    link = house.link(album, by=ben)
    visitor = house.visitor(link)
    look(house, visitor, link, media)
    here = (f"/links/{link.public_id}", f"/links/{link.public_id}/history.csv", f"/albums/{album.public_id}/history")

    assert [house.browser(ben).get(path).status_code for path in here] == [200, 200, 200]
    assert [house.browser(cem).get(path).status_code for path in here] == [403, 403, 403]
    assert [visitor.get(path).status_code for path in here] == [302, 302, 302]
    house.grant(album, ben, Role.EDITOR)
    # He may still end what he made, and so see that it is there.
    assert [house.browser(ben).get(path).status_code for path in here] == [200, 403, 403]
    page = house.browser(ben).get(here[0]).get_data(as_text=True)
    assert [word for word in ("Who looked", "/l/", "qr.svg", media.public_id) if word in page] == []
    assert problem(Script(house, ben).ask("GET", f"/links/{link.public_id}/history")) == FORBIDDEN
    assert len(Script(house, anna).get(f"/links/{link.public_id}/history")["items"]) == 1


def test_a_picture_that_the_reader_does_not_see_has_no_name_there(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    media, link = house.picture(anna, album, file_name="divorce.jpg"), house.link(album, role=LinkRole.DOWNLOADER)
    look(house, house.visitor(link), link, media, "original")
    look_at = (f"/links/{link.public_id}", f"/links/{link.public_id}/history.csv", f"/albums/{album.public_id}/history")
    pages = [house.browser(ben).get(path).get_data(as_text=True) for path in look_at]
    assert [media.public_id in page for page in pages] == [True, True, True]

    library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))

    for path in look_at:
        page = house.browser(ben).get(path).get_data(as_text=True)
        assert [word for word in ("divorce", media.public_id) if word in page] == []
    (visit,) = Script(house, ben).get(f"/links/{link.public_id}/history")["items"]
    assert ([each["media_id"] for each in visit["opened"]], visit["opened_count"]) == ([None], 1)
    assert [each["media_id"] for each in visit["taken"]] == [None]


def test_an_album_and_a_picture_tell_who_with_an_account_looked(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media, other = house.picture(anna, album), house.picture(anna, album)
    house.grant(album, ben, Role.DOWNLOADER)
    browser = house.browser(ben)
    for path in (f"{media.public_id}/preview", f"{media.public_id}/original", f"{other.public_id}/preview"):
        browser.get(f"/media/{path}")
    house.browser(anna).get(f"/media/{media.public_id}/preview")
    link = house.link(album, label="Grandma")
    look(house, house.visitor(link), link, media)

    (inside,) = history.onlookers_of_album(authorize(anna.viewer, Action.EXPLAIN, Album, album.public_id))
    (there,) = history.onlookers_of_media(authorize(anna.viewer, Action.EXPLAIN, Media, other.public_id))
    page = house.browser(anna).get(f"/media/{media.public_id}").get_data(as_text=True)

    assert (inside.person.id, inside.pictures, inside.took_originals) == (ben.id, 2, True)
    assert (there.person.id, there.pictures, there.took_originals) == (ben.id, 1, False)
    seen = page.partition("Who saw it")[2]
    assert "Ben" in seen
    assert "Grandma" in seen
    # Who may look may not learn who else does.
    assert "Who saw it" not in browser.get(f"/media/{media.public_id}").get_data(as_text=True)


def test_an_album_tells_nothing_of_who_looked_elsewhere(house: House) -> None:
    anna, mia, ben, cem = (house.person(name) for name in ("Anna", "Mia", "Ben", "Cem"))
    here, elsewhere = house.album(anna), house.album(anna)
    media = house.picture(anna, here)
    albums.put(authorize(anna.viewer, Action.ADD, Album, elsewhere.public_id), media.public_id)
    house.grant(here, mia, Role.MANAGER)
    house.grant(here, cem, Role.VIEWER)
    house.grant(elsewhere, ben, Role.VIEWER)
    for person in (ben, cem):
        assert house.browser(person).get(f"/media/{media.public_id}/preview").status_code == 200
    house.vault.recorder.flush()

    told = {
        album.id: [each.person.id for each in history.onlookers_of_album(_explain(person, album))]
        for person, album in ((mia, here), (anna, elsewhere))
    }

    assert told == {here.id: [cem.id], elsewhere.id: [ben.id]}
    page = house.browser(mia).get(f"/albums/{here.public_id}/history").get_data(as_text=True)
    assert ("Cem" in page, "Ben" in page) == (True, False)


def _explain(person: Person, album: Album) -> Permit:  # type: ignore[type-arg]  # of an album, as the name says
    return authorize(person.viewer, Action.EXPLAIN, Album, album.public_id)


@sqlite_only
def test_the_table_of_visits_runs_nothing_and_has_every_line(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album, file_name='=HYPERLINK("http://evil","x").jpg')
    link = house.link(album, role=LinkRole.DOWNLOADER)
    for _ in range(3):
        look(house, house.visitor(link), link, media, "original")
    with transaction() as session:
        session.execute(sa.update(Visit).values(guest_name="@SUM(A1)"))

    answer = house.browser(anna).get(f"/links/{link.public_id}/history.csv")

    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    head, *lines = csv.reader(io.StringIO(answer.get_data(as_text=True)))
    assert len(lines) == 6
    assert {line[head.index("what")] for line in lines} == {"opened", "took"}
    assert [cell for line in lines for cell in line if cell.startswith(("=", "@", "+", "-"))] == []
    assert {line[head.index("name")] for line in lines} == {"'@SUM(A1)"}


@sqlite_only
def test_the_table_goes_on_beyond_what_is_read_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "AT_ONCE", 2)
    anna = house.person("Anna")
    link = house.link(house.album(anna))
    for _ in range(5):
        house.visitor(link)

    whole = house.browser(anna).get(f"/links/{link.public_id}/history.csv").get_data(as_text=True)

    assert whole.count('"came","') == 1 + 5


def test_visits_come_in_pages_the_latest_first(house: House) -> None:
    anna = house.person("Anna")
    link = house.link(house.album(anna))
    for number in range(5):
        house.visitor(link)
        newest = db.session.scalar(sa.select(sa.func.max(Visit.id)))
        with transaction() as session:
            moment = utcnow() - timedelta(days=number)
            session.execute(sa.update(Visit).where(Visit.id == newest).values(opened_at=moment))
    script, path = Script(house, anna), f"/links/{link.public_id}/history?limit=2"

    first = script.get(path)
    second = script.get(f"{path}&cursor={first['next_cursor']}")
    third = script.get(f"{path}&cursor={second['next_cursor']}")

    moments = [visit["opened_at"] for page in (first, second, third) for visit in page["items"]]
    assert len(moments) == 5
    assert moments == sorted(moments, reverse=True)
    assert third["next_cursor"] is None


@pytest.mark.parametrize(("kept", "shown"), [("full", "203.0.113.9"), ("network", "203.0.113.0/24"), ("none", "")])
def test_as_much_of_an_address_is_kept_as_the_setting_says(house: House, kept: str, shown: str) -> None:
    object.__setattr__(house.vault.settings, "history_addresses", kept)
    anna = house.person("Anna")
    link, browser = house.link(house.album(anna)), house.browser()

    for path in (house.address(link), f"/l/{link.public_id}/"):
        browser.get(path, environ_base={"REMOTE_ADDR": "203.0.113.9"})

    assert only_stay(anna, link).visit.address == shown
