"""A real browser for people's ways through the pages: Debian's Chromium, driven by Playwright.

One browser and one running vault for each file, so that files can run beside each other and nothing of Playwright's
event loop is left for other tests.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.conftest import SHARED, missing
from tests.factories import PASSWORD
from tests.journeys import albumful
from tests.journeys.parcels import PIECE, Restartable, draw
from tests.journeys.watching import Watch
from tests.live.server import LiveVault, looking_inside, running

# Nothing of a browser's own life: no network in the background, no graphics card, no sandbox inside a container.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 30_000

Browse = Callable[..., Page]

# Pictures for the documentation are taken on demand: VAULT_SCREENSHOTS=1 make test T=tests/journeys/test_screenshots.py
collect_ignore = [] if os.environ.get("VAULT_SCREENSHOTS") == "1" else ["test_screenshots.py"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Chromium; VAULT_CHROMIUM names another one than the machine's."""
    path = os.environ.get("VAULT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("Chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveVault]:
    """Run an empty vault that waits for its administrator."""
    with running(tmp_path_factory.mktemp("journey") / "home", "--migrate") as found:
        yield found


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Browse]:
    """Open browsers that know nothing of each other; at the end none of them may have complained."""
    watch = Watch()
    with ExitStack() as stack:

        def open_page(
            *,
            phone: bool = False,
            dark: bool = False,
            script: bool = True,
            may_be_cut_off: bool = False,
            **options: Any,
        ) -> Page:
            context = chromium.new_context(
                viewport=PHONE if phone else DESK,
                has_touch=phone,
                color_scheme="dark" if dark else "light",
                java_script_enabled=script,
                reduced_motion="reduce",
                locale="en-GB",
                **options,
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            watch.over(page, may_be_cut_off=may_be_cut_off)
            return page

        yield open_page
        # Also when the test itself failed: what a page complained of is often the reason.
        assert watch.complaints == []


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the files of an album: the real photos, or drawn ones where the machine has none."""
    real = albumful.of_folder(SHARED / "photos")
    return real or albumful.drawn(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def unwanted(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return what no vault takes: a paper, and a drawing that could run programs."""
    return albumful.unwanted(tmp_path_factory.mktemp("unwanted"))


@pytest.fixture(scope="module")
def restartable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restartable]:
    found = Restartable(tmp_path_factory.mktemp("journey") / "home")
    yield found
    found.kill()


@pytest.fixture(scope="module")
def album(restartable: Restartable) -> str:
    """Make Anna and an album of hers; return its public id."""
    with looking_inside(restartable.home) as house:
        return house.album(house.person("Anna", password=PASSWORD), "The trip").public_id


@pytest.fixture
def film_roll(tmp_path: Path) -> Path:
    """Draw a picture of several pieces."""
    draw(tmp_path / "large", 1, width=800, seed=tmp_path.stat().st_ino)
    (path,) = (tmp_path / "large").rglob("*.jpg")
    assert path.stat().st_size > 4 * PIECE
    return path
