"""Visits and downloads over real connections, to a vault of two web processes."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.counting import counted, rows
from tests.factories import House, small_picture
from tests.live.client import Client
from tests.live.server import LiveVault, eventually, looking_inside, new_home, running
from vault.db import db
from vault.models.history import Download, Visit
from vault.models.media import Media
from vault.models.sharing import Link, LinkRole, MetadataRule
from vault.models.system import Event

CROWD, ROOM = 100, 5
LARGE_BYTES = 8 * 1024**2


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[LiveVault]:
    home = new_home(tmp_path_factory.mktemp("crowded"), migrated_database)
    with running(home, "--web-workers", "2", "--no-worker") as live:
        eventually(lambda: len(live.web_processes()) == 2)
        yield live


@pytest.fixture
def house(vault: LiveVault) -> Iterator[House]:
    with looking_inside(vault.home) as house:
        yield house


def at_once(deeds: list[Callable[[], int]]) -> list[int]:
    """Do everything at the same moment."""
    start = threading.Barrier(len(deeds))

    def do(deed: Callable[[], int]) -> int:
        start.wait(60)
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


def newcomer(vault: LiveVault, house: House, link: Link) -> Client:
    """Return somebody with a ticket, who was not let in yet."""
    client = vault.client()
    assert client.get(house.address(link)).status == 303
    return client


def test_five_of_a_hundred_who_open_a_link_at_once_are_let_in(vault: LiveVault, house: House) -> None:
    link = house.link(house.album(house.person()), max_visits=ROOM)
    crowd, page = [newcomer(vault, house, link) for _ in range(CROWD)], f"/l/{link.public_id}/"

    def come(client: Client) -> Callable[[], int]:
        return lambda: client.get(page).status

    statuses = at_once([come(client) for client in crowd])

    assert sorted(statuses) == [200] * ROOM + [403] * (CROWD - ROOM)
    assert (counted(link), rows(Visit, link_id=link.id)) == (ROOM, ROOM)
    again = at_once([come(client) for client in crowd])
    assert sorted(again) == sorted(statuses), "who is inside stays inside"
    assert counted(link) == ROOM


def large_picture(house: House) -> tuple[Media, Link]:
    """Make a picture that fits into no buffer, and a link by which it leaves as it is."""
    owner = house.person()
    album = house.album(owner)
    media = house.picture(owner, album, data=small_picture() + bytes(LARGE_BYTES))
    return media, house.link(album, role=LinkRole.DOWNLOADER, metadata_rule=MetadataRule.KEEP, max_downloads=1)


def inside(vault: LiveVault, house: House, link: Link) -> Client:
    """Return a visitor."""
    client = newcomer(vault, house, link)
    assert client.get(f"/l/{link.public_id}/").status == 200
    return client


def broken_off(client: Client, path: str, most: int) -> int:
    """Begin a download and hang up when so much of it came; return how much that was."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
        said = f"GET {path} HTTP/1.1\r\nHost: {client.host}\r\nCookie: {client.cookie}\r\n\r\n"
        connection.sendall(said.encode())
        found = b""
        while len(found) < most:
            found += connection.recv(65_536)
        head, _, body = found.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        return len(body)


def finished(link: Link) -> int:
    """Return how many downloads by a link are complete."""
    db.session.rollback()
    of_link = sa.select(sa.func.count()).select_from(Download).join(Visit, Visit.id == Download.visit_id)
    return db.session.scalar(of_link.where(Visit.link_id == link.id, Download.completed_at.is_not(None))) or 0


def pieces(link: Link) -> str:
    """Return what the vault knows to have gone out."""
    db.session.rollback()
    of_link = sa.select(Download.pieces).join(Visit, Visit.id == Download.visit_id).where(Visit.link_id == link.id)
    return db.session.scalar(of_link) or ""


def test_a_download_that_is_broken_off_and_resumed_counts_once(vault: LiveVault, house: House) -> None:
    media, link = large_picture(house)
    client, other = inside(vault, house, link), inside(vault, house, link)
    path = f"/l/{link.public_id}/media/{media.public_id}/original"

    assert client.send("HEAD", path).status == 200
    assert counted(link, "download_count") == 0
    came = broken_off(client, path, 1_000_000)
    eventually(lambda: pieces(link))
    assert finished(link) == 0
    middle = media.size_bytes // 2
    for start, end in ((came, middle), (middle + 1, media.size_bytes - 1)):
        assert finished(link) == 0
        part = client.get(path, Range=f"bytes={start}-{end}")
        assert (part.status, len(part.body)) == (206, end - start + 1)
    eventually(lambda: finished(link) == 1)

    assert counted(link, "download_count") == 1
    assert pieces(link) == f"0-{media.size_bytes}"
    assert rows(Event, action="media.download", subject=media.public_id) == 1
    assert other.get(path).status == 403


def test_ranges_that_are_fetched_side_by_side_are_one_download(vault: LiveVault, house: House) -> None:
    media, link = large_picture(house)
    client = inside(vault, house, link)
    path, step = f"/l/{link.public_id}/media/{media.public_id}/original", media.size_bytes // 7 + 1

    def fetch(start: int) -> Callable[[], int]:
        one = vault.client(cookie=client.cookie)
        return lambda: one.get(path, Range=f"bytes={start}-{min(start + step, media.size_bytes) - 1}").status

    assert at_once([fetch(start) for start in range(0, media.size_bytes, step)]) == [206] * 7
    eventually(lambda: finished(link) == 1)
    assert counted(link, "download_count") == 1
    assert rows(Event, action="media.download", subject=media.public_id) == 1
