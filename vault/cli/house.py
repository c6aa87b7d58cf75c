"""What every command stands on: the application it is handed, and a database that is up to date. Floor 4."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from vault.db import db
from vault.services import Refused


@dataclass(frozen=True)
class House:
    """What the commands work on: how to build the application, and how to serve it."""

    create_app: Callable[[], Flask]
    serve: Callable[..., int]


def with_vault(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside the application, with the vault as its first argument, on a migrated database."""

    @click.pass_obj
    @wraps(command)
    def inside(house: House, *args: Any, **options: Any) -> Any:
        app = house.create_app()
        with app.app_context():
            refuse_unmigrated(app)
            return command(app.extensions["vault"], *args, **options)

    return inside


def refuse_unmigrated(app: Flask) -> None:
    """Raise Refused where the database stands at another revision than the code."""
    if is_pending(app):
        raise Refused("the database is not up to date: run `manage.py migrate` first")


def is_pending(app: Flask) -> bool:
    """Whether the database stands at another revision than the code."""
    heads = ScriptDirectory(app.extensions["migrate"].directory).get_heads()
    with db.engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) != set(heads)
