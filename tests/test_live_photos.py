"""Live photos: a still and the film beside it play as one, and everything is decided on the still."""

from typing import Any

import pytest

from tests.factories import House, Person
from tests.pairs import again, file, pair
from vault.models.media import Album, Media, Playback
from vault.models.sharing import LinkRole, Role
from vault.policy import Action, authorize
from vault.services import inspection, library


def live(house: House, owner: Person, album: Album | None = None) -> tuple[Media, Media, bytes]:
    """Return a still, the film that is kept as its part, and what plays of it."""
    still = file(house, owner, "IMG_1.HEIC", album)
    film = file(house, owner, "IMG_1.MOV", album, duration_seconds=2.0)
    body = house.lay_moving(film)
    assert pair(still) == [(still.id, film.id)]
    return still, film, body


def test_the_still_plays_its_film_for_who_may_see_it(house: House) -> None:
    anna, ben, eve = house.person("Anna"), house.person("Ben"), house.person("Eve")
    album = house.album(anna)
    still, _, body = live(house, anna, album)
    house.grant(album, ben, Role.VIEWER)
    address = f"/media/{still.public_id}/motion"

    for person in (anna, ben):
        answer = house.browser(person).get(address, headers={"Range": "bytes=0-9"})
        assert (answer.status_code, answer.mimetype, answer.data) == (206, "video/mp4", body[:10])
        tile = house.browser(person).get(f"/albums/{album.public_id}", headers={"Accept": "application/json"})
        assert [each["motion"] for each in tile.get_json()["items"]] == [address]
        assert f'href="{address}" data-live' in house.browser(person).get(f"/media/{still.public_id}").text
    etag = house.browser(anna).get(address).headers["ETag"]
    for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": etag}):
        assert house.browser(eve).get(address, headers=headers).status_code == 403
    assert inspection.inspect(house.vault).problems == []


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({}, 200),
        ({"long_edge_px": 2048}, 200),
        ({"long_edge_px": 1024}, 403),
        ({"watermark": "Anna"}, 403),
    ],
    ids=str,
)
def test_a_link_plays_it_under_the_rules_of_videos_and_never_opens_the_film(
    house: House, terms: dict[str, Any], status: int
) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    still, film, body = live(house, anna, album)
    link = house.link(album, role=LinkRole.DOWNLOADER, **{"long_edge_px": None, **terms})
    visitor, below = house.visitor(link), f"/l/{link.public_id}/media"

    answer = visitor.get(f"{below}/{still.public_id}/motion")

    assert (answer.status_code, answer.data == body) == (status, status == 200)
    (tile,) = visitor.get(f"/l/{link.public_id}/", headers={"Accept": "application/json"}).get_json()["items"]
    assert (tile["motion"] is not None) is ("watermark" not in terms)
    for face in ("", "/thumb", "/preview", "/video", "/motion", "/original"):
        assert visitor.get(f"{below}/{film.public_id}{face}").status_code == 403


def test_another_album_a_link_and_the_trash_play_nothing(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    still, _, _ = live(house, anna, album)
    other = house.link(house.album(anna, "Another"))
    assert house.visitor(other).get(f"/l/{other.public_id}/media/{still.public_id}/motion").status_code == 403
    link = house.link(album)
    visitor = house.visitor(link)
    address = f"/l/{link.public_id}/media/{still.public_id}/motion"
    assert visitor.get(address).status_code == 200

    library.trash(authorize(anna.viewer, Action.TRASH, Media, still.public_id))

    assert visitor.get(address).status_code == 403
    assert house.browser(anna).get(f"/media/{still.public_id}/motion").status_code == 403


def test_without_its_film_it_is_a_still(house: House) -> None:
    anna = house.person("Anna")
    still, film, _ = live(house, anna)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, film.public_id))
    assert house.browser(anna).get(f"/media/{still.public_id}/motion").status_code == 404
    library.purge(house.vault, authorize(anna.viewer, Action.RESTORE, Media, film.public_id))
    assert again(still).playback == Playback.NONE
    assert inspection.inspect(house.vault).problems == []
