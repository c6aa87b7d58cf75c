"""Who may do what: the only place that decides.

Floor 2: knows rows, no use case, nothing of HTTP. `rule` is the decision, as a condition in SQL; `authorize` (one
thing), `visible` (a list) and `allowed` (many ids) are three ways to ask it, so they cannot drift apart. A picture
request is one statement: the credential that came with it and the rule are checked together, so a revoked session,
grant or link is worth nothing from the moment its transaction ends, on every worker (docs/adr/0002-one-decision.md).
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, TypeVar, cast, overload

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, bindparam, or_, select

from vault.db import Prepared, db, utcnow
from vault.models.account import ApiToken, LoginSession
from vault.models.cursor import parts
from vault.models.history import Visit
from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.models.sharing import Link, LinkFacts, LinkTerms, Role
from vault.policy.decision import rule
from vault.policy.grants import NOW, best_role
from vault.policy.words import NOBODY, Action, Credential, Denied, Permit, Resource, Viewer

__all__ = [
    "NOBODY",
    "Action",
    "Credential",
    "Denied",
    "Permit",
    "Resource",
    "Viewer",
    "allowed",
    "authorize",
    "may",
    "role_on",
    "rule",
    "visible",
]

PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22}")
T = TypeVar("T", Media, Album, Link)
FACTS: dict[Resource, type[MediaFacts] | type[AlbumFacts] | type[LinkFacts]] = {
    Media: MediaFacts,
    Album: AlbumFacts,
    Link: LinkFacts,
}
BY_LINK = frozenset({"link", "stay", "visit"})
TERMS = (Link.id, Link.public_id, *(getattr(Link, name) for name in LinkTerms._fields[2:]))


@overload
def authorize(who: Viewer | Credential, action: Action, what: type[Media], public_id: str) -> Permit[MediaFacts]: ...
@overload
def authorize(who: Viewer | Credential, action: Action, what: type[Album], public_id: str) -> Permit[AlbumFacts]: ...
@overload
def authorize(who: Viewer | Credential, action: Action, what: type[Link], public_id: str) -> Permit[LinkFacts]: ...
def authorize(who: Viewer | Credential, action: Action, what: Resource, public_id: str) -> Permit[Any]:
    """Fetch one row under the rule, in one statement, inside the open transaction where there is one.

    Raises Denied for what is missing as for what is forbidden.
    """
    if not PUBLIC_ID.fullmatch(public_id):
        raise Denied
    kind, values = _claim(who)
    values["public_id"], values["now"] = public_id, utcnow()
    row = _question(what, action, kind).first(values)
    if row is None:
        raise Denied
    count = len(FACTS[what]._fields)
    facts, found = FACTS[what]._make(row[:count]), row[count:]
    if kind in BY_LINK:
        generation, visit_id, *terms = found
        viewer = Viewer(link_id=terms[1], generation=generation, visit_id=visit_id)
        return Permit(viewer, action, facts, "link", LinkTerms._make(terms))
    user_id, reason = found
    return Permit(who if isinstance(who, Viewer) else Viewer(user_id=user_id), action, facts, reason)


def may(who: Viewer | Credential, action: Action, what: Resource, public_id: str) -> bool:
    """Whether `authorize` would permit it."""
    try:
        authorize(who, action, cast("type[Media]", what), public_id)
    except Denied:
        return False
    return True


def visible(viewer: Viewer, action: Action, what: type[T]) -> Select[T]:
    """Return the list form of the rule, to be narrowed and ordered by the caller."""
    return select(what).where(_clause(cast("Resource", what), viewer, action))


def allowed(viewer: Viewer, action: Action, what: Resource, public_ids: Iterable[str]) -> set[str]:
    """Return those ids whose rows the viewer may act on."""
    wanted = [public_id for public_id in public_ids if PUBLIC_ID.fullmatch(public_id)]
    found = select(what.public_id).where(_clause(what, viewer, action))
    return {each for some in parts(wanted) for each in db.session.scalars(found.where(what.public_id.in_(some)))}


@lru_cache(512)
def _clause(what: Resource, viewer: Viewer, action: Action) -> ColumnElement[bool]:
    """Return the rule for one viewer, written down once.

    Writing it takes longer than asking it, and it stays the same: all that may change, the moment included, is looked
    up when the statement runs.
    """
    return rule(what, viewer, action)


def role_on(viewer: Viewer, album_id: int) -> Role | None:
    """Return a person's highest role on an album; None without one."""
    found = db.session.scalar(select(best_role(viewer.user_id)).select_from(Album).where(Album.id == album_id))
    return Role(found) if found is not None else None


def _claim(who: Viewer | Credential) -> tuple[str, dict[str, object]]:
    """Return what kind of question to ask for somebody, and what to fill in. Raises Denied for nobody."""
    if isinstance(who, Credential):
        if who.link_id is not None:
            return "visit", {"digest": who.digest, "link_id": who.link_id}
        if who.scope is None:
            return "session", {"digest": who.digest}
        return "token", {"digest": who.digest, "scope": int(who.scope)}
    if who.link_id is not None:
        holder = {"link_id": who.link_id, "generation": who.generation}
        return ("link", holder) if who.visit_id is None else ("stay", {**holder, "visit_id": who.visit_id})
    if who.user_id is None:
        raise Denied
    return "person", {"user_id": who.user_id}


@cache
def _question(what: Resource, action: Action, kind: str) -> Prepared:
    """Build the one statement that answers one kind of request; it is compiled once per process."""
    viewer, proof = _claimant(kind)
    facts: list[Any] = [getattr(what, name) for name in FACTS[what]._fields]
    if kind in BY_LINK:
        facts += [viewer.generation, sa.literal(None) if viewer.visit_id is None else viewer.visit_id, *TERMS]
    else:
        facts += [viewer.user_id, _reason(what, viewer)]
    statement = select(*facts).where(what.public_id == bindparam("public_id"), *proof)
    return Prepared(statement.where(rule(what, viewer, action)))


def _claimant(kind: str) -> tuple[Viewer, tuple[ColumnElement[bool], ...]]:
    """Return the viewer as a statement sees it, and the proof that he is who he says."""
    match kind:
        case "session":
            alive = (LoginSession.digest == bindparam("digest"), LoginSession.expires_at > NOW)
            return Viewer(user_id=LoginSession.user_id), alive
        case "token":
            unended = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > NOW)
            scoped = ApiToken.scopes.bitwise_and(bindparam("scope", type_=sa.Integer)) != 0
            return Viewer(user_id=ApiToken.user_id), (ApiToken.digest == bindparam("digest"), unended, scoped)
        case "link":
            holder = Viewer(link_id=Link.public_id, generation=bindparam("generation", type_=sa.Integer))
            return holder, (Link.public_id == bindparam("link_id"),)
        case "visit" | "stay":
            his = Visit.digest == bindparam("digest") if kind == "visit" else Visit.id == bindparam("visit_id")
            visitor = Viewer(link_id=Link.public_id, generation=Visit.generation, visit_id=Visit.id)
            return visitor, (his, Link.id == Visit.link_id, Link.public_id == bindparam("link_id"))
        case _:
            return Viewer(user_id=bindparam("user_id", type_=sa.Integer)), ()


def _reason(what: Resource, viewer: Viewer) -> ColumnElement[str]:
    holder = Link.creator_id if what is Link else what.owner_id  # type: ignore[union-attr]  # a link has a creator instead
    return sa.case((holder == viewer.user_id, "owner"), else_="grant")
