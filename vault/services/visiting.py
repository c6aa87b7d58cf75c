"""Visiting by a link: whom a token stands for, and what the link opens.

Floor 3. A visitor is a viewer of his own and never becomes whoever made the link.
"""

import sqlalchemy as sa

from vault.db import db
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import LINK_PURPOSE, Link
from vault.policy import Action, Denied, Permit, Viewer, authorize
from vault.services import Vault


class MadeUp(Denied):
    """The token is none of ours, so there is nothing to look up and nobody's refusal to remember: it costs no query."""


def visitor(vault: Vault, token: str) -> Viewer:
    """Return whom a link's token stands for, without a query. Raises MadeUp for a token that we did not make."""
    found = vault.signer.parse(LINK_PURPOSE, token)
    if found is None:
        raise MadeUp
    return Viewer(link_id=found[0], generation=found[1])


def opened(viewer: Viewer, action: Action = Action.VIEW) -> Permit[AlbumFacts]:
    """Return the permit for the album that a link opens. Raises Denied when the link is dead."""
    shared = sa.select(Album.public_id).join(Link, Link.album_id == Album.id).where(Link.public_id == viewer.link_id)
    return authorize(viewer, action, Album, db.session.scalar(shared) or "")


def below(viewer: Viewer, album_id: str) -> Permit[AlbumFacts]:
    """Return the permit for an album below the one that a link opens. Raises Denied."""
    return authorize(viewer, Action.VIEW, Album, album_id)


def download(who: Viewer, permit: Permit[AlbumFacts]) -> bool:
    """Whether originals may be taken home from an album."""
    try:
        authorize(who, Action.DOWNLOAD, Album, permit.row.public_id)
    except Denied:
        return False
    return True
