"""Takes the pictures of `docs/images/`. Only collected when VAULT_SCREENSHOTS=1 (see conftest)."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.conftest import ROOT
from tests.factories import PASSWORD, House
from tests.journeys.conftest import Browse
from tests.journeys.contents import wait_for_the_worker
from tests.journeys.steps import loaded, origin, sign_in
from tests.live.server import LiveVault, eventually, looking_inside
from vault.models.media import Order
from vault.models.sharing import Role

pytestmark = pytest.mark.journey
IMAGES = ROOT / "docs" / "images"
LARGEST_BYTES = 400_000
# All of them in the public domain; the manifest of the folder says where each comes from.
OUTDOORS = (
    "test__silver_fir.jpg",
    "test__el_torcal_rocks.jpg",
    "test__prairie_falcon.jpg",
    "test__tanners_ridge.jpg",
    "test__denali.webp",
    "test__thompson-springs.jpg",
    "test__book-beside-flowers.jpg",
    "scikit__chelsea.png",
    "test__japanese-shop.jpg",
    "scikit__coffee.png",
)
CLOSER = "test__japanese-shop.jpg"
SPACE = ("scikit__hubble_deep_field.jpg", "scikit__rocket.jpg", "scikit__astronaut.png")
DESK_WORK = ("test__handwritten-notes.jpg", "scikit__coffee.png", "test__book-beside-flowers.jpg")


@pytest.fixture(scope="module")
def album(vault: LiveVault) -> str:
    """Make a vault that is nice to look at; return the path of its first album."""
    folder = ROOT.parent / "shared" / "photos"
    with looking_inside(vault.home) as house:
        return _furnished(house, folder)


def _furnished(house: House, folder: Path) -> str:
    anna = house.person("Anna", admin=True, password=PASSWORD)
    people = [house.person(name) for name in ("Ben", "Dora")]
    shown = [("Space", SPACE), ("On my desk", DESK_WORK), ("A year outside", OUTDOORS)]
    made = {title: house.album(anna, title, order=Order.MANUAL) for title, _ in shown}
    for title, names in shown:
        for name in names:
            house.picture(
                anna, made[title], data=(folder / name).read_bytes(), file_name=name.partition("__")[2], ready=False
            )
    wait_for_the_worker()
    album = made["A year outside"]
    house.grant(album, people[0], Role.CONTRIBUTOR)
    house.grant(album, people[1], Role.VIEWER)
    house.link(album, label="Grandparents", role=Role.DOWNLOADER)
    return f"/albums/{album.public_id}"


def test_the_pages_have_their_pictures_taken(vault: LiveVault, album: str, browse: Browse) -> None:
    dark, page = browse(dark=True), browse()
    for each, name in ((dark, "album-dark"), (page, "album-light")):
        sign_in(each, vault, "Anna")
        each.wait_for_url(f"{origin(vault)}/")
        each.goto(f"{origin(vault)}{album}")
        _take(each, name)
    page.goto(f"{origin(vault)}{album}/sharing")
    link = page.get_by_label("The address of Grandparents").input_value()
    _take(page, "sharing")
    page.goto(f"{origin(vault)}{album}")
    page.locator(".tile-link").nth(OUTDOORS.index(CLOSER)).click()
    page.get_by_role("link", name="Details of this picture").click()
    _take(page, "picture")
    phone = browse(phone=True, dark=True, device_scale_factor=2)
    phone.goto(link)
    _take(phone, "link-phone")


def _take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    shown = page.locator("main img:visible")
    eventually(lambda: shown.count() == 0 or loaded(shown))
    with Image.open(BytesIO(page.screenshot())) as taken:
        taken.convert("RGB").save(IMAGES / f"{name}.webp", quality=82, method=6)
    assert (IMAGES / f"{name}.webp").stat().st_size < LARGEST_BYTES
