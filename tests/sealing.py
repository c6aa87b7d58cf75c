"""Writes events as the vault does, and reads where they stand."""

import sqlalchemy as sa

from tests.factories import Person
from vault import audit
from vault.db import db, transaction
from vault.models.system import Event


def write(count: int, actor: Person | None = None) -> None:
    """Record events, some of them several in a transaction."""
    for number in range(count):
        with transaction() as session:
            for part in range(1 + number % 2):
                audit.record(
                    session,
                    f"thing.deed{number}",
                    actor_id=actor.id if actor else None,
                    subject=f"subject {number}",
                    part=part,
                    title="Sommer am See – »früh«\0",
                    share=0.1 * number,
                    nothing=None,
                )


def places() -> list[tuple[int | None, int]]:
    """Return place and id of every event."""
    db.session.rollback()
    return [(seq, event_id) for seq, event_id in db.session.execute(sa.select(Event.seq, Event.id).order_by(Event.id))]
