"""The migrations lead from nothing to what the models say, and back, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade

from tests.factories import SECRET
from vault import audit
from vault.app import create_app
from vault.config import Settings
from vault.db import METADATA, db, transaction
from vault.models.system import Event
from vault.services import auditing

# The queue keeps tables of its own beside ours where it lives in the same database.
OURS = set(METADATA.tables)


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """Return an application on an empty database."""
    home = tmp_path / "home"
    url, uri = f"sqlite:///{home / 'vault.db'}", ""
    if request.param == "postgresql":
        uri = request.getfixturevalue("postgresql")
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("CREATE DATABASE migrated")
        url = sa.make_url(uri).set(database="migrated").render_as_string(hide_password=False)
    app = create_app(Settings(home=home, secret_keys=(SECRET,), database_url=url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if uri:
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("DROP DATABASE migrated WITH (FORCE)")


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names())


def differences() -> list[object]:
    with db.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": another_default, "render_as_batch": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


def another_default(_context: object, _kept: object, meant: sa.Column[object], *defaults: str | None) -> bool | None:
    """Compare what PostgreSQL cannot: it knows no equality of JSON. None leaves it to Alembic."""
    found, _default, rendered = defaults
    return (found or "").partition("::")[0] != (rendered or "") if isinstance(meant.type, sa.JSON) else None


def indexes() -> dict[str, list[tuple[str, tuple[str | None, ...], bool]]]:
    found = sa.inspect(db.engine)
    return {
        table: sorted((str(i["name"]), tuple(i["column_names"]), bool(i["unique"])) for i in found.get_indexes(table))
        for table in sorted(OURS)
    }


def test_from_nothing_to_what_the_models_say(app: Flask) -> None:
    upgrade()

    assert tables() == {*OURS, "alembic_version"}
    assert differences() == []


def test_down_to_nothing_and_up_again(app: Flask) -> None:
    upgrade()
    before = indexes()
    downgrade(revision="base")
    assert tables() == {"alembic_version"}

    upgrade()

    assert tables() == {*OURS, "alembic_version"}
    assert differences() == []
    assert indexes() == before


def test_they_make_the_same_indexes_as_the_models(app: Flask) -> None:
    upgrade()
    migrated = indexes()
    downgrade(revision="base")
    METADATA.create_all(db.engine)

    assert indexes() == migrated


def test_a_migration_that_fails_leaves_nothing_half_done(app: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE variant (x INTEGER)"))

    with pytest.raises(sa.exc.SQLAlchemyError):
        upgrade()

    assert tables() - {"alembic_version"} == {"variant"}


ROWS_OF_THEN = """
INSERT INTO user_account (id, public_id, email, name, is_admin, used_bytes, created_at)
VALUES (7, 'a', 'a', 'a', false, 0, '2026-01-01 00:00:00');
INSERT INTO media (id, public_id, owner_id, sha256, size_bytes, media_type, file_name, blob_key, caption, uploaded_at,
    state, attempts, pipeline, rendition, shown_at, camera, lens)
VALUES (5, 'm', 7, 's', 1, 'image/jpeg', 'f', 'k', '', '2026-01-01 00:00:00',
    'ready', 0, 0, '', '2026-01-01 00:00:00', '', '');
INSERT INTO variant (media_id, name, pipeline, blob_key, sha256, size_bytes, width, height)
VALUES (5, 'thumb', 1, 'v', 's', 1, 1, 1);
INSERT INTO album (id, public_id, owner_id, inherits, title, description, sort_order, media_count, created_at, cover_id)
VALUES (3, 'b', 7, true, 't', '', 'newest', 1, '2026-01-01 00:00:00', 5);
INSERT INTO album_media (album_id, position, media_id, added_at) VALUES (3, 1, 5, '2026-01-01 00:00:00')
"""
REFERRING = "SELECT album_media.album_id, album_media.media_id, cover_id, name FROM album_media, album, variant"


def test_what_refers_to_a_table_that_is_rebuilt_stays(app: Flask) -> None:
    upgrade(revision="0003")
    with db.engine.begin() as connection:
        for statement in ROWS_OF_THEN.split(";"):
            connection.execute(sa.text(statement))

    ways: tuple[Callable[[], object], ...] = (upgrade, lambda: downgrade(revision="0003"), upgrade)
    for way in ways:
        way()
        with db.engine.connect() as connection:
            assert [tuple(row) for row in connection.execute(sa.text(REFERRING))] == [(3, 5, 5, "thumb")]
            if db.engine.dialect.name == "sqlite":
                assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1


def test_events_from_before_the_chain_are_taken_into_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.audit.ADOPTED_AT_A_TIME", 4)
    upgrade(revision="0001")
    row = "INSERT INTO event (id, at, action, actor, subject, detail, address) VALUES (:id, :at, 'a', 'b', '', :d, '')"
    with db.engine.begin() as connection:
        for number in range(2, 22, 2):
            connection.execute(
                sa.text(row), {"id": number, "at": f"2026-01-{number:02} 10:00:00.000000", "d": '{"x":  1}'}
            )
    upgrade()
    auditing.begin()
    with transaction() as session:
        audit.record(session, "thing.deed", actor_id=None)
    auditing.begin()

    verdict = auditing.verify()
    assert (verdict.findings, verdict.events, verdict.lines) == ([], 11, 1)
    found = [tuple(row) for row in db.session.execute(sa.select(Event.seq, Event.id).order_by(Event.seq))]
    assert found == [*((number // 2, number) for number in range(2, 22, 2)), (11, 21)]
    standing = auditing.standing()
    assert standing
    assert standing.events == 11
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(sa.update(Event).where(Event.id == 6).values(subject="x"))
    assert [finding.where for finding in auditing.verify().findings] == ["event 3"]
