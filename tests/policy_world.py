"""The people, albums, pictures and links that the truth table speaks of, and how it asks about them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import sqlalchemy as sa

from tests.factories import House, Person
from tests.policy_table import Cell
from vault import policy
from vault.db import db, transaction, utcnow
from vault.models.group import Group, GroupMember
from vault.models.history import Visit
from vault.models.media import Album, Media, State
from vault.models.sharing import Grant, GroupGrant, Link, LinkRole, Role, Scope
from vault.policy import NOBODY, Action, Denied, Resource, Viewer, allowed, authorize, visible
from vault.services import links, sharing
from vault.services.albums import Changes, change, take_out
from vault.services.visiting import STAY

LADDER = {role.label: role for role in (Role.VIEWER, Role.DOWNLOADER, Role.CONTRIBUTOR, Role.EDITOR, Role.MANAGER)}
MANAGERS = ("expired", "disabled", "lost", "reduced")
GROUPED = ("singer", "left", "muted", "evening", "both", "steward", "stepped")


@dataclass
class World:
    """Everybody and everything by the names of the truth table."""

    house: House
    people: dict[str, Person] = field(default_factory=dict)
    viewers: dict[str, Viewer] = field(default_factory=lambda: {"nobody": NOBODY})
    albums: dict[str, Album] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    visits: dict[str, Visit] = field(default_factory=dict)
    ids: dict[Resource, dict[str, str]] = field(default_factory=dict)


def build(house: House) -> World:
    """Make the world of the truth table."""
    world = World(house)
    for name in ("owner", "ghost", "stranger", *LADDER, *MANAGERS, *GROUPED, "later", "twice", "crossed", "aside"):
        world.people[name] = house.person(name)
    world.people["admin"] = house.person("admin", admin=True)
    world.viewers |= {name: person.viewer for name, person in world.people.items()}
    _albums(world)
    _grants(world)
    _groups(world)
    _media(world)
    _links(world)
    _visits(world)
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


def _groups(world: World) -> None:
    """Let groups hold roles: one for singers, one that ended, one for those who keep the album."""
    yesterday = utcnow() - timedelta(days=1)
    held = (
        ("summer", _group(world, "Choir", "singer", "left", "muted"), Role.DOWNLOADER, None),
        ("summer", _group(world, "Evening", "evening"), Role.MANAGER, yesterday),
        ("summer", _group(world, "Stewards", "steward", "stepped"), Role.MANAGER, None),
        ("below", _group(world, "Band", "both"), Role.EDITOR, None),
    )
    with transaction() as session:
        for name, group, role, end in held:
            album = world.albums[name]
            terms = {"role": int(role), "expires_at": end, "granted_by_id": album.owner_id}
            session.add(GroupGrant(album_id=album.id, group_id=group, **terms))
    world.house.grant(world.albums["summer"], world.people["both"], Role.VIEWER)


def _group(world: World, name: str, *members: str) -> int:
    with transaction() as session:
        group = Group(name=name, owner_id=world.people["owner"].id)
        session.add(group)
        session.flush()
        session.add_all(GroupMember(group_id=group.id, user_id=world.people[each].id) for each in members)
        return group.id


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
    for name in ("gone", "awaiting", "welcome"):
        picture(name, "owner", albums["summer"])
    assert world.media["live"].owner_id == owner.id


def _links(world: World) -> None:
    house, albums, people = world.house, world.albums, world.people
    summer, tomorrow = albums["summer"], utcnow() + timedelta(days=1)
    picked = [world.media[name] for name in ("live", "trashed", "gone", "awaiting")]
    made = {
        "shown": house.link(summer),
        "taken": house.link(summer, role=LinkRole.DOWNLOADER),
        "below": house.link(albums["below"]),
        "flat": house.link(summer, scope=Scope.ALBUM, role=LinkRole.DOWNLOADER),
        "picked": house.link(summer, scope=Scope.SELECTION, pictures=picked),
        "pocket": _pocket(world, "owner", "loose", "apart", "trashed", "awaiting"),
        "shut": _pocket(world, "disabled", "private"),
        "open": house.link(summer, role=LinkRole.CONTRIBUTOR),
        "drop": house.link(summer, role=LinkRole.DROP),
        "ended": house.link(summer, expires_at=tomorrow),
        "waiting": house.link(summer, starts_at=tomorrow),
        "ghostly": house.link(albums["ghostly"], by=people["manager"]),
    }
    made |= {name: house.link(summer) for name in ("paused", "revoked", "rotated")}
    makers = ("manager", "reduced", "lost", "disabled", "steward", "stepped")
    made |= {name: house.link(summer, by=people[name]) for name in makers}
    world.viewers |= {
        f"@{name}": Viewer(link_id=link.public_id, generation=link.generation) for name, link in made.items()
    }
    world.links |= made
    owner = people["owner"].viewer
    _visit(world, "former", made["rotated"])
    links.rotate(authorize(owner, Action.MANAGE, Link, made["rotated"].public_id))
    links.pause(authorize(owner, Action.MANAGE, Link, made["paused"].public_id))
    links.revoke(authorize(owner, Action.DELETE, Link, made["revoked"].public_id))
    for name in ("shown", "over", "late"):
        _visit(world, name, made["shown"])
    _visit(world, "drop", made["drop"])
    _visit(world, "open", made["open"])
    _visit(world, "beside", made["open"])


def _pocket(world: World, by: str, *names: str) -> Link:
    """Let somebody share pictures of his own without an album."""
    person = world.people[by]
    for name in names:
        if name not in world.media:
            world.media[name] = world.house.picture(person, ready=False)
    ids = [world.media[name].public_id for name in names]
    return links.create_for_pictures(world.house.vault, person.viewer, ids, links.Terms("Friends"))


def _visit(world: World, name: str, link: Link) -> None:
    """Let somebody in by a link; his viewer is called `+` and the name of the visit."""
    with transaction() as session:
        visit = Visit(digest=f"{name:0>64}", link_id=link.id, generation=1, expires_at=utcnow() + STAY)
        session.add(visit)
        session.flush()
    world.visits[name] = visit
    world.viewers[f"+{name}"] = Viewer(link_id=link.public_id, generation=1, visit_id=visit.id)


def _visits(world: World) -> None:
    """End visits, forge two, and let guests bring pictures."""
    visits, rotated = world.visits, world.viewers["@rotated"].link_id
    # Nobody can come by these: a visit of before with the present address, and one of another link.
    world.viewers["+stale"] = Viewer(link_id=rotated, generation=2, visit_id=visits["former"].id)
    world.viewers["+astray"] = Viewer(link_id=world.viewers["@shown"].link_id, generation=1, visit_id=visits["open"].id)
    yesterday = utcnow() - timedelta(days=1)
    with transaction() as session:
        for name, values in (("over", {"ended_at": yesterday}), ("late", {"expires_at": yesterday})):
            session.execute(sa.update(Visit).where(Visit.id == visits[name].id).values(values))
        for name, visit, since in (("awaiting", "drop", yesterday), ("welcome", "open", None)):
            brought = {"origin": visits[visit].public_id, "guest_name": "Gus", "awaiting_since": since}
            session.execute(sa.update(Media).where(Media.id == world.media[name].id).values(brought))


def _changes(world: World) -> None:
    """Let everything happen that ends a right."""
    people, summer, yesterday = world.people, world.albums["summer"], utcnow() - timedelta(days=1)
    permit = authorize(people["owner"].viewer, Action.MANAGE, Album, summer.public_id)
    sharing.revoke_grant(permit, people["lost"].public_id)
    world.house.grant(summer, people["reduced"], Role.EDITOR)
    take_out(people["owner"].viewer, summer.public_id, world.media["gone"].public_id)
    with transaction() as session:
        for name in ("left", "stepped"):
            session.execute(sa.delete(GroupMember).where(GroupMember.user_id == people[name].id))
        ended = sa.update(Grant).where(Grant.user_id == people["expired"].id)
        session.execute(ended.values(expires_at=yesterday))
        session.execute(sa.update(Link).where(Link.id == world.links["ended"].id).values(expires_at=yesterday))
        for name, values in (
            ("live", {"state": State.READY}),
            ("trashed", {"trashed_at": yesterday}),
            ("quarantined", {"quarantined_at": yesterday}),
        ):
            session.execute(sa.update(Media).where(Media.id == world.media[name].id).values(values))
    for name in ("ghost", "disabled", "muted"):
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
    # But for the generation, which for a visitor is that of his visit.
    same = (permit.viewer.user_id, permit.viewer.link_id, permit.viewer.visit_id)
    assert same == (viewer.user_id, viewer.link_id, viewer.visit_id)
    assert (permit.action, permit.row.public_id) == (action, public_id)
    return True
