"""What guests bring in pairs, and files that are paired by the worker itself."""

import pytest
import sqlalchemy as sa
from PIL.ExifTags import Base

from tests import pictures, sensors
from tests.factories import House, Person, small_picture
from tests.pairs import DNG, TAKEN, again, file, pair
from tests.scripts import Script
from tests.test_guests import bring, brought, used, withdraw
from vault import pairing
from vault.db import db, transaction
from vault.models.media import Album, Media, Part
from vault.models.sharing import Link, LinkRole, Role
from vault.models.system import Event
from vault.policy import Action, Viewer, authorize, may
from vault.services import derivatives, guests, inspection, library


def a_guests_pair(house: House, anna: Person, album: Album) -> tuple[Link, Media, Media]:
    """Return a link, and the picture and its RAW that a visitor of it has brought, waiting for Anna."""
    link = house.link(album, role=LinkRole.CONTRIBUTOR, needs_acceptance=True)
    visitor = house.visitor(link)
    for name in ("IMG_1.jpg", "IMG_1.dng"):
        assert bring(visitor, link, small_picture(), names=name).status_code == 303
    main, raw = brought()
    for media in (main, raw):
        house.make_ready(media, TAKEN)
    with transaction() as session:
        session.execute(sa.update(Media).where(Media.id == raw.id).values(media_type=DNG))
    assert pair(raw) == [(main.id, raw.id)]
    return link, main, raw


def test_who_lets_a_picture_in_sees_what_comes_with_it(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    _, _, raw = a_guests_pair(house, anna, album)
    for person in (anna, ben):
        browser = house.browser(person)
        page = browser.get(f"/albums/{album.public_id}/arrivals").text
        assert f'With it comes <a href="/media/{raw.public_id}">IMG_1.dng</a>' in page
        assert browser.get(f"/media/{raw.public_id}").status_code == 200
        (item,) = Script(house, person).get(f"/albums/{album.public_id}/arrivals")["items"]
        assert item["parts"] == [raw.public_id]


@pytest.mark.parametrize("accepted", [True, False])
def test_what_is_decided_of_the_picture_is_decided_of_its_raw(house: House, *, accepted: bool) -> None:
    anna = house.person()
    album = house.album(anna)
    _, main, raw = a_guests_pair(house, anna, album)
    waiting = guests.awaiting(authorize(anna.viewer, Action.MANAGE, Album, album.public_id))
    assert [media.id for media in waiting] == [main.id]

    allowed = authorize(anna.viewer, Action.ACCEPT, Media, main.public_id)
    (guests.accept if accepted else guests.decline)(allowed)

    assert (again(raw).awaiting_since is None) is accepted
    assert (again(raw).trashed_at is None) is accepted
    assert may(anna.viewer, Action.VIEW, Media, raw.public_id) is accepted


def test_a_guest_takes_both_back_at_once(house: House) -> None:
    anna = house.person()
    album = house.album(anna)
    link = house.link(album, role=LinkRole.CONTRIBUTOR, max_uploads=2)
    visitor = house.visitor(link)
    for name in ("IMG_1.jpg", "IMG_1.dng"):
        bring(visitor, link, small_picture(), names=name)
    main, raw = brought()
    house.make_ready(main, TAKEN)
    house.make_ready(raw, TAKEN)
    with transaction() as session:
        session.execute(sa.update(Media).where(Media.id == raw.id).values(media_type=DNG))
    assert pair(main) == [(main.id, raw.id)]
    assert again(raw).origin == again(main).origin != ""

    assert withdraw(visitor, link, main) == 303

    assert brought() == []
    assert (used(anna), list(house.vault.storage.keys(""))) == (0, [])
    assert db.session.scalar(sa.select(Link.upload_count).where(Link.id == link.id)) == 0


def test_the_visitor_of_a_link_sees_no_raw_of_what_was_let_in(house: House) -> None:
    anna = house.person()
    album = house.album(anna)
    link, main, raw = a_guests_pair(house, anna, album)
    guests.accept(authorize(anna.viewer, Action.ACCEPT, Media, main.public_id))
    anybody = Viewer(link_id=link.public_id, generation=link.generation)
    assert may(anybody, Action.VIEW, Media, main.public_id)
    assert not may(anybody, Action.VIEW, Media, raw.public_id)


@pytest.mark.parametrize("gone", [True, False])
def test_what_a_killed_worker_left_apart_is_joined_when_the_next_one_starts(
    house: House, monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    anna = house.person()
    film = file(house, anna, "IMG_1.MOV", duration_seconds=2.0)
    exif = pictures.camera_exif(taken="2024:07:06 13:04:05")
    still = house.picture(anna, data=pictures.jpeg(exif=exif), file_name="IMG_1.jpg", ready=False)

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pairing, "pair", killed)
        with pytest.raises(KeyboardInterrupt):
            house.render(still)
    assert (again(still).state, again(film).part_of_id) == ("ready", None)
    assert inspection.inspect(house.vault).problems == []
    if gone:
        library.trash(authorize(anna.viewer, Action.TRASH, Media, film.public_id))

    derivatives.release_claims()

    assert again(film).part_of_id == (None if gone else still.id)
    assert again(still).claimed_at is None


def test_what_has_nothing_to_be_joined_with_keeps_no_claim(house: House) -> None:
    alone = house.picture(house.person(), ready=False)
    assert house.render(alone).claimed_at is None


def test_the_worker_joins_what_one_press_of_the_button_made(house: House) -> None:
    pytest.importorskip("rawpy", reason="the extra raw is not installed")
    anna = house.person()
    album, upright = house.album(anna), pictures.drawing(300, 200)
    exif = pictures.camera_exif(taken="2024:07:06 15:04:05")
    exif[Base.Model] = "Testar Raw"
    raw = house.picture(anna, album, data=sensors.dng(upright), file_name="IMG_1.DNG", ready=False)
    main = house.picture(anna, album, data=pictures.jpeg(upright, exif=exif), file_name="img_1.jpg", ready=False)

    house.render(raw)
    assert again(raw).part_of_id is None
    house.render(main)

    row = again(raw)
    assert (row.media_type, row.state, row.part_of_id, row.part) == (DNG, "ready", main.id, Part.RAW)
    event = db.session.scalars(sa.select(Event).where(Event.action == "media.pair")).one()
    assert event.subject == main.public_id
    assert again(main).media_type == "image/jpeg"
