"""Keeping the house: emptying old trash, sweeping what crashes left behind, and forgetting what has ended.

Floor 3. Runs in the worker now and then; everything here may be killed at any moment and run again.
"""

from datetime import timedelta

import sqlalchemy as sa

from vault import audit
from vault.db import db, transaction, utcnow
from vault.models.account import ApiToken, LoginSession, OneTimeToken, SignInAttempt, User
from vault.models.media import Media, Variant
from vault.services import Vault
from vault.storage import Missing

# A blob younger than this may belong to an upload or a rendering that is still under way.
GRACE = timedelta(days=1)
BATCH = 200
KEPT_AFTER_END = timedelta(days=30)


def tidy(vault: Vault) -> None:
    """Do everything that is due once an hour."""
    empty_trash(vault)
    sweep(vault)
    forget_ended()


def empty_trash(vault: Vault) -> int:
    """Delete what has lain in the trash for longer than the setting says; return how many."""
    limit, count = utcnow() - timedelta(days=vault.settings.trash_days), 0
    while media_ids := db.session.scalars(sa.select(Media.id).where(Media.trashed_at < limit).limit(BATCH)).all():
        for media_id in media_ids:
            count += _purge(vault, media_id, limit)
    return count


def sweep(vault: Vault, *, grace: timedelta = GRACE) -> int:
    """Remove blobs that no row names and temporary files, both older than the grace period; return how many."""
    count = 0
    for path, age_seconds in vault.storage.temporaries():
        if age_seconds > grace.total_seconds():
            vault.storage.discard(path)
            count += 1
    batch: list[str] = []
    for key in vault.storage.keys(""):
        batch.append(key)
        if len(batch) == BATCH:
            count += _sweep(vault, batch, grace)
            batch = []
    return count + _sweep(vault, batch, grace)


def forget_ended() -> None:
    """Delete sign-in attempts of yesterday, ended sessions, and tokens that ended long ago."""
    now = utcnow()
    with transaction() as session:
        session.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < now - timedelta(days=1)))
        session.execute(sa.delete(LoginSession).where(LoginSession.expires_at < now))
        session.execute(sa.delete(OneTimeToken).where(OneTimeToken.expires_at < now - KEPT_AFTER_END))
        session.execute(sa.delete(ApiToken).where(ApiToken.expires_at < now - KEPT_AFTER_END))


def unnamed(keys: list[str]) -> set[str]:
    """Return those keys that neither a picture nor a variant names."""
    originals = sa.select(Media.blob_key).where(Media.blob_key.in_(keys))
    variants = sa.select(Variant.blob_key).where(Variant.blob_key.in_(keys))
    return set(keys) - set(db.session.scalars(originals)) - set(db.session.scalars(variants))


def _purge(vault: Vault, media_id: int, limit: object) -> int:
    with transaction() as session:
        stale = sa.select(Media).where(Media.id == media_id, Media.trashed_at < limit)
        media = session.scalar(stale.with_for_update())
        if media is None:
            return 0
        keys = [media.blob_key, *session.scalars(sa.select(Variant.blob_key).where(Variant.media_id == media_id))]
        owner = sa.update(User).where(User.id == media.owner_id)
        session.execute(owner.values(used_bytes=User.used_bytes - media.size_bytes))
        session.execute(sa.delete(Media).where(Media.id == media_id))
        audit.record(session, "media.purge", actor_id=None, subject=media.public_id)
    for key in keys:
        vault.storage.delete(key)
    return 1


def _sweep(vault: Vault, keys: list[str], grace: timedelta) -> int:
    removed = 0
    # The age is asked before the rows: an old blob whose row is not there now gets none any more.
    old = [key for key in keys if _age(vault, key) > grace]
    for key in unnamed(old) if old else ():
        vault.storage.delete(key)
        removed += 1
    return removed


def _age(vault: Vault, key: str) -> timedelta:
    try:
        return utcnow() - vault.storage.stat(key).modified_at
    except Missing:
        return timedelta(0)
