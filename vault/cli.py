"""The commands: thin calls to services, for whoever runs the vault.

Floor 4. Exit status 0 on success, 1 for a refusal with one line on standard error, 2 for wrong usage. The application
and the server stand a floor higher, so manage.py hands them in.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.exc import SQLAlchemyError
from tqdm import tqdm

from vault.config import SettingsError
from vault.db import db
from vault.imaging.identify import Unsupported
from vault.jobs.engine import EngineQueue
from vault.jobs.worker import work
from vault.models.account import Purpose, Scope, User
from vault.passwords import UnacceptablePassword
from vault.policy import Viewer
from vault.services import (
    Refused,
    Vault,
    accounts,
    albums,
    derivatives,
    inspection,
    maintenance,
    people,
    tokens,
    uploads,
)
from vault.storage import StorageError
from vault.storage.incoming import Incoming
from vault.web import logging as request_log

REFUSALS = (Refused, Unsupported, UnacceptablePassword, SettingsError, StorageError, SQLAlchemyError)
CHUNK = 1024 * 1024
HOUR_SECONDS = 3600


@dataclass(frozen=True)
class House:
    """What the commands work on: how to build the application, and how to serve it."""

    create_app: Callable[[], Flask]
    serve: Callable[..., int]


@click.group(context_settings={"max_content_width": 110})
def cli() -> None:
    """Run and look after a private media vault."""


def main(create_app: Callable[[], Flask], serve: Callable[..., int]) -> None:
    """Run a command; never a traceback for bad input."""
    os.umask(0o077)
    request_log.configure()
    try:
        cli(obj=House(create_app, serve))
    except SettingsError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(1)
    except REFUSALS as error:
        click.echo(str(error).splitlines()[0] if str(error) else type(error).__name__, err=True)
        sys.exit(1)


def with_vault(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside the application, with the vault as its first argument, on a migrated database."""

    @click.pass_obj
    @wraps(command)
    def inside(house: House, *args: Any, **options: Any) -> Any:
        app = house.create_app()
        with app.app_context():
            _refuse_unmigrated(app)
            return command(app.extensions["vault"], *args, **options)

    return inside


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--web-workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.option("--no-worker", is_flag=True, help="Serve pages only.")
@click.pass_obj
def run(house: House, host: str, port: int, web_workers: int, no_worker: bool) -> None:
    """Serve the vault: web server and background worker; Ctrl-C ends both."""
    app = house.create_app()
    with app.app_context():
        _refuse_unmigrated(app)
        token = accounts.open_setup()
        db.engine.dispose()

    def on_ready(origin: str) -> None:
        if token:
            click.echo(f"This vault is empty. Set it up here, once: {origin}/setup/{token}")

    settings = app.extensions["vault"].settings
    # An origin that nobody chose follows the port.
    chosen = settings.origin if settings.origin != type(settings).origin else None
    status = house.serve(
        host, port, web_workers=web_workers, with_worker=not no_worker, origin=chosen, on_ready=on_ready
    )
    sys.exit(status)


@cli.command()
@click.pass_obj
def worker(house: House) -> None:
    """Run a background worker alone."""
    app = house.create_app()
    vault: Vault = app.extensions["vault"]
    with app.app_context():
        _refuse_unmigrated(app)
        derivatives.release_claims()

    def run_task(name: str, args: tuple[str, ...]) -> None:
        with app.app_context():
            derivatives.tasks.run(vault, name, args)

    def due() -> list[tuple[str, tuple[str, ...]]]:
        with app.app_context():
            maintenance.tidy_hourly(vault)
            return list(derivatives.due())

    # The application opens no other kind; services only need to leave hints in it.
    work(cast("EngineQueue", vault.queue), run=run_task, due=due, threads=vault.settings.worker_threads)


@cli.command()
@click.pass_obj
def migrate(house: House) -> None:
    """Bring the database up to date."""
    app = house.create_app()
    with app.app_context():
        if _pending(app):
            upgrade()


@cli.command("check-migrations")
@with_vault
def check_migrations(_vault: Vault) -> None:
    """Fail where the models and the migrations do not say the same."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        differences = compare_metadata(context, db.metadata)
    for difference in differences:
        click.echo(f"not migrated: {difference}", err=True)
    sys.exit(1 if differences else 0)


@cli.command("create-user")
@click.argument("email")
@click.option("--name", default="", help="How others see them.")
@click.option("--admin", is_flag=True, help="May manage people and access.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input.")
@with_vault
def create_user(vault: Vault, email: str, name: str, admin: bool, password_stdin: bool) -> None:
    """Make an account; without a password, print its one-time invitation."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        person = accounts.create(vault, email=email, name=name, password=password, is_admin=admin)
        click.echo(f"{person.email} can sign in now.")
        return
    _, token = accounts.invite(vault, None, email=email, name=name, is_admin=admin)
    click.echo(f"{vault.settings.origin}/invite/{token}")


@cli.command("reset-password")
@click.argument("email")
@with_vault
def reset_password(vault: Vault, email: str) -> None:
    """Print a one-time address at which EMAIL sets a new password."""
    purpose, token = accounts.offer_new_password(vault, None, _person(email).id)
    click.echo(f"{vault.settings.origin}/{'invite' if purpose is Purpose.INVITATION else 'reset'}/{token}")


@cli.command("create-token")
@click.argument("email")
@click.option("--name", required=True, help="What it is for.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(["read", "write", "admin"]), help="May be repeated."
)
@click.option("--expires-in-days", type=click.IntRange(1, 3650), help="Without it the token does not end.")
@with_vault
def create_token(_vault: Vault, email: str, name: str, scopes: tuple[str, ...], expires_in_days: int | None) -> None:
    """Print an API token, once; its scope is read unless said otherwise."""
    granted = Scope(0)
    for scope in scopes or ("read",):
        granted |= Scope[scope.upper()]
    made = tokens.create(
        _person(email).id, name=name, scopes=granted, expires_in_days=expires_in_days, actor="command line"
    )
    click.echo(made)


@cli.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--owner", required=True, help="E-mail address of whose pictures they become.")
@click.option("--album", help="Title of an album to put them into; made when it is not there.")
@click.option(
    "--move-nothing", is_flag=True, help="Leave the source as it is, as always; said for scripts that want to say so."
)
@with_vault
def import_tree(vault: Vault, path: Path, owner: str, album: str | None, move_nothing: bool) -> None:  # noqa: ARG001  # nothing is ever moved
    """Import every picture below PATH. Safe to run again: what is here already is recognised."""
    viewer = Viewer(user_id=_person(owner).id)
    album_id = _album(viewer, album) if album else None
    counts = {"imported": 0, "already here": 0, "refused": 0}
    files = list(_files(path))
    for file in tqdm(files, unit="file", disable=not sys.stderr.isatty()):
        try:
            with Incoming(vault.storage, vault.settings.max_upload_bytes) as incoming:
                _copy(file, incoming)
                received = uploads.receive(vault, viewer, incoming, file_name=file.name, album_id=album_id)
            counts["already here" if received.duplicate else "imported"] += 1
        except (Refused, Unsupported, StorageError, OSError) as error:
            counts["refused"] += 1
            tqdm.write(f"{file}: {error}", file=sys.stderr)
    click.echo(", ".join(f"{count} {what}" for what, count in counts.items()))


@cli.command()
@click.option("--read-data", is_flag=True, help="Read every byte and compare it with its hash.")
@click.option("--fix", is_flag=True, help="Mend what can be made again; no original is ever touched.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_vault
def fsck(vault: Vault, read_data: bool, fix: bool, as_json: bool) -> None:
    """Check rows against bytes; exit status 0 only when everything agrees."""
    report = inspection.inspect(vault, read_data=read_data, fix=fix)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        for line in (*report.problems, *report.mended):
            click.echo(line)
        found = (
            f"{report.originals} originals, {report.variants} variants, {report.blobs} blobs, {report.pending} pending"
        )
        click.echo(f"{found}: {'everything agrees' if report.holds else f'{len(report.problems)} problems'}")
    sys.exit(0 if report.holds else 1)


def _person(email: str) -> User:
    person = people.find_by_email(email)
    if person is None:
        raise Refused(f"nobody with the e-mail address {email} is here")
    return person


def _album(viewer: Viewer, title: str) -> str:
    known = next((album for album in albums.own(viewer) if album.album.title == title), None)
    return (known.album if known else albums.create(viewer, title=title)).public_id


def _files(path: Path) -> Iterator[Path]:
    """Walk a tree in order; hidden files and whatever is no ordinary file are left out, links are not followed."""
    if path.is_file():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            found = Path(folder) / name
            if not name.startswith(".") and found.is_file() and not found.is_symlink():
                yield found


def _copy(file: Path, incoming: Incoming) -> None:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            incoming.write(chunk)


def _refuse_unmigrated(app: Flask) -> None:
    if _pending(app):
        raise Refused("the database is not up to date: run `manage.py migrate` first")


def _pending(app: Flask) -> bool:
    """Whether the database stands at another revision than the code."""
    with _alembic() as context:
        heads = ScriptDirectory(app.extensions["migrate"].directory).get_heads()
        return set(context.get_current_heads()) != set(heads)


@contextmanager
def _alembic() -> Iterator[MigrationContext]:
    with db.engine.connect() as connection:
        yield MigrationContext.configure(connection)
