"""Looking through pictures: pages by key without gaps or repeats, neighbours, dates, the trash."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.factories import House, Person, small_picture
from tests.live.crowd import together
from vault.db import db, transaction, utcnow
from vault.models.account import User
from vault.models.media import Album, AlbumMedia, Media, MediaFacts, Order, State
from vault.models.membership import STEP, position_of
from vault.policy import Action, Denied, Permit, authorize
from vault.services import Refused, albums, inspection, library, uploads
from vault.services.library import Page
from vault.signing import new_public_id
from vault.storage.incoming import Incoming

MANY = 1_030
DAY_ONE = datetime(2020, 1, 1, tzinfo=UTC)


def used(person: Person) -> int:
    db.session.rollback()
    return int(db.session.scalar(sa.select(User.used_bytes).where(User.id == person.id)) or 0)


def count(album: Album) -> int:
    db.session.rollback()
    return int(db.session.scalar(sa.select(Album.media_count).where(Album.id == album.id)) or 0)


def a_full_album(house: House, owner: Person, order: Order) -> tuple[Album, list[str]]:
    """Make an album of rows without bytes, three of a moment each, and the public ids in the order it shows them."""
    album = house.album(owner, order=order)
    moments = [DAY_ONE + timedelta(hours=number // 3) for number in range(MANY)]
    rows = [
        {
            "public_id": new_public_id(),
            "owner_id": owner.id,
            "sha256": f"{number:064x}",
            "size_bytes": 1,
            "media_type": "image/jpeg",
            "file_name": f"{number}.jpg",
            "blob_key": f"originals/{number}",
            "state": State.READY,
            "shown_at": moment,
        }
        for number, moment in enumerate(moments)
    ]
    with transaction() as session:
        session.execute(sa.insert(Media), rows)
        ids = session.scalars(sa.select(Media.id).order_by(Media.id)).all()
        by_hand = order is Order.MANUAL
        places = [(n + 1) * STEP if by_hand else position_of(moment) for n, moment in enumerate(moments)]
        held = [
            {"album_id": album.id, "media_id": media_id, "position": place}
            for media_id, place in zip(ids, places, strict=True)
        ]
        session.execute(sa.insert(AlbumMedia), held)
        session.execute(sa.update(Album).where(Album.id == album.id).values(media_count=MANY))
    shown = [str(row["public_id"]) for row in rows]
    return album, shown[::-1] if order is Order.NEWEST else shown


def walk(page: Callable[[str | None], Page], between: Callable[[list[str]], None] = lambda _seen: None) -> list[str]:
    """Follow the cursor to the end; `between` is called with what was seen after each page."""
    seen: list[str] = []
    cursor: str | None = None
    while True:
        found = page(cursor)
        seen += [media.public_id for media in found.items]
        cursor = found.next_cursor
        if cursor is None:
            return seen
        between(seen)


class TestPages:
    @pytest.mark.parametrize("order", list(Order))
    def test_an_album_is_walked_without_gaps_or_repeats(self, house: House, order: Order) -> None:
        anna = house.person("Anna")
        album, expected = a_full_album(house, anna, order)
        permit = authorize(anna.viewer, Action.VIEW, Album, album.public_id)

        assert walk(lambda cursor: library.of_album(permit, limit=100, cursor=cursor)) == expected

    @pytest.mark.parametrize("order", list(Order))
    def test_what_is_deleted_meanwhile_moves_nothing_else(self, house: House, order: Order) -> None:
        anna = house.person("Anna")
        album, expected = a_full_album(house, anna, order)
        permit = authorize(anna.viewer, Action.VIEW, Album, album.public_id)
        gone: set[str] = set()

        def delete(seen: list[str]) -> None:
            # The last one seen, which the cursor names, the first one seen, and one that comes later.
            going = {seen[-1], seen[0], expected[min(len(seen) + 150, MANY - 1)]}
            gone.update(going - set(seen))
            with transaction() as session:
                session.execute(sa.delete(Media).where(Media.public_id.in_(going)))

        seen = walk(lambda cursor: library.of_album(permit, limit=100, cursor=cursor), delete)

        assert len(gone) > 5
        assert seen == [media_id for media_id in expected if media_id not in gone]

    def test_ones_own_pictures_and_the_trash_are_walked_the_same_way(self, house: House) -> None:
        anna = house.person("Anna")
        _, expected = a_full_album(house, anna, Order.NEWEST)

        assert walk(lambda cursor: library.of_person(anna.viewer, limit=100, cursor=cursor)) == expected

        with transaction() as session:
            session.execute(sa.update(Media).values(trashed_at=DAY_ONE))
        thrown = walk(lambda cursor: library.in_trash(anna.viewer, limit=100, cursor=cursor))
        assert sorted(thrown) == sorted(expected)
        assert len(thrown) == len(set(thrown)) == MANY

    def test_the_pages_json_ends_where_the_album_ends(self, house: House) -> None:
        anna = house.person("Anna")
        album, expected = a_full_album(house, anna, Order.OLDEST)
        browser = house.browser(anna)
        seen: list[str] = []
        url: str | None = f"/albums/{album.public_id}"
        while url:
            answer = browser.get(url, headers={"Accept": "application/json"}).get_json()
            seen += [item["id"] for item in answer["items"]]
            url = answer["next"]

        assert seen == expected

    @pytest.mark.parametrize(
        "cursor", ["", ".", "x.y", "1", "1.2.3", "-.a", "9" * 40 + ".a", "9223372036854775807.\0", "²." + "A" * 22]
    )
    @pytest.mark.parametrize("path", ["/albums/{}", "/pictures", "/trash"])
    def test_a_made_up_cursor_breaks_nothing(self, house: House, path: str, cursor: str) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        house.picture(anna, album)
        answer = house.browser(anna).get(path.format(album.public_id), query_string={"cursor": cursor})

        assert answer.status_code == 200


class TestNeighbours:
    @pytest.fixture
    def three(self, house: House) -> tuple[Person, list[Media]]:
        anna = house.person("Anna")
        return anna, [house.picture(anna, shown_at=DAY_ONE + timedelta(days=day)) for day in range(3)]

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            (Order.NEWEST, [(1, None), (2, 0), (None, 1)]),
            (Order.OLDEST, [(None, 1), (0, 2), (1, None)]),
            (Order.MANUAL, [(None, 1), (0, 2), (1, None)]),
        ],
    )
    def test_of_an_album_follow_its_order(
        self,
        house: House,
        three: tuple[Person, list[Media]],
        order: Order,
        expected: list[tuple[int | None, int | None]],
    ) -> None:
        anna, pictures = three
        album = house.album(anna, order=order)
        inside = authorize(anna.viewer, Action.ADD, Album, album.public_id)
        for media in pictures:
            albums.put(inside, media.public_id)
        around = authorize(anna.viewer, Action.VIEW, Album, album.public_id)
        named: dict[int | None, str | None] = {
            None: None,
            **{number: media.public_id for number, media in enumerate(pictures)},
        }

        for media, (previous, following) in zip(pictures, expected, strict=True):
            permit = authorize(anna.viewer, Action.VIEW, Media, media.public_id)
            near = library.neighbours_in_album(around, permit)
            assert (near.previous, near.next) == (named[previous], named[following])

    def test_of_ones_own_pictures_are_newest_first_and_skip_the_trash(self, three: tuple[Person, list[Media]]) -> None:
        anna, (old, middle, new) = three
        permit = authorize(anna.viewer, Action.VIEW, Media, new.public_id)
        assert library.neighbours_of_person(permit).next == middle.public_id

        library.trash(authorize(anna.viewer, Action.TRASH, Media, middle.public_id))

        assert library.neighbours_of_person(permit).next == old.public_id

    def test_a_picture_of_somebody_else_has_none_outside_its_album(
        self, house: House, three: tuple[Person, list[Media]]
    ) -> None:
        anna, pictures = three
        ben, album = house.person("Ben"), house.album(anna)
        albums.put(authorize(anna.viewer, Action.ADD, Album, album.public_id), pictures[1].public_id)
        with pytest.raises(Denied):
            authorize(ben.viewer, Action.VIEW, Media, pictures[1].public_id)


class TestDates:
    def test_a_new_date_moves_the_picture_in_every_album_by_time(self, house: House) -> None:
        anna = house.person("Anna")
        by_time, by_hand = house.album(anna), house.album(anna, order=Order.MANUAL)
        pictures = [house.picture(anna, by_time, shown_at=DAY_ONE + timedelta(days=day)) for day in range(3)]
        inside = authorize(anna.viewer, Action.ADD, Album, by_hand.public_id)
        for media in pictures:
            library.describe(_caption(anna, media), taken_at=media.shown_at)
            albums.put(inside, media.public_id)

        library.describe(_caption(anna, pictures[0]), taken_at=DAY_ONE + timedelta(days=9))

        assert _ids(anna, by_time) == [pictures[number].public_id for number in (0, 2, 1)]
        assert _ids(anna, by_hand) == [media.public_id for media in pictures]
        mine = library.of_person(anna.viewer, limit=10).items
        assert [media.public_id for media in mine] == [pictures[number].public_id for number in (0, 2, 1)]

    def test_the_extremes_of_time_are_kept_and_walked(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        moments = [
            datetime(1, 1, 2, tzinfo=UTC),
            datetime(9999, 12, 30, tzinfo=UTC),
            datetime(1969, 7, 20, 20, 17, 40, 5, tzinfo=UTC),
        ]
        pictures = [house.picture(anna, album) for _ in moments]
        for media, moment in zip(pictures, moments, strict=True):
            library.describe(_caption(anna, media), taken_at=moment)
        newest_first = [pictures[number].public_id for number in (1, 2, 0)]
        permit = authorize(anna.viewer, Action.VIEW, Album, album.public_id)

        assert walk(lambda cursor: library.of_album(permit, limit=1, cursor=cursor)) == newest_first
        assert walk(lambda cursor: library.of_person(anna.viewer, limit=1, cursor=cursor)) == newest_first

    def test_a_caption_beyond_the_limit_is_refused(self, house: House) -> None:
        anna = house.person("Anna")
        media = house.picture(anna)
        library.describe(_caption(anna, media), caption="é" * 5_000)
        with pytest.raises(Refused):
            library.describe(_caption(anna, media), caption="é" * 5_001)


class TestTrash:
    def test_it_is_gone_at_once_and_back_with_its_albums(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        media, other = house.picture(anna, album), house.picture(anna, album)

        library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))

        assert (count(album), _ids(anna, album)) == (1, [other.public_id])
        assert [row.public_id for row in library.in_trash(anna.viewer, limit=10).items] == [media.public_id]
        with pytest.raises(Denied):
            authorize(anna.viewer, Action.VIEW, Media, media.public_id)

        library.restore(authorize(anna.viewer, Action.RESTORE, Media, media.public_id))

        assert (count(album), set(_ids(anna, album))) == (2, {media.public_id, other.public_id})

    def test_purging_takes_bytes_and_quota_and_nothing_else(self, house: House) -> None:
        anna, data = house.person("Anna"), small_picture()
        album = house.album(anna)
        media, other = house.picture(anna, album, data=data), house.picture(anna, album)
        before = used(anna)
        theirs = {key for key in house.vault.storage.keys("") if media.public_id in key}
        assert len(theirs) == 3
        permit = _trashed(anna, media)

        library.purge(house.vault, permit)

        keys = set(house.vault.storage.keys())
        assert (used(anna), len(keys), theirs & keys) == (before - len(data), 3, set())
        assert _ids(anna, album) == [other.public_id]
        assert inspection.inspect(house.vault).problems == []

    def test_a_cover_that_is_purged_leaves_the_album(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        media, other = house.picture(anna, album), house.picture(anna, album)
        albums.set_cover(authorize(anna.viewer, Action.ARRANGE, Album, album.public_id), media.public_id)

        library.purge(house.vault, _trashed(anna, media))

        cover = albums.own(anna.viewer)[0].cover
        assert cover is not None
        assert cover.public_id == other.public_id

    @pytest.mark.parametrize("deed", ["trash", "restore", "purge"])
    def test_eight_times_at_once_counts_once(self, house: House, deed: str) -> None:
        anna, data = house.person("Anna"), small_picture()
        album = house.album(anna)
        media, other = house.picture(anna, album, data=data), house.picture(anna, album)
        if deed != "trash":
            _trashed(anna, media)
        action = Action.TRASH if deed == "trash" else Action.RESTORE
        permit = authorize(anna.viewer, action, Media, media.public_id)

        def do() -> None:
            if deed == "purge":
                library.purge(house.vault, permit)
            else:
                getattr(library, deed)(permit)

        outcomes = together(house.app, [do] * 8)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Denied"] * 7 + ["NoneType"]
        assert count(album) == (2 if deed == "restore" else 1)
        assert used(anna) == other.size_bytes + (0 if deed == "purge" else len(data))
        assert inspection.inspect(house.vault).problems == []

    def test_trash_take_out_and_upload_at_once_count_right(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        payloads = [small_picture() for _ in range(4)]
        pictures = [house.picture(anna, album, data=data) for data in payloads]

        def upload(data: bytes) -> None:
            with Incoming(house.vault.storage, 10**7) as incoming:
                incoming.write(data)
                uploads.receive(house.vault, anna.viewer, incoming, file_name="a.jpg", album_id=album.public_id)

        deeds: list[Callable[[], object]] = []
        for media, data in zip(pictures, payloads, strict=True):
            media_id = media.public_id
            permit = authorize(anna.viewer, Action.TRASH, Media, media_id)
            deeds += [
                lambda permit=permit: library.trash(permit),  # type: ignore[misc]  # bound now
                lambda media_id=media_id: albums.take_out(anna.viewer, album.public_id, media_id),  # type: ignore[misc]  # bound now
                lambda data=data: upload(data),  # type: ignore[misc]  # bound now
            ]
        outcomes = together(house.app, deeds)

        assert {type(outcome).__name__ for outcome in outcomes} <= {"NoneType", "bool", "Denied"}
        assert inspection.inspect(house.vault).problems == []

    def test_what_failed_can_be_tried_again_and_nothing_else(self, house: House) -> None:
        anna = house.person("Anna")
        media = house.picture(anna)
        permit = authorize(anna.viewer, Action.TRASH, Media, media.public_id)
        with pytest.raises(Refused):
            library.retry(house.vault, permit)
        with transaction() as session:
            session.execute(
                sa.update(Media).values(state=State.FAILED, failure="It is broken.", attempts=20, claimed_at=utcnow())
            )

        library.retry(house.vault, permit)

        db.session.expire_all()
        assert (media.state, media.failure, media.attempts, media.claimed_at) == (State.PENDING, None, 0, None)


def _caption(person: Person, media: Media) -> Permit[MediaFacts]:
    return authorize(person.viewer, Action.CAPTION, Media, media.public_id)


def _trashed(person: Person, media: Media) -> Permit[MediaFacts]:
    library.trash(authorize(person.viewer, Action.TRASH, Media, media.public_id))
    return authorize(person.viewer, Action.RESTORE, Media, media.public_id)


def _ids(person: Person, album: Album) -> list[str]:
    db.session.rollback()
    permit = authorize(person.viewer, Action.VIEW, Album, album.public_id)
    return [media.public_id for media in library.of_album(permit, limit=1000).items]
