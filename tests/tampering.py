"""What somebody may do to the events who can write to the database but does not have the key of their chain.

Every kind gets a random source and a raw connection to SQLite, and changes something in any case. It knows all that
stands in the database, older heads too.
"""

import json
import random
import sqlite3
from collections.abc import Callable

COLUMNS = "seq, id, at, action, actor_id, actor, subject, detail, address, mac"
CONTENTS = ("at", "action", "actor_id", "actor", "subject", "detail", "address")


def count(db: sqlite3.Connection) -> int:
    """Return how many events there are."""
    return int(db.execute("SELECT count(*) FROM event").fetchone()[0])


def somewhere(chance: random.Random, db: sqlite3.Connection, *, least: int = 1) -> int:
    """Return the place of an event."""
    return chance.randint(least, count(db))


def made_up(chance: random.Random, column: str, before: object) -> object:
    """Return a plausible value of a column, another one than before."""
    values: dict[str, object] = {
        "at": f"2026-0{chance.randint(1, 9)}-11 10:{chance.randint(10, 59)}:00.{chance.randint(0, 999_999):06}",
        "action": chance.choice(["media.trash", "grant.set", "link.create", "person.change"]),
        "actor_id": chance.choice([None, 1, 2]),
        "actor": chance.choice(["", "mallory@example.org", "the vault itself", str(before) + " "]),
        "subject": chance.choice(["", "A" * 22, str(before)[1:], str(before) + "\0"]),
        "address": chance.choice(["192.0.2.7", "", "::1"]),
        "detail": chance.choice(["{}", '{"role": "manager"}', str(before).replace(" ", "  "), str(before)[:-1] + " }"]),
    }
    return values[column] if values[column] != before else made_up(chance, column, before)


def edit_a_column(chance: random.Random, db: sqlite3.Connection) -> None:
    """Write something else into one column."""
    seq, column = somewhere(chance, db), chance.choice(CONTENTS)
    before = db.execute(f"SELECT {column} FROM event WHERE seq = ?", (seq,)).fetchone()[0]  # noqa: S608  # a name from above
    db.execute(f"UPDATE event SET {column} = ? WHERE seq = ?", (made_up(chance, column, before), seq))  # noqa: S608  # as above


def edit_inside_the_detail(chance: random.Random, db: sqlite3.Connection) -> None:
    """Change a value inside the JSON."""
    seq = somewhere(chance, db)
    detail = json.loads(db.execute("SELECT detail FROM event WHERE seq = ?", (seq,)).fetchone()[0])
    name = chance.choice(sorted(detail))
    changed = detail | {
        name: chance.choice([value for value in (None, -1, "x", [detail[name]]) if value != detail[name]])
    }
    db.execute("UPDATE event SET detail = ? WHERE seq = ?", (json.dumps(changed), seq))


def edit_the_id(chance: random.Random, db: sqlite3.Connection) -> None:
    """Give an event another id."""
    db.execute("UPDATE event SET id = id + 1000000 WHERE seq = ?", (somewhere(chance, db),))


def edit_the_seal(chance: random.Random, db: sqlite3.Connection) -> None:
    """Write another seal, also that of another event."""
    seq = somewhere(chance, db)
    mac = chance.choice([chance.randbytes(32).hex(), "", "no seal", b"\xff"])
    if chance.random() < 0.5:
        mac = db.execute("SELECT mac FROM event WHERE seq = ?", (seq % count(db) + 1,)).fetchone()[0]
    db.execute("UPDATE event SET mac = ? WHERE seq = ?", (mac, seq))


def edit_the_place(chance: random.Random, db: sqlite3.Connection) -> None:
    """Move an event to a place that is free."""
    place = chance.choice([0, -1, count(db) + 1, "first"])
    db.execute("UPDATE event SET seq = ? WHERE seq = ?", (place, somewhere(chance, db)))


def delete_one(chance: random.Random, db: sqlite3.Connection) -> None:
    """Delete an event."""
    db.execute("DELETE FROM event WHERE seq = ?", (somewhere(chance, db),))


def delete_many(chance: random.Random, db: sqlite3.Connection) -> None:
    """Delete several events."""
    for seq in chance.sample(range(1, count(db) + 1), chance.randint(2, 10)):
        db.execute("DELETE FROM event WHERE seq = ?", (seq,))


def delete_and_close_the_gap(chance: random.Random, db: sqlite3.Connection) -> None:
    """Delete an event, number those behind it anew, and set the head accordingly."""
    seq = somewhere(chance, db)
    db.execute("DELETE FROM event WHERE seq = ?", (seq,))
    for place in range(seq, count(db) + 1):
        db.execute("UPDATE event SET seq = seq - 1, id = id - 1 WHERE seq = ?", (place + 1,))
    head_to_the_end(db)


def insert_at_the_end(chance: random.Random, db: sqlite3.Connection) -> None:
    """Add a plausible event, with the head moved on or not."""
    insert(chance, db, count(db) + 1)
    if chance.random() < 0.5:
        head_to_the_end(db)


def insert_between(chance: random.Random, db: sqlite3.Connection) -> None:
    """Slip an event in between, and number those behind it anew."""
    seq = somewhere(chance, db)
    for place in range(count(db), seq - 1, -1):
        db.execute("UPDATE event SET seq = seq + 1, id = id + 1 WHERE seq = ?", (place,))
    insert(chance, db, seq)
    head_to_the_end(db)


def insert_without_a_place(chance: random.Random, db: sqlite3.Connection) -> None:
    """Add an event as if it were from before the chain."""
    insert(chance, db, None)


def copy_an_old_one(chance: random.Random, db: sqlite3.Connection) -> None:
    """Repeat an event with its true seal at the end, with the head moved on or not."""
    columns = "at, action, actor_id, actor, subject, detail, address, mac"
    place = (chance.choice([count(db) + 1, None]), somewhere(chance, db))
    db.execute(f"INSERT INTO event (seq, {columns}) SELECT ?, {columns} FROM event WHERE seq = ?", place)  # noqa: S608  # names from above
    if chance.random() < 0.5:
        head_to_the_end(db)


def swap_contents(chance: random.Random, db: sqlite3.Connection) -> None:
    """Exchange what two events say."""
    places = chance.sample(range(1, count(db) + 1), 2)
    names = ", ".join(CONTENTS)
    rows = [db.execute(f"SELECT {names} FROM event WHERE seq = ?", (seq,)).fetchone() for seq in places]  # noqa: S608  # as above
    for seq, row in zip(places, reversed(rows), strict=True):
        db.execute(f"UPDATE event SET ({names}) = ({', '.join('?' * len(row))}) WHERE seq = ?", (*row, seq))  # noqa: S608  # as above


def swap_places(chance: random.Random, db: sqlite3.Connection) -> None:
    """Exchange the places of two events; sometimes their ids as well."""
    one, other = chance.sample(range(1, count(db) + 1), 2)
    names = ["seq", "id"] if chance.random() < 0.5 else ["seq"]
    for name in names:
        # `rowid` is `id`, so the rows are found by their seals.
        asked = f"SELECT mac, {name} FROM event WHERE seq = ?"  # noqa: S608  # as above
        (mac, here), (other_mac, there) = (db.execute(asked, (seq,)).fetchone() for seq in (one, other))
        for value, seal in ((-1, mac), (here, other_mac), (there, mac)):
            db.execute(f"UPDATE event SET {name} = ? WHERE mac = ?", (value, seal))  # noqa: S608  # as above


def cut_the_end(chance: random.Random, db: sqlite3.Connection) -> None:
    """Remove the last events and leave the head, or take that away as well."""
    db.execute("DELETE FROM event WHERE seq > ?", (somewhere(chance, db) - 1,))
    if chance.random() < 0.5:
        db.execute("DELETE FROM audit_head")


def cut_the_end_under_a_true_head(chance: random.Random, db: sqlite3.Connection) -> None:
    """Remove the last events and set the head to what it truly was then: the chain itself is whole."""
    db.execute("DELETE FROM event WHERE seq > ?", (chance.randint(1, count(db) - 1),))
    head_to_the_end(db)


def take_seals_away(chance: random.Random, db: sqlite3.Connection) -> None:
    """Make an event look as if it were from before the chain."""
    change = chance.choice(["seq = NULL", "mac = NULL", "seq = NULL, mac = NULL"])
    db.execute(f"UPDATE event SET {change} WHERE seq = ?", (somewhere(chance, db),))  # noqa: S608  # a choice from above


def take_all_seals_away(chance: random.Random, db: sqlite3.Connection) -> None:
    """Make it look as if there had never been a chain."""
    edit_a_column(chance, db)
    db.execute("UPDATE event SET seq = NULL, mac = NULL")
    db.execute("DELETE FROM audit_head")


def edit_the_head(chance: random.Random, db: sqlite3.Connection) -> None:
    """Change something in the head."""
    changes = ["seq = seq + 1", "seq = seq - 1", "mac = 'x'", "event_id = 7", "adopted = 5", "seq = 'x'"]
    changes += ["began_at = '2026-01-01 00:00:00.000000'", "began_at = 'x'"]
    db.execute(f"UPDATE audit_head SET {chance.choice(changes)}")  # noqa: S608  # a choice from above


def insert(chance: random.Random, db: sqlite3.Connection, seq: int | None) -> None:
    """Write an event that was never recorded."""
    row = [made_up(chance, column, "before ") for column in CONTENTS]
    written = f"INSERT INTO event ({COLUMNS}) VALUES (?, ?, {'?, ' * len(row)}?)"  # noqa: S608  # names from above
    db.execute(written, (seq, seq, *row, chance.randbytes(32).hex()))


def head_to_the_end(db: sqlite3.Connection) -> None:
    """Let the head point at the last event."""
    last = "FROM event ORDER BY seq DESC LIMIT 1"
    db.execute(f"UPDATE audit_head SET (seq, mac, event_id) = (SELECT seq, coalesce(mac, ''), id {last})")  # noqa: S608  # a text from above


Kind = Callable[[random.Random, sqlite3.Connection], None]
KINDS: list[Kind] = [
    edit_a_column,
    edit_inside_the_detail,
    edit_the_id,
    edit_the_seal,
    edit_the_place,
    edit_the_head,
    delete_one,
    delete_many,
    delete_and_close_the_gap,
    insert_at_the_end,
    insert_between,
    insert_without_a_place,
    copy_an_old_one,
    swap_contents,
    swap_places,
    cut_the_end,
    cut_the_end_under_a_true_head,
    take_seals_away,
    take_all_seals_away,
]
