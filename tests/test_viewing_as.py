"""Looking with another's eyes: what both see and no more, on the other's terms, uncounted and recorded once."""

import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient

from tests.factories import House, Person, small_picture
from vault.db import db
from vault.models.history import PersonSight, Visit, VisitSight
from vault.models.media import Album, Media
from vault.models.sharing import Link, LinkRole, Role, Scope
from vault.models.system import Event
from vault.policy import Action, authorize
from vault.services import albums, links

BYTES = ("thumb", "preview", "original")
CONDITIONS: tuple[dict[str, str], ...] = ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"})


def seen_as(album: Album, whom: Person | Link | str, rest: str = "") -> str:
    """Return the address of an album with somebody's eyes."""
    name = whom if isinstance(whom, str) else f"link-{whom.public_id}" if isinstance(whom, Link) else whom.public_id
    return f"/albums/{album.public_id}/as/{name}{rest}"


def statuses(browser: FlaskClient, address: str) -> set[int]:
    """Ask for an address in every way."""
    found = {browser.get(address, headers=headers).status_code for headers in CONDITIONS}
    return found | {browser.head(address).status_code}


def looks(house: House) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Event).where(Event.action == "view_as")) or 0


def test_one_sees_what_the_other_sees_and_what_one_sees_oneself(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna, "Summer")
    inside, apart = house.album(anna, "Inside", parent=album), house.album(anna, "Apart", parent=album)
    albums.change(authorize(anna.viewer, Action.MANAGE, Album, apart.public_id), albums.Changes(inherits=False))
    shown, deep, hidden, his = (house.picture(anna, each) for each in (album, inside, apart, None))
    house.grant(album, ben, Role.VIEWER)
    other = house.album(anna, "Ben sees this as well")
    beside = house.picture(anna, other)
    house.grant(other, ben, Role.DOWNLOADER)
    browser = house.browser(anna)

    page = browser.get(seen_as(album, ben)).get_data(as_text=True)
    assert "You see this as Ben sees it." in page
    assert shown.public_id in page
    assert "Inside" in page
    assert all(text not in page for text in ("Apart", hidden.public_id, "Ben sees this as well", beside.public_id))
    assert deep.public_id in browser.get(seen_as(album, ben, f"/albums/{inside.public_id}")).get_data(as_text=True)
    assert browser.get(seen_as(album, ben, f"/albums/{apart.public_id}")).status_code == 403
    for media, expected in ((shown, 200), (deep, 200), (hidden, 403), (beside, 403), (his, 403)):
        assert browser.get(seen_as(album, ben, f"/media/{media.public_id}")).status_code == expected
        assert browser.get(seen_as(album, ben, f"/media/{media.public_id}/thumb")).status_code == expected
        assert statuses(browser, seen_as(album, ben, f"/media/{media.public_id}/original")) == {403}


def test_a_manager_does_not_see_more_with_the_owner_s_eyes(house: House) -> None:
    anna, eve, cem = house.person("Anna"), house.person("Eve"), house.person("Cem")
    album = house.album(anna)
    apart = house.album(anna, "Apart", parent=album)
    albums.change(authorize(anna.viewer, Action.MANAGE, Album, apart.public_id), albums.Changes(inherits=False))
    hidden = house.picture(anna, apart)
    house.grant(album, eve, Role.MANAGER)
    house.grant(apart, cem, Role.VIEWER)
    browser = house.browser(eve)

    page = browser.get(seen_as(album, anna)).get_data(as_text=True)

    assert "Apart" not in page
    assert browser.get(seen_as(album, anna, f"/albums/{apart.public_id}")).status_code == 403
    for name in BYTES:
        assert statuses(browser, seen_as(album, anna, f"/media/{hidden.public_id}/{name}")) == {403}
    assert browser.get(seen_as(apart, anna)).status_code == 403


def test_who_may_not_know_who_sees_it_may_not_look(house: House) -> None:
    anna, ben, eve = house.person("Anna"), house.person("Ben"), house.person("Eve")
    album = house.album(anna)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.EDITOR)
    link = house.link(album, role=LinkRole.DOWNLOADER)
    whoms: list[Person | Link | str] = [anna, ben, link, "nobody"]

    for asking in (ben, eve):
        browser = house.browser(asking)
        for whom in whoms:
            assert statuses(browser, seen_as(album, whom)) == {403}
            for name in BYTES:
                assert statuses(browser, seen_as(album, whom, f"/media/{media.public_id}/{name}")) == {403}
            listed = browser.get(f"/api/v1{seen_as(album, whom)}/media")
            assert listed.status_code == 403
    for name in BYTES:
        assert statuses(house.browser(), seen_as(album, ben, f"/media/{media.public_id}/{name}")) == {403}
    assert looks(house) == 0


def test_who_does_not_see_the_album_is_as_unknown_as_who_is_not_there(house: House) -> None:
    anna, stranger, gone = house.person("Anna"), house.person("Stranger"), house.person("Gone")
    album, other = house.album(anna), house.album(anna, "Other")
    house.grant(album, gone, Role.VIEWER)
    house.disable(gone)
    browser = house.browser(anna)
    of_other = house.link(other)
    picked_there = house.link(other, scope=Scope.SELECTION, pictures=[house.picture(anna, other)])
    dead = house.link(album)
    links.revoke(authorize(anna.viewer, Action.DELETE, Link, dead.public_id))

    unknown = ["A" * 22, "link-" + "A" * 22, "somebody", f"link-{stranger.public_id}"]
    closed: list[Person | Link | str] = [stranger, gone, of_other, picked_there, dead]
    for whom in [*closed, house.link(album, role=LinkRole.DROP), *unknown]:
        assert browser.get(seen_as(album, whom)).status_code == 403
    assert looks(house) == 0


def test_nobody_sees_nothing(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album)
    browser = house.browser(anna)

    answer = browser.get(seen_as(album, "nobody"))

    assert answer.status_code == 200
    assert media.public_id not in answer.get_data(as_text=True)
    assert browser.get(f"/api/v1{seen_as(album, 'nobody')}/media").get_json() == {"items": [], "next_cursor": None}
    for name in BYTES:
        assert statuses(browser, seen_as(album, "nobody", f"/media/{media.public_id}/{name}")) == {403}


def test_through_a_link_the_link_s_terms_hold_and_nothing_is_counted(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    data = small_picture()
    media = house.picture(anna, album, data=data, file_name="grandma's house.jpg")
    kept = house.link(album, role=LinkRole.DOWNLOADER, metadata_rule="keep", neutral_names=False, max_visits=1)
    cut = house.link(album, role=LinkRole.DOWNLOADER, metadata_rule="all", max_downloads=1, password="open sesame")
    looked = house.link(album)
    browser = house.browser(anna)

    def original(link: Link) -> tuple[int, bytes, str]:
        answer = browser.get(seen_as(album, link, f"/media/{media.public_id}/original"))
        return answer.status_code, answer.data, answer.headers.get("Content-Disposition", "")

    assert original(kept)[:2] == (200, data)
    assert "grandma" in original(kept)[2]
    for _ in range(3):
        status, sent, name = original(cut)
        assert status == 200
        assert sent != data
        assert "grandma" not in name
    assert original(looked)[0] == 403
    assert browser.get(seen_as(album, cut)).status_code == 200
    assert "grandma" not in browser.get(seen_as(album, cut)).get_data(as_text=True)
    house.vault.recorder.flush()
    db.session.expire_all()
    for link in (kept, cut, looked):
        row = db.session.get_one(Link, link.id)
        assert (row.visit_count, row.download_count) == (0, 0)
    for table in (Visit, VisitSight, PersonSight):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_who_looks_with_another_s_eyes_leaves_traces_of_his_own_and_none_of_the_other(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.DOWNLOADER)
    house.grant(album, cem := house.person("Cem"), Role.MANAGER)
    media = house.picture(anna, album)
    browser = house.browser(cem)
    for name in BYTES:
        assert browser.get(seen_as(album, ben, f"/media/{media.public_id}/{name}")).status_code == 200
    house.vault.recorder.flush()

    db.session.rollback()
    seen = db.session.execute(sa.select(PersonSight.user_id, PersonSight.variant).order_by(PersonSight.variant)).all()
    assert [tuple(row) for row in seen] == [(cem.id, "original"), (cem.id, "preview")]
    taken = db.session.scalars(sa.select(Event.actor_id).where(Event.action == "media.download")).all()
    assert taken == [cem.id]


def test_no_page_of_another_s_eyes_is_seen_without_a_record(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    inside = house.album(anna, "Inside", parent=album)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.VIEWER)
    ways = ("?cursor=1", f"/albums/{inside.public_id}", f"/media/{media.public_id}")
    for count, rest in enumerate(ways, 1):
        assert house.browser(anna).get(seen_as(album, ben, rest)).status_code == 200
        assert looks(house) == count
    assert house.browser(anna).get(seen_as(album, ben), headers={"Accept": "application/json"}).status_code == 200
    assert looks(house) == len(ways) + 1


def test_pictures_picked_for_a_link_are_all_it_shows(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    picked, other = house.picture(anna, album), house.picture(anna, album)
    link = house.link(album, scope=Scope.SELECTION, pictures=[picked], label="Uncle Bob")
    browser = house.browser(anna)

    page = browser.get(seen_as(album, link)).get_data(as_text=True)

    assert "You see this as the link “Uncle Bob” sees it." in page
    assert picked.public_id in page
    assert other.public_id not in page
    assert browser.get(seen_as(album, link, f"/media/{picked.public_id}/preview")).status_code == 200
    assert browser.get(seen_as(album, link, f"/media/{picked.public_id}")).status_code == 200
    assert browser.get(seen_as(album, link, f"/media/{other.public_id}/preview")).status_code == 403


def test_it_is_recorded_once_when_it_begins(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.VIEWER)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        browser = house.browser(anna)
        for _ in range(2):
            browser.get(seen_as(album, ben))
            browser.get(seen_as(album, ben, f"/media/{media.public_id}/preview"))
        assert looks(house) == 1
        browser.get(f"/albums/{album.public_id}/access")
        browser.get(seen_as(album, ben))
        assert looks(house) == 2
        clock.shift(3_700)
        browser.get(seen_as(album, ben))
        assert looks(house) == 3

    event = db.session.scalars(sa.select(Event).where(Event.action == "view_as")).first()
    assert event is not None
    assert (event.actor_id, event.subject) == (anna.id, album.public_id)
    assert event.detail == {"whom": ben.public_id, "name": "Ben"}


def test_the_eyes_change_nothing(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.MANAGER)
    browser = house.browser(anna)
    proof = house.csrf(browser)

    for rest in ("", f"/media/{media.public_id}", f"/media/{media.public_id}/thumb", f"/albums/{album.public_id}"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert browser.open(seen_as(album, ben, rest), method=method, headers=proof).status_code == 405
    page = browser.get(seen_as(album, ben)).get_data(as_text=True)
    assert "<form" not in page
    assert 'method="post"' not in page


def test_scripts_list_what_another_sees(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.VIEWER)
    shown = {house.picture(anna, album).public_id for _ in range(3)}
    address, header = f"/api/v1{seen_as(album, ben)}/media", house.token(anna)

    first = house.browser().get(f"{address}?limit=2", headers=header).get_json()
    rest = house.browser().get(f"{address}?limit=2&cursor={first['next_cursor']}", headers=header).get_json()

    assert {each["id"] for each in first["items"] + rest["items"]} == shown
    assert rest["next_cursor"] is None
    assert looks(house) == 2
    authorize(ben.viewer, Action.VIEW, Media, shown.pop())
