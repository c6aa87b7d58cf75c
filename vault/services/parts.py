"""What is kept together with a picture: its RAW, and the film of a live photo.

Floor 3. A part is decided like the picture it belongs to; only its owner takes them apart.
"""

from vault import audit, pairing
from vault.db import db, transaction
from vault.models import membership
from vault.models.media import Media, MediaFacts, Part
from vault.policy import Action, Denied, Permit, authorize


def main_of(media: Media) -> Media | None:
    """Return the picture that a part belongs to; None for an item of its own."""
    return db.session.get(Media, media.part_of_id) if media.part_of_id is not None else None


def of(permit: Permit[MediaFacts]) -> list[Media]:
    """Return the parts of a picture that are there, for who may see it."""
    found = pairing.parts(db.session(), permit.row.id)
    return [part for part in found if part.trashed_at is None and part.quarantined_at is None]


def raw(permit: Permit[MediaFacts]) -> str:
    """Return the public id of the RAW of a picture, to be decided for itself. Raises Denied where there is none."""
    part = raw_of(permit.row)
    if part is None:
        raise Denied
    return part


def raw_of(media: Media | MediaFacts) -> str | None:
    """Return the public id of the RAW that is kept together with a picture; None without one."""
    part = pairing.part_of(db.session(), media.id, Part.RAW)
    return part.public_id if part else None


def keep_apart(permit: Permit[MediaFacts]) -> list[Media]:
    """Make the parts of a picture items of their own, for good; return them. The permit is for PLACE. Raises Denied."""
    with transaction() as session:
        media = membership.hold(session, permit.row.id)
        authorize(permit.viewer, Action.PLACE, Media, permit.row.public_id)
        if media is None:
            raise Denied
        found = pairing.keep_apart(session, media)
        for part in found:
            said = {"part": part.public_id}
            audit.record(session, "media.keep_apart", actor_id=permit.viewer.user_id, subject=media.public_id, **said)
        return found
