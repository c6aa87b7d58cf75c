"""All rows of the database as files that either kind of database can take back.

Floor 3: knows tables and columns by name and kind only, so that a copy made by an older version can be laid into the
tables of its own time. One file a table: a first line with its columns, then one line of JSON a row. Times are text,
UTC with six digits behind the second; JSON is the very text that is kept, because events are sealed over it; bytes
are base64.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.schema import AddConstraint, DropConstraint

from vault.chain import moment
from vault.db import UtcDateTime, db
from vault.services import Refused
from vault.services.backups.manifest import CHANGED, File

AT_A_TIME = 1_000
KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (UtcDateTime, "time"),
    (sa.JSON, "json"),
    (sa.LargeBinary, "bytes"),
    (sa.Boolean, "bool"),
    (sa.Float, "float"),
    (sa.Integer, "int"),
)
Change = Callable[[str, dict[str, Any]], dict[str, Any] | None]
"""What becomes of a row of a table before it is laid in; None leaves it out."""


@contextmanager
def snapshot() -> Iterator[sa.Connection]:
    """Lend a connection that sees the database as it is at its first question, whatever is written meanwhile."""
    db.session.rollback()
    options: dict[str, Any] = {"stream_results": True, "yield_per": AT_A_TIME}
    if db.engine.dialect.name != "sqlite":  # whose reading transactions are snapshots
        options["isolation_level"] = "REPEATABLE READ"
    with closing(db.engine.connect().execution_options(**options)) as connection:
        yield connection


def export(connection: sa.Connection, folder: Path, name: str) -> Iterator[File]:
    """Write every table into a file below a folder, durable when it is yielded; `name` is what the folder is called."""
    for table in db.metadata.sorted_tables:
        path = folder / f"{table.name}.jsonl"
        digest = hashlib.sha256()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for line in _exported(connection, table):
                digest.update(line)
                file.write(line)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        yield File(f"{name}/{path.name}", size, digest.hexdigest())


def walk(path: Path, *columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield these columns of every row of a file."""
    with path.open("rb") as file:
        names = [name for name, _ in json.loads(file.readline())["columns"]]
        places = [names.index(column) for column in columns]
        for line in file:
            row = json.loads(line)
            yield tuple(row[place] for place in places)


def lay(session: Session, folder: Path, files: Iterable[File], change: Change) -> dict[str, int]:
    """Put the rows of all files into the tables of that name, in place of what was there; return how many of each.

    All within the transaction that is open: what does not hold together is not kept. Raises Refused for a file that is
    not the one that was written down.
    """
    connection = session.connection()
    postgresql = connection.dialect.name == "postgresql"
    named = {Path(file.path).stem: file for file in sorted(files, key=lambda file: file.path)}
    bonds = list(_untie(connection)) if postgresql else []
    if not postgresql:
        # What refers to what is looked at when all of it is there.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    for table in named:
        connection.execute(sa.delete(sa.table(table)))
    counts = {}
    for table, file in named.items():
        try:
            counts[table], sha256 = _lay_table(connection, folder / file.path, change, postgresql=postgresql)
        except (ValueError, TypeError, KeyError, OSError) as error:
            raise Refused(CHANGED.format(path=file.path)) from error
        if sha256 != file.sha256:
            raise Refused(CHANGED.format(path=file.path))
    for bond in bonds:
        connection.execute(AddConstraint(bond))
    if postgresql:
        _move_sequences(connection)
    return counts


def _exported(connection: sa.Connection, table: sa.Table) -> Iterator[bytes]:
    kinds = [_kind(column.type) for column in table.columns]
    said = {
        "table": table.name,
        "columns": [[column.name, kind] for column, kind in zip(table.columns, kinds, strict=True)],
    }
    yield _line(said)
    is_sqlite = connection.dialect.name == "sqlite"
    columns = [_raw(column, kind, is_sqlite=is_sqlite) for column, kind in zip(table.columns, kinds, strict=True)]
    for row in connection.execute(sa.select(*columns).order_by(*table.primary_key.columns)):
        yield _line([moment(value) if isinstance(value, datetime) else value for value in row])


def _kind(type_: sa.types.TypeEngine[Any]) -> str:
    return next((kind for known, kind in KINDS if isinstance(type_, known)), "text")


def _raw(column: sa.Column[Any], kind: str, *, is_sqlite: bool) -> sa.ColumnElement[Any]:
    """Return a column as it is kept: what somebody else wrote into it need not be a time or JSON."""
    if kind == "json":
        return (sa.type_coerce if is_sqlite else sa.cast)(column, sa.Text).label(column.name)
    if kind == "time" and is_sqlite:
        return sa.type_coerce(column, sa.String).label(column.name)
    return column


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=_encoded).encode() + b"\n"


def _encoded(value: object) -> dict[str, str]:
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(f"no way to write a {type(value).__name__}")


def _lay_table(connection: sa.Connection, path: Path, change: Change, *, postgresql: bool) -> tuple[int, str]:
    """Lay the rows of one file; return how many, and the digest of what was read."""
    with path.open("rb") as file:
        first = file.readline()
        digest = hashlib.sha256(first)
        columns = [(name, kind) for name, kind in json.loads(first)["columns"]]
        statement = _statement(path.stem, columns, postgresql=postgresql)
        waiting: list[dict[str, Any]] = []
        count = 0
        for line in file:
            digest.update(line)
            row = change(path.stem, dict(zip((name for name, _ in columns), json.loads(line), strict=True)))
            if row is None:
                continue
            waiting.append({f"v_{name}": _bound(row[name], kind, postgresql=postgresql) for name, kind in columns})
            count += 1
            if len(waiting) >= AT_A_TIME:
                connection.execute(statement, waiting)
                waiting = []
        if waiting:
            connection.execute(statement, waiting)
    return count, digest.hexdigest()


def _statement(table: str, columns: list[tuple[str, str]], *, postgresql: bool) -> sa.Insert:
    types: dict[str, Any] = {"bytes": sa.LargeBinary, "int": sa.BigInteger, "float": sa.Float, "text": sa.Text}
    types |= {"json": sa.Text, "time": UtcDateTime, "bool": sa.Boolean} if postgresql else {}
    values: dict[str, Any] = {
        name: sa.bindparam(f"v_{name}", type_=types.get(kind, sa.String)()) for name, kind in columns
    }
    if postgresql:
        values |= {name: sa.cast(values[name], sa.JSON) for name, kind in columns if kind == "json"}
    return sa.insert(sa.table(table, *(sa.column(name) for name, _ in columns))).values(values)


def _bound(value: Any, kind: str, *, postgresql: bool) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    if kind == "bool" and value is not None:
        return bool(value) if postgresql else int(value)
    if kind == "time" and value is not None and postgresql:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value


def _untie(connection: sa.Connection) -> Iterator[sa.ForeignKeyConstraint]:
    """Take off every foreign key, and yield it to be put back: only the owner of a server may have them deferred."""
    there = sa.MetaData()
    there.reflect(connection)
    for table in there.tables.values():
        for bond in table.foreign_key_constraints:
            connection.execute(DropConstraint(bond))
            yield bond


def _move_sequences(connection: sa.Connection) -> None:
    """Let new rows be numbered behind those that were laid in."""
    for table in sa.inspect(connection).get_table_names():
        named = sa.func.pg_get_serial_sequence(f'"{table}"', "id")
        if not any(column["name"] == "id" for column in sa.inspect(connection).get_columns(table)):
            continue
        sequence = connection.scalar(sa.select(named))
        if sequence:
            last = connection.scalar(sa.select(sa.func.max(sa.column("id"))).select_from(sa.table(table)))
            connection.execute(sa.select(sa.func.setval(sequence, last or 1, last is not None)))
