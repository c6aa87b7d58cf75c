"""What uploads in pieces leave behind, and for how long; and what one is told to be here before sending."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import tus
from tests.factories import House, Person, small_picture
from tests.tus import partials
from vault.db import db, transaction, utcnow
from vault.models.ingest import ImportRun, Upload
from vault.models.media import Media
from vault.policy import Action, authorize
from vault.services import library, maintenance
from vault.services.uploads import resumable
from vault.services.uploads.promises import Sender

TWO_DAYS = 2 * 86_400


def half_here(house: House, person: Person) -> str:
    """Leave a file half here, untouched for two days, and return its upload."""
    sends = tus.page(house, person)
    path = sends.begun(3_000)
    sends.send(path, 0, tus.picture(3_000)[:1_000])
    upload_id = path.rpartition("/")[2]
    age(house.vault.storage.partial(upload_id))
    return upload_id


def age(path: Path) -> None:
    then = time.time() - TWO_DAYS
    os.utime(path, (then, then))


def write(upload_id: str, **values: object) -> None:
    with transaction() as session:
        session.execute(sa.update(Upload).where(Upload.public_id == upload_id).values(**values))


class TestTheSweep:
    def test_what_somebody_may_go_on_with_stays(self, house: House) -> None:
        upload_id = half_here(house, house.person("Anna"))

        maintenance.tidy(house.vault)

        assert partials(house) == [upload_id]

    def test_what_is_over_goes_with_its_row(self, house: House) -> None:
        anna = house.person("Anna")
        over, lives = half_here(house, anna), half_here(house, anna)
        write(over, expires_at=utcnow() - timedelta(seconds=1))

        assert maintenance.forget_uploads(house.vault) == 1

        assert partials(house) == [lives]
        db.session.rollback()
        assert list(db.session.scalars(sa.select(Upload.public_id))) == [lives]

    @pytest.mark.parametrize("what", ["gone", "finished"])
    def test_bytes_that_no_open_upload_speaks_of_go(self, house: House, what: str) -> None:
        anna = house.person("Anna")
        left, lives = half_here(house, anna), half_here(house, anna)
        if what == "finished":
            write(left, finished_at=utcnow())
        else:
            with transaction() as session:
                session.execute(sa.delete(Upload).where(Upload.public_id == left))

        assert maintenance.sweep(house.vault) == 1

        assert partials(house) == [lives]

    def test_young_ones_and_strange_names_stay(self, house: House) -> None:
        folder = house.vault.storage.partial("n" * 22).parent
        (folder / ("n" * 22)).touch()
        (folder / "a note").touch()
        age(folder / "a note")

        assert maintenance.sweep(house.vault) == 0

        assert sorted(each.name for each in folder.iterdir()) == ["a note", "n" * 22]


class TestArchives:
    def test_a_whole_archive_begins_an_import(self, house: House) -> None:
        anna, data = house.person("Anna"), b"PK\x03\x04".ljust(9_000, b".")
        sends = tus.page(house, anna)
        path = sends.begun(len(data), purpose="archive", filename="holiday.zip")
        assert sends.send(path, 0, data[:5_000]).status_code == 204

        ended = sends.send(path, 5_000, data[5_000:])

        run = db.session.scalars(sa.select(ImportRun)).one()
        assert (ended.headers["Vault-Import"], ended.headers.get("Vault-Media")) == (run.public_id, None)
        assert sends.ask("HEAD", path).headers["Vault-Import"] == run.public_id
        with house.vault.storage.open(str(run.archive_key)) as archive:
            assert archive.read() == data
        assert partials(house) == []

    def test_what_is_no_archive_is_told_so_at_once(self, house: House) -> None:
        sends = tus.page(house, house.person("Anna"))
        path = sends.begun(9_000, purpose="archive")

        assert sends.send(path, 0, tus.picture(5_000)).status_code == 415
        assert partials(house) == []

    def test_too_many_at_once_may_come_in_later(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vault.services.importing.runs.MOST_WAITING", 0)
        data = b"PK\x03\x04".ljust(9_000, b".")
        anna = house.person("Anna")
        sends = tus.page(house, anna)
        path = sends.begun(len(data), purpose="archive")
        sends.send(path, 0, data[:5_000])

        assert sends.send(path, 5_000, data[5_000:]).status_code == 422

        assert resumable.find(Sender(anna.viewer), path.rpartition("/")[2]).received_bytes == 5_000


class TestKnown:
    def test_one_learns_of_ones_own_files_and_no_others(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        here, binned = house.picture(anna), house.picture(anna)
        theirs = house.picture(ben)
        library.trash(authorize(anna.viewer, Action.TRASH, Media, binned.public_id))
        sha256s = [here.sha256, binned.sha256, theirs.sha256, "0" * 64]

        answer = house.browser().post("/api/v1/media/known", json={"sha256": sha256s}, headers=house.token(anna))

        assert answer.json == {"items": [{"sha256": here.sha256, "id": here.public_id}]}

    def test_what_lies_in_the_trash_comes_out_when_it_is_sent(self, house: House) -> None:
        anna, data = house.person("Anna"), small_picture()
        binned = house.picture(anna, data=data)
        library.trash(authorize(anna.viewer, Action.TRASH, Media, binned.public_id))

        again = tus.page(house, anna).create(len(data), data)

        assert (again.headers["Vault-Media"], again.headers["Vault-Duplicate"]) == (binned.public_id, "true")
        db.session.rollback()
        assert db.session.scalar(sa.select(Media.trashed_at)) is None

    @pytest.mark.parametrize("body", [{}, {"sha256": ["0"]}, {"sha256": ["G" * 64]}, {"sha256": ["0" * 64] * 501}])
    def test_odd_questions_are_422(self, house: House, body: dict[str, list[str]]) -> None:
        headers = house.token(house.person("Anna"))

        assert house.browser().post("/api/v1/media/known", json=body, headers=headers).status_code == 422
