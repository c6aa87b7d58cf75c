"""What guests add by a link: whose it is, who sees it, what it counts against, and taking it back."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import House, Person, small_picture
from vault.db import db, utcnow
from vault.models.account import User
from vault.models.media import Album, Media
from vault.models.sharing import Link, LinkRole, Role
from vault.models.system import Event
from vault.policy import Action, Denied, authorize
from vault.services import guests, links


def bring(visitor: FlaskClient, link: Link, *files: bytes, name: str = "Ida", names: str = "a.jpg") -> TestResponse:
    """Send files by the form, as a visitor."""
    page = visitor.get(f"/l/{link.public_id}/add").get_data(as_text=True)
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    sent = [(io.BytesIO(each), names) for each in files]
    return visitor.post(f"/l/{link.public_id}/add", data={"file": sent, "guest_name": name, "csrf_token": token})


def withdraw(visitor: FlaskClient, link: Link, media: Media) -> int:
    """Take a picture back, as a visitor."""
    page = visitor.get(f"/l/{link.public_id}/add").get_data(as_text=True)
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    address = f"/l/{link.public_id}/brought/{media.public_id}/withdraw"
    return visitor.post(address, data={"csrf_token": token}).status_code


def brought() -> list[Media]:
    """Return all that guests brought."""
    db.session.rollback()  # what requests wrote since
    return list(db.session.scalars(sa.select(Media).where(Media.origin != "").order_by(Media.id)))


def used(person: Person) -> int:
    """Return what a person's originals take."""
    db.session.rollback()  # what requests wrote since
    return db.session.get_one(User, person.id).used_bytes


@pytest.mark.parametrize("role", [LinkRole.DROP, LinkRole.CONTRIBUTOR])
def test_what_a_guest_adds_is_the_owners_and_waits(house: House, role: LinkRole) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album, data = house.album(anna), small_picture()
    house.grant(album, ben, Role.EDITOR)
    link = house.link(album, role=role)
    visitor = house.visitor(link)

    assert bring(visitor, link, data).status_code == 303

    (media,) = brought()
    assert (media.owner_id, media.guest_name, used(anna)) == (anna.id, "Ida", len(data))
    assert media.awaiting_since is not None
    for path in ("thumb", "preview", "original"):
        house.make_ready(media) if path == "thumb" else None
        assert visitor.get(f"/l/{link.public_id}/media/{media.public_id}/{path}").status_code == 403
        assert house.browser(ben).get(f"/media/{media.public_id}/{path}").status_code == 403
        assert house.browser(anna).get(f"/media/{media.public_id}/{path}").status_code == 200
    assert media.public_id not in house.browser(anna).get(f"/albums/{album.public_id}").get_data(as_text=True)
    assert media.public_id in house.browser(anna).get(f"/albums/{album.public_id}/arrivals").get_data(as_text=True)
    assert db.session.get_one(Album, album.id).media_count == 0


def test_a_picture_that_is_let_in_is_seen_by_all_who_see_the_album(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.VIEWER)
    link = house.link(album, role=LinkRole.CONTRIBUTOR)
    visitor = house.visitor(link)
    bring(visitor, link, small_picture(), small_picture())
    kept, other = brought()
    for media in (kept, other):
        house.make_ready(media)

    guests.accept(authorize(anna.viewer, Action.ACCEPT, Media, kept.public_id))
    guests.decline(authorize(anna.viewer, Action.ACCEPT, Media, other.public_id))

    db.session.rollback()  # what requests wrote since
    assert db.session.get_one(Album, album.id).media_count == 1
    for browser, address in ((visitor, f"/l/{link.public_id}"), (house.browser(ben), "")):
        assert browser.get(f"{address}/media/{kept.public_id}/thumb").status_code == 200
        assert browser.get(f"{address}/media/{other.public_id}/thumb").status_code == 403
    assert db.session.get_one(Media, other.id).trashed_at is not None
    for deed in (Action.ACCEPT,):
        with pytest.raises(Denied):
            authorize(anna.viewer, deed, Media, kept.public_id)


def test_who_manages_the_album_decides_and_nobody_below(house: House) -> None:
    anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    house.grant(album, carl, Role.EDITOR)
    link = house.link(album, role=LinkRole.DROP)
    bring(house.visitor(link), link, small_picture())
    (media,) = brought()
    house.make_ready(media)

    assert house.browser(ben).get(f"/media/{media.public_id}/thumb").status_code == 200
    assert house.browser(carl).get(f"/albums/{album.public_id}/arrivals").status_code == 403
    browser = house.browser(carl)
    assert browser.post(f"/media/{media.public_id}/accept", headers=house.csrf(browser)).status_code == 403
    browser = house.browser(ben)
    assert browser.post(f"/media/{media.public_id}/accept", headers=house.csrf(browser)).status_code == 302
    assert brought()[0].awaiting_since is None


def test_without_acceptance_it_is_there_at_once(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    link = house.link(album, role=LinkRole.CONTRIBUTOR, needs_acceptance=False)
    visitor = house.visitor(link)
    bring(visitor, link, small_picture())
    (media,) = brought()
    house.make_ready(media)
    assert visitor.get(f"/l/{link.public_id}/media/{media.public_id}/thumb").status_code == 200
    assert db.session.get_one(Album, album.id).media_count == 1


def test_a_drop_only_link_shows_nothing(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna, "Secret surprise")
    media = house.picture(anna, album)
    link = house.link(album, role=LinkRole.DROP, label="Pictures for Anna")
    visitor = house.visitor(link)
    page = visitor.get(f"/l/{link.public_id}/", follow_redirects=True)
    assert page.request.path == f"/l/{link.public_id}/add"
    assert "Secret surprise" not in page.get_data(as_text=True)
    for path in ("", "/thumb", "/preview", "/original"):
        assert visitor.get(f"/l/{link.public_id}/media/{media.public_id}{path}").status_code == 403
    assert visitor.get(f"/l/{link.public_id}/albums/{album.public_id}").status_code == 403


@pytest.mark.parametrize("role", [LinkRole.VIEWER, LinkRole.DOWNLOADER])
def test_a_link_that_only_shows_takes_nothing(house: House, role: LinkRole) -> None:
    anna = house.person("Anna")
    link = house.link(house.album(anna), role=role)
    visitor = house.visitor(link)
    assert visitor.get(f"/l/{link.public_id}/add").status_code == 403
    data = {"file": (io.BytesIO(small_picture()), "a.jpg")}
    assert visitor.post(f"/l/{link.public_id}/add", data=data).status_code == 403
    assert brought() == []


def test_a_stranger_without_a_visit_brings_nothing(house: House) -> None:
    link = house.link(house.album(house.person("Anna")), role=LinkRole.DROP)
    data = {"file": (io.BytesIO(small_picture()), "a.jpg")}
    answer = house.browser().post(f"/l/{link.public_id}/add", data=data)
    assert answer.status_code == 403
    assert list(house.vault.storage.temporaries()) == []


def test_a_guest_takes_back_what_he_brought_in_this_visit_only(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    own = house.picture(anna, album)
    link = house.link(album, role=LinkRole.CONTRIBUTOR, max_uploads=2, needs_acceptance=False)
    ida, otto = house.visitor(link), house.visitor(link)
    before = used(anna)
    bring(ida, link, small_picture())
    (media,) = brought()

    assert withdraw(otto, link, media) == 403
    assert withdraw(ida, link, own) == 403
    assert withdraw(ida, link, media) == 303

    assert (brought(), used(anna)) == ([], before)
    assert list(house.vault.storage.keys("originals/")) == [own.blob_key]
    assert db.session.get_one(Link, link.id).upload_count == 0
    assert db.session.get_one(Album, album.id).media_count == 1
    assert db.session.scalar(sa.select(sa.func.count()).where(Event.action == "media.withdraw")) == 1


def test_after_the_visit_nothing_can_be_taken_back(house: House) -> None:
    anna = house.person("Anna")
    link = house.link(house.album(anna), role=LinkRole.DROP)
    visitor = house.visitor(link)
    bring(visitor, link, small_picture())
    (media,) = brought()
    address = f"/l/{link.public_id}/brought/{media.public_id}/withdraw"
    token = house.csrf(visitor)
    with time_machine.travel(utcnow() + timedelta(hours=25)):
        assert visitor.post(address, headers=token).status_code == 403
    links.pause(authorize(anna.viewer, Action.MANAGE, Link, link.public_id))
    assert visitor.post(address, headers=token).status_code == 403
    assert len(brought()) == 1


def test_the_links_limit_and_the_owners_quota_hold(house: House) -> None:
    anna = house.person("Anna", quota=1_000_000)
    link = house.link(house.album(anna), role=LinkRole.DROP, max_uploads=2)
    visitor = house.visitor(link)
    bring(visitor, link, small_picture(), small_picture(), small_picture())
    assert len(brought()) == 2
    assert db.session.get_one(Link, link.id).upload_count == 2

    poor = house.person("Poor", quota=10)
    link = house.link(house.album(poor), role=LinkRole.DROP)
    visitor = house.visitor(link)
    bring(visitor, link, small_picture())
    assert (len(brought()), used(poor)) == (2, 0)
    assert db.session.get_one(Link, link.id).upload_count == 0


def test_a_guest_learns_nothing_of_what_the_owner_has(house: House) -> None:
    anna = house.person("Anna")
    album, data = house.album(anna), small_picture()
    own = house.picture(anna, data=data)
    link = house.link(album, role=LinkRole.DROP)
    visitor = house.visitor(link)
    token = {"Accept": "application/json", **house.csrf(visitor)}

    def send(content: bytes) -> tuple[int, dict[str, object]]:
        sent = {"file": (io.BytesIO(content), "a.jpg"), "guest_name": "Ida"}
        answer = visitor.post(f"/l/{link.public_id}/add", data=sent, headers=token)
        return answer.status_code, answer.get_json()

    known, new = send(data), send(small_picture())
    assert known[0] == new[0] == 201
    assert {**known[1], "id": ""} == {**new[1], "id": ""}
    assert known[1]["id"] != own.public_id
    again = send(data)
    assert (again[1]["id"], again[1]["duplicate"]) == (known[1]["id"], True)
    assert withdraw(visitor, link, brought()[0]) == 303
    assert house.browser(anna).get(f"/media/{own.public_id}/original").data == data


def test_what_is_no_picture_is_refused_with_a_sentence(house: House) -> None:
    link = house.link(house.album(house.person("Anna")), role=LinkRole.DROP)
    visitor = house.visitor(link)
    bring(visitor, link, b"<html></html>", names="x.html")
    assert "x.html:" in visitor.get(f"/l/{link.public_id}/add").get_data(as_text=True)
    assert brought() == []


def test_the_api_lists_and_decides(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    link = house.link(album, role=LinkRole.DROP)
    bring(house.visitor(link), link, small_picture(), small_picture())
    client, token = house.browser(), house.token(anna)
    listed = client.get(f"/api/v1/albums/{album.public_id}/arrivals", headers=token).get_json()
    assert (listed["count"], [each["guest_name"] for each in listed["items"]]) == (2, ["Ida", "Ida"])
    first, second = (each["id"] for each in listed["items"])
    assert client.post(f"/api/v1/media/{first}/accept", headers=token).status_code == 204
    assert client.post(f"/api/v1/media/{second}/decline", headers=token).status_code == 204
    assert client.post(f"/api/v1/media/{first}/accept", headers=token).status_code == 403
    assert client.get(f"/api/v1/albums/{album.public_id}/arrivals", headers=token).json == {"items": [], "count": 0}


def test_a_full_link_reads_no_body(house: House) -> None:
    link = house.link(house.album(house.person("Anna")), role=LinkRole.DROP, max_uploads=1)
    visitor = house.visitor(link)
    token = house.csrf(visitor)
    bring(visitor, link, small_picture())
    body = io.BytesIO(b"x" * 3_000_000)
    answer = visitor.post(f"/l/{link.public_id}/add", input_stream=body, content_length=3_000_000, headers=token)
    assert answer.status_code == 422
    assert body.tell() == 0
