"""Invitations that are taken back: the account, its address and what was shared go; who was here stays."""

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from vault.db import db
from vault.models.account import OneTimeToken, Purpose, User
from vault.models.sharing import Grant, Role
from vault.models.system import Event
from vault.policy import Viewer
from vault.services import Refused, accounts, albums, invitations
from vault.services.accounts import Expired

PASSWORD = "a walk by the river in May"


def count(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_an_invitation_is_withdrawn_by_a_button(house: House) -> None:
    boss = house.person("Boss", admin=True)
    person, token = accounts.invite(house.vault, boss.id, email="new@example.org")
    browser = house.browser(boss)
    path = f"/admin/people/{person.public_id}"
    assert "Withdraw the invitation" in browser.get(path).get_data(as_text=True)

    answer = browser.post(f"{path}/withdraw", headers=house.csrf(browser))

    assert (answer.status_code, answer.location) == (302, "/admin/")
    assert (count(User), count(OneTimeToken), accounts.holder(token, Purpose.INVITATION)) == (1, 0, None)
    last = db.session.scalars(sa.select(Event).order_by(Event.id.desc())).first()
    assert last is not None
    assert (last.action, last.actor_id, last.subject) == ("person.withdraw", boss.id, "new@example.org")
    with pytest.raises(Expired):
        accounts.accept_invitation(house.vault, token, name="New", password=PASSWORD)


def test_what_was_shared_with_them_goes_too(house: House) -> None:
    boss = house.person("Boss", admin=True)
    album = house.album(boss)
    person, _ = accounts.invite(house.vault, boss.id, email="new@example.org")
    house.grant(album, Person(person.id, person.public_id, person.email), Role.VIEWER)

    invitations.withdraw(boss.id, person.id)

    assert (count(User), count(Grant)) == (1, 0)


def test_who_joined_or_did_something_stays(house: House) -> None:
    boss = house.person("Boss", admin=True)
    joined = house.person("Joined")
    acted, _ = accounts.invite(house.vault, boss.id, email="new@example.org")
    albums.create(Viewer(user_id=acted.id), title="By a token")

    for user_id in (joined.id, acted.id):
        with pytest.raises(Refused, match="has been here already"):
            invitations.withdraw(boss.id, user_id)

    assert count(User) == 3


def test_the_page_of_who_joined_offers_no_withdrawal(house: House) -> None:
    boss, joined = house.person("Boss", admin=True), house.person("Joined")

    page = house.browser(boss).get(f"/admin/people/{joined.public_id}").get_data(as_text=True)

    assert "Withdraw" not in page


@pytest.mark.parametrize("path", ["/account/name", "/admin/people/{person}"])
def test_a_blank_name_is_refused_at_its_field(house: House, path: str) -> None:
    boss, anna = house.person("Boss", admin=True), house.person("Anna")
    browser = house.browser(boss)
    form = {"name": "\N{ZERO WIDTH SPACE}"}

    answer = browser.post(path.format(person=anna.public_id), data=form, headers=house.csrf(browser))

    page = answer.get_data(as_text=True)
    assert (answer.status_code, page.count("Please say a name.")) == (422, 1)
    assert 'id="name-error"' in page
