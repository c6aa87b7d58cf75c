"""Serving the vault, and bringing its database up to date. Floor 4."""

import logging
import sys
import threading
from collections.abc import Callable, Collection
from functools import partial
from typing import cast

import click
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import upgrade

from vault import logs
from vault.cli.house import House, is_pending, refuse_unmigrated, with_vault
from vault.cli.importing import doors_of
from vault.db import db
from vault.jobs import Message
from vault.jobs.engine import EngineQueue
from vault.jobs.worker import Crew, work
from vault.services import Refused, Vault, accounts, auditing, derivatives, editions, importing, maintenance, playback

HOUR_SECONDS = 3600
LOOK_AT_HEAD_SECONDS = 30
logger = logging.getLogger("vault.maintenance")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--web-workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.option("--no-worker", is_flag=True, help="Serve pages only.")
@click.option("--migrate", "first_migrate", is_flag=True, help="Bring the database up to date first.")
@click.pass_obj
def run(house: House, host: str, port: int, web_workers: int, no_worker: bool, first_migrate: bool) -> None:
    """Serve the vault: web server and background worker; Ctrl-C ends both."""
    app = house.create_app()
    logs.configure(app.extensions["vault"].settings.home)
    with app.app_context():
        if first_migrate:
            _bring_up_to_date(app)
        refuse_unmigrated(app)
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


@click.command()
@click.pass_obj
def worker(house: House) -> None:
    """Run a background worker alone."""
    app = house.create_app()
    vault: Vault = app.extensions["vault"]
    logs.configure(vault.settings.home)
    with app.app_context():
        refuse_unmigrated(app)
        derivatives.release_claims()
        playback.release_claims()
        importing.release_claims()
    doors = doors_of(vault)

    def run_task(name: str, args: tuple[str, ...]) -> None:
        with app.app_context():
            if name in importing.tasks:
                importing.tasks.run(doors, name, args)
                return
            known = next((each.tasks for each in (editions, playback) if name in each.tasks), derivatives.tasks)
            known.run(vault, name, args)

    stopped = threading.Event()
    for deed in (tidy_hourly, write_heads):
        threading.Thread(target=deed, args=(app, stopped), name=deed.__name__, daemon=True).start()
    try:
        crews = _crews(app, vault)
        # The application opens no other kind; services only need to leave hints in it.
        work(cast("EngineQueue", vault.queue), run=run_task, crews=crews, rows={"render", "playback", "import"})
    finally:
        stopped.set()


def _crews(app: Flask, vault: Vault) -> list[Crew]:
    """Return who works on what: one video and one import at a time, pictures beside them; none waits for another."""

    def asking(due: Callable[[Collection[Message]], Message | None]) -> Callable[[Collection[Message]], Message | None]:
        def ask(under_way: Collection[Message]) -> Message | None:
            with app.app_context():
                return due(under_way)

        return ask

    pictures, films = (asking(partial(each.due, vault)) for each in (derivatives, playback))
    return [Crew(pictures, vault.settings.worker_threads), Crew(films, 1), Crew(asking(importing.due), 1)]


def tidy_hourly(app: Flask, stopped: threading.Event) -> None:
    """Tidy at once and then every hour, beside the rendering, which waits for none of it and outlives its faults."""
    while True:
        try:
            with app.app_context():
                maintenance.tidy(app.extensions["vault"])
        except Exception:
            logger.exception("Could not tidy up")
        if stopped.wait(HOUR_SECONDS):
            return


def write_heads(app: Flask, stopped: threading.Event) -> None:
    """Write where the chain of events ends into its file, every few minutes when it moved."""
    while True:
        pause = LOOK_AT_HEAD_SECONDS
        try:
            with app.app_context():
                auditing.write_head()
        except Refused as found:
            # True until somebody looks: once an hour is enough to be read.
            logger.error("The end of the events was cut off: %s", found)
            pause = HOUR_SECONDS
        except Exception:
            logger.exception("Could not write the head of the events")
        if stopped.wait(pause):
            return


@click.command()
@click.pass_obj
def migrate(house: House) -> None:
    """Bring the database up to date."""
    app = house.create_app()
    with app.app_context():
        _bring_up_to_date(app)


def _bring_up_to_date(app: Flask) -> None:
    if is_pending(app):
        upgrade()
    # Not a part of any migration, for those know no key.
    auditing.begin()


@click.command("check-migrations")
@with_vault
def check_migrations(_vault: Vault) -> None:
    """Fail where the models and the migrations do not say the same."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        differences = compare_metadata(context, db.metadata)
    for difference in differences:
        click.echo(f"not migrated: {difference}", err=True)
    sys.exit(1 if differences else 0)
