"""One-time addresses as rows: made, looked at, and used up in the statement that checks them.

Floor 1. Whether somebody may have one, and what it opens, is decided by the use cases.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.db import utcnow
from vault.models.account import OneTimeToken, Purpose
from vault.signing import digest, new_secret


def make(session: Session, purpose: Purpose, user_id: int | None, life: timedelta) -> str:
    """Add one and return its secret, which is kept nowhere."""
    secret = new_secret()
    session.add(OneTimeToken(digest=digest(secret), purpose=purpose, user_id=user_id, expires_at=utcnow() + life))
    return secret


def good(purpose: Purpose, token: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions under which a secret is good: for this purpose, unused, not ended."""
    return (
        OneTimeToken.digest == digest(token),
        OneTimeToken.purpose == purpose,
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > utcnow(),
    )


def use(session: Session, purpose: Purpose, token: str) -> int | None:
    """Use one up and return whose it was, 0 for the setup's; None when it is not good: a second use finds nothing."""
    used = sa.update(OneTimeToken).where(*good(purpose, token)).values(used_at=utcnow())
    row = session.execute(used.returning(OneTimeToken.user_id)).one_or_none()
    return None if row is None else row[0] or 0
