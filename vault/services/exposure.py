"""What can be reached from outside: links with what is worrying about each, for owners and for administrators.

Floor 3. Reads only; links are ended by their own use cases. To administrators it shows labels, owners and counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from vault import audit
from vault.db import db, transaction, utcnow
from vault.models import linkrules
from vault.models.account import User
from vault.models.cursor import parts
from vault.models.history import Visit
from vault.models.linkrules import Rules
from vault.models.media import Album, AlbumMedia, AlbumReach, Media
from vault.models.sharing import Link, LinkMedia, LinkRole, MetadataRule, Scope
from vault.policy import PUBLIC_ID, Action, Denied, Viewer, allowed, rule, visible

UNUSED_DAYS = 90
MOST_ROWS = 200


class Worry(StrEnum):
    """What may be wrong with a link, the worst first."""

    LOCATION = "location"
    """Originals leave with the place where they were taken."""
    LEFT = "left"
    """Whoever made it is disabled, or may no longer share what it opens."""
    RULES = "rules"
    """It does not keep what the instance demands."""
    NO_PASSWORD = "no_password"  # noqa: S105  # the name of a worry, no password
    NEVER_ENDS = "never_ends"
    UNUSED = "unused"
    ORIGINALS = "originals"


WEIGHT = {worry: 1 << place for place, worry in enumerate(reversed(Worry))}


@dataclass(frozen=True)
class Exposed:
    """A link that opens something to whoever holds it.

    `count` is how many pictures; `title` the album's, None for pictures picked from anywhere; `is_open` says whether it
    lets anybody in at this moment.
    """

    link: Link
    title: str | None
    owner: str
    creator: str
    count: int
    last_used_at: datetime | None
    is_open: bool
    worries: tuple[Worry, ...]

    @property
    def weight(self) -> int:
        """How worrying it is; more is worse."""
        return sum(WEIGHT[worry] for worry in self.worries)


@dataclass(frozen=True)
class Borrowed:
    """Another's link that shows pictures of one's own, which lie in another's album.

    `title` is None where one does not see that album.
    """

    creator: str
    title: str | None
    album_id: str | None
    count: int


def of_person(viewer: Viewer) -> list[Exposed]:
    """Return the links by which a person's things can be reached: those he made, and those to his albums."""
    return _exposed(visible(viewer, Action.VIEW, Link).where(_mine(viewer)))


def through_others(viewer: Viewer) -> list[Borrowed]:
    """Return the open links of others that show pictures of one's own: what they show is one's own to take out."""
    lies = sa.select(AlbumReach.source_id).join(AlbumMedia, AlbumMedia.album_id == AlbumReach.album_id)
    around = lies.join(Media, Media.id == AlbumMedia.media_id).where(Media.owner_id == viewer.user_id)
    rows = db.session.execute(
        sa.select(Link.id, User.name, Album)
        .join(Album, Album.id == Link.album_id)
        .join(User, User.id == Link.creator_id)
        .where(Link.album_id.in_(around), sa.not_(_mine(viewer)))
        .order_by(Link.created_at.desc())
    ).all()
    inside = _open([link_id for link_id, _, _ in rows])
    counts = _counts(sorted(inside), owner_id=viewer.user_id)
    seen = allowed(viewer, Action.VIEW, Album, {album.public_id for _, _, album in rows})
    return [
        Borrowed(maker, album.title, album.public_id, counts[link_id])
        if album.public_id in seen
        else Borrowed(maker, None, None, counts[link_id])
        for link_id, maker, album in rows
        if counts.get(link_id)
    ]


def of_vault() -> list[Exposed]:
    """Return the most worrying links of everybody. One more than MOST_ROWS says that there are others."""
    worst = sa.select(Link).order_by(_weight(linkrules.present(db.session())).desc(), Link.created_at, Link.id)
    return _exposed(worst.limit(MOST_ROWS + 1))


def pause_as_administrator(actor_id: int, link_id: str) -> None:
    """Close a link until it is opened again, as whoever runs the vault. Raises Denied."""
    if not PUBLIC_ID.fullmatch(link_id):
        raise Denied
    with transaction() as session:
        living = sa.select(Link).where(Link.public_id == link_id, Link.revoked_at.is_(None))
        link = session.scalar(living.with_for_update())
        if link is None:
            raise Denied
        link.paused_at = link.paused_at or utcnow()
        audit.record(session, "link.pause", actor_id=actor_id, subject=link_id, label=link.label)


def _mine(viewer: Viewer) -> sa.ColumnElement[bool]:
    own = sa.select(Album.id).where(Album.owner_id == viewer.user_id)
    return sa.or_(Link.creator_id == viewer.user_id, sa.func.coalesce(Link.album_id, 0).in_(own))


def _exposed(links: sa.Select[Link]) -> list[Exposed]:
    """Return living links, the most worrying first; what a paused one opens nobody reaches."""
    creator, owner = aliased(User), aliased(User)
    unended = sa.or_(Link.expires_at.is_(None), Link.expires_at > utcnow())
    rows = db.session.execute(
        links.add_columns(Album.title, owner.name, creator.name, _last_used())
        .join(creator, creator.id == Link.creator_id)
        .outerjoin(Album, Album.id == Link.album_id)
        .outerjoin(owner, owner.id == Album.owner_id)
        .where(Link.revoked_at.is_(None), Link.paused_at.is_(None), unended)
    ).all()
    ids = [link.id for link, *_ in rows]
    inside, counts, rules = _open(ids), _counts(ids), linkrules.present(db.session())
    found = [
        Exposed(
            link,
            title,
            owned_by or made_by,
            made_by,
            counts.get(link.id, 0),
            last,
            link.id in inside,
            _worries(link, last, rules, is_open=link.id in inside),
        )
        for link, title, owned_by, made_by, last in rows
    ]
    return sorted(found, key=lambda each: (-each.weight, -each.count, each.link.created_at, each.link.id))


def _open(ids: Sequence[int]) -> set[int]:
    """Return which links let somebody in: the rule itself says, for some thousands at a time."""
    let_in = sa.select(Link.id).where(_opens())
    return {link_id for part in parts(ids) for link_id in db.session.scalars(let_in.where(Link.id.in_(part)))}


def _opens() -> sa.ColumnElement[bool]:
    return rule(Link, Viewer(link_id=Link.public_id, generation=Link.generation), Action.VISIT)


def _last_used() -> sa.ScalarSelect[datetime]:
    return sa.select(sa.func.max(Visit.last_seen_at)).where(Visit.link_id == Link.id).correlate(Link).scalar_subquery()


def _weight(rules: Rules) -> sa.ColumnElement[int]:
    """Return how worrying a link is as a number in SQL: what `_worries` says of those that were loaded."""
    whole = sa.and_(Link.role.in_([int(role) for role in linkrules.TAKING]), Link.watermark == "")
    started = sa.or_(Link.starts_at.is_(None), Link.starts_at <= utcnow())
    holds = {
        Worry.LOCATION: sa.and_(whole, Link.metadata_rule == MetadataRule.KEEP),
        Worry.LEFT: sa.and_(started, sa.not_(_opens())),
        Worry.RULES: linkrules.breaks(rules),
        Worry.NO_PASSWORD: Link.password_hash.is_(None),
        Worry.NEVER_ENDS: Link.expires_at.is_(None),
        Worry.UNUSED: sa.func.coalesce(_last_used(), Link.created_at) < utcnow() - timedelta(days=UNUSED_DAYS),
        Worry.ORIGINALS: linkrules.hands_out_originals(),
    }
    return sum((sa.case((holds[worry], WEIGHT[worry]), else_=0) for worry in Worry), start=sa.literal(0))


def _counts(ids: Sequence[int], *, owner_id: int | None = None) -> dict[int, int]:
    """Return how many pictures (of one owner) each link shows, those in the trash and those that wait left out."""
    whose = sa.true() if owner_id is None else Media.owner_id == owner_id
    shown = (whose, Media.trashed_at.is_(None), Media.awaiting_since.is_(None), Media.quarantined_at.is_(None))
    reaches = sa.or_(Link.scope == Scope.TREE, sa.and_(Link.scope == Scope.ALBUM, AlbumReach.distance == 0))
    count = sa.func.count(sa.distinct(Media.id))
    in_albums = (
        sa.select(Link.id, count)
        .join(AlbumReach, AlbumReach.source_id == Link.album_id)
        .join(AlbumMedia, AlbumMedia.album_id == AlbumReach.album_id)
        .join(Media, Media.id == AlbumMedia.media_id)
        .where(reaches, Link.role >= int(LinkRole.VIEWER), *shown)
        .group_by(Link.id)
    )
    picked = (
        sa.select(LinkMedia.link_id, count)
        .join(Media, Media.id == LinkMedia.media_id)
        .where(*shown)
        .group_by(LinkMedia.link_id)
    )
    found: dict[int, int] = {}
    for part in parts(ids):
        found |= dict(db.session.execute(in_albums.where(Link.id.in_(part))).all())
        found |= dict(db.session.execute(picked.where(LinkMedia.link_id.in_(part))).all())
    return found


def _worries(link: Link, last: datetime | None, rules: Rules, *, is_open: bool) -> tuple[Worry, ...]:
    started = link.starts_at is None or link.starts_at <= utcnow()
    # A watermark is drawn, and what is drawn anew has no metadata; a small file leaves whole whatever the size rule is.
    whole = link.role in linkrules.TAKING and not link.watermark
    holds = {
        Worry.LOCATION: whole and link.metadata_rule == MetadataRule.KEEP,
        Worry.LEFT: started and not is_open,
        Worry.RULES: not linkrules.fits(rules, link),
        Worry.NO_PASSWORD: link.password_hash is None,
        Worry.NEVER_ENDS: link.expires_at is None,
        Worry.UNUSED: (last or link.created_at) < utcnow() - timedelta(days=UNUSED_DAYS),
        Worry.ORIGINALS: linkrules.takes_originals(link),
    }
    return tuple(worry for worry in Worry if holds[worry])
