"""Every page on a desk and a phone, in light and dark: nothing axe calls serious, nothing wider than the window."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.conftest import ROOT
from tests.journeys import albumful
from tests.journeys.conftest import DESK, PHONE, Browse
from tests.journeys.contents import Contents, furnish
from tests.journeys.steps import origin, sign_in
from tests.live.server import LiveVault, looking_inside

pytestmark = pytest.mark.journey
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# Colours that are still on their way from light to dark would be measured as neither.
SETTLED = "document.getAnimations().filter(each => each instanceof CSSTransition).map(each => each.finished)"
RUN = f"rules => Promise.allSettled({SETTLED}).then(() => axe.run(document, rules)).then(found => found.violations)"
# What the colours decide; everything else is the same in the dark.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
SERIOUS = {"serious", "critical"}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def contents(vault: LiveVault, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    with looking_inside(vault.home) as house:
        return furnish(house, albumful.drawn(tmp_path_factory.mktemp("drawn")))


def test_every_page_is_for_everybody(vault: LiveVault, contents: Contents, browse: Browse) -> None:
    faults: list[str] = []
    for who, pages in ((None, contents.for_nobody), ("Cem", contents.for_newcomer), ("Anna", contents.for_anna)):
        page = browse()
        page.context.add_init_script(path=AXE)
        if who is not None:
            sign_in(page, vault, who)
            page.wait_for_url(f"{origin(vault)}/")
        for name, address in pages.items():
            page.goto(f"{origin(vault)}{address}")
            faults += look_over(page, name)
    assert faults == [], "\n".join(faults)


def test_what_opens_on_a_page_is_for_everybody_too(vault: LiveVault, contents: Contents, browse: Browse) -> None:
    page = browse()
    page.context.add_init_script(path=AXE)
    sign_in(page, vault, "Anna")
    page.wait_for_url(f"{origin(vault)}/")
    faults: list[str] = []
    for name, opener in (
        ("sharing", ".row-person summary"),
        ("sharing", ".row-link summary"),
        ("sharing", ".switch"),
        ("picture", ".chip-more"),
        ("home", ".account-menu summary"),
        ("album", "[data-arrange-toggle]"),
        ("album", "[data-choose-toggle]"),
        ("trash", "[data-choose-toggle]"),
        ("album", ".tile[data-state=ready] .tile-link"),
    ):
        page.goto(f"{origin(vault)}{contents.for_anna[name]}")
        page.locator(opener).first.click()
        faults += look_over(page, f"{name} with {opener}")
    assert faults == [], "\n".join(faults)


def look_over(page: Page, name: str) -> Iterator[str]:
    """Tell what is wrong with a page, in both sizes and both colours."""
    # Forms that are folded away are part of the page.
    page.evaluate("document.querySelectorAll('details.fold').forEach(fold => { fold.open = true })")
    for size, view in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(view)
        for colour, rules in (("light", {}), ("dark", COLOURS)):
            page.emulate_media(color_scheme="light" if colour == "light" else "dark", reduced_motion="reduce")
            found: list[dict[str, Any]] = page.evaluate(RUN, rules)
            for fault in found:
                if fault["impact"] in SERIOUS:
                    yield f"{name}, {size}, {colour}: {fault['id']} {[node['target'] for node in fault['nodes']]}"
        wide = page.evaluate(OVERFLOW)
        if wide > 0:
            yield f"{name}, {size}: {wide} pixels wider than the window"
