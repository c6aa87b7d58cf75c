"""Looking at an album with somebody else's eyes: read-only, recorded, and never more than one may see oneself.

Floor 3. What is shown is what the rule opens to both, the one who asks and the other; nothing here is a third opinion.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vault import audit
from vault.db import db, transaction
from vault.models import cursor as cursors
from vault.models import membership
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.media import Album, AlbumFacts, AlbumMedia, Media, MediaFacts, Order, State
from vault.models.sharing import Link, Scope
from vault.policy import NOBODY, PUBLIC_ID, Action, Denied, Permit, Viewer, allowed, authorize, may, rule

WITH_LINK = "link-"
OF_NOBODY = "nobody"


@dataclass(frozen=True)
class Eyes:
    """Whose eyes one looks with: `whom` as it stands in addresses, who that is to the rule, and the name.

    `link` is None for people, `is_selection` whether the link opens pictures that were picked by hand.
    """

    whom: str
    viewer: Viewer
    name: str
    link: Link | None = None

    @property
    def is_nobody(self) -> bool:
        """Whether these are the eyes of somebody who is not signed in and has no link."""
        return self.viewer.is_nobody

    @property
    def is_selection(self) -> bool:
        """Whether a link opens pictures that were picked by hand, and no album."""
        return self.link is not None and self.link.scope == Scope.SELECTION


@dataclass(frozen=True)
class Around:
    """The public ids of the pictures before and after one, as both see them."""

    previous: str | None
    next: str | None


def eyes(permit: Permit[AlbumFacts], whom: str) -> Eyes:
    """Return the eyes of somebody to whom an album is open, or of nobody. The permit is for EXPLAIN.

    Raises Denied for whoever does not see the album as for whoever is not there.
    """
    if whom == OF_NOBODY:
        return Eyes(whom, NOBODY, "somebody who is not signed in")
    if whom.startswith(WITH_LINK):
        return _of_link(permit, whom)
    if not PUBLIC_ID.fullmatch(whom):
        raise Denied
    person = db.session.scalar(sa.select(User).where(User.public_id == whom))
    if person is None or not may(Viewer(user_id=person.id), Action.VIEW, Album, permit.row.public_id):
        raise Denied
    return Eyes(whom, Viewer(user_id=person.id), person.name or "somebody who has not joined yet")


def begin(permit: Permit[AlbumFacts], looking: Eyes) -> None:
    """Remember that somebody begins to look with another's eyes. The permit is for EXPLAIN. Raises Denied."""
    with transaction() as session:
        album_id = permit.row.public_id
        authorize(permit.viewer, Action.EXPLAIN, Album, album_id)
        by = permit.viewer.user_id
        audit.record(session, "view_as", actor_id=by, subject=album_id, whom=looking.whom, name=looking.name)


def album(root: Permit[AlbumFacts], looking: Eyes, album_id: str) -> Permit[AlbumFacts]:
    """Return the right to look at an album with these eyes: the root, or one below it that both see. Raises Denied."""
    found = authorize(root.viewer, Action.VIEW, Album, album_id)
    if looking.is_selection:
        if found.row.id != root.row.id:
            raise Denied
        return found
    authorize(looking.viewer, Action.VIEW, Album, album_id)
    if found.row.id not in (root.row.id, *membership.below(db.session(), root.row.id)):
        raise Denied
    return found


def children(asking: Viewer, looking: Eyes, album_id: int) -> sa.Select[Album]:
    """Return the selection of the albums right below one that both see."""
    inside = sa.select(Album).where(Album.parent_id == album_id, *_both(Album, asking, looking, Action.VIEW))
    return inside.order_by(Album.title, Album.id)


def above(root: Permit[AlbumFacts], looking: Eyes, row: Album) -> Album | None:
    """Return the album above one, unless that is the root or one of the two does not see it."""
    if row.id == root.row.id or row.parent_id is None:
        return None
    both = _both(Album, root.viewer, looking, Action.VIEW)
    return db.session.scalar(sa.select(Album).where(Album.id == row.parent_id, *both))


def pictures(around: Permit[AlbumFacts], looking: Eyes, *, limit: int, cursor: str | None = None) -> Page[Media]:
    """Return a page of what both see in an album, in its own order."""
    newest = around.row.order == Order.NEWEST
    place, name = AlbumMedia.position, AlbumMedia.media_id
    found = cursors.in_order(_inside(around, looking), place, name, limit=limit, cursor=cursor, descending=newest)
    return Page([media for (media,) in found.items], found.next_cursor)


def takeable(asking: Viewer, looking: Eyes, found: list[Media]) -> set[str]:
    """Return the ids of those pictures whose originals both may take."""
    ids = [media.public_id for media in found]
    return allowed(asking, Action.DOWNLOAD, Media, allowed(looking.viewer, Action.DOWNLOAD, Media, ids))


def picture(root: Permit[AlbumFacts], looking: Eyes, media_id: str, action: Action) -> Permit[MediaFacts]:
    """Return the right to see (or with DOWNLOAD, take) a picture with these eyes, under the other's terms.

    Both must have it, and the picture must lie where both look. Raises Denied.
    """
    mine = authorize(root.viewer, action, Media, media_id)
    theirs = authorize(looking.viewer, action, Media, media_id)
    if not _lies_where_both_look(root, looking, mine.row.id):
        raise Denied
    # What goes out through a link obeys its terms here, too; a person gets what he would get: the bytes as kept.
    return theirs if looking.link is not None else mine


def neighbours(around: Permit[AlbumFacts], looking: Eyes, media_id: int) -> Around:
    """Return what lies before and after a picture in an album, as both see it."""
    held = sa.select(AlbumMedia.position).where(AlbumMedia.media_id == media_id, AlbumMedia.album_id == around.row.id)
    position = db.session.scalar(held)
    if position is None:
        return Around(None, None)
    here, place = sa.tuple_(AlbumMedia.position, AlbumMedia.media_id), (position, media_id)
    up, down = membership.sorting(Order.OLDEST), membership.sorting(Order.NEWEST)
    seen = _inside(around, looking)
    higher = db.session.scalar(seen.where(here > place).order_by(*up).limit(1))
    lower = db.session.scalar(seen.where(here < place).order_by(*down).limit(1))
    first, second = (higher, lower) if around.row.order == Order.NEWEST else (lower, higher)
    return Around(first.public_id if first else None, second.public_id if second else None)


def _of_link(permit: Permit[AlbumFacts], whom: str) -> Eyes:
    found = authorize(permit.viewer, Action.VIEW, Link, whom.removeprefix(WITH_LINK)).row
    link = db.session.get_one(Link, found.id)
    looking = Eyes(whom, Viewer(link_id=link.public_id, generation=link.generation), f"the link “{link.label}”", link)
    if not looking.is_selection:
        authorize(looking.viewer, Action.VIEW, Album, permit.row.public_id)
    elif link.album_id != permit.row.id or not may(looking.viewer, Action.VISIT, Link, link.public_id):
        raise Denied
    return looking


def _both(what: Any, asking: Viewer, looking: Eyes, action: Action) -> tuple[sa.ColumnElement[bool], ...]:
    return rule(what, asking, action), rule(what, looking.viewer, action)


def _inside(around: Permit[AlbumFacts], looking: Eyes) -> sa.Select[Media]:
    seen = sa.select(Media).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    seen = seen.where(AlbumMedia.album_id == around.row.id, *_both(Media, around.viewer, looking, Action.VIEW))
    # A visitor sees only what is ready.
    return seen.where(Media.state == State.READY) if looking.link is not None else seen


def _lies_where_both_look(root: Permit[AlbumFacts], looking: Eyes, media_id: int) -> bool:
    inside = sa.select(AlbumMedia.album_id).where(AlbumMedia.media_id == media_id)
    if looking.is_selection:
        return db.session.scalar(inside.where(AlbumMedia.album_id == root.row.id)) is not None
    ids = [root.row.id, *membership.below(db.session(), root.row.id)]
    open_to_both = inside.join(Album, Album.id == AlbumMedia.album_id).where(Album.id.in_(ids))
    both = _both(Album, root.viewer, looking, Action.VIEW)
    return db.session.scalar(open_to_both.where(*both).limit(1)) is not None
