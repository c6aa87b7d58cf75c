"""From a video that came in to one that plays: the worker's part, and what leaves under which terms."""

import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests import films, pictures
from tests.factories import House
from vault.app import create_app
from vault.config import Settings
from vault.db import db, transaction, utcnow
from vault.models.history import PersonSight
from vault.models.media import Media, Part, Playback, State, Variant
from vault.models.sharing import LinkRole, MetadataRule, Role
from vault.policy import Action, authorize
from vault.services import library, playback

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SECRET = b"SECRET-place"


def filmed(name: str = "mp4") -> bytes:
    """Return a film that says where it was made."""
    return films.film(name, seconds=0.6, tags={"comment": SECRET.decode()})


def ready(house: House, media: Media) -> Media:
    """Return a row anew."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Media, media.id)


def prepared(house: House, media: Media) -> Media:
    """Do all that the worker does with a row."""
    assert house.render(media).state == State.READY
    playback.prepare(house.vault, media.public_id)
    return ready(house, media)


def test_a_video_is_shown_first_and_plays_later(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    body = filmed("webm")
    media = house.picture(anna, data=body, file_name="boat.webm", ready=False)
    browser, stranger = house.browser(anna), house.browser(ben)
    shown = house.render(media)
    assert (shown.state, shown.playback, shown.media_type) == (State.READY, Playback.PENDING, "video/webm")
    assert shown.duration_seconds == pytest.approx(0.6, abs=0.1)
    address = f"/media/{media.public_id}"
    assert browser.get(f"{address}/thumb").status_code == 200
    assert browser.get(f"{address}/video").status_code == 404
    assert "being prepared for your browser" in browser.get(address).get_data(as_text=True)
    assert browser.get(f"{address}/original").data == body
    assert playback.due(house.vault) == ("playback", (media.public_id,))
    assert playback.due(house.vault, [("playback", (media.public_id,))]) is None

    playback.prepare(house.vault, media.public_id)

    assert ready(house, media).playback == Playback.READY
    assert playback.due(house.vault) is None
    whole = browser.get(f"{address}/video")
    assert (whole.status_code, whole.mimetype, whole.headers["Accept-Ranges"]) == (200, "video/mp4", "bytes")
    assert whole.headers["Cache-Control"] == "private, no-cache"
    assert "Content-Disposition" not in whole.headers
    assert SECRET in body
    assert SECRET not in whole.data
    assert films.seconds_of(whole.data)[2] == ["h264", "aac"]
    part = browser.get(f"{address}/video", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert browser.get(f"{address}/video", headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert browser.head(f"{address}/video").headers["Content-Length"] == str(len(whole.data))
    assert "<video" in browser.get(address).get_data(as_text=True)
    for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": whole.headers["ETag"]}):
        assert stranger.get(f"{address}/video", headers=headers).status_code == 403


def test_a_video_made_twice_is_the_same_video(house: House) -> None:
    anna = house.person("Anna")
    media = prepared(house, house.picture(anna, data=filmed(), file_name="a.mp4", ready=False))
    before = house.browser(anna).get(f"/media/{media.public_id}/video")
    with transaction() as session:
        session.get_one(Media, media.id).playback = Playback.PENDING
    playback.prepare(house.vault, media.public_id)
    playback.prepare(house.vault, media.public_id)
    after = house.browser(anna).get(f"/media/{media.public_id}/video")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    names = db.session.scalars(sa.select(Variant.name).where(Variant.media_id == media.id)).all()
    assert sorted(names) == ["preview", "thumb", "video"]


def test_drawing_it_once_more_leaves_what_plays(house: House) -> None:
    anna = house.person("Anna")
    media = prepared(house, house.picture(anna, data=filmed(), file_name="a.mp4", ready=False))
    with transaction() as session:
        session.get_one(Media, media.id).state = State.PENDING
    assert house.render(media).playback == Playback.READY
    assert house.browser(anna).get(f"/media/{media.public_id}/video").status_code == 200


def test_a_worker_that_was_killed_loses_nothing_and_not_for_ever(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna, data=filmed(), file_name="a.mp4", ready=False)
    house.render(media)
    with transaction() as session:
        session.get_one(Media, media.id).playback_claimed_at = utcnow()
    assert playback.due(house.vault) is None
    playback.prepare(house.vault, media.public_id)
    assert ready(house, media).playback == Playback.PENDING, "somebody works at it"
    playback.release_claims()
    assert playback.due(house.vault) == ("playback", (media.public_id,))
    with transaction() as session:
        row = session.get_one(Media, media.id)
        life = playback.line(house.vault.settings.video_seconds).claim_life
        row.playback_claimed_at, row.playback_attempts = utcnow() - life - timedelta(seconds=1), 5
    playback.prepare(house.vault, media.public_id)
    row = ready(house, media)
    assert (row.playback, row.playback_failure) == (
        Playback.FAILED,
        "Preparing this video was broken off again and again.",
    )
    library.retry(house.vault, authorize(anna.viewer, Action.TRASH, Media, media.public_id))
    playback.prepare(house.vault, media.public_id)
    assert ready(house, media).playback == Playback.READY


@sqlite_only
def test_what_cannot_be_prepared_says_so_and_can_be_taken_home(house: House) -> None:
    anna = house.person("Anna")
    body = filmed()
    media = house.picture(anna, data=body, file_name="a.mp4", ready=False)
    house.render(media)
    with house.vault.storage.temporary() as path:
        path.write_bytes(body[: len(body) // 3].ljust(len(body), b"\0"))
        house.vault.storage.put(media.blob_key, path)
    playback.prepare(house.vault, media.public_id)
    row = ready(house, media)
    assert (row.state, row.playback) == (State.READY, Playback.FAILED)
    assert row.playback_failure == "This video could not be prepared for browsers; it is probably damaged."
    browser = house.browser(anna)
    page = browser.get(f"/media/{media.public_id}").get_data(as_text=True)
    assert "it is probably damaged. You can download the original." in page.replace("\n", " ")
    assert browser.get(f"/media/{media.public_id}/original").status_code == 200
    assert browser.get(f"/media/{media.public_id}/video").status_code == 404


@sqlite_only
def test_a_play_is_counted_once_however_many_pieces_are_asked_for(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media = house.picture(anna, album)
    house.lay_moving(media)
    house.grant(album, ben, Role.VIEWER)
    browser = house.browser(ben)
    for span in ("bytes=0-", "bytes=100-", "bytes=200-"):
        assert browser.get(f"/media/{media.public_id}/video", headers={"Range": span}).status_code == 206
    assert browser.head(f"/media/{media.public_id}/video").status_code == 200
    house.vault.recorder.flush()
    db.session.rollback()
    seen = db.session.execute(sa.select(PersonSight.variant, PersonSight.times)).all()
    assert [tuple(each) for each in seen] == [("video", 1)]


def test_terms_let_a_video_out_without_its_words_or_not_at_all(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    body = films.film(seconds=0.6, size=(640, 360), tags={"comment": SECRET.decode()})
    media = prepared(house, house.picture(anna, album, data=body, file_name="a.mp4", ready=False))
    table: list[tuple[dict[str, Any], int, int, bool]] = [
        ({"metadata_rule": MetadataRule.KEEP}, 200, 200, True),
        ({"metadata_rule": MetadataRule.STRIP_ALL}, 200, 200, False),
        ({"metadata_rule": MetadataRule.STRIP_LOCATION}, 200, 200, False),
        ({"metadata_rule": MetadataRule.KEEP, "watermark": "For Ben"}, 403, 403, False),
        ({"metadata_rule": MetadataRule.KEEP, "long_edge_px": 320}, 403, 403, False),
        ({"metadata_rule": MetadataRule.STRIP_ALL, "long_edge_px": 640}, 200, 200, False),
    ]
    for terms, video, original, is_whole in table:
        link = house.link(album, role=LinkRole.DOWNLOADER, **terms)
        visitor = house.visitor(link)
        address = f"/l/{link.public_id}/media/{media.public_id}"
        assert visitor.get(f"{address}/thumb").status_code == visitor.get(f"{address}/preview").status_code == 200
        played, taken = visitor.get(f"{address}/video"), visitor.get(f"{address}/original")
        assert (played.status_code, taken.status_code) == (video, original), terms
        assert (SECRET in taken.data) == is_whole, terms
        assert SECRET not in played.data
        page = visitor.get(address).get_data(as_text=True)
        assert ("<video" in page) == (video == 200), terms
        assert ("shows a still picture of this video" in page) == (video != 200), terms
        packed = visitor.get(f"/l/{link.public_id}/zip")
        within = zipfile.ZipFile(io.BytesIO(packed.data)).namelist() if packed.status_code == 200 else []
        names = [name for name in within if not name.endswith("/")]
        assert len(names) == (original == 200), terms
        assert all(name.endswith(".mp4") for name in names)
        assert is_whole or SECRET not in packed.data


def test_the_seconds_behind_a_picture_play_and_it_stays_a_picture(house: House) -> None:
    anna = house.person("Anna")
    jpeg = pictures.encoded(pictures.drawing(), "JPEG")
    moving = prepared(house, house.picture(anna, data=jpeg + filmed(), file_name="MVIMG_1.jpg", ready=False))
    broken = prepared(house, house.picture(anna, data=jpeg + filmed()[:3000], file_name="MVIMG_2.jpg", ready=False))
    still = prepared(house, house.picture(anna, data=jpeg, file_name="IMG_3.jpg", ready=False))
    assert [each.playback for each in (moving, broken, still)] == [Playback.READY, Playback.NONE, Playback.NONE]
    browser = house.browser(anna)
    answer = browser.get(f"/media/{moving.public_id}/motion")
    assert (answer.status_code, answer.mimetype) == (200, "video/mp4")
    assert SECRET not in answer.data
    assert films.seconds_of(answer.data)[0]
    assert browser.get(f"/media/{broken.public_id}/motion").status_code == 404
    assert browser.get(f"/media/{moving.public_id}/video").status_code == 404
    assert "data-live" in browser.get(f"/media/{moving.public_id}").get_data(as_text=True)
    assert "data-live" not in browser.get(f"/media/{broken.public_id}").get_data(as_text=True)


def test_the_film_of_a_live_photo_plays_at_its_still_and_is_decided_there(house: House) -> None:
    anna, ben, eve = (house.person(name) for name in ("Anna", "Ben", "Eve"))
    album = house.album(anna)
    still, film = house.picture(anna, album), house.picture(anna, data=filmed(), file_name="a.mov", ready=False)
    house.render(film)
    with transaction() as session:
        row = session.get_one(Media, film.id)
        row.part_of_id, row.part = still.id, Part.MOTION
    playback.prepare(house.vault, film.public_id)
    assert ready(house, still).playback == Playback.READY
    house.grant(album, ben, Role.VIEWER)
    assert house.browser(ben).get(f"/media/{still.public_id}/motion").status_code == 200
    assert house.browser(eve).get(f"/media/{still.public_id}/motion").status_code == 403
    assert house.browser(eve).get(f"/media/{film.public_id}/video").status_code == 403


@sqlite_only
def test_nginx_may_send_it(settings: Settings) -> None:
    app = create_app(replace(settings, delivery="x-accel"))
    with app.app_context():
        house = House(app)
        anna = house.person("Anna")
        media = house.picture(anna)
        house.lay_moving(media)
        answer = house.browser(anna).get(f"/media/{media.public_id}/video")
        assert (answer.status_code, answer.data, answer.mimetype) == (200, b"", "video/mp4")
        assert answer.headers["X-Accel-Redirect"].endswith("/video-v1.mp4")
        db.session.remove()
        db.engine.dispose()
