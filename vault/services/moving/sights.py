"""Who sees what around an album, and who of them may be named to the one who moves it.

Floor 3. It asks the rule and decides nothing. Of people and links that come from albums closed to the mover he learns
no name, only how many they are.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from vault.models.account import User
from vault.models.cursor import parts
from vault.models.group import GroupMember
from vault.models.media import Album, AlbumMedia, AlbumReach, Media
from vault.models.sharing import Grant, GroupGrant, Link, LinkMedia, Role
from vault.policy import Action, Viewer, rule, visible
from vault.policy.grants import any_of, best_role, unended

A_LINK = "A link"


class Who(NamedTuple):
    """A person, or whoever holds a link, by the number of the row."""

    by_link: bool
    number: int


class Sight(NamedTuple):
    """One step of the ladder up to which somebody stands on one thing; the lowest is to see it."""

    who: Who
    kind: str
    thing: int
    step: int


@dataclass(frozen=True)
class Somebody:
    """A person, or whoever holds a link: `name` is his name or the link's label.

    A link that is closed to who asks is "A link", and has no `public_id`.
    """

    public_id: str | None
    name: str
    email: str | None
    """None for a link."""


@dataclass(frozen=True)
class Side:
    """Those who gain or those who lose, by name; `unseen` counts the others, of whom the mover may not know."""

    known: list[Somebody]
    unseen: int

    @property
    def count(self) -> int:
        """Return how many they are together."""
        return len(self.known) + self.unseen


class Meant:
    """Whose sight an album's move could change, and of what: where to ask the rule, nothing more.

    An album on which nothing stands is seen by who sees the one above that it inherits from, so it is not asked about.
    The same with pictures, but for those that wait to be accepted, and those that were picked for a link by hand.
    """

    def __init__(self, session: Session, mover: Viewer, album: Album, parent_id: int | None) -> None:
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
        self.known = {Who(by_link=False, number=mover.user_id), *self._known(mover)}
        readable = visible(mover, Action.VIEW, Link).where(self._near(Link))
        self.readable = set(session.scalars(readable.with_only_columns(Link.id)))

    def sights(self) -> set[Sight]:
        """Return who sees what and may do what, as the rule says it at this moment."""
        inside = sa.select(AlbumMedia.media_id).where(AlbumMedia.album_id.in_(self.reached))
        waiting = (self.people, Media.awaiting_since.is_not(None), Media.id.in_(inside))
        picked = sa.select(Link.id, Media.id).join_from(Link, LinkMedia, LinkMedia.link_id == Link.id)
        picked = picked.join(Media, Media.id == LinkMedia.media_id).where(Link.album_id.in_(self.reached))
        seen = self._roles() | self._seen(_pairs(User, Media).where(*waiting), Media, by_link=False)
        opened = _pairs(Link, Album).where(self._near(Link), self.asked)
        seen |= self._seen(opened, Album, by_link=True) | self._seen(opened, Album, by_link=True, action=Action.ADD)
        return seen | self._seen(picked, Media, by_link=True)

    def learn(self, before: set[Sight]) -> None:
        """Let those be named who saw an album of these before: the mover manages them, and may ask who sees them."""
        self.known |= {sight.who for sight in before if sight.kind == Album.__tablename__}

    def named(self, whom: set[Who]) -> Side:
        """Return them by name, as far as the mover may know of them."""
        people, links = ([who.number for who in whom & self.known if who.by_link is kind] for kind in (False, True))
        found: list[Somebody] = []
        for ids in parts(people):
            persons = sa.select(User.public_id, User.name, User.email).where(User.id.in_(ids))
            found += [Somebody(*row) for row in self.session.execute(persons)]
        for ids in parts([link_id for link_id in links if link_id in self.readable]):
            labels = self.session.execute(sa.select(Link.public_id, Link.label).where(Link.id.in_(ids)))
            found += [Somebody(public_id, label, None) for public_id, label in labels]
        found.sort(key=lambda each: (each.name.casefold(), each.public_id))
        found += [Somebody(None, A_LINK, None) for link_id in links if link_id not in self.readable]
        return Side(found, len(whom - self.known))

    def _roles(self) -> set[Sight]:
        """Return what people may do on albums: each step up to their highest role."""
        held = sa.select(User.id, Album.id, best_role(User.id)).join_from(User, Album, sa.true())
        rows = self.session.execute(held.where(self.people, self.asked, _may(Album, Action.VIEW, by_link=False)))
        return {
            Sight(Who(by_link=False, number=user_id), Album.__tablename__, album_id, int(step))
            for user_id, album_id, role in rows
            for step in Role
            if step <= (role or Role.VIEWER)
        }

    def _seen(
        self, pairs: sa.Select[int, int], what: type[Album | Media], *, by_link: bool, action: Action = Action.VIEW
    ) -> set[Sight]:
        step = int(Role.VIEWER if action is Action.VIEW else Role.CONTRIBUTOR)
        held = self.session.execute(pairs.where(_may(what, action, by_link=by_link))).all()
        return {Sight(Who(by_link, number), what.__tablename__, seen, step) for number, seen in held}

    def _known(self, mover: Viewer) -> set[Who]:
        """Return those whose grant or link stands on an album that the mover sees."""
        open_ = visible(mover, Action.VIEW, Album).with_only_columns(Album.id)
        inside = sa.select(GroupMember.user_id).join(GroupGrant, GroupGrant.group_id == GroupMember.group_id)
        people = (
            sa.select(Grant.user_id).where(self._near(Grant), unended(Grant), Grant.album_id.in_(open_)),
            inside.where(self._near(GroupGrant), unended(GroupGrant), GroupGrant.album_id.in_(open_)),
        )
        links = sa.select(Link.id).where(self._near(Link), Link.album_id.in_(open_))
        found = {Who(by_link=False, number=number) for some in people for number in self.session.scalars(some)}
        return found | {Who(by_link=True, number=number) for number in self.session.scalars(links)}

    def _near(self, row: type[Grant | GroupGrant | Link]) -> sa.ColumnElement[bool]:
        """Whether a grant or link stands where it could matter: above, before or after, or below."""
        return sa.or_(row.album_id.in_(self.sources), row.album_id.in_(self.reached))


@cache
def _may(what: type[Album | Media], action: Action, *, by_link: bool) -> sa.ColumnElement[bool]:
    """Return the rule for whoever a statement is about, written down once: that takes longer than asking it."""
    holder = Viewer(link_id=Link.public_id, generation=Link.generation)
    return rule(what, holder if by_link else Viewer(user_id=User.id), action)


def _pairs(who: type[User | Link], what: type[Album | Media]) -> sa.Select[int, int]:
    return sa.select(who.id, what.id).join_from(who, what, sa.true())
