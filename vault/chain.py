"""The chain of events as bytes: how one event seals the next, and the file that keeps where the chain ended.

Floor 0: knows a key, values and one file; nothing of rows, of the database or of who reads this.

A seal is HMAC-SHA256 over the seal before it and the event itself, so that whoever can write to the database but does
not have the key can change nothing without a trace. The file outside the database is for what a chain alone cannot
show: that its end was taken away.
"""

import fcntl
import hmac
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

# What a seal covers, in this order. A column more would break every chain that there is: it needs a version of its own.
SEALED = ("seq", "id", "at", "action", "actor_id", "actor", "subject", "detail", "address")
LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<seq>0|[1-9]\d{0,18}) (?P<mac>\S{1,64}) (?P<seal>\S{1,64})"
)
LONGEST_LINE_BYTES = 256
LINE_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Shortened(Exception):
    """The chain ends before a place where it is known to have been: its end was taken away."""


@dataclass(frozen=True)
class Line:
    """A line of the file: at `at` the chain ended with event `seq`, sealed by `mac`. `is_ours` is false when forged."""

    number: int
    at: datetime
    seq: int
    mac: str
    is_ours: bool = True


class Chain:
    """The key of one vault's chain, and the file in which its heads are kept."""

    def __init__(self, key: str, heads: Path) -> None:
        self._key = key.encode()
        self.heads = heads

    def genesis(self, began_at: datetime, adopted: int) -> str:
        """Return what stands before the first event: bound to the moment, so that no chain can be begun again."""
        return self._mac("the audit chain begins", moment(began_at), adopted)

    def seal(self, previous: str, values: Sequence[object]) -> str:
        """Return the seal of an event from the one before it and its values in the order of `SEALED`.

        Times are text as of `moment`, the detail is its JSON as it is kept.
        """
        if len(values) != len(SEALED):
            raise ValueError("a seal covers all of an event")
        return hmac.digest(self._key, _bytes(previous) + _canonical(values), "sha256").hex()

    def write_head(self, seq: int, mac: str, now: datetime, *, after_seconds: float = 0) -> bool:
        """Append where the chain ends, on the disk when this returns; say whether there was anything to write.

        Nothing is written while the chain has not moved, or sooner than `after_seconds` after the last line.
        Raises Shortened when the file knows of a later event, OSError.
        """
        with open(self.heads, "a+b", opener=_private) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last, seal = _last(file)
            if last is not None:
                if seq < last.seq:
                    raise Shortened(f"the chain ends at event {seq}, and on {last.at:{LINE_TIME}} it had {last.seq}")
                if seq == last.seq or (now - last.at).total_seconds() < after_seconds:
                    return False
            said = f"{now.astimezone(UTC):{LINE_TIME}} {seq} {mac}"
            file.write(f"{said} {self._mac('head', seal, said)}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        return True

    def last_head(self) -> Line | None:
        """Return the last line, unchecked; None where there is no file or nothing in it. Raises OSError."""
        try:
            with self.heads.open("rb") as file:
                return _last(file)[0]
        except FileNotFoundError:
            return None

    def size(self) -> int:
        """Return how many bytes the file of heads has now; 0 where there is none."""
        return self.heads.stat().st_size if self.heads.exists() else 0

    def lines(self, size: int) -> Iterator[Line]:
        """Yield the lines of the first `size` bytes, checked; one that is no line has the seq -1. Raises OSError."""
        if not size:
            return
        seal, seq = "", -1
        with self.heads.open("rb") as file:
            for number, raw in enumerate(iter(lambda: file.readline(LONGEST_LINE_BYTES), b""), start=1):
                text = raw.decode("ascii", "replace")
                found = LINE.fullmatch(text.removesuffix("\n"))
                if found is None or not raw.endswith(b"\n"):
                    yield Line(number, datetime.min.replace(tzinfo=UTC), -1, "", is_ours=False)
                    continue
                line = _line(number, found)
                expected = self._mac("head", seal, text.rpartition(" ")[0])
                is_ours = hmac.compare_digest(expected, found["seal"].encode("ascii", "replace").decode())
                yield Line(number, line.at, line.seq, line.mac, is_ours=is_ours and line.seq > seq)
                seal, seq = found["seal"], max(seq, line.seq)
                if file.tell() >= size:
                    return

    def _mac(self, *values: object) -> str:
        return hmac.digest(self._key, _canonical(values), "sha256").hex()


def moment(at: datetime) -> str:
    """Return a time as a seal covers it: UTC with six digits behind the second, as SQLite keeps it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _canonical(values: Sequence[object]) -> bytes:
    """Return bytes that no other values have. What a tampered row may hold, such as bytes, must not stop a check."""
    return json.dumps(list(values), separators=(",", ":"), default=repr).encode()


def _bytes(mac: str) -> bytes:
    """Return the 32 bytes of a seal; of what is none, bytes of another length, that nothing was sealed with."""
    try:
        return bytes.fromhex(mac)
    except ValueError:
        return b""


def _line(number: int, found: re.Match[str]) -> Line:
    try:
        at = datetime.strptime(found["at"], LINE_TIME).replace(tzinfo=UTC)
    except ValueError:  # the thirty-first of February: the seal says that it is not ours
        at = datetime.min.replace(tzinfo=UTC)
    return Line(number, at, int(found["seq"]), found["mac"])


def _last(file: IO[bytes]) -> tuple[Line | None, str]:
    """Return the last whole line and its seal. What a crash left half-written behind it is cut off in a file to write.

    A half line was never synced, so nobody was told that it stands.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 2 * LONGEST_LINE_BYTES))
    tail = file.read()
    whole, newline, torn = tail.rpartition(b"\n")
    if torn and file.writable():
        file.truncate(end - len(torn))
    text = whole.rpartition(b"\n")[2].decode("ascii", "replace") if newline else ""
    found = LINE.fullmatch(text)
    return (_line(0, found), found["seal"]) if found else (None, "")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
