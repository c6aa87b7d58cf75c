"""Pictures: looking through them, describing them, throwing them away and taking them back.

Floor 3. Lists are pages of a few hundred, found by key: the last page of an album costs what its first costs.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit, describing, leftovers, pairing
from vault.db import db, transaction, utcnow
from vault.imaging import texts
from vault.imaging.claims import Claims
from vault.imaging.moments import FIRST_YEAR, LAST_YEAR, is_plausible
from vault.models import cursor as cursors
from vault.models import membership, quarantine
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.media import AlbumFacts, AlbumMedia, Media, MediaFacts, Order, Playback, State
from vault.policy import PUBLIC_ID, Action, Denied, Permit, Viewer, authorize, visible
from vault.services import Refused, Vault

LONGEST_CAPTION, LONGEST_TITLE = describing.LONGEST_CAPTION, describing.LONGEST_TITLE
RATINGS = (-1, 1, 2, 3, 4, 5)
# How many pictures of the trash are read together when it is emptied.
AT_ONCE = 100
NO_SUCH_DATE = f"A picture's date lies between the years {FIRST_YEAR} and {LAST_YEAR}."


class Kept(Enum):
    """What may be said of a field instead of a value."""

    AS_IT_IS = auto()


@dataclass(frozen=True)
class Neighbours:
    """The public ids of the pictures before and after one."""

    previous: str | None
    next: str | None


def of_album(permit: Permit[AlbumFacts], *, limit: int, cursor: str | None = None) -> Page[Media]:
    """Return a page of an album in its own order."""
    newest = permit.row.order == Order.NEWEST
    place, name = AlbumMedia.position, AlbumMedia.media_id
    return _alone(cursors.in_order(_inside(permit), place, name, limit=limit, cursor=cursor, descending=newest))


def of_person(viewer: Viewer, *, limit: int, cursor: str | None = None) -> Page[Media]:
    """Return a page of the viewer's own pictures, the newest first."""
    mine = visible(viewer, Action.VIEW, Media).where(Media.owner_id == viewer.user_id, Media.awaiting_since.is_(None))
    mine = mine.where(pairing.stands_alone())
    return _alone(cursors.newest_first(mine, Media.shown_at, Media.id, limit=limit, cursor=cursor))


def in_trash(viewer: Viewer, *, limit: int, cursor: str | None = None) -> Page[Media]:
    """Return a page of the viewer's trash, what was thrown away last first."""
    mine = visible(viewer, Action.RESTORE, Media).where(Media.owner_id == viewer.user_id)
    mine = mine.where(pairing.is_thrown_away_alone())
    return _alone(cursors.newest_first(mine, Media.trashed_at, Media.id, limit=limit, cursor=cursor))


def some(viewer: Viewer, public_ids: list[str]) -> list[Media]:
    """Return those of the named pictures that the viewer may see, in no order."""
    wanted = [public_id for public_id in public_ids if PUBLIC_ID.fullmatch(public_id)]
    return list(db.session.scalars(visible(viewer, Action.VIEW, Media).where(Media.public_id.in_(wanted))))


def owner_ids(found: list[Media]) -> dict[int, str]:
    """Return the public ids of the owners of pictures."""
    owners = sa.select(User.id, User.public_id).where(User.id.in_({media.owner_id for media in found}))
    return {row.id: row.public_id for row in db.session.execute(owners)}


def get(permit: Permit[MediaFacts]) -> Media:
    """Return the whole row of a picture."""
    return db.session.get_one(Media, permit.row.id)


def neighbours_in_album(permit: Permit[AlbumFacts], media: Permit[MediaFacts]) -> Neighbours:
    """Return what lies before and after a picture in an album, found by key."""
    order = Order(permit.row.order)
    held = sa.select(AlbumMedia.position).where(
        AlbumMedia.media_id == media.row.id, AlbumMedia.album_id == permit.row.id
    )
    position = db.session.scalar(held)
    if position is None:
        return Neighbours(None, None)
    here, place = sa.tuple_(AlbumMedia.position, AlbumMedia.media_id), (position, media.row.id)
    up, down = membership.sorting(Order.OLDEST), membership.sorting(Order.NEWEST)
    higher = db.session.scalar(_inside(permit).where(here > place).order_by(*up).limit(1))
    lower = db.session.scalar(_inside(permit).where(here < place).order_by(*down).limit(1))
    return _between(higher, lower) if order == Order.NEWEST else _between(lower, higher)


def some_in_order(viewer: Viewer, chosen: sa.Select[Media]) -> list[Media]:
    """Return those of some pictures that a visitor may see and that are ready, in their order."""
    ready = visible(viewer, Action.VIEW, Media).where(Media.state == State.READY).whereclause
    return list(db.session.scalars(chosen.where(ready if ready is not None else sa.false())))


def neighbours_in(chosen: sa.Select[Media], media: Permit[MediaFacts]) -> Neighbours:
    """Return what lies before and after a picture among some that were picked by hand."""
    ids = [each.public_id for each in some_in_order(media.viewer, chosen)]
    place = ids.index(media.row.public_id) if media.row.public_id in ids else -1
    if place < 0:
        return Neighbours(None, None)
    return Neighbours(ids[place - 1] if place else None, ids[place + 1] if place + 1 < len(ids) else None)


def neighbours_of_person(permit: Permit[MediaFacts]) -> Neighbours:
    """Return what lies before and after one of the viewer's own pictures, the newest first."""
    viewer = permit.viewer
    if permit.row.owner_id != viewer.user_id:
        return Neighbours(None, None)
    media = get(permit)
    mine = visible(viewer, Action.VIEW, Media).where(Media.owner_id == viewer.user_id, pairing.stands_alone())
    here, place = sa.tuple_(Media.shown_at, Media.id), (media.shown_at, media.id)
    newer = db.session.scalar(mine.where(here > place).order_by(Media.shown_at, Media.id).limit(1))
    older = db.session.scalar(mine.where(here < place).order_by(Media.shown_at.desc(), Media.id.desc()).limit(1))
    return _between(newer, older)


def describe(
    permit: Permit[MediaFacts],
    *,
    caption: str | None = None,
    title: str | None = None,
    keywords: Sequence[str] | None = None,
    rating: int | Kept | None = Kept.AS_IT_IS,
    taken_at: datetime | Kept | None = Kept.AS_IT_IS,
) -> Media:
    """Write on the back of a picture; what is not said stays. The permit is for CAPTION.

    `rating` is 1 to 5, -1 for "rejected", or None. Without a date (None) it stands where it was uploaded. What is
    written here no file and no sidecar overrules. Raises Denied, Refused.
    """
    with transaction() as session:
        media = _again(session, permit, Action.CAPTION)
        said: dict[str, Any] = _words(media, caption, title, keywords)
        if not isinstance(rating, Kept) and rating != media.rating:
            if rating not in (None, *RATINGS):
                raise Refused("A rating is one to five stars.")
            said["rating"] = rating
        if not isinstance(taken_at, Kept):
            if taken_at is not None and not is_plausible(taken_at):
                raise Refused(NO_SUCH_DATE)
            said["taken_at"] = taken_at
        describing.write(media, **said)
        if "taken_at" in said:
            session.flush()
            membership.redate(session, media)
        audit.record(session, "media.describe", actor_id=permit.viewer.user_id, subject=media.public_id)
        return media


def lay_beside(permit: Permit[MediaFacts], claims: Claims) -> Media:
    """Keep what a sidecar says of one's own picture, instead of an earlier one, and describe it anew.

    The permit is for TRASH, which is the owner's. One that is still to be rendered is described then. Raises Denied.
    """
    with transaction() as session:
        media = _again(session, permit, Action.TRASH)
        describing.lay_beside(session, media, claims)
        said = {"source": claims.source}
        audit.record(session, "media.sidecar", actor_id=permit.viewer.user_id, subject=media.public_id, **said)
        return media


def trash(permit: Permit[MediaFacts]) -> None:
    """Move a picture to the trash: gone at once from every address. The permit is for TRASH. Raises Denied."""
    with transaction() as session:
        media = _again(session, permit, Action.TRASH)
        if membership.is_counted(media):
            membership.hide(session, media.id)
        media.trashed_at = utcnow()
        for part in pairing.parts(session, media.id, hold=True):
            part.trashed_at = part.trashed_at or media.trashed_at
        if media.quarantined_at is not None:
            quarantine.tell(session, media)
        audit.record(session, "media.trash", actor_id=permit.viewer.user_id, subject=media.public_id)


def restore(permit: Permit[MediaFacts]) -> None:
    """Take a picture out of the trash, back to its albums. The permit is for RESTORE. Raises Denied."""
    with transaction() as session:
        media = _again(session, permit, Action.RESTORE)
        for part in pairing.parts(session, media.id, hold=True):
            # What was thrown away before, and for itself, stays where it is.
            part.trashed_at = None if part.trashed_at == media.trashed_at else part.trashed_at
        media.trashed_at = None
        if membership.is_counted(media):
            membership.show(session, media.id)
        if media.quarantined_at is not None:
            quarantine.tell(session, media)
        audit.record(session, "media.restore", actor_id=permit.viewer.user_id, subject=media.public_id)


def purge(vault: Vault, permit: Permit[MediaFacts]) -> None:
    """Delete a picture in the trash for good, with its bytes. The permit is for RESTORE. Raises Denied.

    The row goes first: dead in between, the bytes belong to no row and the sweep removes them.
    """
    with transaction() as session:
        media = _again(session, permit, Action.RESTORE)
        keys: list[str] = []
        thrown = [part for part in pairing.parts(session, media.id, hold=True) if part.trashed_at is not None]
        for each in (*thrown, media):
            keys += leftovers.forget(session, each)
            audit.record(session, "media.purge", actor_id=permit.viewer.user_id, subject=each.public_id)
    leftovers.erase(vault.storage, keys)


def empty_trash(vault: Vault, viewer: Viewer) -> int:
    """Delete all that lies in the viewer's trash for good, a page of it at a time; return how many pictures went."""
    gone, cursor = 0, None
    while True:
        found = in_trash(viewer, limit=AT_ONCE, cursor=cursor)
        # Their ids first: a row that is gone cannot be asked for its own.
        for public_id in [media.public_id for media in found.items]:
            with suppress(Denied):  # taken back, or deleted in another window, since the page was read
                purge(vault, authorize(viewer, Action.RESTORE, Media, public_id))
                gone += 1
        cursor = found.next_cursor
        if cursor is None:
            return gone


def retry(vault: Vault, permit: Permit[MediaFacts]) -> None:
    """Try to render a failed picture again. The permit is for TRASH. Raises Denied, Refused."""
    with transaction() as session:
        media = _again(session, permit, Action.TRASH)
        if State.FAILED not in (media.state, media.playback):
            raise Refused("This picture did not fail.")
        task = "render" if media.state == State.FAILED else "playback"
        if media.state == State.FAILED:
            media.state, media.failure, media.attempts, media.claimed_at = State.PENDING, None, 0, None
        if media.playback == Playback.FAILED:
            media.playback, media.playback_failure = Playback.PENDING, None
            media.playback_attempts, media.playback_claimed_at = 0, None
    vault.queue.enqueue(task, permit.row.public_id)


def _inside(permit: Permit[AlbumFacts]) -> sa.Select[Any]:
    seen = visible(permit.viewer, Action.VIEW, Media).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    if permit.viewer.link_id is not None:
        # A visitor came for pictures; what is still being made, or failed, is its owner's business.
        seen = seen.where(Media.state == State.READY)
    # What guests brought is looked at apart, until it is let in.
    return seen.where(AlbumMedia.album_id == permit.row.id, Media.awaiting_since.is_(None))


def _again(session: Session, permit: Permit[MediaFacts], action: Action) -> Media:
    """Hold the row and ask again, because the right may have ended since the request came in."""
    media = membership.hold(session, permit.row.id)
    authorize(permit.viewer, action, Media, permit.row.public_id)
    if media is None:
        raise Denied
    return media


def _words(
    media: Media, caption: str | None, title: str | None, keywords: Sequence[str] | None
) -> dict[str, str | list[str]]:
    """Return what of these words is new. Raises Refused for too many of them."""
    said: dict[str, str | list[str]] = {}
    for name, text, longest in (("caption", caption, LONGEST_CAPTION), ("title", title, LONGEST_TITLE)):
        if text is None:
            continue
        if len(text) > longest:
            raise Refused(f"A {name} has at most {longest} characters.")
        plain = text.replace("\0", "").strip()
        plain = plain if name == "caption" else " ".join(plain.split())
        # A form sends back what it showed, with other ends of lines: that is not writing.
        if plain.splitlines() != getattr(media, name).splitlines():
            said[name] = plain
    if keywords is not None:
        wanted = [word for word in keywords if word.strip()]
        kept = list(texts.keywords(wanted))
        if len({" ".join(word.split()).casefold() for word in wanted}) > len(kept):
            raise Refused(f"At most {texts.MAX_KEYWORDS} keywords of {texts.MAX_KEYWORD} characters, please.")
        if kept != media.keywords:
            said["keywords"] = kept
    return said


def _between(before: Media | None, after: Media | None) -> Neighbours:
    return Neighbours(before.public_id if before else None, after.public_id if after else None)


def _alone(found: Page[Any]) -> Page[Media]:
    return Page([media for (media,) in found.items], found.next_cursor)
