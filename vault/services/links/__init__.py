"""Links: signed addresses, one for each recipient, with terms of their own.

Floor 3. What a link opens is decided by the policy from these rows, at every byte; here they are only kept.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import db, transaction, utcnow
from vault.models import linkrules, membership
from vault.models.account import User
from vault.models.history import Visit
from vault.models.linkrules import Rules
from vault.models.media import Album, AlbumFacts, AlbumMedia, Media
from vault.models.sharing import (
    ADDING,
    LINK_PURPOSE,
    Link,
    LinkFacts,
    LinkMedia,
    LinkRole,
    Makers,
    MetadataRule,
    Scope,
)
from vault.policy import PUBLIC_ID, Action, Denied, Permit, Viewer, allowed, authorize
from vault.services import Refused, Vault

SHORTEST_PASSWORD, MOST_PICKED = 6, 2_000
SMALLEST_EDGE_PX, LARGEST_EDGE_PX = 320, 20_000
MOST_COUNTED = 1_000_000


@dataclass(frozen=True)
class Terms:
    """What a link's maker decides, but for its password. `long_edge_px` None leaves the original's size."""

    label: str
    role: LinkRole = LinkRole.VIEWER
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    max_visits: int | None = None
    max_downloads: int | None = None
    max_uploads: int | None = None
    needs_acceptance: bool = True
    metadata_rule: MetadataRule = MetadataRule.STRIP_LOCATION
    long_edge_px: int | None = None
    watermark: str = ""
    neutral_names: bool = True


def terms_of(link: Link) -> Terms:
    """Return a link's present terms."""
    kept = {field.name: getattr(link, field.name) for field in dataclasses.fields(Terms)}
    kept |= {"role": LinkRole(link.role), "metadata_rule": MetadataRule(link.metadata_rule)}
    return Terms(**kept)


def create(
    vault: Vault,
    permit: Permit[AlbumFacts],
    terms: Terms,
    *,
    scope: Scope = Scope.TREE,
    media_ids: Sequence[str] = (),
    password: str | None = None,
) -> Link:
    """Make a link to an album or, with `media_ids` and the scope of a selection, to pictures picked out of it.

    The permit is for MANAGE. Raises Denied, Refused, UnacceptablePassword.
    """
    kept = _hash(vault, password)
    with transaction() as session:
        membership.hold_tree(session, permit.row.public_id, by=permit.viewer.user_id)
        album = authorize(permit.viewer, Action.MANAGE, Album, permit.row.public_id).row
        picked = _picked_in_album(session, album, media_ids) if scope is Scope.SELECTION else []
        link = Link(album_id=album.id, scope=scope, creator_id=permit.viewer.user_id, password_hash=kept)
        return _add(session, link, terms, picked)


def create_for_pictures(
    vault: Vault, viewer: Viewer, media_ids: Sequence[str], terms: Terms, *, password: str | None = None
) -> Link:
    """Make a link to pictures of one's own, wherever they lie. Raises Denied, Refused, UnacceptablePassword."""
    kept = _hash(vault, password)
    with transaction() as session:
        if viewer.user_id is None:
            raise Denied
        own = allowed(viewer, Action.PLACE, Media, media_ids)
        if not media_ids or own != set(media_ids):
            raise Denied
        rows = dict(session.execute(sa.select(Media.public_id, Media.id).where(Media.public_id.in_(own))).all())
        picked = [rows[media_id] for media_id in dict.fromkeys(media_ids)]
        link = Link(album_id=None, scope=Scope.SELECTION, creator_id=viewer.user_id, password_hash=kept)
        return _add(session, link, terms, picked)


def copy(permit: Permit[LinkFacts], *, label: str) -> Link:
    """Make a link with the same terms and password for the next recipient. For MANAGE. Raises Denied, Refused."""
    with transaction() as session:
        old = _managed(session, permit)
        link = Link(album_id=old.album_id, scope=old.scope, creator_id=permit.viewer.user_id)
        link.password_hash = old.password_hash
        in_order = sa.select(LinkMedia.media_id).where(LinkMedia.link_id == old.id).order_by(LinkMedia.position)
        return _add(session, link, dataclasses.replace(terms_of(old), label=label), session.scalars(in_order).all())


def change(
    vault: Vault, permit: Permit[LinkFacts], *, password: str | None = None, no_password: bool = False, **given: Any
) -> Link:
    """Change those terms that are given; a new password (or `no_password`) ends every visit that was opened before.

    `given` are fields of Terms. The permit is for MANAGE. Raises Denied, Refused, UnacceptablePassword.
    """
    kept = _hash(vault, password)
    with transaction() as session:
        link = _managed(session, permit)
        terms = dataclasses.replace(terms_of(link), **given)
        if kept is not None or no_password:
            link.password_hash = kept
            _end_visits(session, link)
        _write(session, link, terms)
        said = {name: str(value) for name, value in given.items()}
        if kept is not None or no_password:
            said["password"] = "removed" if kept is None else "set"
        _record(session, "change", permit.viewer.user_id, link, **said)
        return link


def pause(permit: Permit[LinkFacts]) -> None:
    """Close a link until it is resumed. The permit is for MANAGE. Raises Denied."""
    with transaction() as session:
        link = _managed(session, permit)
        link.paused_at = link.paused_at or utcnow()
        _record(session, "pause", permit.viewer.user_id, link)


def resume(permit: Permit[LinkFacts]) -> None:
    """Open a paused link again; it must fit the rules of today. For MANAGE. Raises Denied, Refused."""
    with transaction() as session:
        link = _managed(session, permit)
        _write(session, link, terms_of(link))
        link.paused_at = None
        _record(session, "resume", permit.viewer.user_id, link)


def rotate(permit: Permit[LinkFacts]) -> Link:
    """Give a link a new address; the old one and its visits are dead at once. For MANAGE. Raises Denied."""
    with transaction() as session:
        link = _managed(session, permit)
        link.generation += 1
        _record(session, "rotate", permit.viewer.user_id, link)
        return link


def revoke(permit: Permit[LinkFacts]) -> None:
    """End a link for good. The permit is for DELETE. Raises Denied."""
    with transaction() as session:
        found = authorize(permit.viewer, Action.DELETE, Link, permit.row.public_id).row.id
        _revoke(session, session.get_one(Link, found), permit.viewer.user_id)


def revoke_as_administrator(actor_id: int, link_id: str) -> bool:
    """End a link as whoever runs the vault; False when there is none. Shows nothing of what it opens."""
    living = (Link.public_id == link_id.replace("\0", ""), Link.revoked_at.is_(None))
    with transaction() as session:
        link = session.scalar(sa.select(Link).where(*living).with_for_update())
        if link is not None:
            _revoke(session, link, actor_id)
        return link is not None


def address(vault: Vault, link: Link) -> str:
    """Return a link's present address, the same whenever it is asked for."""
    token = vault.signer.token(LINK_PURPOSE, link.public_id, link.generation)
    return f"{vault.settings.origin}/l/{token}"


def may_make(viewer: Viewer) -> bool:
    """Whether the instance lets somebody make links at all."""
    return _may_make(db.session(), viewer.user_id, linkrules.present(db.session()))


def _add(session: Session, link: Link, terms: Terms, picked: Sequence[int]) -> Link:
    if not _may_make(session, link.creator_id, linkrules.present(session)):
        raise Refused("Whoever runs this vault has decided that you cannot make links.")
    if link.scope == Scope.SELECTION and not 0 < len(picked) <= MOST_PICKED:
        raise Refused(f"Choose at least one picture, and at most {MOST_PICKED:,}.")
    link.created_at = utcnow()
    _write(session, link, terms)
    session.add(link)
    session.flush()
    session.add_all(LinkMedia(link_id=link.id, position=place, media_id=each) for place, each in enumerate(picked))
    album = session.scalar(sa.select(Album.public_id).where(Album.id == link.album_id))
    _record(session, "create", link.creator_id, link, album=album, scope=link.scope, role=terms.role.label)
    return link


def _write(session: Session, link: Link, terms: Terms) -> None:
    """Write terms into a row. Raises Refused for what contradicts itself, or what the instance does not allow."""
    _check(terms, Scope(link.scope))
    if terms.expires_at is not None and terms.expires_at <= utcnow() and terms.expires_at != link.expires_at:
        raise Refused("The end lies in the past.")
    for name, value in vars(terms).items():
        setattr(link, name, value)
    link.label, link.watermark, link.role = _label(terms.label), _plain(terms.watermark)[:100], int(terms.role)
    _keep_rules(linkrules.present(session, hold=True), link)


def _check(terms: Terms, scope: Scope) -> None:
    if terms.role not in tuple(LinkRole):
        raise Refused("A link cannot give this role.")
    if terms.role in ADDING and scope is Scope.SELECTION:
        raise Refused("Pictures can be added to an album, not to a selection.")
    if None not in (terms.starts_at, terms.expires_at) and terms.starts_at >= terms.expires_at:  # type: ignore[operator]  # neither is None here
        raise Refused("The link would end before it begins.")
    edge = terms.long_edge_px
    if edge is not None and not SMALLEST_EDGE_PX <= edge <= LARGEST_EDGE_PX:
        raise Refused(f"The long edge lies between {SMALLEST_EDGE_PX} and {LARGEST_EDGE_PX:,} pixels.")
    for limit in (terms.max_visits, terms.max_downloads, terms.max_uploads):
        if limit is not None and not 1 <= limit <= MOST_COUNTED:
            raise Refused(f"A limit lies between 1 and {MOST_COUNTED:,}.")


def _keep_rules(rules: Rules, link: Link) -> None:
    if linkrules.lasts_too_long(rules, link):
        raise Refused(f"Links of this vault last {rules.longest_days} days at most. Choose an earlier end.")
    # A paused one, too: this is asked when it is opened again.
    if rules.password_required and link.password_hash is None:
        raise Refused("Links of this vault need a password.")
    if linkrules.takes_too_much(rules, link):
        raise Refused(f"Links of this vault hand out no originals, only up to {linkrules.SCREEN_EDGE_PX:,} pixels.")


def _may_make(session: Session, user_id: int | None, rules: Rules) -> bool:
    if rules.makers is Makers.EVERYBODY:
        return True
    is_admin = session.scalar(sa.select(User.is_admin).where(User.id == user_id))
    return rules.makers is Makers.ADMINISTRATORS and bool(is_admin)


def _picked_in_album(session: Session, album: AlbumFacts, media_ids: Sequence[str]) -> list[int]:
    wanted = [media_id for media_id in dict.fromkeys(media_ids) if PUBLIC_ID.fullmatch(media_id)]
    inside = sa.select(Media.public_id, Media.id).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    held = inside.where(AlbumMedia.album_id == album.id, Media.public_id.in_(wanted))
    rows = dict(session.execute(held).all())
    if not wanted or len(rows) != len(wanted):
        raise Denied
    return [rows[media_id] for media_id in wanted]


def _managed(session: Session, permit: Permit[LinkFacts]) -> Link:
    """Hold the row, then ask again: the right may have ended since the request came in."""
    session.execute(sa.select(Link.id).where(Link.public_id == permit.row.public_id).with_for_update())
    found = authorize(permit.viewer, Action.MANAGE, Link, permit.row.public_id).row.id
    return session.get_one(Link, found, populate_existing=True)


def _revoke(session: Session, link: Link, actor_id: int) -> None:
    link.revoked_at = utcnow()
    _record(session, "revoke", actor_id, link)


def _end_visits(session: Session, link: Link) -> None:
    living = sa.update(Visit).where(Visit.link_id == link.id, Visit.ended_at.is_(None))
    session.execute(living.values(ended_at=utcnow()))


def _hash(vault: Vault, password: str | None) -> str | None:
    """Hash outside of any transaction: it takes long on purpose."""
    return vault.passwords.hash(password, shortest=SHORTEST_PASSWORD) if password else None


def _record(session: Session, deed: str, actor_id: int, link: Link, **detail: Any) -> None:
    detail.setdefault("label", link.label)
    audit.record(session, f"link.{deed}", actor_id=actor_id, subject=link.public_id, **detail)


def _label(text: str) -> str:
    label = _plain(text)[:200]
    if not label:
        raise Refused("A link needs a label, for example the name of the person it is for.")
    return label


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isprintable()).strip()
