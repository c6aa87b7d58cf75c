"""Moving an album in its tree, and letting it inherit or not: first who gains and who loses sight, then the deed.

Floor 3. A preview is no second opinion: it does the deed inside a transaction, asks the rule before and after about
everybody who could be meant, and lets the transaction end undone. What the mover saw goes along with his yes as a
digest, and the deed is done only if it would still be the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from vault import audit
from vault.db import db, transaction
from vault.models import membership
from vault.models.account import User
from vault.models.group import GroupMember
from vault.models.media import Album, AlbumFacts, AlbumMedia, AlbumReach, Media
from vault.models.sharing import Grant, GroupGrant, Link, LinkMedia
from vault.policy import Action, Permit, Viewer, authorize, may, rule, visible
from vault.policy.grants import any_of
from vault.policy.lasting import overstays
from vault.services import Conflict, Refused
from vault.signing import digest
from vault.terms import last_day

MOST_AT_ONCE = 10_000
CHANGED = "Meanwhile something changed: others would gain or lose sight than you saw. Please look again."
THERE_ALREADY = "It lies there already."
NOT_BOTH_SIDES = "Whoever moves an album must manage where it lies and where it goes to."


@dataclass(frozen=True)
class Place:
    """Where an album shall lie: below another one, by public id, or at the top."""

    parent_id: str | None


@dataclass(frozen=True)
class Inheritance:
    """Whether what is given above shall reach an album too."""

    inherits: bool


Wish = Place | Inheritance
# Whether by a link; the person or link; the kind of thing that is seen, and its number.
Sight = tuple[bool, int, str, int]


@dataclass(frozen=True)
class Somebody:
    """A person, or whoever holds a link: `name` is his name or the link's label."""

    public_id: str
    name: str
    email: str | None
    """None for a link."""


@dataclass(frozen=True)
class Preview:
    """Who gains and who loses sight of an album or of something below it, by name."""

    gains: list[Somebody]
    loses: list[Somebody]

    @property
    def digest(self) -> str:
        """Return what stands for exactly these people and links."""
        return digest(repr([sorted(each.public_id for each in side) for side in (self.gains, self.loses)]))


class _Undone(Exception):
    """Ends the transaction of a preview without a trace."""


def preview(permit: Permit[AlbumFacts], wish: Wish) -> Preview:
    """Say who would gain and who would lose sight. The permit is for MANAGE. Raises Denied, Refused."""
    found: list[Preview] = []
    try:
        with transaction() as session:
            found.append(_carry_out(session, permit, wish))
            raise _Undone
    except _Undone:
        return found[0]


def carry_out(permit: Permit[AlbumFacts], wish: Wish, *, expected: str) -> Preview:
    """Do what was previewed, if it is still that: `expected` is the preview's digest. The permit is for MANAGE.

    Raises Denied, Refused; Conflict when others would gain or lose sight by now.
    """
    with transaction() as session:
        found = _carry_out(session, permit, wish)
        if found.digest != expected:
            raise Conflict(CHANGED)
        action = "album.move" if isinstance(wish, Place) else "album.inherit"
        said: dict[str, Any] = {"gain": len(found.gains), "lose": len(found.loses)} | vars(wish)
        audit.record(session, action, actor_id=permit.viewer.user_id, subject=permit.row.public_id, **said)
        return found


def places(permit: Permit[AlbumFacts]) -> list[Album]:
    """Return the albums that one may lie below from now on, by title. The permit is for MANAGE."""
    album = db.session.get_one(Album, permit.row.id)
    if not _leaves(db.session(), permit.viewer, album):
        return []
    own = {album.id, album.parent_id, *membership.below(db.session(), album.id)}
    others = visible(permit.viewer, Action.MANAGE, Album).where(Album.owner_id == album.owner_id)
    return [each for each in db.session.scalars(others.order_by(Album.title, Album.id)) if each.id not in own]


def may_go_to_the_top(permit: Permit[AlbumFacts]) -> bool:
    """Whether whoever asks may put an album to the top: its owner may, where it is not there already."""
    above = db.session.scalar(sa.select(Album.parent_id).where(Album.id == permit.row.id))
    return above is not None and permit.row.owner_id == permit.viewer.user_id


def _carry_out(session: Session, permit: Permit[AlbumFacts], wish: Wish) -> Preview:
    membership.hold_tree(session, permit.row.public_id, by=permit.viewer.user_id)
    facts = authorize(permit.viewer, Action.MANAGE, Album, permit.row.public_id).row
    album = session.get_one(Album, facts.id, populate_existing=True)
    if isinstance(wish, Place):
        parent = _new_parent(session, permit.viewer, album, wish.parent_id)
        parent_id, inherits = parent.id if parent else None, album.inherits
    else:
        parent_id, inherits = album.parent_id, wish.inherits
        if parent_id is None or album.inherits == inherits:
            raise Refused("It is that way already.")
    too_long = overstays(session, permit.viewer, facts, parent_id) if inherits else None
    if too_long is not None:
        raise Refused(f"You manage this album until {last_day(too_long)}; what you give cannot last longer.")
    meant = _Meant(session, album, parent_id)
    before = meant.sights()
    album.parent_id, album.inherits = parent_id, inherits
    session.flush()
    membership.set_reach(session, album)
    session.flush()
    after = meant.sights()
    return Preview(_named(session, after - before), _named(session, before - after))


def _leaves(session: Session, viewer: Viewer, album: Album) -> bool:
    """Whether somebody manages where an album lies now; the top is its owner's."""
    if album.parent_id is None:
        return bool(album.owner_id == viewer.user_id)
    above = session.scalar(sa.select(Album.public_id).where(Album.id == album.parent_id))
    return may(viewer, Action.MANAGE, Album, above or "")


def _new_parent(session: Session, viewer: Viewer, album: Album, parent_id: str | None) -> Album | None:
    """Return the album to lie below. Raises Denied where it is not the mover's to say; Refused where it cannot be."""
    if not _leaves(session, viewer, album):
        raise Refused(NOT_BOTH_SIDES)
    if parent_id is None:
        if album.owner_id != viewer.user_id:
            raise Refused(NOT_BOTH_SIDES)
        if album.parent_id is None:
            raise Refused(THERE_ALREADY)
        return None
    parent = session.get_one(Album, authorize(viewer, Action.MANAGE, Album, parent_id).row.id)
    if parent.owner_id != album.owner_id:
        raise Refused("An album can lie only below albums of the same owner.")
    if parent.id == album.parent_id:
        raise Refused(THERE_ALREADY)
    if parent.id in {album.id, *membership.below(session, album.id)}:
        raise Refused("An album cannot lie below itself.")
    if membership.depth(session, parent) + membership.height(session, album.id) > membership.DEEPEST:
        raise Refused(f"Albums can lie {membership.DEEPEST} deep, and what is below this one would lie deeper.")
    return parent


class _Meant:
    """Whose sight an album's move could change, and of what: where to ask the rule, nothing more.

    An album on which nothing stands is seen by who sees the one above that it inherits from, so it is not asked about.
    The same with pictures, but for those that wait to be accepted, and those that were picked for a link by hand.
    """

    def __init__(self, session: Session, album: Album, parent_id: int | None) -> None:
        self.session = session
        reached = sa.select(AlbumReach.album_id).where(AlbumReach.source_id == album.id)
        above = sa.select(AlbumReach.source_id).where(AlbumReach.album_id.in_([album.id, parent_id or album.id]))
        self.sources = list(session.scalars(above.distinct()))
        self.reached = reached
        rows: list[Any] = [aliased(Grant), aliased(GroupGrant), aliased(Link)]
        stands = [any_of(row, where=(row.album_id == Album.id,)) for row in rows]
        self.asked = sa.or_(Album.id == album.id, sa.and_(Album.id.in_(reached), sa.or_(*stands)))
        inside = sa.select(GroupMember.user_id).join(GroupGrant, GroupGrant.group_id == GroupMember.group_id)
        granted = User.id.in_(sa.select(Grant.user_id).where(self._near(Grant)))
        self.people = sa.or_(granted, User.id.in_(inside.where(self._near(GroupGrant))))

    def sights(self) -> set[Sight]:
        """Return who sees what, as the rule says it at this moment."""
        inside = sa.select(AlbumMedia.media_id).where(AlbumMedia.album_id.in_(self.reached))
        waiting = (self.people, Media.awaiting_since.is_not(None), Media.id.in_(inside))
        picked = sa.select(Link.id, Media.id).join_from(Link, LinkMedia, LinkMedia.link_id == Link.id)
        picked = picked.join(Media, Media.id == LinkMedia.media_id).where(Link.album_id.in_(self.reached))
        seen = self._seen(_pairs(User, Album).where(self.people, self.asked), Album, by_link=False)
        seen |= self._seen(_pairs(User, Media).where(*waiting), Media, by_link=False)
        seen |= self._seen(_pairs(Link, Album).where(self._near(Link), self.asked), Album, by_link=True)
        return seen | self._seen(picked, Media, by_link=True)

    def _seen(self, pairs: sa.Select[int, int], what: type[Album | Media], *, by_link: bool) -> set[Sight]:
        held = self.session.execute(pairs.where(_sees(what, by_link=by_link))).all()
        return {(by_link, who, what.__tablename__, seen) for who, seen in held}

    def _near(self, row: type[Grant | GroupGrant | Link]) -> sa.ColumnElement[bool]:
        """Whether a grant or link stands where it could matter: above, before or after, or below."""
        return sa.or_(row.album_id.in_(self.sources), row.album_id.in_(self.reached))


@cache
def _sees(what: type[Album | Media], *, by_link: bool) -> sa.ColumnElement[bool]:
    """Return the rule for whoever a statement is about, written down once: that takes longer than asking it."""
    holder = Viewer(link_id=Link.public_id, generation=Link.generation)
    return rule(what, holder if by_link else Viewer(user_id=User.id), Action.VIEW)


def _pairs(who: type[User | Link], what: type[Album | Media]) -> sa.Select[int, int]:
    return sa.select(who.id, what.id).join_from(who, what, sa.true())


def _named(session: Session, sights: Iterable[Sight]) -> list[Somebody]:
    """Return those who see, once each, by name."""
    seeing = {(by_link, who) for by_link, who, _, _ in sights}
    people, links = ([who for by_link, who in seeing if by_link is kind] for kind in (False, True))
    found: list[Somebody] = []
    for ids in _handfuls(people):
        persons = session.execute(sa.select(User.public_id, User.name, User.email).where(User.id.in_(ids)))
        found += [Somebody(*row) for row in persons]
    for ids in _handfuls(links):
        labels = session.execute(sa.select(Link.public_id, Link.label).where(Link.id.in_(ids)))
        found += [Somebody(public_id, label, None) for public_id, label in labels]
    return sorted(found, key=lambda each: (each.name.casefold(), each.public_id))


def _handfuls(ids: list[int]) -> Iterator[list[int]]:
    """Yield ids in parts: no database takes as many values in one statement as there may be people."""
    for start in range(0, len(ids), MOST_AT_ONCE):
        yield ids[start : start + MOST_AT_ONCE]
