"""Albums: what lies in them and in which order, covers, and albums below albums."""

from collections.abc import Callable

import pytest

from tests.factories import House, Person
from tests.live.crowd import together
from vault.db import db
from vault.models.media import Album, AlbumFacts, Media, Order
from vault.models.sharing import Role
from vault.policy import Action, Denied, Permit, authorize
from vault.services import Refused, albums, inspection, library
from vault.services.albums import Changes


def may(person: Person, action: Action, album: Album) -> Permit[AlbumFacts]:
    return authorize(person.viewer, action, Album, album.public_id)


def shown(person: Person, album: Album) -> list[str]:
    db.session.rollback()
    found = library.of_album(may(person, Action.VIEW, album), limit=1000)
    return [media.public_id for media in found.items]


def sees(person: Person, album_id: str) -> bool:
    try:
        authorize(person.viewer, Action.VIEW, Album, album_id)
    except Denied:
        return False
    return True


class TestByHand:
    def three(self, house: House) -> tuple[Person, Album, list[str]]:
        anna = house.person("Anna")
        album = house.album(anna, order=Order.MANUAL)
        return anna, album, [house.picture(anna, album).public_id for _ in range(3)]

    def test_new_pictures_come_last(self, house: House) -> None:
        anna, album, ids = self.three(house)

        assert shown(anna, album) == ids

    @pytest.mark.parametrize(
        ("moved", "after", "expected"),
        [
            (2, None, [2, 0, 1]),
            (0, None, [0, 1, 2]),
            (0, 1, [1, 0, 2]),
            (0, 2, [1, 2, 0]),
            (2, 0, [0, 2, 1]),
            (1, 0, [0, 1, 2]),
            (2, 1, [0, 1, 2]),
            (1, 1, [0, 1, 2]),
        ],
    )
    def test_a_picture_moves_behind_another_or_first(
        self, house: House, moved: int, after: int | None, expected: list[int]
    ) -> None:
        anna, album, ids = self.three(house)

        albums.move(may(anna, Action.ARRANGE, album), ids[moved], after_id=None if after is None else ids[after])

        assert shown(anna, album) == [ids[number] for number in expected]

    def test_a_hundred_moves_into_the_same_gap_keep_the_order(self, house: House) -> None:
        anna, album, ids = self.three(house)
        permit, expected = may(anna, Action.ARRANGE, album), ids
        for number in range(100):
            moved = expected[2 if number % 3 else 1]
            albums.move(permit, moved, after_id=expected[0])
            expected = [expected[0], moved, *(each for each in expected[1:] if each != moved)]

        assert shown(anna, album) == expected

    def test_an_album_by_date_cannot_be_moved_about(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        media = house.picture(anna, album)

        with pytest.raises(Refused):
            albums.move(may(anna, Action.ARRANGE, album), media.public_id, after_id=None)

    def test_what_is_not_in_the_album_is_not_moved(self, house: House) -> None:
        anna, album, ids = self.three(house)
        elsewhere = house.picture(anna).public_id
        permit = may(anna, Action.ARRANGE, album)

        for moved, after in ((elsewhere, ids[0]), (ids[0], elsewhere)):
            with pytest.raises(Denied):
                albums.move(permit, moved, after_id=after)

        assert shown(anna, album) == ids

    def test_a_change_of_order_begins_with_the_order_of_before(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        for _ in range(3):
            house.picture(anna, album)
        newest_first = shown(anna, album)
        permit = may(anna, Action.MANAGE, album)

        albums.change(permit, Changes(order=Order.MANUAL))
        assert shown(anna, album) == newest_first

        albums.change(permit, Changes(order=Order.OLDEST))
        assert shown(anna, album) == newest_first[::-1]


class TestContents:
    def test_a_picture_lies_in_several_albums_and_leaves_one(self, house: House) -> None:
        anna = house.person("Anna")
        one, two = house.album(anna), house.album(anna)
        media = house.picture(anna, one)
        assert albums.put(may(anna, Action.ADD, two), media.public_id)
        assert not albums.put(may(anna, Action.ADD, two), media.public_id)

        assert albums.take_out(anna.viewer, one.public_id, media.public_id)
        assert not albums.take_out(anna.viewer, one.public_id, media.public_id)

        assert (shown(anna, one), shown(anna, two)) == ([], [media.public_id])

    def test_a_contributor_takes_out_his_own_and_an_editor_everything(self, house: House) -> None:
        anna, ben, cleo = house.person("Anna"), house.person("Ben"), house.person("Cleo")
        album = house.album(anna)
        house.grant(album, ben, Role.CONTRIBUTOR)
        house.grant(album, cleo, Role.EDITOR)
        of_anna, of_ben = house.picture(anna, album), house.picture(ben, album)

        with pytest.raises(Denied):
            albums.take_out(ben.viewer, album.public_id, of_anna.public_id)
        assert albums.take_out(ben.viewer, album.public_id, of_ben.public_id)
        assert albums.take_out(cleo.viewer, album.public_id, of_anna.public_id)
        assert authorize(anna.viewer, Action.VIEW, Media, of_anna.public_id).reason == "owner"

    def test_somebody_elses_picture_cannot_be_put_anywhere(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        shared, of_ben = house.album(anna), house.album(ben)
        media = house.picture(anna, shared)
        house.grant(shared, ben, Role.MANAGER)

        with pytest.raises(Denied):
            albums.put(may(ben, Action.ADD, of_ben), media.public_id)

    def test_put_and_take_out_at_once_count_right(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        ids = [house.picture(anna).public_id for _ in range(4)]
        permit = may(anna, Action.ADD, album)

        def put(media_id: str) -> Callable[[], bool]:
            return lambda: albums.put(permit, media_id)

        def take_out(media_id: str) -> Callable[[], bool]:
            return lambda: albums.take_out(anna.viewer, album.public_id, media_id)

        outcomes = together(house.app, [deed(media_id) for media_id in ids for deed in (put, put, take_out, put)])

        assert {type(outcome) for outcome in outcomes} == {bool}
        assert len(shown(anna, album)) == album.media_count
        assert inspection.inspect(house.vault).problems == []


class TestCover:
    def test_it_is_the_chosen_one_and_otherwise_the_newest(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        old, new = house.picture(anna, album), house.picture(anna, album)
        assert _cover(anna) == new.public_id

        albums.set_cover(may(anna, Action.ARRANGE, album), old.public_id)
        assert _cover(anna) == old.public_id

        albums.take_out(anna.viewer, album.public_id, old.public_id)
        assert _cover(anna) == new.public_id

    def test_it_must_lie_in_the_album(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        media = house.picture(anna)

        with pytest.raises(Denied):
            albums.set_cover(may(anna, Action.ARRANGE, album), media.public_id)

    def test_in_the_trash_it_is_not_shown(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        media = house.picture(anna, album)
        albums.set_cover(may(anna, Action.ARRANGE, album), media.public_id)

        library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))

        assert _cover(anna) is None


class TestBelow:
    def test_a_grant_reaches_down_until_an_album_does_not_inherit(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        top = house.album(anna, "Top")
        middle = house.album(anna, "Middle", parent=top)
        bottom = house.album(anna, "Bottom", parent=middle)
        house.grant(top, ben, Role.VIEWER)
        assert [sees(ben, album.public_id) for album in (top, middle, bottom)] == [True, True, True]

        albums.change(may(anna, Action.MANAGE, middle), Changes(inherits=False))
        assert [sees(ben, album.public_id) for album in (top, middle, bottom)] == [True, False, False]

        house.grant(bottom, ben, Role.VIEWER)
        assert [sees(ben, album.public_id) for album in (top, middle, bottom)] == [True, False, True]

        albums.change(may(anna, Action.MANAGE, middle), Changes(inherits=True))
        assert [sees(ben, album.public_id) for album in (top, middle, bottom)] == [True, True, True]
        assert inspection.inspect(house.vault).problems == []

    def test_an_album_that_a_manager_makes_below_belongs_to_the_owner(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        top = house.album(anna)
        house.grant(top, ben, Role.MANAGER)

        assert albums.create(ben.viewer, title="Ours", parent_id=top.public_id).owner_id == anna.id

    def test_twenty_deep_is_the_end(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        for _ in range(19):
            album = house.album(anna, parent=album)

        with pytest.raises(Refused):
            house.album(anna, parent=album)

    def test_deleting_takes_those_below_and_leaves_every_picture(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        top, other = house.album(anna, "Top"), house.album(anna, "Other")
        below = house.album(anna, "Below", parent=top)
        media = house.picture(anna, below)
        link = house.link(below)
        house.grant(top, ben, Role.VIEWER)
        address = house.address(link)
        assert house.browser().get(address).status_code == 303
        ids = [album.public_id for album in (top, below, other)]

        assert albums.delete(may(anna, Action.DELETE, top)) == 2

        assert [sees(anna, album_id) for album_id in ids] == [False, False, True]
        assert [sees(ben, album_id) for album_id in ids] == [False, False, False]
        assert [row.public_id for row in library.of_person(anna.viewer, limit=9).items] == [media.public_id]
        assert house.browser().get(address).status_code == 403
        assert inspection.inspect(house.vault).problems == []

    @pytest.mark.parametrize("title", ["", "   ", "\0\n\t", "\u200b"])
    def test_a_title_of_nothing_is_refused(self, house: House, title: str) -> None:
        with pytest.raises(Refused):
            house.album(house.person("Anna"), title)


def _cover(person: Person) -> str | None:
    db.session.rollback()
    cover = albums.own(person.viewer)[0].cover
    return cover.public_id if cover else None
