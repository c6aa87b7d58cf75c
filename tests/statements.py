"""Counts what reaches SQLite: every statement of every connection, also those that go past SQLAlchemy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from vault.db import db

BOOKKEEPING = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "--")


class Statements:
    """The statements since `listen`, or since `counted` began."""

    def __init__(self) -> None:
        self._all: list[str] = []

    def add(self, statement: str) -> None:
        """Note a statement; called by the driver."""
        if not statement.lstrip().upper().startswith(BOOKKEEPING):
            self._all.append(statement)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Give the list that fills with the statements of the block."""
        self._all = []
        yield self._all


def listen() -> Statements:
    """Trace every connection that is opened from now on; to be called before the house is used."""
    found = Statements()

    @sa.event.listens_for(db.engine, "connect")
    def trace(connection: Any, _record: object) -> None:
        connection.set_trace_callback(found.add)

    db.engine.dispose()
    return found
