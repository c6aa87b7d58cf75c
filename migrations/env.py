"""Runs the migrations on the application's own engine; SQLite rebuilds a table where it cannot alter one."""

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


def run() -> None:
    """Upgrade, or whatever was asked, in one transaction."""
    engine = cast("sa.Engine", current_app.extensions["migrate"].db.engine)
    with engine.connect().execution_options(vault_writes=True) as connection:
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


run()
