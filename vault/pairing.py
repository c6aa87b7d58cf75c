"""Files that belong together: the RAW of a picture, the moving seconds of a live photo (docs/adr/0020).

Floor 2. The secondary file stays a row of the same owner, out of albums and lists; what happens to the main one happens
to it. Two files pair only where both are the owner's own, or came in the same visit of a guest, and where both lie in
exactly the same albums and links by hand: so nobody sees, or brings in, by a pair what was closed to him before. A part
has no places of its own: it lies where its picture lies.
"""

from datetime import timedelta
from pathlib import PurePath

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from vault.imaging.kinds import RAWS
from vault.models import membership
from vault.models.media import Media, MediaFacts, Part, Playback, State

# Two files of one exposure, by the camera's clock; a film's begins a moment before or after its still.
EXPOSURE = timedelta(seconds=2)
LIVE = timedelta(seconds=3)
LONGEST_MOTION_SECONDS = 3.5
MOST_CANDIDATES = 50
RAW_TYPES = frozenset(kind.media_type for kind in RAWS)
# What a camera writes beside its RAW, and a phone beside its film.
STILL_TYPES = frozenset({"image/jpeg", "image/heic", "image/heif", "image/avif", "image/tiff", "image/png"})
# In `Media.sources`: a person said that this file is no part of another.
KEPT_APART = "part"


def pair(session: Session, media_id: int) -> list[tuple[Media, Media]]:
    """Join a picture that has become ready with what it belongs to; return what was joined, (main one, part).

    Asked in a transaction of its own: of two that become ready together, the later one sees both.
    """
    found = candidates(session, media_id)
    # Rows are always held in the order of their ids, or two would wait for each other.
    held = [membership.hold(session, each) for each in sorted({media_id, *found})] if found else []
    free = [each for each in held if each is not None and _is_free(each)]
    media = next((each for each in free if each.id == media_id), None)
    if media is None:
        return []
    others = sorted((each for each in free if each is not media), key=lambda each: (_distance(media, each), each.id))
    for other in others:
        if _takes(session, other, media):
            return [_join(session, other, media)]
    return [_join(session, media, other) for other in others if _takes(session, media, other)]


def keep_apart(session: Session, main: Media) -> list[Media]:
    """Make the parts of a picture that is held items of their own again, where it lies, for good; return them."""
    found = parts(session, main.id, hold=True)
    for part in found:
        if part.part == Part.MOTION and main.playback == Playback.READY:
            main.playback = Playback.NONE
        part.part_of_id, part.part = None, Part.NONE
        part.sources = part.sources | {KEPT_APART: "person"}
        session.flush()
        membership.follow(session, part, main)
    return found


def parts(session: Session, media_id: int, *, hold: bool = False) -> list[Media]:
    """Return the parts of a picture; held, they stay as they are for the rest of the transaction."""
    wanted = sa.select(Media).where(Media.part_of_id == media_id).order_by(Media.id)
    if hold:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(wanted))


def part_of(session: Session, media_id: int, kind: Part) -> MediaFacts | None:
    """Return what the byte path needs of a part of a picture; None where it has none of that kind."""
    columns = (getattr(Media, name) for name in MediaFacts._fields)
    here = (Media.part_of_id == media_id, Media.part == kind, Media.trashed_at.is_(None))
    row = session.execute(sa.select(*columns).where(*here, Media.quarantined_at.is_(None)).limit(1)).one_or_none()
    return MediaFacts(*row) if row else None


def _takes(session: Session, main: Media, part: Media) -> bool:
    """Whether one file would have another as its part: both lie in the same places, and it has none yet."""
    return _has_room(session, main, part) and membership.lie_alike(session, main, part)


def _has_room(session: Session, main: Media, part: Media) -> bool:
    kind = _kind(main, part)
    same = sa.select(Media.id).where(Media.part_of_id == main.id, Media.part == kind)
    return kind is not Part.NONE and session.scalar(same.limit(1)) is None


def _join(session: Session, main: Media, part: Media) -> tuple[Media, Media]:
    kind = _kind(main, part)
    # What belonged to it belongs to the main one from now on: there are no parts of parts.
    for below in parts(session, part.id, hold=True):
        below.part_of_id, below.part = None, Part.NONE
        if _has_room(session, main, below):
            below.part_of_id, below.part = main.id, _kind(main, below)
        session.flush()
        if below.part_of_id is None:
            membership.follow(session, below, part)
    part.part_of_id, part.part = main.id, kind
    # What is shown as moving is the main one; where its film is not prepared yet, the worker says so when it is.
    if kind is Part.MOTION and part.playback == Playback.READY and main.playback == Playback.NONE:
        main.playback = Playback.READY
    session.flush()
    membership.leave_to(session, part, main)
    return main, part


def stands_alone() -> sa.ColumnElement[bool]:
    """Whether a picture is listed itself: it is no part, or what it is a part of lies in the trash without it."""
    main = aliased(Media)
    # What belongs to a damaged picture is hidden with it; the page of the damage leads its owner there.
    seen = (main.id == Media.part_of_id, main.trashed_at.is_(None))
    return sa.or_(Media.part_of_id.is_(None), ~sa.exists().where(*seen).correlate(Media))


def is_thrown_away_alone() -> sa.ColumnElement[bool]:
    """Whether a picture in the trash is listed itself: it is no part of another one there."""
    main = aliased(Media)
    there = (main.id == Media.part_of_id, main.trashed_at.is_not(None))
    return sa.or_(Media.part_of_id.is_(None), ~sa.exists().where(*there).correlate(Media))


def _is_free(media: Media) -> bool:
    usable = media.state == State.READY and media.trashed_at is None and media.quarantined_at is None
    return usable and media.part_of_id is None and media.sources.get(KEPT_APART) is None


def candidates(session: Session, media_id: int) -> list[int]:
    """Return the ids of what fits a picture: taken about then, or with the same identifier. Holds nothing."""
    media = session.get(Media, media_id)
    if media is None or not _is_free(media):
        return []
    wanted: list[sa.ColumnElement[bool]] = []
    if media.taken_at is not None:
        wanted.append(Media.shown_at.between(media.taken_at - LIVE, media.taken_at + LIVE))
    if media.content_id:
        wanted.append(Media.content_id == media.content_id)
    found: dict[int, Media] = {}
    # Asked one after the other, so that each goes along its index.
    for near in wanted:
        here = (Media.owner_id == media.owner_id, Media.origin == media.origin, Media.id != media.id)
        some = sa.select(Media).where(*here, Media.state == State.READY, near).limit(MOST_CANDIDATES)
        found |= {each.id: each for each in session.scalars(some)}
    both_ways = ((each, {_kind(media, each), _kind(each, media)}) for each in found.values())
    return [each.id for each, kinds in both_ways if kinds != {Part.NONE}]


def _kind(main: Media, part: Media) -> Part:
    """Return what one file would be to another."""
    if (main.awaiting_since is None) != (part.awaiting_since is None):
        return Part.NONE
    if part.media_type in RAW_TYPES:
        return Part.RAW if main.media_type in STILL_TYPES and _same_exposure(main, part) else Part.NONE
    if part.is_video and (main.media_type in STILL_TYPES or main.media_type in RAW_TYPES):
        return Part.MOTION if _same_moment(main, part) else Part.NONE
    return Part.NONE


def _same_exposure(main: Media, raw: Media) -> bool:
    cameras = {main.camera.casefold(), raw.camera.casefold()} - {""}
    return _stem(main) == _stem(raw) and len(cameras) <= 1 and _distance(main, raw) <= EXPOSURE


def _same_moment(still: Media, film: Media) -> bool:
    if still.content_id and film.content_id:
        return still.content_id == film.content_id
    short = film.duration_seconds is not None and film.duration_seconds <= LONGEST_MOTION_SECONDS
    return short and _stem(still) == _stem(film) and _distance(still, film) <= LIVE


def _stem(media: Media) -> str:
    return PurePath(media.file_name.replace("\\", "/")).stem.casefold()


def _distance(one: Media, other: Media) -> timedelta:
    if one.taken_at is None or other.taken_at is None:
        return timedelta.max
    return abs(one.taken_at - other.taken_at)
