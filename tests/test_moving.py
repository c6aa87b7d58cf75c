"""Moving an album in its tree, and letting it inherit or not: what is shown before is what happens."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from tests.forest import Tree, below, may_manage
from vault.db import db, utcnow
from vault.models.account import User
from vault.models.media import Album, AlbumReach, Media
from vault.models.sharing import Link, Role
from vault.models.system import Event
from vault.policy import Action, Denied, Viewer, role_on, visible
from vault.services import Conflict, Refused, albums, moving
from vault.services.albums import Changes
from vault.services.moving import Inheritance, Place, Preview, Wish

PARTS, TREES = 3, 5
# Viewers to be filled in, so that the long list of questions is written down once.
SOMEBODY = Viewer(user_id=sa.bindparam("who", type_=sa.Integer))
HOLDER = Viewer(link_id=sa.bindparam("link", type_=sa.String), generation=sa.bindparam("generation", type_=sa.Integer))


def move(person: Person, album: Album, wish: Wish) -> Preview:
    permit = may_manage(person, album)
    return moving.carry_out(permit, wish, expected=moving.preview(permit, wish).digest)


def names(preview: Preview) -> tuple[list[str], list[str]]:
    return [each.name for each in preview.gains.known], [each.name for each in preview.loses.known]


def reaches() -> set[tuple[int, int, int]]:
    found = db.session.execute(sa.select(AlbumReach.album_id, AlbumReach.source_id, AlbumReach.distance))
    return {(album, source, distance) for album, source, distance in found}


def sights(tree: Tree | None = None) -> dict[str, set[str]]:
    """Return what everybody and every link sees of everything, by public ids, without the preview's questions."""
    db.session.rollback()
    people, links = sa.select(User), sa.select(Link)
    if tree is not None:
        people = people.where(User.id.in_([tree.owner.id, *(person.id for person in tree.people)]))
        links = links.where(Link.album_id.in_([album.id for album in tree.albums]))
    found = {person.public_id: seen_by(SOMEBODY, who=person.id) for person in db.session.scalars(people)}
    return found | {
        link.public_id: seen_by(HOLDER, link=link.public_id, generation=link.generation)
        for link in db.session.scalars(links)
    }


def seen_by(viewer: Viewer, **values: object) -> set[str]:
    albums_seen = visible(viewer, Action.VIEW, Album).with_only_columns(Album.public_id)
    media_seen = visible(viewer, Action.VIEW, Media).with_only_columns(Media.public_id)
    return {*db.session.scalars(albums_seen, values), *db.session.scalars(media_seen, values)}


def test_an_album_takes_over_what_is_given_where_it_lies_now(house: House) -> None:
    anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
    family, work, lake = house.album(anna, "Family"), house.album(anna, "Work"), None
    lake = house.album(anna, "Lake", parent=family)
    house.grant(family, ben, Role.VIEWER)
    house.share(work, house.group(carl, owner=anna), Role.DOWNLOADER)
    house.link(family, label="Grandma")
    picture = house.picture(anna, lake)

    seen = move(anna, lake, below(work))

    assert names(seen) == (["Carl"], ["Ben", "Grandma"])
    assert role_on(carl.viewer, lake.id) == Role.DOWNLOADER
    assert house.browser(ben).get(f"/media/{picture.public_id}/thumb").status_code == 403
    assert house.browser(carl).get(f"/media/{picture.public_id}/thumb").status_code == 200
    assert names(move(anna, lake, below(None))) == ([], ["Carl"])
    assert names(move(anna, lake, below(family))) == (["Ben", "Grandma"], [])


def test_what_lies_below_goes_along_unless_it_does_not_inherit(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    family, lake = house.album(anna, "Family"), house.album(anna, "Lake")
    open_, closed = house.album(anna, "Open", parent=lake), house.album(anna, "Closed", parent=lake)
    albums.change(may_manage(anna, closed), Changes(inherits=False))
    house.grant(family, ben, Role.EDITOR)

    move(anna, lake, below(family))

    assert [role_on(ben.viewer, each.id) for each in (lake, open_, closed)] == [Role.EDITOR, Role.EDITOR, None]


def test_a_preview_changes_nothing_and_leaves_no_trace(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    family, lake = house.album(anna, "Family"), house.album(anna, "Lake")
    house.grant(family, ben, Role.VIEWER)
    before = reaches(), sights(), db.session.scalar(sa.select(sa.func.count()).select_from(Event))

    assert names(moving.preview(may_manage(anna, lake), below(family))) == (["Ben"], [])

    assert (reaches(), sights(), db.session.scalar(sa.select(sa.func.count()).select_from(Event))) == before
    db.session.expire_all()
    assert db.session.get_one(Album, lake.id).parent_id is None


def test_nothing_is_moved_when_others_would_gain_or_lose_by_now(house: House) -> None:
    anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
    family, lake = house.album(anna, "Family"), house.album(anna, "Lake")
    house.grant(family, ben, Role.VIEWER)
    permit, wish = may_manage(anna, lake), below(family)
    seen = moving.preview(permit, wish)
    house.grant(family, carl, Role.VIEWER)

    with pytest.raises(Conflict):
        moving.carry_out(permit, wish, expected=seen.digest)

    assert role_on(carl.viewer, lake.id) is None
    moving.carry_out(permit, wish, expected=moving.preview(permit, wish).digest)
    assert role_on(carl.viewer, lake.id) == Role.VIEWER


def test_inheriting_is_switched_off_and_on_with_the_same_care(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    family = house.album(anna, "Family")
    lake = house.album(anna, "Lake", parent=family)
    house.grant(family, ben, Role.VIEWER)

    assert names(move(anna, lake, Inheritance(inherits=False))) == ([], ["Ben"])
    assert role_on(ben.viewer, lake.id) is None
    assert names(move(anna, lake, Inheritance(inherits=True))) == (["Ben"], [])
    assert role_on(ben.viewer, lake.id) == Role.VIEWER
    with pytest.raises(Refused):
        moving.preview(may_manage(anna, lake), Inheritance(inherits=True))
    with pytest.raises(Refused):
        moving.preview(may_manage(anna, family), Inheritance(inherits=False))


def test_only_who_manages_both_sides_moves_and_only_the_owner_to_and_from_the_top(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    first, second, closed = house.album(anna, "First"), house.album(anna, "Second"), house.album(anna, "Closed")
    lake = house.album(anna, "Lake", parent=first)
    house.grant(lake, ben, Role.MANAGER)
    house.grant(second, ben, Role.MANAGER)

    with pytest.raises(Refused):
        move(ben, lake, below(second))  # it lies where he manages nothing
    house.grant(first, ben, Role.EDITOR)
    with pytest.raises(Refused):
        move(ben, lake, below(second))
    house.grant(first, ben, Role.MANAGER)
    with pytest.raises(Denied):
        move(ben, lake, below(closed))
    house.grant(closed, ben, Role.EDITOR)
    with pytest.raises(Denied):
        move(ben, lake, below(closed))
    with pytest.raises(Refused):
        move(ben, lake, below(None))
    with pytest.raises(Refused):
        move(ben, second, below(first))  # the top is the owner's

    move(ben, lake, below(second))
    assert db.session.get_one(Album, lake.id, populate_existing=True).parent_id == second.id
    assert [album.title for album in moving.places(may_manage(ben, lake))] == ["First"]
    assert [album.title for album in moving.places(may_manage(anna, lake))] == ["Closed", "First"]
    assert moving.places(may_manage(ben, second)) == []


def test_a_tree_has_one_owner_no_circle_and_a_bounded_depth(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    top = house.album(anna, "Top")
    middle = house.album(anna, "Middle", parent=top)
    house.album(anna, "Bottom", parent=middle)
    bens = house.album(ben, "Ben's")
    house.grant(bens, anna, Role.MANAGER)
    deep = house.album(anna, "1")
    for number in range(2, 19):
        deep = house.album(anna, str(number), parent=deep)

    for album, parent in ((top, top), (top, middle), (middle, top), (top, bens), (top, deep)):
        with pytest.raises(Refused):
            move(anna, album, below(parent))
    with pytest.raises(Refused):
        move(anna, top, below(None))
    for made_up in ("A" * 22, "", "\0", "x"):
        with pytest.raises(Denied):
            move(anna, top, Place(made_up))
    move(anna, middle, below(deep))  # 18 and 2 are 20


def test_a_right_that_ends_is_not_lengthened_by_a_detour(house: House) -> None:
    anna, ben, soon = house.person("Anna"), house.person("Ben"), utcnow() + timedelta(days=2)
    first, second = house.album(anna, "First"), house.album(anna, "Second")
    lake = house.album(anna, "Lake", parent=first)
    house.grant(first, ben, Role.MANAGER, expires_at=soon)
    house.grant(second, ben, Role.MANAGER)

    with pytest.raises(Refused, match="cannot last longer"):
        move(ben, lake, below(second))

    house.grant(second, ben, Role.MANAGER, expires_at=soon)
    move(ben, lake, below(second))
    albums.change(may_manage(anna, lake), Changes(inherits=False))
    house.grant(lake, ben, Role.MANAGER, expires_at=soon - timedelta(days=1))
    with pytest.raises(Refused, match="cannot last longer"):
        move(ben, lake, Inheritance(inherits=True))
    with pytest.raises(Refused, match="cannot last longer"):
        albums.change(may_manage(ben, lake), Changes(inherits=True))
    assert role_on(ben.viewer, lake.id) == Role.MANAGER
    move(anna, lake, Inheritance(inherits=True))


def test_a_permit_from_before_moves_nothing(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    first, second = house.album(anna, "First"), house.album(anna, "Second")
    lake = house.album(anna, "Lake", parent=first)
    house.grant(first, ben, Role.MANAGER)
    house.grant(second, ben, Role.MANAGER)
    permit = may_manage(ben, lake)
    seen = moving.preview(permit, below(second))
    house.grant(first, ben, Role.VIEWER)

    with pytest.raises(Denied):
        moving.carry_out(permit, below(second), expected=seen.digest)


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_shown_before_is_what_happens(house: House, part: int) -> None:
    """Random trees: the preview against what everybody and every link sees of everything, before and after."""
    told: set[tuple[str | None, bool]] = set()
    for seed in range(TREES):
        tree = Tree(house, random.Random(part * TREES + seed))  # noqa: S311  # chance for tests, no secret
        before = sights(tree)
        for permit, wish in tree.wishes(3):
            try:
                seen = moving.preview(permit, wish)
            except (Refused, Denied):
                continue
            moving.carry_out(permit, wish, expected=seen.digest)
            after = sights(tree)
            gains = {name for name in before if after[name] - before[name]}
            loses = {name for name in before if before[name] - after[name]}
            sides = seen.gains, seen.loses
            assert tuple({each.public_id for each in side.known} for side in sides) == (gains, loses), (
                part,
                seed,
                wish,
            )
            assert [side.unseen for side in (*sides, seen.more, seen.less)] == [0] * 4  # the owner sees everything
            told |= {(each.public_id, each.email is None) for side in sides for each in side.known}
            before = after
    assert {by_link for _, by_link in told} == {True, False}
    assert len(told) > 2 * TREES, len(told)
