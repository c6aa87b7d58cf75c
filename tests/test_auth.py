"""Coming in: who is let in, what a wrong try costs, and what the cookie is."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import PASSWORD, House
from vault.app import create_app
from vault.config import Settings
from vault.db import db
from vault.models.account import LoginSession, User
from vault.passwords import Passwords
from vault.services import sessions
from vault.services.sessions import BadCredentials

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOON = "2026-11-20T12:00:00Z"


def sign_in(browser: FlaskClient, house: House, email: str, password: str, **more: Any) -> TestResponse:
    form = {"email": email, "password": password, **more.pop("form", {})}
    return browser.post("/sign-in", data=form, headers=house.csrf(browser), **more)


def test_somebody_who_knows_the_password_comes_in(house: House) -> None:
    anna, browser = house.person("Anna", password=PASSWORD), house.browser()

    answer = sign_in(browser, house, f"  {anna.email.upper()} ", PASSWORD)

    assert (answer.status_code, answer.location) == (302, "/")
    assert browser.get("/").status_code == 200


def test_wrong_unknown_disabled_and_uninvited_answer_byte_for_byte_alike(house: House) -> None:
    anna, gone = house.person("Anna", password=PASSWORD), house.person("Gone", password=PASSWORD)
    house.disable(gone)
    house.person("Uninvited")
    answers = []
    with time_machine.travel(NOON, tick=False):
        for email in (anna.email, "unknown@example.org", gone.email, "uninvited@example.org"):
            browser = house.browser()
            answer = sign_in(browser, house, email, "not the password", environ_base={"REMOTE_ADDR": "192.0.2.1"})
            text = answer.get_data(as_text=True).replace(email, "")
            proof = house.csrf(browser)["X-CSRFToken"]
            headers = [pair for pair in answer.headers if pair[0] not in ("Content-Length", "Set-Cookie")]
            answers.append((answer.status_code, headers, text.replace(proof, "")))

    assert answers[0][0] == 403
    assert [each for each in answers if each != answers[0]] == []


def test_unknown_people_cost_the_same_hashing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.person("Anna", password=PASSWORD)
    gone = house.person("Gone", password=PASSWORD)
    house.disable(gone)
    house.vault.passwords.matches(None, "made before it is counted")
    verified: list[str] = []
    hasher = house.vault.passwords._hasher  # noqa: SLF001  # where the effort is
    verify = type(hasher).verify

    def counting(self: Any, known: str, password: str) -> bool:
        verified.append(known.rpartition("$")[0].rpartition("$")[0])
        return verify(self, known, password)

    monkeypatch.setattr(type(hasher), "verify", counting)
    for email in ("anna@example.org", "nobody@example.org", gone.email, "no address", "nul\0@example.org"):
        with pytest.raises(BadCredentials):
            sessions.sign_in(house.vault, email=email, password="wrong", remember=False, user_agent="")
    assert len(verified) == 5
    assert len(set(verified)) == 1  # the same algorithm, memory and rounds


def test_the_cookie_is_for_this_site_and_no_script(house: House) -> None:
    anna, browser = house.person("Anna", password=PASSWORD), house.browser()
    answer = sign_in(browser, house, anna.email, PASSWORD)
    cookie = answer.headers["Set-Cookie"]

    assert cookie.startswith("vault=")
    assert set(cookie.split("; ")[1:]) == {"HttpOnly", "Path=/", "SameSite=Lax"}
    assert len(answer.headers.getlist("Set-Cookie")) == 1


def test_the_cookie_of_an_https_vault_is_secure_and_bound_to_its_host(house: House, settings: Settings) -> None:
    secure = create_app(Settings(**{**vars(settings), "origin": "https://photos.example.org"}))
    anna = house.person("Anna", password=PASSWORD)
    browser, origin = secure.test_client(), "https://photos.example.org"
    page = browser.get("/sign-in", base_url=origin).get_data(as_text=True)
    proof = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    form = {"email": anna.email, "password": PASSWORD, "remember": "y"}
    answer = browser.post(
        "/sign-in", base_url=origin, data=form, headers={"X-CSRFToken": proof, "Referer": f"{origin}/sign-in"}
    )

    assert answer.status_code == 302
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-vault=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "Expires" in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    # By https, a change must come from a page of this very origin.
    form |= {"csrf_token": proof}
    foreign = {"X-CSRFToken": proof, "Referer": "https://evil.example/"}
    assert browser.post("/sign-in", base_url=origin, data=form, headers=foreign).status_code == 400
    with secure.app_context():
        db.engine.dispose()


def test_to_be_remembered_lasts_a_month_and_else_a_day(house: House) -> None:
    anna = house.person("Anna", password=PASSWORD)
    with time_machine.travel(NOON, tick=False) as clock:
        short, long = house.browser(), house.browser()
        assert "Expires" not in sign_in(short, house, anna.email, PASSWORD).headers["Set-Cookie"]
        remembered = sign_in(long, house, anna.email, PASSWORD, form={"remember": "y"})
        assert "Expires=Sun, 20 Dec 2026" in remembered.headers["Set-Cookie"]
        clock.shift(timedelta(days=1))
        assert short.get("/").status_code == 302
        assert long.get("/").status_code == 200
        clock.shift(timedelta(days=29))
        assert long.get("/").status_code == 302


def test_signing_in_makes_a_new_session_and_ends_the_former(house: House) -> None:
    anna, browser = house.person("Anna", password=PASSWORD), house.browser()
    before = browser.get("/sign-in").headers["Set-Cookie"]
    first = sign_in(browser, house, anna.email, PASSWORD).headers["Set-Cookie"]
    thief = house.browser()
    thief.set_cookie(domain="127.0.0.1", key="vault", value=first.partition("=")[2].partition(";")[0])
    assert thief.get("/").status_code == 200
    second = sign_in(browser, house, anna.email, PASSWORD).headers["Set-Cookie"]

    assert len({before, first, second}) == 3
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LoginSession)) == 1
    assert thief.get("/").status_code == 302
    assert browser.get("/").status_code == 200


@sqlite_only
def test_a_chosen_cookie_does_not_become_a_session(house: House) -> None:
    """Session fixation: what a stranger laid into the browser opens nothing after its owner signs in."""
    anna, browser = house.person("Anna", password=PASSWORD), house.browser()
    laid = house.browser().get("/sign-in").headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    browser.set_cookie("vault", laid, domain="127.0.0.1")
    assert sign_in(browser, house, anna.email, PASSWORD).status_code == 302
    stranger = house.browser()
    stranger.set_cookie("vault", laid, domain="127.0.0.1")
    assert stranger.get("/").status_code == 302


@sqlite_only
def test_odd_credentials_are_refused_and_never_a_fault(house: House) -> None:
    house.person("Anna", password=PASSWORD)
    long = "x" * 1025
    for email, password, status in (
        ("", PASSWORD, 422),
        ("anna@example.org", "", 422),
        (long, PASSWORD, 422),
        ("anna@example.org", long, 422),
        ("anna@example.org", "é" * 1000, 403),
        ("a\0b@example.org", "a\0b", 403),
        ("anna@example.org' OR '1'='1", "x", 403),
        ("\u202eanna@example.org", "\u202e", 403),
    ):
        where = {"REMOTE_ADDR": f"192.0.2.{len(email) % 200}"}
        assert sign_in(house.browser(), house, email, password, environ_base=where).status_code == status
    huge = house.browser().post("/sign-in", data={"email": "x" * 2_000_000, "password": "x"})
    assert huge.status_code == 413


def test_a_password_that_changed_during_the_hashing_opens_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = house.person("Anna", password=PASSWORD)
    matches = house.vault.passwords.matches

    def meanwhile(known: str | None, password: str) -> bool:
        found = matches(known, password)
        house.disable(anna)
        return found

    monkeypatch.setattr(house.vault.passwords, "matches", meanwhile)
    with pytest.raises(BadCredentials):
        sessions.sign_in(house.vault, email=anna.email, password=PASSWORD, remember=False, user_agent="")
    assert db.session.scalars(sa.select(LoginSession)).all() == []


def test_signing_in_renews_a_hash_that_is_too_cheap(house: House, settings: Settings) -> None:
    anna = house.person("Anna", password=PASSWORD)
    before = db.session.scalar(sa.select(User.password_hash).where(User.id == anna.id)) or ""
    object.__setattr__(house.vault, "passwords", Passwords(memory_kib=16_384, rounds=1))
    sessions.sign_in(house.vault, email=anna.email, password=PASSWORD, remember=False, user_agent="")
    after = db.session.scalar(sa.select(User.password_hash).where(User.id == anna.id)) or ""

    assert "m=8192" in before
    assert "m=16384" in after
