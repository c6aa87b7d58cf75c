"""Without JavaScript every page works: signing in, uploading, leafing, arranging, sharing, links."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD
from tests.journeys import albumful
from tests.journeys.conftest import Browse
from tests.journeys.contents import fill, wait_for_the_worker
from tests.journeys.steps import email, loaded, origin, sign_in
from tests.live.server import LiveVault, eventually, looking_inside
from vault.models.media import Order

pytestmark = pytest.mark.journey
COUNT = 130


@pytest.fixture(scope="module")
def anna(vault: LiveVault) -> str:
    """Make Anna with a long album and Ben; return the long album's address."""
    with looking_inside(vault.home) as house:
        anna, _ = house.person("Anna", password=PASSWORD), house.person("Ben", password=PASSWORD)
        house.album(anna, "Three pictures", order=Order.MANUAL)
        long = house.album(anna, "A month")
        fill(house, anna, long, COUNT)
        return f"{origin(vault)}/albums/{long.public_id}"


def test_everything_works_without_a_script(vault: LiveVault, anna: str, browse: Browse, tmp_path: Path) -> None:
    page, ben = browse(script=False), browse(script=False)
    sign_in(page, vault, "Anna")
    expect(page.get_by_role("heading", name="Newest pictures")).to_be_visible()
    leaf(page, anna)
    album = upload(page, vault, albumful.more(tmp_path, 3))
    arrange(page, album)
    share(page, album)
    sign_in(ben, vault, "Ben")
    ben.get_by_role("link", name="Three pictures").click()
    expect(ben.locator(".tile")).to_have_count(3)
    ben.locator(".tile-link").first.click()
    expect(ben.get_by_role("link", name="Next picture")).to_be_visible()
    expect(ben.get_by_role("button", name=re.compile("^Move"))).to_have_count(0)
    link(page, browse(script=False), album)


def leaf(page: Page, album: str) -> None:
    """Leaf through an album that is longer than a page."""
    page.goto(album)
    expect(page.locator(".tile")).to_have_count(100)
    page.get_by_role("link", name="More pictures").click()
    expect(page.locator(".tile")).to_have_count(COUNT - 100)
    expect(page.get_by_role("link", name="More pictures")).to_have_count(0)
    page.locator(".tile-link").last.click()
    expect(page.get_by_role("link", name="Next picture")).to_have_count(0)
    page.get_by_role("link", name="Previous picture").click()
    expect(page.get_by_role("link", name="Next picture")).to_be_visible()


def upload(page: Page, vault: LiveVault, files: list[Path]) -> str:
    """Upload by the plain form into an album; return the album's address."""
    page.get_by_role("link", name="Upload").click()
    page.get_by_label("Put them into").select_option("Three pictures")
    page.locator("[data-upload-files]").set_input_files(files)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("3 pictures are here.")).to_be_visible()
    with looking_inside(vault.home):
        wait_for_the_worker()
    page.reload()
    expect(page.locator(".tile-image")).to_have_count(3)
    page.locator(".tile-image").last.scroll_into_view_if_needed()
    eventually(lambda: names(page) == ["more0.jpg", "more1.jpg", "more2.jpg"])
    return page.url


def arrange(page: Page, album: str) -> None:
    """Put the last picture first and the first one later, from their own pages."""
    page.get_by_role("link", name="more2.jpg").click()
    page.get_by_role("button", name="Move earlier").click()
    page.get_by_role("button", name="Move earlier").click()
    expect(page.get_by_role("button", name="Move earlier")).to_have_count(0)
    page.goto(album)
    assert names(page) == ["more2.jpg", "more0.jpg", "more1.jpg"]
    page.get_by_role("link", name="more0.jpg").click()
    page.get_by_role("button", name="Move later").click()
    expect(page.get_by_role("button", name="Move later")).to_have_count(0)
    page.goto(album)
    assert names(page) == ["more2.jpg", "more1.jpg", "more0.jpg"]


def share(page: Page, album: str) -> None:
    """Let Ben see the album."""
    page.goto(f"{album}/sharing")
    page.get_by_text("Share with somebody").click()
    page.get_by_label("E-mail address").fill(email("Ben"))
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_text("Shared with ben@example.org.")).to_be_visible()


def link(page: Page, visitor: Page, album: str) -> None:
    """Make a link, look at it as a visitor, and take it back."""
    page.goto(f"{album}/sharing")
    page.get_by_label("Who is it for?").last.fill("Neighbours")
    page.get_by_role("button", name="Make the link").click()
    address = page.get_by_label("The address of Neighbours").input_value()
    visitor.goto(address)
    expect(visitor.locator(".tile")).to_have_count(3)
    visitor.locator(".tile-link").first.click()
    eventually(lambda: loaded(visitor.locator(".stage-image")))
    page.get_by_role("button", name="End the link").click()
    expect(page.get_by_text("The link is ended.")).to_be_visible()
    visitor.goto(address)
    expect(visitor.get_by_role("heading", name="This link does not open anything")).to_be_visible()


def names(page: Page) -> list[str]:
    """Return what the pictures of a grid are called, in its order."""
    return [re.sub(r"\?.*", "", tile.get_attribute("data-name") or "") for tile in page.locator(".tile").all()]
