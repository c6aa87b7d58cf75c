"""Guessing passwords: how often, from where, and that nobody is shut out for good."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import PASSWORD, House
from tests.test_auth import NOON, sign_in
from vault.audit import Bounded, address
from vault.db import db
from vault.models.account import SignInAttempt
from vault.models.system import Event
from vault.services import sessions
from vault.services.sessions import BadCredentials, Throttled
from vault.web import errors

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_five_tries_then_a_wait_that_grows_and_never_a_lock(house: House) -> None:
    anna, browser = house.person("Anna", password=PASSWORD), house.browser()
    here, there = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}

    def attempt(password: str, where: dict[str, str] = here, email: str = anna.email) -> tuple[int, int]:
        answer = sign_in(browser, house, email, password, environ_base=where)
        return answer.status_code, int(answer.headers.get("Retry-After", 0))

    with time_machine.travel(NOON, tick=False) as clock:
        assert [attempt("wrong")[0] for _ in range(5)] == [403] * 5
        assert attempt("wrong") == (429, 60)
        assert attempt(PASSWORD) == (429, 60), "the right password waits too, or it could be guessed"
        assert attempt("wrong", email="ben@example.org")[0] == 403, "another account is not affected"
        assert attempt("wrong", where=there)[0] == 403, "another address is not affected"
        clock.shift(59)
        assert attempt("wrong") == (429, 1)
        clock.shift(1)
        waits = []
        for _ in range(30):
            status, wait = attempt("wrong")
            if status == 429:
                waits.append(wait)
                clock.shift(wait)
        assert waits == sorted(waits)
        assert waits[0] == 60
        assert 120 in waits
        assert max(waits) <= 3600
        clock.shift(timedelta(days=1))
        assert attempt(PASSWORD)[0] == 302, "nobody is locked out for good"


def test_a_stranger_who_guesses_does_not_shut_the_owner_out(house: House) -> None:
    anna = house.person("Anna", password=PASSWORD)
    for _ in range(8):
        sign_in(house.browser(), house, anna.email, "wrong", environ_base={"REMOTE_ADDR": "203.0.113.7"})

    assert sign_in(house.browser(), house, anna.email, PASSWORD).status_code == 302


def test_success_begins_the_count_anew(house: House) -> None:
    anna, browser = house.person("Anna", password=PASSWORD), house.browser()
    for _ in range(4):
        sign_in(browser, house, anna.email, "wrong")
    assert sign_in(browser, house, anna.email, PASSWORD).status_code == 302

    assert db.session.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) == 0


def change_password(
    browser: FlaskClient, house: House, current: str, new: str = "an evening at the lake"
) -> TestResponse:
    return browser.post("/account/password", data={"current": current, "new": new}, headers=house.csrf(browser))


def test_the_current_password_is_guessed_no_faster_than_at_the_sign_in(house: House) -> None:
    anna = house.person("Anna", password=PASSWORD)
    with time_machine.travel(NOON, tick=False) as clock:
        browser = house.browser(anna)
        assert [change_password(browser, house, "wrong").status_code for _ in range(5)] == [422] * 5
        refused = change_password(browser, house, PASSWORD)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert sign_in(house.browser(), house, anna.email, PASSWORD).status_code == 429, "it is one count"
        clock.shift(60)
        assert change_password(browser, house, PASSWORD).status_code == 302

    assert db.session.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) == 0


@sqlite_only
def test_whoever_knows_the_current_password_may_look_for_a_new_one(house: House) -> None:
    browser = house.browser(house.person("Anna", password=PASSWORD))

    assert [change_password(browser, house, PASSWORD, "short").status_code for _ in range(7)] == [422] * 7


@sqlite_only
def test_one_household_of_ipv6_counts_as_one_address(house: House) -> None:
    def attempt(where: str) -> None:
        address.set(where)
        sessions.sign_in(house.vault, email="a@example.org", password="x", remember=False, user_agent="")

    for number in range(5):
        with pytest.raises(BadCredentials):
            attempt(f"2001:db8:1:2::{number:x}")
    with pytest.raises(Throttled):
        attempt("2001:db8:1:2:ffff:ffff:ffff:ffff")
    with pytest.raises(BadCredentials):
        attempt("2001:db8:1:3::1")
    address.set("")


@sqlite_only
def test_many_accounts_from_one_address_are_slowed_down(house: House) -> None:
    browser, wheres = house.browser(), {"REMOTE_ADDR": "192.0.2.9"}
    statuses = [
        sign_in(browser, house, f"{number}@example.org", "x", environ_base=wheres).status_code for number in range(22)
    ]
    assert statuses == [403] * 20 + [429] * 2


def test_five_tries_at_the_same_moment_are_five_tries(house: House) -> None:
    anna, answers, start = house.person("Anna", password=PASSWORD), [], threading.Barrier(10)

    def attempt() -> None:
        with house.app.app_context():
            start.wait()
            try:
                sessions.sign_in(house.vault, email=anna.email, password="wrong", remember=False, user_agent="")
            except (BadCredentials, Throttled) as refusal:
                answers.append(type(refusal))

    _together([attempt] * 10)
    assert answers.count(BadCredentials) <= 5
    assert len(answers) == 10


def _together(deeds: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@sqlite_only
def test_two_ipv4_addresses_that_come_as_ipv6_count_each_for_itself(house: House) -> None:
    def attempt(where: str) -> None:
        address.set(where)
        sessions.sign_in(house.vault, email="a@example.org", password="x", remember=False, user_agent="")

    for _ in range(5):
        with pytest.raises(BadCredentials):
            attempt("::ffff:192.0.2.1")
    with pytest.raises(BadCredentials):
        attempt("::ffff:192.0.2.2")
    with pytest.raises(Throttled):
        attempt("192.0.2.1")


def test_refusals_are_counted_for_a_household_of_ipv6(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_refusals", Bounded(most=3, seconds=3600))
    anna = house.person("Anna")
    elsewhere, address_of_link = house.picture(anna), house.address(house.link(house.album(anna)))
    for number in range(6):
        where = {"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"}
        asked = f"{address_of_link}/media/{elsewhere.public_id}/preview"
        assert house.browser().get(asked, environ_base=where).status_code == 403

    db.session.rollback()
    refused = sa.select(sa.func.count()).select_from(Event).where(Event.action == "request.refused")
    assert db.session.scalar(refused) == 3
