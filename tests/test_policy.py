"""The decision against its truth table, and the truth table against a decision that was broken on purpose."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import psycopg
import pytest
import sqlalchemy as sa

from tests.factories import House
from tests.policy_table import Cell, open_cells
from tests.policy_world import World, build, bulk, forget, listed, rows_visible, single
from vault import policy
from vault.db import db, utcnow
from vault.models.account import Scope
from vault.models.media import Album, Media
from vault.models.sharing import Link, Role
from vault.policy import (
    NOBODY,
    Action,
    Credential,
    Denied,
    Permit,
    Resource,
    Viewer,
    allowed,
    authorize,
    decision,
    visible,
)
from vault.signing import digest

WAYS: dict[str, Callable[[World, dict[Cell, bool]], dict[Cell, bool]]] = {
    "visible": listed,
    "allowed": bulk,
    "authorize": single,
}
THINGS: tuple[Resource, ...] = (Media, Album, Link)


@pytest.fixture
def reset() -> Iterator[None]:
    """Forget statements that were compiled of a broken rule."""
    yield
    forget()


def wrong(world: World, way: str, cells: dict[Cell, bool]) -> set[Cell]:
    """Return the cells in which one way to ask does not agree with the table."""
    answers = WAYS[way](world, cells)
    return {cell for cell, expected in cells.items() if answers[cell] is not expected}


def test_every_way_to_ask_agrees_with_the_truth_table(house: House) -> None:
    world, cells = build(house), open_cells()

    # The table is whole: it speaks of everybody, everything and every action.
    assert {viewer for viewer, *_ in cells} == set(world.viewers)
    assert {action for *_, action in cells} == set(Action)
    for what in THINGS:
        assert {thing for _, kind, thing, _ in cells if kind is what} == set(world.ids[what])
    assert {way: wrong(world, way, cells) for way in WAYS} == {"visible": set(), "allowed": set(), "authorize": set()}


@pytest.mark.usefixtures("reset")
def test_the_truth_table_turns_red_in_every_deny_when_the_rule_is_opened(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, cells = build(house), open_cells()
    denials = {cell for cell, is_open in cells.items() if not is_open}
    monkeypatch.setattr(policy, "rule", lambda *_: sa.true())
    forget()

    assert wrong(world, "visible", cells) == denials
    assert wrong(world, "allowed", cells) == denials
    # Nobody is turned away before the question.
    assert wrong(world, "authorize", cells) == {cell for cell in denials if cell[0] != "nobody"}


# What the table must at least notice when one clause of the decision is true for everybody.
BROKEN: list[tuple[str, Callable[..., Any], set[tuple[str, str]]]] = [
    ("_in_daylight", sa.true, {("viewer", "trashed"), ("owner", "quarantined"), ("manager", "ghosts")}),
    ("_enabled", lambda _: sa.exists(sa.select(sa.literal(1))), {("disabled", "live"), ("manager", "guest")}),
    ("_holds_album", lambda *_: sa.true(), {("stranger", "live"), ("@lost", "live"), ("expired", "below")}),
    ("_own_trash", lambda _: sa.true(), {("stranger", "trashed"), ("manager", "live")}),
]


@pytest.mark.usefixtures("reset")
def test_the_truth_table_notices_when_one_clause_of_the_decision_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, cells = build(house), {cell: is_open for cell, is_open in open_cells().items() if cell[1] is Media}

    for clause, broken, noticed in BROKEN:
        with monkeypatch.context() as patched:
            patched.setattr(decision, clause, broken)
            forget()
            assert noticed <= {(viewer, thing) for viewer, _, thing, _ in wrong(world, "visible", cells)}, clause
    forget()
    assert wrong(world, "visible", cells) == set()


def test_an_action_without_an_arm_is_closed_to_everybody(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media, link = house.picture(anna, album, ready=False), house.link(album)
    unknown = cast("Action", "fly")

    things: list[tuple[Resource, str]] = [
        (Media, media.public_id),
        (Album, album.public_id),
        (Link, link.public_id),
    ]
    for what, public_id in things:
        assert rows_visible(anna.viewer, Action.VIEW, what)
        assert not rows_visible(anna.viewer, unknown, what)
        assert allowed(anna.viewer, unknown, what, [public_id]) == set()
        with pytest.raises(Denied):
            authorize(anna.viewer, unknown, what, public_id)


def test_missing_forbidden_and_odd_ids_raise_the_same(house: House) -> None:
    theirs = house.picture(house.person("Anna"), ready=False).public_id
    ben = house.person("Ben").viewer

    for public_id in (
        theirs,
        "A" * 22,
        "",
        "A" * 23,
        "A" * 21,
        "A" * 10_000,
        "\0" * 22,
        "é" * 22,
        theirs + "\n",
        "\ud800",
    ):
        with pytest.raises(Denied) as refusal:
            authorize(ben, Action.VIEW, Media, public_id)
        assert refusal.value.args == ()
        assert allowed(ben, Action.VIEW, Media, [public_id]) == set()


def test_the_reason_of_a_permit_says_why(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media, link = house.picture(anna, album, ready=False), house.link(album)
    house.grant(album, ben, Role.VIEWER)
    visitor = Viewer(link_id=link.public_id, generation=link.generation)

    reasons = [authorize(who, Action.VIEW, Media, media.public_id).reason for who in (anna.viewer, ben.viewer, visitor)]

    assert reasons == ["owner", "grant", "link"]


def test_a_permit_cannot_be_changed(house: House) -> None:
    anna = house.person("Anna")
    permit: Permit[Any] = authorize(anna.viewer, Action.VIEW, Media, house.picture(anna, ready=False).public_id)

    for name in ("action", "viewer", "row", "reason"):
        with pytest.raises(AttributeError):
            setattr(permit, name, None)
    with pytest.raises(AttributeError):
        setattr(anna.viewer, "user_id", 1)  # noqa: B010  # mypy would refuse the plain way, too


def test_a_credential_is_looked_up_with_the_question_and_worth_nothing_when_it_ended(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    media = house.picture(anna, ready=False)
    secret = house.token(anna, Scope.READ)["Authorization"].removeprefix("Bearer ")
    theirs = house.token(ben, Scope.READ)["Authorization"].removeprefix("Bearer ")

    permit = authorize(Credential(digest(secret), Scope.READ), Action.VIEW, Media, media.public_id)
    assert permit.viewer == anna.viewer

    for credential in (
        Credential(digest(secret), Scope.WRITE),  # a scope it does not have
        Credential(digest(secret), Scope.ADMIN),
        Credential(digest(secret)),  # a token is no session
        Credential(digest(theirs), Scope.READ),
        Credential(digest(""), Scope.READ),
        Credential(secret, Scope.READ),  # the secret itself is no digest
    ):
        with pytest.raises(Denied):
            authorize(credential, Action.VIEW, Media, media.public_id)
    house.disable(anna)
    with pytest.raises(Denied):
        authorize(Credential(digest(secret), Scope.READ), Action.VIEW, Media, media.public_id)


def test_a_grant_ends_at_its_very_moment(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    moment = utcnow() + timedelta(hours=1)
    house.grant(album, ben, Role.VIEWER, expires_at=moment)
    question = visible(ben.viewer, Action.VIEW, Album)

    def seen_at(now: object) -> int:
        return len(db.session.scalars(question, {"now": now}).all())

    assert seen_at(moment - timedelta(microseconds=1)) == 1
    assert seen_at(moment) == 0
    assert seen_at(moment + timedelta(microseconds=1)) == 0


def test_the_present_moment_cannot_be_forgotten(house: House) -> None:
    question = policy._question(Media, Action.VIEW, "person")  # noqa: SLF001  # the statement itself

    with pytest.raises((KeyError, psycopg.ProgrammingError)):
        question.first({"public_id": "A" * 22, "user_id": 1})


def test_nobody_sees_nothing_at_all(house: House) -> None:
    anna = house.person("Anna")
    house.picture(anna, house.album(anna), ready=False)

    for what in THINGS:
        for action in Action:
            assert not rows_visible(NOBODY, action, what)
