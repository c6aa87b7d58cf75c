"""An administrator who must look: a grant like any other, with a reason and an end, that its owner is told of.

Floor 3. The rule knows no administrators; this is the only way in for one, and it leaves an event and a notice.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import db, transaction, utcnow
from vault.models import membership, noticeboard
from vault.models.account import User
from vault.models.history import Notice
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Grant, Role
from vault.policy import PUBLIC_ID, Action, Denied, Permit, Viewer, authorize, may
from vault.services import Refused

SHORTEST_REASON, LONGEST_REASON = 10, 500
SHORTEST_HOURS, USUAL_HOURS, LONGEST_HOURS = 1, 24, 7 * 24
KIND = "break_glass"


class Title(NamedTuple):
    """An album by name alone, as an administrator may know of it. `until` is set while he looks."""

    public_id: str
    title: str
    depth: int
    until: datetime | None


def titles(actor_id: int, owner_id: int) -> list[Title]:
    """Return the titles of somebody's albums, each tree together: no picture, no count."""
    rows = list(db.session.scalars(sa.select(Album).where(Album.owner_id == owner_id).order_by(Album.title, Album.id)))
    held = sa.select(Grant.album_id, Grant.expires_at).where(Grant.user_id == actor_id, Grant.reason != "")
    looking = dict(db.session.execute(held.where(Grant.expires_at > utcnow())).all())
    below: dict[int | None, list[Album]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    found: list[Title] = []
    ahead = [(row, 0) for row in reversed(below.get(None, []))]
    while ahead:
        row, depth = ahead.pop()
        found.append(Title(row.public_id, row.title, depth, looking.get(row.id)))
        ahead += [(each, depth + 1) for each in reversed(below.get(row.id, []))]
    return found


def look(actor_id: int, owner_id: int, album_id: str, *, reason: str, hours: int) -> Grant:
    """Let an administrator see one album of somebody for a while. Raises Denied, Refused.

    Whoever sees the album already, through such a look too, is refused: it cannot be lengthened unseen.
    """
    reason = "".join(each for each in reason if each.isprintable()).strip()[:LONGEST_REASON]
    if len(reason) < SHORTEST_REASON:
        raise Refused(f"Say why, in at least {SHORTEST_REASON} letters: the owner will read it.")
    if not SHORTEST_HOURS <= hours <= LONGEST_HOURS:
        raise Refused("It lasts from one hour to seven days.")
    with transaction() as session:
        album, actor = _album(session, actor_id, owner_id, album_id), _administrator(session, actor_id)
        viewer = Viewer(user_id=actor_id)
        if may(viewer, Action.VIEW, Album, album.public_id):
            raise Refused("You see this album already; there is nothing to ask for.")
        until = utcnow() + timedelta(hours=hours)
        row = session.get(Grant, (album.id, actor_id)) or Grant(album_id=album.id, user_id=actor_id)
        row.role, row.granted_by_id, row.reason = int(Role.VIEWER), actor_id, reason
        row.created_at, row.expires_at = utcnow(), until
        session.add(row)
        session.flush()
        if not may(viewer, Action.VIEW, Album, album.public_id):
            raise Refused("Nothing of this person opens while the account is disabled.")
        told = {"by_id": actor.public_id, "album": album.title, "album_id": album.public_id}
        told |= {"reason": reason, "until": until.isoformat()}
        noticeboard.tell(session, album.owner_id, KIND, by=actor_id, **told)
        said = {"reason": reason, "until": until.isoformat()}
        audit.record(session, "break_glass", actor_id=actor_id, subject=album.public_id, **said)
        return row


def end(permit: Permit[AlbumFacts], person_id: str) -> None:
    """End an administrator's look at an album before its time. The permit is for MANAGE. Raises Denied."""
    with transaction() as session:
        membership.hold_tree(session, permit.row.public_id, by=permit.viewer.user_id)
        album = authorize(permit.viewer, Action.MANAGE, Album, permit.row.public_id).row
        person = session.scalar(sa.select(User).where(User.public_id == person_id))
        row = session.get(Grant, (album.id, person.id)) if person else None
        if row is None or person is None or not row.reason:
            raise Denied
        session.delete(row)
        for notice in session.scalars(sa.select(Notice).where(Notice.user_id == album.owner_id, Notice.kind == KIND)):
            if (notice.detail["album_id"], notice.detail["by_id"]) == (album.public_id, person_id):
                notice.detail = {**notice.detail, "ended": utcnow().isoformat()}
        by = permit.viewer.user_id
        audit.record(session, "break_glass.end", actor_id=by, subject=album.public_id, person=person.email)


def _administrator(session: Session, actor_id: int) -> User:
    """Return who looks; his row is held. Raises Denied for who is disabled, or no administrator any more."""
    able = (User.id == actor_id, User.is_admin, User.disabled_at.is_(None))
    found = session.scalar(sa.select(User).where(*able))
    if found is None:
        raise Denied
    return found


def _album(session: Session, actor_id: int, owner_id: int, album_id: str) -> Album:
    """Hold the tree and who looks into it, in the order of all. Raises Denied."""
    if not PUBLIC_ID.fullmatch(album_id):
        raise Denied
    membership.hold_tree(session, album_id, by=actor_id)
    found = session.scalar(sa.select(Album).where(Album.public_id == album_id, Album.owner_id == owner_id))
    if found is None:
        raise Denied
    return found
