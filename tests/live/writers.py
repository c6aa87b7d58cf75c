"""Sixteen people who write at the same time, each with a ledger of what was acknowledged to him."""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.factories import House, small_picture
from tests.live.client import Answer, Client
from tests.live.commands import manage
from tests.live.server import looking_inside, running
from vault.db import db
from vault.models.account import Scope
from vault.models.media import Album, AlbumMedia, Media
from vault.models.sharing import Grant, Link, Role

WRITERS = 16
ROLES = ("viewer", "downloader", "contributor", "editor", "manager")


@dataclass
class Figures:
    """What was asked, what was answered, and what was missing afterwards."""

    deeds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    seconds: float = 0.0
    fsck: int = -1
    fsck_said: str = ""

    @property
    def refused(self) -> int:
        """How many changes were not answered with 2xx; a connection that broke counts as 599."""
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)

    @property
    def holds(self) -> bool:
        """Whether everything was taken and is there."""
        return not (self.refused or self.lost or self.fsck)

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"writers: {WRITERS} for {self.seconds:.0f} s: {self.statuses.total()} changes "
            f"({self.statuses.total() / self.seconds:.0f} a second, the slowest {self.slowest_seconds:.1f} s), "
            f"{self.refused} not answered with 2xx, {len(self.lost)} lost; fsck exits {self.fsck}"
        )


class Writer:
    """One person, what he does next, and what was acknowledged."""

    def __init__(self, number: int, client: Client, shared_id: str, friend_id: str) -> None:
        self.client = client
        self.shared_id = shared_id
        self.friend_id = friend_id
        self.chance = random.Random(number)  # noqa: S311  # chance, no secret
        self.deeds: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.slowest_seconds = 0.0
        self.captions: dict[str, str] = {}
        self.inside: dict[str, bool] = {}
        self.albums: dict[str, str] = {}
        self.grants: dict[str, str] = {}
        self.links: dict[str, bool] = {}

    def work(self, until: float) -> None:
        """Do one thing after another until a moment of the monotonic clock."""
        self.upload()
        self.make_album()
        others = [
            self.upload,
            self.caption,
            self.caption,
            self.make_album,
            self.grant,
            self.link,
            self.revoke,
            self.move,
        ]
        while time.monotonic() < until:
            self.chance.choice(others)()

    def upload(self) -> None:
        answer = self._timed("upload", lambda: self.client.upload(small_picture()))
        if answer.status == 201:
            self.captions[answer.json()["id"]] = ""

    def caption(self) -> None:
        media_id, caption = self.chance.choice(list(self.captions)), f"caption {self.chance.random()}"
        if self._json("caption", "PATCH", f"/media/{media_id}", {"caption": caption}).status == 200:
            self.captions[media_id] = caption

    def make_album(self) -> None:
        title = f"album {self.chance.random()}"
        answer = self._json("album", "POST", "/albums", {"title": title})
        if answer.status == 201:
            self.albums[answer.json()["id"]] = title

    def grant(self) -> None:
        album_id, role = self.chance.choice(list(self.albums)), self.chance.choice(ROLES)
        path = f"/albums/{album_id}/grants/{self.friend_id}"
        if self._json("grant", "PUT", path, {"role": role}).status == 200:
            self.grants[album_id] = role

    def link(self) -> None:
        album_id = self.chance.choice(list(self.albums))
        answer = self._json("link", "POST", f"/albums/{album_id}/links", {"label": "Friends", "role": "viewer"})
        if answer.status == 201:
            self.links[answer.json()["id"]] = True

    def revoke(self) -> None:
        live = [link_id for link_id, is_live in self.links.items() if is_live]
        if live and self._json("revoke", "DELETE", f"/links/{live[0]}").status == 204:
            self.links[live[0]] = False

    def move(self) -> None:
        media_id = self.chance.choice(list(self.captions))
        going_in = not self.inside.get(media_id, False)
        path = f"/albums/{self.shared_id}/media/{media_id}"
        if self._json("put or take out", "PUT" if going_in else "DELETE", path).status == 204:
            self.inside[media_id] = going_in

    def _json(self, deed: str, method: str, path: str, body: object = None) -> Answer:
        return self._timed(deed, lambda: self.client.json(method, path, body))

    def _timed(self, deed: str, ask: Callable[[], Answer]) -> Answer:
        began = time.monotonic()
        try:
            answer = ask()
        except (OSError, http.client.HTTPException) as error:
            answer = Answer(599, {}, repr(error).encode())
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
        self.deeds[deed] += 1
        self.statuses[answer.status] += 1
        return answer


def torture(home: Path, *, seconds: float) -> Figures:
    """Let sixteen people write to a vault of its own for a while; then hold the rows against their ledgers."""
    figures = Figures(seconds=seconds)
    with looking_inside(home) as house, running(home, "--web-workers", "2") as vault:
        writers = _writers(house, vault.client)
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=writer.work, args=(until,)) for writer in writers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds + 90)
        # Chance may have left these out where the time was short.
        writers[0].link()
        writers[0].revoke()
        for writer in writers:
            figures.deeds += writer.deeds
            figures.statuses += writer.statuses
            figures.slowest_seconds = max(figures.slowest_seconds, writer.slowest_seconds)
            figures.lost += _lost(writer)
    checked = manage(home, "fsck")
    figures.fsck, figures.fsck_said = checked.returncode, checked.stdout + checked.stderr
    return figures


def _writers(house: House, client: Callable[[str], Client]) -> list[Writer]:
    owner, friend = house.person("Owner"), house.person("Friend")
    shared, found = house.album(owner), []
    for number in range(WRITERS):
        person = house.person(f"Writer{number}")
        house.grant(shared, person, Role.CONTRIBUTOR)
        token = house.token(person, Scope.READ | Scope.WRITE)["Authorization"].removeprefix("Bearer ")
        found.append(Writer(number, client(token), shared.public_id, friend.public_id))
    return found


def _lost(writer: Writer) -> list[str]:
    """Return what was acknowledged to somebody and is not so."""
    db.session.rollback()
    captions = dict(_pairs(sa.select(Media.public_id, Media.caption), Media.public_id, writer.captions))
    albums = dict(_pairs(sa.select(Album.public_id, Album.title), Album.public_id, writer.albums))
    granted = sa.select(Album.public_id, Grant.role).join(Grant, Grant.album_id == Album.id)
    roles = {album_id: Role(role).label for album_id, role in _pairs(granted, Album.public_id, writer.grants)}
    links = dict(_pairs(sa.select(Link.public_id, Link.revoked_at.is_(None)), Link.public_id, writer.links))
    held = sa.select(Media.public_id, Album.public_id).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    shared = held.join(Album, Album.id == AlbumMedia.album_id).where(Album.public_id == writer.shared_id)
    inside = {media_id for media_id, _ in _pairs(shared, Media.public_id, writer.inside)}
    differing = [
        *(set(writer.captions.items()) ^ set(captions.items())),
        *(set(writer.albums.items()) ^ set(albums.items())),
        *(set(writer.grants.items()) ^ set(roles.items())),
        *(set(writer.links.items()) ^ set(links.items())),
        *({media_id for media_id, is_in in writer.inside.items() if is_in} ^ inside),
    ]
    return [str(each) for each in differing]


def _pairs(rows: sa.Select[Any, Any], name: Any, ledger: Iterable[str]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    names = list(ledger)
    for start in range(0, len(names), 500):
        found += db.session.execute(rows.where(name.in_(names[start : start + 500]))).all()
    return found
