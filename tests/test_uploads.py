"""Taking in files: quotas to the byte, the same bytes twice, and a disk that is full."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.factories import House, Person, small_picture
from tests.live.crowd import together
from vault.db import db
from vault.imaging.identify import Unsupported
from vault.models.account import User
from vault.models.media import Media, State
from vault.models.sharing import Role
from vault.policy import NOBODY, Denied
from vault.services import OverQuota, inspection, uploads
from vault.services.uploads import Received
from vault.storage import StorageFull, TooLarge
from vault.storage.incoming import Incoming
from vault.storage.local import LocalStorage


def send(
    house: House, person: Person | None, data: bytes, name: str = "a.jpg", *, album_id: str | None = None
) -> Received:
    viewer = person.viewer if person else NOBODY
    with Incoming(house.vault.storage, 10**7) as incoming:
        incoming.write(data)
        return uploads.receive(house.vault, viewer, incoming, file_name=name, album_id=album_id)


def used(person: Person) -> int:
    db.session.rollback()
    return int(db.session.scalar(sa.select(User.used_bytes).where(User.id == person.id)) or 0)


def blobs(house: House) -> list[str]:
    return list(house.vault.storage.keys())


def leftovers(house: House) -> list[Path]:
    return [path for path, _ in house.vault.storage.temporaries()]


class TestReceiving:
    def test_it_is_there_byte_for_byte_under_a_pending_row(self, house: House) -> None:
        anna, data = house.person("Anna"), small_picture()

        received = send(house, anna, data, "sea.jpg")

        media = received.media
        assert (received.duplicate, media.state, media.media_type) == (False, State.PENDING, "image/jpeg")
        assert (media.file_name, media.size_bytes, used(anna)) == ("sea.jpg", len(data), len(data))
        with house.vault.storage.open(media.blob_key) as blob:
            assert blob.read() == data
        assert leftovers(house) == []

    @pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0" * 5000])
    def test_what_is_no_picture_leaves_nothing(self, house: House, data: bytes) -> None:
        anna = house.person("Anna")

        with pytest.raises(Unsupported):
            send(house, anna, data)

        assert (blobs(house), leftovers(house), used(anna)) == ([], [], 0)

    def test_nobody_and_a_viewer_of_the_album_may_not(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        album = house.album(anna)
        house.grant(album, ben, Role.VIEWER)

        with pytest.raises(Denied):
            send(house, ben, small_picture(), album_id=album.public_id)
        with pytest.raises(Denied):
            send(house, None, small_picture())

        assert (blobs(house), leftovers(house), used(ben)) == ([], [], 0)

    def test_a_right_that_ends_while_the_bytes_come_in_keeps_nothing(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        album = house.album(anna)
        house.grant(album, ben, Role.CONTRIBUTOR)
        keep = Incoming.keep

        def late(incoming: Incoming, key: str) -> None:
            house.grant(album, ben, Role.VIEWER)
            keep(incoming, key)

        monkeypatch.setattr(Incoming, "keep", late)
        with pytest.raises(Denied):
            send(house, ben, small_picture(), album_id=album.public_id)

        assert (blobs(house), used(ben), db.session.scalar(sa.select(Media.id))) == ([], 0, None)

    def test_a_file_larger_than_the_limit_leaves_nothing(self, house: House) -> None:
        with pytest.raises(TooLarge), Incoming(house.vault.storage, 100) as incoming:
            incoming.write(b"x" * 101)

        assert (blobs(house), leftovers(house)) == ([], [])

    def test_a_commit_of_unknown_outcome_never_leaves_a_row_without_its_bytes(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna = house.person("Anna")
        session = db.session()
        commit = session.commit

        def commit_and_lose_the_answer() -> None:
            commit()
            raise OperationalError("COMMIT", {}, ConnectionError("the server closed the connection"))

        monkeypatch.setattr(session, "commit", commit_and_lose_the_answer)
        with pytest.raises(OperationalError):
            send(house, anna, small_picture())
        monkeypatch.undo()

        assert inspection.inspect(house.vault, read_data=True).problems == []
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Media)) == 1


class TestQuota:
    def test_the_last_byte_fits_and_one_more_does_not(self, house: House) -> None:
        first, second = small_picture(), small_picture()
        exact = house.person("Anna", quota=len(first) + len(second))
        short = house.person("Ben", quota=len(first) + len(second) - 1)

        send(house, exact, first)
        send(house, exact, second)
        send(house, short, first)
        with pytest.raises(OverQuota):
            send(house, short, second)

        assert used(exact) == len(first) + len(second)
        assert used(short) == len(first)
        assert len(blobs(house)) == 3

    def test_parallel_uploads_fill_it_exactly(self, house: House) -> None:
        pictures = [small_picture() + b"." * (1000 + number) for number in range(16)]
        pictures = [picture.ljust(2000, b".") for picture in pictures]
        anna = house.person("Anna", quota=5 * 2000 + 1999)

        outcomes = together(house.app, [lambda data=data: send(house, anna, data) for data in pictures])  # type: ignore[misc]  # bound now

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["OverQuota"] * 11 + ["Received"] * 5
        assert used(anna) == 5 * 2000
        assert len(blobs(house)) == 5
        assert inspection.inspect(house.vault, read_data=True).problems == []

    def test_a_person_who_was_disabled_meanwhile_is_not_told_of_a_quota(self, house: House) -> None:
        anna = house.person("Anna")
        house.disable(anna)

        with pytest.raises(Denied):
            send(house, anna, small_picture())

        assert (blobs(house), used(anna)) == ([], 0)


class TestTheSameBytesTwice:
    def test_the_second_copy_is_the_first_one(self, house: House) -> None:
        anna, data = house.person("Anna"), small_picture()

        first, second = send(house, anna, data, "one.jpg"), send(house, anna, data, "two.jpg")

        assert (first.duplicate, second.duplicate) == (False, True)
        assert (second.media.id, second.media.file_name) == (first.media.id, "one.jpg")
        assert (used(anna), len(blobs(house)), leftovers(house)) == (len(data), 1, [])

    def test_it_goes_into_the_album_that_was_named(self, house: House) -> None:
        anna, data = house.person("Anna"), small_picture()
        album = house.album(anna)
        send(house, anna, data)

        for _ in range(2):
            send(house, anna, data, album_id=album.public_id)

        db.session.expire_all()
        assert album.media_count == 1

    def test_two_people_have_two_blobs(self, house: House) -> None:
        anna, ben, data = house.person("Anna"), house.person("Ben"), small_picture()

        assert not send(house, anna, data).duplicate
        assert not send(house, ben, data).duplicate
        assert (len(blobs(house)), used(anna), used(ben)) == (2, len(data), len(data))

    def test_sixteen_at_once_make_one_and_count_once(self, house: House) -> None:
        data = small_picture()
        anna = house.person("Anna", quota=10 * len(data))
        album = house.album(anna)

        outcomes = together(house.app, [lambda: send(house, anna, data, album_id=album.public_id)] * 16)

        received = [outcome for outcome in outcomes if isinstance(outcome, Received)]
        assert len(received) == 16
        assert [outcome.duplicate for outcome in received].count(False) == 1
        assert len({outcome.media.id for outcome in received}) == 1
        db.session.expire_all()
        assert (used(anna), len(blobs(house)), album.media_count) == (len(data), 1, 1)
        assert inspection.inspect(house.vault, read_data=True).problems == []

    def test_a_copy_of_what_lies_in_the_trash_takes_it_back(self, house: House) -> None:
        anna, data = house.person("Anna"), small_picture()
        album = house.album(anna)
        media = house.picture(anna, album, data=data)
        browser = house.browser(anna)
        browser.post(f"/media/{media.public_id}/trash", headers=house.csrf(browser))
        db.session.expire_all()
        assert (album.media_count, media.trashed_at is None) == (0, False)

        again = send(house, anna, data)

        db.session.expire_all()
        assert (again.duplicate, again.media.id, media.trashed_at, album.media_count) == (True, media.id, None, 1)
        assert browser.get(f"/media/{media.public_id}/thumb").status_code == 200


def full_at_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_incoming: Incoming, _view: memoryview) -> None:
        raise StorageFull("the disk is full")

    monkeypatch.setattr(Incoming, "_append", refuse)


def full_at_renaming(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_storage: LocalStorage, _key: str, _source: Path) -> None:
        raise StorageFull("the disk is full")

    monkeypatch.setattr(LocalStorage, "put", refuse)


def full_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalStorage, "free_bytes", lambda _storage: 0)


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)


class TestFullDisk:
    @pytest.mark.parametrize("cause", [full_from_the_start, full_at_writing, full_at_renaming, full_disk])
    def test_the_upload_says_so_and_nothing_is_half_stored(
        self, house: House, monkeypatch: pytest.MonkeyPatch, cause: Callable[[pytest.MonkeyPatch], None]
    ) -> None:
        anna = house.person("Anna")
        browser = house.browser(anna)
        headers = house.csrf(browser)

        with monkeypatch.context() as patch:
            cause(patch)
            answer = browser.post("/upload", data={"file": (_stream(small_picture()), "a.jpg")}, headers=headers)

        assert answer.status_code == 507
        assert "The vault is full" in answer.get_data(as_text=True)
        assert (blobs(house), leftovers(house), used(anna)) == ([], [], 0)
        assert db.session.scalar(sa.select(Media.id)) is None

    def test_signing_in_looking_revoking_and_deleting_go_on(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna, ben = house.person("Anna", password="a walk by the river"), house.person("Ben")
        album = house.album(anna)
        media = house.picture(anna, album)
        house.grant(album, ben, Role.VIEWER)
        full_from_the_start(monkeypatch)
        browser = house.browser()
        headers = house.csrf(browser)

        form = {"email": anna.email, "password": "a walk by the river"}
        assert browser.post("/sign-in", data=form, headers=headers).status_code == 302
        headers = house.csrf(browser)
        assert browser.get(f"/media/{media.public_id}/preview").status_code == 200
        revoke = f"/albums/{album.public_id}/grants/{ben.public_id}/revoke"
        assert browser.post(revoke, headers=headers).status_code == 302
        assert house.browser(ben).get(f"/media/{media.public_id}/thumb").status_code == 403
        assert browser.post(f"/media/{media.public_id}/trash", headers=headers).status_code == 302
        assert browser.post(f"/media/{media.public_id}/purge", headers=headers).status_code == 302
        assert (blobs(house), used(anna)) == ([], 0)


def _stream(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)
