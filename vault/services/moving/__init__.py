"""Moving an album in its tree, and letting it inherit or not: first who gains and who loses by it, then the deed.

Floor 3. A preview is no second opinion: it does the deed inside a transaction, asks the rule before and after about
everybody who could be meant, and lets the transaction end undone. What would change, to the last sight and role, goes
along with the mover's yes as a digest, and the deed is done only if it would still be the same.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import db, transaction
from vault.models import membership
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Role
from vault.policy import Action, Permit, Viewer, authorize, may, visible
from vault.policy.lasting import overstays
from vault.services import Conflict, Refused
from vault.services.moving.sights import Meant, Side, Sight, Somebody
from vault.signing import digest
from vault.terms import last_day

__all__ = [
    "Inheritance",
    "Place",
    "Preview",
    "Side",
    "Somebody",
    "Wish",
    "carry_out",
    "may_go_to_the_top",
    "places",
    "preview",
]

CHANGED = "Meanwhile something changed: it would let others in or out than you saw. Please look again."
THERE_ALREADY = "It lies there already."
NOT_BOTH_SIDES = "Whoever moves an album must manage where it lies and where it goes to."


@dataclass(frozen=True)
class Place:
    """Where an album shall lie: below another one, by public id, or at the top."""

    parent_id: str | None


@dataclass(frozen=True)
class Inheritance:
    """Whether what is given above shall reach an album too."""

    inherits: bool


Wish = Place | Inheritance


@dataclass(frozen=True)
class Preview:
    """Who gains and who loses sight of an album or of something below it, and who else may do more or less there.

    `digest` stands for exactly these sights and roles.
    """

    gains: Side
    loses: Side
    more: Side
    less: Side
    digest: str


class _Undone(Exception):
    """Ends the transaction of a preview without a trace."""


def preview(permit: Permit[AlbumFacts], wish: Wish) -> Preview:
    """Say who would gain and who would lose sight. The permit is for MANAGE. Raises Denied, Refused."""
    found: list[Preview] = []
    try:
        with transaction() as session:
            found.append(_carry_out(session, permit, wish))
            raise _Undone
    except _Undone:
        return found[0]


def carry_out(permit: Permit[AlbumFacts], wish: Wish, *, expected: str) -> Preview:
    """Do what was previewed, if it is still that: `expected` is the preview's digest. The permit is for MANAGE.

    Raises Denied, Refused; Conflict when something else would change by now.
    """
    with transaction() as session:
        found = _carry_out(session, permit, wish)
        if found.digest != expected:
            raise Conflict(CHANGED)
        action = "album.move" if isinstance(wish, Place) else "album.inherit"
        said: dict[str, Any] = {"gain": found.gains.count, "lose": found.loses.count}
        said |= {"more": found.more.count, "less": found.less.count, **vars(wish)}
        audit.record(session, action, actor_id=permit.viewer.user_id, subject=permit.row.public_id, **said)
        return found


def places(permit: Permit[AlbumFacts]) -> list[Album]:
    """Return the albums that one may lie below from now on, by title. The permit is for MANAGE."""
    album = db.session.get_one(Album, permit.row.id)
    if not _leaves(db.session(), permit.viewer, album):
        return []
    own = {album.id, album.parent_id, *membership.below(db.session(), album.id)}
    others = visible(permit.viewer, Action.MANAGE, Album).where(Album.owner_id == album.owner_id)
    return [each for each in db.session.scalars(others.order_by(Album.title, Album.id)) if each.id not in own]


def may_go_to_the_top(permit: Permit[AlbumFacts]) -> bool:
    """Whether whoever asks may put an album to the top: its owner may, where it is not there already."""
    above = db.session.scalar(sa.select(Album.parent_id).where(Album.id == permit.row.id))
    return above is not None and permit.row.owner_id == permit.viewer.user_id


def _carry_out(session: Session, permit: Permit[AlbumFacts], wish: Wish) -> Preview:
    membership.hold_tree(session, permit.row.public_id, by=permit.viewer.user_id)
    facts = authorize(permit.viewer, Action.MANAGE, Album, permit.row.public_id).row
    album = session.get_one(Album, facts.id, populate_existing=True)
    if isinstance(wish, Place):
        parent = _new_parent(session, permit.viewer, album, wish.parent_id)
        parent_id, inherits = parent.id if parent else None, album.inherits
    else:
        parent_id, inherits = album.parent_id, wish.inherits
        if parent_id is None or album.inherits == inherits:
            raise Refused("It is that way already.")
    too_long = overstays(session, permit.viewer, facts, parent_id) if inherits else None
    if too_long is not None:
        raise Refused(f"You manage this album until {last_day(too_long)}; what you give cannot last longer.")
    meant = Meant(session, permit.viewer, album, parent_id)
    before = meant.sights()
    album.parent_id, album.inherits = parent_id, inherits
    session.flush()
    membership.set_reach(session, album)
    session.flush()
    return _preview(meant, before, meant.sights())


def _preview(meant: Meant, before: set[Sight], after: set[Sight]) -> Preview:
    won, lost = after - before, before - after
    gains, loses = ({sight.who for sight in some if sight.step == Role.VIEWER} for some in (won, lost))
    meant.learn(before)
    return Preview(
        gains=meant.named(gains),
        loses=meant.named(loses),
        more=meant.named({sight.who for sight in won} - gains),
        less=meant.named({sight.who for sight in lost} - loses),
        digest=digest(repr([sorted(won), sorted(lost)])),
    )


def _leaves(session: Session, viewer: Viewer, album: Album) -> bool:
    """Whether somebody manages where an album lies now; the top is its owner's."""
    if album.parent_id is None:
        return bool(album.owner_id == viewer.user_id)
    above = session.scalar(sa.select(Album.public_id).where(Album.id == album.parent_id))
    return may(viewer, Action.MANAGE, Album, above or "")


def _new_parent(session: Session, viewer: Viewer, album: Album, parent_id: str | None) -> Album | None:
    """Return the album to lie below. Raises Denied where it is not the mover's to say; Refused where it cannot be."""
    if not _leaves(session, viewer, album):
        raise Refused(NOT_BOTH_SIDES)
    if parent_id is None:
        if album.owner_id != viewer.user_id:
            raise Refused(NOT_BOTH_SIDES)
        if album.parent_id is None:
            raise Refused(THERE_ALREADY)
        return None
    parent = session.get_one(Album, authorize(viewer, Action.MANAGE, Album, parent_id).row.id)
    if parent.owner_id != album.owner_id:
        raise Refused("An album can lie only below albums of the same owner.")
    if parent.id == album.parent_id:
        raise Refused(THERE_ALREADY)
    if parent.id in {album.id, *membership.below(session, album.id)}:
        raise Refused("An album cannot lie below itself.")
    if membership.depth(session, parent) + membership.height(session, album.id) > membership.DEEPEST:
        raise Refused(f"Albums can lie {membership.DEEPEST} deep, and what is below this one would lie deeper.")
    return parent
