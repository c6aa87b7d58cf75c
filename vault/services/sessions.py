"""Signing in and out: sessions as rows, and how often somebody may try.

Floor 3. The cookie carries a random id whose digest is the row's; deleting the row ends the session on every worker
with the next request. Throttling counts rows too, so it holds across workers and restarts
(docs/adr/0004-sessions-are-rows.md).
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import INCIDENTAL_PATIENCE_SECONDS, db, incidental, transaction, utcnow
from vault.models.account import LoginSession, SignInAttempt, User
from vault.services import Person, Refused, Vault
from vault.signing import digest, new_secret

UNREMEMBERED_LIFE = timedelta(hours=24)
SEEN_EVERY = timedelta(minutes=5)
# Five tries, then a minute's wait, and twice as long after every five more, up to an hour.
TRIES_PER_ACCOUNT_AND_ADDRESS = 5
TRIES_PER_ADDRESS = 20
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
REMEMBERED_FOR = timedelta(days=1)


class BadCredentials(Refused):
    """E-mail address and password do not belong together; which of them is wrong is nobody's business."""


class Throttled(Refused):
    """Too many tries; the next one is welcome after `retry_after_seconds`."""

    def __init__(self, wait: timedelta) -> None:
        self.retry_after_seconds = max(1, int(wait.total_seconds()))
        super().__init__("Too many tries. Please wait a little and try again.")


def sign_in(vault: Vault, *, email: str, password: str, remember: bool, user_agent: str) -> tuple[str, datetime]:
    """Open a session; return its secret, for the cookie, and its end. Raises BadCredentials, Throttled, TooBusy."""
    email = email.strip().lower()
    attempt = begin_attempt(email)
    person = (
        db.session.execute(
            sa.select(User.id, User.password_hash).where(User.email == email[:254], User.disabled_at.is_(None))
        ).one_or_none()
        if "\0" not in email
        else None
    )
    known_hash = person.password_hash if person else None
    if not vault.passwords.matches(known_hash, password) or person is None or known_hash is None:
        with transaction() as session:
            audit.record(session, "session.refused", actor_id=None, by=_shown(email))
        raise BadCredentials("E-mail address or password is not right.")
    renewed = vault.passwords.hash(password) if vault.passwords.is_outdated(known_hash) else known_hash
    with transaction() as session:
        _forget(session, email, attempt)
        # The hash is looked at again where the session is made: a password changed meanwhile opens nothing.
        still = sa.update(User).where(
            User.id == person.id, User.password_hash == known_hash, User.disabled_at.is_(None)
        )
        if not session.execute(still.values(password_hash=renewed)).rowcount:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
            raise BadCredentials("E-mail address or password is not right.")
        return _open(vault, session, person.id, remember=remember, user_agent=user_agent)


def begin_attempt(email: str) -> int:
    """Count a try to prove that one is the person of this address, before it is looked at. Raises Throttled.

    Counted first, so that tries at the same moment count each other. The number is for `forget_attempts`.
    """
    with transaction() as session:
        _one_at_a_time(session)
        _wait(session, _same(email), TRIES_PER_ACCOUNT_AND_ADDRESS)
        _wait(session, (SignInAttempt.address == audit.network(),), TRIES_PER_ADDRESS)
        attempt = SignInAttempt(account=digest(email), address=audit.network())
        session.add(attempt)
        session.flush()
        return attempt.id


def forget_attempts(email: str, attempt: int) -> None:
    """Begin the count anew after a try that was right; what came in after it still counts."""
    with transaction() as session:
        _forget(session, email, attempt)


def open_for(vault: Vault, user_id: int, *, user_agent: str) -> tuple[str, datetime]:
    """Open a session for somebody who just proved himself by a one-time address."""
    with transaction() as session:
        return _open(vault, session, user_id, remember=False, user_agent=user_agent)


def person_of(secret: str) -> Person | None:
    """Return who a session's secret stands for, while it lives.

    One query, and rarely a write of when it was seen last.
    """
    columns = (
        User.id,
        User.public_id,
        User.email,
        User.name,
        User.is_admin,
        LoginSession.id,
        LoginSession.last_seen_at,
    )
    row = db.session.execute(
        sa.select(*columns)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(LoginSession.digest == digest(secret), LoginSession.expires_at > utcnow(), User.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    person = Person(*row)
    if person.last_seen_at is None or utcnow() - person.last_seen_at > SEEN_EVERY:
        with incidental("last_seen_at"), transaction(patience_seconds=INCIDENTAL_PATIENCE_SECONDS) as session:
            # An update and no insert: a request under way cannot revive a session that was ended.
            seen = sa.update(LoginSession).where(LoginSession.id == person.session_id)
            session.execute(seen.values(last_seen_at=utcnow()))
    return person


def of_person(user_id: int) -> list[LoginSession]:
    """Return a person's living sessions, the latest used first."""
    live = sa.select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.expires_at > utcnow())
    return list(db.session.scalars(live.order_by(LoginSession.last_seen_at.desc())))


def end(user_id: int, session_public_id: str) -> bool:
    """End one of a person's own sessions; False when there is none of that id."""
    own = sa.delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.public_id == session_public_id)
    with transaction() as session:
        ended = bool(session.execute(own).rowcount)  # type: ignore[attr-defined]  # a DELETE answers with a CursorResult
        if ended:
            audit.record(session, "session.end", actor_id=user_id)
        return ended


def sign_out(secret: str) -> None:
    """End the session of a secret, if it lives."""
    with transaction() as session:
        user_id = session.scalar(
            sa.delete(LoginSession).where(LoginSession.digest == digest(secret)).returning(LoginSession.user_id)
        )
        if user_id is not None:
            audit.record(session, "session.sign_out", actor_id=user_id)


def end_all(actor_id: int, user_id: int, *, but: int | None = None) -> int:
    """End all sessions of a person, but for one; return how many."""
    ending = sa.delete(LoginSession).where(LoginSession.user_id == user_id)
    with transaction() as session:
        email = session.get_one(User, user_id).email
        count: int = session.execute(ending.where(LoginSession.id != but) if but else ending).rowcount  # type: ignore[attr-defined]  # a DELETE answers with a CursorResult
        audit.record(session, "session.end_all", actor_id=actor_id, subject=email, ended=count)
        return count


def _open(vault: Vault, session: Session, user_id: int, *, remember: bool, user_agent: str) -> tuple[str, datetime]:
    secret = new_secret()
    life = timedelta(days=vault.settings.session_days) if remember else UNREMEMBERED_LIFE
    row = LoginSession(
        digest=digest(secret),
        user_id=user_id,
        expires_at=utcnow() + life,
        user_agent=user_agent[:200],
        address=audit.address.get()[:45],
    )
    session.add(row)
    audit.record(session, "session.sign_in", actor_id=user_id)
    return secret, row.expires_at


def _one_at_a_time(session: Session) -> None:
    """Let tries from one address be counted one after the other; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        key = int(digest(audit.network())[:15], 16)
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _forget(session: Session, email: str, attempt: int) -> None:
    session.execute(sa.delete(SignInAttempt).where(SignInAttempt.id <= attempt, *_same(email)))


def _wait(session: Session, same: tuple[sa.ColumnElement[bool], ...], free: int) -> None:
    counted = sa.select(sa.func.count(), sa.func.max(SignInAttempt.at)).where(*same)
    failures, last = session.execute(counted.where(SignInAttempt.at > utcnow() - REMEMBERED_FOR)).one()
    if failures < free:
        return
    wait = min(FIRST_WAIT * 2 ** min((failures - free) // free, 10), LONGEST_WAIT)
    left = last + wait - utcnow()
    if left > timedelta(0):
        raise Throttled(left)


def _same(email: str) -> tuple[sa.ColumnElement[bool], ...]:
    return SignInAttempt.account == digest(email), SignInAttempt.address == audit.network()


def _shown(email: str) -> str:
    """Return what was typed as an e-mail address if it looks like one: people type passwords there."""
    return email[:254] if "@" in email and email.isprintable() else "somebody"
