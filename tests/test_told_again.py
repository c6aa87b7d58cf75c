"""What comes beside a file that is here already is learnt from it, once, and never from a stranger."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import House, Person, small_picture
from tests.parcels import TAKEN, packed, takeout, upload, work
from tests.test_guests import bring, brought
from vault.db import db
from vault.imaging.claims import NOTHING, Claims, Told
from vault.models.history import Visit
from vault.models.media import Album, AlbumMedia, Media, Order
from vault.models.membership import position_of
from vault.models.sharing import LinkRole
from vault.models.system import Event
from vault.policy import Action, Viewer, authorize
from vault.services import uploads
from vault.storage.incoming import Incoming

MOMENT = datetime(2019, 7, 14, 18, 30, tzinfo=UTC)
WORDS = {"caption": "Forum", "keywords": ("Rome", "Ben"), "latitude": 41.9, "longitude": 12.5}
SIDECAR = Told(beside=Claims(source="takeout", taken_at=MOMENT, **WORDS))  # type: ignore[arg-type]  # as a test says


def send(house: House, owner: Person, data: bytes, told: Told = NOTHING, **more: Any) -> uploads.Received:
    with Incoming(house.vault.storage, 10**7) as incoming:
        incoming.write(data)
        return uploads.receive(house.vault, owner.viewer, incoming, file_name="a.jpg", told=told, **more)


def again(media: Media) -> Media:
    db.session.rollback()
    return db.session.get_one(Media, media.id, populate_existing=True)


def test_a_ready_picture_learns_date_words_and_place_at_once(house: House) -> None:
    anna, data = house.person("Anna"), small_picture()
    album = house.album(anna, order=Order.OLDEST)
    media = house.picture(anna, album, data=data)

    assert send(house, anna, data, SIDECAR).duplicate

    row = again(media)
    assert (row.taken_at, row.shown_at, row.caption, row.keywords) == (MOMENT, MOMENT, "Forum", ["Rome", "Ben"])
    assert (row.latitude, row.longitude, row.sources["taken_at"]) == (41.9, 12.5, "takeout")
    assert db.session.scalar(sa.select(AlbumMedia.position)) == position_of(MOMENT)
    assert db.session.scalar(sa.select(Event.subject).where(Event.action == "media.sidecar")) == media.public_id


def test_a_pending_picture_learns_it_when_it_is_rendered(house: House) -> None:
    anna, data = house.person("Anna"), small_picture()
    media = house.picture(anna, data=data, ready=False)
    send(house, anna, data, SIDECAR)
    row = house.render(media)
    assert (row.taken_at, row.caption) == (MOMENT, "Forum")


def test_what_a_person_wrote_and_an_earlier_sidecar_stay(house: House) -> None:
    anna, data = house.person("Anna"), small_picture()
    media, browser = house.picture(anna, data=data), house.browser(anna)
    browser.post(f"/media/{media.public_id}/edit", data={"caption": "By hand"}, headers=house.csrf(browser))
    send(house, anna, data, SIDECAR)
    send(house, anna, data, Told(beside=Claims(source="takeout", caption="Later", title="Later")))
    row = again(media)
    assert (row.caption, row.title, row.keywords) == ("By hand", "", ["Rome", "Ben"])


def test_nothing_is_kept_of_it_when_the_transaction_fails(house: House) -> None:
    anna, data = house.person("Anna"), small_picture()
    media = house.picture(anna, data=data)

    def fail(_session: object, _received: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        send(house, anna, data, SIDECAR, along=fail)
    assert (again(media).told, again(media).caption) == ({}, "")


def test_what_others_bring_changes_nothing(house: House) -> None:
    anna, ben, data = house.person("Anna"), house.person("Ben"), small_picture()
    media = house.picture(anna, data=data)
    send(house, ben, data, SIDECAR)
    assert again(media).told == {}


def test_what_a_guest_brings_twice_changes_nothing(house: House) -> None:
    anna, data = house.person("Anna"), small_picture()
    album = house.album(anna)
    own = house.picture(anna, data=data)
    link = house.link(album, role=LinkRole.CONTRIBUTOR)
    assert bring(house.visitor(link), link, data).status_code == 303
    (media,) = brought()
    visit = db.session.scalars(sa.select(Visit)).one()
    stay = Viewer(link_id=link.public_id, generation=visit.generation, visit_id=visit.id)
    permit = authorize(stay, Action.ADD, Album, album.public_id)

    with Incoming(house.vault.storage, 10**7) as incoming:
        incoming.write(data)
        found = uploads.receive_from_guest(
            house.vault, permit, incoming, file_name="a.jpg", guest_name="Ida", told=SIDECAR
        )

    assert (found.duplicate, found.media.id) == (True, media.id)
    assert (again(media).told, again(own).told) == ({}, {})


def test_a_takeout_after_plain_uploads_says_what_it_knows_of_them(house: House) -> None:
    anna = house.person("Anna")
    ready = house.picture(anna, data=small_picture(7))
    waiting = house.picture(anna, data=small_picture(2), ready=False)

    upload(house, anna, packed(takeout(small_picture)))
    work(house)

    row = again(ready)
    assert (row.caption, row.taken_at, row.latitude) == ("Forum", datetime.fromtimestamp(TAKEN, UTC), 47.5)
    assert row.sources["taken_at"] == "takeout"
    held = sa.select(Album.title).join(AlbumMedia, AlbumMedia.album_id == Album.id)
    assert db.session.scalar(held.where(AlbumMedia.media_id == row.id)) == "Rome & around: 2019"
    assert house.render(waiting).caption == "Another lake"
