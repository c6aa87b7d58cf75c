"""What people must be told stands on every page until they put it away, and is nobody else's business."""

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from tests.statements import listen
from vault.db import db, transaction
from vault.models import noticeboard
from vault.models.history import Notice
from vault.services import accounts, notices

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
