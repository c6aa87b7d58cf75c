"""Pictures whose stored bytes are no longer those that were uploaded, for their owners.

Floor 3. Reads only; `fsck` finds them, and the same file uploaded once more makes one whole.
"""

from vault.models import cursor as cursors
from vault.models.cursor import Page
from vault.models.media import Media
from vault.policy import Action, Viewer, visible


def damaged(viewer: Viewer, *, limit: int, cursor: str | None = None) -> Page[Media]:
    """Return a page of the viewer's pictures that are in quarantine, what was found last first."""
    mine = visible(viewer, Action.RECOVER, Media).where(Media.owner_id == viewer.user_id)
    found = cursors.newest_first(mine, Media.quarantined_at, Media.id, limit=limit, cursor=cursor)
    return Page([media for (media,) in found.items], found.next_cursor)
