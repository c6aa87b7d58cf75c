"""Remembering who took an original home.

Floor 3. A download is recorded where its first bytes go out, so that a file fetched in pieces counts once.
"""

from vault import audit
from vault.db import transaction
from vault.models.media import MediaFacts
from vault.policy import Permit

OK, PARTIAL = 200, 206


def is_taken(method: str, status: int, wanted_range: str | None) -> bool:
    """Whether an answer hands out the beginning of the file; `wanted_range` is the request's Range header."""
    if method != "GET" or status not in (OK, PARTIAL):
        return False
    return status == OK or (wanted_range or "").replace(" ", "").startswith("bytes=0-")


def record(permit: Permit[MediaFacts]) -> None:
    """Write the event. The permit is for DOWNLOAD."""
    by = f"link {permit.viewer.link_id}" if permit.viewer.link_id else audit.SYSTEM
    with transaction() as session:
        audit.record(session, "media.download", actor_id=permit.viewer.user_id, subject=permit.row.public_id, by=by)
