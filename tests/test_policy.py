"""The decision against its truth table, and the truth table against a decision that was broken on purpose."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
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
    grants,
    links,
    visible,
)
from vault.signing import digest

WAYS: dict[str, Callable[[World, dict[Cell, bool]], dict[Cell, bool]]] = {
    "visible": listed,
    "allowed": bulk,
    "authorize": single,
}
THINGS: tuple[Resource, ...] = (Media, Album, Link)


# What does not depend on the database is asked on one of them.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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
    if (
        db.engine.dialect.name == "postgresql"
    ):  # which plans each question anew: all that is open, and a fifth of the rest
        denials = [cell for cell, is_open in cells.items() if not is_open][::5]
        cells = {cell: is_open for cell, is_open in cells.items() if is_open} | dict.fromkeys(denials, False)
    assert {way: wrong(world, way, cells) for way in WAYS} == {"visible": set(), "allowed": set(), "authorize": set()}


@sqlite_only
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
    # Nobody is turned away before the question. Who comes by a link proves it by that link's own row, and a question
    # about a link is then about this one: all others stay closed to him. Who brings a visit of another proves nothing.
    proven = {cell for cell in denials if cell[0] not in ("nobody", "+astray")}
    unproven = {
        (viewer, what, thing, action)
        for viewer, what, thing, action in proven
        if what is Link and world.viewers[viewer].link_id not in (None, world.ids[Link][thing])
    }
    assert wrong(world, "authorize", cells) == proven - unproven


def everybody(*_: Any) -> sa.Exists:
    """Return a condition that always holds, in place of one that looks for a row."""
    return sa.exists(sa.select(sa.literal(1)))


def without_last(clause: Callable[..., Any]) -> Callable[..., Any]:
    """Return a clause that forgets the last of its conditions."""
    return lambda *given: clause(*given)[:-1]


LOOKED_AT = (Action.VIEW, Action.RESTORE)
# What the table must at least notice when one clause of the decision is lost.
BROKEN: list[tuple[ModuleType, str, Callable[..., Any], set[str]]] = [
    (grants, "in_daylight", sa.true, {"viewer trashed", "owner quarantined", "manager ghosts", "singer trashed"}),
    (grants, "enabled", everybody, {"disabled live", "manager guest", "muted live"}),
    (grants, "accepted", sa.true, {"viewer awaiting", "editor awaiting", "singer awaiting"}),
    (grants, "unended", everybody, {"expired live", "evening live"}),
    (grants, "holds_album", everybody, {"stranger live", "expired below", "admin theirs", "left live"}),
    (grants, "_granted", without_last(grants._granted), {"expired live"}),  # noqa: SLF001  # the clause that is to be lost
    (grants, "_granted_group", without_last(grants._granted_group), {"evening live"}),  # noqa: SLF001  # as above
    (decision, "_own_trash", everybody, {"stranger trashed", "manager live"}),
    (links, "in_daylight", sa.true, {"@shown trashed", "@taken ghosts", "@picked trashed", "+shown quarantined"}),
    (links, "enabled", everybody, {"@disabled live", "@ghostly guest"}),
    (links, "accepted", sa.true, {"@shown awaiting", "@picked awaiting", "+open awaiting"}),
    (links, "unended", everybody, {"@ended live"}),
    (links, "holds_album", everybody, {"@lost live", "@reduced live", "@stepped live"}),
    (links, "lives", lambda *_: (), {"@paused live", "@waiting live", "@revoked live", "@rotated live", "+over live"}),
    (links, "_stays", lambda *_: (), {"+over live", "+late live", "+stale live", "+astray live"}),
    (links, "_shares", lambda link, shared: (shared.id == link.album_id,), {"@lost live", "@ghostly guest"}),
    (links, "_reaches", lambda link, reach: (reach.source_id == link.album_id,), {"@flat below", "@picked theirs"}),
    (links, "_shares_picked", everybody, {"@picked gone"}),
]


@sqlite_only
@pytest.mark.usefixtures("reset")
def test_the_truth_table_notices_when_one_clause_of_the_decision_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(house)
    cells = {cell: is_open for cell, is_open in open_cells().items() if cell[1] is Media and cell[3] in LOOKED_AT}

    for where, clause, broken, noticed in BROKEN:
        named = {viewer for viewer, _ in (each.split() for each in noticed)}
        asked = {cell: is_open for cell, is_open in cells.items() if cell[0] in named}
        with monkeypatch.context() as patched:
            patched.setattr(where, clause, broken)
            forget()
            red = {f"{viewer} {thing}" for viewer, _, thing, _ in wrong(world, "visible", asked)}
            assert noticed <= red, (clause, noticed - red)
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
