"""The JSON API's pictures: uploading, describing, throwing away, asking how they are doing."""

import hashlib
from unittest.mock import ANY

from tests.factories import House, small_picture
from tests.scripts import Script, said
from vault.db import transaction
from vault.models.media import Media, State
from vault.models.sharing import Role

# What a file says of itself that says nothing, and has no company.
NOTHING_KNOWN: dict[str, object] = {
    "taken_offset_minutes": None,
    "taken_source": None,
    "keywords": [],
    "part_of": None,
    "raw": None,
    "camera": "",
    "lens": "",
    "f_number": None,
    "exposure_seconds": None,
    "iso": None,
    "focal_length_mm": None,
    "latitude": None,
    "longitude": None,
    "altitude_m": None,
}


def test_an_upload_is_answered_with_what_was_kept(house: House) -> None:
    anna = house.person()
    album = house.album(anna)
    data = small_picture()

    made = said(Script(house, anna).upload(data, "Küste \N{PARTY POPPER}.jpg", album_id=album.public_id), 201)

    assert made == {
        "id": ANY,
        "kind": "image",
        "media_type": "image/jpeg",
        "state": "pending",
        "failure": None,
        "width": None,
        "height": None,
        "taken_at": None,
        "uploaded_at": ANY,
        "trashed_at": None,
        "title": "",
        "caption": "",
        "rating": None,
        "duration_seconds": None,
        "playback": "",
        "file_name": "Küste \N{PARTY POPPER}.jpg",
        "owner_id": anna.public_id,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "placeholder": None,
        **NOTHING_KNOWN,
        "duplicate": False,
    }
    original = house.browser(anna).get(f"/media/{made['id']}/original")
    assert original.data == data
    listed = Script(house, anna).get(f"/albums/{album.public_id}/media")["items"]
    assert [item["id"] for item in listed] == [made["id"]]


def test_the_same_bytes_again_are_the_same_picture(house: House) -> None:
    script, data = Script(house, house.person()), small_picture()

    first, second = said(script.upload(data), 201), said(script.upload(data, "again.jpg"), 201)

    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["id"] == second["id"]


def test_a_picture_is_described(house: House) -> None:
    anna = house.person()
    media = house.picture(anna)
    script = Script(house, anna)

    described = script.patch(
        f"/media/{media.public_id}", {"caption": "The lake", "taken_at": "2021-07-01T12:00:00.25+02:00"}
    )

    assert (described["caption"], described["taken_at"]) == ("The lake", "2021-07-01T10:00:00.250000Z")
    assert script.get(f"/media/{media.public_id}") == described


def test_a_date_is_taken_back_by_null_and_kept_by_silence(house: House) -> None:
    anna = house.person()
    path = f"/media/{house.picture(anna).public_id}"
    script = Script(house, anna)
    script.patch(path, {"taken_at": "2021-07-01T10:00:00Z"})

    assert script.patch(path, {"caption": "The lake"})["taken_at"] == "2021-07-01T10:00:00Z"
    assert script.patch(path, {"taken_at": None})["taken_at"] is None


def test_a_picture_goes_to_the_trash_and_comes_back(house: House) -> None:
    anna = house.person()
    media = house.picture(anna)
    script = Script(house, anna)

    script.delete(f"/media/{media.public_id}")

    assert script.ask("GET", f"/media/{media.public_id}").status_code == 403
    assert script.get("/media")["items"] == []
    assert [item["id"] for item in script.get("/media?trashed=true")["items"]] == [media.public_id]
    assert script.post(f"/media/{media.public_id}/restore", status=200)["trashed_at"] is None
    assert [item["id"] for item in script.get("/media")["items"]] == [media.public_id]


def test_a_failed_picture_is_tried_again(house: House) -> None:
    anna = house.person()
    media = house.picture(anna, ready=False)
    with transaction() as session:
        row = session.get_one(Media, media.id)
        row.state, row.failure = State.FAILED, "It is broken."
    script = Script(house, anna)

    assert script.get(f"/media/{media.public_id}")["failure"] == "It is broken."
    again = script.post(f"/media/{media.public_id}/retry", status=200)

    assert (again["state"], again["failure"]) == ("pending", None)


def test_the_page_asks_how_its_pictures_are_doing(house: House) -> None:
    anna, ben = house.person(), house.person()
    ready, pending, foreign = house.picture(anna), house.picture(anna, ready=False), house.picture(ben)
    ids = ",".join([ready.public_id, pending.public_id, foreign.public_id, "odd", "A" * 22, "\0" * 22])

    states = Script(house, anna).ask("GET", "/media", query_string={"ids": ids, "limit": "100"}).get_json()

    assert states["next_cursor"] is None
    by_id = {item["id"]: item for item in states["items"]}
    assert by_id.keys() == {ready.public_id, pending.public_id}
    shown = by_id[ready.public_id]
    assert (shown["state"], shown["failure"], shown["width"], shown["height"]) == ("ready", None, 24, 16)
    assert shown["placeholder"].startswith("data:image/webp;base64,")
    assert by_id[pending.public_id]["state"] == "pending"


def test_only_who_may_download_learns_the_digest_and_only_the_owner_why_it_failed(house: House) -> None:
    anna, ben, cleo = house.person(), house.person(), house.person()
    album = house.album(anna)
    media = house.picture(anna, album, ready=False)
    with transaction() as session:
        row = session.get_one(Media, media.id)
        row.state, row.failure = State.FAILED, "It is broken."
    house.grant(album, ben, Role.VIEWER)
    house.grant(album, cleo, Role.DOWNLOADER)

    def seen(script: Script) -> tuple[object, object]:
        (item,) = script.get(f"/albums/{album.public_id}/media")["items"]
        return item["sha256"], item["failure"]

    assert seen(Script(house, ben)) == (None, None)
    assert seen(Script(house, cleo)) == (media.sha256, None)
    assert seen(Script(house, anna)) == (media.sha256, "It is broken.")


def test_a_picture_is_put_into_an_album_and_taken_out(house: House) -> None:
    anna = house.person()
    album, media = house.album(anna), house.picture(anna)
    script, place = Script(house, anna), f"/albums/{album.public_id}/media/{media.public_id}"

    assert script.put(place, status=204) is None
    assert script.put(place, status=204) is None
    assert script.get(f"/albums/{album.public_id}")["media_count"] == 1
    script.delete(place)
    script.delete(place)
    assert script.get(f"/albums/{album.public_id}/media")["items"] == []
