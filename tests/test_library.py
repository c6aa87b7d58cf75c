"""Looking through pictures: pages by key without gaps or repeats, neighbours, dates, the trash."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from vault.db import db, transaction, utcnow
from vault.models.cursor import Page
from vault.models.media import Album, AlbumMedia, Media, MediaFacts, Order, State
from vault.models.membership import STEP, position_of
from vault.policy import Action, Denied, Permit, authorize
from vault.services import Refused, albums, library
from vault.signing import new_public_id

MANY = 1_030
DAY_ONE = datetime(2020, 1, 1, tzinfo=UTC)
MADE_UP_CURSORS = [
    "",
    ".",
    "x.y",
    "1",
    "1.2.3",
    "-.a",
    "9" * 40 + ".a",
    "9223372036854775807.\0",
    "9" * 18 + "." + "9" * 9,
]


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


def walk(
    page: Callable[[str | None], Page[Media]], between: Callable[[list[str]], None] = lambda _seen: None
) -> list[str]:
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

    @pytest.mark.parametrize("path", ["/albums/{}", "/pictures", "/trash"])
    def test_a_made_up_cursor_breaks_nothing(self, house: House, path: str) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        house.picture(anna, album)
        browser = house.browser(anna)
        for cursor in MADE_UP_CURSORS:
            answer = browser.get(path.format(album.public_id), query_string={"cursor": cursor})
            assert answer.status_code == 200, cursor


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
            datetime(1826, 1, 1, tzinfo=UTC),
            datetime(2200, 12, 30, tzinfo=UTC),
            datetime(1969, 7, 20, 20, 17, 40, 5, tzinfo=UTC),
        ]
        pictures = [house.picture(anna, album) for _ in moments]
        for media, moment in zip(pictures, moments, strict=True):
            library.describe(_caption(anna, media), taken_at=moment)
        newest_first = [pictures[number].public_id for number in (1, 2, 0)]
        permit = authorize(anna.viewer, Action.VIEW, Album, album.public_id)

        assert walk(lambda cursor: library.of_album(permit, limit=1, cursor=cursor)) == newest_first
        assert walk(lambda cursor: library.of_person(anna.viewer, limit=1, cursor=cursor)) == newest_first

    @pytest.mark.parametrize("year", [1, 1825, 2201, 9999])
    def test_a_date_that_no_camera_saw_is_refused(self, house: House, year: int) -> None:
        anna = house.person("Anna")
        media = house.picture(anna, shown_at=DAY_ONE)

        with pytest.raises(Refused, match="1826 and 2200"):
            library.describe(_caption(anna, media), caption="x", taken_at=datetime(year, 6, 1, tzinfo=UTC))

        db.session.rollback()
        assert (media.taken_at, media.caption) == (DAY_ONE, "")

    def test_a_date_that_is_taken_back_leaves_that_of_the_upload(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        first, second = (house.picture(anna, album) for _ in range(2))
        library.describe(_caption(anna, first), taken_at=utcnow() + timedelta(days=1))
        assert _ids(anna, album) == [first.public_id, second.public_id]

        library.describe(_caption(anna, first), taken_at=None)

        assert _ids(anna, album) == [second.public_id, first.public_id]
        assert (first.taken_at, first.shown_at) == (None, first.uploaded_at)

    def test_a_caption_beyond_the_limit_is_refused(self, house: House) -> None:
        anna = house.person("Anna")
        media = house.picture(anna)
        library.describe(_caption(anna, media), caption="é" * 5_000)
        with pytest.raises(Refused):
            library.describe(_caption(anna, media), caption="é" * 5_001)


def _caption(person: Person, media: Media) -> Permit[MediaFacts]:
    return authorize(person.viewer, Action.CAPTION, Media, media.public_id)


def _ids(person: Person, album: Album) -> list[str]:
    db.session.rollback()
    permit = authorize(person.viewer, Action.VIEW, Album, album.public_id)
    return [media.public_id for media in library.of_album(permit, limit=1000).items]
