"""What is taken away is gone when that is said: nothing under way comes after it, nobody waits for ever."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import House
from tests.standstill import outcome_of
from vault.db import db
from vault.models import membership
from vault.models.media import Album
from vault.models.sharing import Grant, Link, Role
from vault.policy import Action, Denied, authorize
from vault.services import accounts, breakglass, links, sharing

# SQLite has one writer at a time: there the second finds what the first one wrote.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.mark.parametrize("is_disabled", [False, True])
def test_what_is_given_while_an_administrator_takes_the_right_away_is_not_given(
    house: House, *, is_disabled: bool
) -> None:
    admin, anna, ben, carl = (house.person(name, admin=name == "Admin") for name in ("Admin", "Anna", "Ben", "Carl"))
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    permit = authorize(ben.viewer, Action.MANAGE, Album, album.public_id)

    def end() -> None:
        if is_disabled:
            accounts.change(admin.id, ben.id, accounts.Changes(is_disabled=True))
        else:
            assert sharing.revoke_grant_as_administrator(admin.id, album.public_id, ben.public_id)

    def give() -> None:
        sharing.grant(permit, user_id=carl.public_id, role=Role.VIEWER, expires_at=None)

    assert outcome_of(house, give, end) is Denied
    db.session.rollback()
    assert db.session.scalars(sa.select(Grant.user_id)).all() == ([ben.id] if is_disabled else [])


def test_a_link_is_not_copied_while_an_administrator_ends_it(house: House) -> None:
    admin, anna = house.person("Admin", admin=True), house.person("Anna")
    link = house.link(house.album(anna))
    permit = authorize(anna.viewer, Action.MANAGE, Link, link.public_id)

    def end() -> None:
        assert links.revoke_as_administrator(admin.id, link.public_id)

    assert outcome_of(house, lambda: links.copy(permit, label="Another"), end) is Denied
    db.session.rollback()
    assert db.session.scalars(sa.select(Link.id)).all() == [link.id]


def test_two_administrators_who_look_at_each_other_do_not_wait_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    jo, kim = house.person("Jo", admin=True), house.person("Kim", admin=True)
    albums = {jo.id: house.album(jo).public_id, kim.id: house.album(kim).public_id}
    both, failed = threading.Barrier(2), list[Exception]()
    hold: Callable[..., None] = membership.hold_tree

    def hold_together(session: Session, album_id: str, **more: int | None) -> None:
        both.wait(30)
        hold(session, album_id, **more)

    def look(actor_id: int, owner_id: int) -> None:
        with house.app.app_context():
            try:
                breakglass.look(actor_id, owner_id, albums[owner_id], reason="There was a complaint", hours=1)
            except Exception as error:  # noqa: BLE001  # whatever it is, the test must hear of it
                failed.append(error)

    monkeypatch.setattr(membership, "hold_tree", hold_together)
    pairs = ((jo.id, kim.id), (kim.id, jo.id))
    threads = [threading.Thread(target=look, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failed == []
    assert len(db.session.scalars(sa.select(Grant.user_id)).all()) == 2
