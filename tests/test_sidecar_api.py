"""Sidecars laid beside a picture by the API, and what people write on its back."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests import pictures
from tests.factories import House, Person
from tests.scripts import Script, said
from tests.test_sidecars import takeout, xmp
from vault.db import db
from vault.models.media import Media
from vault.models.system import Event

SIDECAR = xmp('xmp:Rating="4" exif:DateTimeOriginal="2023-01-02T03:04:05+02:00"')
TAKEN = "2023-01-02T01:04:05Z"


def put(house: House, anna: Person, media: Media, body: bytes) -> TestResponse:
    return Script(house, anna).ask("PUT", f"/media/{media.public_id}/sidecar", data=body)


def lay(house: House, anna: Person, media: Media, body: bytes) -> Any:
    return said(put(house, anna, media, body), 200)


def again(media: Media) -> Media:
    db.session.rollback()
    return db.session.get_one(Media, media.id, populate_existing=True)


def test_a_sidecar_describes_a_picture_at_once_and_leaves_an_event(house: House) -> None:
    anna = house.person()
    media = house.picture(anna)

    shown = lay(house, anna, media, SIDECAR)

    facts = {"taken_at": TAKEN, "taken_offset_minutes": 120, "taken_source": "xmp-sidecar", "rating": 4}
    assert {name: shown[name] for name in facts} == facts
    db.session.rollback()
    event = db.session.query(Event).filter_by(action="media.sidecar").one()
    assert (event.subject, event.actor_id) == (media.public_id, anna.id)


def test_the_next_sidecar_takes_the_place_of_the_last(house: House) -> None:
    anna = house.person()
    media = house.picture(anna)
    lay(house, anna, media, SIDECAR)
    shown = lay(house, anna, media, takeout(description="On the pier", photoTakenTime={"timestamp": "1577836800"}))
    assert (shown["caption"], shown["taken_source"], shown["rating"]) == ("On the pier", "takeout", None)


def test_a_sidecar_of_a_pending_picture_counts_when_it_is_rendered(house: House) -> None:
    anna = house.person()
    exif = pictures.camera_exif(taken="2024:07:06 15:04:05", offset="+02:00", gps=True)
    media = house.picture(anna, data=pictures.jpeg(exif=exif, xmp=pictures.xmp_packet()), ready=False)
    lay(house, anna, media, SIDECAR)

    row = house.render(media)

    assert (row.taken_at, row.rating) == (datetime(2023, 1, 2, 1, 4, 5, tzinfo=UTC), 4)
    assert (row.title, row.caption, row.camera) == ("A day out", "Seen from the hill", "Testar One")
    assert row.sources == {
        "taken_at": "xmp-sidecar",
        "rating": "xmp-sidecar",
        "title": "xmp",
        "caption": "xmp",
        "place": "exif",
        "camera": "exif",
    }


@pytest.mark.parametrize("body", [b"", b"hello", b"{}", b"<a/>", b"<a>" * 9_000])
def test_nonsense_is_refused_with_a_sentence_and_changes_nothing(house: House, body: bytes) -> None:
    anna = house.person()
    media = house.picture(anna)
    answer = put(house, anna, media, body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.get_json()["detail"].startswith("This ")
    assert again(media).told == {}


def test_a_sidecar_that_is_too_large_is_not_read(house: House) -> None:
    anna = house.person()
    assert put(house, anna, house.picture(anna), b" " * (1024 * 1024 + 1)).status_code == 413


def test_a_session_needs_its_token(house: House) -> None:
    anna = house.person()
    media, browser = house.picture(anna), house.browser(anna)
    address = f"/api/v1/media/{media.public_id}/sidecar"
    assert browser.put(address, data=SIDECAR).status_code == 400
    assert browser.put(address, data=SIDECAR, headers=house.csrf(browser)).status_code == 200


def test_what_is_written_by_hand_is_answered_and_no_sidecar_overrules_it(house: House) -> None:
    anna = house.person()
    media, script = house.picture(anna), Script(house, anna)
    words: dict[str, Any] = {"title": "The lake", "keywords": ["lake", "Ben"], "rating": 5}

    shown = script.patch(f"/media/{media.public_id}", words | {"taken_at": "2021-07-01T12:00:00Z"})

    assert {name: shown[name] for name in words} == words
    assert shown["taken_source"] == "person"
    after = lay(house, anna, media, SIDECAR)
    assert {name: after[name] for name in words} == words
    assert after["taken_at"] == "2021-07-01T12:00:00Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"rating": 0},
        {"rating": 6},
        {"rating": True},
        {"rating": "5"},
        {"keywords": "lake"},
        {"keywords": [""]},
        {"keywords": ["x" * 101]},
        {"keywords": ["x"] * 101},
        {"keywords": ["a\0b"]},
        {"title": "x" * 301},
        {"title": None},
        {"taken_source": "exif"},
        {"part_of": None},
    ],
    ids=lambda wrong: json.dumps(wrong)[:30],
)
def test_what_cannot_be_written_is_refused(house: House, wrong: dict[str, Any]) -> None:
    anna = house.person()
    media = house.picture(anna)
    assert Script(house, anna).ask("PATCH", f"/media/{media.public_id}", wrong).status_code == 422


def test_the_page_shows_words_stars_and_the_clock_on_the_wall(house: House) -> None:
    anna = house.person()
    media, browser = house.picture(anna), house.browser(anna)
    form = {"title": "The lake", "caption": "Cold", "keywords": "lake, Ben,, <i>", "rating": "3"}
    lay(house, anna, media, SIDECAR)

    browser.post(f"/media/{media.public_id}/edit", data=form, headers=house.csrf(browser))

    page = browser.get(f"/media/{media.public_id}").get_data(as_text=True)
    assert "2 January 2023, 03:04, UTC+2 (date from the file beside it)" in page
    assert 'aria-label="3 of 5 stars"' in page
    assert all(f'<li class="chip chip-plain">{word}</li>' in page for word in ("lake", "Ben", "&lt;i&gt;"))
    assert '<h1 class="viewer-title">The lake</h1>' in page
    assert 'value="2023-01-02T03:04:05"' in page


def test_the_forms_clock_is_that_of_the_picture(house: House) -> None:
    anna = house.person()
    media, browser = house.picture(anna), house.browser(anna)
    lay(house, anna, media, SIDECAR)

    form = {"caption": "", "taken_at": "2023-01-02T05:04:05"}
    browser.post(f"/media/{media.public_id}/edit", data=form, headers=house.csrf(browser))

    row = again(media)
    assert (row.taken_at, row.taken_offset_minutes) == (datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC), 120)
