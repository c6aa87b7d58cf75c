"""Remembering who took an original home.

Floor 3.
"""

from vault import audit
from vault.db import transaction
from vault.models.media import MediaFacts
from vault.policy import Permit

# A file that is fetched in pieces is one download, and the first piece that is asked for counts, whichever it is.
_pieces = audit.Bounded(most=1, seconds=600)


def record(permit: Permit[MediaFacts], *, in_pieces: bool) -> None:
    """Write the event; of a file fetched `in_pieces` only one in ten minutes. The permit is for DOWNLOAD."""
    viewer = permit.viewer
    if in_pieces and not _pieces.admits(f"{viewer.user_id} {viewer.link_id} {permit.row.public_id}"):
        return
    by = f"link {viewer.link_id}" if viewer.link_id else audit.SYSTEM
    with transaction() as session:
        subject, through = permit.row.public_id, permit.reason
        audit.record(session, "media.download", actor_id=viewer.user_id, subject=subject, by=by, through=through)
