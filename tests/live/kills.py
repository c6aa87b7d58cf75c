"""Kills web processes and workers at random while people upload, and says afterwards what became of every picture.

The files go in pieces, by clients that ask how far they are and go on, whatever breaks off: so each of them has to
arrive in the end, and once.
"""

import hashlib
import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from tests import pictures
from tests.conftest import SHARED
from tests.live.commands import manage
from tests.live.processes import children
from tests.live.resuming import BROKEN_OFF, Resuming, Unwelcome
from tests.live.server import LiveVault, eventually, looking_inside, running
from vault.db import db
from vault.models.account import Scope
from vault.models.media import Media, State

CLIENTS = 8
# Between two files of a client, so that rendering keeps up and a killed worker was in the middle of it.
PAUSE_SECONDS = 0.4
LARGEST_SAMPLE = 3_000_000
# A worker that was killed again and again is started again after at most half a minute.
DRAIN_SECONDS = 150.0
# From a kill until a request is answered again.
ANSWERS_SECONDS = 5.0


@dataclass
class Figures:
    """What happened, and what was there afterwards."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, str] = field(default_factory=dict)
    broken_off: int = 0
    twice: int = 0
    slowest_return_seconds: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    fsck: int = -1
    fsck_said: str = ""
    killing_seconds: float = 0.0
    draining_seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether nothing that was acknowledged is lost and nothing is left undone."""
        undone = self.states[State.PENDING] or self.states[State.FAILED]
        late = self.slowest_return_seconds > ANSWERS_SECONDS
        return not (self.refused or self.wrong or self.twice or undone or self.fsck or late)

    def __str__(self) -> str:
        """Say it in one line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kills.items()))
        return (
            f"kills: {self.kills.total()} ({kinds}) in {self.killing_seconds:.0f} s; "
            f"{len(self.acknowledged)} files acknowledged, {self.broken_off} requests broken off, "
            f"{self.refused.total()} refused, {len(self.wrong)} lost or changed, {self.twice} twice; "
            f"it answered again after at most {self.slowest_return_seconds:.1f} s; "
            f"{self.states[State.PENDING]} pending and {self.states[State.FAILED]} failed "
            f"after {self.draining_seconds:.0f} s; fsck exits {self.fsck}"
        )


def torture(home: Path, *, kills: int, seed: int) -> Figures:
    """Kill so many processes of a vault of its own while eight clients upload; then look at everything."""
    figures = Figures()
    with looking_inside(home) as house, running(home, "--web-workers", "2") as vault:
        token = house.token(house.person(), Scope.READ | Scope.WRITE)["Authorization"].removeprefix("Bearer ")
        _kill_during_uploads(vault, token, kills, random.Random(seed), figures)  # noqa: S311  # chance, no secret
        began = time.monotonic()
        with suppress(AssertionError):
            eventually(lambda: _states()[State.PENDING] == 0, DRAIN_SECONDS)
        figures.draining_seconds, figures.states = time.monotonic() - began, _states()
        figures.twice = _twice()
        figures.wrong = [
            media_id
            for media_id, sha256 in figures.acknowledged.items()
            if not _is_there(vault, token, media_id, sha256)
        ]
        vault.end(signal.SIGTERM)
    checked = manage(home, "fsck", "--read-data")
    figures.fsck, figures.fsck_said = checked.returncode, checked.stdout + checked.stderr
    return figures


def _kill_during_uploads(vault: LiveVault, token: str, kills: int, chance: random.Random, figures: Figures) -> None:
    stop, books, sources = threading.Event(), threading.Lock(), _sources()

    def upload(number: int) -> None:
        client, count = Resuming(vault.client(token), stop), 0
        while not stop.is_set():
            count += 1
            # Whatever follows the end of a picture makes it another file, and is no part of what one sees.
            data = sources[(number + count) % len(sources)] + f"{number}/{count}".encode()
            try:
                media_id = client.send(data, f"{number}-{count}.jpg")
            except Unwelcome as refusal:
                with books:
                    figures.refused[str(refusal)] += 1
                continue
            with books:
                if media_id is not None:
                    figures.acknowledged[media_id] = hashlib.sha256(data).hexdigest()
            stop.wait(PAUSE_SECONDS)
        with books:
            figures.broken_off += client.broken_off

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    try:
        while figures.kills.total() < kills:
            time.sleep(chance.uniform(0.02, 0.4))
            _kill(vault, chance, figures)
    finally:
        stop.set()
        for thread in threads:
            thread.join(90)
    figures.killing_seconds = time.monotonic() - began


def _sources() -> list[bytes]:
    """Return real photos where this machine has the samples, and drawings of three sizes."""
    drawn = [pictures.encoded(pictures.drawing(width, width * 2 // 3), "JPEG") for width in (200, 400, 2000)]
    samples = sorted((SHARED / "photos").glob("*.jp*g")) if SHARED.is_dir() else []
    return drawn + [path.read_bytes() for path in samples if path.stat().st_size < LARGEST_SAMPLE]


def _kill(vault: LiveVault, chance: random.Random, figures: Figures) -> None:
    """Kill a process, or one of both kinds at once, and see how soon the vault answers again."""
    web, workers = vault.web_processes(), vault.workers()
    servers = [pid for pid in children(vault.process.pid) if pid not in workers]
    kinds = {"web process": web, "worker": workers}
    drawn = chance.random()
    if drawn < 0.1:
        # gunicorn's own process: all web processes end with it.
        kinds = {"web server": servers}
    elif drawn < 0.7:
        kind = chance.choice(["web process", "worker"])
        kinds = {kind: kinds[kind]}
    chosen = [(kind, chance.choice(pids)) for kind, pids in kinds.items() if pids]
    for kind, pid in chosen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            figures.kills[kind] += 1
    if any(kind != "worker" for kind, _ in chosen):
        figures.slowest_return_seconds = max(figures.slowest_return_seconds, _seconds_until_it_answers(vault))


def _seconds_until_it_answers(vault: LiveVault) -> float:
    began = time.monotonic()
    while time.monotonic() - began < 2 * ANSWERS_SECONDS:
        with suppress(*BROKEN_OFF):
            if vault.client().get("/healthz").status == 200:
                break
        time.sleep(0.02)
    return time.monotonic() - began


def _states() -> Counter[str]:
    db.session.rollback()
    return Counter(dict(db.session.execute(sa.select(Media.state, sa.func.count()).group_by(Media.state)).all()))


def _twice() -> int:
    """Count the files of which there is more than one row."""
    again = sa.select(Media.sha256).group_by(Media.sha256).having(sa.func.count() > 1).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(again)) or 0


def _is_there(vault: LiveVault, token: str, media_id: str, sha256: str) -> bool:
    answer = vault.client(token).get(f"/media/{media_id}/original")
    return answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == sha256
