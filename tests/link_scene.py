"""The albums and pictures of the table of a link's states, and how one of its paths is asked."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import House, Person
from tests.link_states import PATHS
from vault.db import transaction
from vault.models.media import Album, Media
from vault.models.sharing import Link, LinkFacts, LinkRole
from vault.policy import Action, Permit, authorize
from vault.services import moving

COOKIE = "vault-visit"
PASSWORD = "heather on the hill"  # of links that live as long as a test
TITLE = "Summer at the lake"


@dataclass(frozen=True)
class Asked:
    """What is asked for, and with which ticket."""

    link_id: str
    number: int
    """The link's row."""
    address: str
    ticket: str
    below: str
    media: str


@dataclass
class Scene:
    """A vault with an album, one below it, and a picture in each; every state begins with new ones."""

    house: House
    anna: Person
    album: Album
    below: Album
    media: Media
    other: Media

    def link(self, **terms: Any) -> Link:
        """Make a link that lets take home."""
        return self.house.link(self.album, **{"role": LinkRole.DOWNLOADER, **terms})

    def inside(self, link: Link, password: str | None = None) -> Asked:
        """Let a visitor in."""
        browser = self.house.visitor(link, password=password)
        return self.asked(link, ticket_of(browser, link))

    def came(self, link: Link) -> Asked:
        """Let somebody come with the address, but no further."""
        browser = self.house.browser()
        assert browser.get(self.house.address(link)).status_code == 303
        return self.asked(link, ticket_of(browser, link))

    def asked(self, link: Link, ticket: str) -> Asked:
        """Ask for the first picture and the album below."""
        ids = self.below.public_id, self.media.public_id
        return Asked(link.public_id, link.id, self.house.address(link), ticket, *ids)

    def manage(self, asked: Asked) -> Permit[LinkFacts]:
        """Return the owner's permit to manage the link."""
        return authorize(self.anna.viewer, Action.MANAGE, Link, asked.link_id)

    def write(self, what: Any, row_id: int, **values: Any) -> None:
        """Write into a row."""
        with transaction() as session:
            session.execute(sa.update(what).where(what.id == row_id).values(**values))

    def move(self, album: Album, parent: Album | None) -> None:
        """Move an album in the tree."""
        permit = authorize(self.anna.viewer, Action.MANAGE, Album, album.public_id)
        wish = moving.Place(parent.public_id if parent else None)
        moving.carry_out(permit, wish, expected=moving.preview(permit, wish).digest)


def new_scene(house: House, anna: Person) -> Scene:
    """Make the albums and pictures of one state."""
    album = house.album(anna, TITLE)
    below = house.album(anna, "Boats", parent=album)
    kept = house.picture(anna, album)  # so that the album is never empty
    assert kept.id
    media, other = house.picture(anna, album), house.picture(anna, below)
    for each in (media, other):
        house.lay_moving(each, "motion")
    return Scene(house, anna, album, below, media, other)


def send(house: House, asked: Asked, path: str, etags: dict[str, str] | None = None) -> TestResponse:
    """Ask for one path of the table, with the ticket as it is and whatever cookies came before forgotten."""
    method, address, headers = PATHS[path]
    names = {"link": asked.link_id, "address": asked.address, "below": asked.below, "media": asked.media}
    said = {name: value.format(**(etags or {"thumb": "*", "original": "*"})) for name, value in headers.items()}
    if asked.ticket:
        said["Cookie"] = f"{COOKIE}={asked.ticket}"
    return house.app.test_client(use_cookies=False).open(address.format(**names), method=method, headers=said)


def ticket_of(browser: FlaskClient, link: Link) -> str:
    """Return the ticket that a browser holds for a link's pages."""
    found = browser.get_cookie(COOKIE, domain="127.0.0.1", path=f"/l/{link.public_id}/")
    assert found is not None
    return found.value
