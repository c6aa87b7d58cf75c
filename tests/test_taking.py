"""Downloads by a link are counted once, whatever becomes of them, and who looked is remembered without loss."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.counting import counted, rows
from tests.factories import House, Person
from tests.link_scene import COOKIE, ticket_of
from tests.live.crowd import together
from tests.test_hindered import read_only
from vault.db import db, transaction
from vault.models.history import Download, PersonSight, VisitSight
from vault.models.media import Album, Media
from vault.models.sharing import Link, LinkRole, MetadataRule, Role
from vault.models.system import Event
from vault.policy import Action, Credential, Permit, authorize
from vault.services import recording
from vault.services.recording import Recorder
from vault.signing import digest


@pytest.fixture
def anna(house: House) -> Person:
    """Return the owner of everything."""
    return house.person("Anna")


@pytest.fixture
def album(house: House, anna: Person) -> Album:
    """Return her album."""
    return house.album(anna)


@pytest.fixture
def media(house: House, anna: Person, album: Album) -> Media:
    """Return her picture in it."""
    return house.picture(anna, album)


def permit_of(browser: FlaskClient, link: Link, media: Media) -> Permit[Any]:
    """Return the permit with which a visitor takes a picture home."""
    proof = Credential(digest(ticket_of(browser, link)), link_id=link.public_id)
    return authorize(proof, Action.DOWNLOAD, Media, media.public_id)


def test_of_twenty_first_downloads_at_once_three_are_let_through(house: House, album: Album, media: Media) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER, max_downloads=3)
    permits = [permit_of(house.visitor(link), link, media) for _ in range(20)]

    def begin(permit: Permit[Any]) -> Callable[[], None]:
        return lambda: recording.claim(permit.viewer, permit.terms, media.public_id)  # type: ignore[arg-type]  # visitors have terms

    outcomes = together(house.app, [begin(permit) for permit in permits])

    assert sorted(type(each).__name__ for each in outcomes) == ["Denied"] * 17 + ["NoneType"] * 3
    assert counted(link, "download_count") == 3


def test_asking_is_no_download_and_resuming_no_second_one(house: House, album: Album, media: Media) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER, max_downloads=1)
    path = f"/l/{link.public_id}/media/{media.public_id}/original"
    first, second = house.visitor(link), house.visitor(link)

    for _ in range(3):
        assert first.head(path).status_code == 200
    assert counted(link, "download_count") == 0
    for part in ("bytes=0-9", "bytes=10-19", "bytes=0-"):
        assert first.get(path, headers={"Range": part}).status_code == 206
    assert counted(link, "download_count") == 1
    assert (second.head(path).status_code, second.get(path).status_code) == (403, 403)
    assert first.get(path).status_code == 200
    assert counted(link, "download_count") == 1


def test_a_download_is_complete_when_its_pieces_cover_the_file(house: House, album: Album, media: Media) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER, metadata_rule=MetadataRule.KEEP)
    path, browser = f"/l/{link.public_id}/media/{media.public_id}/original", house.visitor(link)
    size, cookie = media.size_bytes, {"Cookie": f"{COOKIE}={ticket_of(browser, link)}"}

    def fetch(part: tuple[int, int]) -> Callable[[], int]:
        said = {**cookie, "Range": f"bytes={part[0]}-{part[1]}"}
        return lambda: house.app.test_client(use_cookies=False).get(path, headers=said).status_code

    def finished() -> int:
        house.vault.recorder.flush()
        return rows(Download) - rows(Download, completed_at=None)

    half = size // 2
    for part in ((0, 9), (half, size - 1), (5, half - 2)):
        assert fetch(part)() == 206
        assert finished() == 0
    pieces = [(start, min(start + 40, half)) for start in range(0, half, 20)]
    assert set(together(house.app, [fetch(each) for each in pieces])) == {206}
    assert (finished(), rows(Download)) == (1, 1)
    assert fetch((0, size - 1))() == 206
    assert (finished(), rows(Event, action="media.download")) == (1, 1)


@contextmanager
def unwritable() -> Iterator[None]:
    """Let every write fail, as on a full disk."""
    db.session.rollback()
    sa.event.listen(db.engine, "begin", read_only)
    try:
        yield
    finally:
        sa.event.remove(db.engine, "begin", read_only)
        db.session.remove()
        db.engine.dispose()  # SQLite's connections stay as they were told to be


def test_a_full_disk_stops_no_picture(house: House, album: Album, media: Media) -> None:
    link = house.link(album, role=LinkRole.DOWNLOADER)
    browser, below = house.visitor(link), f"/l/{link.public_id}/media/{media.public_id}"

    with unwritable():
        found = [browser.get(f"{below}/{name}").status_code for name in ("thumb", "preview", "original")]
        page = browser.get(f"/l/{link.public_id}/").status_code
        house.vault.recorder.flush()

    assert (found, page) == ([200, 200, 200], 200)
    assert browser.get(f"{below}/preview").status_code == 200
    house.vault.recorder.flush()
    assert rows(VisitSight) == 1


def test_what_two_processes_note_at_once_is_kept_whole(house: House, anna: Person, album: Album, media: Media) -> None:
    link, ben = house.link(album, role=LinkRole.DOWNLOADER), house.person("Ben")
    house.grant(album, ben, Role.VIEWER)
    by_link = permit_of(house.visitor(link), link, media)
    by_grant = authorize(ben.viewer, Action.VIEW, Media, media.public_id)
    his = by_link.viewer.visit_id
    recorders = [Recorder(house.app.app_context) for _ in range(4)]  # one for each process
    size, rounds = 4_000, 20

    def note(recorder: Recorder, offset: int) -> Callable[[], None]:
        def work() -> None:
            for turn in range(rounds):
                recorder.opened(by_link, "preview")
                recorder.opened(by_grant, "preview")
                start = (offset * rounds + turn) * 25
                recorder.sent(his, media.public_id, (start, start + 25), size)
                recorder.flush()

        return work

    together(
        house.app, [note(recorder, 2 * number + side) for number, recorder in enumerate(recorders) for side in (0, 1)]
    )
    for recorder in recorders:
        recorder.flush()
        recorder.flush()

    db.session.rollback()
    assert db.session.scalars(sa.select(VisitSight.times)).all() == [8 * rounds]
    assert db.session.scalars(sa.select(PersonSight.times)).all() == [8 * rounds]
    assert db.session.scalars(sa.select(Download.pieces)).all() == [f"0-{size}"]
    assert rows(Event, action="media.download") == 1


def test_a_note_about_what_is_gone_takes_no_other_along(house: House, anna: Person, album: Album, media: Media) -> None:
    link, other = house.link(album), house.picture(anna, album)
    browser = house.visitor(link)
    for each in (media, other):
        assert browser.get(f"/l/{link.public_id}/media/{each.public_id}/preview").status_code == 200
    with transaction() as session:
        session.execute(sa.delete(Media).where(Media.id == other.id))

    house.vault.recorder.flush()

    assert rows(VisitSight) == 1
