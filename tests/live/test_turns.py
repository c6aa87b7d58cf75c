"""Writers of a SQLite file go in one after the other, also those of other processes, and none is turned away."""

import fcntl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import House
from tests.live.crowd import together
from tests.live.server import eventually, looking_inside
from vault.db import db
from vault.models.media import Album
from vault.models.system import Event

CROWD = 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_hundred_at_once_are_all_let_in(house: House) -> None:
    anna = house.person("Anna")

    def make(number: int) -> Callable[[], str]:
        return lambda: house.album(anna, f"Album {number}").title

    outcomes = together(house.app, [make(number) for number in range(CROWD)])

    assert sorted(str(outcome) for outcome in outcomes) == sorted(f"Album {number}" for number in range(CROWD))
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Album)) == CROWD
    created = sa.select(sa.func.count()).select_from(Event).where(Event.action == "album.create")
    assert db.session.scalar(created) == CROWD


def test_a_writer_waits_for_one_of_another_process_and_readers_do_not(home: Path) -> None:
    with looking_inside(home) as house:
        anna = house.person("Anna")
        done = threading.Event()

        def write() -> None:
            together(house.app, [lambda: house.album(anna)])
            done.set()

        with (home / "vault.db-turn").open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            writer = threading.Thread(target=write)
            writer.start()
            assert not done.wait(0.3)
            assert house.browser(None).get("/sign-in").status_code == 200
            assert db.session.scalar(sa.select(sa.func.count()).select_from(Album)) == 0
        eventually(done.is_set)
        writer.join()
        db.session.rollback()
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Album)) == 1
    assert (home / "vault.db-turn").stat().st_mode & 0o777 == 0o600
