"""Taking pictures home: an album by its menu, chosen ones by their bar, with the browser's own download."""

import re
import zipfile

import pytest
from playwright.sync_api import Download, Page, expect

from tests.factories import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.steps import origin, sign_in
from tests.live.server import LiveVault, looking_inside
from vault.models.sharing import Role

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def album(vault: LiveVault) -> str:
    """Make an album of three pictures with one below it, that Ben may download from; return its address."""
    with looking_inside(vault.home) as house:
        anna, ben = house.person("Anna", password=PASSWORD), house.person("Ben", password=PASSWORD)
        summer = house.album(anna, "Summer")
        house.picture(anna, house.album(anna, "The lake", parent=summer), file_name="below.jpg")
        for name in ("one.jpg", "two.jpg", "three.jpg"):
            house.picture(anna, summer, file_name=name)
        house.grant(summer, ben, Role.DOWNLOADER)
        return f"{origin(vault)}/albums/{summer.public_id}"


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_somebody_takes_an_album_and_two_pictures_of_it_home(
    vault: LiveVault, album: str, browse: Browse, *, phone: bool
) -> None:
    page = browse(phone=phone, dark=phone)
    sign_in(page, vault, "Ben")
    page.wait_for_url(f"{origin(vault)}/")
    page.goto(album)

    assert names(taken(page, re.compile("Download all 3 pictures, [0-9.]+ KB"))) == {
        f"Summer/{name}.jpg" for name in ("one", "two", "three")
    }
    assert len(names(taken(page, "Download with the albums inside"))) == 4

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Select").click()
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).click()
    boxes.nth(2).click()
    bar = page.get_by_role("region", name="Selected pictures")
    with page.expect_download() as begun:
        bar.get_by_role("button", name="Download").click()
    assert names(begun.value) == {"Pictures/three.jpg", "Pictures/one.jpg"}
    expect(bar).to_contain_text("The download of 2 pictures has begun.")
    assert page.url == album


def taken(page: Page, label: str | re.Pattern[str]) -> Download:
    """Choose a download from the album's menu, without a script's help."""
    menu = page.get_by_label("More about this album")
    item = page.get_by_role("link", name=label)
    if not item.is_visible():
        menu.click()
    with page.expect_download() as begun:
        item.click()
    return begun.value


def names(download: Download) -> set[str]:
    """Return the names in an archive that a browser has saved."""
    with zipfile.ZipFile(download.path()) as opened:
        assert opened.testzip() is None
        return set(opened.namelist())
