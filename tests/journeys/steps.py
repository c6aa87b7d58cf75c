"""What people do again and again: become the administrator, invite, join, sign in, choose files, use menus."""

import re
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.factories import PASSWORD
from tests.live.server import LiveVault, eventually

SETUP = re.compile(r"http://\S+/setup/\S+")


def origin(vault: LiveVault) -> str:
    """Return where a vault answers."""
    return f"http://127.0.0.1:{vault.port}"


def setup_address(vault: LiveVault) -> str:
    """Return the one-time address that a vault prints when nobody has an account."""
    eventually(lambda: any("/setup/" in line for line in vault.printed))
    found = SETUP.search("".join(vault.printed))
    assert found is not None
    return found[0]


def set_up(page: Page, vault: LiveVault, *, name: str = "Anna") -> None:
    """Become the administrator."""
    page.goto(setup_address(vault))
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail address").fill(email(name))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open the vault").click()
    expect(page.get_by_role("heading", name="Your vault is empty")).to_be_visible()


def email(name: str) -> str:
    """Return a person's address."""
    return f"{name.lower()}@example.org"


def invite(page: Page, name: str) -> str:
    """Invite somebody, as the administrator; return the one-time address that the page shows."""
    page.locator(".account-menu summary").click()
    page.get_by_role("link", name="Administration").click()
    page.get_by_text("Invite somebody").click()
    page.get_by_label("E-mail address").fill(email(name))
    page.get_by_role("button", name="Make the invitation").click()
    return page.get_by_label("The one-time address").input_value()


def join(page: Page, address: str, name: str) -> None:
    """Accept an invitation."""
    page.goto(address)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.locator(".account-menu")).to_be_visible()


def sign_in(page: Page, vault: LiveVault, name: str, *, password: str = PASSWORD) -> None:
    """Sign in."""
    page.goto(f"{origin(vault)}/sign-in")
    page.get_by_label("E-mail address").fill(email(name))
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose(page: Page, button: Locator, files: Sequence[Path]) -> None:
    """Press what opens the file picker, and choose files."""
    with page.expect_file_chooser() as chooser:
        button.click()
    chooser.value.set_files(list(files))


def confirm(page: Page, label: str) -> None:
    """Say yes to the question that the page asks."""
    page.get_by_role("dialog").get_by_role("button", name=label).click()


def loaded(pictures: Locator) -> bool:
    """Whether every one of some pictures has come and can be seen."""
    seen = "images => images.length > 0 && images.every(image => image.complete && image.naturalWidth > 1)"
    return bool(pictures.evaluate_all(seen))
