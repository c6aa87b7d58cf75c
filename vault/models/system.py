"""What the vault remembers of itself: the events, and where their chain ends. Floor 1."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.models.account import User


class Event(Base):
    """Something that happened, written in the deed's own transaction and never changed.

    `actor` keeps the name of then. `seq` counts without a gap from 1, and `mac` seals the event and all before it (see
    `vault.chain`); both are empty only in events from before there was a chain, until that takes them in.
    """

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    action: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey(User.id))
    actor: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(80), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    address: Mapped[str] = mapped_column(String(45), default="")

    seq: Mapped[int | None] = mapped_column(BigInteger)
    mac: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index(None, action, id), Index(None, actor_id, id), Index("uq_event_seq", seq, unique=True))


class AuditHead(Base):
    """Where the chain of events ends: the last event's `id`, `seq` and `mac`. One row.

    The chain began at `began_at`, with `adopted` events from before; its first link covers both.
    """

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    event_id: Mapped[int]
    seq: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[str] = mapped_column(String(64))
    began_at: Mapped[datetime]
    adopted: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
