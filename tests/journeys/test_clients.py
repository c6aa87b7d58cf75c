"""A photographer hands three clients three links with terms of their own, sees who looked, and ends one."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.factories import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.contents import wait_for_the_worker
from tests.journeys.steps import confirm, loaded, origin, sign_in
from tests.live.server import LiveVault, eventually, looking_inside
from tests.pictures import drawing, encoded

pytestmark = pytest.mark.journey
FILES = 3
LONG_EDGE_PX = 2_400


@pytest.fixture(scope="module")
def wedding(vault: LiveVault) -> str:
    """Make an album with pictures that are larger than a screen; return its address."""
    with looking_inside(vault.home) as house:
        anna = house.person("Anna", password=PASSWORD)
        album = house.album(anna, "Mia and Tom")
        for number in range(FILES):
            drawn = encoded(drawing(LONG_EDGE_PX, 1_600 + number), "JPEG", quality=80)
            house.picture(anna, album, data=drawn, file_name=f"wedding-{number}.jpg", ready=False)
        wait_for_the_worker()
        return f"{origin(vault)}/albums/{album.public_id}"


@dataclass
class Counter:
    """Counts what somebody has to do."""

    count: int = 0

    def __call__(self, deed: Callable[[], object]) -> None:
        """Do one thing."""
        deed()
        self.count += 1


def test_a_link_with_a_password_and_an_end_takes_four_interactions(
    vault: LiveVault, wedding: str, browse: Browse
) -> None:
    page, act = signed_in(browse, vault), Counter()
    page.goto(wedding)

    act(page.get_by_role("link", name="Share").click)
    act(lambda: page.get_by_label("Who is it for?").fill("Grandma"))
    act(page.locator(".switch").click)
    act(page.get_by_role("button", name="Make the link").click)

    assert act.count <= 4
    expect(page.locator(".page-head .terms")).to_contain_text("until")
    expect(page.locator(".page-head .terms li").filter(has_text="password")).to_have_text("password")
    password = page.get_by_label("The password of Grandma").input_value()
    guest = browse()
    guest.goto(page.get_by_label("The address of Grandma").input_value())
    expect(guest.locator(".tile")).to_have_count(0)
    guest.get_by_label("Password").fill(password)
    guest.get_by_role("button", name="Open").click()
    expect(guest.locator(".tile")).to_have_count(FILES)


def test_three_clients_three_links_and_one_ends(vault: LiveVault, wedding: str, browse: Browse) -> None:
    anna = signed_in(browse, vault)
    addresses = {
        "The magazine": hand_out(anna, wedding, "The magazine", saving=True, more=[("mark", "Their name")]),
        "Mia and Tom": hand_out(anna, wedding, "Mia and Tom", saving=True, password="as you wish", more=[]),
        "The band": hand_out(anna, wedding, "The band", end="In a week", more=[("size", "Screen size")]),
    }
    clients = {name: browse(phone=name == "The band") for name in addresses}
    for name, page in clients.items():
        come(page, addresses[name], password="as you wish" if name == "Mia and Tom" else "")

    whole = save_first(clients["Mia and Tom"])
    marked = save_first(clients["The magazine"])
    assert whole.size[0] == marked.size[0] == LONG_EDGE_PX
    assert whole.tobytes() != marked.tobytes()
    clients["The band"].locator(".tile-link").first.click()
    expect(clients["The band"].get_by_role("link", name="Download the original")).to_be_hidden()
    clients["The band"].keyboard.press("Escape")

    see_who_looked(anna, wedding)
    anna.goto(f"{wedding}/sharing")
    anna.locator(".row-link").filter(has_text="The magazine").locator("summary").click()
    anna.get_by_role("button", name="End the link").click()
    confirm(anna, "End the link")
    expect(anna.get_by_text("The link is ended.")).to_be_visible()

    for name, page in clients.items():
        picture = page.locator(".tile-image").first.get_attribute("src") or ""
        answer = page.reload()
        assert answer is not None
        assert answer.status == (403 if name == "The magazine" else 200), name
        assert page.request.get(f"{origin(vault)}{picture}").status == answer.status, name
    expect(clients["The magazine"].get_by_role("heading", name="This link does not open anything")).to_be_visible()


def test_pictures_are_chosen_and_shared_from_the_bar(vault: LiveVault, wedding: str, browse: Browse) -> None:
    page, guest = signed_in(browse, vault), browse(script=False)
    page.goto(wedding)
    page.get_by_role("button", name="Select").click()
    for place in (0, 2):
        page.get_by_role("checkbox").nth(place).click()
    page.get_by_role("region", name="Selected pictures").get_by_role("button", name="Share").click()
    expect(page.get_by_role("heading", name="Share 2 pictures")).to_be_visible()
    page.get_by_label("Who is it for?").fill("The florist")
    page.get_by_role("button", name="Make the link").click()

    guest.goto(page.get_by_label("The address of The florist").input_value())
    expect(guest.locator(".tile")).to_have_count(2)
    expect(guest.get_by_text("Visits are recorded for Anna.")).to_be_visible()

    page.get_by_text("Make the same for the next person").click()
    page.get_by_label("Who is it for?").first.fill("The baker")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="The baker")).to_be_visible()


def signed_in(browse: Browse, vault: LiveVault) -> Page:
    """Return the photographer's browser."""
    page = browse()
    sign_in(page, vault, "Anna")
    page.wait_for_url(f"{origin(vault)}/")
    return page


def hand_out(
    page: Page,
    album: str,
    name: str,
    *,
    more: list[tuple[str, str]],
    saving: bool = False,
    password: str = "",
    end: str = "",
) -> str:
    """Make a link; return its address."""
    page.goto(f"{album}/sharing")
    page.get_by_label("Who is it for?").fill(name)
    if saving:
        page.get_by_label("They may", exact=True).select_option(label="Look and save")
    if end:
        segment(page, "ends", end).click()
    if password:
        page.locator(".switch").click()
        page.get_by_label("The password").fill(password)
    page.get_by_text("More: size").click()
    for group, choice in more:
        segment(page, group, choice).click()
    page.get_by_role("button", name="Make the link").click()
    return page.get_by_label(f"The address of {name}").input_value()


def segment(page: Page, group: str, choice: str) -> Locator:
    """Return one answer of a choice of a few."""
    return page.locator(f"[data-segments={group}] .segment").filter(has_text=choice)


def come(page: Page, address: str, *, password: str) -> None:
    """Open a link, see its pictures, and none of its address in theirs."""
    page.goto(address)
    if password:
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="Mia and Tom")).to_be_visible()
    eventually(lambda: loaded(page.locator(".tile-image")))
    token = address.rpartition("/")[2]
    assert not any(token in each for each in page.locator("img").evaluate_all("all => all.map(each => each.src)"))


def save_first(page: Page) -> Image.Image:
    """Save the first picture and open what came."""
    page.locator(".tile-link").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the original").click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as opened:
        opened.load()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    return opened


def see_who_looked(page: Page, album: str) -> None:
    """Find on the link's page what its client did."""

    def is_told() -> bool:
        page.goto(f"{album}/sharing")
        page.get_by_role("link", name="Mia and Tom").last.click()
        return "took 1 home" in page.locator(".row-stay").first.inner_text()

    eventually(is_told, seconds=20)
    page.get_by_text("What they did").first.click()
    expect(page.locator(".takings").first).to_contain_text("wedding-")
    expect(page.locator(".row-stay").first).to_contain_text("Chrome")
