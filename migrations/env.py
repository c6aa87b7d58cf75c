"""Runs the migrations on the application's own engine; SQLite rebuilds a table where it cannot alter one."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, cast

import sqlalchemy as sa
from alembic import context
from flask import current_app

# Every model, so that the metadata is whole.
import vault.models.ingest
import vault.models.sharing
import vault.models.system  # noqa: F401  # registers its table
from vault.db import METADATA, UtcDateTime


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our type as what it is in the database, so that an old migration does not depend on today's code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


@contextmanager
def unbound(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite rebuild a table without deleting whatever refers to it, which dropping the former one would do."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # Inside a transaction this would do nothing, and the driver begins none by itself.
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    driver.execute("PRAGMA foreign_keys=OFF").close()
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON").close()


def refuse_loose_ends(connection: sa.Connection) -> None:
    """Raise IntegrityError where a row refers to one that is not there."""
    if connection.dialect.name == "sqlite":
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if loose:
            raise sa.exc.IntegrityError(f"rows that refer to nothing: {loose[:5]}", None, ValueError("foreign keys"))


def run() -> None:
    """Upgrade, or whatever was asked, in one transaction."""
    engine = cast("sa.Engine", current_app.extensions["migrate"].db.engine)
    with engine.connect().execution_options(vault_writes=True) as connection, unbound(connection):
        context.configure(
            connection=connection,
            target_metadata=METADATA,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            refuse_loose_ends(connection)


run()
