"""What the instance allows of links: one row that administrators keep, and the links that do not fit it.

Floor 3. Making and changing links asks this row; here it is set and, where an administrator wants it, applied at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import db, transaction, utcnow
from vault.models import linkrules
from vault.models.account import User
from vault.models.linkrules import Rules
from vault.models.sharing import Link, LinkPolicy
from vault.policy import Denied
from vault.services import Refused

LONGEST_DAYS = 3_650


@dataclass(frozen=True)
class Misfits:
    """How many living links do not fit the rules, each way of it and together; `ended` would be over at once."""

    too_long: int = 0
    without_password: int = 0
    originals: int = 0
    ended: int = 0
    links: int = 0


def present() -> Rules:
    """Return the rules as they are; everything is allowed where none were set."""
    return linkrules.present(db.session())


def misfits(rules: Rules) -> Misfits:
    """Count the living links that do not fit some rules."""
    return _counted(rules, _misfits(db.session(), rules))


def decide(actor_id: int, rules: Rules, *, apply: bool) -> Misfits:
    """Set the rules as an administrator and, with `apply`, make every living link keep them in the same transaction.

    An end is drawn nearer, a link without the password that it needs is paused, what leaves is made smaller. Returns
    what did not fit. Raises Denied, Refused.
    """
    if rules.longest_days is not None and not 1 <= rules.longest_days <= LONGEST_DAYS:
        raise Refused(f"A link's life lies between one day and {LONGEST_DAYS:,} days.")
    with transaction() as session:
        able = (User.id == actor_id, User.is_admin, User.disabled_at.is_(None))
        if session.scalar(sa.select(User.id).where(*able)) is None:
            raise Denied
        before = linkrules.present(session, hold=True)
        said = {name: value for name, value in vars(rules).items() if value != getattr(before, name)}
        row = session.get(LinkPolicy, 1) or LinkPolicy(id=1)
        for name, value in vars(rules).items():
            setattr(row, name, value)
        session.add(row)
        audit.record(session, "policy.change", actor_id=actor_id, applied=apply, **said)
        session.flush()
        unfit = _misfits(session, rules, hold=apply)
        found = _counted(rules, unfit)
        if apply:
            _apply(session, actor_id, rules, unfit)
        return found


def _misfits(session: Session, rules: Rules, *, hold: bool = False) -> list[Link]:
    """Return the living links that do not fit: the database leaves out most of the others."""
    unfit = _living().where(linkrules.breaks(rules))
    found = session.scalars(unfit.with_for_update() if hold else unfit)
    return [link for link in found if not linkrules.fits(rules, link)]


def _apply(session: Session, actor_id: int, rules: Rules, links: list[Link]) -> None:
    now = utcnow()
    for link in links:
        said: dict[str, Any] = {"label": link.label}
        if linkrules.lasts_too_long(rules, link):
            link.expires_at = _longest(rules, link)
            said["expires_at"] = link.expires_at.isoformat()
        if linkrules.lacks_password(rules, link):
            link.paused_at, said["paused"] = now, True
        if linkrules.takes_too_much(rules, link):
            link.long_edge_px = said["long_edge_px"] = linkrules.SCREEN_EDGE_PX
        audit.record(session, "link.apply_policy", actor_id=actor_id, subject=link.public_id, **said)


def _longest(rules: Rules, link: Link) -> datetime:
    """Return the end of the last day that a link may see."""
    last = (link.created_at + timedelta(days=rules.longest_days or 0)).date()
    return datetime.combine(last + timedelta(days=1), time(), UTC)


def _counted(rules: Rules, links: Sequence[Link]) -> Misfits:
    long = [link for link in links if linkrules.lasts_too_long(rules, link)]
    return Misfits(
        too_long=len(long),
        without_password=sum(linkrules.lacks_password(rules, link) for link in links),
        originals=sum(linkrules.takes_too_much(rules, link) for link in links),
        ended=sum(_longest(rules, link) <= utcnow() for link in long),
        links=len(links),
    )


def _living() -> sa.Select[Link]:
    unended = sa.or_(Link.expires_at.is_(None), Link.expires_at > utcnow())
    return sa.select(Link).where(Link.revoked_at.is_(None), unended).order_by(Link.id)
