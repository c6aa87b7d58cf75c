"""The place that a vault is restored into: looked at, put aside where it is in use, and given its keys. Floor 4.

Nothing is ever deleted here but what this command has just made itself.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from vault.cli.house import House
from vault.config import PRIVATE, ROOT, Settings
from vault.db import db, utcnow
from vault.models.account import User
from vault.services import Refused, Vault
from vault.services.backups.checking import DIGESTS
from vault.services.backups.manifest import CHANGED
from vault.storage.local import LocalStorage

ASIDE = "before-restore-"
RUNNING = "The vault that is there is running. Stop it first."


def clear(house: House, *, replace: bool, keys: Path | None, accept: Callable[[Flask], None]) -> list[Path]:
    """Make room for a vault where the settings say; return where what was there lies now.

    `keys` is the folder whose keys are to come: those that are there go aside, else they stay. `accept` may refuse.
    Raises Refused for a vault with people or pictures in it, unless it is to be replaced, and for one that runs.
    """
    home = place()
    before = {path.name for path in home.iterdir()} if home.is_dir() else set()
    app = house.create_app()
    with app.app_context():
        try:
            accept(app)
            if _is_used(app.extensions["vault"]) and not replace:
                raise Refused(f"There is a vault with people in it in {home}. Say --replace to put it aside.")
            db.session.remove()
            db.engine.dispose()
            _refuse_running()
        finally:
            db.session.remove()
            db.engine.dispose()
            _forget_new(home, before, app.extensions["vault"])
        stamp = f"{ASIDE}{utcnow():%Y%m%dT%H%M%SZ}"
        return list(_put_aside(app.extensions["vault"], stamp, keys))


def place() -> Path:
    """Return the home that the environment names."""
    return Path(os.environ.get("VAULT_HOME") or ROOT / "instance").absolute()


def lay_keys(source: Path | None) -> None:
    """Put the keys of a copy into the home. Settings of this machine stay: a `vault.env` that is there is kept."""
    home = place()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in sorted(source.iterdir()) if source is not None else ():
        if path.name in PRIVATE and path.name != DIGESTS and not (home / path.name).exists():
            _write(path.read_bytes(), home / path.name)


def lay_heads(settings: Settings, source: Path, sha256: str) -> None:
    """Put the file of heads of a copy where the settings say. Raises Refused where it is not what was looked at."""
    data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Refused(CHANGED.format(path=source.name))
    _write(data, Path(settings.audit_heads))


def key_there() -> str | None:
    """Return the key of the events that lies in the home, before anything is made or moved there."""
    path = place() / "audit.key"
    return path.read_text(errors="replace").strip() if path.is_file() else None


def _write(data: bytes, target: Path) -> None:
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _is_used(vault: Vault) -> bool:
    if next(vault.storage.keys("originals/"), None) is not None:
        return True
    if not sa.inspect(db.engine).has_table(User.__tablename__):
        return False
    return db.session.scalar(sa.select(sa.func.count()).select_from(User)) != 0


def _refuse_running() -> None:
    """Whoever serves the vault has the database open all the time."""
    if db.engine.dialect.name == "sqlite":
        path = db.engine.url.database or ""
        if Path(path).exists():
            with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as alone:
                try:
                    alone.execute("PRAGMA locking_mode=EXCLUSIVE")
                    alone.execute("BEGIN EXCLUSIVE")
                except sqlite3.OperationalError as error:
                    raise Refused(RUNNING) from error
        return
    others = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    with db.engine.connect() as connection:
        if connection.scalar(others):
            raise Refused(RUNNING)


def _forget_new(home: Path, before: set[str], vault: Vault) -> None:
    """Remove what looking has made where it was not: keys that never signed anything, an empty database, folders."""
    made = {"secret_key", "audit.key", "queue.db", "queue.db-wal", "queue.db-shm"} - before
    database = Path(db.engine.url.database or "/")
    if db.engine.dialect.name == "sqlite" and database.parent == home:
        made |= {f"{database.name}{end}" for end in ("", "-wal", "-shm", "-turn")} - before
    for name in made:
        (home / name).unlink(missing_ok=True)
    _take_empty(_root(vault))
    if not before:
        with suppress(OSError):
            home.rmdir()


def _root(vault: Vault) -> Path:
    return vault.storage.root if isinstance(vault.storage, LocalStorage) else vault.settings.home


def _put_aside(vault: Vault, stamp: str, keys: Path | None) -> Iterator[Path]:
    """Move what is there into a folder beside it, on the same disk. A database of a server gets another schema."""
    settings, home = vault.settings, vault.settings.home
    comes = keys is not None and any((keys / name).exists() for name in PRIVATE)
    stays = {"vault.env"} | (set() if comes else {"secret_key", "audit.key"})
    root = _root(vault)
    if not root.is_relative_to(home) or os.path.ismount(root):
        # A disk of its own cannot be moved, but what is on it can.
        yield from _moved(root, stamp, set())
        stays.add(root.name)
    yield from _moved(home, stamp, stays)
    for outside in _outside(settings):
        if outside.exists():
            yield outside.rename(outside.with_name(f"{outside.name}.{stamp}"))
    if db.engine.dialect.name == "postgresql":
        yield from _renamed_schema(stamp)


def _take_empty(root: Path) -> None:
    """Take away the folders that a storage makes when it is opened, where there is nothing in them."""
    for path in (*(root.iterdir() if root.is_dir() else ()), root):
        with suppress(OSError):
            path.rmdir()


def _moved(folder: Path, stamp: str, kept: set[str]) -> Iterator[Path]:
    there = [
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.name not in kept and not path.name.startswith(ASIDE)
    ]
    if there:
        aside = folder / stamp
        aside.mkdir(mode=0o700)
        for path in there:
            path.rename(aside / path.name)
        yield aside


def _outside(settings: Settings) -> Iterator[Path]:
    """Yield the files of a vault that do not lie in its home."""
    heads = Path(settings.audit_heads)
    if not heads.is_relative_to(settings.home):
        yield heads
    database = Path(db.engine.url.database or "/")
    if db.engine.dialect.name == "sqlite" and not database.is_relative_to(settings.home):
        yield from (database.with_name(f"{database.name}{end}") for end in ("", "-wal", "-shm"))


def _renamed_schema(stamp: str) -> Iterator[Path]:
    name = stamp.replace("-", "_").lower()
    with db.engine.begin() as connection:
        schema = connection.scalar(sa.text("SELECT current_schema()"))
        if sa.inspect(connection).get_table_names():
            connection.execute(sa.text(f'ALTER SCHEMA "{schema}" RENAME TO "{name}"'))
            connection.execute(sa.text(f'CREATE SCHEMA "{schema}"'))
            yield Path(f"schema {name}")
