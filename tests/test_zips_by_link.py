"""Archives for the visitors of links: the same bytes under the same terms as one by one, and no more rights."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from PIL.ExifTags import IFD
from werkzeug.test import TestResponse

from tests.factories import House
from tests.pictures import camera_exif, jpeg
from vault.db import db, transaction
from vault.imaging.sandbox import Sandbox
from vault.imaging.workshop import Workshop
from vault.models.media import Album, Media
from vault.models.sharing import Link, LinkRole, MetadataRule, Scope
from vault.models.system import Event
from vault.policy import Action, Credential, authorize
from vault.services import albums, editions, library, zipping
from vault.services.editions import making
from vault.services.zipping import BrokenOff, choosing
from vault.signing import digest

TERMS: dict[str, dict[str, Any]] = {
    "all is kept": {"metadata_rule": MetadataRule.KEEP, "neutral_names": False},
    "no location": {"metadata_rule": MetadataRule.STRIP_LOCATION, "neutral_names": False},
    "nothing but pixels": {"metadata_rule": MetadataRule.STRIP_ALL},
    "smaller": {"metadata_rule": MetadataRule.KEEP, "long_edge_px": 320},
    "with a name on it": {"watermark": "for Dora", "neutral_names": False},
}


@pytest.fixture(autouse=True, scope="module")
def benches() -> Iterator[None]:
    """One workshop for all houses of this file: starting its children takes longer than what they do."""
    found = Workshop(
        lambda: Sandbox(memory_bytes=1 << 30, cpu_seconds=20, wall_seconds=20, max_pixels=10**7, max_frames=9),
        benches=1,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "_workshop", lambda _settings: found)
        yield
    found.close()


def contents(answer: TestResponse) -> dict[str, bytes]:
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as opened:
        assert opened.testzip() is None
        return {info.filename: opened.read(info) for info in opened.infolist()}


def camera_picture(width: int = 400) -> bytes:
    return jpeg(Image.effect_noise((width, 300), 50).convert("RGB"), exif=camera_exif(gps=True))


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_what_is_in_it_is_what_one_gets_one_by_one(house: House, terms: dict[str, Any]) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    made = [
        house.picture(anna, album, data=camera_picture(width), file_name="at home.jpg", ready=False)
        for width in (400, 410)
    ]
    for media in made:
        house.render(media)
    link = house.link(album, role=LinkRole.DOWNLOADER, **terms)
    visitor = house.visitor(link)

    answer = visitor.get(f"/l/{link.public_id}/zip")
    alone = [visitor.get(f"/l/{link.public_id}/media/{media.public_id}/original") for media in reversed(made)]

    found = contents(answer)
    assert list(found.values()) == [each.data for each in alone]
    if terms.get("neutral_names", True):
        assert list(found) == [f"Summer/picture-{media.public_id[:8]}.jpg" for media in reversed(made)]
    else:
        assert list(found) == ["Summer/at home.jpg", "Summer/at home (2).jpg"]
    located = [bool(Image.open(io.BytesIO(data)).getexif().get_ifd(IFD.GPSInfo)) for data in found.values()]
    assert located == [terms == TERMS["all is kept"]] * 2
    assert (answer.headers["Referrer-Policy"], answer.headers["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_link_gives_what_it_covers_and_not_what_is_beside_it(house: House) -> None:
    anna = house.person("Anna")
    top = house.album(anna, "Top")
    below, closed = house.album(anna, "Below", parent=top), house.album(anna, "Closed", parent=top)
    albums.change(authorize(anna.viewer, Action.MANAGE, Album, closed.public_id), albums.Changes(inherits=False))
    made = {
        name: house.picture(anna, album, file_name=name)
        for name, album in (("a.jpg", top), ("b.jpg", below), ("c.jpg", closed))
    }
    house.picture(anna, top, file_name="pending", ready=False)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, house.picture(anna, top).public_id))
    kept: dict[str, Any] = {"role": LinkRole.DOWNLOADER, "neutral_names": False, "metadata_rule": MetadataRule.KEEP}

    def names(link: Link) -> set[str]:
        return set(contents(house.visitor(link).get(f"/l/{link.public_id}/zip")))

    assert names(house.link(top, **kept)) == {"Top/a.jpg", "Top/Below/b.jpg"}
    assert names(house.link(top, scope=Scope.ALBUM, **kept)) == {"Top/a.jpg"}
    picked = house.link(top, scope=Scope.SELECTION, pictures=[made["a.jpg"]], label="For Dora", **kept)
    assert names(picked) == {"For Dora/a.jpg"}


def test_who_may_not_download_gets_no_archive(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    house.picture(anna, album)
    open_, other = (house.link(album, role=LinkRole.DOWNLOADER) for _ in range(2))
    seen_only, drop = house.link(album, role=LinkRole.VIEWER), house.link(album, role=LinkRole.DROP)
    locked = house.link(album, role=LinkRole.DOWNLOADER, password="a walk by the sea")
    revoked = house.link(album, role=LinkRole.DOWNLOADER)
    late = house.visitor(revoked)
    assert late.get(f"/l/{revoked.public_id}/zip").status_code == 200
    with transaction() as session:
        session.execute(sa.update(Link).where(Link.id == revoked.id).values(revoked_at=sa.func.current_timestamp()))

    statuses = {
        "open": house.visitor(open_).get(f"/l/{open_.public_id}/zip").status_code,
        "unlocked": house.visitor(locked, password="a walk by the sea").get(f"/l/{locked.public_id}/zip").status_code,
        "locked": house.visitor(locked).get(f"/l/{locked.public_id}/zip").status_code,
        "seen only": house.visitor(seen_only).get(f"/l/{seen_only.public_id}/zip").status_code,
        "drop only": house.visitor(drop).get(f"/l/{drop.public_id}/zip").status_code,
        "another link": house.visitor(other).get(f"/l/{open_.public_id}/zip").status_code,
        "no visitor": house.browser().get(f"/l/{open_.public_id}/zip").status_code,
        "its owner": house.browser(anna).get(f"/l/{open_.public_id}/zip").status_code,
        "revoked": late.get(f"/l/{revoked.public_id}/zip").status_code,
        "missing": house.visitor(open_).get(f"/l/{'A' * 22}/zip").status_code,
    }

    assert statuses == dict.fromkeys(statuses, 403) | {"open": 200, "unlocked": 200}


def test_an_archive_is_one_download_of_those_a_link_has(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    for _ in range(3):
        house.picture(anna, album)
    link = house.link(album, role=LinkRole.DOWNLOADER, max_downloads=1)
    path, first, second = f"/l/{link.public_id}/zip", house.visitor(link), house.visitor(link)

    assert first.head(path).status_code == 200
    assert [first.get(path, buffered=True).status_code for _ in range(2)] == [200, 200]
    assert [second.get(path).status_code, second.head(path).status_code] == [403, 403]
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Link, link.id).download_count == 1
    events = db.session.scalars(sa.select(Event).where(Event.action == "album.zip")).all()
    assert [(event.actor_id, event.actor, event.subject) for event in events] == [
        (None, f"link {link.public_id}", album.public_id)
    ]


@pytest.mark.parametrize("end", ["revoked", "paused", "rotated"])
def test_a_link_that_ends_midway_ends_the_archive(house: House, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    for _ in range(2):
        house.picture(anna, album)
    link = house.link(album, role=LinkRole.DOWNLOADER, metadata_rule=MetadataRule.KEEP)
    cookie = house.visitor(link).get_cookie("vault-visit", domain="127.0.0.1", path=f"/l/{link.public_id}/")
    assert cookie is not None
    db.session.rollback()  # what this session read is older than the visit
    proof = Credential(digest(cookie.value), link_id=link.public_id)
    permit = authorize(proof, Action.DOWNLOAD, Album, album.public_id)
    monkeypatch.setattr(zipping, "JOINED_BYTES", 1)
    monkeypatch.setattr(zipping, "PIECE_BYTES", 100)
    entries = choosing.of_album(permit)
    assert len(entries) == 2
    found = zipping.of(house.vault, permit.viewer, "Summer", entries, proof=proof, source=editions.to_take)
    came = [next(found.chunks), next(found.chunks)]

    now: Any = sa.func.current_timestamp()
    values = {"revoked": {"revoked_at": now}, "paused": {"paused_at": now}, "rotated": {"generation": 7}}[end]
    with transaction() as session:
        session.execute(sa.update(Link).where(Link.id == link.id).values(values))

    with pytest.raises(BrokenOff):
        came.extend(found.chunks)
    assert len(came) == 2
