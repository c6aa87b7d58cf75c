"""Sealing events: one chain without a gap, however many write, whatever fails, and whichever secret signs."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import House
from tests.sealing import places, write
from vault import audit, chain
from vault.app import create_app
from vault.cli import running
from vault.config import Settings, audit_key
from vault.db import db, transaction
from vault.models.system import AuditHead, Event
from vault.services import Refused, auditing


def test_two_hundred_at_one_moment_leave_a_whole_chain(house: House) -> None:
    people = [house.person() for _ in range(3)]
    before = len(places())

    def deed(number: int) -> None:
        with house.app.app_context():
            try:
                with transaction() as session:
                    audit.record(session, "thing.deed", actor_id=people[number % 3].id, number=number)
                    if number % 4 == 0:
                        raise ZeroDivisionError
                    audit.record(session, "thing.deed", actor_id=None, number=number)
            except ZeroDivisionError:
                pass

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(deed, range(200)))

    auditing.write_head(after_seconds=0)
    assert auditing.verify().findings == []
    assert places() == [(number, number) for number in range(1, before + 301)]


def test_the_first_two_at_one_moment_begin_one_chain(house: House) -> None:
    def deed(number: int) -> None:
        with house.app.app_context(), transaction() as session:
            audit.record(session, "thing.deed", actor_id=None, number=number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deed, range(16)))

    assert [seq for seq, _ in places()] == list(range(1, 17))
    assert {found.where for found in auditing.verify().findings} == {"heads"}, "no head was written yet"


def test_what_is_rolled_back_leaves_no_gap_and_nothing_for_the_next(house: House) -> None:
    write(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), transaction() as session:  # noqa: PT012  # what fails is the transaction
            audit.record(session, "thing.undone", actor_id=None)
            raise ZeroDivisionError
    with transaction():
        pass
    write(1)

    assert [(e.seq, e.action) for e in db.session.scalars(sa.select(Event))] == [(1, "thing.deed0"), (2, "thing.deed0")]


def test_nothing_is_recorded_outside_of_a_transaction(house: House) -> None:
    with pytest.raises(RuntimeError):
        audit.record(db.session(), "thing.deed", actor_id=None)
    assert places() == []


def test_every_column_is_sealed() -> None:
    assert {*chain.SEALED, "mac"} == {column.name for column in Event.__table__.columns}


def test_a_new_secret_key_leaves_the_chain_whole(house: House, settings: Settings) -> None:
    auditing.begin()
    write(8)
    other = create_app(replace(settings, secret_keys=("another-0123456789-abcdefghijklmnopqrstuvwxyz",)))
    with other.app_context():
        write(2)
        assert auditing.verify().holds
        db.session.remove()
        db.engine.dispose()


def test_another_audit_key_does_not_verify(house: House, settings: Settings) -> None:
    auditing.begin()
    write(8)
    other = create_app(replace(settings, audit_key="another-0123456789-abcdefghijklmnopqrstuvwxyz"))
    with other.app_context():
        assert not auditing.verify().holds
        db.session.remove()
        db.engine.dispose()


def test_the_key_is_a_file_of_its_own(house: House, settings: Settings) -> None:
    path = settings.home / "audit.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert audit_key(settings) == path.read_text()
    assert len(path.read_text()) == 64


def test_a_chain_is_not_begun_again_while_the_file_knows_one(house: House) -> None:
    auditing.begin()
    write(8)
    with db.engine.begin() as connection:
        connection.execute(sa.delete(AuditHead))
        connection.execute(sa.update(Event).values(seq=None, mac=None))
    with pytest.raises(Refused, match="knows a chain"):
        auditing.begin()
    with pytest.raises(audit.ChainBroken):
        write(1)
    assert {seq for seq, _ in places()} == {None}

    Path(house.vault.settings.audit_heads).rename(house.vault.settings.home / "moved")
    auditing.begin()
    assert auditing.verify().holds


def test_a_chain_is_not_begun_over_sealed_events(house: House) -> None:
    auditing.begin()
    write(8)
    Path(house.vault.settings.audit_heads).unlink()
    with db.engine.begin() as connection:
        connection.execute(sa.delete(AuditHead))

    with pytest.raises(Refused, match="the head of their chain is gone"):
        auditing.begin()


def test_the_worker_writes_the_head_and_says_where_the_end_was_cut_off(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def round_of_the_worker() -> float:
        waited: list[float] = []
        stopped = threading.Event()

        def wait(seconds: float) -> bool:
            waited.append(seconds)
            return True

        monkeypatch.setattr(stopped, "wait", wait)
        running.write_heads(house.app, stopped)
        return waited[0]

    heads = Path(house.vault.settings.audit_heads)
    assert (round_of_the_worker(), heads.exists()) == (running.LOOK_AT_HEAD_SECONDS, False)
    write(5)
    assert round_of_the_worker() == running.LOOK_AT_HEAD_SECONDS
    assert heads.read_text().split()[1] == str(len(places()))

    with db.engine.begin() as connection:
        connection.execute(sa.update(AuditHead).values(seq=2))
    assert round_of_the_worker() == running.HOUR_SECONDS
    assert "The end of the events was cut off: the chain ends at event 2" in caplog.text
    monkeypatch.setattr(auditing, "write_head", lambda: 1 / 0)
    assert round_of_the_worker() == running.LOOK_AT_HEAD_SECONDS
    assert "Could not write the head" in caplog.text
