"""Rot: it is named, locked away, told to its owner, and gone when the bytes are whole again."""

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.copies import path_of
from tests.factories import House, Person, small_picture
from vault.db import db
from vault.models.media import Media
from vault.models.system import Event
from vault.services import inspection, notices
from vault.services.inspection import Reading
from vault.storage.local import LocalStorage


def luck(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # chooses bits to flip


def flip_a_bit(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def without_token(page: bytes) -> bytes:
    return re.sub(rb'(csrf-token" content|csrf_token" value)="[^"]*"', b"", page)


def read(house: House, **how: object) -> inspection.Report:
    return inspection.inspect(house.vault, read_data=True, **how)  # type: ignore[arg-type]  # as a test says


def changed(report: inspection.Report) -> set[str]:
    return {line.split()[1].rstrip(":") for line in report.problems if line.endswith("its bytes have changed")}


def originals(house: House) -> dict[str, bytes]:
    return {key: path_of(house, key).read_bytes() for key in house.vault.storage.keys("originals/")}


def quarantined() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(Media.public_id).where(Media.quarantined_at.is_not(None))))


def a_picture(house: House, owner: Person, data: bytes | None = None) -> tuple[str, Path, bytes]:
    """Upload a picture; return its name, where its bytes lie, and the bytes."""
    sent = data or small_picture()
    media = house.picture(owner, data=sent, ready=False)
    return media.public_id, path_of(house, media.blob_key), sent


def test_one_bit_in_each_of_a_hundred_is_found_a_hundred_times(house: House) -> None:
    anna, chance = house.person("Anna"), luck(5)
    made = [a_picture(house, anna) for _ in range(130)]
    damaged = chance.sample(made, 100)
    for _, path, _ in damaged:
        flip_a_bit(path, chance)
    before = originals(house)

    report = read(house, fix=True)

    assert changed(report) == {public_id for public_id, _, _ in damaged} == quarantined()
    assert len(report.problems) == 100
    assert originals(house) == before
    assert len(notices.of(anna.id)) == 1
    assert notices.of(anna.id)[0].title == "100 pictures of yours are damaged"


class TestQuarantine:
    def test_what_is_damaged_is_shown_to_nobody_and_its_owner_is_told(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        media = house.picture(anna)
        public_id, path = media.public_id, path_of(house, media.blob_key)
        browser, other = house.browser(anna), house.browser(ben)
        strange = other.get(f"/media/{public_id}")
        flip_a_bit(path, luck(1))
        read(house)

        for face in ("thumb", "preview", "original"):
            assert browser.get(f"/media/{public_id}/{face}").status_code == 403
        page = browser.get(f"/media/{public_id}")
        assert page.status_code == 200
        assert "This picture is damaged" in page.get_data(as_text=True)
        assert "What to do" in browser.get("/").get_data(as_text=True)
        assert f"/media/{public_id}" in browser.get("/damaged").get_data(as_text=True)
        denied = other.get(f"/media/{public_id}")
        assert (denied.status_code, without_token(denied.data)) == (403, without_token(strange.data))
        assert public_id not in other.get("/damaged").get_data(as_text=True)
        assert house.browser().get(f"/media/{public_id}").status_code == 302
        assert (
            list(db.session.scalars(sa.select(Event.action).where(Event.subject == public_id)))[-1]
            == "media.quarantine"
        )

    def test_it_is_named_until_it_is_whole_and_then_released(self, house: House) -> None:
        anna = house.person("Anna")
        public_id, path, data = a_picture(house, anna)
        flip_a_bit(path, luck(2))
        read(house)
        assert inspection.inspect(house.vault).problems == [
            f"original {public_id}: its bytes have changed (in quarantine)"
        ]

        path.write_bytes(data)
        report = read(house)

        assert (report.problems, report.mended) == ([], [f"original {public_id}: whole again, out of quarantine"])
        assert quarantined() == set()
        assert notices.of(anna.id) == []
        assert inspection.inspect(house.vault).problems == []

    def test_the_same_file_uploaded_again_makes_it_whole(self, house: House) -> None:
        anna = house.person("Anna")
        public_id, path, data = a_picture(house, anna)
        flip_a_bit(path, luck(3))
        read(house)

        again, _, _ = a_picture(house, anna, data)

        assert again == public_id
        assert path.read_bytes() == data
        assert quarantined() == set()
        assert read(house).problems == []

    @pytest.mark.parametrize("how", ["bits", "a cut"])
    @pytest.mark.parametrize("when", ["_stands", "lock_away"])
    def test_what_was_uploaded_again_since_it_was_read_is_not_locked_away(
        self, house: House, monkeypatch: pytest.MonkeyPatch, when: str, how: str
    ) -> None:
        anna = house.person("Anna")
        public_id, path, data = a_picture(house, anna)
        flip_a_bit(path, luck(3))
        if how == "bits":
            read(house)
            assert quarantined() == {public_id}
        else:
            path.write_bytes(data[:-5])
        whose, name = (inspection._Inspection, when) if when == "_stands" else (inspection.keeping, when)  # noqa: SLF001  # what happens between reading and locking
        really = getattr(whose, name)

        def again(*args: object) -> object:
            if path.read_bytes() != data:
                db.session.rollback()
                a_picture(house, anna, data)
            return really(*args)

        monkeypatch.setattr(whose, name, again)
        read(house)

        assert path.read_bytes() == data
        assert quarantined() == set()
        assert read(house).holds

    def test_bytes_that_are_lost_come_back_by_the_same_way(self, house: House) -> None:
        anna = house.person("Anna")
        public_id, path, data = a_picture(house, anna)
        path.unlink()

        assert a_picture(house, anna, data)[0] == public_id
        assert read(house).problems == []

    def test_a_cut_file_is_rot_and_a_missing_one_is_not(self, house: House) -> None:
        anna = house.person("Anna")
        cut, missing = a_picture(house, anna), a_picture(house, anna)
        os.truncate(cut[1], 0)
        missing[1].unlink()

        read(house, fix=True)

        # A disk that is not there would take everything away from everybody.
        assert quarantined() == {cut[0]}
        assert cut[1].exists()


class Failing:
    """A storage whose files cannot be read, or are read differently each time."""

    def __init__(self, really: LocalStorage, how: str) -> None:
        self._really, self._how, self.count = really, how, 0

    def __getattr__(self, name: str) -> object:
        """Do everything else as the storage does."""
        return getattr(self._really, name)

    @contextmanager
    def unbuffered(self, key: str) -> Iterator[object]:
        """Open a file that fails."""
        with self._really.unbuffered(key) as file:
            self.count += 1
            yield _Wrong(file, self._how, self.count)


class _Wrong:
    def __init__(self, file: object, how: str, number: int) -> None:
        self._file, self._how, self._number = file, how, number

    def fileno(self) -> int:
        return self._file.fileno()  # type: ignore[attr-defined,no-any-return]  # a file

    def readinto(self, buffer: memoryview) -> int:
        if self._how == "EIO":
            raise OSError(5, "Input/output error")
        count: int = self._file.readinto(buffer)  # type: ignore[attr-defined]  # a file
        if count:
            buffer[0] ^= self._number
        return count


@pytest.mark.parametrize(
    ("how", "said"), [("EIO", "cannot be read: Input/output error"), ("unsteady", "it is read differently each time")]
)
def test_what_may_pass_locks_nothing_away(house: House, how: str, said: str) -> None:
    public_id, _, _ = a_picture(house, house.person("Anna"))
    storage = house.vault.storage
    assert isinstance(storage, LocalStorage)
    object.__setattr__(house.vault, "storage", Failing(storage, how))

    report = read(house, fix=True)

    object.__setattr__(house.vault, "storage", storage)
    assert [line.startswith(f"original {public_id}: {said}") for line in report.problems] == [True]
    assert quarantined() == set()


class TestStopped:
    def test_what_was_read_is_not_read_again_when_it_goes_on(self, house: House) -> None:
        anna = house.person("Anna")
        made = [a_picture(house, anna) for _ in range(40)]
        seen = [0]

        def stop() -> bool:
            return seen[0] > 3

        def told(_bytes: int) -> None:
            seen[0] += 1

        first = read(house, reading=Reading(told=told, stop=stop))
        rest = read(house, reading=Reading(go_on=True))
        none = read(house, reading=Reading(go_on=True))

        assert 0 < first.read < len(made)
        assert (first.read + first.unread, first.read + rest.read) == (len(made), len(made))
        assert (none.read, none.unread) == (0, 0)
        # All of it again, when nobody says that it is to go on.
        assert read(house).read == len(made)

    def test_what_is_damaged_is_read_first_the_next_time(self, house: House) -> None:
        anna = house.person("Anna")
        made = [a_picture(house, anna) for _ in range(3)]
        flip_a_bit(made[1][1], luck(4))
        read(house)

        report = read(house, reading=Reading(go_on=True))

        assert (report.read, changed(report)) == (1, {made[1][0]})
