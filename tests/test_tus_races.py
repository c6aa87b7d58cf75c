"""Uploads in pieces when two things happen at once, and when a right ends while the bytes come in."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import tus
from tests.factories import House, Person
from tests.live.crowd import together
from vault.db import db, transaction
from vault.models.account import User
from vault.models.ingest import Upload
from vault.models.media import Media
from vault.models.sharing import Role
from vault.policy import Denied
from vault.services import OverQuota
from vault.services.uploads import resumable
from vault.services.uploads.pouring import Piece
from vault.services.uploads.promises import Announced, Over, Sender, Standing, WrongOffset
from vault.storage import InUse
from vault.storage.local import LocalStorage


class Slow(io.BytesIO):
    """A sender who does something before he sends on."""

    def __init__(self, data: bytes, meanwhile: Callable[[], object]) -> None:
        super().__init__(data)
        self._meanwhile: Callable[[], object] | None = meanwhile

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the first bytes at once, and the others after the deed."""
        if self.tell() and self._meanwhile:
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        return super().read(min(size or 0, 1_000))


def announced(house: House, person: Person, data: bytes, album_id: str | None = None) -> str:
    wanted = Announced(size_bytes=len(data), album_id=album_id)
    return resumable.create(house.vault, Sender(person.viewer), wanted).upload_id


def append(house: House, person: Person, upload_id: str, offset: int, source: io.BytesIO) -> Standing:
    return resumable.append(house.vault, Sender(person.viewer), upload_id, offset, Piece(source))


def whats_here(house: House) -> tuple[list[str], list[str], int]:
    db.session.rollback()
    partials = [name for name, _ in house.vault.storage.partials()]
    return partials, list(house.vault.storage.keys()), db.session.scalar(sa.select(sa.func.count(Media.id))) or 0


class TestTwoAtOnce:
    def test_two_pieces_at_once_are_one_piece(self, house: House) -> None:
        anna, data = house.person("Anna"), tus.picture(200_000)
        upload_id = announced(house, anna, data)

        def send() -> Standing:
            return append(house, anna, upload_id, 0, Slow(data, lambda: time.sleep(0.2)))

        outcomes = together(house.app, [send] * 4)

        done = [each for each in outcomes if isinstance(each, Standing)]
        assert {each.media_id for each in done} == {done[0].media_id}
        assert all(isinstance(each, (Standing, InUse, WrongOffset)) for each in outcomes)
        assert whats_here(house)[0] == []
        assert whats_here(house)[2] == 1

    def test_a_piece_meanwhile_is_turned_away_and_harms_nothing(self, house: House) -> None:
        anna, data = house.person("Anna"), tus.picture(200_000)
        upload_id = announced(house, anna, data)
        refusals: list[str] = []

        def barge_in() -> None:
            try:
                append(house, anna, upload_id, 0, io.BytesIO(b"something else"))
            except InUse as refusal:
                refusals.append(type(refusal).__name__)

        standing = append(house, anna, upload_id, 0, Slow(data, barge_in))

        assert refusals == ["InUse"]
        media = db.session.scalars(sa.select(Media).where(Media.public_id == standing.media_id)).one()
        with house.vault.storage.open(media.blob_key) as blob:
            assert blob.read() == data

    @pytest.mark.parametrize("is_last", [True, False])
    def test_ending_it_meanwhile_leaves_nothing(self, house: House, *, is_last: bool) -> None:
        anna, data = house.person("Anna"), tus.picture(200_000)
        upload_id = announced(house, anna, data)
        part = data if is_last else data[:100_000]

        slow = Slow(part, lambda: resumable.end(house.vault, Sender(anna.viewer), upload_id))
        with pytest.raises(Denied):
            append(house, anna, upload_id, 0, slow)

        assert whats_here(house) == ([], [], 0)
        assert db.session.scalar(sa.select(User.used_bytes)) == 0

    def test_a_quota_is_filled_by_as_many_as_fit(self, house: House) -> None:
        anna = house.person("Anna", quota=25_000)
        outcomes = together(house.app, [lambda: announced(house, anna, tus.picture(10_000)) for _ in range(6)])

        assert sum(isinstance(each, str) for each in outcomes) == 2
        assert sum(isinstance(each, OverQuota) for each in outcomes) == 4

    def test_only_what_the_charge_allows_is_kept_at_once(self, house: House) -> None:
        anna = house.person("Anna")
        files = [tus.picture(10_000) for _ in range(4)]
        ids = [announced(house, anna, data) for data in files]
        with transaction() as session:
            session.execute(sa.update(User).values(quota_bytes=25_000))

        def send(number: int) -> Standing:
            return append(house, anna, ids[number], 0, io.BytesIO(files[number]))

        outcomes = together(house.app, [lambda number=number: send(number) for number in range(4)])  # type: ignore[misc]  # a lambda's default has no type

        assert sum(isinstance(each, Standing) for each in outcomes) == 2
        assert sum(isinstance(each, OverQuota) for each in outcomes) == 2
        db.session.rollback()
        assert db.session.scalar(sa.select(User.used_bytes)) == 20_000


class TestRightsThatEnd:
    def test_a_right_to_the_album_that_ends_keeps_nothing(self, house: House) -> None:
        anna, ben, data = house.person("Anna"), house.person("Ben"), tus.picture(200_000)
        album = house.album(anna)
        house.grant(album, ben, Role.CONTRIBUTOR)
        upload_id = announced(house, ben, data, album.public_id)
        append(house, ben, upload_id, 0, io.BytesIO(data[:50_000]))

        slow = Slow(data[50_000:], lambda: house.grant(album, ben, Role.VIEWER))
        with pytest.raises(Denied):
            append(house, ben, upload_id, 50_000, slow)

        assert whats_here(house) == ([], [], 0)
        with pytest.raises(Over):
            resumable.find(Sender(ben.viewer), upload_id)

    def test_whoever_may_not_add_there_begins_nothing(self, house: House) -> None:
        anna, ben, data = house.person("Anna"), house.person("Ben"), tus.picture()
        album = house.album(anna)
        house.grant(album, ben, Role.VIEWER)

        with pytest.raises(Denied):
            announced(house, ben, data, album.public_id)

        assert db.session.scalar(sa.select(sa.func.count(Upload.id))) == 0

    def test_a_person_who_is_disabled_meanwhile_keeps_nothing(self, house: House) -> None:
        anna, data = house.person("Anna"), tus.picture(200_000)
        upload_id = announced(house, anna, data)

        with pytest.raises(Denied):
            append(house, anna, upload_id, 0, Slow(data, lambda: house.disable(anna)))

        assert whats_here(house) == ([], [], 0)

    def test_a_session_that_ended_sends_nothing_more(self, house: House) -> None:
        anna, data = house.person("Anna"), tus.picture(3_000)
        sends = tus.page(house, anna)
        path = sends.begun(len(data))
        sends.send(path, 0, data[:1_000])
        house.disable(anna)

        assert sends.send(path, 1_000, data[1_000:]).status_code == 401
        assert whats_here(house)[1:] == ([], 0)


class TestBrokenOff:
    def test_what_came_before_the_line_broke_is_acknowledged(self, house: House) -> None:
        anna, data = house.person("Anna"), tus.picture(200_000)
        upload_id = announced(house, anna, data)

        def hang_up() -> None:
            raise ConnectionResetError

        standing = append(house, anna, upload_id, 0, Slow(data, hang_up))

        assert standing.received_bytes == 1_000
        ended = append(house, anna, upload_id, 1_000, io.BytesIO(data[1_000:]))
        assert ended.media_id is not None

    def test_a_long_piece_is_acknowledged_on_its_way(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resumable, "CHECKPOINT_BYTES", 50_000)
        anna, data = house.person("Anna"), tus.picture(200_000)
        upload_id = announced(house, anna, data)

        def be_killed() -> None:
            raise SystemExit

        source = Slow(data, lambda: None)
        source._meanwhile = None  # noqa: SLF001  # its own field: the deed comes later here
        read = source.read

        def killed_later(size: int | None = -1, /) -> bytes:
            if source.tell() >= 120_000:
                be_killed()
            return read(size)

        source.read = killed_later  # type: ignore[method-assign]  # the sender of this test
        with pytest.raises(SystemExit):
            append(house, anna, upload_id, 0, source)

        assert resumable.find(Sender(anna.viewer), upload_id).received_bytes == 100_000
        assert append(house, anna, upload_id, 100_000, io.BytesIO(data[100_000:])).media_id

    def test_a_commit_whose_answer_is_lost_costs_no_acknowledged_byte(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna, data = house.person("Anna"), tus.picture(200_000)
        upload_id = announced(house, anna, data)
        append(house, anna, upload_id, 0, io.BytesIO(data[:50_000]))
        put = LocalStorage.put

        def put_and_fail(storage: LocalStorage, key: str, source: Path, *, stays: bool = False) -> None:
            put(storage, key, source, stays=stays)
            raise SystemExit

        with monkeypatch.context() as broken:
            broken.setattr(LocalStorage, "put", put_and_fail)
            with pytest.raises(SystemExit):
                append(house, anna, upload_id, 50_000, io.BytesIO(data[50_000:]))

        # As after a kill between the bytes and the row: what nobody names is there, and the upload goes on untouched.
        (left,) = house.vault.storage.keys()
        assert resumable.find(Sender(anna.viewer), upload_id).received_bytes == 50_000
        ended = append(house, anna, upload_id, 50_000, io.BytesIO(data[50_000:]))
        db.session.rollback()
        media = db.session.scalars(sa.select(Media).where(Media.public_id == ended.media_id)).one()
        for key in (left, media.blob_key):
            with house.vault.storage.open(key) as blob:
                assert blob.read() == data
        assert len(list(house.vault.storage.keys())) == 2
