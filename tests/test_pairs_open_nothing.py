"""By a pair nobody sees or brings in what was closed to him: not while it lasts, and not when it is kept apart."""

from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from tests.pairs import again, file, pair
from tests.test_pairing import count
from vault.db import db, transaction
from vault.models.media import Album, AlbumMedia, Media, Order
from vault.models.sharing import Grant, LinkMedia, LinkRole, Role
from vault.models.sharing import Scope as LinkScope
from vault.policy import Action, Viewer, authorize, may
from vault.services import albums, inspection, library, parts

FACES = ("", "/thumb", "/preview", "/original", "/video")
TERMS: tuple[dict[str, Any], ...] = (
    {"role": LinkRole.VIEWER},
    {"role": LinkRole.DOWNLOADER},
    {"role": LinkRole.DOWNLOADER, "metadata_rule": "keep", "neutral_names": False},
    {"role": LinkRole.DOWNLOADER, "watermark": "Anna"},
    {"role": LinkRole.DOWNLOADER, "long_edge_px": 1024},
)


def put(person: Person, album: Album, media: Media) -> bool:
    return albums.put(authorize(person.viewer, Action.ADD, Album, album.public_id), media.public_id)


def keep_apart(anna: Person, main: Media) -> None:
    parts.keep_apart(authorize(anna.viewer, Action.PLACE, Media, main.public_id))


def places(media: Media) -> tuple[set[int], set[int]]:
    db.session.rollback()
    lies = sa.select(AlbumMedia.album_id).where(AlbumMedia.media_id == media.id)
    picked = sa.select(LinkMedia.link_id).where(LinkMedia.media_id == media.id)
    return set(db.session.scalars(lies)), set(db.session.scalars(picked))


class Onlookers:
    """Everybody who may look at an album, and what each of them gets of a picture and of what belongs to it."""

    def __init__(self, house: House, anna: Person, album: Album, picked: list[Media]) -> None:
        """Let people and links look at the album."""
        self._album, people = album, {"owner": anna, "stranger": house.person("Eve")}
        for role in (Role.VIEWER, Role.DOWNLOADER, Role.CONTRIBUTOR):
            people[role.name] = house.person(role.name.title())
            house.grant(album, people[role.name], role)
        links = [house.link(album, **terms) for terms in TERMS]
        links.append(house.link(album, scope=LinkScope.SELECTION, pictures=picked))
        # Name, who that is to the rule, with what he browses, and below which address.
        self._all = [(name, each.viewer, house.browser(each), "") for name, each in people.items()]
        for number, link in enumerate(links):
            viewer = Viewer(link_id=link.public_id, generation=link.generation)
            self._all.append((f"link {number}", viewer, house.visitor(link), f"/l/{link.public_id}"))
        for other in (people["VIEWER"].public_id, f"link-{links[0].public_id}"):
            below = f"/albums/{album.public_id}/as/{other}"
            self._all.append((f"as {other}", anna.viewer, house.browser(anna), below))

    def sights(self, main: Media, part: Media) -> set[tuple[str, int, str]]:
        """Return what everybody gets: by the rule, and by all addresses. What shows a part counts as sight of it."""
        found: set[tuple[str, int, str]] = set()
        for name, viewer, browser, below in self._all:
            db.session.rollback()
            for media in (main, part):
                for action in (Action.VIEW, Action.DOWNLOAD):
                    if may(viewer, action, Media, media.public_id):
                        found.add((name, media.id, action.name))
                for face in FACES:
                    if browser.get(f"{below}/media/{media.public_id}{face}").status_code == 200:
                        found.add((name, media.id, face))
            for face, meant in (("/raw", "/original"), ("/motion", "/video")):
                if browser.get(f"{below}/media/{main.public_id}{face}").status_code == 200:
                    found.add((name, part.id, meant))
        return found


@pytest.mark.parametrize("kind", ["dng", "mov"])
@pytest.mark.parametrize("where", ["both", "main", "part", "picked"])
def test_nobody_sees_more_of_a_pair_than_of_its_files(house: House, kind: str, where: str) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    main = file(house, anna, "IMG_1.jpg", album if where != "part" else None)
    film: dict[str, Any] = {"duration_seconds": 2.0} if kind == "mov" else {}
    part = file(house, anna, f"IMG_1.{kind}", album if where != "main" else None, **film)
    if kind == "mov":
        house.lay_moving(part)
    picked = {"both": [main, part], "main": [main], "part": [part], "picked": [main]}[where]
    onlookers = Onlookers(house, anna, album, picked)
    before, lay = onlookers.sights(main, part), (places(main), places(part))
    assert len({name for name, _, _ in before}) > 3

    is_joined = bool(pair(main))
    assert is_joined is (where == "both")
    assert onlookers.sights(main, part) <= before
    if is_joined:
        assert (count(album), places(part)) == ((1, 1), (set(), set()))
        keep_apart(anna, again(main))
    assert (places(main), places(part)) == lay
    assert onlookers.sights(main, part) == before
    assert inspection.inspect(house.vault).problems == []


def test_who_lost_the_right_brings_nothing_in_by_a_pair(house: House) -> None:
    anna, eve = house.person("Anna"), house.person("Eve")
    album = house.album(anna)
    house.grant(album, eve, Role.CONTRIBUTOR)
    file(house, eve, "IMG_1.dng", album)
    with transaction() as session:
        session.execute(sa.delete(Grant).where(Grant.user_id == eve.id))
    new = file(house, eve, "IMG_1.JPG")
    assert pair(new) == []
    assert not may(anna.viewer, Action.VIEW, Media, new.public_id)


@pytest.mark.parametrize("raw_first", [True, False])
def test_put_into_the_same_album_one_after_the_other_they_are_joined(house: House, *, raw_first: bool) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    main, raw = file(house, anna, "IMG_1.JPG"), file(house, anna, "IMG_1.dng")
    first, second = (raw, main) if raw_first else (main, raw)

    assert put(anna, album, first)
    assert again(raw).part_of_id is None
    assert put(anna, album, second)

    assert again(raw).part_of_id == main.id
    assert count(album) == (1, 1)


def test_a_part_goes_where_its_picture_goes(house: House) -> None:
    anna = house.person("Anna")
    old, new = house.album(anna), house.album(anna, order=Order.MANUAL)
    main, raw = file(house, anna, "IMG_1.JPG", old), file(house, anna, "IMG_1.dng", old)
    assert pair(raw) == [(main.id, raw.id)]
    other = house.picture(anna)
    assert put(anna, new, main)
    assert put(anna, new, other)
    assert albums.take_out(anna.viewer, old.public_id, main.public_id)

    keep_apart(anna, main)

    assert (places(raw), count(old), count(new)) == (({new.id}, set()), (0, 0), (3, 3))
    held = sa.select(AlbumMedia.media_id).where(AlbumMedia.album_id == new.id).order_by(AlbumMedia.position)
    assert list(db.session.scalars(held)) == [main.id, raw.id, other.id]
    assert pair(raw) == []


def test_what_outlives_its_picture_lies_where_that_lay(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    main, raw = file(house, anna, "IMG_1.JPG", album), file(house, anna, "IMG_1.dng", album)
    link = house.link(album, scope=LinkScope.SELECTION, pictures=[main, raw])
    assert pair(raw) == [(main.id, raw.id)]
    library.trash(authorize(anna.viewer, Action.TRASH, Media, main.public_id))
    library.restore(authorize(anna.viewer, Action.RESTORE, Media, raw.public_id))

    library.purge(house.vault, authorize(anna.viewer, Action.RESTORE, Media, main.public_id))

    assert again(raw).part_of_id is None
    assert (places(raw), count(album)) == (({album.id}, {link.id}), (1, 1))
    assert inspection.inspect(house.vault).problems == []
