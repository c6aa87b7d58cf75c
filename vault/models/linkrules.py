"""What the instance demands of links, and whether a link fits: for those who make links and those who list them.

Floor 1: rows only. What a link opens is decided elsewhere, and not by this.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.imaging.render import PREVIEW
from vault.models.sharing import Link, LinkPolicy, LinkRole, Makers

# Up to this long edge, in pixels, what leaves is what fills a screen, and no original any more.
SCREEN_EDGE_PX = PREVIEW.long_edge_px
TAKING = (LinkRole.DOWNLOADER, LinkRole.CONTRIBUTOR)


@dataclass(frozen=True)
class Rules:
    """What is allowed. `longest_days` None is without an end."""

    makers: Makers = Makers.EVERYBODY
    longest_days: int | None = None
    password_required: bool = False
    originals_allowed: bool = True


def present(session: Session, *, hold: bool = False) -> Rules:
    """Return the rules as they are, with `hold` until the transaction ends; all is allowed where none were set."""
    row = session.get(LinkPolicy, 1, with_for_update=True if hold else None)
    if row is None:
        return Rules()
    return Rules(Makers(row.makers), row.longest_days, row.password_required, row.originals_allowed)


def lasts_too_long(rules: Rules, link: Link) -> bool:
    """Whether a link has no end, or one beyond the longest life."""
    if rules.longest_days is None:
        return False
    return link.expires_at is None or link.expires_at > link.created_at + timedelta(days=rules.longest_days + 1)


def lacks_password(rules: Rules, link: Link) -> bool:
    """Whether a link should have a password and has none. A paused one keeps the rule until it is opened again."""
    return rules.password_required and link.password_hash is None and link.paused_at is None


def takes_originals(link: Link) -> bool:
    """Whether files leave by a link in their own size."""
    return link.role in TAKING and (link.long_edge_px is None or link.long_edge_px > SCREEN_EDGE_PX)


def takes_too_much(rules: Rules, link: Link) -> bool:
    """Whether a link hands out originals where it should not."""
    return not rules.originals_allowed and takes_originals(link)


def fits(rules: Rules, link: Link) -> bool:
    """Whether a link keeps the rules."""
    return not (lasts_too_long(rules, link) or lacks_password(rules, link) or takes_too_much(rules, link))


def breaks(rules: Rules) -> sa.ColumnElement[bool]:
    """Return as a condition in SQL, what `fits` denies, and a second more: for what is too much to load."""
    found: list[sa.ColumnElement[bool]] = [sa.false()]
    if rules.longest_days is not None:
        life = sa.extract("epoch", Link.expires_at) - sa.extract("epoch", Link.created_at)
        found.append(sa.or_(Link.expires_at.is_(None), life > (rules.longest_days + 1) * 86_400 - 1))
    if rules.password_required:
        found.append(sa.and_(Link.password_hash.is_(None), Link.paused_at.is_(None)))
    if not rules.originals_allowed:
        found.append(hands_out_originals())
    return sa.or_(*found)


def hands_out_originals() -> sa.ColumnElement[bool]:
    """Return `takes_originals` as a condition in SQL."""
    large = sa.or_(Link.long_edge_px.is_(None), Link.long_edge_px > SCREEN_EDGE_PX)
    return sa.and_(Link.role.in_([int(role) for role in TAKING]), large)
