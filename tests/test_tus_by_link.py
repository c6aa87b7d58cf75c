"""What guests leave half here: never more than their link allows, and no longer than it and their visit live."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests import tus
from tests.factories import House, Person
from tests.test_tus_guests import guest
from tests.tus import change_person, partials, picture
from vault.db import db, transaction, utcnow
from vault.models.history import Visit
from vault.models.ingest import Upload
from vault.models.sharing import Link, LinkRole
from vault.services import maintenance, uploads
from vault.services.uploads import resumable
from vault.services.uploads.fitting import STEP_BYTES
from vault.storage.incoming import Incoming

ENDINGS: dict[str, tuple[type[Link | Visit], dict[str, Any]]] = {
    "paused": (Link, {"paused_at": utcnow()}),
    "revoked": (Link, {"revoked_at": utcnow()}),
    "expired": (Link, {"expires_at": utcnow() - timedelta(hours=1)}),
    "made anew": (Link, {"generation": 9}),
    "visit ended": (Visit, {"ended_at": utcnow()}),
    "visit over": (Visit, {"expires_at": utcnow() - timedelta(hours=1)}),
}


def blob(house: House, key: str) -> Path:
    with house.vault.storage.local_path(key) as path:
        return path


def drop(house: House, anna: Person, **terms: Any) -> tus.Sends:
    return guest(house, house.link(house.album(anna), role=LinkRole.DROP, **terms))


def test_half_files_count_against_the_links_limit(house: House) -> None:
    link = house.link(house.album(house.person("Anna")), role=LinkRole.DROP, max_uploads=2)
    first, second = guest(house, link), guest(house, link)

    codes = [sends.create(3_000).status_code for sends in (first, second, first, second)]

    assert codes == [201, 201, 422, 422]


def test_without_a_limit_a_link_has_only_so_many_open(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.services.uploads.fitting.MOST_OPEN_BY_LINK", 1)
    link = house.link(house.album(house.person("Anna")), role=LinkRole.DROP)

    assert [guest(house, link).create(3_000).status_code for _ in range(2)] == [201, 429]


def test_they_live_no_longer_than_link_and_visit(house: House) -> None:
    soon = utcnow() + timedelta(hours=2)
    sends = drop(house, house.person("Anna"), expires_at=soon)
    path = sends.begun(5_000)
    assert sends.send(path, 0, picture(5_000)[:4_500]).status_code == 204

    db.session.rollback()
    assert db.session.scalars(sa.select(Upload.expires_at)).one() <= soon


@pytest.mark.parametrize("how", ENDINGS)
def test_what_ended_counts_no_more_and_goes(house: House, how: str) -> None:
    anna, (table, values) = house.person("Anna"), ENDINGS[how]
    change_person(anna.id, quota_bytes=20_000)
    sends, mine = drop(house, anna), tus.page(house, anna)
    path = sends.begun(15_000)
    assert sends.send(path, 0, picture(15_000)[:14_000]).status_code == 204
    assert mine.create(10_000).status_code == 413
    with transaction() as session:
        session.execute(sa.update(table).values(**values))

    assert mine.create(10_000).status_code == 201
    assert len(partials(house)) == 1
    assert maintenance.forget_uploads(house.vault) == 1
    assert partials(house) == []


def test_what_a_guest_announces_takes_no_room_from_the_owner(house: House) -> None:
    anna = house.person("Anna")
    change_person(anna.id, quota_bytes=20_000)
    drop(house, anna).begun(19_000)

    assert tus.page(house, anna).create(19_000).status_code == 201


def test_a_guest_learns_of_the_room_in_coarse_steps_only(house: House) -> None:
    anna = house.person("Anna")
    change_person(anna.id, quota_bytes=100_000, used_bytes=40_000)
    sends = drop(house, anna)

    assert [sends.create(size).status_code for size in (59_999, 60_001, 100_001)] == [201] * 3
    change_person(anna.id, used_bytes=100_000)
    refused = sends.create(3_000)
    assert (refused.status_code, uploads.FULL_FOR_GUESTS in refused.text) == (413, True)
    assert STEP_BYTES >= 1024**3


def test_nothing_more_comes_in_where_there_is_no_room(house: House) -> None:
    anna = house.person("Anna")
    sends = drop(house, anna)
    path = sends.begun(9_000)
    change_person(anna.id, quota_bytes=0)

    refused = sends.send(path, 0, picture(9_000)[:8_000])

    assert (refused.status_code, sends.offset(path)) == (413, 0)


@pytest.mark.parametrize("said", [{"guest_name": "x" * 101}, {"guest_name": "a\0b"}, {"filename": "a\0b" * 500}])
@pytest.mark.parametrize("whole", ["whole", ""])
def test_odd_names_are_kept_as_far_as_they_can_be(house: House, said: dict[str, str], whole: str) -> None:
    data = picture(3_000)

    answer = drop(house, house.person("Anna")).create(len(data), data if whole else b"", **said)

    assert answer.status_code == 201


def test_a_row_that_no_database_takes_leaves_no_bytes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite takes texts of any length")
    monkeypatch.setattr("vault.services.uploads.promises.plain_name", lambda name: name)
    data, sends = picture(3_000), drop(house, house.person("Anna"))
    house.app.config["PROPAGATE_EXCEPTIONS"] = False

    assert sends.create(len(data), data, guest_name="x" * 101).status_code == 500

    assert list(house.vault.storage.keys()) == []


def test_a_damaged_copy_is_mended_while_a_backup_holds_it(house: House) -> None:
    anna, data = house.person("Anna"), picture(6_000)
    media = house.picture(anna, data=data)
    path = blob(house, media.blob_key)
    path.write_bytes(data[:100])
    sends = tus.page(house, anna)
    whole = sends.begun(len(data))
    assert sends.send(whole, 0, data[:5_000]).status_code == 204

    with house.vault.storage.held():
        assert sends.send(whole, 5_000, data[5_000:]).status_code == 204

    assert path.read_bytes() == data


def test_a_damaged_copy_stays_until_the_new_one_is_here(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, data = house.person("Anna"), picture(6_000)
    media = house.picture(anna, data=data)
    path = blob(house, media.blob_key)
    path.write_bytes(data[:100])

    def fail(_incoming: Incoming, _key: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Incoming, "keep", fail)
    with Incoming(house.vault.storage, 10**6) as incoming:
        incoming.write(data)
        with pytest.raises(KeyboardInterrupt):
            uploads.receive(house.vault, anna.viewer, incoming, file_name="a.jpg")

    assert path.read_bytes() == data[:100]


def test_ending_is_noticed_while_a_piece_with_a_checksum_comes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "CHECKPOINT_BYTES", 256 * 1024)
    data = picture(4 * 1024**2)
    sends = tus.page(house, house.person("Anna"))
    path = sends.begun(len(data))
    read: list[int] = []

    class Ending(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if len(read) == 2:
                with transaction() as session:
                    session.execute(sa.delete(Upload))
            read.append(size or 0)
            return super().read(size)

    headers = {**tus.SPOKEN, **tus.PIECE, **sends.proof, **tus.checksum(data), "Upload-Offset": "0"}
    environ = {"wsgi.input": Ending(data), "CONTENT_LENGTH": str(len(data))}
    answer = sends.browser.open(path, method="PATCH", headers=headers, environ_overrides=environ)

    assert (answer.status_code, len(read) <= 4) == (403, True)
