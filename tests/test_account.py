"""Accounts: one-time addresses, sessions that end at once, tokens, and what an administrator may do to people."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient

from tests.factories import PASSWORD, House, Person
from vault.db import db, transaction, utcnow
from vault.models.account import ApiToken, LoginSession, Purpose, Scope, User
from vault.models.media import Media
from vault.passwords import UnacceptablePassword
from vault.policy import Action, Credential, Denied, authorize
from vault.services import Conflict, Refused, accounts, sessions, tokens
from vault.services.accounts import Changes, Expired
from vault.signing import digest

NEW = "an evening at the lake in May"


def together(deed: Callable[[int], Any], count: int, house: House) -> list[Any]:
    """Do something at the same moment in threads of their own; return results and refusals."""
    found: list[Any] = []
    start = threading.Barrier(count)

    def one(number: int) -> None:
        with house.app.app_context():
            start.wait()
            try:
                found.append(deed(number))
            except Refused as refusal:
                found.append(refusal)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_the_setup_makes_one_administrator_once(house: House) -> None:
    token = accounts.open_setup()
    assert token is not None
    assert accounts.is_setup_token(token)

    def set_up(number: int) -> int:
        return accounts.set_up(house.vault, token, email=f"a{number}@example.org", name="A", password=PASSWORD)

    found = together(set_up, 4, house)
    assert [type(each) for each in found if isinstance(each, Refused)] == [Expired] * 3
    db.session.rollback()
    (admin,) = db.session.scalars(sa.select(User)).all()
    assert admin.is_admin
    assert not accounts.is_setup_token(token)
    assert accounts.open_setup() is None
    with pytest.raises(Expired):
        set_up(9)


def test_a_newer_setup_address_ends_the_earlier_and_both_end_after_a_day(house: House) -> None:
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        first, second = accounts.open_setup(), accounts.open_setup()
        assert first is not None
        assert second is not None
        assert (accounts.is_setup_token(first), accounts.is_setup_token(second)) == (False, True)
        clock.shift(timedelta(days=1))
        assert not accounts.is_setup_token(second)
        assert house.browser().get(f"/setup/{second}").status_code == 403


def test_an_invitation_is_for_one_person_and_one_use(house: House) -> None:
    admin = house.person("Admin", admin=True)
    person, token = accounts.invite(house.vault, admin.id, email=" Ben@Example.org ")
    assert person.email == "ben@example.org"
    for purpose in (Purpose.PASSWORD, Purpose.SETUP):
        assert accounts.holder(token, purpose) is None
    with pytest.raises(UnacceptablePassword):
        accounts.accept_invitation(house.vault, token, name="Ben", password="short")

    found = together(
        lambda number: accounts.accept_invitation(house.vault, token, name=f"Ben {number}", password=PASSWORD), 3, house
    )
    assert [each for each in found if not isinstance(each, Refused)] == [person.id]
    db.session.rollback()
    assert accounts.holder(token, Purpose.INVITATION) is None
    assert house.browser().get(f"/invite/{token}").status_code == 403


def test_an_invitation_sets_only_name_and_password(house: House) -> None:
    person, token = accounts.invite(house.vault, None, email="ben@example.org")
    browser = house.browser()
    form = {"name": "Ben", "password": PASSWORD, "email": "root@example.org", "is_admin": "y", "quota_bytes": "0"}
    assert browser.post(f"/invite/{token}", data=form, headers=house.csrf(browser)).status_code == 302

    db.session.expire_all()
    row = db.session.get_one(User, person.id)
    assert (row.email, row.name, row.is_admin) == ("ben@example.org", "Ben", False)
    assert browser.get("/").status_code == 200


def test_invitations_end_with_time_disabling_and_a_newer_one(house: House) -> None:
    admin = house.person("Admin", admin=True)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        first, token = accounts.invite(house.vault, admin.id, email="a@example.org")
        clock.shift(timedelta(days=house.vault.settings.invitation_days))
        assert accounts.holder(token, Purpose.INVITATION) is None
        purpose, newer = accounts.offer_new_password(house.vault, admin.id, first.id)
        assert purpose is Purpose.INVITATION
        assert accounts.holder(newer, Purpose.INVITATION) is not None
        accounts.change(admin.id, first.id, Changes(is_disabled=True))
        assert accounts.holder(newer, Purpose.INVITATION) is None
        with pytest.raises(Expired):
            accounts.accept_invitation(house.vault, newer, name="A", password=PASSWORD)
    with pytest.raises(Conflict):
        accounts.invite(house.vault, admin.id, email="A@EXAMPLE.ORG")


def test_a_new_password_by_a_one_time_address_ends_every_session(house: House) -> None:
    anna = house.person("Anna", password=PASSWORD)
    browser = house.browser(anna)
    _, token = accounts.offer_new_password(house.vault, None, anna.id)
    assert browser.get("/").status_code == 200

    accounts.set_new_password(house.vault, token, password=NEW)
    assert browser.get("/").status_code == 302
    with pytest.raises(Expired):
        accounts.set_new_password(house.vault, token, password=NEW)
    secret, _ = sessions.sign_in(house.vault, email=anna.email, password=NEW, remember=False, user_agent="")
    assert sessions.person_of(secret) is not None


def _sign_out(house: House, anna: Person, browser: FlaskClient) -> None:
    assert browser.post("/sign-out", headers=house.csrf(browser)).status_code == 302


def _change_password(house: House, anna: Person, browser: FlaskClient) -> None:
    accounts.change_password(house.vault, anna.id, None, current=PASSWORD, new=NEW)


def _disable(house: House, anna: Person, browser: FlaskClient) -> None:
    accounts.change(house.person("Admin", admin=True).id, anna.id, Changes(is_disabled=True))


def _demote_or_promote(house: House, anna: Person, browser: FlaskClient) -> None:
    accounts.change(house.person("Admin", admin=True).id, anna.id, Changes(is_admin=True))


def _end_session(house: House, anna: Person, browser: FlaskClient) -> None:
    assert sessions.end(anna.id, sessions.of_person(anna.id)[0].public_id)


def _end_all(house: House, anna: Person, browser: FlaskClient) -> None:
    assert sessions.end_all(anna.id, anna.id) == 1


@pytest.mark.parametrize("end", [_sign_out, _change_password, _disable, _demote_or_promote, _end_session, _end_all])
def test_a_replayed_cookie_is_worth_nothing(house: House, end: Callable[[House, Person, FlaskClient], None]) -> None:
    anna = house.person("Anna", password=PASSWORD)
    media, browser, thief = house.picture(anna).public_id, house.browser(anna), house.browser()
    cookie = browser.get_cookie("vault", domain="127.0.0.1")
    assert cookie is not None
    thief.set_cookie("vault", cookie.value, domain="127.0.0.1")
    thumb = thief.get(f"/media/{media}/thumb")
    assert thumb.status_code == 200

    end(house, anna, browser)
    assert thief.get("/").location.startswith("/sign-in")
    for headers in ({}, {"If-None-Match": thumb.headers["ETag"]}, {"Range": "bytes=0-1"}):
        for name in ("thumb", "original"):
            assert thief.get(f"/media/{media}/{name}", headers=headers).status_code == 403
    assert thief.get("/api/v1/me").status_code == 401


def test_a_request_under_way_cannot_revive_an_ended_session(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = house.person("Anna")
    secret, _ = sessions.open_for(house.vault, anna.id, user_agent="")
    with transaction() as session:
        session.execute(sa.update(LoginSession).values(last_seen_at=utcnow() - timedelta(hours=1)))

    def ended_meanwhile(**patience: Any) -> Any:
        with transaction() as session:
            session.execute(sa.delete(LoginSession))
        return transaction(**patience)

    monkeypatch.setattr(sessions, "transaction", ended_meanwhile)
    assert sessions.person_of(secret) is not None  # it was alive when the request came in
    monkeypatch.undo()
    assert sessions.person_of(secret) is None
    assert db.session.scalars(sa.select(LoginSession)).all() == []


def test_a_password_change_keeps_only_the_session_it_was_made_in(house: House) -> None:
    anna = house.person("Anna", password=PASSWORD)
    here, elsewhere = house.browser(anna), house.browser(anna)
    form = {"current": PASSWORD, "new": NEW}
    assert here.post("/account/password", data=form, headers=house.csrf(here)).status_code == 302

    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    wrong = here.post("/account/password", data={"current": PASSWORD, "new": NEW}, headers=house.csrf(here))
    assert wrong.status_code == 422


def test_of_two_password_changes_at_once_one_happens(house: House) -> None:
    anna = house.person("Anna", password=PASSWORD)
    found = together(
        lambda number: accounts.change_password(
            house.vault, anna.id, None, current=PASSWORD, new=f"{NEW} number {number}"
        ),
        2,
        house,
    )
    assert sorted(type(each).__name__ for each in found) == ["NoneType", "Refused"]


def test_nobody_ends_the_sessions_or_tokens_of_others(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    house.browser(anna)
    house.token(anna)
    token = db.session.scalar(sa.select(ApiToken.public_id)) or ""

    assert not sessions.end(ben.id, sessions.of_person(anna.id)[0].public_id)
    assert not tokens.revoke(ben.id, token)
    assert len(sessions.of_person(anna.id)) == 1
    assert len(tokens.of_person(anna.id)) == 1


@pytest.mark.parametrize("end", ["revoke", "expire", "disable"])
def test_an_ended_token_is_worth_nothing(house: House, end: str) -> None:
    anna = house.person("Anna")
    media = house.picture(anna).public_id
    secret = tokens.create(anna.id, name="script", scopes=Scope.READ, expires_in_days=1)
    browser, header = house.browser(), {"Authorization": f"Bearer {secret}"}
    assert browser.get(f"/media/{media}/thumb", headers=header).status_code == 200
    if end == "revoke":
        assert tokens.revoke(anna.id, tokens.of_person(anna.id)[0].public_id)
    elif end == "disable":
        _disable(house, anna, browser)
        assert db.session.scalars(sa.select(ApiToken)).all() == []
    else:
        with transaction() as session:
            session.execute(sa.update(ApiToken).values(expires_at=utcnow()))

    assert browser.get(f"/media/{media}/thumb", headers=header).status_code == 403
    assert browser.get("/api/v1/me", headers=header).status_code == 401
    with pytest.raises(Denied):
        authorize(Credential(digest(secret), Scope.READ), Action.VIEW, Media, media)


def test_secrets_are_kept_as_digests_only(house: House) -> None:
    anna = house.person("Anna")
    secret, _ = sessions.open_for(house.vault, anna.id, user_agent="")
    token = tokens.create(anna.id, name="script", scopes=Scope.READ, expires_in_days=None)
    _, invitation = accounts.invite(house.vault, None, email="ben@example.org")
    with db.engine.connect() as connection:
        for table in ("login_session", "api_token", "one_time_token", "event", "user_account"):
            kept = str(connection.execute(sa.text(f"SELECT * FROM {table}")).all())  # noqa: S608  # names of ours
            assert [each for each in (secret, token, invitation) if each in kept] == [], table


def test_only_an_administrator_makes_a_token_of_scope_admin(house: House) -> None:
    with pytest.raises(Refused):
        tokens.create(house.person("Anna").id, name="x", scopes=Scope.ADMIN, expires_in_days=None)
    admin = house.person("Admin", admin=True)
    header = {"Authorization": f"Bearer {tokens.create(admin.id, name='x', scopes=Scope.ADMIN, expires_in_days=None)}"}
    assert house.browser().get("/api/v1/users", headers=header).status_code == 200
    accounts.change(house.person("Other", admin=True).id, admin.id, Changes(is_admin=False))
    assert house.browser().get("/api/v1/users", headers=header).status_code == 403


def test_the_last_administrator_stays(house: House) -> None:
    """Also when two administrators put each other out at the same moment."""
    anna, ben = house.person("Anna", admin=True), house.person("Ben", admin=True)
    deeds = ((anna.id, ben.id, Changes(is_admin=False)), (ben.id, anna.id, Changes(is_disabled=True)))
    able = sa.select(sa.func.count()).select_from(User).where(User.is_admin, User.disabled_at.is_(None))
    for _ in range(8):
        found = together(lambda number: accounts.change(*deeds[number]), 2, house)
        assert len([each for each in found if isinstance(each, Refused)]) == 1
        with transaction() as session:
            assert session.scalar(able) == 1
            session.execute(sa.update(User).values(is_admin=True, disabled_at=None))
