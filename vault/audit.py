"""What happened: events, written inside the deed's own transaction, sealed into a chain, and never changed.

Floor 2: knows rows, no rule and no use case. The address of the request travels in a context variable, because every
deed is recorded with it and no decision depends on it. How a seal is made is the business of `vault.chain`. One
event is written after its deed: `media.download`, whose notes lie in memory for some seconds, and a crash loses them.
"""

import ipaddress
import json
import threading
import time
from collections import OrderedDict
from contextvars import ContextVar
from datetime import datetime
from typing import Any, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from vault.chain import SEALED, Chain, moment
from vault.db import UtcDateTime, last_steps, utcnow
from vault.models.account import User
from vault.models.system import AuditHead, Event

ADOPTED_AT_A_TIME = 1_000
address: ContextVar[str] = ContextVar("address", default="")
# How much of the address is written down: "full", "network" or "none". What is throttled knows all of it.
kept: ContextVar[str] = ContextVar("kept", default="full")
SYSTEM = "the vault itself"


class ChainBroken(SQLAlchemyError):
    """The head of the chain is gone, although there was one: nothing may be sealed until somebody has looked.

    A fault of the database as others are, so that what is written beside a request's purpose does not stop reading.
    """


_chains: WeakKeyDictionary[sa.Engine, Chain] = WeakKeyDictionary()


def keep_chain(engine: sa.Engine, chain: Chain) -> None:
    """Say with which key the events of a database are sealed."""
    _chains[engine] = chain


def chain_of(engine: sa.Engine) -> Chain:
    """Return the chain of a database. Raises KeyError where none was named."""
    return _chains[engine]


def record(
    session: Session, action: str, *, actor_id: int | None, subject: str = "", by: str = SYSTEM, **detail: Any
) -> None:
    """Add one event to the open transaction.

    `action` is "thing.deed"; `subject` a public id or e-mail address; `by` names an actor who is no person.
    Details are JSON values, never a secret. The event is written and sealed when all else of the transaction is done.
    Raises RuntimeError outside of a transaction.
    """
    sealing = cast("_Sealing", last_steps(session).setdefault("audit", _Sealing()))
    sealing.events.append(
        {
            "at": utcnow(),
            "action": action,
            "actor_id": actor_id,
            "actor": by,
            "subject": subject[:80],
            "detail": detail,
            "address": remembered(kept.get()),
        }
    )


class _Sealing:
    """The last step of a transaction that recorded something: numbers its events, seals them, moves the head."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, session: Session) -> None:
        chain = chain_of(session.connection().engine)
        # All locks but one are taken before the head's, or two transactions could each wait for the other.
        session.flush()
        self._name_actors(session)
        head = begin(session, chain)
        previous, seq, event_id = head.mac, head.seq, head.event_id
        for event in self.events:
            seq, event_id = seq + 1, event_id + 1
            said = {**event, "seq": seq, "id": event_id, "at": moment(event["at"]), "detail": as_kept(event["detail"])}
            previous = chain.seal(previous, [said[name] for name in SEALED])
            event |= {"seq": seq, "id": event_id, "mac": previous}
        session.execute(sa.insert(Event), self.events)
        session.execute(sa.update(AuditHead).values(seq=seq, mac=previous, event_id=event_id))

    def _name_actors(self, session: Session) -> None:
        ids = {event["actor_id"] for event in self.events} - {None}
        if not ids:
            return
        # The lock is the one that the foreign key takes anyway, later.
        named = sa.select(User.id, User.email).where(User.id.in_(ids)).order_by(User.id)
        found = session.execute(named.with_for_update(read=True, key_share=True))
        emails = {user_id: email for user_id, email in found}  # noqa: C416  # rows are no pairs to the type checker
        for event in self.events:
            if event["actor_id"] is not None:
                event["actor"] = emails.get(event["actor_id"])


def begin(session: Session, chain: Chain) -> sa.Row[int, str, int]:
    """Return the head (`seq`, `mac`, `event_id`), locked until the transaction ends.

    Where there is none yet, the chain begins, and takes in the events from before.
    Raises ChainBroken when there was one once.
    """
    wanted = sa.select(AuditHead.seq, AuditHead.mac, AuditHead.event_id).with_for_update()
    head = session.execute(wanted).one_or_none()
    if head is None:
        _begin(session, chain)
        head = session.execute(wanted).one()
    return head


def _begin(session: Session, chain: Chain) -> None:
    now = utcnow()
    insert = postgresql.insert if session.connection().dialect.name == "postgresql" else sqlite.insert
    # Who comes second waits here until the first has committed, and then finds a head.
    placed = insert(AuditHead).values(id=1, event_id=0, seq=0, mac="", began_at=now, adopted=0)
    if not session.execute(placed.on_conflict_do_nothing().returning(AuditHead.id)).all():
        return
    if chain.last_head() is not None:
        raise ChainBroken(f"{chain.heads.name} knows a chain that is not in this database: look into it, then move it")
    if session.scalar(sa.select(sa.exists().where(Event.seq.is_not(None)))):
        raise ChainBroken("there are sealed events, and the head of their chain is gone")
    count, last = session.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(Event.id), 0))).one()
    mac = _adopt(session, chain, chain.genesis(now, count))
    session.execute(sa.update(AuditHead).values(seq=count, mac=mac, event_id=last, adopted=count))


def _adopt(session: Session, chain: Chain, previous: str) -> str:
    """Seal the events from before the chain in the order of their ids; return the last seal."""
    columns = sealed_columns(session.connection().dialect)
    seq, after = 0, 0
    while rows := session.execute(
        sa.select(*columns).where(Event.id > after).order_by(Event.id).limit(ADOPTED_AT_A_TIME)
    ).all():
        seals: list[dict[str, Any]] = []
        for row in rows:
            seq, after = seq + 1, row.id
            previous = chain.seal(previous, [seq, *sealed_values(row)[1:]])
            seals.append({"id": row.id, "seq": seq, "mac": previous})
        session.execute(sa.update(Event), seals)
    return previous


def as_kept(detail: dict[str, Any]) -> str:
    """Return a detail as both databases keep it: the text itself is sealed, not what it means."""
    return json.dumps(detail)


def sealed_columns(dialect: sa.Dialect) -> list[sa.ColumnElement[Any]]:
    """Return what a seal covers, as the database keeps it: what was tampered with need not be a time or JSON."""
    is_sqlite = dialect.name == "sqlite"
    raw: dict[str, sa.ColumnElement[Any]] = {
        "at": sa.type_coerce(Event.at, sa.String if is_sqlite else UtcDateTime).label("at"),
        "detail": (sa.type_coerce if is_sqlite else sa.cast)(Event.detail, sa.Text).label("detail"),
    }
    return [raw.get(name, getattr(Event, name)) for name in SEALED]


def sealed_values(row: sa.Row[Any]) -> list[object]:
    """Return the values of a row of `sealed_columns`, ready to be sealed."""
    return [moment(value) if isinstance(value, datetime) else value for value in tuple(row)[: len(SEALED)]]


def remembered(much: str) -> str:
    """Return as much of the address as is to be written: "full", "network" (/24, or /48 of IPv6), "none"."""
    if much == "full":
        return address.get()[:45]
    try:
        found = ipaddress.ip_address("" if much == "none" else address.get())
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


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
