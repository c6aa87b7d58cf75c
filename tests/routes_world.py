"""The people and things that the table of addresses speaks of, and how a request is made of one of its cells."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import tus
from tests.factories import House, Person
from tests.routes_bodies import FORMS
from tests.routes_table import WHO
from vault.db import db, transaction, utcnow
from vault.models.account import ApiToken, LoginSession, Scope, User
from vault.models.media import Album, Media, Order, State
from vault.models.sharing import Link, LinkRole, Role
from vault.policy import Action, authorize
from vault.services import accounts, albums, breakglass, explaining, library, links, notices
from vault.services.importing import runs
from vault.services.uploads import resumable
from vault.services.uploads.promises import Announced, Sender

# Not this machine's own address, which may see more (/metrics).
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}
GRANTED = {role.label: role for role in Role if role is not Role.OWNER}
UPLOADS_BY_LINK = re.compile(r"^/l/[^/]+/uploads/")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    method: str
    path: str
    uses_up: bool
    statuses: dict[str, str]

    @property
    def body(self) -> dict[str, Any]:
        """What is sent along: JSON to the API, a form to a page."""
        # Below a link they are the same.
        said = FORMS.get(UPLOADS_BY_LINK.sub("/uploads/", self.path.partition("?")[0]), {})
        if self.path.startswith("/api/") and said and self.method in ("POST", "PUT", "PATCH"):
            return {"json": said}
        if "/uploads/" in self.path:
            return {"headers": dict(said)}
        return {"data": said} if self.method == "POST" else {}


def rows(*tables: str) -> Iterator[Row]:
    """Read the tables."""
    for table in tables:
        head, *lines = table.strip().splitlines()
        assert [name[:4] for name in WHO] == head.split()
        for line in lines:
            method, path, *cells = line.replace(" ! ", " ").split()
            yield Row(method, path, " ! " in line, dict(zip(WHO, cells, strict=True)))


@dataclass
class World:
    """Everybody, with a browser each, and the things in the braces."""

    house: House
    people: dict[str, Person] = field(default_factory=dict)
    browsers: dict[str, tuple[FlaskClient, dict[str, str]]] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)
    mine: dict[str, str] = field(default_factory=dict)
    inside: FlaskClient | None = None
    """The visitor's browser, with tickets of all links that there are at present."""

    def path(self, row: Row, who: str) -> str:
        """Return the address of a cell."""
        return row.path.format(**self.things, mine=self.mine.get(who, self.things["loose"]))

    def send(self, method: str, path: str, who: str, **more: Any) -> TestResponse:
        """Send a request as somebody, with the proof that it comes from a page of ours."""
        browser, csrf = self.browsers[who]
        spoken = tus.SPOKEN if "/uploads/" in path else {}
        headers = {**csrf, **spoken, **more.pop("headers", {})}
        return browser.open(path, method=method, headers=headers, environ_base=ELSEWHERE, **more)

    def status(self, answer: TestResponse) -> str:
        """Return how an answer stands in a cell."""
        is_way_in = answer.status_code == 302 and answer.location.partition("?")[0] == "/sign-in"
        return "in" if is_way_in else str(answer.status_code)

    def renew_browser(self, who: str) -> None:
        """Give somebody a new browser, without messages of an earlier deed."""
        browser = self.inside if who == "visitor" and self.inside else self.house.browser(self.people.get(who))
        self.browsers[who] = (browser, self.house.csrf(browser))


def build(house: House) -> World:
    """Make everybody and everything."""
    world = World(house)
    for name in WHO[1:-1]:
        world.people[name] = house.person(name, admin=name == "administrator")
    world.people["guest"] = house.person("guest")
    renew_things(world)
    for name in WHO:
        world.renew_browser(name)
    return world


def renew_things(world: World) -> None:
    """Make everything anew that a deed may have used up."""
    house, owner = world.house, world.people["owner"]
    summer = house.album(owner, f"Summer {next(_numbers)}", order=Order.MANUAL)
    below, apart = house.album(owner, "Below", parent=summer), house.album(owner, "Apart", parent=summer)
    albums.change(authorize(owner.viewer, Action.MANAGE, Album, apart.public_id), albums.Changes(inherits=False))
    _give_roles(world, summer)
    found: dict[str, Album | Media | Link] = {"album": summer, "below": below, "apart": apart}
    found |= {name: house.picture(owner, summer, ready=False) for name in ("failed", "binned")}
    found["media"] = media = house.picture(owner, summer)
    house.lay_moving(media, "motion")
    found["film"] = film = house.picture(owner, summer)
    house.lay_moving(film)
    found["arrived"] = house.picture(owner, summer)
    found["loose"] = house.picture(owner)
    found["link"] = house.link(summer)
    promised = resumable.create(house.vault, Sender(owner.viewer), Announced(size_bytes=10))
    library.trash(authorize(owner.viewer, Action.TRASH, Media, found["binned"].public_id))
    with transaction() as session:
        session.execute(sa.update(Media).where(Media.id == found["failed"].id).values(state=State.FAILED))
        session.execute(sa.update(Media).where(Media.id == found["arrived"].id).values(awaiting_since=utcnow()))
    world.things = {name: row.public_id for name, row in found.items()} | {"upload": promised.upload_id}
    run = runs.begin_here(owner.viewer, name=f"photos{next(_numbers)}.zip", album_id=None, count=3, size_bytes=3000)
    world.things["import"] = run.public_id
    world.things |= _groups(world, summer)
    world.things |= _addresses(world, summer) | _one_time(world)
    world.things |= _reasons(world, summer, found["media"].public_id)
    world.mine = {
        name: house.picture(person, ready=False).public_id for name, person in world.people.items() if name != "owner"
    }


def _give_roles(world: World, summer: Album) -> None:
    for name, role in GRANTED.items():
        world.house.grant(summer, world.people[name], role)
    world.house.grant(summer, world.people["guest"], Role.VIEWER)
    world.things["guest"] = world.people["guest"].public_id


def _groups(world: World, summer: Album) -> dict[str, str]:
    """Make a group of the whole vault that comes into the album, and a club of the owner's."""
    house, guest = world.house, world.people["guest"]
    choir, club = house.group(guest), house.group(guest, owner=world.people["owner"])
    house.share(summer, choir, Role.VIEWER)
    return {"group": choir.public_id, "club": club.public_id}


def _reasons(world: World, summer: Album, media_id: str) -> dict[str, str]:
    """Name why the guest sees album and picture, and let the owner be told of an administrator who looks elsewhere."""
    house, owner, guest = world.house, world.people["owner"], world.people["guest"]
    on_album = explaining.of_album(authorize(owner.viewer, Action.EXPLAIN, Album, summer.public_id))
    on_media = explaining.of_media(authorize(owner.viewer, Action.EXPLAIN, Media, media_id))
    line, seen = (
        next(each.id for each in all_ if each.user and each.user.id == guest.id) for all_ in (on_album, on_media)
    )
    administrator, asked = world.people["administrator"], house.album(owner, "Asked")
    breakglass.look(administrator.id, owner.id, asked.public_id, reason="somebody complained", hours=1)
    # The clock stands still here, so "the latest" could be a notice of an earlier row's look.
    of_this = (each.id for each in notices.page(owner.id, limit=1_000).items if each.album_id == asked.public_id)
    return {"line": line, "seen": seen, "told": next(of_this)}


def _addresses(world: World, summer: Album) -> dict[str, str]:
    house, owner = world.house, world.people["owner"]
    shown, taken, dead = house.link(summer), house.link(summer, role=Role.DOWNLOADER), house.link(summer)
    adding = house.link(summer, role=LinkRole.DROP)
    named = {"shown": shown, "taken": taken, "dead": dead, "adding": adding}
    tokens = {name: house.address(link).removeprefix("/l/") for name, link in named.items()}
    world.inside = house.browser()
    for token in tokens.values():
        assert world.inside.get(f"/l/{token}", follow_redirects=True).status_code == 200
    links.revoke(authorize(owner.viewer, Action.DELETE, Link, dead.public_id))
    if "visitor" in world.browsers:
        world.renew_browser("visitor")
    ids = {"inside": shown.public_id, "taker": taken.public_id, "closed": dead.public_id, "adder": adding.public_id}
    return tokens | ids


def _one_time(world: World) -> dict[str, str]:
    """Make what accounts have: a session and a token of the owner, one-time addresses, a person."""
    house, owner, guest = world.house, world.people["owner"], world.people["guest"]
    house.browser(owner)
    house.token(owner, Scope.READ)
    with transaction() as session:
        session.execute(sa.delete(User).where(User.email == "newcomer@example.org"))
    invited, invite = accounts.invite(house.vault, None, email=f"invited{next(_numbers)}@example.org")
    _, reset = accounts.offer_new_password(house.vault, None, guest.id)

    def latest(kind: type[LoginSession] | type[ApiToken]) -> str:
        return (
            db.session.scalars(
                sa.select(kind.public_id).where(kind.user_id == owner.id).order_by(kind.id.desc())
            ).first()
            or ""
        )

    return {
        "session": latest(LoginSession),
        "token": latest(ApiToken),
        "invite": invite,
        "invited": invited.public_id,
        "reset": reset,
        "made_up": "A" * 43,
        "person": guest.public_id,
        "guest": guest.public_id,
    }
