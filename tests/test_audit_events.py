"""Events as an administrator looks through them and takes them along."""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from vault import audit, tables
from vault.chain import SEALED, Chain
from vault.config import audit_key
from vault.db import db, transaction
from vault.models.system import AuditHead, Event
from vault.services import auditing, events

ODD = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "'x",
    '"',
    "a,b",
    "a\nb\x00c",
    "\\n",
    "\u202e",
    "\x1b[31m",
    "é 🙂",
    " =1",
]


@pytest.fixture
def admin(house: House) -> Person:
    """Return an administrator of a vault in which a few things happened."""
    admin, ben = house.person("Admin", admin=True), house.person("Ben")
    deeds = [(admin, "thing.made", 1), (ben, "thing.made", 10), (ben, "thing.lost", 20), (None, "thing.lost", 20)]
    for number, (person, action, day) in enumerate(deeds):
        with transaction() as session:
            audit.record(session, action, actor_id=person.id if person else None, subject=f"thing {number}")
        with db.engine.begin() as connection:
            at = datetime(2026, 3, day, 23, 59, 59, 999_999, UTC)
            connection.execute(sa.update(Event).where(Event.subject == f"thing {number}").values(at=at))
    return admin


def things(page: str) -> list[str]:
    """Return what the cells of a page or an export say."""
    return re.findall(r"""(?<=[>"])thing \d(?=[<\s"])(?!" placeholder)""", page)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def had_back(cell: str) -> str:
    """Undo what makes a cell harmless, as the documentation says it."""
    return re.sub(r"\\(?:\\|[tnr]|x..|u.{4}|U.{8})", lambda found: _character(found[0]), cell.removeprefix("'"))


def _character(escape: str) -> str:
    return escape.encode("ascii").decode("unicode_escape")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [3, 2, 1, 0]),
        ("q=thing+2", [2]),
        ("action=thing.lost", [3, 2]),
        ("action=thing.made&q=ben", [1]),
        ("from=2026-03-10", [3, 2, 1]),
        ("to=2026-03-10", [1, 0]),
        ("from=2026-03-10&to=2026-03-10", [1]),
        ("from=2026-03-11&to=2026-03-19", []),
        ("to=9999-12-31", [3, 2, 1, 0]),
        ("from=nonsense&to=2026-02-31", [3, 2, 1, 0]),
        ("person={ben}", [2, 1]),
        ("person={ben}&action=thing.lost", [2]),
        ("person=nobody", []),
        ("person=%00&action=%00&q=%00", []),
    ],
)
def test_the_filter_narrows_the_page_and_the_export_alike(
    house: House, admin: Person, query: str, expected: list[int]
) -> None:
    ben = next(public_id for public_id, label in events.people() if label.startswith("Ben"))
    browser, query = house.browser(admin), query.format(ben=ben)
    shown = browser.get(f"/admin/events?{query}").get_data(as_text=True)
    taken = browser.get(f"/admin/events/export?{query}").get_data(as_text=True)

    wanted = [f"thing {number}" for number in expected]
    assert things(shown) == wanted
    assert things(taken) == wanted[::-1]


def test_the_page_leads_to_the_same_export_and_to_older_ones(
    house: House, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PAGE_SIZE", 2)
    monkeypatch.setattr(events, "EXPORTED_AT_A_TIME", 1)
    browser = house.browser(admin)
    page = browser.get("/admin/events?q=thing&from=2026-03-02").get_data(as_text=True)
    older = re.search(r'href="([^"]+)" rel="next"', page)
    export = re.search(r'href="(/admin/events/export[^"]+)"', page)

    assert older
    assert export
    assert things(page) == ["thing 3", "thing 2"]
    assert things(browser.get(older[1].replace("&amp;", "&")).get_data(as_text=True)) == ["thing 1"]
    assert things(browser.get(export[1].replace("&amp;", "&")).get_data(as_text=True)) == [
        "thing 1",
        "thing 2",
        "thing 3",
    ]


def test_the_page_says_since_when_the_chain_holds_and_when_its_head_was_written(house: House, admin: Person) -> None:
    browser = house.browser(admin)
    assert "has not been written down yet" in browser.get("/admin/events").get_data(as_text=True)

    auditing.write_head(after_seconds=0)
    page = browser.get("/admin/events").get_data(as_text=True)
    assert re.search(r"Sealed one by one since <time[^>]+>\d+ \w+ \d{4}", page)
    assert re.search(r"last written down on <time[^>]+>\d+ \w+ \d{4}", page)


def test_an_export_is_a_file_that_is_remembered_and_that_anybody_with_the_key_can_check(house: House) -> None:
    admin = house.person("Admin", admin=True)
    for text in ODD:
        with transaction() as session:
            audit.record(session, "thing.made", actor_id=admin.id, subject=text.replace("\0", ""), odd=text)
            audit.record(session, "thing.lost", actor_id=None, by=text.replace("\0", ""))
    answer = house.browser(admin).get("/admin/events/export")

    assert answer.content_type == "text/csv; charset=utf-8"
    assert re.fullmatch(r"attachment; filename=events-\d{4}-\d\d-\d\d\.csv", answer.headers["Content-Disposition"])
    assert "no-store" in answer.headers["Cache-Control"]
    found = rows(answer.get_data(as_text=True))
    assert list(found[0]) == [*SEALED, "mac"]
    assert (found[-1]["action"], found[-1]["actor"]) == ("event.export", admin.email)
    head = db.session.execute(sa.select(AuditHead)).scalar_one()
    chain = Chain(audit_key(house.vault.settings), Path("unused"))
    mac = chain.genesis(head.began_at, head.adopted)
    for row in found:
        values: list[Any] = [had_back(row[name]) for name in SEALED]
        values[:2] = map(int, values[:2])
        values[4] = int(values[4]) if values[4] else None
        mac = chain.seal(mac, values)
        assert mac == row["mac"], row
    assert mac == head.mac


@pytest.mark.parametrize("text", ODD)
def test_a_cell_is_no_formula_and_one_line_and_can_be_had_back(text: str) -> None:
    line = tables.line([text, None, -5])

    assert line.endswith(',"","-5"\r\n')
    assert not line[1:].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert line.removesuffix("\r\n").isprintable()
    (row,) = csv.reader(io.StringIO(line, newline=""))
    assert had_back(row[0]) == text
