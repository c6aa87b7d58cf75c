"""Videos brought, prepared, and played to their end: in the lightbox, on a page without a script, and by a link."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import pictures
from tests.films import film
from tests.journeys.conftest import Browse
from tests.journeys.steps import origin, set_up, sign_in
from tests.live.server import LiveVault, eventually, looking_inside
from vault.db import db
from vault.models.media import Media, Playback

pytestmark = pytest.mark.journey
PLAYING_MS = 60_000
PREPARING_SECONDS = 60.0
NAMES = {"waves.mp4": "mp4", "boat.webm": "webm"}
LIVE = "MVIMG_1.jpg"


def test_videos_are_uploaded_and_played_to_their_end(vault: LiveVault, browse: Browse, tmp_path: Path) -> None:
    page = browse()
    set_up(page, vault)
    plain = browse(script=False)
    sign_in(plain, vault, "Anna")
    upload(plain, vault, tmp_path)
    page.goto(f"{origin(vault)}/pictures")
    expect(page.locator(".tile-mark")).to_have_text(["Live photo", "Video, 0:02", "Video, 0:02"])
    for number in range(2):
        page.goto(f"{origin(vault)}/pictures")
        page.locator(".tile[data-kind=video] .tile-link").nth(number).click()
        play_to_the_end(page, page.locator(".pswp__item[aria-hidden=false] video"))
        page.keyboard.press("Escape")
        page.wait_for_url("**/pictures")
        expect(page.locator(".pswp")).to_have_count(0)
    watch_a_live_photo(page, vault)
    plain.goto(f"{origin(vault)}/pictures")
    plain.locator(".tile[data-kind=video] .tile-link").first.click()
    expect(plain.locator("video[controls][poster]")).to_be_visible()


def watch_a_live_photo(page: Page, vault: LiveVault) -> None:
    """Play the moving seconds of a picture in the lightbox and on its page; the picture is there again afterwards."""
    page.goto(f"{origin(vault)}/pictures")
    page.locator(".tile[data-motion] .tile-link").click()
    page.get_by_role("button", name="Play the live photo").click()
    expect(page.locator(".film-live")).to_be_visible()
    expect(page.locator(".film-live")).to_have_count(0, timeout=PLAYING_MS)
    page.get_by_role("link", name="Details of this picture").click()
    page.get_by_role("button", name="Live").click()
    expect(page.locator(".film-live")).to_be_visible()
    expect(page.locator(".film-live")).to_have_count(0, timeout=PLAYING_MS)


def upload(page: Page, vault: LiveVault, folder: Path) -> None:
    """Upload by the plain form, and wait until everything plays."""
    for name, kind in NAMES.items():
        (folder / name).write_bytes(film(kind, seconds=2))
    (folder / LIVE).write_bytes(pictures.encoded(pictures.drawing(), "JPEG") + film(seconds=1))
    page.goto(f"{origin(vault)}/upload")
    page.locator("input[type=file]").first.set_input_files([folder / name for name in (*NAMES, LIVE)])
    page.get_by_role("button", name="Upload").click()
    page.wait_for_load_state()
    with looking_inside(vault.home):
        eventually(lambda: playing() == len(NAMES) + 1, seconds=PREPARING_SECONDS)


def playing() -> int:
    """Count the videos that play."""
    db.session.rollback()
    return db.session.query(Media).filter_by(playback=Playback.READY).count()


def play_to_the_end(page: Page, video: Locator) -> None:
    """Play a video, silently, until it says that it is over."""
    expect(video).to_be_visible()
    video.evaluate("video => { video.muted = true; return video.play(); }")
    page.wait_for_function("video => video.ended", arg=video.element_handle(), timeout=PLAYING_MS)
    assert video.evaluate("video => [video.error, video.videoWidth, video.videoHeight]") == [None, 320, 240]
