"""Homes for vaults that really run."""

from pathlib import Path

import pytest

from tests.live.commands import manage
from tests.live.server import new_home


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty database, made by the migrations themselves; to be copied."""
    home = tmp_path_factory.mktemp("migrated") / "home"
    done = manage(home, "migrate")
    assert (done.returncode, done.stderr) == (0, "")
    return home / "vault.db"


@pytest.fixture
def home(tmp_path: Path, migrated_database: Path) -> Path:
    """Return the home of a vault with an empty database."""
    return new_home(tmp_path, migrated_database)
