"""Putting pictures into quarantine and taking them out, one transaction each.

Floor 3. What that means for a row is the business of `vault.models.quarantine`.
"""

from collections.abc import Callable

from vault import audit
from vault.db import transaction
from vault.models import membership, quarantine


def lock_away(media_id: int, reason: str, is_so: Callable[[], bool] = lambda: True) -> bool:
    """Put a picture into quarantine; False when it is there already, or gone.

    Its owner may have uploaded it again since it was looked at, so `is_so` is asked once more while the row is held.
    """
    with transaction() as session:
        media = membership.hold(session, media_id)
        if media is None or media.quarantined_at is not None or not is_so():
            return False
        quarantine.lock_away(session, media, reason)
        audit.record(session, "media.quarantine", actor_id=None, subject=media.public_id, reason=reason)
        return True


def release(media_id: int) -> bool:
    """Take a picture out of quarantine again; False when it is not there."""
    with transaction() as session:
        media = membership.hold(session, media_id)
        if media is None or media.quarantined_at is None:
            return False
        quarantine.release(session, media)
        audit.record(session, "media.release", actor_id=None, subject=media.public_id)
        return True
