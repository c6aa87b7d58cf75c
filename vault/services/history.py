"""Who looked: what a link's visitors and people with an account opened and took home, for whoever may know it.

Floor 3, the reading side of `recording`. Which of the pictures are named is decided as everywhere: of what the reader
may not see himself, only the number is told.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from vault.db import db
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.history import Download, PersonSight, Visit, VisitSight
from vault.models.media import Album, AlbumFacts, AlbumMedia, Media, MediaFacts
from vault.models.sharing import Link, LinkFacts
from vault.models.system import Event
from vault.policy import PUBLIC_ID, Action, Permit, Viewer, allowed, authorize, rule

# As many pictures of one visit are read for a page; a table has all of them.
MOST_SIGHTS = 24
MOST_LINES = 100
AT_ONCE = 50
# The variants of what was taken home: the file, alone or in an archive.
TAKEN = ("original", "zip")
# Whoever a row of looking is about.
ONLOOKER = Viewer(user_id=PersonSight.user_id)


class Use(NamedTuple):
    """How much a link is used, as far as it is remembered."""

    visitors: int
    first_at: datetime
    last_at: datetime


class Sight(NamedTuple):
    """A picture that somebody opened, in one variant. `media` is None for one that the reader does not see."""

    media: Media | None
    variant: str
    first_at: datetime
    last_at: datetime
    times: int


class Taking(NamedTuple):
    """Something that a visitor took home, or began to: one picture, or an archive (`is_zip`) of what there was then."""

    media: Media | None
    is_zip: bool
    began_at: datetime
    completed_at: datetime | None
    sent_bytes: int
    size_bytes: int | None


@dataclass
class Stay:
    """One visit. `opened` counts the different pictures; `sights` are those that were opened last."""

    visit: Visit
    link: Link
    opened: int = 0
    sights: list[Sight] = field(default_factory=list)
    takings: list[Taking] = field(default_factory=list)


class Refusal(NamedTuple):
    """Somebody who did not get in."""

    at: datetime
    why: str


class Onlooker(NamedTuple):
    """Somebody with an account who opened pictures of another."""

    person: User
    pictures: int
    first_at: datetime
    last_at: datetime
    took_originals: bool


class Guest(NamedTuple):
    """A visitor who opened one picture."""

    visit: Visit
    link: Link
    last_at: datetime
    took_original: bool


def use(link_ids: Iterable[int]) -> dict[int, Use]:
    """Return how much links are used, by their rows' ids; those that nobody came by are not in it."""
    spans = (sa.func.count(), sa.func.min(Visit.opened_at), sa.func.max(Visit.last_seen_at))
    visits = sa.select(Visit.link_id, *spans).group_by(Visit.link_id)
    some = (db.session.execute(visits.where(Visit.link_id.in_(ids))) for ids in cursors.parts(list(link_ids)))
    return {row[0]: Use(*row[1:]) for rows in some for row in rows}


def of_link(permit: Permit[LinkFacts], *, limit: int, cursor: str | None = None) -> Page[Stay]:
    """Return a page of a link's visits, the latest first. The permit is for MANAGE."""
    return _stays(permit.viewer, _visits().where(Link.id == permit.row.id), limit, cursor)


def of_album(permit: Permit[AlbumFacts], *, limit: int, cursor: str | None = None) -> Page[Stay]:
    """Return a page of the visits by an album's links, also by those that ended. The permit is for EXPLAIN."""
    return _stays(permit.viewer, _visits().where(Link.album_id == permit.row.id), limit, cursor)


def refusals(permit: Permit[LinkFacts]) -> list[Refusal]:
    """Return the latest tries to come in by a link that failed. The permit is for MANAGE."""
    tried = (Event.action == "link.refused", Event.subject == permit.row.public_id)
    rows = db.session.execute(sa.select(Event.at, Event.detail).where(*tried).order_by(Event.id.desc()).limit(AT_ONCE))
    return [Refusal(at, str(detail.get("why", ""))) for at, detail in rows]


def onlookers_of_album(permit: Permit[AlbumFacts]) -> list[Onlooker]:
    """Return who with an account opened pictures of an album, who looked last first. The permit is for EXPLAIN.

    Told are those to whom the album is open. Who sees a picture of it elsewhere looked there, which is not the business
    of whoever manages it here.
    """
    inside = sa.select(AlbumMedia.media_id).where(AlbumMedia.album_id == permit.row.id)
    opened = sa.select(Album.id).where(Album.id == permit.row.id, rule(Album, ONLOOKER, Action.VIEW))
    return _onlookers(PersonSight.media_id.in_(inside) & opened.correlate(PersonSight).exists())


def onlookers_of_media(permit: Permit[MediaFacts]) -> list[Onlooker]:
    """Return who with an account opened a picture, who looked last first. The permit is for EXPLAIN."""
    return _onlookers(PersonSight.media_id == permit.row.id)


def guests_of_media(permit: Permit[MediaFacts]) -> list[Guest]:
    """Return which visitors opened a picture, who looked last first. The permit is for EXPLAIN."""
    last, took = sa.func.max(VisitSight.last_at), sa.func.max(sa.case((VisitSight.variant.in_(TAKEN), 1), else_=0))
    seen = sa.select(VisitSight.visit_id, last.label("last_at"), took.label("took")).group_by(VisitSight.visit_id)
    found = seen.where(VisitSight.media_id == permit.row.id).order_by(last.desc()).limit(MOST_LINES).subquery()
    rows = sa.select(Visit, Link, found.c.last_at, found.c.took).join(found, found.c.visit_id == Visit.id)
    ordered = rows.join(Link, Link.id == Visit.link_id).order_by(found.c.last_at.desc())
    return [Guest(visit, link, at, bool(took)) for visit, link, at, took in db.session.execute(ordered)]


def all_of_link(permit: Permit[LinkFacts]) -> Iterator[Stay]:
    """Yield every visit of a link, whole, the latest first; ends when the right does. The permit is for MANAGE."""
    cursor = None
    while True:
        again = authorize(permit.viewer, Action.MANAGE, Link, permit.row.public_id)
        page = _stays(again.viewer, _visits().where(Link.id == again.row.id), AT_ONCE, cursor, most=None)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _visits() -> sa.Select[Visit, Link]:
    return sa.select(Visit, Link).join(Link, Link.id == Visit.link_id)


def _stays(
    reader: Viewer, visits: sa.Select[Visit, Link], limit: int, cursor: str | None, *, most: int | None = MOST_SIGHTS
) -> Page[Stay]:
    page = cursors.newest_first(visits, Visit.opened_at, Visit.public_id, limit=limit, cursor=cursor)
    stays = {visit.id: Stay(visit, link) for visit, link in page.items}
    for visit_id, count in db.session.execute(_counted(list(stays))):
        stays[visit_id].opened = count
    seen = _seen(list(stays), most)
    taken = _taken(list(stays))
    known = _known(reader, [row.Media for row in seen] + [row.Media for row in taken if row.Media is not None])
    for row in seen:
        media = row.Media if row.Media.public_id in known else None
        sight = Sight(media, row.variant, row.first_at, row.last_at, row.times)
        stays[row.visit_id].sights.append(sight)
    for row in taken:
        stays[row.Download.visit_id].takings.append(_taking(row.Download, row.Media, known))
    return Page(list(stays.values()), page.next_cursor)


def _counted(visit_ids: list[int]) -> sa.Select[int, int]:
    pictures = sa.func.count(sa.distinct(VisitSight.media_id))
    return (
        sa.select(VisitSight.visit_id, pictures).where(VisitSight.visit_id.in_(visit_ids)).group_by(VisitSight.visit_id)
    )


def _seen(visit_ids: list[int], most: int | None) -> Sequence[sa.Row[*tuple[object, ...]]]:
    """Return what was opened, the latest of each visit first."""
    place = sa.func.row_number().over(partition_by=VisitSight.visit_id, order_by=VisitSight.last_at.desc())
    numbered = sa.select(VisitSight, place.label("place")).where(VisitSight.visit_id.in_(visit_ids)).subquery()
    rows = sa.select(numbered, Media).join(Media, Media.id == numbered.c.media_id)
    if most is not None:
        rows = rows.where(numbered.c.place <= most)
    return db.session.execute(rows.order_by(numbered.c.visit_id, numbered.c.place)).all()


def _taken(visit_ids: list[int]) -> Sequence[sa.Row[*tuple[object, ...]]]:
    rows = sa.select(Download, Media).outerjoin(Media, Media.public_id == Download.thing)
    return db.session.execute(rows.where(Download.visit_id.in_(visit_ids)).order_by(Download.began_at.desc())).all()


def _taking(row: Download, media: Media | None, known: set[str]) -> Taking:
    shown = media if media is not None and media.public_id in known else None
    spans = [each.split("-") for each in row.pieces.split(",") if each]
    sent = sum(int(end) - int(start) for start, end in spans)
    return Taking(shown, not PUBLIC_ID.fullmatch(row.thing), row.began_at, row.completed_at, sent, row.size_bytes)


def _known(reader: Viewer, found: list[Media]) -> set[str]:
    return allowed(reader, Action.VIEW, Media, {media.public_id for media in found})


def _onlookers(which: sa.ColumnElement[bool]) -> list[Onlooker]:
    last, took = sa.func.max(PersonSight.last_at), sa.func.max(sa.case((PersonSight.variant.in_(TAKEN), 1), else_=0))
    sums = (sa.func.count(sa.distinct(PersonSight.media_id)), sa.func.min(PersonSight.first_at), last, took)
    rows = sa.select(PersonSight.user_id, *sums).where(which).group_by(PersonSight.user_id)
    found = db.session.execute(rows.order_by(last.desc()).limit(MOST_LINES)).all()
    people = {
        user.id: user for user in db.session.scalars(sa.select(User).where(User.id.in_([row[0] for row in found])))
    }
    return [Onlooker(people[row[0]], row[1], row[2], row[3], bool(row[4])) for row in found]
