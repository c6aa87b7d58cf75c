"""API tokens: made by a person for a script, shown once, kept as a digest.

Floor 3.
"""

from datetime import timedelta

import sqlalchemy as sa

from vault import audit
from vault.db import INCIDENTAL_PATIENCE_SECONDS, db, incidental, transaction, utcnow
from vault.models.account import ApiToken, Scope, User
from vault.policy import Denied
from vault.services import Person, Refused
from vault.signing import digest, new_secret

PREFIX = "vlt_"
LONGEST_NAME = 100
USED_EVERY = timedelta(minutes=5)


def create(user_id: int, *, name: str, scopes: Scope, expires_in_days: int | None, actor: str = "") -> str:
    """Make a token and return it, for the only time.

    Raises Refused without a name, a scope, or the right to one, Denied for a person who was disabled meanwhile.
    """
    name = "".join(character for character in name if character.isprintable()).strip()[:LONGEST_NAME]
    if not name or not scopes:
        raise Refused("A token needs a name and at least one scope.")
    if expires_in_days is not None and not 1 <= expires_in_days <= 3650:
        raise Refused("A token lives between one day and ten years.")
    secret = PREFIX + new_secret()
    with transaction() as session:
        # Held until the commit: whoever takes rights away at this moment sees the token, or is seen here.
        held = sa.select(User).where(User.id == user_id).with_for_update(key_share=True)
        person = session.scalars(held.execution_options(populate_existing=True)).one()
        if person.disabled_at is not None:
            raise Denied
        if Scope.ADMIN in scopes and not person.is_admin:
            raise Refused("Only an administrator's token can have the scope admin.")
        ends = utcnow() + timedelta(days=expires_in_days) if expires_in_days else None
        row = ApiToken(digest=digest(secret), user_id=user_id, name=name, scopes=int(scopes), expires_at=ends)
        session.add(row)
        made_by = {"by": actor} if actor else {}
        audit.record(
            session, "token.create", actor_id=None if actor else user_id, subject=person.email, name=row.name, **made_by
        )
    return secret


def person_of(token: str) -> Person | None:
    """Return who a token stands for while it lives, with what it may be used for."""
    unended = sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > utcnow())
    row = db.session.execute(
        sa.select(
            *(User.id, User.public_id, User.email, User.name, User.is_admin),
            *(ApiToken.id, ApiToken.scopes, ApiToken.last_used_at),
        )
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(
            ApiToken.digest == digest(token),
            unended,
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    user_id, public_id, email, name, is_admin, token_id, scopes, used_at = row
    if used_at is None or utcnow() - used_at > USED_EVERY:
        with incidental("last_used_at"), transaction(patience_seconds=INCIDENTAL_PATIENCE_SECONDS) as session:
            session.execute(sa.update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=utcnow()))
    return Person(user_id, public_id, email, name, is_admin, scopes=Scope(scopes))


def of_person(user_id: int) -> list[ApiToken]:
    """Return a person's tokens, the newest first; the ended ones too, until they are removed."""
    return list(db.session.scalars(sa.select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id.desc())))


def revoke(user_id: int, token_public_id: str) -> bool:
    """Remove one of a person's own tokens; False when there is none of that id."""
    own = sa.delete(ApiToken).where(ApiToken.user_id == user_id, ApiToken.public_id == token_public_id)
    with transaction() as session:
        name = session.scalar(own.returning(ApiToken.name))
        if name is not None:
            audit.record(session, "token.revoke", actor_id=user_id, name=name)
        return name is not None
