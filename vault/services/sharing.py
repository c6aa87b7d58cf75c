"""Sharing: grants to people and signed links for whoever holds them.

Floor 3. A revocation is true for every worker from the moment its transaction ends, because every byte asks the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import db, transaction, utcnow
from vault.models import cursor as cursors
from vault.models import membership
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.media import Album, AlbumFacts, AlbumReach
from vault.models.sharing import GRANTABLE, LINK_PURPOSE, LINKABLE, Grant, Link, LinkFacts, Role
from vault.policy import PUBLIC_ID, Action, Denied, Permit, Viewer, authorize, role_on, rule, visible
from vault.services import Refused, Vault
from vault.terms import last_day


@dataclass(frozen=True)
class LinkCard:
    """A link as lists show it. `state` is "live", "ended", or "dormant": its creator may not share the album now."""

    link: Link
    album: Album
    creator_name: str
    state: str
    url: str


def grant(permit: Permit[AlbumFacts], *, user_id: str, role: Role, expires_at: datetime | None) -> Grant:
    """Give a person a role on an album, or change it. The permit is for MANAGE.

    Raises Denied for an unknown person; Refused for the owner, oneself, a role beyond one's own, or an end in the past.
    """
    _check_end(expires_at)
    if role not in GRANTABLE:
        raise Refused("This role cannot be given.")
    with transaction() as session:
        album = _managed(session, permit)
        person = _person(session, user_id)
        if person is None or person.disabled_at is not None:
            raise Denied
        if person.id == album.owner_id:
            raise Refused("The owner has every right on the album already.")
        own = role_on(permit.viewer, album.id)
        if person.id == permit.viewer.user_id or own is None or role > own:
            raise Refused("You cannot change your own role, or give a higher one than yours.")
        _check_lasting(session, permit.viewer, album, expires_at)
        row = session.get(Grant, (album.id, person.id))
        if row is None:
            row = Grant(album_id=album.id, user_id=person.id, role=role, granted_by_id=permit.viewer.user_id)
            session.add(row)
        row.role, row.expires_at, row.granted_by_id = int(role), expires_at, permit.viewer.user_id
        by, ends = permit.viewer.user_id, expires_at and expires_at.isoformat()
        terms: dict[str, Any] = {"person": person.email, "role": role.label, "ends": ends}
        audit.record(session, "grant.set", actor_id=by, subject=album.public_id, **terms)
        return row


def grant_by_email(permit: Permit[AlbumFacts], *, email: str, role: Role, expires_at: datetime | None) -> Grant:
    """Give a role to the person with this e-mail address. Raises Refused when there is nobody, and as `grant`."""
    found = sa.select(User.public_id).where(User.email == email.strip().lower()[:254].replace("\0", ""))
    user_id = db.session.scalar(found.where(User.disabled_at.is_(None)))
    if user_id is None:
        raise Refused("Nobody with this e-mail address has an account here. An administrator can invite them.")
    return grant(permit, user_id=user_id, role=role, expires_at=expires_at)


def revoke_grant(permit: Permit[AlbumFacts], user_id: str) -> bool:
    """Take a person's grant on an album away; False when there is none. The permit is for MANAGE. Raises Denied."""
    with transaction() as session:
        album = _managed(session, permit)
        return _revoke_grant(session, album, user_id, permit.viewer.user_id)


def leave(viewer: Viewer, album_id: str) -> bool:
    """Give up one's own grant on an album; False when there is none. Raises Denied."""
    with transaction() as session:
        album = session.get_one(Album, authorize(viewer, Action.VIEW, Album, album_id).row.id)
        mine = session.scalar(sa.select(User.public_id).where(User.id == viewer.user_id))
        return _revoke_grant(session, album, mine or "", viewer.user_id)


def revoke_grant_as_administrator(actor_id: int, album_id: str, user_id: str) -> bool:
    """Take a grant away as whoever runs the vault; False when there is none. Shows nothing of the album."""
    if not PUBLIC_ID.fullmatch(album_id):
        return False
    with transaction() as session:
        album = session.scalar(sa.select(Album).where(Album.public_id == album_id))
        return album is not None and _revoke_grant(session, album, user_id, actor_id)


def create_link(permit: Permit[AlbumFacts], *, label: str, role: Role, expires_at: datetime | None) -> Link:
    """Make a link to an album. The permit is for MANAGE. Raises Denied, Refused."""
    _check_link(role, expires_at)
    with transaction() as session:
        album = _managed(session, permit)
        by = permit.viewer.user_id
        link = Link(album_id=album.id, creator_id=by, label=_label(label), role=int(role), expires_at=expires_at)
        session.add(link)
        session.flush()
        audit.record(
            session, "link.create", actor_id=by, subject=link.public_id, album=album.public_id, label=link.label
        )
        return link


def change_link(
    permit: Permit[LinkFacts],
    *,
    label: str | None,
    role: Role | None,
    expires_at: datetime | None,
    keep_end: bool = False,
) -> Link:
    """Change a link's terms; None leaves label and role, `keep_end` the end.

    The permit is for MANAGE. Raises Denied, Refused.
    """
    _check_link(role, expires_at)
    with transaction() as session:
        link = _managed_link(session, permit)
        link.label = link.label if label is None else _label(label)
        link.role = link.role if role is None else int(role)
        link.expires_at = link.expires_at if keep_end else expires_at
        audit.record(session, "link.change", actor_id=permit.viewer.user_id, subject=link.public_id, label=link.label)
        return link


def rotate_link(permit: Permit[LinkFacts]) -> Link:
    """Give a link a new address; the old one is dead at once. The permit is for MANAGE. Raises Denied."""
    with transaction() as session:
        link = _managed_link(session, permit)
        link.generation += 1
        audit.record(session, "link.rotate", actor_id=permit.viewer.user_id, subject=link.public_id)
        return link


def revoke_link(permit: Permit[LinkFacts]) -> None:
    """End a link for good. The permit is for DELETE. Raises Denied."""
    with transaction() as session:
        found = authorize(permit.viewer, Action.DELETE, Link, permit.row.public_id).row.id
        _revoke_link(session, session.get_one(Link, found), permit.viewer.user_id)


def revoke_link_as_administrator(actor_id: int, link_id: str) -> bool:
    """End a link as whoever runs the vault; False when there is none. Shows nothing of the album."""
    if not PUBLIC_ID.fullmatch(link_id):
        return False
    with transaction() as session:
        link = session.scalar(sa.select(Link).where(Link.public_id == link_id, Link.revoked_at.is_(None)))
        if link is not None:
            _revoke_link(session, link, actor_id)
        return link is not None


def link_address(vault: Vault, link: Link) -> str:
    """Return a link's present address, the same whenever it is asked for."""
    token = vault.signer.token(LINK_PURPOSE, link.public_id, link.generation)
    return f"{vault.settings.origin}/l/{token}"


def links_of_album(vault: Vault, permit: Permit[AlbumFacts]) -> list[LinkCard]:
    """Return the links on an album that are not revoked. The permit is for MANAGE."""
    return link_cards(vault, _on_album(permit))


def page_of_album(vault: Vault, permit: Permit[AlbumFacts], *, limit: int, cursor: str | None) -> Page[LinkCard]:
    """Return a page of the same, the newest first."""
    return _card_page(vault, _on_album(permit), limit, cursor)


def links_of(vault: Vault, viewer: Viewer) -> list[LinkCard]:
    """Return every link that the viewer made, or that opens an album of his."""
    return link_cards(vault, _mine(viewer))


def page_of(vault: Vault, viewer: Viewer, *, limit: int, cursor: str | None) -> Page[LinkCard]:
    """Return a page of the same, the newest first."""
    return _card_page(vault, _mine(viewer), limit, cursor)


def link_card(vault: Vault, link_id: int) -> LinkCard:
    """Return one link as lists show it, by the id of a row that the caller has a permit for."""
    return link_cards(vault, sa.select(Link).where(Link.id == link_id))[0]


def link_cards(vault: Vault, links: sa.Select[Link]) -> list[LinkCard]:
    """Return links as lists show them, the newest first."""
    newest = _joined(links).order_by(Link.created_at.desc(), Link.id.desc())
    return _cards(vault, db.session.execute(newest).all())


def _on_album(permit: Permit[AlbumFacts]) -> sa.Select[Link]:
    return visible(permit.viewer, Action.MANAGE, Link).where(Link.album_id == permit.row.id)


def _mine(viewer: Viewer) -> sa.Select[Link]:
    own = sa.select(Album.id).where(Album.owner_id == viewer.user_id)
    made = Link.creator_id == viewer.user_id
    return visible(viewer, Action.VIEW, Link).where(sa.or_(made, Link.album_id.in_(own)))


def _joined(links: sa.Select[Link]) -> sa.Select[Any]:
    return (
        links.add_columns(Album, User.name)
        .join(Album, Album.id == Link.album_id)
        .join(User, Link.creator_id == User.id)
    )


def _card_page(vault: Vault, links: sa.Select[Link], limit: int, cursor: str | None) -> Page[LinkCard]:
    found = cursors.newest_first(_joined(links), Link.created_at, Link.public_id, limit=limit, cursor=cursor)
    return Page(_cards(vault, found.items), found.next_cursor)


def _cards(vault: Vault, rows: Sequence[Any]) -> list[LinkCard]:
    """Return cards; which links are live, the rule itself says in one statement."""
    holder = Viewer(link_id=Link.public_id, generation=Link.generation)
    opens = sa.select(Link.id).join(Album, Album.id == Link.album_id).where(rule(Album, holder, Action.VIEW))
    live = set(db.session.scalars(opens.where(Link.id.in_([link.id for link, _, _ in rows]))))
    return [
        LinkCard(link, album, name, "live" if link.id in live else _why_dead(link), link_address(vault, link))
        for link, album, name in rows
    ]


def _why_dead(link: Link) -> str:
    return "ended" if link.revoked_at or (link.expires_at and link.expires_at <= utcnow()) else "dormant"


def _managed(session: Session, permit: Permit[AlbumFacts]) -> Album:
    """Ask again inside the transaction: the right may have ended since the request came in."""
    membership.hold_tree(session, permit.row.public_id)
    return session.get_one(Album, authorize(permit.viewer, Action.MANAGE, Album, permit.row.public_id).row.id)


def _check_lasting(session: Session, giver: Viewer, album: Album, expires_at: datetime | None) -> None:
    """Refuse a grant that would outlive the giver's own right: through a friend it would lengthen his own."""
    if album.owner_id == giver.user_id:
        return
    own = sa.select(Grant.expires_at).join(AlbumReach, AlbumReach.source_id == Grant.album_id)
    manages = (AlbumReach.album_id == album.id, Grant.user_id == giver.user_id, Grant.role >= int(Role.MANAGER))
    ends = list(session.scalars(own.where(*manages)))
    longest = None if None in ends else max(end for end in ends if end is not None)
    if longest is not None and (expires_at is None or expires_at > longest):
        raise Refused(f"You manage this album until {last_day(longest)}; what you give cannot last longer.")


def _managed_link(session: Session, permit: Permit[LinkFacts]) -> Link:
    return session.get_one(Link, authorize(permit.viewer, Action.MANAGE, Link, permit.row.public_id).row.id)


def _person(session: Session, user_id: str) -> User | None:
    """Return a person by public id; None for what is no id, which PostgreSQL would not even compare."""
    named = sa.select(User).where(User.public_id == user_id)
    return session.scalar(named) if PUBLIC_ID.fullmatch(user_id) else None


def _revoke_grant(session: Session, album: Album, user_id: str, actor_id: int) -> bool:
    person = _person(session, user_id)
    row = session.get(Grant, (album.id, person.id)) if person else None
    if row is None or person is None:
        return False
    session.delete(row)
    audit.record(session, "grant.revoke", actor_id=actor_id, subject=album.public_id, person=person.email)
    return True


def _revoke_link(session: Session, link: Link, actor_id: int) -> None:
    link.revoked_at = utcnow()
    audit.record(session, "link.revoke", actor_id=actor_id, subject=link.public_id, label=link.label)


def _check_end(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= utcnow():
        raise Refused("The end lies in the past.")


def _check_link(role: Role | None, expires_at: datetime | None) -> None:
    _check_end(expires_at)
    if role is not None and role not in LINKABLE:
        raise Refused("A link can show pictures, or let them be downloaded.")


def _label(text: str) -> str:
    label = "".join(character for character in text if character.isprintable()).strip()[:200]
    if not label:
        raise Refused("A link needs a label, for example the name of the person it is for.")
    return label
