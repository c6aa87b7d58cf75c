"""Visits are counted exactly: once for each visitor, whatever happens at the same moment."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.counting import counted, rows
from tests.factories import House, Person
from tests.link_scene import PASSWORD, ticket_of
from tests.live.crowd import together
from vault.models.account import SignInAttempt
from vault.models.history import Visit
from vault.models.media import Album, Media
from vault.models.sharing import Link
from vault.policy import Action, Denied, Viewer, authorize
from vault.services import links, visiting

CROWD, ROOM = 100, 5
AGENT = "a test"
Outcomes = list[Any]


@pytest.fixture
def anna(house: House) -> Person:
    """Return the owner of everything."""
    return house.person("Anna")


@pytest.fixture
def album(house: House, anna: Person) -> Album:
    """Return her album."""
    return house.album(anna)


@pytest.fixture
def media(house: House, anna: Person, album: Album) -> Media:
    """Return her picture in it."""
    return house.picture(anna, album)


def ticket(house: House, link: Link) -> str:
    """Return a ticket for somebody new."""
    return visiting.new_ticket(house.vault, Viewer(link_id=link.public_id, generation=link.generation))


def admitted(outcomes: Outcomes) -> int:
    """Return how many were let in; all others must have been turned away, and nobody met a fault."""
    let_in = [each for each in outcomes if isinstance(each, visiting.Entered)]
    assert [each for each in outcomes if not isinstance(each, visiting.Entered | Denied)] == []
    return len(let_in)


def test_five_of_a_hundred_who_come_at_once_are_let_in(house: House, album: Album) -> None:
    link = house.link(album, max_visits=ROOM)
    tickets = [ticket(house, link) for _ in range(CROWD)]

    def come(each: str) -> Callable[[], visiting.Entered]:
        return lambda: visiting.enter(house.vault, link.public_id, each, user_agent=AGENT)

    outcomes = together(house.app, [come(each) for each in tickets])

    assert admitted(outcomes) == ROOM
    assert (counted(link), rows(Visit, link_id=link.id)) == (ROOM, ROOM)


def test_five_of_a_hundred_who_know_the_password_at_once_are_let_in(house: House, album: Album) -> None:
    link = house.link(album, max_visits=ROOM, password=PASSWORD)
    tickets = [ticket(house, link) for _ in range(CROWD)]

    def unlock(each: str) -> Callable[[], visiting.Entered]:
        return lambda: visiting.unlock(house.vault, link.public_id, each, PASSWORD, user_agent=AGENT)

    outcomes = together(house.app, [unlock(each) for each in tickets])

    assert admitted(outcomes) == ROOM
    assert (counted(link), rows(Visit, link_id=link.id)) == (ROOM, ROOM)


def test_one_browser_that_opens_twenty_windows_at_once_is_one_visitor(house: House, album: Album) -> None:
    link = house.link(album, max_visits=1)
    his = ticket(house, link)

    outcomes = together(
        house.app, [lambda: visiting.enter(house.vault, link.public_id, his, user_agent=AGENT) for _ in range(20)]
    )

    assert admitted(outcomes) == 20
    assert counted(link) == 1


def test_coming_back_in_the_same_browser_is_the_same_visit(house: House, album: Album, media: Media) -> None:
    link = house.link(album, max_visits=1)
    browser, address = house.visitor(link), house.address(link)
    first = ticket_of(browser, link)

    for path in (
        f"/l/{link.public_id}/",
        address,
        f"/l/{link.public_id}/",
        f"/l/{link.public_id}/media/{media.public_id}",
    ):
        assert browser.get(path, follow_redirects=True).status_code == 200

    assert ticket_of(browser, link) == first
    assert counted(link) == 1
    assert house.visitor(link).get(f"/l/{link.public_id}/").status_code == 403


def test_looking_at_the_address_is_no_visit(house: House, album: Album) -> None:
    link = house.link(album, max_visits=1)
    address = house.address(link)

    for agent in ("WhatsApp/2.23", "Twitterbot/1.0", "Slackbot-LinkExpanding 1.0", "Googlebot/2.1"):
        card = house.browser().get(address, headers={"User-Agent": agent}, follow_redirects=True)
        assert card.status_code == 200
        assert "Set-Cookie" not in card.headers
        assert counted(link) == 0, agent
    assert house.browser().head(address).status_code == 303
    newcomer = house.browser()
    assert newcomer.get(address).status_code == 303
    assert newcomer.head(f"/l/{link.public_id}/").status_code == 403

    assert counted(link) == 0
    assert newcomer.get(f"/l/{link.public_id}/").status_code == 200


def test_a_changed_password_puts_everybody_out_at_once(house: House, anna: Person, album: Album, media: Media) -> None:
    link = house.link(album, password=PASSWORD)
    inside, thumb = house.visitor(link, password=PASSWORD), f"/l/{link.public_id}/media/{media.public_id}/thumb"
    etag = inside.get(thumb).headers["ETag"]

    permit = authorize(anna.viewer, Action.MANAGE, Link, link.public_id)
    links.change(house.vault, permit, password="gorse on the hill")

    assert inside.get(thumb).status_code == 403
    assert inside.get(thumb, headers={"If-None-Match": etag}).status_code == 403
    assert "password" in inside.get(f"/l/{link.public_id}/").get_data(as_text=True)
    assert house.visitor(link, password=PASSWORD).get(thumb).status_code == 403
    assert house.visitor(link, password="gorse on the hill").get(thumb).status_code == 200


def test_guessing_a_link_s_password_makes_the_guesser_wait_and_nobody_else(
    house: House, album: Album, media: Media
) -> None:
    link, other = house.link(album, password=PASSWORD), house.link(album, password=PASSWORD)
    inside, thumb = house.visitor(link, password=PASSWORD), f"/l/{link.public_id}/media/{media.public_id}/thumb"

    def guess(of: Link, password: str, where: str) -> tuple[int, bool]:
        browser, here = house.browser(), {"REMOTE_ADDR": where}
        page = browser.get(house.address(of), follow_redirects=True, environ_base=here).get_data(as_text=True)
        said = {"password": password, "csrf_token": page.partition('name="csrf_token" value="')[2].partition('"')[0]}
        answer = browser.post(f"/l/{of.public_id}/unlock", data=said, environ_base=here)
        return answer.status_code, "Retry-After" in answer.headers

    assert [guess(link, "wrong", "192.0.2.1") for _ in range(5)] == [(422, False)] * 5
    assert guess(link, "wrong", "192.0.2.1") == (429, True)
    assert guess(link, PASSWORD, "192.0.2.1") == (429, True), "the right one waits too, or it could be guessed"
    assert guess(other, PASSWORD, "192.0.2.1") == (303, False), "another link is not affected"
    assert guess(link, PASSWORD, "198.51.100.1") == (303, False), "nobody else is affected"
    assert inside.get(thumb).status_code == 200


def test_unlocking_from_a_second_window_is_no_second_visit(house: House, album: Album) -> None:
    link = house.link(album, password=PASSWORD, max_visits=1)
    browser = house.browser()
    page = browser.get(house.address(link), follow_redirects=True).get_data(as_text=True)
    said = {"password": PASSWORD, "csrf_token": page.partition('name="csrf_token" value="')[2].partition('"')[0]}

    for _ in range(2):
        assert browser.post(f"/l/{link.public_id}/unlock", data=said).status_code == 303
        assert browser.get(f"/l/{link.public_id}/").status_code == 200
    assert counted(link) == 1


def test_who_never_came_by_the_address_uses_up_no_tries(house: House, album: Album) -> None:
    link = house.link(album, password=PASSWORD)
    stranger = house.browser()
    csrf = house.csrf(stranger)

    for _ in range(7):
        answer = stranger.post(f"/l/{link.public_id}/unlock", data={"password": "wrong"}, headers=csrf)
        assert answer.status_code == 403
    assert rows(SignInAttempt) == 0
