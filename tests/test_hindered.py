"""Looking goes on, and refusals stay refusals, while nothing can be written."""

import fcntl
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.factories import House, Person
from vault import db as database
from vault.audit import Bounded
from vault.db import db, transaction, utcnow
from vault.models.account import LoginSession
from vault.web import errors

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def fresh_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every refusal want to be written."""
    monkeypatch.setattr(errors, "_refusals", Bounded(most=1000, seconds=3600))


@pytest.fixture
def anna(house: House) -> Person:
    """Return somebody who is signed in."""
    return house.person("Anna")


@pytest.fixture
def hers(house: House, anna: Person) -> FlaskClient:
    """Return her browser, whose last visit was long ago, so that the next one wants to be written."""
    browser = house.browser(anna)
    with transaction() as session:
        session.execute(sa.update(LoginSession).values(last_seen_at=utcnow() - timedelta(days=1)))
    return browser


def read_only(connection: sa.Connection) -> None:
    """Make a transaction one in which every write fails, as on a full disk."""
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("PRAGMA query_only=ON" if is_sqlite else "SET TRANSACTION READ ONLY")


@pytest.fixture
def unwritable(house: House, hers: FlaskClient) -> Iterator[None]:  # after everybody is there
    """Let every write fail."""
    db.session.rollback()
    sa.event.listen(db.engine, "begin", read_only)
    yield
    sa.event.remove(db.engine, "begin", read_only)


@pytest.fixture
def turn_taken(house: House, hers: FlaskClient) -> Iterator[None]:  # after everybody is there
    """Let another process write for ever."""
    db.session.rollback()
    with Path(f"{db.engine.url.database}-turn").open("ab") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@pytest.mark.usefixtures("unwritable")
def test_who_is_signed_in_still_looks(hers: FlaskClient) -> None:
    assert hers.get("/").status_code == 200


@pytest.mark.usefixtures("unwritable")
def test_a_refusal_that_cannot_be_remembered_is_one_all_the_same(hers: FlaskClient, house: House) -> None:
    assert hers.get("/media/0123456789012345678901").status_code == 403
    assert house.browser().get("/media/0123456789012345678901/thumb").status_code == 403


@sqlite_only
@pytest.mark.usefixtures("turn_taken")
def test_behind_an_endless_writer_people_look_without_long_waits(hers: FlaskClient) -> None:
    began = time.monotonic()
    assert hers.get("/").status_code == 200
    assert hers.get("/media/0123456789012345678901").status_code == 403
    assert time.monotonic() - began < 5


@sqlite_only
@pytest.mark.usefixtures("turn_taken")
def test_behind_an_endless_writer_a_change_is_put_off(
    house: House, hers: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.3)
    answer = hers.post("/albums/new", data={"title": "Sea"}, headers=house.csrf(hers))

    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5")
    assert "try again" in answer.get_data(as_text=True)


def test_a_script_s_token_works_while_nothing_can_be_written(house: House, anna: Person) -> None:
    header = house.token(anna)
    db.session.rollback()
    sa.event.listen(db.engine, "begin", read_only)
    try:
        answer = house.browser().get("/api/v1/me", headers=header)
    finally:
        sa.event.remove(db.engine, "begin", read_only)

    assert answer.status_code == 200
