"""Why does the uncle see this? Somebody asks, looks with his eyes, and takes it away while he has the page open."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.contents import wait_for_the_worker
from tests.journeys.steps import loaded, origin, sign_in
from tests.live.server import LiveVault, eventually, looking_inside
from vault.models.sharing import Role

pytestmark = pytest.mark.journey
LINE = "In the group Uncles and aunts, granted viewer by the owner on the album Family, which Summer inherits from"
ENDS = "The whole group Uncles and aunts (2 people) loses the album Family"


@dataclass(frozen=True)
class Family:
    """Where the album and its pictures are."""

    album: str
    pictures: list[str]


@pytest.fixture(scope="module")
def family(vault: LiveVault, pictures: list[Path]) -> Family:
    with looking_inside(vault.home) as house:
        anna, bob, cleo = (house.person(name, password=PASSWORD) for name in ("Anna", "Bob", "Cleo"))
        above = house.album(anna, "Family")
        album = house.album(anna, "Summer", parent=above)
        files = [file for file in pictures if file.suffix in {".jpg", ".png", ".webp"}][:3]
        made = [house.picture(anna, album, data=file.read_bytes(), file_name=file.name, ready=False) for file in files]
        wait_for_the_worker()
        house.share(above, house.group(bob, cleo, name="Uncles and aunts", owner=anna), Role.VIEWER)
        return Family(f"/albums/{album.public_id}", [f"/media/{media.public_id}" for media in made])


def test_a_family_member_asks_why_the_uncle_sees_it_and_takes_it_away(
    vault: LiveVault, family: Family, browse: Browse
) -> None:
    anna, uncle = browse(), browse()
    for page, name in ((anna, "Anna"), (uncle, "Bob")):
        sign_in(page, vault, name)
        page.wait_for_url(f"{origin(vault)}/")
    uncle.goto(f"{origin(vault)}{family.album}")
    eventually(lambda: loaded(uncle.locator(".tile-image")))
    assert uncle.request.get(f"{origin(vault)}{family.pictures[1]}/preview").status == 200

    ask_why(anna, f"{origin(vault)}{family.pictures[0]}")
    look_as_the_uncle(anna, vault, family)
    take_it_away(anna)

    be_shut_out(uncle, [f"{origin(vault)}{each}" for each in family.pictures])


def ask_why(page: Page, picture: str) -> None:
    """Find the reason beside the picture: a group, on the album above."""
    page.goto(picture)
    line = page.locator(".seer").filter(has_text="Uncles and aunts")
    expect(line).to_contain_text(LINE)
    line.get_by_text("Who is in it").click()
    expect(line).to_contain_text("Bob")


def look_as_the_uncle(page: Page, vault: LiveVault, family: Family) -> None:
    """See the album as he does, unmistakably, and stop."""
    page.get_by_role("link", name="see as Bob").click()
    banner = page.get_by_role("complementary")
    expect(banner).to_contain_text(
        "You see this as Bob sees it. Nothing is counted for them; that you looked is recorded."
    )
    expect(page.locator(".nav, .account-menu, form")).to_have_count(0)
    eventually(lambda: loaded(page.locator(".tile-image")))
    expect(page.locator(".tile")).to_have_count(len(family.pictures))
    page.locator(".tile-link").first.click()
    expect(page.get_by_role("dialog", name="Pictures, one at a time")).to_be_visible()
    expect(banner).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    inside = "(links, root) => links.every(link => link.href.startsWith(root) || link.href.endsWith('#content'))"
    assert page.locator("main a").evaluate_all(inside, f"{origin(vault)}{family.album}/as/")
    banner.get_by_role("link", name="Stop").click()
    expect(page.get_by_role("heading", name="Who can see it, and why")).to_be_visible()


def take_it_away(page: Page) -> None:
    """Take just that away, having read for whom."""
    page.get_by_label("Take away: Uncles and aunts").click()
    expect(page.get_by_text(ENDS)).to_be_visible()
    page.get_by_role("button", name=re.compile("^Take it away from the group")).click()
    expect(page.get_by_role("status").filter(has_text="Done")).to_contain_text(ENDS)
    expect(page.locator(".seer")).to_have_count(1)


def be_shut_out(page: Page, pictures: list[str]) -> None:
    """Get nothing any more, with the page still open."""
    with page.expect_response(re.compile("/preview$")) as answer:
        page.locator(".tile-link").nth(1).click()
    assert answer.value.status == 403
    assert {page.request.get(f"{each}/{name}").status for each in pictures for name in ("thumb", "preview")} == {403}
    reloaded = page.reload()
    assert reloaded is not None
    assert reloaded.status == 403
