"""Kills web processes and workers at random while people upload, and says afterwards what became of every picture."""

import hashlib
import http.client
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
from tests.live.client import Client
from tests.live.commands import manage
from tests.live.processes import children
from tests.live.server import LiveVault, eventually, looking_inside, running
from vault.db import db
from vault.models.account import Scope
from vault.models.media import Media, State

CLIENTS = 4
# A worker that was killed again and again is started again after at most half a minute.
DRAIN_SECONDS = 150.0
BROKEN_OFF = (OSError, http.client.HTTPException)


@dataclass
class Figures:
    """What happened, and what was there afterwards."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, str] = field(default_factory=dict)
    broken_off: int = 0
    refused: Counter[int] = field(default_factory=Counter)
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
        return not (self.refused or self.wrong or undone or self.fsck)

    def __str__(self) -> str:
        """Say it in one line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kills.items()))
        return (
            f"kills: {self.kills.total()} ({kinds}) in {self.killing_seconds:.0f} s; "
            f"{len(self.acknowledged)} uploads acknowledged, {self.broken_off} broken off, "
            f"{self.refused.total()} refused, {len(self.wrong)} lost or changed; "
            f"{self.states[State.PENDING]} pending and {self.states[State.FAILED]} failed "
            f"after {self.draining_seconds:.0f} s; fsck exits {self.fsck}"
        )


def torture(home: Path, *, kills: int, seed: int) -> Figures:
    """Kill so many processes of a vault of its own while four clients upload; then look at everything."""
    figures = Figures()
    with looking_inside(home) as house, running(home, "--web-workers", "2") as vault:
        token = house.token(house.person(), Scope.READ | Scope.WRITE)["Authorization"].removeprefix("Bearer ")
        _kill_during_uploads(vault, token, kills, random.Random(seed), figures)  # noqa: S311  # chance, no secret
        began = time.monotonic()
        with suppress(AssertionError):
            eventually(lambda: _states()[State.PENDING] == 0, DRAIN_SECONDS)
        figures.draining_seconds, figures.states = time.monotonic() - began, _states()
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
    stop, books = threading.Event(), threading.Lock()
    sources = [pictures.encoded(pictures.drawing(width, width * 2 // 3), "JPEG") for width in (200, 400, 2000)]

    def upload(number: int) -> None:
        client, count = vault.client(token), 0
        while not stop.is_set():
            count += 1
            data = sources[count % len(sources)] + f"{number}/{count}".encode()
            _upload(client, data, figures, books)
            # As fast as people are, so that rendering keeps up and a killed worker was in the middle of it.
            stop.wait(0.05)

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    try:
        while figures.kills.total() < kills:
            time.sleep(chance.uniform(0.02, 0.4))
            _kill_one(vault, chance, figures)
    finally:
        stop.set()
        for thread in threads:
            thread.join(90)
    figures.killing_seconds = time.monotonic() - began


def _upload(client: Client, data: bytes, figures: Figures, books: threading.Lock) -> None:
    try:
        answer = client.upload(data)
    except BROKEN_OFF:
        with books:
            figures.broken_off += 1
        time.sleep(0.02)
        return
    with books:
        if answer.status == 201:
            figures.acknowledged[answer.json()["id"]] = hashlib.sha256(data).hexdigest()
        else:
            figures.refused[answer.status] += 1


def _kill_one(vault: LiveVault, chance: random.Random, figures: Figures) -> None:
    web, workers = vault.web_processes(), vault.workers()
    servers = [pid for pid in children(vault.process.pid) if pid not in workers]
    candidates = [("web process", pid) for pid in web] + [("worker", pid) for pid in workers] * 2
    # gunicorn's own process now and then: all web processes end with it.
    candidates += [("web server", pid) for pid in servers] if chance.random() < 0.1 else []
    if not candidates:
        return
    kind, pid = chance.choice(candidates)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        figures.kills[kind] += 1


def _states() -> Counter[str]:
    db.session.rollback()
    return Counter(dict(db.session.execute(sa.select(Media.state, sa.func.count()).group_by(Media.state)).all()))


def _is_there(vault: LiveVault, token: str, media_id: str, sha256: str) -> bool:
    answer = vault.client(token).get(f"/media/{media_id}/original")
    return answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == sha256
