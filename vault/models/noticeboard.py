"""Notices as rows: put up inside the deed that they tell of, and never without it. Floor 1."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.models.account import User
from vault.models.history import Notice


def tell(session: Session, user_id: int, kind: str, *, by: int | None, **detail: Any) -> None:
    """Put up a notice for somebody of what was done by another, or by the vault itself.

    Details are JSON values, never a secret.
    """
    name = session.scalar(sa.select(User.name).where(User.id == by))
    session.add(Notice(user_id=user_id, kind=kind, detail={"by": name, **detail}))
