"""The tus protocol as it is spoken here: files that come in pieces, are asked about, and end."""

import hashlib
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
import sqlalchemy as sa
import time_machine

from tests import tus
from tests.factories import House, small_picture
from tests.tus import (
    PIECE,
    kept,
    nothing_is_here,
    page,
    partials,
    picture,
    script,
    spoken,
)
from vault.db import db, utcnow
from vault.models.account import Scope
from vault.models.media import Media


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
        assert answer.headers["Cache-Control"] == "private, no-store"
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


class TestEnding:
    def test_what_was_here_is_gone(self, house: House) -> None:
        sends = page(house, house.person("Anna"))
        path = sends.begun(3_000)
        sends.send(path, 0, picture(3_000)[:1_000])

        assert sends.ask("DELETE", path).status_code == 204

        assert nothing_is_here(house)
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

        sent = sends.ask("POST", path, data[:1_000], X_HTTP_Method_Override="PATCH", Upload_Offset="0", **spoken(PIECE))
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
        assert nothing_is_here(house)

    def test_files_and_folders_are_for_the_vault_alone(self, house: House) -> None:
        sends = page(house, house.person("Anna"))
        sends.send(sends.begun(3_000), 0, picture(3_000)[:1_000])

        (name,) = partials(house)
        partial = house.vault.storage.partial(name)
        assert (partial.stat().st_mode & 0o777, partial.parent.stat().st_mode & 0o777) == (0o600, 0o700)


class TestTokens:
    @pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
    def test_whoever_may_write_or_read_learns_how_far_it_is(self, house: House, scope: Scope) -> None:
        anna, data = house.person("Anna"), picture()
        path = script(house, anna).begun(len(data))
        limited = tus.Sends(house.browser(), house.token(anna, scope))

        assert limited.offset(path) == 0

        may_write = scope is Scope.WRITE
        assert limited.send(path, 0, data).status_code == (204 if may_write else 403)
        # Elsewhere, what may only write reads nothing.
        assert limited.browser.get("/api/v1/media", headers=limited.proof).status_code == (403 if may_write else 200)

    def test_a_token_for_something_else_learns_nothing(self, house: House) -> None:
        anna = house.person("Anna", admin=True)
        path = script(house, anna).begun(1000)
        answer = tus.Sends(house.browser(), house.token(anna, Scope.ADMIN)).ask("HEAD", path)
        assert (answer.status_code, answer.headers.get("Upload-Offset")) == (403, None)
