"""The chain of events: whole after whatever the vault does, and broken by whatever anybody else does to it."""

import json
import random
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from tests.factories import House
from tests.sealing import places, write
from tests.tampering import KINDS, head_to_the_end
from vault import audit
from vault.cli import auditing as commands
from vault.cli.house import House as Commands
from vault.db import db, utcnow
from vault.models.system import AuditHead
from vault.services import Refused, auditing

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TAMPERINGS = 1_000


def findings() -> list[str]:
    return [f"{found.kind} {found.where}" for found in auditing.verify().findings]


@pytest.fixture
def kept(house: House) -> House:
    """Return a house with thirty-odd events, and a head written three times."""
    auditing.begin()
    anna, ben = house.person("Anna"), house.person("Ben")
    write(8, anna)
    auditing.write_head(after_seconds=0)
    write(8, ben)
    write(6)
    auditing.write_head(after_seconds=0)
    assert len(places()) == 33
    return house


@pytest.fixture
def raw(kept: House) -> Iterator[sqlite3.Connection]:
    """Return a connection to the database file, past everything that the vault does."""
    url = db.engine.url.database
    with closing(sqlite3.connect(str(url))) as connection:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous=OFF")
        yield connection


def test_what_was_not_touched_holds(kept: House) -> None:
    verdict = auditing.verify()

    assert verdict.findings == []
    assert (verdict.holds, verdict.events, verdict.lines) == (True, 33, 3)
    assert places() == [(number, number) for number in range(1, 34)]


@sqlite_only
def test_a_thousand_tamperings_are_all_found(kept: House, raw: sqlite3.Connection) -> None:
    chance = random.Random(20261120)  # noqa: S311  # the same every time
    for table in ("event", "audit_head"):
        raw.execute(f"CREATE TABLE before_{table} AS SELECT * FROM {table}")  # noqa: S608  # a name from above
    missed: list[str] = []
    for number in range(TAMPERINGS):
        kind = KINDS[number % len(KINDS)]
        raw.execute("BEGIN IMMEDIATE")
        kind(chance, raw)
        raw.execute("COMMIT")
        if auditing.verify().holds:
            missed.append(kind.__name__)
        raw.execute("BEGIN IMMEDIATE")
        for table in ("event", "audit_head"):
            raw.execute(f"DELETE FROM {table}")  # noqa: S608  # as above
            raw.execute(f"INSERT INTO {table} SELECT * FROM before_{table}")  # noqa: S608  # as above
        raw.execute("COMMIT")

    assert missed == []
    assert auditing.verify().holds


@sqlite_only
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE event SET actor = 'mallory' WHERE seq = 5", ["edited event 5"]),
        ("DELETE FROM event WHERE seq = 5", ["removed event 5"]),
        ("DELETE FROM event WHERE seq BETWEEN 5 AND 9", ["removed event 5"]),
        ("DELETE FROM event WHERE seq > 30", ["truncated event 31"] * 2),
        ("DELETE FROM event", ["truncated event 1"] * 2),
        ("UPDATE event SET seq = NULL, mac = NULL WHERE seq = 5", ["inserted id 5", "removed event 5"]),
        ("UPDATE audit_head SET mac = 'x'", ["edited head"]),
        ("DELETE FROM audit_head", ["removed head"]),
        ("UPDATE event SET at = 'never', detail = X'FF00' WHERE seq = 5", ["edited event 5"]),
    ],
)
def test_it_is_said_what_was_done_and_where(raw: sqlite3.Connection, change: str, expected: list[str]) -> None:
    raw.execute(change)

    assert findings() == expected


@sqlite_only
def test_events_at_each_others_places_are_called_swapped(raw: sqlite3.Connection) -> None:
    names = "at, action, actor_id, actor, subject, detail, address"
    raw.execute(f"CREATE TABLE one AS SELECT {names} FROM event WHERE seq = 5")  # noqa: S608  # names from above
    raw.execute(f"UPDATE event SET ({names}) = (SELECT {names} FROM event WHERE seq = 20) WHERE seq = 5")  # noqa: S608  # as above
    raw.execute(f"UPDATE event SET ({names}) = (SELECT {names} FROM one) WHERE seq = 20")  # noqa: S608  # as above

    assert sorted(findings()) == ["edited event 20", "edited event 5", "swapped event 20", "swapped event 5"]


@sqlite_only
def test_only_the_file_shows_an_end_that_was_cut_off_under_a_true_head(kept: House, raw: sqlite3.Connection) -> None:
    raw.execute("DELETE FROM event WHERE seq > 20")
    head_to_the_end(raw)
    assert findings() == ["truncated event 21"]
    with pytest.raises(Refused, match="ends at event 20"):
        auditing.write_head(after_seconds=0)

    heads = Path(kept.vault.settings.audit_heads)
    heads.write_text("".join(heads.read_text().splitlines(keepends=True)[:2]))
    assert findings() == []


@sqlite_only
def test_another_history_that_the_vault_itself_wrote_after_a_cut_is_found(raw: sqlite3.Connection) -> None:
    raw.execute("CREATE TABLE old AS SELECT * FROM event")
    raw.execute("DELETE FROM event WHERE seq > 20")
    head_to_the_end(raw)
    write(20)
    auditing.write_head(after_seconds=0)
    assert findings() == ["edited event 33"], "a line of the file knows another one"

    # True seals of true events, each at its place, from two histories.
    raw.execute("DELETE FROM event WHERE seq = 25")
    raw.execute("INSERT INTO event SELECT * FROM old WHERE seq = 25")
    assert "edited event 25" in findings()


@sqlite_only
@pytest.mark.parametrize(
    "forge",
    [
        lambda lines: [lines[0], lines[1].replace("Z 12 ", "Z 11 "), lines[2]],
        lambda lines: [lines[0], lines[1].replace("2", "1", 1), lines[2]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2], lines[1]],
        lambda lines: [*lines, lines[2]],
        lambda lines: [*lines[:2], lines[2][:40]],
        lambda lines: [lines[0], "\n", *lines[1:]],
        lambda lines: [*lines, "\x1b[31m" + "x" * 10_000 + "\n"],
        lambda _: [],
    ],
)
def test_a_file_of_heads_that_was_edited_is_found(kept: House, forge: Any) -> None:
    heads = Path(kept.vault.settings.audit_heads)
    heads.write_text("".join(forge(heads.read_text().splitlines(keepends=True))))

    assert findings() != []
    assert auditing.verify().counts.total() < 50


def test_the_file_of_heads_is_private_and_grows_only_when_the_head_moved(kept: House) -> None:
    heads = Path(kept.vault.settings.audit_heads)
    before = heads.read_text()
    assert not auditing.write_head(after_seconds=0)
    write(1)
    assert not auditing.write_head(), "sooner than five minutes after the last"
    assert heads.read_text() == before

    head = db.session.execute(sa.select(AuditHead.seq, AuditHead.mac)).one()
    later = utcnow() + timedelta(seconds=auditing.HEAD_SECONDS + 1)
    assert audit.chain_of(db.engine).write_head(*head, later, after_seconds=auditing.HEAD_SECONDS)
    assert heads.read_text().startswith(before)
    assert heads.read_text().splitlines()[-1].split()[1:3] == ["34", head.mac]
    assert stat.S_IMODE(heads.stat().st_mode) == 0o600
    assert auditing.verify().holds


def test_half_a_line_that_a_crash_left_is_replaced(kept: House) -> None:
    heads = Path(kept.vault.settings.audit_heads)
    with heads.open("a") as file:
        file.write("2026-11-20T10:00:00Z 34 ab")
    write(1)
    auditing.write_head(after_seconds=0)

    assert auditing.verify().holds
    assert len(heads.read_text().splitlines()) == 4


@sqlite_only
def test_the_command_says_what_it_found(kept: House, raw: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.cli.house.refuse_unmigrated", lambda _app: None)

    def run(*options: str) -> Any:
        return CliRunner().invoke(commands.audit, ["verify", *options], obj=Commands(lambda: kept.app, lambda: 0))

    whole = run()
    assert (whole.exit_code, whole.stdout, whole.stderr) == (0, "33 events, 3 heads: the chain holds\n", "")
    assert json.loads(run("--json").stdout)["holds"] is True

    raw.execute("UPDATE event SET mac = NULL")
    raw.execute("UPDATE event SET at = '\x1b[31m' WHERE seq = 2")
    broken = run()
    assert broken.exit_code == 1
    assert broken.stderr.startswith("edited: event 1 (id 1, ")
    assert "\x1b" not in broken.output
    found = json.loads(run("--json").stdout)
    assert (found["holds"], found["findings"][0]["kind"]) == (False, "edited")


@sqlite_only
def test_what_is_said_has_an_end(kept: House, raw: sqlite3.Connection) -> None:
    raw.executemany(
        "INSERT INTO event (at, action, actor, subject, detail, address) VALUES (?, '', '', '', '{}', '')",
        [("",)] * 500,
    )

    verdict = auditing.verify()
    assert (len(verdict.findings), verdict.counts["inserted"]) == (auditing.MOST_FINDINGS, 500)
