"""Use cases: one public function is one thing somebody does, in one transaction.

Floor 3: knows the floors below, nothing of Flask and nothing of each other.
"""

from dataclasses import dataclass
from datetime import datetime

from vault import audit, pairing
from vault.config import Settings
from vault.db import db, transaction
from vault.jobs import Queue
from vault.models.account import Scope
from vault.passwords import Passwords
from vault.services.recording import Recorder
from vault.signing import Signer
from vault.storage import Storage


@dataclass(frozen=True)
class Vault:
    """What use cases need besides the database. Made once, in `vault.app`."""

    settings: Settings
    storage: Storage
    queue: Queue
    signer: Signer
    passwords: Passwords
    recorder: Recorder


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, as pages need it. `session_id` is None for an API token, `scopes` for a session."""

    user_id: int
    public_id: str
    email: str
    name: str
    is_admin: bool
    session_id: int | None = None
    last_seen_at: datetime | None = None
    scopes: Scope | None = None


class Refused(Exception):
    """A use case says no for a reason that the person may read. The text is a sentence for people."""


class Conflict(Refused):
    """It is there already, or no longer as it was."""


class OverQuota(Refused):
    """The person's quota would be exceeded."""


class NotReady(Exception):
    """There are no variants of this picture yet, or there never will be."""


def pair_up(media_id: int) -> None:
    """Join a picture that is ready, or came to lie elsewhere, with what belongs to it.

    In a transaction of its own, after the one that changed it: of two at the same moment the later one sees both.
    """
    found = pairing.candidates(db.session(), media_id)
    db.session.rollback()
    if not found:
        return
    with transaction() as session:
        for main, part in pairing.pair(session, media_id):
            said = {"part": part.public_id, "kind": str(part.part)}
            audit.record(session, "media.pair", actor_id=None, subject=main.public_id, **said)
