"""An album of many pictures: more come as one scrolls, and the page stays small."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.contents import fill
from tests.journeys.steps import origin, sign_in
from tests.live.server import LiveVault, eventually, looking_inside

pytestmark = pytest.mark.journey
COUNT = 520
# Some nine screens of a desk hold all of them; three and a half are kept.
MOST_IN_DOCUMENT = 260
SHOWN = "document.querySelectorAll('[data-tile]').length"


@pytest.fixture(scope="module")
def album(vault: LiveVault) -> str:
    """Return the address of Anna's long album."""
    with looking_inside(vault.home) as house:
        anna = house.person("Anna", password=PASSWORD)
        long = house.album(anna, "A year")
        fill(house, anna, long, COUNT)
        return f"{origin(vault)}/albums/{long.public_id}"


def test_scrolling_brings_every_picture_and_keeps_few(vault: LiveVault, album: str, browse: Browse) -> None:
    page = browse()
    sign_in(page, vault, "Anna")
    page.wait_for_url(f"{origin(vault)}/")
    page.goto(album)
    expect(page.get_by_text(f"{COUNT} pictures", exact=True)).to_be_visible()
    assert page.evaluate(SHOWN) <= 100
    seen: set[str] = set()
    most = 0
    while page.locator("[data-grid-more]").count() or not at_the_end(page):
        page.mouse.wheel(0, 700)
        page.evaluate("new Promise(requestAnimationFrame)")
        seen |= set(page.locator("[data-tile]").evaluate_all("tiles => tiles.map(tile => tile.dataset.tile)"))
        most = max(most, page.evaluate(SHOWN))
    assert len(seen) == COUNT
    assert most <= MOST_IN_DOCUMENT
    eventually(lambda: page.locator(".tile-image").last.evaluate("image => image.naturalWidth") == 48)


def test_the_keyboard_goes_to_the_end_and_back(vault: LiveVault, album: str, browse: Browse) -> None:
    page = browse(phone=True)
    sign_in(page, vault, "Anna")
    page.wait_for_url(f"{origin(vault)}/")
    page.goto(album)
    page.locator(".tile-link").first.focus()
    first = page.locator(":focus").get_attribute("href")
    page.keyboard.press("End")
    expect(page.locator(":focus")).not_to_have_attribute("href", first or "")
    expect(page.locator(":focus")).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(page.locator(":focus")).to_have_attribute("href", first or "")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("href", re.compile("/media/"))
    expect(page.locator(":focus")).to_be_in_viewport()


def at_the_end(page: Page) -> bool:
    return bool(page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 2"))
