"""Damaged pictures in albums and in the trash, and what is kept together with them."""

import pytest

from tests.factories import House
from tests.pairs import a_pair, again
from tests.scripts import Script
from tests.test_pairing import count
from vault.db import transaction
from vault.models import membership, quarantine
from vault.models.account import User
from vault.models.media import Media
from vault.models.sharing import Role
from vault.policy import Action, Denied, authorize, may
from vault.services import inspection, library, notices
from vault.services.inspection import keeping


def lock_away(media_id: int) -> bool:
    return keeping.lock_away(media_id, "its bytes have changed", lambda: True)


def mended(media: Media) -> None:
    with transaction() as session:
        row = membership.hold(session, media.id)
        assert row is not None
        quarantine.release(session, row)


def problems(house: House) -> list[str]:
    return [line for line in inspection.inspect(house.vault).problems if "quarantine" not in line]


def test_albums_do_not_count_what_is_damaged(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album)
    assert lock_away(media.id)
    assert not lock_away(media.id)
    assert (count(album), problems(house)) == ((0, 1), [])

    library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))
    assert (count(album), problems(house), len(notices.of(anna.id))) == ((0, 1), [], 0)
    library.restore(authorize(anna.viewer, Action.RESTORE, Media, media.public_id))
    assert (count(album), problems(house), len(notices.of(anna.id))) == ((0, 1), [], 1)

    mended(media)
    assert (count(album), problems(house)) == ((1, 1), [])
    assert lock_away(media.id)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))
    mended(media)
    assert (count(album), problems(house)) == ((0, 1), [])


def test_its_owner_gets_rid_of_it_and_nobody_else(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    media = house.picture(anna, album)
    public_id, key = media.public_id, media.blob_key
    lock_away(media.id)
    browser, other = house.browser(anna), house.browser(ben)
    assert "Move this picture to the trash?" in browser.get(f"/media/{public_id}").text

    assert other.post(f"/media/{public_id}/trash", headers=house.csrf(other)).status_code == 403
    assert browser.post(f"/media/{public_id}/trash", headers=house.csrf(browser)).status_code == 302
    assert f"/media/{public_id}/purge" in browser.get("/trash").text
    for face in ("", "/thumb", "/original"):
        assert browser.get(f"/media/{public_id}{face}").status_code == 403
    assert other.post(f"/media/{public_id}/purge", headers=house.csrf(other)).status_code == 403
    assert browser.post(f"/media/{public_id}/purge", headers=house.csrf(browser)).status_code == 302

    assert key not in list(house.vault.storage.keys())
    assert (count(album), inspection.inspect(house.vault).problems) == ((0, 0), [])
    with transaction() as session:
        assert session.get_one(User, anna.id).used_bytes == 0


def test_a_script_gets_rid_of_it_too(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna)
    lock_away(media.id)
    assert Script(house, anna).ask("DELETE", f"/media/{media.public_id}").status_code == 204
    assert again(media).trashed_at is not None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MANAGER])
def test_what_belongs_to_a_damaged_picture_is_hidden_with_it(house: House, role: Role) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, role)
    main, raw = a_pair(house, anna, album)
    assert may(ben.viewer, Action.VIEW, Media, raw.public_id)

    lock_away(main.id)

    assert not may(ben.viewer, Action.VIEW, Media, raw.public_id)
    other = house.browser(ben)
    for face in ("", "/thumb", "/preview", "/original"):
        assert other.get(f"/media/{raw.public_id}{face}").status_code == 403
    assert library.of_person(anna.viewer, limit=9).items == []
    browser = house.browser(anna)
    page = browser.get(f"/media/{main.public_id}").text
    assert "Kept together with it" in page
    assert f'href="/media/{raw.public_id}/original"' in page
    assert browser.get(f"/media/{raw.public_id}/original").status_code == 200

    mended(main)
    assert may(ben.viewer, Action.VIEW, Media, raw.public_id)


def test_a_damaged_part_hides_nothing_of_its_picture(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.DOWNLOADER)
    main, raw = a_pair(house, anna, album)

    lock_away(raw.id)

    assert count(album) == (1, 1)
    assert house.browser(ben).get(f"/media/{main.public_id}/original").status_code == 200
    assert [media.id for media in library.of_person(anna.viewer, limit=9).items] == [main.id]
    with pytest.raises(Denied):
        authorize(ben.viewer, Action.VIEW, Media, raw.public_id)
    page = house.browser(anna).get(f"/media/{raw.public_id}").text
    assert "This picture is damaged" in page
    assert f'href="/media/{main.public_id}"' in page
    assert problems(house) == []


def test_both_go_to_the_trash_and_for_good(house: House) -> None:
    anna = house.person("Anna")
    main, raw = a_pair(house, anna)
    lock_away(main.id)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, main.public_id))
    assert [media.id for media in library.in_trash(anna.viewer, limit=9).items] == [main.id]
    assert again(raw).trashed_at is not None
    library.purge(house.vault, authorize(anna.viewer, Action.RESTORE, Media, main.public_id))
    assert list(house.vault.storage.keys("originals/")) == []
