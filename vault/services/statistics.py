"""Figures for whoever runs the vault. Reads only, and names nobody.

Floor 3.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from vault.db import db, utcnow
from vault.models import waiting
from vault.models.account import User
from vault.models.media import Media, State
from vault.models.waiting import Count
from vault.services import Vault
from vault.storage import Room, StorageError


def unready(vault: Vault) -> list[str]:
    """Return what keeps the vault from serving, one line each."""
    wrong = []
    try:
        db.session.execute(sa.select(sa.literal(1))).all()
    except SQLAlchemyError:
        wrong.append("the database does not answer")
    try:
        vault.storage.free_bytes()
    except (StorageError, OSError):
        wrong.append("the storage does not answer")
    return wrong


@dataclass(frozen=True)
class Work:
    """What the worker has before it. `queue_size` is None when the queue does not answer; the rows go on without."""

    pictures: Count
    films: Count
    oldest_seconds: float
    queue_size: int | None


def work(vault: Vault) -> Work:
    """Count what waits, is under way and failed, of everybody together."""
    films = waiting.films(vault.settings.video_seconds)
    oldest = [waiting.oldest_at(db.session(), line) for line in (waiting.PICTURES, films)]
    since = [(utcnow() - moment).total_seconds() for moment in oldest if moment is not None]
    try:
        queue_size = vault.queue.size()
    except Exception:  # noqa: BLE001  # every engine has its own errors, and all of them mean the same
        queue_size = None
    counts = [waiting.count(db.session(), line) for line in (waiting.PICTURES, films)]
    return Work(counts[0], counts[1], max(since, default=0.0), queue_size)


def room(vault: Vault) -> Room:
    """Say how full the disk of the blobs is. Raises StorageError."""
    return vault.storage.room()


def figures(vault: Vault) -> dict[str, tuple[str, float]]:
    """Return name, description and value of every figure."""
    counted = sa.select(Media.state, sa.func.count()).group_by(Media.state)
    states = {str(state): count for state, count in db.session.execute(counted)}
    found = {f"media_{state}": (f"Pictures that are {state}", float(states.get(state, 0))) for state in State}
    used = db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(User.used_bytes), 0))) or 0
    people = db.session.scalar(sa.select(sa.func.count()).select_from(User)) or 0
    return (
        found
        | _figures_of_work(work(vault))
        | _figures_of_room(room(vault))
        | {
            "people": ("Accounts", float(people)),
            "stored_bytes": ("Bytes of originals", float(used)),
        }
    )


def _figures_of_work(found: Work) -> dict[str, tuple[str, float]]:
    return {
        "media_under_way": ("Pictures that are being rendered at this moment", float(found.pictures.under_way)),
        "videos_waiting": ("Videos that wait to be prepared for browsers", float(found.films.waiting)),
        "videos_under_way": ("Videos that are being prepared at this moment", float(found.films.under_way)),
        "videos_failed": ("Videos that could not be prepared", float(found.films.failed)),
        "oldest_waiting_seconds": ("How long what came first has been waiting", found.oldest_seconds),
        "queue_up": ("Whether the queue of hints answers", float(found.queue_size is not None)),
        "queue_size": ("Hints in the queue", float(found.queue_size or 0)),
    }


def _figures_of_room(found: Room) -> dict[str, tuple[str, float]]:
    return {
        "free_bytes": ("Bytes that may still be stored", float(found.usable_bytes)),
        "disk_free_bytes": ("Free bytes of the disk of the pictures", float(found.free_bytes)),
        "disk_reserve_bytes": ("Free bytes below which uploads are refused", float(found.reserve_bytes)),
    }
