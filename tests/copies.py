"""Makes vaults worth copying, copies of them, and other vaults to bring them back into, for tests."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from vault.app import create_app
from vault.config import Settings
from vault.db import db, transaction
from vault.models import membership
from vault.models.media import Album, Media
from vault.models.sharing import LinkRole
from vault.services import backups
from vault.services.backups import Made, Wanted, checking, manifest, rows
from vault.storage.local import LocalStorage

REVISION = "0004"
NOW = Wanted(REVISION)
ENDED = {*checking.ENDED, *checking.UNFINISHED}


def tree(house: House, pictures: int = 4) -> tuple[Person, list[Media]]:
    """Make a vault with a little of everything that rows can hold."""
    anna = house.person("Anna", password="a walk by the river")
    album = house.album(anna, "Süden ☀")
    below = house.album(anna, "Below", parent=album)
    found = [house.picture(anna, album if number % 2 else below) for number in range(pictures)]
    link = house.link(album, role=LinkRole.DOWNLOADER)
    house.visitor(link).get(f"/l/{link.public_id}/media/{found[1].public_id}/preview")
    house.browser(anna)
    house.token(anna)
    with transaction() as session:
        row = session.get_one(Media, found[0].id)
        row.keywords, row.told, row.latitude = ["sea", "“it”", "\u202e"], {"beside": None, "n": 1.5}, 0.1 + 0.2
        row.part_of_id = found[-1].id  # refers to a row that comes later
        # A parent that was made after its child.
        child, parent = session.get_one(Album, album.id), session.get_one(Album, below.id)
        parent.parent_id = None
        session.flush()
        child.parent_id = parent.id
        session.flush()
        for each in (parent, child):
            membership.set_reach(session, each)
    db.session.rollback()
    return anna, found


def make(house: House, folder: Path, **wanted: Any) -> Made:
    return backups.backup(house.vault, folder, replace(NOW, **wanted))


def checked(folder: Path) -> manifest.Manifest:
    return backups.check(folder, begin=lambda _bytes: None, told=lambda _bytes: None)


@contextmanager
def another(house: House, kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """Open an empty vault of either kind of database."""
    home = folder / "another"
    home.mkdir(mode=0o700)
    url = f"sqlite:///{home / 'vault.db'}"
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), home / "vault.db")
    else:
        server, name = request.getfixturevalue("postgresql"), f"restored_{os.urandom(6).hex()}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template_vault".encode())
        url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    settings = Settings(
        **{**vars(house.vault.settings), "home": home, "database_url": url, "storage_url": "", "audit_heads": ""}
    )
    shutil.copy(house.vault.settings.home / "audit.key", home / "audit.key")
    app = create_app(settings)
    with app.app_context():
        yield House(app)
        db.session.remove()
        db.engine.dispose()


def restore_into(other: House, folder: Path) -> None:
    found = checked(folder)
    backups.lay_bytes(other.vault, folder, found, lambda _bytes: None)
    backups.lay_rows(folder, found)


def exported(folder: Path) -> dict[str, list[str]]:
    """Return what every table of the open vault holds."""
    folder.mkdir()
    with rows.snapshot() as connection:
        return {
            Path(file.path).stem: lines(folder / Path(file.path).name) for file in rows.export(connection, folder, "x")
        }


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def bytes_of(house: House) -> dict[str, bytes]:
    storage = house.vault.storage
    return {key: path_of(house, key).read_bytes() for key in storage.keys("")}


def path_of(house: House, key: str) -> Path:
    storage = house.vault.storage
    assert isinstance(storage, LocalStorage)
    return storage.root / key
