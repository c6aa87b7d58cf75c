"""Archives for people: whole to who may have everything in them, and for nobody else, not even midway."""

import io
import itertools
import zipfile
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from tests.factories import House, Person
from vault.db import db, transaction
from vault.models.media import Album, Media, Order
from vault.models.sharing import Grant, Role
from vault.models.system import Event
from vault.policy import Action, Credential, authorize
from vault.services import albums, library, sessions, zipping
from vault.services.zipping import BrokenOff, Zip, choosing
from vault.signing import digest

PRIVATE_HEADERS = {
    "Accept-Ranges": "none",
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Type": "application/zip",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Cookie",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def contents(answer: TestResponse) -> dict[str, bytes]:
    """Return what an archive unpacks to. Raises AssertionError when it is not as long as its header says."""
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as opened:
        assert opened.testzip() is None
        return {info.filename: opened.read(info) for info in opened.infolist()}


def original(house: House, media: Media) -> bytes:
    with house.vault.storage.open(media.blob_key) as file:
        return file.read()


def take(house: House, who: Person, *media: Media | str) -> TestResponse:
    """Send the form of chosen pictures, as a page's script does."""
    browser = house.browser(who)
    ids = ",".join(each if isinstance(each, str) else each.public_id for each in media)
    return browser.post("/media/zip", data={"ids": ids}, headers=house.csrf(browser))


def test_an_album_comes_whole_and_in_its_order_with_the_headers_of_what_is_private(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna, "Sommer “am See”", order=Order.NEWEST)
    made = [house.picture(anna, album, file_name=name) for name in ("c.jpg", "猫.jpg", "a.jpg")]
    monkeypatch.setattr(choosing, "AT_ONCE", 2)
    house.grant(album, ben, Role.DOWNLOADER)
    browser = house.browser(ben)

    answer = browser.get(f"/albums/{album.public_id}/zip")
    head = browser.head(f"/albums/{album.public_id}/zip")

    found = contents(answer)
    assert list(found) == [f"Sommer “am See”/{name}" for name in ("a.jpg", "猫.jpg", "c.jpg")]
    assert list(found.values()) == [original(house, made[number]) for number in (2, 1, 0)]
    assert dict(answer.headers) == PRIVATE_HEADERS | {
        "Content-Length": str(len(answer.data)),
        "Content-Disposition": 'attachment; filename="Sommer _am See_.zip"; '
        "filename*=UTF-8''Sommer%20%E2%80%9Cam%20See%E2%80%9D.zip",
    }
    assert (head.status_code, head.data, dict(head.headers)) == (200, b"", dict(answer.headers))
    part = browser.get(f"/albums/{album.public_id}/zip", headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.data)) == (200, len(answer.data))


def test_an_archive_is_one_event_when_it_starts(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album)
    browser = house.browser(anna)

    browser.head(f"/albums/{album.public_id}/zip")
    whole = browser.get(f"/albums/{album.public_id}/zip")
    some = take(house, anna, media)

    events = db.session.scalars(sa.select(Event).where(Event.action.like("%.zip")).order_by(Event.id)).all()
    assert [(event.action, event.actor_id, event.subject, event.detail) for event in events] == [
        ("album.zip", anna.id, album.public_id, {"count": 1, "bytes": len(whole.data)}),
        ("media.zip", anna.id, "", {"count": 1, "bytes": len(some.data)}),
    ]


@sqlite_only
def test_albums_below_are_folders_as_far_as_one_sees_them(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    top = house.album(anna, "Top")
    twins = [house.album(anna, "Twin", parent=top) for _ in range(2)]
    deep, closed = house.album(anna, "../Deep", parent=twins[0]), house.album(anna, "Closed", parent=top)
    for album in (top, *twins, deep, closed):
        house.picture(anna, album, file_name="a.jpg")
    house.picture(anna, top, file_name="twin")
    house.grant(top, ben, Role.CONTRIBUTOR)
    # His own picture stays his, but that album is not his to know of any more.
    house.picture(ben, closed, file_name="b.jpg")
    albums.change(authorize(anna.viewer, Action.MANAGE, Album, closed.public_id), albums.Changes(inherits=False))
    path = f"/albums/{top.public_id}/zip"

    def names(who: Person, query: str) -> set[str]:
        return set(contents(house.browser(who).get(path + query)))

    alone = {"Top/a.jpg", "Top/twin"}
    seen = {"Top/a.jpg", "Top/twin (3)", "Top/Twin/a.jpg", "Top/Twin (2)/a.jpg", "Top/Twin/_Deep/a.jpg"}
    assert names(ben, "") == names(anna, "?below=0") == alone
    assert names(ben, "?below=1") == seen
    assert names(anna, "?below=1") == seen | {"Top/Closed/a.jpg", "Top/Closed/b.jpg"}
    token = house.token(ben)
    assert set(contents(house.browser().get(f"/api/v1{path}?below=true", headers=token))) == seen
    assert house.browser().get(f"/api/v1{path}?below=1", headers=token).status_code == 422


def test_an_album_without_pictures_is_an_archive_with_an_empty_folder(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    assert contents(house.browser(anna).get(f"/albums/{album.public_id}/zip")) == {"Summer/": b""}


def test_what_is_in_the_trash_or_of_a_disabled_owner_is_not_in_it(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.CONTRIBUTOR)
    house.picture(anna, album, file_name="kept.jpg")
    house.picture(ben, album, file_name="his.jpg")
    binned = house.picture(anna, album, file_name="binned.jpg")
    library.trash(authorize(anna.viewer, Action.TRASH, Media, binned.public_id))
    path = f"/albums/{album.public_id}/zip"

    assert set(contents(house.browser(anna).get(path))) == {"Summer/kept.jpg", "Summer/his.jpg"}
    house.disable(ben)
    assert set(contents(house.browser(anna).get(path))) == {"Summer/kept.jpg"}


def test_chosen_pictures_come_once_each_in_the_order_of_choosing(house: House) -> None:
    anna = house.person("Anna")
    one, two = (house.picture(anna, file_name=name) for name in ("one.jpg", "two.jpg"))
    found = contents(take(house, anna, two, one, two))
    assert list(found.items()) == [
        ("Pictures/two.jpg", original(house, two)),
        ("Pictures/one.jpg", original(house, one)),
    ]


def not_shared(house: House, anna: Person, _ben: Person, _album: Album) -> str:
    return house.picture(anna).public_id


def seen_only(house: House, anna: Person, ben: Person, _album: Album) -> str:
    other = house.album(anna)
    house.grant(other, ben, Role.VIEWER)
    return house.picture(anna, other).public_id


def thrown_away(house: House, _anna: Person, ben: Person, _album: Album) -> str:
    media = house.picture(ben)
    library.trash(authorize(ben.viewer, Action.TRASH, Media, media.public_id))
    return media.public_id


BARRED = [not_shared, seen_only, thrown_away, lambda *_: "A" * 22, lambda *_: "no-such-id", lambda *_: "\0猫"]


@pytest.mark.parametrize("barred", BARRED, ids=["not shared", "seen only", "thrown away", "missing", "odd", "hostile"])
def test_one_picture_that_may_not_be_taken_closes_the_whole_choice(
    house: House, barred: Callable[[House, Person, Person, Album], str]
) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.DOWNLOADER)
    open_to_him, own = house.picture(anna, album), house.picture(ben)
    media_id = barred(house, anna, ben, album)

    assert len(contents(take(house, ben, open_to_him, own))) == 2
    assert take(house, ben, open_to_him, media_id, own).status_code == 403
    assert take(house, ben, media_id).status_code == 403


@sqlite_only
def test_a_choice_has_its_bounds_and_its_proof(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = house.person("Anna")
    media = house.picture(anna)
    browser = house.browser(anna)

    assert take(house, anna).status_code == 422
    assert browser.post("/media/zip", data={"ids": media.public_id}).status_code == 400
    assert browser.post("/media/zip", data={"ids": media.public_id}, headers=house.token(anna)).status_code == 403
    assert take(house, anna, *(f"{number:022}" for number in range(10_000))).status_code == 403
    assert take(house, anna, *(f"{number:022}" for number in range(10_001))).status_code == 422


@sqlite_only
def test_an_album_that_is_too_large_is_refused_with_a_reason(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = house.person("Anna")
    top = house.album(anna)
    below = house.album(anna, parent=top)
    for album in (top, below, below):
        house.picture(anna, album)
    monkeypatch.setattr(choosing, "AT_ONCE", 1)
    monkeypatch.setattr(choosing, "MOST_ENTRIES", 2)
    browser = house.browser(anna)

    assert browser.get(f"/albums/{below.public_id}/zip").status_code == 200
    answer = browser.get(f"/albums/{top.public_id}/zip?below=1")

    assert (answer.status_code, "at most 2 pictures" in answer.text) == (422, True)


def revoke(_house: House, _anna: Person, ben: Person, _album: Album, _secret: str) -> None:
    with transaction() as session:
        session.execute(sa.delete(Grant).where(Grant.user_id == ben.id))


def throw_away(_house: House, anna: Person, _ben: Person, _album: Album, _secret: str) -> None:
    for media in db.session.scalars(sa.select(Media)).all():
        library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))


def disable_him(house: House, _anna: Person, ben: Person, _album: Album, _secret: str) -> None:
    house.disable(ben)


def disable_her(house: House, anna: Person, _ben: Person, _album: Album, _secret: str) -> None:
    house.disable(anna)


def sign_out(_house: House, _anna: Person, _ben: Person, _album: Album, secret: str) -> None:
    sessions.sign_out(secret)


def lose_the_bytes(house: House, _anna: Person, _ben: Person, _album: Album, _secret: str) -> None:
    for media in db.session.scalars(sa.select(Media)).all():
        house.vault.storage.delete(media.blob_key)


ENDS = [revoke, throw_away, disable_him, disable_her, sign_out]


@pytest.mark.parametrize(
    ("end", "at"),
    # What is gone from the disk stays readable to who has it open.
    [*itertools.product(ENDS, ["the next entry", "the next piece"]), (lose_the_bytes, "the next entry")],
)
def test_a_right_that_ends_midway_ends_the_archive(
    house: House, monkeypatch: pytest.MonkeyPatch, end: Callable[[House, Person, Person, Album, str], None], at: str
) -> None:
    found, everybody = begun(house, monkeypatch, at)
    came = [next(found.chunks)]

    end(house, *everybody)

    with pytest.raises(BrokenOff):
        came.extend(found.chunks)
    assert len(came) == 1


def begun(house: House, monkeypatch: pytest.MonkeyPatch, at: str) -> tuple[Zip, tuple[Person, Person, Album, str]]:
    """Begin an archive of two pictures whose next entry or piece comes after the first chunk."""
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.DOWNLOADER)
    for _ in range(2):
        house.picture(anna, album)
    secret, _ = sessions.open_for(house.vault, ben.id, user_agent="a test")
    proof = Credential(digest(secret))
    permit = authorize(proof, Action.DOWNLOAD, Album, album.public_id)
    monkeypatch.setattr(zipping, "JOINED_BYTES", 1 if at == "the next piece" else 500)
    monkeypatch.setattr(zipping, "PIECE_BYTES", 100 if at == "the next piece" else 10_000)
    found = zipping.of(house.vault, permit.viewer, "Summer", choosing.of_album(permit), proof=proof)
    if at == "the next piece":
        next(found.chunks)  # the head of the entry; its first bytes are behind it
    return found, (anna, ben, album, secret)


@sqlite_only
def test_a_broken_archive_is_a_line_that_was_cut(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    house.vault.storage.delete(house.picture(anna, album).blob_key)

    with pytest.raises(ConnectionResetError):
        house.browser(anna).get(f"/albums/{album.public_id}/zip")
