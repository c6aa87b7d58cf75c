"""Who can see it, and why: the sentences behind the rule, and what would end of each.

Floor 3. Nothing here decides: it lists the rows that the rule reads and lets the rule itself say which of them are
ways in. A test holds the list against asking for everybody.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vault.db import db
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.group import GroupMember
from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.models.sharing import Link, Scope
from vault.policy import Action, Permit, Viewer, allowed, rule
from vault.services.explaining.lines import Access, Ending, named
from vault.services.explaining.overview import (
    MOST_ROWS,
    GrantLine,
    all_grants,
    all_links,
    grant_line,
    grants_of_album,
)
from vault.services.explaining.ways import Kind, Way, to_album, to_media
from vault.signing import digest

__all__ = [
    "MOST_ROWS",
    "Access",
    "Ending",
    "GrantLine",
    "Kind",
    "all_grants",
    "all_links",
    "grant_line",
    "grants_of_album",
    "of_album",
    "of_media",
    "page_of_album",
    "page_of_media",
]

# How many people of a group are named; all of them are counted.
MOST_MEMBERS = 50
UNKNOWN = "an album that you do not see"


def of_album(permit: Permit[AlbumFacts]) -> list[Access]:
    """Say who can see an album, through its owner, a grant, a group or a link, on it or above it. For EXPLAIN."""
    album = db.session.get_one(Album, permit.row.id)
    return _Telling(permit.viewer, Album, album).lines(to_album(album))


def of_media(permit: Permit[MediaFacts]) -> list[Access]:
    """Say who can see a picture, through which album, grant, group or link. The permit is for EXPLAIN."""
    media = db.session.get_one(Media, permit.row.id)
    return _Telling(permit.viewer, Media, media).lines(to_media(media))


def page_of_album(permit: Permit[AlbumFacts], *, limit: int, cursor: str | None = None) -> Page[Access]:
    """Return a page of the same, the newest first. The permit is for EXPLAIN."""
    return cursors.newest_of(of_album(permit), _key, limit=limit, cursor=cursor)


def page_of_media(permit: Permit[MediaFacts], *, limit: int, cursor: str | None = None) -> Page[Access]:
    """Return a page of the same, the newest first. The permit is for EXPLAIN."""
    return cursors.newest_of(of_media(permit), _key, limit=limit, cursor=cursor)


def _key(line: Access) -> tuple[datetime, str]:
    return line.since, line.id


class _Telling:
    """Puts the ways to one thing into words for one person, as far as he may know them."""

    def __init__(self, asking: Viewer, what: Any, row: Album | Media) -> None:
        self.asking, self.what, self.row = asking, what, row

    def lines(self, ways: Sequence[Way]) -> list[Access]:
        people = self._people({way.user.id for way in ways if way.user})
        groups = self._groups({way.group.id for way in ways if way.group})
        links = self._links({way.link.id for way in ways if way.link})
        self._look_up(ways)
        return [
            self._line(way, groups.get(way.group.id, ()) if way.group else ())
            for way in ways
            if (way.user and way.user.id in people)
            or (way.group and way.group.id in groups)
            or (way.link and way.link.id in links)
        ]

    def _people(self, ids: Iterable[int]) -> set[int]:
        """Return those people to whom the rule opens it, some thousands in a statement."""
        seeing = sa.select(User.id).join(self.what, self._it()).where(self._sees(Viewer(user_id=User.id)))
        parts = cursors.parts(sorted(ids))
        return {user_id for some in parts for user_id in db.session.scalars(seeing.where(User.id.in_(some)))}

    def _links(self, ids: set[int]) -> set[int]:
        """Return those links whose holder the rule opens it to."""
        holder = Viewer(link_id=Link.public_id, generation=Link.generation)
        seeing = sa.select(Link.id).join(self.what, self._it()).where(self._sees(holder))
        parts = cursors.parts(sorted(ids))
        return {link_id for some in parts for link_id in db.session.scalars(seeing.where(Link.id.in_(some)))}

    def _groups(self, ids: set[int]) -> dict[int, tuple[int, tuple[User, ...]]]:
        """Return of each group how many of its people the rule opens it to, and the first of them by name."""
        if not ids:
            return {}
        group = GroupMember.group_id
        place = sa.func.row_number().over(partition_by=group, order_by=(User.name, User.id)).label("place")
        total = sa.func.count().over(partition_by=group).label("total")
        seeing = (
            sa.select(group, GroupMember.user_id, place, total)
            .join(User, User.id == GroupMember.user_id)
            .join(self.what, self._it())
            .where(GroupMember.group_id.in_(ids), self._sees(Viewer(user_id=GroupMember.user_id)))
            .subquery()
        )
        first = sa.select(seeing.c.group_id, seeing.c.total, User).join(User, User.id == seeing.c.user_id)
        rows = db.session.execute(first.where(seeing.c.place <= MOST_MEMBERS).order_by(seeing.c.place)).all()
        found: dict[int, tuple[int, tuple[User, ...]]] = {}
        for group_id, count, person in rows:
            found[group_id] = (count, (*found.get(group_id, (0, ()))[1], person))
        return found

    def _it(self) -> sa.ColumnElement[bool]:
        condition: sa.ColumnElement[bool] = self.what.id == self.row.id
        return condition

    def _sees(self, holder: Viewer) -> sa.ColumnElement[bool]:
        return rule(self.what, holder, Action.VIEW)

    def _look_up(self, ways: Sequence[Way]) -> None:
        """Ask once for all lines what who asks may see and change."""
        albums = {album.public_id for way in ways for album in (way.source, *way.through) if album}
        links = {way.link.public_id for way in ways if way.link}
        self.seen = allowed(self.asking, Action.VIEW, Album, albums)
        self.managed = allowed(self.asking, Action.MANAGE, Album, albums)
        self.read = allowed(self.asking, Action.VIEW, Link, links)
        self.ended = allowed(self.asking, Action.DELETE, Link, links)

    def _line(self, way: Way, members: Any) -> Access:
        count, people = members or (1 if way.user else 0, ())
        known = way.source if way.source and way.source.public_id in self.seen else None
        holder = way.user or way.group or way.link
        where = way.source.public_id if way.source else ""
        name = f"{self.row.public_id} {way.kind} {where} {holder.public_id if holder else ''}"
        return Access(
            id=digest(name)[:22],
            kind=way.kind,
            user=way.user,
            group=way.group,
            link=way.link,
            role=way.role,
            reason=self._reason(way, known),
            album=known,
            since=way.since,
            until=way.until,
            count=count,
            members=people,
            is_known=way.link is not None and way.link.public_id in self.read,
            look_in=self._look_in(way),
            ending=self._ending(way, count),
        )

    def _look_in(self, way: Way) -> str | None:
        if isinstance(self.row, Album):
            return self.row.public_id
        return next((album.public_id for album in way.through if album.public_id in self.managed), None)

    def _reason(self, way: Way, known: Album | None) -> str:
        where = self._where(known)
        match way.kind:
            case Kind.OWNER:
                return "Owner of the picture" if self.what is Media else "Owner of the album"
            case Kind.KEEPER:
                return f"Owner of {where}, where the picture lies"
            case Kind.LINK:
                return self._reason_of_link(way, known)
            case Kind.BREAK_GLASS:
                until = f" until {way.until.day} {way.until:%B %Y, %H:%M} (UTC)" if way.until else ""
                name = named(way.user) if way.user else ""
                return f"administrator {name} looks{until}: {way.why}{self._below(way, known)}"
        giver = "the owner" if way.source and way.giver_id == way.source.owner_id else way.giver
        group = f"in the group {way.group.name}, " if way.group else ""
        return f"{group}granted {way.role.label} by {giver} on {where}{self._below(way, known)}"

    def _reason_of_link(self, way: Way, known: Album | None) -> str:
        read = way.link is not None and way.link.public_id in self.read
        label = f"the link “{way.link.label}”" if read and way.link else "a link"
        if way.link and self.what is Media and way.link.album_id is None:
            return f"anybody with {label} that {way.giver} made to pictures picked by hand"
        picked = "pictures picked from " if way.link and way.link.scope == Scope.SELECTION else ""
        return f"anybody with {label} that {way.giver} made to {picked}{self._where(known)}"

    def _below(self, way: Way, known: Album | None) -> str:
        """Return which albums inherit what stands above them."""
        below = [album.title for album in way.through if known and album.id != known.id and self._is_seen(album)]
        if not below:
            return ""
        return f", which {' and '.join(below)} {'inherits' if len(below) == 1 else 'inherit'} from"

    def _ending(self, way: Way, count: int) -> Ending | None:
        """Return what who asks may take away of it: the very row or, of his own picture, its place in an album."""
        if way.kind is Kind.OWNER:
            return None
        if way.link is not None and way.link.public_id in self.ended:
            end = f"The link “{way.link.label}” ends for good: whoever has its address gets in no more."
            return Ending("End the link", end, link_id=way.link.public_id)
        source = way.source
        if source is not None and source.public_id in self.managed:
            loses = f"loses the album {source.title}{self._more(source)}."
            if way.group is not None:
                people = "1 person" if count == 1 else f"{count:,} people"
                text = f"The whole group {way.group.name} ({people}) {loses}"
                held = (source.id, way.group.id)
                return Ending("Take it away from the group", text, group_grant=held, source_id=source.public_id)
            if way.user is not None and way.kind in (Kind.GRANT, Kind.BREAK_GLASS):
                text = f"{named(way.user)} {loses}"
                held = (source.id, way.user.id)
                return Ending("Take it away", text, grant=held, source_id=source.public_id)
        if self.what is Media and way.through:
            albums = " and ".join(
                dict.fromkeys(self._where(album if self._is_seen(album) else None) for album in way.through)
            )
            text = f"The picture comes out of {albums}: everybody who sees it there sees it there no more."
            return Ending("Take it out of that album", text, albums=tuple(album.public_id for album in way.through))
        return None

    def _more(self, source: Album) -> str:
        if self.what is Media:
            return ", with all the pictures in it"
        return f", and {self.row.title} with it" if isinstance(self.row, Album) and self.row.id != source.id else ""

    def _is_seen(self, album: Album) -> bool:
        return album.public_id in self.seen

    @staticmethod
    def _where(known: Album | None) -> str:
        """Return how to speak of an album: one that is closed to who asks has no title and no address."""
        return f"the album {known.title}" if known else UNKNOWN
