"""One picture on its own page: all of it is seen, however tall it is and however low the window."""

from functools import partial
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect

from tests.factories import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.contents import wait_for_the_worker
from tests.journeys.steps import origin, sign_in
from tests.live.server import LiveVault, eventually, looking_inside
from vault.models.sharing import Role

pytestmark = pytest.mark.journey
WINDOWS: tuple[ViewportSize, ...] = (
    {"width": 1440, "height": 900},
    {"width": 1440, "height": 600},
    {"width": 390, "height": 844},
)
PORTRAITS = ((3024, 4032), (240, 320))
# A rounding of the browser's, never more.
SLACK_PX = 1
INSIDE = """([slack]) => {
  const picture = document.querySelector(".stage-image").getBoundingClientRect();
  const stage = document.querySelector(".stage").getBoundingClientRect();
  return picture.width > 0 && picture.height > 0 && picture.top >= stage.top - slack
    && picture.bottom <= stage.bottom + slack && Math.abs(picture.width / picture.height - 0.75) < 0.02;
}"""


def _portrait(width: int, height: int) -> bytes:
    made = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(made, "JPEG", quality=70)
    return made.getvalue()


@pytest.fixture(scope="module")
def shown(vault: LiveVault) -> tuple[list[str], str]:
    """Make Anna, her album of portraits and a link to it; return the ids of the pictures, and the link's address."""
    with looking_inside(vault.home) as house:
        anna = house.person("Anna", password=PASSWORD)
        album = house.album(anna, "Portraits")
        ids = [house.picture(anna, album, data=_portrait(*size), ready=False).public_id for size in PORTRAITS]
        link = house.link(album, label="Grandparents", role=Role.DOWNLOADER)
        wait_for_the_worker()
        return ids, house.address(link)


def _check(page: Page) -> None:
    for window in WINDOWS:
        page.set_viewport_size(window)
        picture = page.locator(".stage-image")
        expect(picture).to_be_visible()
        is_loaded = partial(picture.evaluate, "image => image.complete && image.naturalHeight > 0")
        eventually(is_loaded)
        assert page.evaluate(INSIDE, [SLACK_PX]), window


def test_all_of_a_portrait_is_seen(vault: LiveVault, shown: tuple[list[str], str], browse: Browse) -> None:
    page = browse()
    sign_in(page, vault, "Anna")
    page.wait_for_url(f"{origin(vault)}/")
    for media_id in shown[0]:
        page.goto(f"{origin(vault)}/media/{media_id}")
        _check(page)


def test_visitors_see_all_of_it_too(vault: LiveVault, shown: tuple[list[str], str], browse: Browse) -> None:
    page = browse()
    page.goto(f"{origin(vault)}{shown[1]}")
    addresses = page.locator(".tile-link").evaluate_all("links => links.map(link => link.href)")
    assert len(addresses) == len(PORTRAITS)
    for address in addresses:
        page.goto(address)
        _check(page)
