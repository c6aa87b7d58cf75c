"""The commands: thin calls to services, for whoever runs the vault.

Floor 4. Exit status 0 on success, 1 for a refusal with one line on standard error, 2 for wrong usage. The application
and the server stand a floor higher, so manage.py hands them in.
"""

import os
import sys
from collections.abc import Callable

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from vault import logs
from vault.cli import auditing, copies, importing, people, running, upkeep
from vault.cli.house import House
from vault.config import SettingsError
from vault.imaging.identify import Unsupported
from vault.jobs.engine import QueueError
from vault.passwords import UnacceptablePassword
from vault.services import Refused
from vault.storage import StorageError

REFUSALS = (Refused, Unsupported, UnacceptablePassword, StorageError, QueueError, SQLAlchemyError)
COMMANDS = (
    running.run,
    running.worker,
    running.migrate,
    running.check_migrations,
    people.create_user,
    people.reset_password,
    people.create_token,
    importing.import_tree,
    upkeep.fsck,
    copies.backup,
    copies.restore,
    auditing.audit,
)


@click.group(context_settings={"max_content_width": 110})
def cli() -> None:
    """Run and look after a private media vault."""


for command in COMMANDS:
    cli.add_command(command)


def main(create_app: Callable[[], Flask], serve: Callable[..., int]) -> None:
    """Run a command; never a traceback for bad input."""
    os.umask(0o077)
    logs.configure()
    try:
        cli(obj=House(create_app, serve))
    except SettingsError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(1)
    except REFUSALS as error:
        click.echo(str(error).splitlines()[0] if str(error) else type(error).__name__, err=True)
        sys.exit(1)
    except OSError as error:
        # A folder that is none, or may not be written to: the home, the blobs, the log.
        click.echo(f"{error.filename or 'the system'}: {error.strerror or error}", err=True)
        sys.exit(1)
