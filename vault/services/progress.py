"""How far the work on pictures is: what somebody waits for, how much waits, and trying again what failed.

Floor 3. A person learns of his own pictures, whoever runs the vault only numbers. Asking never changes whose turn it is
but for what somebody looks at.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from vault.db import INCIDENTAL_PATIENCE_SECONDS, db, incidental, transaction
from vault.models import cursor as cursors
from vault.models import waiting
from vault.models.cursor import Page
from vault.models.media import Media, State
from vault.models.waiting import PICTURES, WANTED_LIFE
from vault.policy import Action, Viewer, visible
from vault.services import Vault

# Somebody who goes on looking is noted again while the note still holds.
NOTED_EVERY_SECONDS = WANTED_LIFE.total_seconds() / 4
_MOST_REMEMBERED = 10_000
_guard = threading.Lock()
_noted: dict[int, float] = {}


@dataclass(frozen=True)
class Progress:
    """How many pictures wait, are being made, and failed; of the latter, how many may be worth another try.

    `films` counts the videos whose small pictures are there and that are being prepared for browsers.
    """

    waiting: int
    under_way: int
    failed: int
    may_pass: int
    films: int

    @property
    def is_busy(self) -> bool:
        """Whether something is still to come by itself."""
        return self.waiting + self.under_way + self.films > 0


def want(media_ids: Iterable[int]) -> None:
    """Note that somebody waits for pictures that are not ready, so that they come sooner.

    Written seldom, however often somebody looks, and only of what waits: what was asked for in vain because there is
    no such thing takes no turn of whoever writes. When it cannot be written, nobody has to know.
    """
    fresh = _not_noted_lately(media_ids)
    if fresh and (fresh := waiting.pending(db.session(), fresh)):
        with incidental("wanted"), transaction(patience_seconds=INCIDENTAL_PATIENCE_SECONDS) as session:
            waiting.want(session, fresh)


def of_person(vault: Vault, viewer: Viewer) -> Progress:
    """Count the viewer's own pictures."""
    pictures = waiting.count(db.session(), PICTURES, owner_id=viewer.user_id)
    films = waiting.count(db.session(), _films(vault), owner_id=viewer.user_id)
    failures = sa.select(sa.func.count(), sa.func.count().filter(Media.failure_may_pass)).select_from(Media)
    failed, may_pass = db.session.execute(
        failures.where(Media.id.in_(_failures(viewer).with_only_columns(Media.id)))
    ).one()
    return Progress(pictures.waiting, pictures.under_way, failed, may_pass, films.waiting + films.under_way)


def failed(viewer: Viewer, *, limit: int, cursor: str | None = None) -> Page[Media]:
    """Return a page of the viewer's own pictures that failed, the newest first."""
    found = cursors.newest_first(_failures(viewer), Media.uploaded_at, Media.id, limit=limit, cursor=cursor)
    return Page([media for (media,) in found.items], found.next_cursor)


def try_again(vault: Vault, viewer: Viewer) -> int:
    """Let the viewer's failed pictures that another try may help wait once more; return how many."""
    with transaction() as session:
        hopeful = _failures(viewer).where(Media.failure_may_pass).with_only_columns(Media.id)
        ids = session.scalars(hopeful).all()
        again = {"state": State.PENDING, "failure": None, "failure_may_pass": False, "attempts": 0, "claimed_at": None}
        # In the same statement again: one that was begun anew in another window is not broken off.
        still = sa.update(Media).where(Media.id.in_(hopeful), Media.state == State.FAILED)
        session.execute(still.values(again))
    if ids:
        vault.queue.enqueue("render", "")  # which one comes next, the rows say
    return len(ids)


def _failures(viewer: Viewer) -> sa.Select[Media]:
    mine = visible(viewer, Action.TRASH, Media).where(Media.owner_id == viewer.user_id, Media.state == State.FAILED)
    return mine.where(Media.awaiting_since.is_(None), Media.part_of_id.is_(None))


def _films(vault: Vault) -> waiting.Line:
    return waiting.films(vault.settings.video_seconds)


def _not_noted_lately(media_ids: Iterable[int]) -> list[int]:
    now = time.monotonic()
    with _guard:
        if len(_noted) >= _MOST_REMEMBERED:
            _noted.clear()
        fresh = [
            media_id
            for media_id in media_ids
            if now - _noted.get(media_id, -NOTED_EVERY_SECONDS) >= NOTED_EVERY_SECONDS
        ]
        _noted.update(dict.fromkeys(fresh, now))
    return fresh
