"""What happened: events, written inside the deed's own transaction and never changed.

Floor 2: knows rows, no rule and no use case. The address of the request travels in a context variable, because every
deed is recorded with it and no decision depends on it.
"""

import ipaddress
import threading
import time
from collections import OrderedDict
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.models.account import User
from vault.models.system import Event

address: ContextVar[str] = ContextVar("address", default="")
SYSTEM = "the vault itself"


def record(
    session: Session, action: str, *, actor_id: int | None, subject: str = "", by: str = SYSTEM, **detail: Any
) -> None:
    """Add one event to the open transaction.

    `action` is "thing.deed"; `subject` a public id or e-mail address; `by` names an actor who is no person.
    Details are JSON values, never a secret.
    """
    # In the same statement: a download writes an event, and the byte path has two statements at most.
    email = sa.select(User.email).where(User.id == actor_id).scalar_subquery()
    session.add(
        Event(
            action=action,
            actor_id=actor_id,
            actor=by if actor_id is None else email,
            subject=subject[:80],
            detail=detail,
            address=address.get()[:45],
        )
    )


def network() -> str:
    """Return where a request comes from: an IPv4 address, or the /64 that one household has of IPv6."""
    try:
        found = ipaddress.ip_address(address.get())
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
        found = found.ipv4_mapped  # all of IPv4 lies in one /64 of its own
    return str(found)


class Bounded:
    """Says for each key whether one more event may be written, so that refusals cannot fill the disk.

    Per process; `most` events a key in `seconds`, for the `keys` keys used last.
    """

    def __init__(self, *, most: int, seconds: float, keys: int = 10_000) -> None:
        self._most, self._seconds, self._keys = most, seconds, keys
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def admits(self, key: str) -> bool:
        """Count one event of a key; whether it is still within bounds."""
        now = time.monotonic()
        with self._lock:
            began, count = self._seen.pop(key, (now, 0))
            if now - began > self._seconds:
                began, count = now, 0
            self._seen[key] = (began, count + 1)
            while len(self._seen) > self._keys:
                self._seen.popitem(last=False)
            return count < self._most
