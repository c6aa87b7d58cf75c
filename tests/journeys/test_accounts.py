"""Whoever is signed out somewhere else is out: devices, a new password, a disabled account, a forgotten one."""

import pytest
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.steps import origin, sign_in
from tests.live.server import LiveVault, looking_inside

pytestmark = pytest.mark.journey
NEW_PASSWORD = "three herons over the weir"


@pytest.fixture(scope="module", autouse=True)
def people(vault: LiveVault) -> None:
    """Make an administrator and three people."""
    with looking_inside(vault.home) as house:
        house.person("Anna", admin=True, password=PASSWORD)
        for name in ("Ben", "Cem", "Dora"):
            house.person(name, password=PASSWORD)


def test_ending_a_device_signs_that_browser_out(vault: LiveVault, browse: Browse) -> None:
    desk, phone = browse(), browse(phone=True, user_agent="Mozilla/5.0 (iPhone) Safari/604")
    for page in (desk, phone):
        sign_in(page, vault, "Ben")
        expect(page.locator(".account-menu")).to_be_visible()
    desk.goto(f"{origin(vault)}/account")
    rows = desk.get_by_role("region", name="Signed-in devices").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="This device")).to_contain_text("Chrome on Linux")
    desk.get_by_role("button", name="Sign out Safari on iPhone").click()
    expect(rows).to_have_count(1)
    is_out(phone)
    desk.reload()
    expect(rows).to_have_count(1)


def test_a_new_password_ends_the_others_and_opens_the_door(vault: LiveVault, browse: Browse) -> None:
    desk, other = browse(), browse()
    for page in (desk, other):
        sign_in(page, vault, "Cem")
        expect(page.locator(".account-menu")).to_be_visible()
    desk.goto(f"{origin(vault)}/account")
    desk.get_by_label("Current password").fill("not this one")
    desk.get_by_label("New password").fill(NEW_PASSWORD)
    desk.get_by_role("button", name="Change the password").click()
    expect(desk.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    desk.get_by_label("Current password").fill(PASSWORD)
    desk.get_by_label("New password").fill(NEW_PASSWORD)
    desk.get_by_role("button", name="Change the password").click()
    expect(desk.get_by_text("Your password is changed")).to_be_visible()
    is_out(other)
    sign_in(other, vault, "Cem")
    expect(other.get_by_role("alert")).to_be_visible()
    sign_in(other, vault, "Cem", password=NEW_PASSWORD)
    expect(other.locator(".account-menu")).to_be_visible()


def test_a_disabled_person_is_out_at_the_next_click(vault: LiveVault, browse: Browse) -> None:
    anna, dora = browse(), browse()
    for page, name in ((anna, "Anna"), (dora, "Dora")):
        sign_in(page, vault, name)
        expect(page.locator(".account-menu")).to_be_visible()
    anna.goto(f"{origin(vault)}/admin/")
    anna.get_by_role("link", name="Dora", exact=True).click()
    expect(anna.get_by_text("Signed in on 1 device.")).to_be_visible()
    anna.get_by_label("Disabled").check()
    anna.get_by_role("button", name="Save").click()
    expect(anna.get_by_role("heading", name="Dora")).to_contain_text("Disabled")
    is_out(dora)
    sign_in(dora, vault, "Dora")
    expect(dora.get_by_role("alert")).to_be_visible()


def test_a_forgotten_password_is_set_anew_by_a_one_time_address(vault: LiveVault, browse: Browse) -> None:
    anna, ben, again = browse(), browse(), browse()
    sign_in(anna, vault, "Anna")
    expect(anna.locator(".account-menu")).to_be_visible()
    anna.goto(f"{origin(vault)}/admin/")
    anna.get_by_role("link", name="Ben", exact=True).click()
    anna.get_by_role("button", name="Make a new-password address").click()
    address = anna.get_by_label("The one-time address").input_value()
    ben.goto(address)
    ben.get_by_label("New password").fill(NEW_PASSWORD)
    ben.get_by_role("button", name="Save the password").click()
    expect(ben.locator(".account-menu")).to_be_visible()
    again.goto(address)
    expect(again.get_by_role("heading", name="This address is not good any more")).to_be_visible()


def is_out(page: Page) -> None:
    """Click on something, and find oneself at the door."""
    page.get_by_role("link", name="Albums", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
