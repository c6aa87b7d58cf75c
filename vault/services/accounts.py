"""People: the first administrator, invitations, forgotten passwords, and what administrators do with accounts.

Floor 3. One-time addresses are kept as digests, bound to one account and one purpose, and used in the same statement
that checks them, so that a second use finds nothing.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import db, transaction, utcnow
from vault.models import membership, noticeboard, onetime
from vault.models.account import ApiToken, LoginSession, OneTimeToken, Purpose, Scope, User
from vault.services import Conflict, Refused, Vault

SETUP_LIFE = timedelta(days=1)
PASSWORD_LIFE = timedelta(days=2)
LONGEST_EMAIL = 254
LONGEST_NAME = 100


class Expired(Refused):
    """The one-time address was used, has ended, or never was one."""


class Nameless(Refused):
    """The name has no letter in it."""


@dataclass(frozen=True)
class Changes:
    """What an administrator may change of a person; None leaves it as it is. `quota_bytes` 0 means no quota."""

    email: str | None = None
    name: str | None = None
    is_admin: bool | None = None
    is_disabled: bool | None = None
    quota_bytes: int | None = None


def is_empty() -> bool:
    """Whether nobody has an account yet."""
    return db.session.scalar(sa.select(User.id).where(User.password_hash.is_not(None)).limit(1)) is None


def get(user_id: int) -> User:
    """Return a person's row."""
    return db.session.get_one(User, user_id)


def open_setup() -> str | None:
    """Make the one-time secret of `/setup/<token>`, and end earlier ones; None once the vault has an administrator."""
    with transaction() as session:
        if not is_empty():
            return None
        session.execute(sa.delete(OneTimeToken).where(OneTimeToken.purpose == Purpose.SETUP))
        return onetime.make(session, Purpose.SETUP, None, SETUP_LIFE)


def set_up(vault: Vault, token: str, *, email: str, name: str, password: str) -> int:
    """Make the first administrator and return his id. Raises Expired, Refused, UnacceptablePassword.

    Who was invited from the command line before takes the account that waits for him.
    """
    email, name = _email(email), _name(name)
    password_hash = vault.passwords.hash(password, about=(email, name))
    with transaction() as session:
        _use(session, Purpose.SETUP, token)
        if not is_empty():
            raise Expired("This vault is set up already.")
        # Nobody has a password yet, so whoever bears this address is only invited.
        person = session.scalar(sa.select(User).where(User.email == email).with_for_update()) or User(email=email)
        person.name, person.password_hash, person.is_admin, person.disabled_at = name, password_hash, True, None
        session.add(person)
        session.flush()
        session.execute(sa.delete(OneTimeToken).where(OneTimeToken.user_id == person.id))
        audit.record(session, "vault.set_up", actor_id=person.id, subject=email)
        return person.id


def holder(token: str, purpose: Purpose) -> User | None:
    """Return whose one-time address this is while it is good; None otherwise."""
    found = sa.select(User).join(OneTimeToken, OneTimeToken.user_id == User.id).where(*onetime.good(purpose, token))
    return db.session.scalar(found.where(User.disabled_at.is_(None)))


def is_setup_token(token: str) -> bool:
    """Whether `/setup/<token>` is good."""
    return db.session.scalar(sa.select(OneTimeToken.id).where(*onetime.good(Purpose.SETUP, token))) is not None


def invite(
    vault: Vault,
    actor_id: int | None,
    *,
    email: str,
    name: str = "",
    is_admin: bool = False,
    quota_bytes: int | None = None,
) -> tuple[User, str]:
    """Make an account without a password; return it and the secret of its one-time `/invite/<token>`.

    Raises Conflict when the e-mail address has an account, Refused when it is not an address.
    """
    email = _email(email)
    quota = quota_bytes if quota_bytes is not None else vault.settings.default_quota_bytes
    with transaction() as session:
        if session.scalar(sa.select(User.id).where(User.email == email)) is not None:
            raise Conflict("Somebody with this e-mail address is here already.")
        person = User(email=email, name=_printable(name), is_admin=is_admin, quota_bytes=quota or None)
        session.add(person)
        session.flush()
        token = onetime.make(session, Purpose.INVITATION, person.id, timedelta(days=vault.settings.invitation_days))
        audit.record(session, "person.invite", actor_id=actor_id, subject=email, is_admin=is_admin)
        return person, token


def create(vault: Vault, *, email: str, name: str, password: str, is_admin: bool) -> User:
    """Make an account with a password at once, for the command line. Raises Conflict, Refused, UnacceptablePassword."""
    email = _email(email)
    password_hash = vault.passwords.hash(password, about=(email, name))
    with transaction() as session:
        if session.scalar(sa.select(User.id).where(User.email == email)) is not None:
            raise Conflict("Somebody with this e-mail address is here already.")
        person = User(email=email, name=_name(name or email.partition("@")[0]), password_hash=password_hash)
        person.is_admin, person.quota_bytes = is_admin, vault.settings.default_quota_bytes or None
        session.add(person)
        session.flush()
        audit.record(session, "person.create", actor_id=None, subject=email, is_admin=is_admin, by="command line")
        return person


def accept_invitation(vault: Vault, token: str, *, name: str, password: str) -> int:
    """Give an invited person name and password; return the id. Raises Expired, UnacceptablePassword."""
    person = _expected(token, Purpose.INVITATION)
    password_hash = vault.passwords.hash(password, about=(person.email, name))
    with transaction() as session:
        user_id = _use(session, Purpose.INVITATION, token)
        session.execute(sa.update(User).where(User.id == user_id).values(name=_name(name), password_hash=password_hash))
        audit.record(session, "person.join", actor_id=user_id, subject=person.email)
        return user_id


def offer_new_password(vault: Vault, actor_id: int | None, user_id: int) -> tuple[Purpose, str]:
    """Make a one-time address for somebody who cannot sign in; earlier ones end. Raises Refused for a disabled person.

    For a person who never accepted the invitation it is a new invitation. The others are told that it was made, and the
    owners of what the account can see are told always: who holds the address could look himself.
    """
    with transaction() as session:
        person = session.get_one(User, user_id)
        if person.disabled_at is not None:
            raise Refused("This account is disabled; enable it first.")
        invited = person.password_hash is None
        purpose = Purpose.INVITATION if invited else Purpose.PASSWORD
        life = timedelta(days=vault.settings.invitation_days) if invited else PASSWORD_LIFE
        session.execute(sa.delete(OneTimeToken).where(OneTimeToken.user_id == user_id))
        token = onetime.make(session, purpose, user_id, life)
        audit.record(session, f"person.{purpose}_address", actor_id=actor_id, subject=person.email)
        noticeboard.tell_of_opening(session, person, purpose, by=actor_id)
        if not invited and actor_id != user_id:
            noticeboard.tell(session, user_id, "password_reset", by=actor_id)
        return purpose, token


def set_new_password(vault: Vault, token: str, *, password: str) -> int:
    """Set a forgotten password anew, end all sessions and tokens; return the id. Raises Expired, UnacceptablePassword.

    Whoever needs this may have lost more than the memory of a password.
    """
    person = _expected(token, Purpose.PASSWORD)
    password_hash = vault.passwords.hash(password, about=(person.email, person.name))
    with transaction() as session:
        user_id = _use(session, Purpose.PASSWORD, token)
        session.execute(sa.update(User).where(User.id == user_id).values(password_hash=password_hash))
        session.execute(sa.delete(LoginSession).where(LoginSession.user_id == user_id))
        session.execute(sa.delete(ApiToken).where(ApiToken.user_id == user_id))
        audit.record(session, "person.password_reset", actor_id=user_id, subject=person.email)
        return user_id


def change_password(vault: Vault, user_id: int, session_id: int | None, *, current: str, new: str) -> None:
    """Change one's own password and end the other sessions. Raises Refused, UnacceptablePassword."""
    person = db.session.get_one(User, user_id)
    if not vault.passwords.matches(person.password_hash, current):
        raise Refused("The current password is not right.")
    known_hash, email = person.password_hash, person.email
    password_hash = vault.passwords.hash(new, about=(email, person.name))
    with transaction() as session:
        # The hash is compared again here, so that of two changes at once only one happens.
        changed = sa.update(User).where(User.id == user_id, User.password_hash == known_hash)
        if not session.execute(changed.values(password_hash=password_hash)).rowcount:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
            raise Refused("The password was changed elsewhere a moment ago.")
        others = sa.delete(LoginSession).where(LoginSession.user_id == user_id)
        session.execute(others.where(LoginSession.id != session_id) if session_id else others)
        session.execute(sa.delete(OneTimeToken).where(OneTimeToken.user_id == user_id))
        audit.record(session, "person.password_change", actor_id=user_id, subject=email)


def rename(user_id: int, name: str) -> None:
    """Change one's own name. Raises Refused for an empty one."""
    with transaction() as session:
        session.get_one(User, user_id).name = _name(name)
        audit.record(session, "person.rename", actor_id=user_id)


def change(actor_id: int, user_id: int, changes: Changes) -> User:
    """Change somebody as an administrator. Sessions end with every change of rights; a disabled person's tokens too.

    Raises Refused when it would leave the vault without an administrator, Conflict for an e-mail address in use.
    """
    with transaction() as session:
        # Two who put each other out at the same moment must see each other, and what the person is giving away at this
        # moment comes before or not at all.
        membership.hold_people(session, sa.or_(User.is_admin, User.id == user_id))
        person = session.get_one(User, user_id)
        rights = (person.is_admin, person.disabled_at is None)
        if changes.email is not None:
            _move(session, person, _email(changes.email))
        if changes.name is not None:
            person.name = _name(changes.name)
        if changes.quota_bytes is not None:
            person.quota_bytes = changes.quota_bytes or None
        if changes.is_admin is not None:
            person.is_admin = changes.is_admin
        if changes.is_disabled is not None:
            person.disabled_at = (person.disabled_at or utcnow()) if changes.is_disabled else None
        session.flush()
        if rights != (person.is_admin, person.disabled_at is None):
            _rights_changed(session, person)
        if person.disabled_at is None and not rights[1]:
            noticeboard.tell_of_opening(session, person, "enabled", by=actor_id)
        said = {name: value for name, value in vars(changes).items() if value is not None}
        audit.record(session, "person.change", actor_id=actor_id, subject=person.email, **said)
        return person


def _move(session: Session, person: User, email: str) -> None:
    """Give a person another address; what was sent to the one before is worth nothing any more."""
    if email == person.email:
        return
    if session.scalar(sa.select(User.id).where(User.email == email)) is not None:
        raise Conflict("Somebody with this e-mail address is here already.")
    person.email = email
    session.execute(sa.delete(OneTimeToken).where(OneTimeToken.user_id == person.id))


def _rights_changed(session: Session, person: User) -> None:
    session.execute(sa.delete(LoginSession).where(LoginSession.user_id == person.id))
    if person.disabled_at is not None:
        session.execute(sa.delete(ApiToken).where(ApiToken.user_id == person.id))
        session.execute(sa.delete(OneTimeToken).where(OneTimeToken.user_id == person.id))
    if not person.is_admin:
        # Taken out of the tokens too: else they would be mighty again with the next promotion.
        without = ApiToken.scopes.bitwise_and(~int(Scope.ADMIN))
        session.execute(sa.update(ApiToken).where(ApiToken.user_id == person.id).values(scopes=without))
    able = (User.is_admin, User.disabled_at.is_(None), User.password_hash.is_not(None))
    if session.scalar(sa.select(User.id).where(*able).limit(1)) is None:
        raise Refused("The vault needs at least one administrator who can sign in.")


def _expected(token: str, purpose: Purpose) -> User:
    person = holder(token, purpose)
    if person is None:
        raise Expired("This address was used already or has ended. Ask for a new one.")
    return person


def _use(session: Session, purpose: Purpose, token: str) -> int:
    """Use a one-time address up; return whose it was (0 for setup). Raises Expired."""
    user_id = onetime.use(session, purpose, token)
    if user_id is None:
        raise Expired("This address was used already or has ended. Ask for a new one.")
    return user_id


def _email(text: str) -> str:
    """Return an address in the one spelling that is compared. Not a proof: the invitation goes there."""
    email = text.strip().lower()
    local, _, domain = email.rpartition("@")
    odd = any(character.isspace() or not character.isprintable() for character in email)
    if not local or not domain or odd or len(email) > LONGEST_EMAIL:
        raise Refused("That is not an e-mail address.")
    return email


def _name(text: str) -> str:
    name = _printable(text)
    if not name:
        raise Nameless("Please say a name.")
    return name


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable()).strip()[:LONGEST_NAME]
