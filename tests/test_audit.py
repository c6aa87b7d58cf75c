"""What the vault remembers of itself, and what it must never write down."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from tests.factories import PASSWORD, House
from vault import audit, logs
from vault.audit import Bounded
from vault.db import db, transaction, utcnow
from vault.models.account import ApiToken, Scope
from vault.models.media import Album, Media
from vault.models.sharing import Grant, Link, LinkRole, Role
from vault.models.system import Event
from vault.policy import Action, authorize
from vault.services import accounts, albums, library, links, sharing, tokens
from vault.signing import digest
from vault.web import errors, requests

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NEW = "an evening at the lake in May"


@pytest.fixture(autouse=True)
def fresh_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no earlier test have used up what may be remembered."""
    monkeypatch.setattr(errors, "_refusals", Bounded(most=5, seconds=3600))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Write the log as a running vault does; return its file."""
    logs.configure(tmp_path / "logged")
    configured = structlog.get_config()
    structlog.configure(cache_logger_on_first_use=False)
    for each in (errors.log, requests.log):
        vars(each).pop("bind", None)  # what an earlier test may have fixed
    yield tmp_path / "logged" / "logs" / "vault.log"
    structlog.reset_defaults()
    configured["logger_factory"]._file.close()  # noqa: SLF001  # nobody else holds it


def events(action: str = "") -> list[Event]:
    """Return the events, of a kind if one is named."""
    db.session.rollback()
    found = sa.select(Event).order_by(Event.id)
    return list(db.session.scalars(found.where(Event.action == action) if action else found))


def test_deeds_are_remembered_with_who_what_and_where(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    browser = house.browser(anna)
    proof = house.csrf(browser)
    where = {"REMOTE_ADDR": "192.0.2.1"}
    browser.post("/albums/new", data={"title": "Summer", "order": "newest"}, headers=proof, environ_base=where)
    album = db.session.scalar(sa.select(Album.public_id)) or ""
    form = {"email": ben.email, "role": "editor"}
    browser.post(f"/albums/{album}/grants", data=form, headers=proof, environ_base=where)
    browser.post(f"/albums/{album}/grants/{ben.public_id}/revoke", headers=proof, environ_base=where)

    found = [
        (e.action, e.actor, e.actor_id, e.subject, e.address) for e in events() if e.action[:5] in ("album", "grant")
    ]
    assert found == [
        ("album.create", anna.email, anna.id, album, "192.0.2.1"),
        ("grant.set", anna.email, anna.id, album, "192.0.2.1"),
        ("grant.revoke", anna.email, anna.id, album, "192.0.2.1"),
    ]
    assert events("grant.set")[0].detail["role"] == "editor"
    assert utcnow() - events()[0].at < timedelta(minutes=1)


def test_a_deed_that_is_undone_leaves_no_event_and_an_event_that_fails_no_deed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    permit = authorize(anna.viewer, Action.MANAGE, Album, album.public_id)
    before = len(events())

    def undone() -> None:
        with transaction() as session:
            session.add(Grant(album_id=album.id, user_id=ben.id, role=Role.VIEWER, granted_by_id=anna.id))
            audit.record(session, "grant.set", actor_id=anna.id)
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert (len(events()), db.session.scalars(sa.select(Grant)).all()) == (before, [])

    def fails(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(audit, "record", fails)
    deeds: list[Any] = [
        lambda: sharing.grant(permit, user_id=ben.public_id, role=Role.VIEWER, expires_at=None),
        lambda: links.create(house.vault, permit, links.Terms("x", LinkRole.VIEWER, expires_at=None)),
        lambda: albums.create(anna.viewer, title="x"),
        lambda: tokens.create(anna.id, name="x", scopes=Scope.READ, expires_in_days=None),
        lambda: accounts.invite(house.vault, anna.id, email="new@example.org"),
    ]
    for deed in deeds:
        with pytest.raises(OSError, match="full"):
            deed()
    db.session.rollback()
    for what in (Grant, Link, ApiToken):
        assert db.session.scalars(sa.select(what)).all() == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Album)) == 1


def test_failed_sign_ins_are_remembered_without_what_may_be_a_password(house: House) -> None:
    browser = house.browser()
    for email in ("anna@example.org", "my secret pass phrase", "x" * 300):
        browser.post("/sign-in", data={"email": email, "password": "hunter2hunter2"}, headers=house.csrf(browser))

    assert [event.actor for event in events("session.refused")] == ["anna@example.org", "somebody", "somebody"]
    assert "hunter2" not in _kept()


def test_refused_requests_are_remembered_but_no_more_of_one_viewer_than_fits(house: House) -> None:
    media = house.picture(house.person("Anna")).public_id
    ben, carl = house.browser(house.person("Ben")), house.browser(house.person("Carl"))
    for browser in (ben, carl):
        for _ in range(9):
            assert browser.get(f"/media/{media}/thumb").status_code == 403

    actors = [event.actor for event in events("request.refused")]
    assert (actors.count("ben@example.org"), actors.count("carl@example.org"), len(actors)) == (5, 5, 10)


def test_bounds_forget_with_time_and_hold_only_so_many_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("vault.audit.time.monotonic", lambda: now)
    bounded = Bounded(most=2, seconds=10, keys=3)
    assert [bounded.admits("a") for _ in range(4)] == [True, True, False, False]
    now = 11.0
    assert bounded.admits("a")
    for key in "bcd":
        bounded.admits(key)
    assert len(bounded._seen) == 3  # noqa: SLF001  # how much it holds


def test_downloads_of_originals_are_remembered_once_a_file(house: House) -> None:
    anna = house.person("Anna")
    media, browser = house.picture(anna).public_id, house.browser(anna)
    path = f"/media/{media}/original"
    etag = browser.get(path).headers["ETag"]
    browser.get(path, headers={"If-None-Match": etag})
    browser.open(path, method="HEAD")
    browser.get(path, headers={"Range": "bytes=0-3"})
    browser.get(path, headers={"Range": "bytes=4-9"})
    browser.get(f"/media/{media}/thumb")
    house.vault.recorder.flush()

    assert [(event.actor, event.subject) for event in events("media.download")] == [(anna.email, media)] * 2


@sqlite_only
def test_no_secret_is_in_any_event_or_line_of_the_log(house: House, log: Path) -> None:
    anna = house.person("Anna", password=PASSWORD, admin=True)
    album = house.album(anna)
    media, link = house.picture(anna, album), house.link(album, role=Role.DOWNLOADER)
    address, visitor, browser = house.address(link), house.browser(), house.browser()
    _, invitation = accounts.invite(house.vault, anna.id, email="ben@example.org")
    _, reset = accounts.offer_new_password(house.vault, anna.id, anna.id)
    bearer = house.token(anna)
    for path in (
        address,
        f"{address}/media/{media.public_id}/original",
        f"{address}x",
        f"/invite/{invitation}",
        f"/reset/{reset}",
    ):
        visitor.get(path)
    form = {"name": "Ben", "password": NEW}
    visitor.post(f"/invite/{invitation}", data=form, headers=house.csrf(visitor))
    signed_in = browser.post("/sign-in", data={"email": anna.email, "password": PASSWORD}, headers=house.csrf(browser))
    browser.get("/api/v1/me", headers=bearer)
    browser.get("/", headers={"Authorization": "Bearer made-up-secret"})
    browser.post("/sign-out", headers=house.csrf(browser))

    cookie = signed_in.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    secrets = {
        "link": address.removeprefix("/l/"),
        "mac": address.rpartition(".")[2],
        "invitation": invitation,
        "reset": reset,
        "password": PASSWORD,
        "new password": NEW,
        "cookie": cookie,
        "bearer": bearer["Authorization"].removeprefix("Bearer "),
        "made up": "made-up-secret",
    }
    written = log.read_text()
    assert written.count("\n") > 10
    assert {name for name, secret in secrets.items() if secret in written or secret in _kept()} == set()


@sqlite_only
def test_a_fault_in_the_sign_in_does_not_write_the_password_down(
    house: House, log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    anna, browser = house.person("Anna", password=PASSWORD), house.browser()
    proof = house.csrf(browser)

    def broken(*_: object, **__: object) -> None:
        with db.engine.begin() as connection:
            connection.execute(sa.text("SELECT :secret FROM nowhere"), {"secret": digest(anna.email)})

    monkeypatch.setattr("vault.services.sessions._open", broken)
    answer = browser.post("/sign-in", data={"email": anna.email, "password": PASSWORD}, headers=proof)

    assert answer.status_code == 500
    said = log.read_text() + capsys.readouterr().err + answer.get_data(as_text=True)
    assert "no such table" in said
    assert PASSWORD not in said
    assert digest(anna.email) not in said, "what a statement was given"
    assert "nowhere" not in answer.get_data(as_text=True)


@sqlite_only
def test_nobody_begins_a_line_of_his_own_in_the_log(house: House, log: Path) -> None:
    forged = '\r\n{"event": "forged"}\u2028\x1b[31m'
    browser = house.browser()
    browser.get(f"/no-such-page{forged}", headers={"User-Agent": "x"})
    browser.post("/sign-in", data={"email": forged, "password": forged}, headers=house.csrf(browser))

    lines = log.read_text().split("\n")
    assert all(json.loads(line)["event"] != "forged" for line in lines if line)
    assert "\x1b" not in log.read_text()
    assert (log.stat().st_mode & 0o077) == 0
    assert (log.parent.stat().st_mode & 0o077) == 0


@sqlite_only
def test_every_administrative_and_owners_deed_leaves_an_event(house: House) -> None:
    admin, anna = house.person("Admin", admin=True), house.person("Anna")
    media = house.picture(anna, house.album(anna))
    library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))
    accounts.change(admin.id, anna.id, accounts.Changes(is_disabled=True, quota_bytes=5))
    accounts.change(admin.id, anna.id, accounts.Changes(is_disabled=False))
    accounts.offer_new_password(house.vault, admin.id, anna.id)

    found = [event.action for event in events()]
    assert [action for action in found if action.startswith(("person", "media"))] == [
        "media.upload",
        "media.trash",
        "person.change",
        "person.change",
        "person.password_address",
    ]
    assert events("person.change")[0].detail == {"is_disabled": True, "quota_bytes": 5}


def _kept() -> str:
    """Return all events as text."""
    with db.engine.connect() as connection:
        return str(connection.execute(sa.text("SELECT * FROM event")).all())
