"""What a picture costs the database: two questions at most, answered by indexes alone."""

import pytest
import sqlalchemy as sa

from tests.factories import House
from tests.statements import listen
from vault import policy
from vault.db import db, utcnow
from vault.models.account import Scope
from vault.models.media import Media
from vault.models.sharing import Role
from vault.policy import Action

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
KINDS = ("session", "token", "link", "stay", "visit", "person")


@sqlite_only
def test_a_picture_costs_two_queries_at_most_however_one_comes(house: House) -> None:
    statements = listen()
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media = house.picture(anna, album).public_id
    house.grant(album, ben, Role.DOWNLOADER)
    link = house.link(album, role=Role.DOWNLOADER)
    visitor, address = house.visitor(link), f"/l/{link.public_id}"
    signed_in, anybody, header = house.browser(ben), house.browser(), house.token(ben, Scope.READ)

    for name in ("thumb", "preview", "original"):
        for browser, path, headers in (
            (signed_in, f"/media/{media}/{name}", {}),
            (anybody, f"/media/{media}/{name}", header),
            (visitor, f"{address}/media/{media}/{name}", {}),
        ):
            for _ in range(2):
                with statements.counted() as asked:
                    assert browser.get(path, headers=headers).status_code == 200
                assert 1 <= len(asked) <= 2, asked


@sqlite_only
def test_a_refusal_that_was_remembered_often_enough_costs_one_or_two(house: House) -> None:
    statements = listen()
    media = house.picture(house.person("Anna")).public_id
    stranger = house.browser(house.person("Ben"))
    for _ in range(21):
        assert stranger.get(f"/media/{media}/thumb").status_code == 403

    with statements.counted() as asked:
        assert stranger.get(f"/media/{media}/thumb", headers={"If-None-Match": "*"}).status_code == 403
    assert 1 <= len(asked) <= 2, asked


@sqlite_only
@pytest.mark.parametrize("kind", KINDS)
def test_the_question_of_the_byte_path_uses_indexes_alone_on_sqlite(house: House, kind: str) -> None:
    for action in (Action.VIEW, Action.DOWNLOAD):
        steps = plan("EXPLAIN QUERY PLAN ", action, kind)
        scans = [step for step in steps if "SCAN" in step and "CONSTANT ROW" not in step]
        assert any("SEARCH" in step for step in steps)
        assert scans == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("kind", KINDS)
def test_the_question_of_the_byte_path_can_use_indexes_alone_on_postgresql(house: House, kind: str) -> None:
    # A planner scans tables of three rows whatever there is; told not to, it shows which indexes there are.
    db.session.execute(sa.text("SET enable_seqscan = off"))
    try:
        for action in (Action.VIEW, Action.DOWNLOAD):
            steps = plan("EXPLAIN ", action, kind)
            assert any("Index" in step for step in steps)
            assert [step for step in steps if "Seq Scan" in step] == []
    finally:
        db.session.execute(sa.text("RESET enable_seqscan"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_plans_the_question_of_the_byte_path_once(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna, ready=False).public_id
    db.session.remove()
    db.engine.dispose()  # so that one connection is lent again and again

    for _ in range(8):
        policy.authorize(anna.viewer, Action.VIEW, Media, media)

    lent = db.engine.raw_connection()
    try:
        prepared = lent.cursor().execute("SELECT statement FROM pg_prepared_statements").fetchall()
    finally:
        lent.close()
    assert len([statement for (statement,) in prepared if "FROM media" in statement]) == 1


def plan(explain: str, action: Action, kind: str) -> list[str]:
    """Return how the database would answer the byte path's question."""
    question = policy._question(Media, action, kind)  # noqa: SLF001  # the statement itself
    sql, order, fixed = question._sql(db.engine.dialect)  # noqa: SLF001  # as the driver gets it
    asked = {"public_id": "A" * 22, "digest": "0" * 64, "scope": 1, "link_id": "A" * 22, "generation": 1, "user_id": 1}
    asked["visit_id"] = 1
    now = "2026-11-20 12:00:00.000000" if db.engine.dialect.name == "sqlite" else utcnow()
    bound = {**fixed, **asked, "now": now}
    connection = db.session.connection().connection
    cursor = connection.cursor()
    try:
        cursor.execute(explain + sql, bound if order is None else [bound[name] for name in order])
        return [str(row[-1]) for row in cursor.fetchall()]
    finally:
        cursor.close()
