"""Large originals that take no room on the disk, and readers of large answers who keep nothing of them."""

import http.client
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tests.factories import House
from tests.live.client import Client
from vault.db import transaction
from vault.models.media import Media

PROC = Path("/proc")
PIECE_BYTES = 1024 * 1024


def grow(house: House, media: Media, size_bytes: int) -> None:
    """Make the original of a picture as large as that: a hole behind its bytes."""
    with house.vault.storage.local_path(media.blob_key) as path:
        os.truncate(path, size_bytes)
    with transaction() as session:
        session.execute(sa.update(Media).where(Media.id == media.id).values(size_bytes=size_bytes))


@contextmanager
def reading(who: Client, path: str) -> Iterator[http.client.HTTPResponse]:
    """Ask for something large, and read it as slowly as one likes."""
    connection = http.client.HTTPConnection("127.0.0.1", who.port, timeout=60)
    try:
        headers = {"Host": who.host} | ({"Authorization": f"Bearer {who.token}"} if who.token else {})
        connection.request("GET", path, headers=headers | ({"Cookie": who.cookie} if who.cookie else {}))
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        yield answer
    finally:
        connection.close()


def count(answer: http.client.HTTPResponse) -> int:
    """Read to the end, or to where the line was cut, and return how many bytes came."""
    came = 0
    try:
        while piece := answer.read(PIECE_BYTES):
            came += len(piece)
    except http.client.IncompleteRead as cut:
        came += len(cut.partial)
    return came


def forget_peak(pid: int) -> int:
    """Begin to measure the most memory that a process holds; return what it holds now, in bytes."""
    (PROC / str(pid) / "clear_refs").write_text("5")
    return peak_bytes(pid)


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process held since then."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", (PROC / str(pid) / "status").read_text())[0]) * 1024


def open_originals(pid: int) -> list[str]:
    """Return the originals that a process has open."""
    found = []
    for file in (PROC / str(pid) / "fd").iterdir():
        try:
            target = str(file.readlink())
        except FileNotFoundError:
            continue
        if "/originals/" in target:
            found.append(target)
    return found
