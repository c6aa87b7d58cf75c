"""The list of who sees it is whole, and each of its lines can be taken away for itself."""

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from tests.policy_world import World, build
from vault import policy
from vault.db import db, transaction, utcnow
from vault.models.account import User
from vault.models.group import Group, GroupMember
from vault.models.media import Album, AlbumMedia, Media
from vault.models.sharing import Grant, GroupGrant, Link, Role, Scope
from vault.models.system import Event
from vault.policy import Action, Denied, Viewer, authorize, may
from vault.services import explaining, links
from vault.services.explaining import Access, Kind, endings

MOST_SECONDS = 20.0


def choir(house: House, album: Album, *members: Person, role: Role = Role.VIEWER, name: str = "Choir") -> Group:
    """Let a group into an album."""
    with transaction() as session:
        group = Group(name=name, owner_id=album.owner_id)
        session.add(group)
        session.flush()
        session.add_all(GroupMember(group_id=group.id, user_id=member.id) for member in members)
        session.add(GroupGrant(album_id=album.id, group_id=group.id, role=role, granted_by_id=album.owner_id))
        return group


def of_album(person: Person, album: Album) -> list[Access]:
    return explaining.of_album(authorize(person.viewer, Action.EXPLAIN, Album, album.public_id))


def of_media(person: Person, media: Media) -> list[Access]:
    return explaining.of_media(authorize(person.viewer, Action.EXPLAIN, Media, media.public_id))


def the(lines: list[Access], kind: Kind) -> Access:
    (found,) = [line for line in lines if line.kind is kind]
    return found


def listed(lines: list[Access]) -> tuple[set[int], set[str]]:
    """Return the people and the links that a list speaks of."""
    people = {line.user.id for line in lines if line.user} | {each.id for line in lines for each in line.members}
    return people, {line.link.public_id for line in lines if line.link}


def seeing(world: World, what: policy.Resource, public_id: str) -> tuple[set[int], set[str]]:
    """Ask the rule for everybody, one after the other."""
    people = {person.id for person in world.people.values() if may(person.viewer, Action.VIEW, what, public_id)}
    rows = db.session.scalars(sa.select(Link)).all()
    return people, {row.public_id for row in rows if may(by(row), Action.VIEW, what, public_id)}


def by(link: Link) -> Viewer:
    return Viewer(link_id=link.public_id, generation=link.generation)


def test_the_list_is_what_asking_for_everybody_finds(house: House) -> None:
    world, compared = build(house), 0
    for what, rows in ((Album, world.albums), (Media, world.media)):
        for name, row in rows.items():
            for person in world.people.values():
                if not may(person.viewer, Action.EXPLAIN, what, row.public_id):
                    continue
                lines = of_album(person, row) if isinstance(row, Album) else of_media(person, row)
                assert listed(lines) == seeing(world, what, row.public_id), name
                assert len({line.id for line in lines}) == len(lines)
                compared += 1
    assert compared > len(world.albums) + len(world.media) - 6


def test_a_group_is_one_line_that_counts_those_who_see(house: House) -> None:
    anna, ben, cem, dora = (house.person(name) for name in ("Anna", "Ben", "Cem", "Dora"))
    above = house.album(anna, "Family")
    below = house.album(anna, "Lake", parent=above)
    choir(house, above, ben, cem, dora)
    house.disable(dora)

    line = the(of_album(anna, below), Kind.GROUP)

    assert (
        line.reason == "in the group Choir, granted viewer by the owner on the album Family, which Lake inherits from"
    )
    assert (line.name, line.count, [each.name for each in line.members]) == ("Choir", 2, ["Ben", "Cem"])
    assert line.ending is not None
    assert line.ending.text == "The whole group Choir (2 people) loses the album Family, and Lake with it."


@pytest.mark.parametrize("kind", [Kind.GRANT, Kind.GROUP, Kind.LINK])
def test_taking_one_away_ends_that_one_and_no_other(house: House, kind: Kind) -> None:
    anna, ben, cem = house.person("Anna"), house.person("Ben"), house.person("Cem")
    album = house.album(anna)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.VIEWER)
    choir(house, album, cem)
    link = house.link(album)
    holders = {Kind.GRANT: ben.viewer, Kind.GROUP: cem.viewer, Kind.LINK: by(link)}

    ended = endings.from_media(
        authorize(anna.viewer, Action.EXPLAIN, Media, media.public_id), the(of_media(anna, media), kind).id
    )

    assert ended.kind is kind
    for each, holder in holders.items():
        assert may(holder, Action.VIEW, Media, media.public_id) is (each is not kind)
    assert {line.kind for line in of_album(anna, album)} == {Kind.OWNER, *holders} - {kind}
    wanted = "link.revoke" if kind is Kind.LINK else "grant.revoke"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Event).where(Event.action == wanted)) == 1


def test_a_line_of_another_album_ends_nothing(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    one, other = house.album(anna, "One"), house.album(anna, "Other")
    for album in (one, other):
        house.grant(album, ben, Role.VIEWER)
    permit = authorize(anna.viewer, Action.EXPLAIN, Album, one.public_id)

    for line_id in (the(of_album(anna, other), Kind.GRANT).id, the(of_album(anna, one), Kind.OWNER).id, "A" * 22):
        with pytest.raises(Denied):
            endings.from_album(permit, line_id)
    assert may(ben.viewer, Action.VIEW, Album, one.public_id)


def test_who_manages_only_below_cannot_end_what_stands_above(house: House) -> None:
    anna, ben, eve = house.person("Anna"), house.person("Ben"), house.person("Eve")
    above = house.album(anna, "Above")
    below = house.album(anna, "Below", parent=above)
    house.grant(above, ben, Role.VIEWER)
    choir(house, above, ben)
    house.link(above, label="Hidden label")
    house.grant(below, eve, Role.MANAGER)
    permit = authorize(eve.viewer, Action.EXPLAIN, Album, below.public_id)

    for line in of_album(eve, below):
        if line.user and line.user.id == eve.id:
            continue
        assert line.ending is None
        assert "Hidden label" not in f"{line.name} {line.reason}"
        with pytest.raises(Denied):
            endings.from_album(permit, line.id)


def test_one_s_own_picture_comes_out_of_another_s_album_and_the_album_stays(house: House) -> None:
    anna, ben, cem = house.person("Anna"), house.person("Ben"), house.person("Cem")
    album = house.album(anna, "Anna's")
    house.grant(album, ben, Role.CONTRIBUTOR)
    house.grant(album, cem, Role.VIEWER)
    media = house.picture(ben, album)
    hers = [line for line in of_media(ben, media) if line.user and line.user.id == cem.id]
    assert hers[0].ending is not None
    assert hers[0].ending.label == "Take it out of that album"

    endings.from_media(authorize(ben.viewer, Action.EXPLAIN, Media, media.public_id), hers[0].id)

    assert not may(cem.viewer, Action.VIEW, Media, media.public_id)
    assert not may(anna.viewer, Action.VIEW, Media, media.public_id)
    assert may(cem.viewer, Action.VIEW, Album, album.public_id)
    assert [line.kind for line in of_media(ben, media)] == [Kind.OWNER]


def test_pictures_picked_by_hand_are_told_with_their_link(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna, "Lake")
    media, other = house.picture(anna, album), house.picture(anna, album)
    house.link(album, scope=Scope.SELECTION, pictures=[media], label="Uncle")
    links.create_for_pictures(house.vault, anna.viewer, [media.public_id], links.Terms("Aunt"))

    assert [line.reason for line in of_media(anna, media)] == [
        "Owner of the picture",
        "anybody with the link “Uncle” that Anna made to pictures picked from the album Lake",
        "anybody with the link “Aunt” that Anna made to pictures picked by hand",
    ]
    assert [line.kind for line in of_media(anna, other)] == [Kind.OWNER]


def test_when_all_lines_of_a_person_are_gone_he_sees_it_no_more(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    above = house.album(anna, "Above")
    below, beside = house.album(anna, "Below", parent=above), house.album(anna, "Beside")
    media = house.picture(anna, below)
    with transaction() as session:
        session.add(AlbumMedia(album_id=beside.id, media_id=media.id, position=1))
    for album in (above, beside):
        house.grant(album, ben, Role.VIEWER)
        choir(house, album, ben, name=f"Choir of {album.title}")
    permit = authorize(anna.viewer, Action.EXPLAIN, Media, media.public_id)

    for left in (3, 2, 1, 0):
        line = next(line for line in of_media(anna, media) if line.kind is not Kind.OWNER)
        endings.from_media(permit, line.id)
        assert may(ben.viewer, Action.VIEW, Media, media.public_id) is bool(left)


def test_ten_thousand_people_are_told_in_seconds(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album)
    group = choir(house, album)
    people = [{"email": f"{number}@example.org", "name": f"{number:05}"} for number in range(10_000)]
    for row in people:
        row["public_id"] = f"{row['name']:A<22}"
    with transaction() as session:
        session.execute(sa.insert(User), people)
        ids = session.scalars(sa.select(User.id).where(User.id != anna.id).order_by(User.id)).all()
        members = [{"group_id": group.id, "user_id": user_id, "added_at": utcnow()} for user_id in ids]
        session.execute(sa.insert(GroupMember), members)
        terms = {"album_id": album.id, "role": 10, "granted_by_id": anna.id, "created_at": utcnow() - timedelta(days=1)}
        session.execute(sa.insert(Grant), [{"user_id": user_id, **terms} for user_id in ids])
    began = time.monotonic()

    lines = of_media(anna, media)

    assert time.monotonic() - began < MOST_SECONDS
    assert len(lines) == 10_002
    assert (the(lines, Kind.GROUP).count, len(the(lines, Kind.GROUP).members)) == (10_000, explaining.MOST_MEMBERS)
