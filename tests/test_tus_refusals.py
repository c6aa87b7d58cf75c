"""What is refused of an upload in pieces: each with its own status, and nothing half-stored behind it."""

import hashlib
from pathlib import Path

import pytest

from tests import tus
from tests.factories import House
from tests.tus import (
    PIECE,
    change_person,
    checksum,
    kept,
    nothing_is_here,
    page,
    partials,
    picture,
    spoken,
)
from vault.storage.local import LocalStorage


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

        assert sends.ask("POST", "/uploads/", b"", Upload_Length="5", **{header: "1"}).status_code == 400

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
        assert sends.send(path, 0, data[:1_000], **spoken(checksum(data[:1_000], algorithm))).status_code == 204

        wrong = sends.send(path, 1_000, data[1_000:2_000], **spoken(checksum(b"other", algorithm)))
        assert (wrong.status_code, wrong.mimetype) == (460, "application/problem+json")
        assert sends.offset(path) == 1_000
        assert sends.send(path, 1_000, data[1_000:], **spoken(checksum(b"other", algorithm))).status_code == 460
        assert sends.offset(path) == 1_000

        ended = sends.send(path, 1_000, data[1_000:], **spoken(checksum(data[1_000:], algorithm)))
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

        answer = sends.ask("POST", "/uploads/", data, Upload_Length="3000", **spoken({**PIECE, **checksum(b"other")}))

        assert answer.status_code == 460
        assert nothing_is_here(house)

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
        assert nothing_is_here(house)
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
        assert nothing_is_here(house)

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
        change_person(anna.id, quota_bytes=7_999)

        assert sends.send(path, 5_000, data[5_000:]).status_code == 413
        assert (sends.offset(path), list(house.vault.storage.keys())) == (5_000, [])

        change_person(anna.id, quota_bytes=8_000)
        assert kept(house, sends.send(path, 5_000, data[5_000:]).headers["Vault-Media"]) == data

    def test_so_many_may_be_half_here_and_no_more(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vault.services.uploads.fitting.MOST_OPEN", 2)
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
