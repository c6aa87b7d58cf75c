"""Visiting by a link: from the address, through the door, to a stay of one's own.

Floor 3. A visitor is a viewer of his own and never becomes whoever made the link. The address is exchanged for a
ticket, the ticket for a row: the row is what is asked for with every picture, and the limit of visits is counted where
it is made (docs/adr/0011-visits-are-rows.md).
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import INCIDENTAL_PATIENCE_SECONDS, db, incidental, transaction, utcnow
from vault.models.account import User
from vault.models.history import Visit
from vault.models.media import Album, AlbumFacts, Media
from vault.models.sharing import LINK_PURPOSE, Link, LinkFacts, LinkMedia, Scope
from vault.policy import PUBLIC_ID, Action, Credential, Denied, Permit, Viewer, authorize
from vault.services import Vault
from vault.signing import digest, new_public_id

STAY = timedelta(hours=24)
_refusals = audit.Bounded(most=20, seconds=3600)


class MadeUp(Denied):
    """The token is none of ours, so there is nothing to look up and nobody's refusal to remember: it costs no query."""


class Locked(Exception):
    """The link wants its password first."""


class WrongPassword(Exception):
    """The password is not right."""


@dataclass(frozen=True)
class Entered:
    """A visitor who is in. `ticket` is new when the browser is to keep another one than it brought."""

    permit: Permit[LinkFacts]
    ticket: str | None


def holder(vault: Vault, token: str) -> Viewer:
    """Return whom a link's token stands for, without a query. Raises MadeUp for a token that we did not make."""
    found = vault.signer.parse(LINK_PURPOSE, token)
    if found is None:
        raise MadeUp
    return Viewer(link_id=found[0], generation=found[1])


def token(vault: Vault, viewer: Viewer) -> str:
    """Return the token in the address by which a visitor came."""
    return vault.signer.token(LINK_PURPOSE, viewer.link_id, viewer.generation)


def knock(viewer: Viewer) -> Permit[LinkFacts]:
    """Return the permit of whoever holds a link to come in. Raises Denied when the link is dead."""
    try:
        return authorize(viewer, Action.VISIT, Link, viewer.link_id)
    except Denied:
        remember_refusal(viewer.link_id, "the link is closed")
        raise


def new_ticket(vault: Vault, viewer: Viewer) -> str:
    """Return a secret with which its bearer, and nobody else, may become a visitor of this link's present address."""
    return vault.signer.token(_purpose(viewer.link_id), new_public_id(), viewer.generation)


def is_inside(link_id: str, ticket: str) -> bool:
    """Whether a ticket belongs to a visitor whose stay goes on."""
    try:
        authorize(Credential(digest(ticket), link_id=link_id), Action.VISIT, Link, link_id)
    except Denied:
        return False
    return True


def enter(vault: Vault, link_id: str, ticket: str, *, user_agent: str) -> Entered:
    """Let somebody in who brought a ticket: at once when he is in already, else as a new visitor.

    Raises Locked when the password is to be asked for, Denied.
    """
    try:
        return Entered(authorize(Credential(digest(ticket), link_id=link_id), Action.VISIT, Link, link_id), None)
    except Denied:
        viewer = bearer(vault, link_id, ticket)
    if is_locked(knock(viewer)):
        raise Locked
    return _admit(vault, viewer, ticket, user_agent=user_agent, password_hash=None)


def unlock(vault: Vault, link_id: str, ticket: str, password: str, *, user_agent: str) -> Entered:
    """Let somebody in who knows the password, as a new visitor with a new ticket; who is inside already stays so.

    The caller has counted the try. Raises WrongPassword, Denied, TooBusy.
    """
    viewer = bearer(vault, link_id, ticket)
    with suppress(Denied):  # from a second window, which still shows the lock
        return Entered(authorize(Credential(digest(ticket), link_id=link_id), Action.VISIT, Link, link_id), None)
    permit = knock(viewer)
    kept = db.session.scalar(sa.select(Link.password_hash).where(Link.id == permit.row.id))
    if not vault.passwords.matches(kept, password):
        remember_refusal(link_id, "wrong password")
        raise WrongPassword
    return _admit(vault, viewer, new_ticket(vault, viewer), user_agent=user_agent, password_hash=kept)


def bearer(vault: Vault, link_id: str, ticket: str) -> Viewer:
    """Return whom a ticket of this link stands for, without a query. Raises MadeUp for one that we did not make."""
    found = vault.signer.parse(_purpose(link_id), ticket) if PUBLIC_ID.fullmatch(link_id) else None
    if found is None:
        raise MadeUp
    return Viewer(link_id=link_id, generation=found[1])


def is_locked(permit: Permit[LinkFacts]) -> bool:
    """Whether a link has a password."""
    return db.session.scalar(sa.select(Link.password_hash).where(Link.id == permit.row.id)) is not None


def root(permit: Permit[LinkFacts]) -> Permit[AlbumFacts]:
    """Return the permit to look through the album that a link opens. Raises Denied where it opens none."""
    return authorize(permit.viewer, Action.VIEW, Album, album_id(permit))


def adding(permit: Permit[LinkFacts]) -> Permit[AlbumFacts]:
    """Return the permit to add pictures by a link. Raises Denied where it takes none."""
    return authorize(permit.viewer, Action.ADD, Album, album_id(permit))


def sharer(link_id: str) -> str:
    """Return the name of whoever made a link, for its visitors; "" without one."""
    named = sa.select(User.name).join(Link, Link.creator_id == User.id).where(Link.public_id == link_id)
    return db.session.scalar(named) or ""


def is_selection(permit: Permit[LinkFacts]) -> bool:
    """Whether a link opens pictures that were picked by hand."""
    return permit.row.scope == Scope.SELECTION


def picked(permit: Permit[LinkFacts]) -> sa.Select[Media]:
    """Return the selection of a link's picked pictures in their order, to be narrowed to the visible ones."""
    chosen = sa.select(Media).join(LinkMedia, LinkMedia.media_id == Media.id)
    return chosen.where(LinkMedia.link_id == permit.row.id).order_by(LinkMedia.position)


def album_id(permit: Permit[LinkFacts]) -> str:
    """Return the public id of the album that a link is about; "" without one."""
    named = sa.select(Album.public_id).where(Album.id == permit.row.album_id)
    return (db.session.scalar(named) if permit.row.album_id is not None else None) or ""


def remember_refusal(link_id: str, why: str) -> None:
    """Write down that somebody did not get in, a few times an hour for each link and network."""
    if not PUBLIC_ID.fullmatch(link_id) or not _refusals.admits(f"{link_id} {audit.network()}"):
        return
    with incidental("link.refused"), transaction(patience_seconds=INCIDENTAL_PATIENCE_SECONDS) as session:
        if session.scalar(sa.select(Link.id).where(Link.public_id == link_id)) is not None:
            audit.record(session, "link.refused", actor_id=None, by="a visitor", subject=link_id, why=why)


def _admit(vault: Vault, viewer: Viewer, ticket: str, *, user_agent: str, password_hash: str | None) -> Entered:
    """Make the visitor's row and count him, in one transaction that holds the link's: the limit is exact."""
    try:
        with transaction() as session:
            _hold(session, viewer.link_id)
            known = session.scalar(sa.select(Visit.digest).where(Visit.digest == digest(ticket)))
            if known is None:
                _count(session, viewer, password_hash)
                session.add(_new_visit(vault, session, viewer, ticket, user_agent))
    except Denied:
        remember_refusal(viewer.link_id, "no visits left, or the link was just closed")
        raise
    credential = Credential(digest(ticket), link_id=viewer.link_id)
    try:
        return Entered(authorize(credential, Action.VISIT, Link, viewer.link_id), ticket)
    except Denied:
        if known is None:
            raise
    # His stay is over, and the ticket with it; he may begin another.
    return _admit(vault, viewer, new_ticket(vault, viewer), user_agent=user_agent, password_hash=password_hash)


def _hold(session: Session, link_id: str) -> None:
    session.execute(sa.select(Link.id).where(Link.public_id == link_id).with_for_update())


def _count(session: Session, viewer: Viewer, password_hash: str | None) -> None:
    permit = authorize(viewer, Action.VISIT, Link, viewer.link_id)
    room = sa.or_(Link.max_visits.is_(None), Link.visit_count < Link.max_visits)
    unlocked = Link.password_hash.is_(None) if password_hash is None else Link.password_hash == password_hash
    counting = sa.update(Link).where(Link.id == permit.row.id, room, unlocked)
    if not session.execute(counting.values(visit_count=Link.visit_count + 1)).rowcount:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        raise Denied


def _new_visit(vault: Vault, session: Session, viewer: Viewer, ticket: str, user_agent: str) -> Visit:
    link_id = session.execute(sa.select(Link.id).where(Link.public_id == viewer.link_id)).scalar_one()
    return Visit(
        digest=digest(ticket),
        link_id=link_id,
        generation=viewer.generation,
        expires_at=utcnow() + STAY,
        address=audit.remembered(vault.settings.history_addresses),
        user_agent="".join(each for each in user_agent if each.isprintable())[:200],
    )


def _purpose(link_id: str) -> str:
    """Return what the key is for that signs the tickets of one link: those of another fit no other."""
    return f"ticket of {link_id}"
