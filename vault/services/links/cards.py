"""Links as lists show them: what they open, whose they are, and what has become of them.

Floor 3. Which links open anything the policy says, in one statement for a whole list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vault.db import db, utcnow
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Link, LinkMedia
from vault.policy import Action, Permit, Viewer, rule, visible
from vault.services import Vault
from vault.services.links import address


@dataclass(frozen=True)
class LinkCard:
    """A link as lists show it.

    `state` is "live"; "waiting" for its first day; "paused"; "used up" when no further visitor is let in; "ended"; or
    "dormant" while its creator may not share what it opens. `album` is None for pictures picked from anywhere;
    `picked` counts the pictures of a selection.
    """

    link: Link
    album: Album | None
    creator_name: str
    state: str
    url: str
    picked: int


def of_album(vault: Vault, permit: Permit[AlbumFacts]) -> list[LinkCard]:
    """Return the links on an album that are not revoked. The permit is for MANAGE."""
    return cards(vault, _on_album(permit))


def page_of_album(vault: Vault, permit: Permit[AlbumFacts], *, limit: int, cursor: str | None) -> Page[LinkCard]:
    """Return a page of the same, the newest first."""
    return _card_page(vault, _on_album(permit), limit, cursor)


def of_person(vault: Vault, viewer: Viewer) -> list[LinkCard]:
    """Return every link that the viewer made, or that opens an album of his."""
    return cards(vault, _mine(viewer))


def page_of_person(vault: Vault, viewer: Viewer, *, limit: int, cursor: str | None) -> Page[LinkCard]:
    """Return a page of the same, the newest first."""
    return _card_page(vault, _mine(viewer), limit, cursor)


def card(vault: Vault, link_id: int) -> LinkCard:
    """Return one link as lists show it, by the id of a row that the caller has a permit for."""
    return cards(vault, sa.select(Link).where(Link.id == link_id))[0]


def cards(vault: Vault, links: sa.Select[Link]) -> list[LinkCard]:
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
    picked = sa.select(sa.func.count()).select_from(LinkMedia).where(LinkMedia.link_id == Link.id)
    return (
        links.add_columns(Album, User.name, picked.correlate(Link).scalar_subquery())
        .outerjoin(Album, Album.id == Link.album_id)
        .join(User, Link.creator_id == User.id)
    )


def _card_page(vault: Vault, links: sa.Select[Link], limit: int, cursor: str | None) -> Page[LinkCard]:
    found = cursors.newest_first(_joined(links), Link.created_at, Link.public_id, limit=limit, cursor=cursor)
    return Page(_cards(vault, found.items), found.next_cursor)


def _cards(vault: Vault, rows: Sequence[Any]) -> list[LinkCard]:
    """Return cards; which links let somebody in, the rule itself says, for some thousands at a time."""
    holder = Viewer(link_id=Link.public_id, generation=Link.generation)
    opens = sa.select(Link.id).where(rule(Link, holder, Action.VISIT))
    ids = [row[0].id for row in rows]
    live = {link_id for some in cursors.parts(ids) for link_id in db.session.scalars(opens.where(Link.id.in_(some)))}
    return [
        LinkCard(link, album, name, _state(link, lets_in=link.id in live), address(vault, link), picked)
        for link, album, name, picked in rows
    ]


def _state(link: Link, *, lets_in: bool) -> str:
    if lets_in:
        used_up = link.max_visits is not None and link.visit_count >= link.max_visits
        return "used up" if used_up else "live"
    if link.revoked_at or (link.expires_at and link.expires_at <= utcnow()):
        return "ended"
    if link.paused_at:
        return "paused"
    return "waiting" if link.starts_at and link.starts_at > utcnow() else "dormant"
