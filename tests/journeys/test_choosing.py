"""Choosing several pictures: put into albums, taken out, thrown away, taken back and deleted, by mouse and keyboard."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.factories import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.contents import fill
from tests.journeys.steps import confirm, origin, sign_in
from tests.live.server import LiveVault, looking_inside
from vault.models.sharing import Role

pytestmark = pytest.mark.journey
# More than a page of a grid, and than a window keeps in the document.
COUNT = 130


@dataclass(frozen=True)
class Albums:
    """Addresses of Anna's long album, and of one in which Ben, an editor, has a picture of his own."""

    long: str
    shared: str


@pytest.fixture(scope="module")
def albums(vault: LiveVault) -> Albums:
    with looking_inside(vault.home) as house:
        anna, ben = house.person("Anna", password=PASSWORD), house.person("Ben", password=PASSWORD)
        long, shared = house.album(anna, "A month"), house.album(anna, "A week")
        fill(house, anna, long, COUNT)
        house.grant(shared, ben, Role.EDITOR)
        for owner, name in ((anna, "hers.jpg"), (ben, "his.jpg")):
            house.picture(owner, shared, file_name=name)
        return Albums(*(f"{origin(vault)}/albums/{album.public_id}" for album in (long, shared)))


def test_many_pictures_are_sorted_at_once(vault: LiveVault, albums: Albums, browse: Browse) -> None:
    page = browse()
    sign_in(page, vault, "Anna")
    page.wait_for_url(f"{origin(vault)}/")
    page.goto(albums.long)
    choose_a_range(page)
    put_into_a_new_album(page)
    take_out(page)
    throw_away(page)
    keep_in_mind_what_is_out_of_sight(page)
    take_back_and_delete(page, vault)


def choose_a_range(page: Page) -> None:
    """Choose by mouse, then by keyboard alone, and leave."""
    start_selecting(page)
    boxes = page.get_by_role("checkbox")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    boxes.nth(2).click()
    expect(bar(page)).to_contain_text("3 selected")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(3)
    page.keyboard.press("Escape")
    expect(bar(page)).to_be_hidden()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.get_by_role("button", name="Select", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    boxes.first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Space")
    expect(bar(page)).to_contain_text("3 selected")


def put_into_a_new_album(page: Page) -> None:
    """Put the first three into an album that is made on the way; they stay where they are, too."""
    bar(page).get_by_role("button", name="Put into album…").click()
    dialog = page.get_by_role("dialog", name="Put these 3 pictures into")
    expect(dialog.get_by_role("button", name="A week")).to_be_visible()
    expect(dialog.get_by_role("button", name="A month")).to_have_count(0)
    dialog.get_by_label("Or into a new album").fill("Best of")
    page.keyboard.press("Enter")
    expect(bar(page)).to_contain_text("3 pictures are now in “Best of”.")
    expect(page.locator("[data-announce]")).to_have_text("3 pictures are now in “Best of”.")
    expect(page.locator("[data-album-count]")).to_have_text(f"{COUNT} pictures")


def take_out(page: Page) -> None:
    """Take two out of the album: they leave the grid, and those behind them move up."""
    ids = shown(page)
    for number in (0, 2):
        page.get_by_role("checkbox").nth(number).click()
    bar(page).get_by_role("button", name="Take out of this album").click()
    confirm(page, "Take out of this album")
    expect(bar(page)).to_contain_text("2 pictures are taken out of this album.")
    expect(page.locator("[data-album-count]")).to_have_text(f"{COUNT - 2} pictures")
    assert shown(page)[:3] == [ids[1], ids[3], ids[4]]


def throw_away(page: Page) -> None:
    """Throw three away."""
    gone = shown(page)[:3]
    page.get_by_role("checkbox").nth(0).click()
    page.get_by_role("checkbox").nth(2).click(modifiers=["Shift"])
    bar(page).get_by_role("button", name="Move to trash").click()
    confirm(page, "Move to trash")
    expect(bar(page)).to_contain_text("3 pictures are moved to the trash.")
    assert not set(gone) & set(shown(page))


def keep_in_mind_what_is_out_of_sight(page: Page) -> None:
    """Choose the first, and all up to the last one, which is far below and not even fetched yet."""
    page.get_by_role("checkbox").first.click()
    page.keyboard.press("End")
    expect(page.locator("[data-grid-more]")).to_have_count(0)
    page.keyboard.press("End")
    page.keyboard.press("Shift+Space")
    expect(bar(page)).to_contain_text(f"{COUNT - 5} selected")
    page.keyboard.press("Home")
    expect(page.get_by_role("checkbox").first).to_be_checked()
    page.keyboard.press("Escape")


def take_back_and_delete(page: Page, vault: LiveVault) -> None:
    """Take one out of the trash, delete another for good, and empty the trash."""
    page.goto(f"{origin(vault)}/trash")
    start_selecting(page)
    boxes = page.get_by_role("checkbox")
    boxes.first.focus()
    page.keyboard.press("Space")
    bar(page).get_by_role("button", name="Restore").click()
    expect(bar(page)).to_contain_text("1 picture is restored")
    expect(boxes).to_have_count(2)
    boxes.first.click()
    bar(page).get_by_role("button", name="Delete for good").click()
    confirm(page, "Delete for good")
    expect(boxes).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Empty the trash").click()
    confirm(page, "Delete for good")
    expect(page.get_by_text("One picture is deleted for good.")).to_be_visible()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()


def test_only_what_one_may_is_offered(vault: LiveVault, albums: Albums, browse: Browse) -> None:
    page = browse(phone=True, dark=True)
    sign_in(page, vault, "Ben")
    page.wait_for_url(f"{origin(vault)}/")
    page.goto(albums.shared)
    start_selecting(page)
    trash = bar(page).get_by_role("button", name="Move to trash")
    page.get_by_role("checkbox", name="his.jpg").click()
    expect(trash).to_be_enabled()
    page.get_by_role("checkbox", name="hers.jpg").click()
    expect(trash).to_be_disabled()
    expect(bar(page).get_by_role("button", name="Put into album…")).to_be_disabled()
    bar(page).get_by_role("button", name="Take out of this album").click()
    confirm(page, "Take out of this album")
    expect(page.get_by_role("heading", name="Nothing is left here")).to_be_visible()
    expect(page.locator("[data-album-count]")).to_have_text("0 pictures")


def test_what_could_not_be_done_is_named_and_stays_chosen(vault: LiveVault, albums: Albums, browse: Browse) -> None:
    page = browse()
    sign_in(page, vault, "Anna")
    page.wait_for_url(f"{origin(vault)}/")
    page.goto(albums.long)
    start_selecting(page)
    page.get_by_role("checkbox").nth(0).click()
    page.get_by_role("checkbox").nth(1).click()
    gone, kept = shown(page)[:2]
    page.route(
        f"**/api/v1/media/{kept}", lambda route: route.fulfill(status=409, json={"detail": "Somebody is at it."})
    )
    name = page.locator(f'[data-tile="{kept}"] img').last.get_attribute("alt")
    bar(page).get_by_role("button", name="Move to trash").click()
    confirm(page, "Move to trash")
    expect(bar(page)).to_contain_text("1 picture is moved to the trash. 1 picture could not be moved to the trash")
    expect(bar(page)).to_contain_text(f": “{name}”. Somebody is at it.")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(1)
    assert gone not in shown(page)
    assert kept in shown(page)


def start_selecting(page: Page) -> None:
    page.get_by_role("button", name="Select", exact=True).click()
    expect(bar(page)).to_contain_text("Nothing selected")


def bar(page: Page) -> Locator:
    return page.locator(".chosen-bar")


def shown(page: Page) -> list[str]:
    """Return the ids of the tiles in the document, in their order."""
    ids: list[str] = page.locator("[data-tile]").evaluate_all("tiles => tiles.map(tile => tile.dataset.tile)")
    return ids
