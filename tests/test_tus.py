"""The tus protocol as it is spoken here: every refusal with its own status, and nothing half-stored behind it."""

import hashlib
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine

from tests import tus
from tests.factories import House, small_picture
from tests.tus import PIECE, checksum, page, picture, script
from vault.db import db, transaction, utcnow
from vault.models.account import User
from vault.models.ingest import Upload
from vault.models.media import Media
from vault.storage.local import LocalStorage


def partials(house: House) -> list[str]:
    return [name for name, _ in house.vault.storage.partials()]


def kept(house: House, media_id: str) -> bytes:
    db.session.rollback()
    media = db.session.scalars(sa.select(Media).where(Media.public_id == media_id)).one()
    with house.vault.storage.open(media.blob_key) as blob:
        return blob.read()


class TestAFileInPieces:
    def test_it_is_kept_with_its_last_piece(self, house: House) -> None:
        anna, data = house.person("Anna"), picture(30_000)
        sends = page(house, anna)
        path = sends.begun(len(data), filename="lake.jpg", lastmodified="1721000000000")

        answers = [sends.send(path, at, data[at : at + 10_000]) for at in (0, 10_000, 20_000)]

        assert [(each.status_code, each.headers["Upload-Offset"]) for each in answers] == [
            (204, "10000"),
            (204, "20000"),
            (204, "30000"),
        ]
        assert [each.headers.get("Vault-Media") for each in answers[:2]] == [None, None]
        media_id = answers[2].headers["Vault-Media"]
        assert kept(house, media_id) == data
        media = db.session.scalars(sa.select(Media)).one()
        assert (media.file_name, media.owner_id, media.sha256) == (
            "lake.jpg",
            anna.id,
            hashlib.sha256(data).hexdigest(),
        )
        assert media.told == {"file_time": "2024-07-14T23:33:20+00:00"}
        assert partials(house) == []

    def test_it_comes_whole_with_its_creation(self, house: House) -> None:
        anna, data = house.person("Anna"), picture(30_000)
        sends = page(house, anna)

        answer = sends.create(len(data), data, filename="lake.jpg")

        assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "30000")
        assert kept(house, answer.headers["Vault-Media"]) == data
        assert sends.offset(answer.location) == 30_000
        assert sends.ask("HEAD", answer.location).headers["Vault-Media"] == answer.headers["Vault-Media"]
        assert (partials(house), list(house.vault.storage.temporaries())) == ([], [])

    def test_its_beginning_comes_with_its_creation(self, house: House) -> None:
        data = picture(30_000)
        sends = script(house, house.person("Anna"))

        begun = sends.create(len(data), data[:12_345])
        assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "12345")
        ended = sends.send(begun.location, 12_345, data[12_345:])

        assert kept(house, ended.headers["Vault-Media"]) == data

    def test_the_same_again_is_the_one_that_is_here(self, house: House) -> None:
        data = picture(5_000)
        sends = page(house, house.person("Anna"))
        first = sends.create(len(data), data)

        path = sends.begun(len(data))
        second = sends.send(path, 0, data)

        assert second.headers["Vault-Media"] == first.headers["Vault-Media"]
        assert (first.headers.get("Vault-Duplicate"), second.headers.get("Vault-Duplicate")) == (None, "true")
        assert sends.ask("HEAD", path).headers["Vault-Duplicate"] == "true"
        assert partials(house) == []

    def test_it_lands_in_its_album(self, house: House) -> None:
        anna, data = house.person("Anna"), picture()
        album = house.album(anna)
        sends = page(house, anna)
        path = sends.begun(len(data), album_id=album.public_id)

        media_id = sends.send(path, 0, data).headers["Vault-Media"]

        token = house.token(anna)
        shown = house.browser().get(f"/api/v1/albums/{album.public_id}/media", headers=token).get_json()
        assert [each["id"] for each in shown["items"]] == [media_id]

    def test_asking_says_what_was_said(self, house: House) -> None:
        sends = page(house, house.person("Anna"))
        with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
            path = sends.begun(1_000, filename="lake.jpg")
            answer = sends.ask("HEAD", path)

        assert answer.headers["Upload-Length"] == "1000"
        assert answer.headers["Upload-Metadata"] == tus.words(filename="lake.jpg")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        expires = parsedate_to_datetime(answer.headers["Upload-Expires"])
        assert expires.isoformat() == "2026-11-27T12:00:00+00:00"

    def test_each_piece_lets_it_live_on(self, house: House) -> None:
        data = picture(3_000)
        anna = house.person("Anna")
        with time_machine.travel(utcnow(), tick=False) as clock:
            sends = script(house, anna)
            path, answers = sends.begun(len(data)), []
            for at in (0, 1_000, 2_000):
                clock.shift(timedelta(days=6))
                answers.append(sends.send(path, at, data[at : at + 1_000]))

        assert kept(house, answers[-1].headers["Vault-Media"]) == data

    def test_nothing_more_is_sent_to_what_is_here(self, house: House) -> None:
        data = picture(5_000)
        sends = page(house, house.person("Anna"))
        ended = sends.create(len(data), data)

        again = sends.send(ended.location, 5_000, b"")

        assert (again.status_code, again.headers["Vault-Media"]) == (204, ended.headers["Vault-Media"])
        assert sends.send(ended.location, 5_000, b"x").status_code == 413
        assert sends.send(ended.location, 0, data).status_code == 409

    def test_it_may_come_without_its_length_said(self, house: House) -> None:
        data = picture(5_000)
        sends = script(house, house.person("Anna"))
        path = sends.begun(len(data))

        answer = sends.send(path, 0, data, Transfer_Encoding="chunked")

        assert kept(house, answer.headers["Vault-Media"]) == data


class TestOptions:
    def test_it_says_what_is_spoken_to_everybody(self, house: House) -> None:
        answer = house.browser().open("/uploads/", method="OPTIONS")

        assert answer.status_code == 204
        said = {name: value for name, value in answer.headers if name.startswith("Tus-")}
        assert said == {
            "Tus-Resumable": "1.0.0",
            "Tus-Version": "1.0.0",
            "Tus-Extension": "creation,creation-with-upload,checksum,expiration,termination",
            "Tus-Max-Size": str(4 * 1024**3),
            "Tus-Checksum-Algorithm": "sha1,sha256",
        }


class TestRefusals:
    @pytest.mark.parametrize("version", [None, "0.2.2", "1.0.0, 0.2.2"])
    def test_another_version_is_412_and_names_ours(self, house: House, version: str | None) -> None:
        sends = page(house, house.person("Anna"))
        path = sends.begun(10)

        for answer in (
            sends.ask("POST", "/uploads/", Upload_Length="10", Tus_Resumable=version),
            sends.ask("HEAD", path, Tus_Resumable=version),
            sends.send(path, 0, b"0123456789", Tus_Resumable=version),
            sends.ask("DELETE", path, Tus_Resumable=version),
        ):
            assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")
        assert sends.offset(path) == 0

    @pytest.mark.parametrize("length", [None, "", "-1", "1.5", "0x10", "1e3", " 5", "٣", "9" * 19])
    def test_an_odd_length_is_400(self, house: House, length: str | None) -> None:
        sends = page(house, house.person("Anna"))

        answer = sends.ask("POST", "/uploads/", Upload_Length=length)

        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")

    @pytest.mark.parametrize("offset", [None, "", "-1", "1.5", "0x0", "+0", "9" * 19])
    def test_an_odd_offset_is_400(self, house: House, offset: str | None) -> None:
        sends = page(house, house.person("Anna"))
        path = sends.begun(10)

        assert sends.send(path, 0, b"x", Upload_Offset=offset).status_code == 400
        assert sends.offset(path) == 0

    @pytest.mark.parametrize("header", ["Upload_Defer_Length", "Upload_Concat"])
    def test_what_is_not_spoken_here_is_400(self, house: House, header: str) -> None:
        sends = page(house, house.person("Anna"))

        assert sends.ask("POST", "/uploads/", Upload_Length="5", **{header: "1"}).status_code == 400

    @pytest.mark.parametrize(
        "said",
        [
            "filename not*base64",
            "filename /w==",
            "filename YQ==,filename YQ==",
            ",",
            "a YQ==,,b YQ==",
            "f\u00fcr YQ==".encode().decode("latin-1"),
            tus.words(sha256="abc"),
            tus.words(sha256="g" * 64),
            tus.words(purpose="something"),
            tus.words(lastmodified="yesterday"),
            ",".join(f"a{number}" for number in range(33)),
        ],
    )
    def test_odd_words_are_400(self, house: House, said: str) -> None:
        sends = page(house, house.person("Anna"))

        assert sends.ask("POST", "/uploads/", Upload_Length="5", Upload_Metadata=said).status_code == 400

    def test_a_piece_of_the_wrong_kind_is_415(self, house: House) -> None:
        sends = page(house, house.person("Anna"))
        path = sends.begun(10)

        assert sends.send(path, 0, b"x", Content_Type="application/octet-stream").status_code == 415
        assert sends.send(path, 0, b"x", Content_Type=None).status_code == 415
        assert sends.ask("POST", "/uploads/", b"x", Upload_Length="1", Content_Type="image/jpeg").status_code == 415
        assert sends.offset(path) == 0

    @pytest.mark.parametrize("offset", [0, 999, 1_001, 3_000])
    def test_a_wrong_offset_is_409_and_changes_nothing(self, house: House, offset: int) -> None:
        data = picture(3_000)
        sends = page(house, house.person("Anna"))
        path = sends.begun(len(data))
        sends.send(path, 0, data[:1_000])

        assert sends.send(path, offset, data[:10]).status_code == 409
        assert sends.offset(path) == 1_000
        assert kept(house, sends.send(path, 1_000, data[1_000:]).headers["Vault-Media"]) == data

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
    def test_a_bad_checksum_is_460_and_leaves_the_offset(self, house: House, algorithm: str) -> None:
        data = picture(3_000)
        sends = page(house, house.person("Anna"))
        path = sends.begun(len(data))
        assert sends.send(path, 0, data[:1_000], **_said(checksum(data[:1_000], algorithm))).status_code == 204

        wrong = sends.send(path, 1_000, data[1_000:2_000], **_said(checksum(b"other", algorithm)))
        assert (wrong.status_code, wrong.mimetype) == (460, "application/problem+json")
        assert sends.offset(path) == 1_000
        assert sends.send(path, 1_000, data[1_000:], **_said(checksum(b"other", algorithm))).status_code == 460
        assert sends.offset(path) == 1_000

        ended = sends.send(path, 1_000, data[1_000:], **_said(checksum(data[1_000:], algorithm)))
        assert kept(house, ended.headers["Vault-Media"]) == data

    @pytest.mark.parametrize("said", ["md5 AAAA", "sha1", "sha1 *", "crc32 AAAA", ""])
    def test_an_unknown_checksum_is_400(self, house: House, said: str) -> None:
        sends = page(house, house.person("Anna"))
        path = sends.begun(10)

        expected = 460 if said == "sha1" else 400
        assert sends.send(path, 0, b"01234", Upload_Checksum=said).status_code == expected
        assert sends.offset(path) == 0

    def test_a_whole_file_with_a_bad_checksum_is_460_and_nowhere(self, house: House) -> None:
        data = picture(3_000)
        sends = page(house, house.person("Anna"))

        answer = sends.ask("POST", "/uploads/", data, Upload_Length="3000", **_said({**PIECE, **checksum(b"other")}))

        assert answer.status_code == 460
        assert _nothing_is_here(house)

    def test_a_file_that_is_not_the_one_announced_is_460_and_over(self, house: House) -> None:
        data = picture(3_000)
        sends = page(house, house.person("Anna"))
        other = hashlib.sha256(b"other").hexdigest()

        path = sends.begun(len(data), sha256=other)
        assert sends.send(path, 0, data[:1_000]).status_code == 204
        assert sends.send(path, 1_000, data[1_000:]).status_code == 460

        assert sends.ask("HEAD", path).status_code == 410
        assert sends.send(path, 1_000, data[1_000:]).status_code == 410
        assert sends.create(len(data), data, sha256=other).status_code == 460
        assert _nothing_is_here(house)
        right = sends.create(len(data), data, sha256=hashlib.sha256(data).hexdigest().upper())
        assert right.status_code == 201

    def test_more_than_announced_is_413(self, house: House) -> None:
        data = picture(3_000)
        sends = page(house, house.person("Anna"))
        path = sends.begun(len(data))
        assert sends.send(path, 0, data[:2_000]).status_code == 204

        assert sends.send(path, 2_000, data[2_000:] + b"x").status_code == 413
        assert sends.offset(path) == 2_000
        assert sends.send(path, 2_000, data[2_000:] + b"x", Transfer_Encoding="chunked").status_code == 413
        assert sends.offset(path) == 2_000
        assert sends.create(len(data), data + b"x").status_code == 413
        assert kept(house, sends.send(path, 2_000, data[2_000:]).headers["Vault-Media"]) == data

    def test_more_than_the_limit_is_413(self, house: House) -> None:
        sends = page(house, house.person("Anna"))

        assert sends.create(house.vault.settings.max_upload_bytes + 1).status_code == 413

    def test_nothing_at_all_is_refused_in_the_usual_words(self, house: House) -> None:
        sends = page(house, house.person("Anna"))

        answer = sends.create(0)

        assert (answer.status_code, (answer.json or {})["detail"]) == (415, "This file is empty.")

    def test_what_is_not_kept_here_is_said_after_its_first_bytes(self, house: House) -> None:
        sends = page(house, house.person("Anna"))
        page_, size = b"<!doctype html>".ljust(6_000), 4 * 1024**3

        path = sends.begun(size)
        answer = sends.send(path, 0, page_)

        assert (answer.status_code, answer.mimetype) == (415, "application/problem+json")
        assert sends.ask("HEAD", path).status_code == 410
        assert sends.create(size, page_).status_code == 415
        assert _nothing_is_here(house)

    def test_it_is_said_too_when_the_first_bytes_come_one_by_one(self, house: House) -> None:
        sends = page(house, house.person("Anna"))
        path = sends.begun(1_000_000)

        answers = [sends.send(path, at, b"<".ljust(1_000)) for at in range(0, 5_000, 1_000)]

        assert [each.status_code for each in answers] == [204, 204, 204, 204, 415]

    def test_what_does_not_fit_into_the_quota_is_refused_at_once(self, house: House) -> None:
        sends = page(house, house.person("Anna", quota=10_000))
        sends.begun(6_000)

        answer = sends.create(4_001)

        assert (answer.status_code, (answer.json or {})["title"]) == (413, "Your space is full")
        assert sends.create(4_000, picture(4_000)).status_code == 201
        assert sends.create(1).status_code == 413

    def test_a_quota_that_shrinks_meanwhile_refuses_the_end_and_lets_it_go_on(self, house: House) -> None:
        anna, data = house.person("Anna", quota=10_000), picture(8_000)
        sends = page(house, anna)
        path = sends.begun(len(data))
        sends.send(path, 0, data[:5_000])
        _set(anna.id, quota_bytes=7_999)

        assert sends.send(path, 5_000, data[5_000:]).status_code == 413
        assert (sends.offset(path), list(house.vault.storage.keys())) == (5_000, [])

        _set(anna.id, quota_bytes=8_000)
        assert kept(house, sends.send(path, 5_000, data[5_000:]).headers["Vault-Media"]) == data

    def test_so_many_may_be_half_here_and_no_more(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vault.services.uploads.promises.MOST_OPEN", 2)
        anna, ben = page(house, house.person("Anna")), page(house, house.person("Ben"))
        data = picture(1_000)
        first = anna.begun(len(data))
        anna.begun(10)

        assert anna.create(10).status_code == 429
        ben.begun(10)
        anna.send(first, 0, data)
        assert anna.create(10).status_code == 201

    def test_a_full_disk_is_507_and_it_goes_on_when_there_is_room(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = picture(40 * 1024**2)
        sends = page(house, house.person("Anna"))
        path = sends.begun(len(data))
        sends.send(path, 0, data[:1_000])
        with monkeypatch.context() as full:
            full.setattr(LocalStorage, "free_bytes", lambda _storage: 0)
            assert sends.create(10).status_code == 507
            assert sends.send(path, 1_000, data[1_000:]).status_code == 507
            assert sends.offset(path) == 1_000
            (partial,) = (Path(house.vault.storage.partial(name)) for name in partials(house))
            assert partial.stat().st_size == 1_000

        assert kept(house, sends.send(path, 1_000, data[1_000:]).headers["Vault-Media"]) == data


class TestEnding:
    def test_what_was_here_is_gone(self, house: House) -> None:
        sends = page(house, house.person("Anna"))
        path = sends.begun(3_000)
        sends.send(path, 0, picture(3_000)[:1_000])

        assert sends.ask("DELETE", path).status_code == 204

        assert _nothing_is_here(house)
        assert [sends.ask(method, path).status_code for method in ("HEAD", "DELETE")] == [403, 403]
        assert sends.send(path, 1_000, b"x").status_code == 403

    def test_a_picture_that_it_became_stays(self, house: House) -> None:
        data = small_picture()
        sends = page(house, house.person("Anna"))
        ended = sends.create(len(data), data)

        assert sends.ask("DELETE", ended.location).status_code == 204
        assert kept(house, ended.headers["Vault-Media"]) == data

    def test_after_its_time_it_is_as_if_it_had_never_been(self, house: House) -> None:
        anna = house.person("Anna")
        path = script(house, anna).begun(3_000)

        with time_machine.travel(utcnow() + timedelta(days=7, seconds=1)):
            sends = script(house, anna)
            assert sends.ask("HEAD", path).status_code == 403
            assert sends.send(path, 0, b"x").status_code == 403

    def test_a_method_may_be_named_in_a_header(self, house: House) -> None:
        data = picture(3_000)
        sends = page(house, house.person("Anna"))
        path = sends.begun(len(data))

        sent = sends.ask("POST", path, data[:1_000], X_HTTP_Method_Override="PATCH", Upload_Offset="0", **_said(PIECE))
        assert (sent.status_code, sends.offset(path)) == (204, 1_000)
        assert sends.send(path, 1_000, data[1_000:], X_HTTP_Method_Override="DELETE").status_code == 405
        assert sends.ask("POST", path).status_code == 405
        assert sends.ask("HEAD", path, X_HTTP_Method_Override="DELETE").status_code == 405
        assert sends.ask("POST", "/uploads/", X_HTTP_Method_Override="DELETE", Upload_Length="1").status_code == 405
        without = tus.Sends(sends.browser)
        assert without.ask("POST", path, X_HTTP_Method_Override="DELETE").status_code == 400
        assert sends.ask("POST", path, X_HTTP_Method_Override="DELETE").status_code == 204


class TestLosses:
    def test_what_lies_beyond_the_acknowledged_offset_is_cut_off(self, house: House) -> None:
        data = picture(3_000)
        sends = page(house, house.person("Anna"))
        path = sends.begun(len(data))
        sends.send(path, 0, data[:1_000])
        (name,) = partials(house)
        with house.vault.storage.partial(name).open("ab") as partial:
            partial.write(b"of a process that was killed")

        assert kept(house, sends.send(path, 1_000, data[1_000:]).headers["Vault-Media"]) == data

    def test_bytes_that_are_gone_end_it_in_plain_words(self, house: House) -> None:
        data = picture(3_000)
        sends = page(house, house.person("Anna"))
        path = sends.begun(len(data))
        sends.send(path, 0, data[:1_000])
        (name,) = partials(house)
        house.vault.storage.discard_partial(name)

        answer = sends.send(path, 1_000, data[1_000:])

        assert (answer.status_code, (answer.json or {})["title"]) == (410, "This upload is over")
        assert sends.ask("HEAD", path).status_code == 410
        assert _nothing_is_here(house)

    def test_files_and_folders_are_for_the_vault_alone(self, house: House) -> None:
        sends = page(house, house.person("Anna"))
        sends.send(sends.begun(3_000), 0, picture(3_000)[:1_000])

        (name,) = partials(house)
        partial = house.vault.storage.partial(name)
        assert (partial.stat().st_mode & 0o777, partial.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def _said(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


def _set(user_id: int, **values: object) -> None:
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == user_id).values(**values))


def _nothing_is_here(house: House) -> bool:
    db.session.rollback()
    storage = house.vault.storage
    rows = [
        *db.session.scalars(sa.select(Media.id)),
        *db.session.scalars(sa.select(Upload.id).where(Upload.finished_at.is_(None)).where(Upload.received_bytes > 0)),
    ]
    return [*partials(house), *storage.keys(), *storage.temporaries(), *rows] == []
