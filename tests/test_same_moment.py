"""Two requests for the same thing at one moment: one is done, the other is told so, and neither is a fault."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.factories import PASSWORD, House
from vault.db import db, transaction
from vault.models.account import OneTimeToken, User
from vault.services import accounts

# SQLite has one writer at a time: there the second request sees what the first one wrote.
postgresql_only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@contextmanager
def somebody_faster(email: str) -> Iterator[None]:
    """Let another connection make an account just before the next row of ours is written."""
    done: list[str] = []

    def insert(session: Session, *_more: object) -> None:
        if not done and any(isinstance(row, User) for row in session.new):
            done.append(email)
            with db.engine.begin() as other:
                other.execute(sa.insert(User).values(email=email, name="The faster one"))

    event.listen(Session, "before_flush", insert)
    try:
        yield
    finally:
        event.remove(Session, "before_flush", insert)


@postgresql_only
@pytest.mark.parametrize("is_api", [False, True])
def test_of_two_invitations_at_one_moment_one_is_a_conflict(house: House, *, is_api: bool) -> None:
    admin = house.person("Admin", admin=True)
    browser = house.browser(admin)
    headers, form = house.csrf(browser), {"email": "ben@example.org", "name": "Ben"}

    def invite() -> int:
        if is_api:
            return browser.post("/api/v1/users", json=form, headers=headers).status_code
        answer = browser.post("/admin/people", data=form, headers=headers)
        assert "Please look again." in answer.get_data(as_text=True)
        return answer.status_code

    with somebody_faster("ben@example.org"):
        assert invite() == 409

    assert db.session.scalars(sa.select(User.name).where(User.email == "ben@example.org")).all() == ["The faster one"]


def test_the_setup_by_somebody_who_was_invited_takes_the_account_that_waits(house: House) -> None:
    invited, invitation = accounts.invite(house.vault, None, email="anna@example.org")
    with transaction() as session:
        session.execute(sa.update(User).values(disabled_at=sa.func.now()))
    token, browser = accounts.open_setup(), house.browser()
    form = {"email": " Anna@example.org", "name": "Anna", "password": PASSWORD}

    assert browser.post(f"/setup/{token}", data=form, headers=house.csrf(browser)).status_code == 302

    db.session.expire_all()
    (anna,) = db.session.scalars(sa.select(User)).all()
    assert (anna.id, anna.name, anna.is_admin, anna.disabled_at) == (invited.id, "Anna", True, None)
    assert browser.get("/").status_code == 200
    assert house.browser().get(f"/invite/{invitation}").status_code == 403
    assert db.session.scalars(sa.select(OneTimeToken.id).where(OneTimeToken.user_id == anna.id)).all() == []
