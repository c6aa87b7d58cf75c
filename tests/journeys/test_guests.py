"""Guests drop pictures into a link: with and without scripts, from a phone; the owner lets in what she likes."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import albumful
from tests.journeys.conftest import Browse
from tests.journeys.steps import confirm, origin, set_up
from tests.live.server import LiveVault, eventually

pytestmark = pytest.mark.journey
MAKE = """async ([album, role]) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const body = JSON.stringify({label: "Wedding guests", role});
  const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
  return (await (await fetch(`/api/v1/albums/${album}/links`, {method: "POST", headers, body})).json()).url;
}"""


def test_guests_drop_pictures_and_the_owner_lets_them_in(vault: LiveVault, browse: Browse, tmp_path: Path) -> None:
    anna = browse()
    set_up(anna, vault)
    album = make_album(anna, vault)
    address = anna.evaluate(MAKE, [album.rpartition("/")[2], "drop"])
    files = albumful.more(tmp_path, 3)

    ida = browse(phone=True)
    drop(ida, address, files[:2])
    take_back(ida)
    otto = browse(script=False)
    drop_without_script(otto, address, files[2])

    let_in(anna, album)
    ida.goto(address)
    expect(ida.get_by_role("button", name="Take back")).to_have_count(1)
    expect(ida.locator("img")).to_have_count(0)


def make_album(page: Page, vault: LiveVault) -> str:
    """Make an album; return its address."""
    page.goto(f"{origin(vault)}/albums/new")
    page.get_by_label("Title").fill("The wedding")
    page.get_by_role("button", name="Make the album").click()
    expect(page.get_by_role("heading", name="The wedding")).to_be_visible()
    return page.url


def drop(page: Page, address: str, files: list[Path]) -> None:
    """Open the link, say who one is, and choose pictures."""
    page.goto(address)
    expect(page.get_by_role("heading", name="Wedding guests")).to_be_visible()
    assert "The wedding" not in page.content()
    page.get_by_label("Your name").fill("Ida")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "/uploads/" in answer.url) as sent:
        page.locator("[data-guest-files]").set_input_files(files)
    assert sent.value.status == 201
    expect(page.get_by_role("button", name="Take back")).to_have_count(len(files))
    expect(page.get_by_label("Your name")).to_have_value("Ida")


def take_back(page: Page) -> None:
    """Change one's mind about the last one."""
    page.get_by_role("button", name="Take back").first.click()
    confirm(page, "Take back")
    expect(page.get_by_text("It is taken back")).to_be_visible()
    expect(page.get_by_role("button", name="Take back")).to_have_count(1)


def drop_without_script(page: Page, address: str, file: Path) -> None:
    """Do the same where no script runs."""
    page.goto(address)
    page.get_by_label("Your name").fill("Otto")
    page.locator("[data-guest-files]").set_input_files(file)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Thank you. 1 picture is here.")).to_be_visible()


def let_in(page: Page, album: str) -> None:
    """Find what waits, turn one away and let the other in."""
    page.goto(album)
    page.get_by_role("link", name="2 pictures from guests wait for you").click()
    expect(page.locator(".arrival")).to_have_count(2)
    expect(page.locator(".arrival").filter(has_text="Otto")).to_be_visible()
    page.locator(".arrival").filter(has_text="Otto").get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Let the chosen ones in").click()
    expect(page.get_by_text("1 picture let in.")).to_be_visible()
    page.get_by_role("button", name="Turn them away").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    page.goto(album)
    eventually(lambda: page.locator('.tile[data-state="ready"]').count() == 1 or page.reload())
    expect(page.locator(".tile")).to_have_count(1)
