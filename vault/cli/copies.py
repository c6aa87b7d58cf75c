"""Making a copy of the whole vault, and coming back from one. Floor 4."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Never

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from tqdm import tqdm

from vault.cli import homes
from vault.cli.house import House, with_vault
from vault.config import Settings, audit_key
from vault.db import db
from vault.services import Refused, Vault, auditing, backups, inspection
from vault.services.backups import Made, Wanted
from vault.services.backups.manifest import BLOBS, HEADS, KEYS, Manifest, fingerprint

FOLDER = click.Path(file_okay=False, path_type=Path)
KEYS_WARNING = (
    "The keys of this vault lie in {folder}. Whoever has them and the rest can open every link and forge every event: "
    "keep them elsewhere, and keep them."
)
NO_KEYS = (
    "The keys of the vault that made this backup are not here. Name their folder with --keys, or say --new-keys: every "
    "link ends then, and the events of before can no longer be verified."
)


OTHER_KEYS = (
    "This backup was made with other keys than those that are here. Whoever can write to it may have made its keys as "
    "well: if you know that they are yours, say --keys {folder}"
)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--since", type=FOLDER, help="An earlier backup: what has not changed is shared with it.")
@click.option("--with-variants", is_flag=True, help="Copy thumbs, previews and playable videos, too.")
@click.option("--no-keys", is_flag=True, help="Leave the keys out.")
@with_vault
def backup(vault: Vault, folder: Path, since: Path | None, with_variants: bool, no_keys: bool) -> None:
    """Copy the vault into FOLDER, also while it runs. Run it again after an interruption: it goes on."""
    with db.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision() or ""
    with _progress("copying") as bar:
        wanted = Wanted(revision, since, with_variants, not no_keys, bar.begin, bar.told)
        made = backups.backup(vault, folder, wanted)
    for key, wrong in made.lost:
        click.echo(f"{key}: {wrong}", err=True)
    click.echo(_summary(made))
    if made.keys:
        click.echo(KEYS_WARNING.format(folder=folder / KEYS), err=True)
    # It is whole, but the vault is not, and whoever makes a copy every night must hear of that.
    sys.exit(1 if made.lost else 0)


def _summary(made: Made) -> str:
    shared = f", {made.linked:,} shared with the earlier one" if made.linked else ""
    return f"{made.files:,} files, {made.bytes:,} bytes{shared}; key {made.key}; manifest {made.sha256}"


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--home", type=FOLDER, help="Where the vault is to live; VAULT_HOME otherwise.")
@click.option("--replace", is_flag=True, help="Put the vault that is there aside; nothing of it is deleted.")
@click.option("--keys", type=FOLDER, help="Where the keys lie that were kept apart from the backup.")
@click.option("--new-keys", is_flag=True, help="Go without the keys: links end, events of before are not verified.")
@click.option("--check", is_flag=True, help="Look whether FOLDER is a whole, unaltered backup, and touch nothing.")
@click.pass_obj
def restore(
    house: House, folder: Path, home: Path | None, replace: bool, keys: Path | None, new_keys: bool, check: bool
) -> None:
    """Bring a vault back from the backup in FOLDER, on the database and storage that the settings name."""
    if home is not None:
        os.environ["VAULT_HOME"] = str(home.absolute())
    with _progress("checking") as bar:
        found = backups.check(folder, begin=bar.begin, told=bar.told)
    if check:
        click.echo(f"a whole backup of {found.head.taken_at}: {len(found.files):,} files, {found.bytes:,} bytes")
        return
    source = None if new_keys else keys or (folder / KEYS if (folder / KEYS).is_dir() else None)
    there = homes.key_there()
    if source is not None and keys is None and there is not None and not found.is_sealed_by(there):
        raise Refused(OTHER_KEYS.format(folder=source))

    def accept(app: Flask) -> None:
        _refuse_newer(app, found)
        if not new_keys and not found.is_sealed_by(_key_to_come(app, source)):
            raise Refused(NO_KEYS)

    aside = homes.clear(house, replace=replace, keys=source, accept=accept)
    homes.lay_keys(source)
    status = _restore(house, folder, found, keys_known=not new_keys)
    if aside:
        click.echo(f"what was there before lies in {', '.join(map(str, aside))}")
    sys.exit(status)


def _refuse_newer(app: Flask, found: Manifest) -> None:
    revisions = {each.revision for each in ScriptDirectory(app.extensions["migrate"].directory).walk_revisions()}
    if found.head.revision not in revisions:
        raise Refused(f"This backup was made by a newer vault ({found.head.version}). Update this one first.")


def _key_to_come(app: Flask, source: Path | None) -> str:
    """Return the key of the events that the restored vault will have."""
    settings: Settings = app.extensions["vault"].settings
    if source is not None and (source / "audit.key").is_file() and not settings.audit_key:
        return (source / "audit.key").read_text(errors="replace").strip()
    return audit_key(settings)


def _restore(house: House, folder: Path, found: Manifest, *, keys_known: bool) -> int:
    app = house.create_app()
    vault: Vault = app.extensions["vault"]
    with app.app_context():
        if HEADS in found.files:
            homes.lay_heads(vault.settings, folder / HEADS, found.files[HEADS][1])
        with _progress("restoring") as bar:
            bar.begin(sum(file.size_bytes for file in found.below(BLOBS)))
            backups.lay_bytes(vault, folder, found, bar.told)
        upgrade(revision=found.head.revision)
        counts = backups.lay_rows(folder, found)
        upgrade()
        if keys_known:
            backups.record_restore(found)
            auditing.write_head(after_seconds=0)
            click.echo(f"the key of its events is {fingerprint(audit_key(vault.settings))}")
        # What was rotten in the vault is rotten in the copy: only then is it worth reading all of it again.
        report = inspection.inspect(vault, read_data=bool(found.lost), fix=True)
        verdict = auditing.verify()
        db.engine.dispose()
    for line in (*report.problems, *report.mended, *map(str, verdict.findings)):
        click.echo(line, err=True)
    click.echo(f"{sum(counts.values()):,} rows and {report.originals:,} originals of {found.head.taken_at} are back")
    click.echo("everybody has to sign in again; API tokens, invitations and visits of before have ended", err=True)
    return 0 if report.holds and (verdict.holds or not keys_known) else 1


class _Bar:
    """Progress on a terminal, in bytes."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._bar: tqdm[Never] | None = None

    def begin(self, total_bytes: int) -> None:
        """Begin to count."""
        quiet = not sys.stderr.isatty()
        self._bar = tqdm(total=total_bytes, unit="B", unit_scale=True, desc=self._words, disable=quiet)

    def told(self, count: int) -> None:
        """Count so many bytes."""
        if self._bar is not None:
            self._bar.update(count)

    def close(self) -> None:
        """Leave the line."""
        if self._bar is not None:
            self._bar.close()


@contextmanager
def _progress(words: str) -> Iterator[_Bar]:
    """Lend a bar; SIGTERM ends the command like Ctrl-C, by way of all that is to be closed."""
    bar = _Bar(words)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield bar
    finally:
        signal.signal(signal.SIGTERM, before)
        bar.close()
