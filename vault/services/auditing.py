"""Whether the events are still the ones that were written: begins the chain, keeps its head elsewhere, verifies it all.

Floor 3. What a seal is made of is the business of `vault.chain`, how it is set that of `vault.audit`.
"""

import hmac
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import chain as joined
from typing import Any

import sqlalchemy as sa

from vault import audit
from vault.chain import Chain, Line, Shortened
from vault.db import db, transaction, utcnow
from vault.models.system import AuditHead, Event
from vault.services import Refused

HEAD_SECONDS = 300
AT_A_TIME = 1_000
MOST_FINDINGS = 100
# Contents that stand at a wrong place are looked for among so many events that do not verify.
MOST_COMPARED = 50
HEAD = sa.select(AuditHead.seq, AuditHead.mac, AuditHead.event_id, AuditHead.began_at, AuditHead.adopted)


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was written: what was done, and where, as a sentence for people."""

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass
class Verdict:
    """What the chain looks like. `counts` goes on where `findings` are no longer listed."""

    events: int = 0
    lines: int = 0
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        """Whether every event, the head and every line are as they were written."""
        return not self.counts

    def add(self, kind: str, where: str, text: str) -> None:
        """Note a finding."""
        self.counts[kind] += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, where, text))

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "holds": self.holds,
            "events": self.events,
            "lines": self.lines,
            "counts": dict(self.counts),
            "findings": [asdict(finding) for finding in self.findings],
        }


@dataclass(frozen=True)
class Standing:
    """Since when the chain holds, how many events it has, and when its head was last written outside the database."""

    began_at: datetime
    events: int
    head_written_at: datetime | None


def begin() -> None:
    """Begin the chain where there is none, taking in the events from before, and write its first head.

    Raises Refused when there was a chain, and its head is gone.
    """
    chain = audit.chain_of(db.engine)
    try:
        with transaction() as session:
            audit.begin(session, chain)
    except audit.ChainBroken as broken:
        raise Refused(str(broken)) from None
    # Later lines are the worker's: that an older database was restored is not a reason not to start.
    if chain.last_head() is None:
        write_head(after_seconds=0)


def write_head(*, after_seconds: float = HEAD_SECONDS) -> bool:
    """Write where the chain ends into the file outside the database; say whether there was anything to write.

    Raises Refused when the file knows of later events than the database, OSError.
    """
    db.session.rollback()
    head = db.session.execute(HEAD).one_or_none()
    db.session.rollback()
    if head is None:
        return False
    try:
        return audit.chain_of(db.engine).write_head(head.seq, head.mac, utcnow(), after_seconds=after_seconds)
    except Shortened as found:
        raise Refused(str(found)) from None


def standing() -> Standing | None:
    """Return how the chain stands, without verifying it; None where it has not begun."""
    head = db.session.execute(HEAD).one_or_none()
    if head is None:
        return None
    line = audit.chain_of(db.engine).last_head()
    return Standing(head.began_at, head.seq, line.at if line else None)


def verify() -> Verdict:
    """Hold every event, the head and every line of the file against their seals, in one snapshot of the database."""
    chain, verdict = audit.chain_of(db.engine), Verdict()
    # What is in the file by now is in the snapshot that is taken later.
    size = chain.size()
    with _snapshot() as connection:
        head = _read_head(connection, verdict)
        _find_unsealed(connection, verdict)
        if not size:
            verdict.add("removed", "heads", f"{chain.heads.name} is missing or empty: nothing shows a cut-off end")
        walk = _Walk(chain, head, verdict, chain.lines(size))
        for row in _rows(connection):
            walk.take(row)
        walk.end()
    return verdict


@contextmanager
def _snapshot() -> Iterator[sa.Connection]:
    db.session.rollback()
    options: dict[str, Any] = {"stream_results": True, "yield_per": AT_A_TIME}
    if db.engine.dialect.name != "sqlite":  # whose reading transactions are snapshots
        options["isolation_level"] = "REPEATABLE READ"
    with closing(db.engine.connect().execution_options(**options)) as connection:
        yield connection


def _read_head(connection: sa.Connection, verdict: Verdict) -> Any:
    try:
        head = connection.execute(HEAD).one_or_none()
    except (ValueError, TypeError):  # SQLite keeps what is no time where a time belongs
        head = None
    if head is None or not (type(head.seq) is type(head.adopted) is int):
        verdict.add("removed", "head", "the head of the chain is gone, or is none")
        return None
    return head


def _rows(connection: sa.Connection) -> Iterator[sa.Row[Any]]:
    columns = audit.sealed_columns(connection.dialect)
    return iter(
        connection.execute(sa.select(*columns, Event.mac).where(Event.seq.is_not(None)).order_by(Event.seq, Event.id))
    )


def _find_unsealed(connection: sa.Connection, verdict: Verdict) -> None:
    for (event_id,) in connection.execute(sa.select(Event.id).where(Event.seq.is_(None)).order_by(Event.id)):
        verdict.add("inserted", f"id {event_id}", f"the event with id {event_id} has no place in the chain")


class _Walk:
    """Goes along the chain once, from its beginning to its end."""

    def __init__(self, chain: Chain, head: Any, verdict: Verdict, lines: Iterator[Line]) -> None:
        self._chain, self._head, self._verdict = chain, head, verdict
        self._seq, self._mac, self._event_id = 0, "", 0
        # Without what stands before it, an event cannot be verified; there is a finding already.
        self._is_known = head is not None
        if head is not None:
            self._mac = chain.genesis(head.began_at, head.adopted)
        self._wrong: list[tuple[str, list[object], str]] = []
        self._lines = self._ours(lines)
        self._line = next(self._lines, None)
        self._compare_lines()

    def take(self, row: sa.Row[Any]) -> None:
        """Look at the next event."""
        self._verdict.events += 1
        if not isinstance(row.seq, int) or row.seq <= self._seq:
            self._say("inserted", row.seq, f"event {_shown(row.seq)} (id {row.id}) has no place in the chain")
            return
        if row.seq > self._seq + 1:
            gone = f"event {row.seq - 1} is" if row.seq == self._seq + 2 else f"{self._seq + 1} to {row.seq - 1} are"
            self._say("removed", self._seq + 1, f"{gone} missing before event {row.seq}")
            self._is_known = False
        self._compare(row)
        self._seq, self._mac, self._event_id, self._is_known = row.seq, str(row.mac), row.id, True
        self._compare_lines()

    def end(self) -> None:
        """Look at what should stand at the end."""
        head, seq = self._head, self._seq
        if head is not None and head.seq > seq:
            self._say("truncated", seq + 1, f"the chain should end with event {head.seq}, and ends with {seq}")
        elif head is not None and seq == head.seq > 0 and (head.mac, head.event_id) != (self._mac, self._event_id):
            self._say("edited", "head", f"the head of the chain does not agree with event {seq}, where it stands")
        elif head is not None and not seq and (head.mac, head.event_id) != (self._mac, 0):
            self._say("edited", "head", "the head of the chain does not agree with its beginning")
        later = deque(joined([self._line] if self._line else [], self._lines), maxlen=1)
        for last in later:
            said = f"the chain ends with event {seq}, and on {last.at:%Y-%m-%d %H:%M:%S} UTC it had {last.seq}"
            self._say("truncated", seq + 1, f"{said} (line {last.number})")
        self._find_swapped()

    def _compare(self, row: sa.Row[Any]) -> None:
        if self._head is not None and row.seq > self._head.seq:
            self._say("inserted", row.seq, f"event {row.seq} (id {row.id}) stands behind the end of the chain")
        if not self._is_known:
            return
        values = audit.sealed_values(row)
        if not _same(self._chain.seal(self._mac, values), row.mac):
            self._say(
                "edited", row.seq, f"event {row.seq} (id {row.id}, {_shown(values[2])}) is not what was sealed there"
            )
            if len(self._wrong) < MOST_COMPARED:
                self._wrong.append((self._mac, values, str(row.mac)))

    def _compare_lines(self) -> None:
        seq = self._seq
        while self._line is not None and self._line.seq <= seq:
            line, self._line = self._line, next(self._lines, None)
            if line.seq == seq and (seq or self._head) and not _same(self._mac, line.mac):
                text = f"event {line.seq} is not the one that line {line.number} of the file of heads knows"
                self._say("edited", line.seq, text)

    def _ours(self, lines: Iterator[Line]) -> Iterator[Line]:
        for line in lines:
            self._verdict.lines += 1
            if line.is_ours:
                yield line
            else:
                self._say("edited", f"line {line.number}", f"line {line.number} of the file of heads is not as written")

    def _find_swapped(self) -> None:
        """Say which events stand at each other's places: wrong where they stand, and right where another does."""
        for mac, (seq, event_id, *_), sealed in self._wrong:
            for _, (other, other_id, *contents), other_sealed in self._wrong:
                moved = _same(self._chain.seal(mac, [seq, event_id, *contents]), sealed)  # its seal stayed behind
                moved = moved or _same(self._chain.seal(mac, [seq, other_id, *contents]), other_sealed)
                if moved and other != seq:
                    self._say("swapped", other, f"at the place of event {other} stands what was sealed as event {seq}")

    def _say(self, kind: str, where: object, text: str) -> None:
        self._verdict.add(kind, where if isinstance(where, str) else f"event {where}", text)


def _shown(value: object) -> str:
    """Return a value that somebody may have made up, for a line on a terminal."""
    return ascii(value)[:60]


def _same(expected: str, kept: object) -> bool:
    return isinstance(kept, str) and hmac.compare_digest(expected.encode(), kept.encode("utf-8", "replace"))
