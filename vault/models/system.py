"""What the vault remembers of itself: the events. Floor 1."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.models.account import User


class Event(Base):
    """Something that happened, written in the deed's own transaction and never changed.

    `actor` keeps the name of then.
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

    __table_args__ = (Index(None, action, id), Index(None, actor_id, id))
