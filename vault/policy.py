"""Who may do what: the only place that decides.

Floor 2: knows rows, no use case, nothing of HTTP. `rule` is the decision, as a condition in SQL; `authorize` (one thing),
`visible` (a list) and `allowed` (many ids) are three ways to ask it, so they cannot drift apart. A picture request is one
statement: the credential that came with it and the rule are checked together, so a revoked session, grant or link is worth
nothing from the moment its transaction ends, on every worker (docs/adr/0002-one-decision.md).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Generic, TypeVar, cast, overload

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Exists, Select, and_, bindparam, or_, select
from sqlalchemy.orm import aliased

from vault.db import Prepared, UtcDateTime, db, utcnow
from vault.models.account import ApiToken, LoginSession, Scope, User
from vault.models.media import Album, AlbumFacts, AlbumMedia, AlbumReach, Media, MediaFacts
from vault.models.sharing import Grant, Link, LinkFacts, Role


PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22}")
T = TypeVar("T", Media, Album, Link)


class Action(StrEnum):
    """What somebody may want. A new action is closed until `rule` opens it."""

    VIEW = "view"
    """See thumb, preview and page."""
    DOWNLOAD = "download"
    """Take the original home."""
    ADD = "add"
    """Put own pictures into an album."""
    CAPTION = "caption"
    """Write a picture's caption and date."""
    ARRANGE = "arrange"
    """Order an album, choose its cover, take pictures out."""
    MANAGE = "manage"
    """Decide who else comes in."""
    PLACE = "place"
    """Put this picture into an album, or take it out again: it is one's own."""
    TRASH = "trash"
    """Move a picture to the trash, or try to render it again."""
    RESTORE = "restore"
    """Take a picture out of the trash, or delete it for good."""
    DELETE = "delete"
    """Delete an album or a link."""
    EXPLAIN = "explain"
    """Read who else can see it, and why."""


class Denied(Exception):
    """The answer is no. Missing and forbidden are the same answer."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking: a person, the holder of a link, or nobody. Never a row, never the creator of the link.

    A field holds a plain value, or the column or bound parameter that stands for it inside a statement.
    """

    user_id: Any = None
    link_id: Any = None
    generation: Any = None

    @property
    def is_nobody(self) -> bool:
        """Whether there is neither a person nor a link."""
        return self.user_id is None and self.link_id is None


NOBODY = Viewer()


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request brought to prove who is looking, not yet looked up: the digest of a session or of an API token."""

    digest: str
    scope: Scope | None = None

    @property
    def is_token(self) -> bool:
        """Whether it is an API token, which must have `scope`."""
        return self.scope is not None


F = TypeVar("F", MediaFacts, AlbumFacts, LinkFacts)


@dataclass(frozen=True, slots=True)
class Permit(Generic[F]):
    """The right to do one thing to one row, now. Only `authorize` makes one.

    `reason` is "owner", "grant" or "link"; `services.explaining` makes sentences of them.
    """

    viewer: Viewer
    action: Action
    row: F
    reason: str


Resource = type[Media] | type[Album] | type[Link]
FACTS: dict[Resource, type[MediaFacts] | type[AlbumFacts] | type[LinkFacts]] = {
    Media: MediaFacts,
    Album: AlbumFacts,
    Link: LinkFacts,
}
# The moment of the question, read when the statement runs.
NOW = bindparam("now", callable_=utcnow, type_=UtcDateTime)


def rule(what: Resource, viewer: Viewer, action: Action) -> ColumnElement[bool]:
    """Return the condition under which a row may be acted on by a viewer: the decision itself.

    Trash, quarantine, a disabled owner or viewer, an ended grant or link are part of it.
    """
    match action:
        case Action.VIEW:
            return _holds(what, viewer, Role.VIEWER)
        case Action.DOWNLOAD if what is not Link:
            return _holds(what, viewer, Role.DOWNLOADER)
        case Action.ADD if what is Album:
            return _holds(what, viewer, Role.CONTRIBUTOR)
        case Action.CAPTION if what is Media:
            return _holds(what, viewer, Role.EDITOR)
        case Action.ARRANGE if what is Album:
            return _holds(what, viewer, Role.EDITOR)
        case Action.MANAGE if what is not Media:
            return _holds(what, viewer, Role.MANAGER)
        case Action.EXPLAIN if what is not Link:
            return _holds(what, viewer, Role.MANAGER if what is Album else Role.OWNER)
        case Action.PLACE | Action.TRASH if what is Media:
            return _holds(what, viewer, Role.OWNER)
        case Action.RESTORE if what is Media:
            return _own_trash(viewer)
        case Action.DELETE if what is not Media:
            return _holds(what, viewer, Role.OWNER)
        case _:
            return sa.false()


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
    if who == NOBODY or not PUBLIC_ID.fullmatch(public_id):
        raise Denied
    values: dict[str, object] = {"public_id": public_id, "now": utcnow()}
    if isinstance(who, Credential):
        values |= {"digest": who.digest} | ({"scope": int(who.scope)} if who.scope is not None else {})
    elif who.link_id is not None:
        values |= {"link_id": who.link_id, "generation": who.generation}
    else:
        values |= {"user_id": who.user_id}
    row = _question(what, action, _kind(who)).first(values)
    if row is None:
        raise Denied
    *facts, user_id, reason = row
    viewer = who if isinstance(who, Viewer) else Viewer(user_id=user_id)
    return Permit(viewer, action, FACTS[what]._make(facts), reason)


def visible(viewer: Viewer, action: Action, what: type[T]) -> Select[tuple[T]]:
    """Return the list form of the rule, to be narrowed and ordered by the caller."""
    return select(what).where(rule(cast("Resource", what), viewer, action))


def allowed(viewer: Viewer, action: Action, what: Resource, public_ids: Iterable[str]) -> set[str]:
    """Return those ids whose rows the viewer may act on."""
    wanted = [public_id for public_id in public_ids if PUBLIC_ID.fullmatch(public_id)]
    return set(db.session.scalars(select(what.public_id).where(what.public_id.in_(wanted), rule(what, viewer, action))))


def role_on(viewer: Viewer, album_id: int) -> Role | None:
    """Return a person's highest role on an album: owner, or that of the best live grant on it or above it."""
    album = aliased(Album)
    reach, grant, live = _live_grants(album, viewer.user_id)
    best = (
        select(sa.func.max(grant.role)).select_from(reach).join(grant, grant.album_id == reach.source_id).where(*live)
    )
    owns = sa.case(
        (album.owner_id == viewer.user_id, int(Role.OWNER)), else_=best.correlate_except(reach, grant).scalar_subquery()
    )
    found = db.session.scalar(select(owns).where(album.id == album_id, _enabled(viewer.user_id)))
    return Role(found) if found is not None else None


def _holds(what: Resource, viewer: Viewer, role: Role) -> ColumnElement[bool]:
    if viewer.is_nobody:
        return sa.false()
    if viewer.link_id is not None:
        return _opened_by_link(what, viewer, role)
    if what is Media:
        return and_(_in_daylight(), _enabled(viewer.user_id), _owns_or_holds_album(viewer, role))
    if what is Album:
        return and_(_enabled(Album.owner_id), _enabled(viewer.user_id), _holds_album(Album, viewer.user_id, role))
    return and_(Link.revoked_at.is_(None), _enabled(viewer.user_id), _holds_link(viewer, role))


def _in_daylight() -> ColumnElement[bool]:
    """Neither in the trash nor in quarantine, and its owner not disabled."""
    return and_(Media.trashed_at.is_(None), Media.quarantined_at.is_(None), _enabled(Media.owner_id))


def _own_trash(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.user_id is None:
        return sa.false()
    return and_(Media.trashed_at.is_not(None), Media.owner_id == viewer.user_id, _enabled(viewer.user_id))


def _owns_or_holds_album(viewer: Viewer, role: Role) -> ColumnElement[bool]:
    own = Media.owner_id == viewer.user_id
    if role is Role.OWNER:
        # The owner of an album is not the owner of what others put into it.
        return own
    place, album = aliased(AlbumMedia), aliased(Album)
    through = (place.media_id == Media.id, album.id == place.album_id, _enabled(album.owner_id))
    return or_(own, _any(place, album, where=(*through, _holds_album(album, viewer.user_id, role))))


def _holds_album(album: Any, user_id: Any, role: Role) -> ColumnElement[bool]:
    own: ColumnElement[bool] = album.owner_id == user_id
    if role is Role.OWNER:
        return own
    reach, grant, live = _live_grants(album, user_id)
    return or_(own, _any(reach, grant, where=(*live, grant.album_id == reach.source_id, grant.role >= int(role))))


def _live_grants(album: Any, user_id: Any) -> tuple[Any, Any, tuple[ColumnElement[bool], ...]]:
    reach, grant = aliased(AlbumReach), aliased(Grant)
    unended = or_(grant.expires_at.is_(None), grant.expires_at > NOW)
    return reach, grant, (reach.album_id == album.id, grant.user_id == user_id, unended)


def _opened_by_link(what: Resource, viewer: Viewer, role: Role) -> ColumnElement[bool]:
    """What a link opens: at most downloading, and only while its creator may share the album himself."""
    if what is Link or role > Role.DOWNLOADER:
        return sa.false()
    link, shared, reach, place = aliased(Link), aliased(Album), aliased(AlbumReach), aliased(AlbumMedia)
    alive = (
        link.public_id == viewer.link_id,
        link.generation == viewer.generation,
        link.revoked_at.is_(None),
        or_(link.expires_at.is_(None), link.expires_at > NOW),
        link.role >= int(role),
        shared.id == link.album_id,
        _enabled(shared.owner_id),
        _enabled(link.creator_id),
        _holds_album(shared, link.creator_id, Role.MANAGER),
        reach.source_id == link.album_id,
    )
    if what is Album:
        return _any(link, shared, reach, where=(*alive, reach.album_id == Album.id))
    inside = (place.album_id == reach.album_id, place.media_id == Media.id)
    return and_(_in_daylight(), _any(link, shared, reach, place, where=(*alive, *inside)))


def _holds_link(viewer: Viewer, role: Role) -> ColumnElement[bool]:
    """A link is managed by who manages its album; its creator may always see and end it."""
    album = aliased(Album)
    manages = _holds_album(album, viewer.user_id, Role.MANAGER)
    by_album = _any(album, where=(album.id == Link.album_id, _enabled(album.owner_id), manages))
    return by_album if role is Role.MANAGER else or_(Link.creator_id == viewer.user_id, by_album)


def _enabled(user_id: Any) -> Exists:
    person = aliased(User)
    return _any(person, where=(person.id == user_id, person.disabled_at.is_(None)))


def _any(*tables: Any, where: tuple[ColumnElement[bool], ...]) -> Exists:
    # Whatever is not named here belongs to the statement around it; left to itself SQLAlchemy looks one level up only.
    return sa.exists(select(sa.literal(1)).select_from(*tables).where(*where).correlate_except(*tables))


def _kind(who: Viewer | Credential) -> str:
    if isinstance(who, Credential):
        return "token" if who.is_token else "session"
    return "link" if who.link_id is not None else "person"


@cache
def _question(what: Resource, action: Action, kind: str) -> Prepared:
    """Build the one statement that answers one kind of request; it is compiled once per process."""
    viewer, proof = _claimant(kind)
    facts: list[Any] = [getattr(what, name) for name in FACTS[what]._fields]
    reason = sa.literal("link") if kind == "link" else _reason(what, viewer)
    claimed = sa.literal(None) if kind == "link" else viewer.user_id
    statement = select(*facts, claimed, reason).where(what.public_id == bindparam("public_id"), *proof)
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
            return Viewer(link_id=bindparam("link_id"), generation=bindparam("generation", type_=sa.Integer)), ()
        case _:
            return Viewer(user_id=bindparam("user_id", type_=sa.Integer)), ()


def _reason(what: Resource, viewer: Viewer) -> ColumnElement[str]:
    holder = Link.creator_id if what is Link else what.owner_id  # type: ignore[union-attr]  # a link has a creator instead
    return sa.case((holder == viewer.user_id, "owner"), else_="grant")
