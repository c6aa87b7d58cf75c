"""What people must be told stands on every page until they put it away, and is nobody else's business."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.factories import House, Person
from tests.statements import listen
from vault.db import db, transaction, utcnow
from vault.models import noticeboard
from vault.models.history import Notice
from vault.models.sharing import Role
from vault.services import accounts, notices
from vault.services.accounts import Changes

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def reset(house: House, by: Person | None, whom: Person) -> None:
    accounts.offer_new_password(house.vault, by.id if by else None, whom.id)


def test_a_new_password_address_made_by_another_is_told(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    reset(house, jo, anna)
    reset(house, jo, jo)
    reset(house, None, anna)
    invited, _ = accounts.invite(house.vault, jo.id, email="new@example.org")
    accounts.offer_new_password(house.vault, jo.id, invited.id)

    assert [told.text.partition(" made")[0] for told in notices.of(anna.id)] == ["Whoever runs the vault", "Jo"]
    assert notices.of(jo.id) == []
    assert notices.of(invited.id) == []
    assert "Jo made an address" in house.browser(anna).get("/account").get_data(as_text=True)


def test_a_notice_stands_on_every_page_until_it_is_put_away(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    reset(house, ben, anna)
    (told,) = notices.of(anna.id)
    hers, his = house.browser(anna), house.browser(ben)

    for address in ("/", "/pictures", "/albums", "/account", "/nowhere", "/albums/of-somebody-else"):
        assert told.title in hers.get(address).get_data(as_text=True)
        assert told.title not in his.get(address).get_data(as_text=True)
    assert told.title not in house.browser().get("/sign-in").get_data(as_text=True)
    assert his.post(f"/notices/{told.id}/dismiss", headers=house.csrf(his)).status_code == 403
    assert hers.post(f"/notices/{told.id}/dismiss").status_code == 400
    assert told.title in hers.get("/").get_data(as_text=True)

    said = {"back": "/albums"}
    answer = hers.post(f"/notices/{told.id}/dismiss", data=said, headers=house.csrf(hers))

    assert answer.location == "/albums"
    assert told.title not in hers.get("/").get_data(as_text=True)
    assert hers.post(f"/notices/{told.id}/dismiss", headers=house.csrf(hers)).status_code == 403
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 1


def test_scripts_list_and_put_away(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    for _ in range(7):
        reset(house, ben, anna)
    header, browser = house.token(anna), house.browser()

    listed = browser.get("/api/v1/notices", headers=header).get_json()
    assert len(listed["items"]) == 7
    assert listed["next_cursor"] is None
    first = listed["items"][0]
    assert first["kind"] == "password_reset"
    assert browser.delete(f"/api/v1/notices/{first['id']}", headers=house.token(ben)).status_code == 403
    assert browser.delete(f"/api/v1/notices/{first['id']}", headers=header).status_code == 204
    assert len(browser.get("/api/v1/notices", headers=header).get_json()["items"]) == 6
    assert len(notices.of(anna.id)) == notices.MOST_SHOWN


@pytest.mark.parametrize(
    ("albums", "said"), [(1, "1 album of yours"), (3, "3 albums of yours"), (["Lake"], "“Lake”"), ([], None)]
)
def test_somebody_new_in_a_group_is_told_in_a_sentence(house: House, albums: object, said: str | None) -> None:
    anna = house.person("Anna")
    with transaction() as session:
        detail = {"group": "Choir", "person": "Ben", "albums": albums}
        noticeboard.tell(session, anna.id, "group.member_added", by=anna.id, **detail)
        noticeboard.tell(session, anna.id, "of_tomorrow", by=None)

    unknown, told = notices.of(anna.id)

    assert told.title == "Ben is in the group Choir now"
    assert told.text == f"Anna added Ben to it{f' and so sees {said}' if said else ''}."
    assert unknown.title == "Something happened that concerns you"


def test_owners_are_told_that_somebody_opened_an_account_that_sees_their_albums(house: House) -> None:
    jo, anna, ben, carl = (house.person(name, admin=name == "Jo") for name in ("Jo", "Anna", "Ben", "Carl"))
    invited, _ = accounts.invite(house.vault, jo.id, email="new@example.org")
    new = Person(invited.id, invited.public_id, invited.email)
    family = house.album(anna)
    house.album(anna, parent=family)
    house.grant(family, new, Role.VIEWER)
    house.share(house.album(ben), house.group(new, ben, name="Choir"), Role.VIEWER)
    house.share(house.album(jo), house.group(new), Role.VIEWER)
    with time_machine.travel(utcnow() - timedelta(days=2)):
        house.grant(house.album(carl), new, Role.VIEWER, expires_at=utcnow() + timedelta(days=1))

    def told() -> list[tuple[str, str]]:
        everybody = (anna, ben, carl, jo, new)
        return [(person.email[:4], each.text) for person in everybody for each in notices.of(person.id)]

    accounts.offer_new_password(house.vault, jo.id, new.id)
    sees = ("2 albums of yours", "1 album of yours")
    assert told() == [
        (who, f"Jo made a new invitation for it. Whoever holds it sees {some}.")
        for who, some in zip(("anna", "ben@"), sees, strict=True)
    ]
    (first, *_) = notices.of(anna.id)
    assert (first.kind, first.title) == ("account.opened", "The account of somebody who was invited was opened anew")
    accounts.change(jo.id, new.id, Changes(is_disabled=True))
    accounts.change(jo.id, new.id, Changes(name="Nell"))
    assert len(told()) == 2
    accounts.change(jo.id, new.id, Changes(is_disabled=False))
    accounts.change(jo.id, new.id, Changes(is_disabled=False))

    # However often it is done, it is one notice for each of them: nothing else is pushed out of sight by it.
    assert [text.partition(".")[0] for _, text in told()] == ["Jo let it in again"] * 2
    assert "The account of Nell was opened anew" in house.browser(anna).get("/account").get_data(as_text=True)
    notices.dismiss(anna.id, notices.of(anna.id)[0].id)
    house.disable(new)
    accounts.change(jo.id, new.id, Changes(is_disabled=False))
    assert [who for who, _ in told()] == ["anna", "ben@"]


def test_a_password_address_for_somebody_who_sees_albums_is_told_to_their_owners_too(house: House) -> None:
    jo, anna, ben = house.person("Jo", admin=True), house.person("Anna"), house.person("Ben")
    house.grant(house.album(anna), ben, Role.VIEWER)

    reset(house, ben, ben)
    assert notices.of(anna.id) == []
    reset(house, jo, ben)
    reset(house, None, ben)

    assert [each.kind for each in notices.of(ben.id)] == ["password_reset"] * 2
    assert [each.text.partition(" made an address by which its password")[0] for each in notices.of(anna.id)] == [
        "Whoever runs the vault",
        "Jo",
    ]


@sqlite_only
def test_notices_cost_a_page_one_question_and_bytes_none(house: House) -> None:
    statements = listen()
    anna = house.person("Anna")
    media = house.picture(anna).public_id
    reset(house, None, anna)
    browser = house.browser(anna)
    browser.get("/account")
    for address, count in (("/account", 1), (f"/media/{media}/thumb", 0), ("/api/v1/me", 0)):
        with statements.counted() as asked:
            assert browser.get(address).status_code == 200
        assert sum("FROM notice" in each for each in asked) == count
