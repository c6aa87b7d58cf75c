"""A family's first day: set up, invite, upload, gather, share, look, be refused, hand out a link and take it back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import albumful
from tests.journeys.conftest import Browse
from tests.journeys.steps import choose, confirm, email, invite, join, loaded, origin, set_up
from tests.live.server import LiveVault, eventually

pytestmark = pytest.mark.journey
LONG_MS = 90_000
SHOWN = 20


def test_a_family_uploads_shares_and_takes_back(
    vault: LiveVault, browse: Browse, pictures: list[Path], unwanted: list[Path], tmp_path: Path
) -> None:
    anna, ben, cem = browse(), browse(), browse()
    set_up(anna, vault)
    for name, page in (("Ben", ben), ("Cem", cem)):
        join(page, invite(anna, name), name)
    upload_everything(anna, vault, pictures)
    refuse_what_it_cannot_show(anna, unwanted)
    gathered = [*pictures, *albumful.more(tmp_path, 2)]
    album = gather(anna, vault, gathered)
    share_with(anna, album, "Ben")
    look_as_guest(ben, vault)
    be_refused(cem, browse(), album, thumbs(ben))
    address = make_link(anna, album)
    visitor = browse()
    visit(visitor, address, gathered)
    take_back(anna, visitor, album)


def upload_everything(page: Page, vault: LiveVault, files: list[Path]) -> None:
    """Upload by the upload page, all at once, and see each become ready while the page stays."""
    page.goto(f"{origin(vault)}/upload")
    page.evaluate("window.stayed = true")
    page.locator("[data-upload-files]").set_input_files(files)
    title = page.locator(".tray-title")
    expect(title).to_have_text(re.compile(rf"Uploading \d+ of {len(files)}"))
    expect(page.get_by_role("progressbar").first).to_be_visible()
    expect(title).to_have_text(f"{len(files)} uploaded", timeout=LONG_MS)
    show_all(page, len(files))
    done = page.locator(".sent").filter(has_text=re.compile("Ready|Already in your vault"))
    expect(done).to_have_count(len(files), timeout=LONG_MS)
    eventually(lambda: loaded(page.locator(".sent img")))
    assert page.evaluate("window.stayed") is True


def show_all(page: Page, count: int) -> None:
    """Have a line for each file: of many only some are shown."""
    if count > SHOWN:
        page.get_by_role("button", name="Show more").click()
    expect(page.locator(".sent")).to_have_count(count)


def refuse_what_it_cannot_show(page: Page, files: list[Path]) -> None:
    """Be told what is wrong with a paper and a drawing, each in a sentence, without a second try."""
    page.reload()
    page.locator("[data-upload-files]").set_input_files(files)
    expect(page.locator(".tray-title")).to_have_text("2 not uploaded")
    lines = page.locator(".sent.is-failed")
    expect(lines).to_have_count(2)
    expect(lines.filter(has_text="documents, not pictures")).to_have_count(1)
    expect(lines.filter(has_text="can carry programs")).to_have_count(1)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def gather(page: Page, vault: LiveVault, files: list[Path]) -> str:
    """Make an album and add the same files and two more from its page; return its address."""
    page.goto(f"{origin(vault)}/albums")
    page.get_by_role("link", name="Make the first one").click()
    page.get_by_label("Title").fill("Summer by the river")
    page.get_by_label("Description").fill("Two weeks, one tent.")
    page.get_by_role("button", name="Make the album").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    page.evaluate("window.stayed = true")
    choose(page, page.locator(".page-actions").get_by_role("link", name=re.compile("^Add")), files)
    title = f"2 uploaded, {len(files) - 2} already in your vault"
    expect(page.locator(".tray-title")).to_have_text(title, timeout=LONG_MS)
    show_all(page, len(files))
    expect(page.locator(".sent").filter(has_text="Kept once")).to_have_count(len(files) - 2)
    expect(page.locator(".sent-note").get_by_text("Ready", exact=True)).to_have_count(2, timeout=LONG_MS)
    expect(page.locator('.tile[data-state="pending"]')).to_have_count(0, timeout=LONG_MS)
    eventually(lambda: loaded(page.locator(".tile-image")))
    assert page.evaluate("window.stayed") is True
    shown = int(page.locator("[data-album-count]").inner_text().split()[0])
    page.reload()
    expect(page.locator("[data-album-count]")).to_have_text(f"{shown} pictures")
    return page.url


def share_with(page: Page, album: str, name: str) -> None:
    """Let somebody see the album."""
    page.goto(album)
    page.get_by_role("link", name="Share").click()
    page.get_by_text("Share with somebody").click()
    page.get_by_label("E-mail address").fill(email(name))
    page.get_by_role("radio", name="Viewer").first.check()
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.locator(".row-person").filter(has_text=name)).to_contain_text("Viewer")


def look_as_guest(page: Page, vault: LiveVault) -> None:
    """Find the album on the first page, and look through it with the keyboard alone."""
    page.goto(origin(vault))
    page.get_by_role("link", name="Summer by the river").click()
    expect(page.locator(".page-note")).to_contain_text("by Anna")
    eventually(lambda: loaded(page.locator(".tile-image")))
    expect(page.get_by_role("link", name=re.compile("^(Add|Share)"))).to_have_count(0)
    album = page.url
    page.locator(".tile-link").first.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="Pictures, one at a time")
    expect(box).to_be_visible()
    first = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url not in {first, album})
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(first)
    expect(page.get_by_role("link", name="Download the original")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    page.wait_for_url(album)
    expect(page.locator(".tile-link").first).to_be_focused()


def be_refused(third: Page, nobody: Page, album: str, pictures: list[str]) -> None:
    """Get nothing of the album: neither its page nor a byte, signed in or not."""
    host = album.partition("/albums/")[0]
    assert third.goto(album).status == 403  # type: ignore[union-attr]  # None only for an address on the same page
    expect(third.locator(".tile")).to_have_count(0)
    third.goto(host)
    expect(third.get_by_text("Summer by the river")).to_have_count(0)
    nobody.goto(album)
    expect(nobody.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "next=/albums/" in nobody.url.replace("%2F", "/")
    for page in (third, nobody):
        assert {page.request.get(each).status for each in pictures} == {403}


def make_link(page: Page, album: str) -> str:
    """Make a link for saving originals; return its address as the page shows it."""
    page.goto(f"{album}/sharing")
    page.get_by_label("Who is it for?").fill("Grandparents")
    page.get_by_label("They may", exact=True).select_option(label="Look and save")
    page.get_by_text("More: size").click()
    page.locator(".segment").filter(has_text="With everything").click()
    page.get_by_role("button", name="Make the link").click()
    return page.get_by_label("The address of Grandparents").input_value()


def visit(page: Page, address: str, files: list[Path]) -> None:
    """See the album by its link: the pictures, nothing of the vault, and the originals byte for byte."""
    page.goto(address)
    expect(page.get_by_role("heading", name="Summer by the river")).to_be_visible()
    eventually(lambda: loaded(page.locator(".tile-image")))
    expect(page.locator(".bar, .nav, .account-menu, form")).to_have_count(0)
    address = page.url
    inside = "(links, root) => links.every(link => link.href.startsWith(root) || link.href.endsWith('#content'))"
    assert page.locator("a").evaluate_all(inside, address)
    page.locator(".tile-link").first.click()
    save = page.get_by_role("link", name="Download the original")
    with page.expect_download() as download:
        save.click()
    assert download.value.path().read_bytes() in {path.read_bytes() for path in files}
    page.keyboard.press("Escape")
    page.wait_for_url(address)


def take_back(owner: Page, visitor: Page, album: str) -> None:
    """Revoke the link: from then on the page is closed, and so is every picture that the visitor was shown."""
    pictures = thumbs(visitor)
    assert [visitor.request.get(each).status for each in pictures] == [200] * len(pictures)
    owner.goto(f"{album}/sharing")
    owner.locator(".row-link summary").click()
    owner.get_by_role("button", name="End the link").click()
    confirm(owner, "End the link")
    expect(owner.get_by_text("The link is ended.")).to_be_visible()
    expect(owner.locator(".row-link")).to_have_count(0)
    assert owner.url == f"{album}/sharing"
    assert {visitor.request.get(each).status for each in pictures} == {403}
    assert {visitor.request.get(each.replace("/thumb", "/original")).status for each in pictures} == {403}
    answer = visitor.reload()
    assert answer is not None
    assert answer.status == 403
    expect(visitor.get_by_role("heading", name="This link does not open anything")).to_be_visible()


def thumbs(page: Page) -> list[str]:
    """Return the addresses of some pictures that a page shows."""
    found: list[str] = page.locator(".tile-image").evaluate_all("all => all.slice(0, 10).map(image => image.src)")
    assert found
    return found
