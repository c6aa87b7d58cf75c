"""Keeping the house: emptying old trash, sweeping what crashes left behind, and forgetting what has ended.

Floor 3. Runs in the worker now and then; everything here may be killed at any moment and run again.
"""

from datetime import timedelta

import sqlalchemy as sa

from vault import audit, leftovers
from vault.db import db, transaction, utcnow
from vault.models import arriving
from vault.models.account import ApiToken, LoginSession, OneTimeToken, SignInAttempt
from vault.models.history import Download, PersonSight, Visit, VisitSight
from vault.models.ingest import ImportRefusal, ImportRun, RunState, Upload
from vault.models.media import Media
from vault.services import Vault

BATCH = 200
KEPT_AFTER_END = timedelta(days=30)


def tidy(vault: Vault) -> None:
    """Do everything that is due once an hour."""
    empty_trash(vault)
    forget_uploads(vault)
    sweep(vault)
    forget_ended()
    forget_history(vault)
    forget_imports(vault)


def empty_trash(vault: Vault) -> int:
    """Delete what has lain in the trash for longer than the setting says; return how many."""
    limit, count = utcnow() - timedelta(days=vault.settings.trash_days), 0
    while media_ids := db.session.scalars(sa.select(Media.id).where(Media.trashed_at < limit).limit(BATCH)).all():
        for media_id in media_ids:
            count += _purge(vault, media_id, limit)
    return count


def sweep(vault: Vault, *, grace: timedelta = leftovers.GRACE) -> int:
    """Remove what is older than the grace period and needed by nobody; return how many.

    Blobs that no row names, temporary and partial files, and editions of pictures that are gone or that nobody asks
    for.
    """
    count = 0
    for name in leftovers.abandoned(vault.storage, grace=grace):
        vault.storage.discard_partial(name)
        count += 1
    for path in leftovers.temporaries(vault.storage, grace=grace):
        vault.storage.discard(path)
        count += 1
    for key in leftovers.unnamed(vault.storage, vault.storage.keys(""), grace=grace):
        vault.storage.delete(key)
        count += 1
    for key in leftovers.outlived(vault.storage, grace=grace):
        vault.storage.delete(key)
        count += 1
    return count


def forget_uploads(vault: Vault) -> int:
    """Forget uploads whose time is over, with what came of those that never ended; return how many.

    A guest's end with his visit and its link.
    """
    count = 0
    while ids := db.session.scalars(sa.select(Upload.id).where(~arriving.stands()).limit(BATCH)).all():
        with transaction() as session:
            # Asked again: a piece that came meanwhile has let its upload live on.
            over = sa.delete(Upload).where(Upload.id.in_(ids), ~arriving.stands())
            fetched = over.returning(Upload.public_id).execution_options(synchronize_session=False)
            gone = session.scalars(fetched).all()
        for public_id in gone:
            vault.storage.discard_partial(public_id)
        count += len(gone)
    return count


def forget_ended() -> None:
    """Delete sign-in attempts of yesterday, ended sessions, and tokens that ended long ago."""
    now = utcnow()
    with transaction() as session:
        session.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < now - timedelta(days=1)))
        session.execute(sa.delete(LoginSession).where(LoginSession.expires_at < now))
        session.execute(sa.delete(OneTimeToken).where(OneTimeToken.expires_at < now - KEPT_AFTER_END))
        session.execute(sa.delete(ApiToken).where(ApiToken.expires_at < now - KEPT_AFTER_END))


def forget_history(vault: Vault) -> int:
    """Forget visits that ended longer ago than the setting says, with all that was seen; return how many.

    What people with an account opened goes likewise. A visit that lives is never old.
    """
    limit, count = utcnow() - timedelta(days=vault.settings.history_days), 0
    ended = sa.func.coalesce(Visit.ended_at, Visit.expires_at)
    while ids := db.session.scalars(sa.select(Visit.id).where(ended < limit).limit(BATCH)).all():
        with transaction() as session:
            for rows in (VisitSight, Download):
                session.execute(sa.delete(rows).where(rows.visit_id.in_(ids)))
            session.execute(sa.delete(Visit).where(Visit.id.in_(ids)))
        count += len(ids)
    with transaction() as session:
        session.execute(sa.delete(PersonSight).where(PersonSight.last_at < limit))
    return count


def forget_imports(vault: Vault) -> int:
    """Forget imports that ended longer ago than the setting for history says; return how many.

    What they brought stays, and that it was imported stays known.
    """
    limit, count = utcnow() - timedelta(days=vault.settings.history_days), 0
    over = (ImportRun.state.not_in([RunState.WAITING, RunState.RUNNING]), ImportRun.finished_at < limit)
    while ids := db.session.scalars(sa.select(ImportRun.id).where(*over).limit(BATCH)).all():
        with transaction() as session:
            session.execute(sa.delete(ImportRefusal).where(ImportRefusal.run_id.in_(ids)))
            session.execute(sa.delete(ImportRun).where(ImportRun.id.in_(ids)))
        count += len(ids)
    return count


def _purge(vault: Vault, media_id: int, limit: object) -> int:
    with transaction() as session:
        stale = sa.select(Media).where(Media.id == media_id, Media.trashed_at < limit)
        media = session.scalar(stale.with_for_update())
        if media is None:
            return 0
        keys = leftovers.forget(session, media)
        audit.record(session, "media.purge", actor_id=None, subject=media.public_id)
    leftovers.erase(vault.storage, keys)
    return 1
