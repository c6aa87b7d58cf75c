"""The people, albums, pictures and links that the truth table speaks of, and how it asks about them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import sqlalchemy as sa

from tests.factories import House, Person
from tests.policy_table import Cell
from vault import policy
from vault.db import db, transaction, utcnow
from vault.models.media import Album, Media, State
from vault.models.sharing import Grant, Link, Role
from vault.policy import NOBODY, Action, Denied, Resource, Viewer, allowed, authorize, visible
from vault.services import links, sharing
from vault.services.albums import Changes, change

LADDER = {role.label: role for role in (Role.VIEWER, Role.DOWNLOADER, Role.CONTRIBUTOR, Role.EDITOR, Role.MANAGER)}
MANAGERS = ("expired", "disabled", "lost", "reduced")


@dataclass
class World:
    """Everybody and everything by the names of the truth table."""

    house: House
    people: dict[str, Person] = field(default_factory=dict)
    viewers: dict[str, Viewer] = field(default_factory=lambda: {"nobody": NOBODY})
    albums: dict[str, Album] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    ids: dict[Resource, dict[str, str]] = field(default_factory=dict)


def build(house: House) -> World:
    """Make the world of the truth table."""
    world = World(house)
    for name in ("owner", "ghost", "stranger", *LADDER, *MANAGERS, "later", "twice", "crossed", "aside"):
        world.people[name] = house.person(name)
    world.people["admin"] = house.person("admin", admin=True)
    world.viewers |= {name: person.viewer for name, person in world.people.items()}
    _albums(world)
    _grants(world)
    _media(world)
    _links(world)
    _changes(world)
    for what, rows in ((Media, world.media), (Album, world.albums), (Link, world.links)):
        world.ids[what] = {name: row.public_id for name, row in rows.items()}
    db.session.remove()
    return world


def _albums(world: World) -> None:
    house, owner = world.house, world.people["owner"]
    summer = world.albums["summer"] = house.album(owner, "Summer")
    world.albums["below"] = house.album(owner, "Below", parent=summer)
    apart = world.albums["apart"] = house.album(owner, "Apart", parent=summer)
    change(authorize(owner.viewer, Action.MANAGE, Album, apart.public_id), Changes(inherits=False))
    world.albums["private"] = house.album(owner, "Private")
    world.albums["ghostly"] = house.album(world.people["ghost"], "Ghostly")


def _grants(world: World) -> None:
    people, albums, tomorrow = world.people, world.albums, utcnow() + timedelta(days=1)
    for name, role in LADDER.items():
        world.house.grant(albums["summer"], people[name], role)
        world.house.grant(albums["ghostly"], people[name], role)
    for name in MANAGERS:
        world.house.grant(albums["summer"], people[name], Role.MANAGER, expires_at=tomorrow)
    world.house.grant(albums["summer"], people["ghost"], Role.CONTRIBUTOR)
    world.house.grant(albums["summer"], people["later"], Role.VIEWER, expires_at=tomorrow)
    world.house.grant(albums["summer"], people["twice"], Role.VIEWER)
    world.house.grant(albums["below"], people["twice"], Role.EDITOR)
    world.house.grant(albums["summer"], people["crossed"], Role.EDITOR)
    world.house.grant(albums["below"], people["crossed"], Role.VIEWER)
    world.house.grant(albums["apart"], people["aside"], Role.DOWNLOADER)


def _media(world: World) -> None:
    owner, albums = world.people["owner"], world.albums

    def picture(name: str, by: str, album: Album | None) -> None:
        world.media[name] = world.house.picture(world.people[by], album, ready=False)

    for name in ("live", "pending", "trashed", "quarantined"):
        picture(name, "owner", albums["summer"])
    picture("loose", "owner", None)
    picture("theirs", "contributor", albums["summer"])
    picture("below", "owner", albums["below"])
    picture("apart", "owner", albums["apart"])
    picture("ghosts", "ghost", albums["summer"])
    picture("guest", "contributor", albums["ghostly"])
    assert world.media["live"].owner_id == owner.id


def _links(world: World) -> None:
    house, albums, people = world.house, world.albums, world.people
    made = {
        "shown": house.link(albums["summer"]),
        "taken": house.link(albums["summer"], role=Role.DOWNLOADER),
        "below": house.link(albums["below"]),
        "ended": house.link(albums["summer"], expires_at=utcnow() + timedelta(days=1)),
        "revoked": house.link(albums["summer"]),
        "rotated": house.link(albums["summer"]),
        "ghostly": house.link(albums["ghostly"], by=people["manager"]),
    }
    made |= {name: house.link(albums["summer"], by=people[name]) for name in ("manager", "reduced", "lost", "disabled")}
    world.viewers |= {
        f"@{name}": Viewer(link_id=link.public_id, generation=link.generation) for name, link in made.items()
    }
    # What the table says of links as things; the other two are like `shown` there.
    world.links |= {name: link for name, link in made.items() if name not in ("taken", "rotated")}
    owner = people["owner"].viewer
    links.rotate(authorize(owner, Action.MANAGE, Link, made["rotated"].public_id))
    links.revoke(authorize(owner, Action.DELETE, Link, made["revoked"].public_id))


def _changes(world: World) -> None:
    """Let everything happen that ends a right."""
    people, summer, yesterday = world.people, world.albums["summer"], utcnow() - timedelta(days=1)
    permit = authorize(people["owner"].viewer, Action.MANAGE, Album, summer.public_id)
    sharing.revoke_grant(permit, people["lost"].public_id)
    world.house.grant(summer, people["reduced"], Role.EDITOR)
    with transaction() as session:
        ended = sa.update(Grant).where(Grant.user_id == people["expired"].id)
        session.execute(ended.values(expires_at=yesterday))
        session.execute(sa.update(Link).where(Link.id == world.links["ended"].id).values(expires_at=yesterday))
        for name, values in (
            ("live", {"state": State.READY}),
            ("trashed", {"trashed_at": yesterday}),
            ("quarantined", {"quarantined_at": yesterday}),
        ):
            session.execute(sa.update(Media).where(Media.id == world.media[name].id).values(values))
    for name in ("ghost", "disabled"):
        world.house.disable(people[name])


def forget() -> None:
    """Forget every rule that this process has written down: before it is broken on purpose, and after."""
    policy._clause.cache_clear()  # noqa: SLF001  # the process's own memory
    policy._question.cache_clear()  # noqa: SLF001  # the process's own memory


def listed(world: World, cells: dict[Cell, bool]) -> dict[Cell, bool]:
    """Return what `visible` says of the cells."""
    found: dict[Cell, bool] = {}
    for viewer, what, action in {(viewer, what, action) for viewer, what, _, action in cells}:
        seen = {row.public_id for row in rows_visible(world.viewers[viewer], action, what)}
        found |= {(viewer, what, thing, action): each in seen for thing, each in world.ids[what].items()}
    return {cell: found[cell] for cell in cells}


def bulk(world: World, cells: dict[Cell, bool]) -> dict[Cell, bool]:
    """Return what `allowed` says of the cells."""
    found: dict[Cell, bool] = {}
    for viewer, what, action in {(viewer, what, action) for viewer, what, _, action in cells}:
        things = world.ids[what]
        seen = allowed(world.viewers[viewer], action, what, [*things.values(), "A" * 22, "odd"])
        assert seen <= set(things.values())
        found |= {(viewer, what, thing, action): each in seen for thing, each in things.items()}
    return {cell: found[cell] for cell in cells}


def single(world: World, cells: dict[Cell, bool]) -> dict[Cell, bool]:
    """Return what `authorize` says of the cells."""
    ids = {what: world.ids[what] for what in (Media, Album, Link)}
    return {cell: _authorized(world.viewers[cell[0]], cell[3], cell[1], ids[cell[1]][cell[2]]) for cell in cells}


def rows_visible(viewer: Viewer, action: Action, what: Resource) -> list[Media]:
    """Return the rows that `visible` lists, of whatever kind."""
    return list(db.session.scalars(visible(viewer, action, cast("type[Media]", what))))


def _authorized(viewer: Viewer, action: Action, what: Resource, public_id: str) -> bool:
    try:
        permit = authorize(viewer, action, what, public_id)
    except Denied:
        return False
    assert (permit.viewer, permit.action, permit.row.public_id) == (viewer, action, public_id)
    return True
