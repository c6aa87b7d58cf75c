"""Files that belong together: who pairs with whom, and that what happens to the one happens to the other."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import House, small_picture
from tests.pairs import TAKEN, a_pair, again, file, pair
from tests.scripts import Script
from vault.db import db, transaction, utcnow
from vault.models.media import Album, AlbumMedia, Media, Order, Part, Playback
from vault.models.sharing import Link, LinkMedia, LinkRole, Role
from vault.models.sharing import Scope as LinkScope
from vault.policy import Action, Denied, Viewer, authorize, may
from vault.services import albums, library, parts
from vault.services.zipping import choosing


def count(album: Album) -> tuple[int, int]:
    """Return what an album counts, and what lies in it."""
    db.session.rollback()
    held = sa.select(sa.func.count()).select_from(AlbumMedia).where(AlbumMedia.album_id == album.id)
    kept = sa.select(Album.media_count).where(Album.id == album.id)
    return db.session.scalar(kept) or 0, db.session.scalar(held) or 0


class TestWhoPairs:
    @pytest.mark.parametrize("raw_first", [True, False])
    def test_a_raw_becomes_a_part_whichever_is_ready_last(self, house: House, *, raw_first: bool) -> None:
        anna = house.person()
        main, raw = (
            file(house, anna, "IMG_1.JPG"),
            file(house, anna, "img_1.dng", taken_at=TAKEN + timedelta(seconds=2)),
        )

        assert pair(main if raw_first else raw) == [(main.id, raw.id)]
        assert (again(raw).part_of_id, again(raw).part, again(main).part_of_id) == (main.id, Part.RAW, None)
        assert pair(main) == pair(raw) == []

    @pytest.mark.parametrize(
        "values",
        [
            {"taken_at": TAKEN + timedelta(seconds=3)},
            {"taken_at": None},
            {"camera": "Another"},
            {"trashed_at": utcnow()},
            {"quarantined_at": utcnow()},
            {"origin": "a visit"},
            {"awaiting_since": utcnow()},
            {"file_name": "IMG_2.dng"},
            {"state": "pending"},
        ],
        ids=lambda values: next(iter(values)),
    )
    def test_what_does_not_fit_stays_apart(self, house: House, values: dict[str, Any]) -> None:
        anna = house.person()
        main, raw = file(house, anna, "IMG_1.JPG"), file(house, anna, "IMG_1.dng", **values)
        assert pair(main) == pair(raw) == []

    def test_another_persons_raw_stays_apart(self, house: House) -> None:
        main, raw = file(house, house.person(), "IMG_1.JPG"), file(house, house.person(), "IMG_1.dng")
        assert pair(main) == pair(raw) == []

    def test_two_jpegs_stay_apart_and_a_picture_has_one_raw(self, house: House) -> None:
        anna = house.person()
        one, other = file(house, anna, "IMG_1.JPG"), file(house, anna, "IMG_1.jpeg")
        raws = [file(house, anna, "IMG_1.dng"), file(house, anna, "IMG_1.DNG")]
        assert pair(one) == [(one.id, raws[0].id)]
        assert pair(raws[1]) == [(other.id, raws[1].id)]

    @pytest.mark.parametrize(
        ("still", "film", "pairs"),
        [
            ({"content_id": "A" * 36}, {"content_id": "A" * 36, "file_name": "other.mov", "taken_at": None}, True),
            ({"content_id": "A" * 36}, {"content_id": "B" * 36, "duration_seconds": 2.0}, False),
            ({}, {"duration_seconds": 2.9, "taken_at": TAKEN - timedelta(seconds=3)}, True),
            ({}, {"duration_seconds": 9.0}, False),
            ({}, {"duration_seconds": None}, False),
            ({}, {"duration_seconds": 2.0, "taken_at": TAKEN - timedelta(seconds=4)}, False),
        ],
    )
    def test_a_live_photo_is_known_by_its_identifier_or_by_name_and_moment(
        self, house: House, still: dict[str, Any], film: dict[str, Any], *, pairs: bool
    ) -> None:
        anna = house.person()
        main, part = file(house, anna, "IMG_1.HEIC", **still), file(house, anna, "IMG_1.MOV", **film)
        assert pair(main) == ([(main.id, part.id)] if pairs else [])
        assert again(part).part == (Part.MOTION if pairs else Part.NONE)

    def test_what_belonged_to_a_raw_belongs_to_the_jpeg_that_comes_later(self, house: House) -> None:
        anna = house.person()
        raw, film = file(house, anna, "IMG_1.dng"), file(house, anna, "IMG_1.mov", duration_seconds=2.0)
        assert pair(film) == [(raw.id, film.id)]
        main = file(house, anna, "IMG_1.jpg")
        assert pair(main) == [(main.id, raw.id)]
        assert (again(film).part_of_id, again(raw).part_of_id) == (main.id, main.id)


class TestWhatFollows:
    def test_albums_count_the_main_one_which_is_their_cover(self, house: House) -> None:
        anna = house.person()
        by_time, by_hand = house.album(anna), house.album(anna, order=Order.MANUAL)
        raw, main = file(house, anna, "IMG_1.dng", by_time), file(house, anna, "IMG_1.JPG", by_time)
        for media in (raw, main):
            albums.put(authorize(anna.viewer, Action.ADD, Album, by_hand.public_id), media.public_id)
        # Put into the last of them, both lie in the same albums and are joined.
        assert again(raw).part_of_id == main.id
        assert [count(album) for album in (by_time, by_hand)] == [(1, 1)] * 2

    def test_a_cover_passes_to_the_main_one(self, house: House) -> None:
        anna = house.person()
        album = house.album(anna)
        raw, main = file(house, anna, "IMG_1.dng", album), file(house, anna, "IMG_1.JPG", album)
        albums.set_cover(authorize(anna.viewer, Action.ARRANGE, Album, album.public_id), raw.public_id)
        assert pair(main) == [(main.id, raw.id)]
        db.session.rollback()
        assert db.session.scalar(sa.select(Album.cover_id).where(Album.id == album.id)) == main.id

    def test_a_part_that_is_put_into_an_album_puts_its_picture_there(self, house: House) -> None:
        anna = house.person()
        (main, raw), album = a_pair(house, anna), house.album(anna)
        assert albums.put(authorize(anna.viewer, Action.ADD, Album, album.public_id), raw.public_id)
        assert count(album) == (1, 1)
        assert db.session.scalar(sa.select(AlbumMedia.media_id)) == main.id

    def test_lists_leave_parts_out(self, house: House) -> None:
        anna = house.person()
        main, raw = a_pair(house, anna, house.album(anna))
        script = Script(house, anna)
        assert [item["id"] for item in script.get("/media")["items"]] == [main.public_id]
        shown = script.get(f"/media/{main.public_id}")
        assert (shown["raw"], shown["part_of"]) == (raw.public_id, None)
        assert script.get(f"/media/{raw.public_id}")["part_of"] == main.public_id
        page = house.browser(anna).get(f"/media/{raw.public_id}").get_data(as_text=True)
        assert "Belongs to" in page
        assert f'href="/media/{main.public_id}"' in page

    def test_trash_restore_and_purge_take_parts_along(self, house: House) -> None:
        anna = house.person()
        main, raw = a_pair(house, anna, album := house.album(anna))

        library.trash(authorize(anna.viewer, Action.TRASH, Media, main.public_id))
        assert again(raw).trashed_at == again(main).trashed_at is not None
        assert [media.id for media in library.in_trash(anna.viewer, limit=9).items] == [main.id]
        assert count(album) == (0, 1)
        library.restore(authorize(anna.viewer, Action.RESTORE, Media, main.public_id))
        assert (again(raw).trashed_at, count(album)) == (None, (1, 1))

        library.trash(authorize(anna.viewer, Action.TRASH, Media, main.public_id))
        library.purge(house.vault, authorize(anna.viewer, Action.RESTORE, Media, main.public_id))
        db.session.rollback()
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Media)) == 0
        assert not list(house.vault.storage.keys(""))

    def test_the_same_bytes_again_take_both_out_of_the_trash(self, house: House) -> None:
        anna = house.person()
        data = small_picture()
        main, raw = file(house, anna, "IMG_1.JPG", data=data), file(house, anna, "IMG_1.dng")
        assert pair(raw) == [(main.id, raw.id)]
        library.trash(authorize(anna.viewer, Action.TRASH, Media, main.public_id))
        assert house.picture(anna, data=data, ready=False).id == main.id
        assert (again(main).trashed_at, again(raw).trashed_at) == (None, None)

    def test_the_page_of_a_live_photo_moves_it(self, house: House) -> None:
        anna = house.person()
        still, film = file(house, anna, "IMG_1.HEIC"), file(house, anna, "IMG_1.MOV", duration_seconds=2.0)
        with transaction() as session:
            session.execute(sa.update(Media).where(Media.id == film.id).values(playback=Playback.READY))
        assert pair(still) == [(still.id, film.id)]
        page = house.browser(anna).get(f"/media/{still.public_id}").get_data(as_text=True)
        assert f'href="/media/{still.public_id}/motion" data-live' in page

    def test_a_part_whose_picture_is_gone_is_there_again(self, house: House) -> None:
        anna = house.person()
        main, raw = a_pair(house, anna)
        with transaction() as session:
            session.execute(sa.update(Media).where(Media.id == main.id).values(trashed_at=utcnow()))
        assert [media.id for media in library.of_person(anna.viewer, limit=9).items] == [raw.id]
        with transaction() as session:
            session.execute(sa.delete(Media).where(Media.id == main.id))
        assert again(raw).part_of_id is None
        assert [media.id for media in library.of_person(anna.viewer, limit=9).items] == [raw.id]

    @pytest.mark.parametrize("by_script", [True, False])
    def test_kept_apart_they_stay_apart(self, house: House, *, by_script: bool) -> None:
        anna = house.person()
        main, raw = a_pair(house, anna)
        browser = house.browser(anna)

        if by_script:
            assert Script(house, anna).ask("DELETE", f"/media/{main.public_id}/parts").status_code == 204
        else:
            answer = browser.post(f"/media/{main.public_id}/keep-apart", headers=house.csrf(browser))
            assert answer.status_code == 302

        assert again(raw).part_of_id is None
        assert pair(raw) == pair(main) == []
        assert len(library.of_person(anna.viewer, limit=9).items) == 2


class TestWhoMayTakeIt:
    @pytest.mark.parametrize(
        ("role", "sees", "takes"), [(Role.VIEWER, True, False), (Role.DOWNLOADER, True, True), (None, False, False)]
    )
    def test_a_part_is_decided_like_its_picture(
        self, house: House, role: Role | None, *, sees: bool, takes: bool
    ) -> None:
        anna, ben = house.person(), house.person()
        album = house.album(anna)
        main, raw = a_pair(house, anna, album)
        if role is not None:
            house.grant(album, ben, role)

        assert may(ben.viewer, Action.VIEW, Media, raw.public_id) is sees
        assert may(ben.viewer, Action.DOWNLOAD, Media, raw.public_id) is takes
        answer = house.browser(ben).get(f"/media/{main.public_id}/raw")
        assert answer.status_code == (200 if takes else 403)
        assert ("img_1.dng" in answer.headers.get("Content-Disposition", "")) is takes
        shown = Script(house, ben).ask("GET", f"/media/{main.public_id}")
        assert (shown.json or {}).get("raw") == (raw.public_id if takes else None)

    def test_a_picture_without_a_raw_has_none_to_take(self, house: House) -> None:
        anna = house.person()
        media = house.picture(anna)
        assert house.browser(anna).get(f"/media/{media.public_id}/raw").status_code == 403
        with pytest.raises(Denied):
            parts.raw(authorize(anna.viewer, Action.DOWNLOAD, Media, media.public_id))

    def test_a_link_opens_no_part_whatever_it_shares(self, house: House) -> None:
        anna = house.person()
        album = house.album(anna)
        main, raw = file(house, anna, "IMG_1.JPG", album), file(house, anna, "IMG_1.dng", album)
        terms: dict[str, Any] = {"role": LinkRole.DOWNLOADER, "metadata_rule": "keep", "neutral_names": False}
        links = [
            house.link(album, **terms),
            house.link(album, **terms, scope=LinkScope.SELECTION, pictures=[main, raw]),
        ]
        assert pair(raw) == [(main.id, raw.id)]
        with transaction() as session:
            # A link without an album, to which the RAW was picked by hand: the rule itself says no.
            session.get_one(Link, links[1].id).album_id = None
            session.add(LinkMedia(link_id=links[1].id, position=9, media_id=raw.id))
        for link in links:
            visitor = Viewer(link_id=link.public_id, generation=link.generation)
            assert may(visitor, Action.VIEW, Media, main.public_id)
            assert not may(visitor, Action.VIEW, Media, raw.public_id)
            assert not may(visitor, Action.DOWNLOAD, Media, raw.public_id)
            browser = house.visitor(link)
            assert browser.get(f"/l/{link.public_id}/media/{raw.public_id}/original").status_code == 403
        picked = sa.select(LinkMedia.media_id).where(LinkMedia.link_id == links[1].id)
        assert sorted(db.session.scalars(picked)) == [main.id, raw.id]

    def test_an_archive_for_people_holds_parts_and_one_for_visitors_does_not(self, house: House) -> None:
        anna = house.person()
        main, raw = a_pair(house, anna, album := house.album(anna))
        link = house.link(album, role=LinkRole.DOWNLOADER, metadata_rule="keep", neutral_names=False)
        visitor = Viewer(link_id=link.public_id, generation=link.generation)

        ours, theirs = (
            choosing.of_album(authorize(viewer, Action.DOWNLOAD, Album, album.public_id))
            for viewer in (anna.viewer, visitor)
        )

        assert [entry.media_id for entry in ours] == [main.public_id, raw.public_id]
        assert [entry.media_id for entry in theirs] == [main.public_id]
        chosen = choosing.of_chosen(anna.viewer, [main.public_id])
        assert [entry.media_id for entry in chosen] == [main.public_id, raw.public_id]


def test_the_bytes_are_counted_once_and_stay_counted(house: House) -> None:
    anna = house.person(quota=10**6)
    main, raw = a_pair(house, anna)
    me = Script(house, anna).get("/me")
    assert me["used_bytes"] == main.size_bytes + raw.size_bytes
