"""What whoever moves an album is told of others: whose role changes, and no name from what is closed to him."""

import pytest

from tests.factories import House
from tests.forest import below, may_manage
from vault.models.sharing import LinkRole, Role
from vault.policy import role_on
from vault.services import Conflict, albums, moving
from vault.services.albums import Changes
from vault.services.moving import Inheritance, Preview, Side


def names(preview: Preview) -> tuple[list[str], list[str]]:
    return told(preview.gains), told(preview.loses)


def told(side: Side) -> list[str]:
    return [each.name for each in side.known]


def test_who_may_do_more_or_less_from_now_on_is_told_too(house: House) -> None:
    anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
    family, lake = house.album(anna, "Family"), house.album(anna, "Lake")
    house.grant(lake, ben, Role.VIEWER)
    house.grant(lake, carl, Role.EDITOR)
    house.grant(family, ben, Role.MANAGER)
    house.share(family, house.group(carl), Role.VIEWER)
    drop = house.link(lake, by=anna, role=LinkRole.DROP, label="Guests")

    permit, wish = may_manage(anna, lake), below(family)
    seen = moving.preview(permit, wish)
    assert (names(seen), told(seen.more), told(seen.less)) == (([], []), ["Ben"], [])
    page = house.browser(anna).get(f"/albums/{lake.public_id}/move?to={family.public_id}").get_data(as_text=True)
    assert "May do more than now" in page
    assert "May do less than now" not in page
    house.grant(family, ben, Role.EDITOR)
    with pytest.raises(Conflict):  # the same people, and another role
        moving.carry_out(permit, wish, expected=seen.digest)
    house.grant(family, ben, Role.MANAGER)

    moving.carry_out(permit, wish, expected=seen.digest)
    assert role_on(ben.viewer, lake.id) == Role.MANAGER
    bens = house.link(lake, by=ben, role=LinkRole.DROP, label="Ben's guests")
    back = moving.preview(permit, below(None))
    assert (names(back), told(back.more), told(back.less)) == (([], []), [], ["Ben", "Ben's guests"])
    assert {drop.label, bens.label} == {"Guests", "Ben's guests"}


def test_of_albums_closed_to_the_mover_he_learns_neither_names_nor_labels(house: House) -> None:
    anna, mia, dora, eve = (house.person(name) for name in ("Anna", "Mia", "Dora", "Eve"))
    house_album = house.album(anna, "House")
    lake = house.album(anna, "Lake", parent=house_album)
    albums.change(may_manage(anna, lake), Changes(inherits=False))
    house.grant(lake, mia, Role.MANAGER)
    house.grant(house_album, dora, Role.VIEWER)
    house.share(house_album, house.group(eve), Role.VIEWER)
    house.link(house_album, label="Divorce lawyer")
    browser, address = house.browser(mia), f"/albums/{lake.public_id}/inherit"

    seen = moving.preview(may_manage(mia, lake), Inheritance(inherits=True))
    page = browser.get(address).get_data(as_text=True)

    assert (names(seen), seen.gains.unseen) == (([], []), 3)
    assert [word for word in ("Dora", "Eve", "Divorce") if word in page] == []
    assert "3 others that you do not see" in page
    house.grant(house_album, mia, Role.VIEWER)
    seen = moving.preview(may_manage(mia, lake), Inheritance(inherits=True))
    assert (names(seen), seen.gains.unseen) == ((["Dora", "Eve", "A link"], []), 0)
    assert [each.public_id for each in seen.gains.known] == [dora.public_id, eve.public_id, None]
    page = browser.get(address).get_data(as_text=True)
    assert ("Dora" in page, "A link" in page, "Divorce" in page) == (True, True, False)
    house.grant(house_album, mia, Role.MANAGER)
    assert "Divorce lawyer" in browser.get(address).get_data(as_text=True)


def test_whom_the_mover_could_ask_about_before_is_named_when_he_loses_sight(house: House) -> None:
    anna, mia, dora = (house.person(name) for name in ("Anna", "Mia", "Dora"))
    house_album = house.album(anna, "House")
    lake = house.album(anna, "Lake", parent=house_album)
    house.grant(lake, mia, Role.MANAGER)
    house.grant(house_album, dora, Role.VIEWER)
    house.link(house_album, label="Divorce lawyer")

    seen = moving.preview(may_manage(mia, lake), Inheritance(inherits=False))

    assert (names(seen), seen.loses.unseen) == (([], ["Dora", "A link"]), 0)
