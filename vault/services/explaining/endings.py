"""Taking just one way in away: a grant, a group's grant, a link, or a picture's place in somebody's album.

Floor 3. What the line said is asked anew inside the transaction, because it may have ended since it was read.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import transaction, utcnow
from vault.models import membership
from vault.models.account import User
from vault.models.group import Group
from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.models.sharing import Grant, GroupGrant, Link
from vault.policy import Action, Denied, Permit, Viewer, authorize
from vault.services.explaining import Access, Ending, of_album, of_media


def from_album(permit: Permit[AlbumFacts], line_id: str) -> Access:
    """End one way into an album and return what it was. The permit is for EXPLAIN. Raises Denied."""
    line = _named(of_album(permit), line_id)
    with transaction() as session:
        _end(session, permit.viewer, _ending(line), None)
    return line


def from_media(permit: Permit[MediaFacts], line_id: str) -> Access:
    """End one way to a picture and return what it was. The permit is for EXPLAIN. Raises Denied."""
    line = _named(of_media(permit), line_id)
    with transaction() as session:
        _end(session, permit.viewer, _ending(line), permit.row)
    return line


def _named(lines: list[Access], line_id: str) -> Access:
    for line in lines:
        if line.id == line_id:
            return line
    raise Denied


def _ending(line: Access) -> Ending:
    if line.ending is None:
        raise Denied
    return line.ending


def _end(session: Session, viewer: Viewer, ending: Ending, media: MediaFacts | None) -> None:
    if ending.link_id is not None:
        _end_link(session, viewer, ending.link_id)
    elif ending.grant is not None or ending.group_grant is not None:
        _end_grant(session, viewer, ending)
    elif media is not None:
        _take_out(session, viewer, ending, media)


def _end_link(session: Session, viewer: Viewer, link_id: str) -> None:
    link = session.get_one(Link, authorize(viewer, Action.DELETE, Link, link_id).row.id)
    link.revoked_at = utcnow()
    audit.record(session, "link.revoke", actor_id=viewer.user_id, subject=link_id, label=link.label)


def _end_grant(session: Session, viewer: Viewer, ending: Ending) -> None:
    membership.hold_tree(session, ending.source_id, by=viewer.user_id)
    authorize(viewer, Action.MANAGE, Album, ending.source_id)
    held = session.get(Grant, ending.grant) if ending.grant else session.get(GroupGrant, ending.group_grant)
    if held is None:
        return  # somebody was faster, and it is as it should be
    if isinstance(held, Grant):
        said: dict[str, Any] = {"person": session.scalar(sa.select(User.email).where(User.id == held.user_id))}
    else:
        said = {"group": session.scalar(sa.select(Group.name).where(Group.id == held.group_id))}
    session.delete(held)
    audit.record(session, "grant.revoke", actor_id=viewer.user_id, subject=ending.source_id, **said)


def _take_out(session: Session, viewer: Viewer, ending: Ending, media: MediaFacts) -> None:
    """Take one's own picture out of albums, also of those that are closed to its owner by now."""
    row = membership.hold(session, media.id)
    authorize(viewer, Action.PLACE, Media, media.public_id)
    if row is None:
        raise Denied
    for album_id in ending.albums:
        found = session.scalar(sa.select(Album.id).where(Album.public_id == album_id))
        if found is not None and membership.take_out(session, found, row):
            audit.record(session, "album.take_out", actor_id=viewer.user_id, subject=album_id, media=media.public_id)
