"""An administrator who must look: for a while, with a reason, recorded, and never unknown to the owner."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.factories import House, Person
from vault.db import db, utcnow
from vault.models.history import Notice
from vault.models.media import Album
from vault.models.sharing import Grant, Role
from vault.models.system import Event
from vault.policy import Action, Denied, authorize, may
from vault.services import Refused, breakglass, explaining, notices, sharing

REASON = "A complaint says there are pictures of others in it"


def look(admin: Person, owner: Person, album: Album, *, reason: str = REASON, hours: int = 24) -> Grant:
    return breakglass.look(admin.id, owner.id, album.public_id, reason=reason, hours=hours)


def sees(person: Person, album: Album, action: Action = Action.VIEW) -> bool:
    return may(person.viewer, action, Album, album.public_id)


def events(action: str) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Event).where(Event.action == action)) or 0


def test_a_look_is_a_viewer_s_grant_that_ends_by_itself(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album, other = house.album(anna, "Summer"), house.album(anna, "Winter")
    media = house.picture(anna, album).public_id
    assert not sees(jo, album)

    with time_machine.travel(utcnow() + timedelta(minutes=1), tick=False) as clock:
        look(jo, anna, album, hours=2)
        browser = house.browser(jo)
        assert sees(jo, album)
        assert [sees(jo, album, action) for action in (Action.DOWNLOAD, Action.ADD, Action.MANAGE)] == [False] * 3
        assert not sees(jo, other)
        assert browser.get(f"/media/{media}/preview").status_code == 200
        assert browser.get(f"/media/{media}/original").status_code == 403
        clock.shift(timedelta(hours=2))
        assert not sees(jo, album)
        assert browser.get(f"/media/{media}/preview", headers={"If-None-Match": "*"}).status_code == 403


def test_the_owner_is_told_who_which_album_why_and_until_when(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album = house.album(anna, "Summer")
    assert "Administrator Jo" not in house.browser(anna).get("/").get_data(as_text=True)

    row = look(jo, anna, album)

    page = house.browser(anna).get("/pictures").get_data(as_text=True)
    assert row.expires_at is not None
    for text in ("Administrator Jo looks at your album “Summer”", REASON, f"{row.expires_at:%B %Y, %H:%M}"):
        assert text in page
    assert events("break_glass") == 1
    permit = authorize(anna.viewer, Action.EXPLAIN, Album, album.public_id)
    (line,) = [each for each in explaining.of_album(permit) if each.kind == "break_glass"]
    assert line.reason.startswith("administrator Jo looks until ")
    assert line.reason.endswith(f": {REASON}")


def test_the_owner_ends_it_at_once(house: House) -> None:
    jo, anna, ben = house.person("Jo", admin=True), house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    look(jo, anna, album)
    (told,) = notices.of(anna.id)
    browser = house.browser(anna)
    proof = house.csrf(browser)
    stranger = house.browser(ben)

    assert stranger.post(f"/notices/{told.id}/end", headers=house.csrf(stranger)).status_code == 403
    assert sees(jo, album)
    assert browser.post(f"/notices/{told.id}/end", headers=proof).status_code == 302

    assert not sees(jo, album)
    assert events("break_glass.end") == 1
    (told,) = notices.of(anna.id)
    assert "looked at your album" in told.title
    assert told.album_id is None
    assert browser.post(f"/notices/{told.id}/end", headers=proof).status_code == 403


def test_it_cannot_be_lengthened_unseen(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album = house.album(anna)
    with time_machine.travel(utcnow() + timedelta(minutes=1), tick=False) as clock:
        ends = look(jo, anna, album, hours=1).expires_at
        with pytest.raises(Refused, match="already"):
            look(jo, anna, album, hours=168)
        assert db.session.get_one(Grant, (album.id, jo.id)).expires_at == ends
        clock.shift(timedelta(hours=1))
        look(jo, anna, album, hours=1)

    assert events("break_glass") == 2
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 2


@pytest.mark.parametrize(
    ("reason", "hours"), [("", 24), ("because", 24), ("\n \t" * 20, 24), (REASON, 0), (REASON, 169), (REASON, -1)]
)
def test_without_a_reason_or_beyond_a_week_there_is_no_look(house: House, reason: str, hours: int) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album = house.album(anna)
    with pytest.raises(Refused):
        look(jo, anna, album, reason=reason, hours=hours)
    assert not sees(jo, album)
    assert notices.of(anna.id) == []


def test_only_an_administrator_may_and_only_at_albums_of_that_person(house: House) -> None:
    jo, anna, ben = house.person("Jo", admin=True), house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    for actor, owner, album_id in (
        (ben, anna, album.public_id),
        (anna, anna, album.public_id),
        (jo, ben, album.public_id),
        (jo, anna, "A" * 22),
        (jo, anna, "odd"),
    ):
        with pytest.raises(Denied):
            breakglass.look(actor.id, owner.id, album_id, reason=REASON, hours=1)
    house.disable(jo)
    with pytest.raises(Denied):
        look(jo, anna, album)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Grant)) == 0


def test_who_sees_the_album_anyway_is_told_so(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album = house.album(anna)
    house.grant(album, jo, Role.MANAGER)
    with pytest.raises(Refused, match="already"):
        look(jo, anna, album)
    assert db.session.get_one(Grant, (album.id, jo.id)).role == Role.MANAGER


def test_nothing_of_a_disabled_person_opens(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album = house.album(anna)
    house.disable(anna)
    with pytest.raises(Refused, match="disabled"):
        look(jo, anna, album)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0


def test_a_grant_of_the_owner_s_own_is_no_look_any_more(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album = house.album(anna)
    look(jo, anna, album)
    house.grant(album, jo, Role.EDITOR)
    permit = authorize(anna.viewer, Action.MANAGE, Album, album.public_id)

    assert [line.kind for line in explaining.of_album(permit)] == ["owner", "grant"]
    with pytest.raises(Denied):
        breakglass.end(permit, jo.public_id)
    assert sharing.revoke_grant(permit, jo.public_id)


def test_the_page_shows_titles_and_no_picture(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album = house.album(anna, "Summer")
    media = house.picture(anna, album)
    house.album(anna, "Inside", parent=album)
    browser = house.browser(jo)
    address = f"/admin/people/{anna.public_id}/look"

    page = browser.get(address).get_data(as_text=True)
    assert "Summer" in page
    assert "Inside" in page
    assert media.public_id not in page
    assert "1 picture" not in page
    said = {"album_id": album.public_id, "reason": "short", "hours": "24"}
    assert browser.post(address, data=said, headers=house.csrf(browser)).status_code == 422
    answer = browser.post(address, data=said | {"reason": REASON}, headers=house.csrf(browser))
    assert answer.location == f"/albums/{album.public_id}"
    assert browser.get(answer.location).status_code == 200
    again = browser.post(address, data=said | {"reason": REASON}, headers=house.csrf(browser))
    assert "You see this album already" in again.get_data(as_text=True)
