"""Archives leave traces for who may know of them, count as what they hold, and say nothing that their files hide."""

import io
import zipfile
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.counting import counted, rows
from tests.factories import House, Person
from tests.pictures import camera_exif, drawing, jpeg
from tests.test_zips import take
from vault.db import db, transaction, utcnow
from vault.models.history import Download, PersonSight, VisitSight
from vault.models.media import Album, AlbumMedia, Media
from vault.models.sharing import Grant, Link, LinkRole, MetadataRule, Role
from vault.models.system import Event
from vault.policy import Action, authorize
from vault.services import history, zipping
from vault.services.zipping import BrokenOff, choosing

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def days_in(data: bytes) -> set[tuple[int, ...]]:
    """Return when the entries of an archive say that they were made."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {info.date_time for info in opened.infolist()}


def fetch(browser: FlaskClient, link: Link) -> int:
    """Take all that a link opens, to the last byte."""
    answer = browser.get(f"/l/{link.public_id}/zip", buffered=True)
    return answer.status_code


SILENT: dict[str, dict[str, Any]] = {
    "nothing but pixels": {"metadata_rule": MetadataRule.STRIP_ALL, "neutral_names": False},
    "no location": {"metadata_rule": MetadataRule.STRIP_LOCATION, "neutral_names": False},
    "neutral names": {"metadata_rule": MetadataRule.KEEP, "neutral_names": True},
    "as it comes": {},
}


@sqlite_only
@pytest.mark.parametrize("terms", SILENT.values(), ids=SILENT)
def test_an_archive_does_not_say_when_what_it_hides_was_taken(house: House, terms: dict[str, Any]) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album, data=jpeg(drawing(40, 30), exif=camera_exif()))
    with transaction() as session:
        session.execute(sa.update(Media).values(shown_at=utcnow().replace(year=2019, month=5, day=6)))
    link = house.link(album, role=LinkRole.DOWNLOADER, **terms)
    whole = house.link(album, role=LinkRole.DOWNLOADER, metadata_rule=MetadataRule.KEEP, neutral_names=False)
    before = utcnow()

    hidden = days_in(house.visitor(link).get(f"/l/{link.public_id}/zip").data)
    kept = days_in(house.visitor(whole).get(f"/l/{whole.public_id}/zip").data)
    own = days_in(take(house, anna, media).data)

    assert hidden <= {(*day.timetuple()[:3], 0, 0, 0) for day in (before, utcnow())}
    assert {day[:3] for day in kept | own} == {(2019, 5, 6)}


@pytest.fixture
def anna(house: House) -> Person:
    """Return the owner of everything."""
    return house.person("Anna")


@pytest.fixture
def album(house: House, anna: Person) -> Album:
    """Return her album with two pictures."""
    found = house.album(anna)
    for _ in range(2):
        house.picture(anna, found)
    return found


def test_who_takes_an_archive_saw_every_picture_in_it(house: House, anna: Person, album: Album) -> None:
    ben, cem = house.person("Ben"), house.person("Cem")
    for each in (ben, cem):
        house.grant(album, each, Role.DOWNLOADER)
    media = db.session.scalars(sa.select(Media)).all()
    link = house.link(album, role=LinkRole.DOWNLOADER)

    assert house.browser(ben).get(f"/albums/{album.public_id}/zip", buffered=True).status_code == 200
    assert take(house, cem, media[0]).data
    assert take(house, anna, media[0]).data
    assert fetch(house.visitor(link), link) == 200
    house.vault.recorder.flush()

    db.session.rollback()
    seen = db.session.execute(sa.select(PersonSight.user_id, PersonSight.media_id, PersonSight.variant)).all()
    first, second = (each.id for each in media)
    assert {tuple(row) for row in seen} == {(ben.id, first, "zip"), (ben.id, second, "zip"), (cem.id, first, "zip")}
    assert rows(VisitSight, variant="zip") == 2
    permit = authorize(anna.viewer, Action.EXPLAIN, Media, media[0].public_id)
    assert [each.took_originals for each in history.onlookers_of_media(permit)] == [True, True]
    assert [each.took_original for each in history.guests_of_media(permit)] == [True]
    assert "took it home" in house.browser(anna).get(f"/media/{media[0].public_id}").text
    page = house.browser(anna).get(f"/links/{link.public_id}").text
    assert "in an archive" in page
    answer = house.browser().get(f"/api/v1/links/{link.public_id}/history", headers=house.token(anna))
    assert {each["variant"] for each in answer.get_json()["items"][0]["opened"]} == {"zip"}


@sqlite_only
@pytest.mark.parametrize("end", ["hangs up", "loses the right"])
def test_of_an_archive_that_breaks_off_only_what_went_out_was_seen(
    house: House, monkeypatch: pytest.MonkeyPatch, anna: Person, album: Album, end: str
) -> None:
    ben = house.person("Ben")
    house.grant(album, ben, Role.DOWNLOADER)
    permit = authorize(ben.viewer, Action.DOWNLOAD, Album, album.public_id)
    monkeypatch.setattr(zipping, "JOINED_BYTES", 1)
    entries = choosing.of_album(permit)
    found = zipping.of(house.vault, ben.viewer, "Summer", entries)
    came = [next(found.chunks), next(found.chunks)]  # a head, and all of the first picture
    house.vault.recorder.flush()
    assert rows(PersonSight) == 0

    if end == "hangs up":
        while len(came) < 4:
            came.append(next(found.chunks))  # what follows it, and the next one's head
        found.chunks.close()
    else:
        with transaction() as session:
            session.execute(sa.delete(Grant).where(Grant.user_id == ben.id))
        with pytest.raises(BrokenOff):
            came.extend(found.chunks)
    house.vault.recorder.flush()

    named = sa.select(Media.public_id).join(PersonSight, PersonSight.media_id == Media.id)
    db.session.rollback()
    assert db.session.scalars(named).all() == [entries[0].media_id]


def test_an_archive_of_more_is_another_download(house: House, anna: Person, album: Album) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER, max_downloads=2)
    visitor = house.visitor(link)

    assert [fetch(visitor, link) for _ in range(3)] == [200] * 3
    assert counted(link, "download_count") == 1
    added = house.picture(anna, album)
    assert [fetch(visitor, link) for _ in range(2)] == [200] * 2
    assert counted(link, "download_count") == 2
    house.picture(anna, album)
    assert (fetch(visitor, link), visitor.head(f"/l/{link.public_id}/zip").status_code) == (403, 403)
    with transaction() as session:
        session.execute(sa.delete(AlbumMedia).where(AlbumMedia.media_id > added.id))
    assert (fetch(visitor, link), visitor.head(f"/l/{link.public_id}/zip").status_code) == (200, 200)
    house.vault.recorder.flush()
    assert rows(Download) == 2
    stay = history.of_link(authorize(anna.viewer, Action.MANAGE, Link, link.public_id), limit=1).items[0]
    assert [each.is_zip for each in stay.takings] == [True, True]


def test_a_visitor_who_asks_again_and_again_is_one_event(house: House, anna: Person, album: Album) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER)
    first, second = house.visitor(link), house.visitor(link)

    for browser in (first, first, second, first):
        assert fetch(browser, link) == 200

    assert rows(Event, action="album.zip") == 2
    house.picture(anna, album)
    assert [fetch(first, link) for _ in range(2)] == [200, 200]
    assert rows(Event, action="album.zip") == 3
