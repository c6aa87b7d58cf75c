"""Uploading many files: a folder that arrives once whatever happens, what is there, what is refused, archives."""

import hashlib
import re
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.parcels import TITLE, Gate, Restartable, draw, drop, drop_made_up, kept, open_uploader
from tests.journeys.steps import confirm, origin, sign_in
from tests.journeys.test_accessible import AXE, look_over
from tests.live.server import eventually, looking_inside
from tests.pictures import drawing, jpeg, xmp_packet
from vault.db import db
from vault.models.media import Media

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("album")]
COUNT = 500
LONG_MS = 90_000


def behind(page: Page) -> int:
    """Return how many files are done with, as the page says."""
    found = re.search(r"(\d+) of \d+", page.locator(TITLE).inner_text())
    return int(found[1]) if found else -1


def test_a_folder_arrives_once_through_a_reload_and_a_killed_vault(
    restartable: Restartable, album: str, browse: Browse, tmp_path: Path
) -> None:
    digests = draw(tmp_path / "trip", COUNT)
    page = browse(may_be_cut_off=True)
    open_uploader(page, restartable.vault, album)
    page.locator("[data-upload-folder]").set_input_files(tmp_path / "trip")
    eventually(lambda: behind(page) > COUNT // 5)
    # Loaded anew, and nobody presses anything.
    page.reload()
    expect(page.locator(TITLE)).to_have_text(re.compile(r"Uploading \d+ of \d+"))
    eventually(lambda: behind(page) > COUNT // 10)
    restartable.kill()
    expect(page.locator(".tray-note")).to_contain_text("The vault cannot be reached.")
    restartable.start()
    expect(page.locator(TITLE)).to_have_text(re.compile(r"^\d+ uploaded"), timeout=LONG_MS)
    expect(page.locator(".sent.is-failed")).to_have_count(0)
    assert kept(restartable.home, album) == sorted(digests)
    with looking_inside(restartable.home):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Media)) == COUNT


def test_what_is_refused_is_told_in_words(restartable: Restartable, browse: Browse, tmp_path: Path) -> None:
    paper, fine = tmp_path / "paper.jpg", tmp_path / "fine.jpg"
    paper.write_bytes(b"%PDF-1.7 " + bytes(3000))
    Image.new("RGB", (40, 30), (1, 2, 3)).save(fine)
    page = browse()
    page.context.add_init_script(path=AXE)
    open_uploader(page, restartable.vault)
    page.locator("[data-upload-files]").set_input_files([paper, fine])
    expect(page.locator(TITLE)).to_have_text("1 uploaded, 1 not uploaded")
    expect(page.locator(".sent.is-failed")).to_contain_text(
        "PDF files are documents, not pictures, and cannot be kept."
    )
    expect(page.locator(".sent").first).to_contain_text("paper.jpg")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    assert list(look_over(page, "uploads")) == []
    # Nothing of it is tried again with the next page.
    page.reload()
    expect(page.locator(TITLE)).to_have_count(0)


def test_a_dropped_folder_is_read_to_its_end(restartable: Restartable, browse: Browse, tmp_path: Path) -> None:
    with looking_inside(restartable.home) as house:
        album = house.album(house.person("Ben", password=PASSWORD), "Dropped").public_id
    # More than a browser hands out at a time, and folders in folders.
    digests = draw(tmp_path / "trip", 20, seed=5)
    for number in range(130):
        path = tmp_path / "trip" / "more" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jpeg(drawing(20 + number, 20)))
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    for name in ("notes.txt", ".hidden.jpg"):
        (tmp_path / "trip" / name).write_bytes(b"x")
    page = browse()
    sign_in(page, restartable.vault, "Ben")
    page.wait_for_url(f"{origin(restartable.vault)}/")
    page.goto(f"{origin(restartable.vault)}/albums/{album}")
    drop(page, tmp_path / "trip")
    expect(page.locator(TITLE)).to_have_text("150 uploaded", timeout=LONG_MS)
    expect(page.locator(".tray-left-out")).to_contain_text("2 files were left out: ")
    expect(page.locator(".tray-left-out")).to_contain_text("1 of a kind that is not kept")
    assert kept(restartable.home, album) == sorted(digests)


def test_what_is_there_is_not_sent_again(restartable: Restartable, browse: Browse, tmp_path: Path) -> None:
    with looking_inside(restartable.home) as house:
        album = house.album(house.person("Cem", password=PASSWORD), "Twice").public_id
    digests = draw(tmp_path / "trip", 12, seed=3)
    (tmp_path / "trip" / "day 0" / "0003.jpg.xmp").write_bytes(xmp_packet(title="A day out"))
    page = browse()
    open_uploader(page, restartable.vault, name="Cem")
    page.locator("[data-upload-folder]").set_input_files(tmp_path / "trip")
    expect(page.locator(TITLE)).to_have_text("12 uploaded")
    eventually(lambda: page.evaluate("localStorage.getItem('vault-uploads')") is None)
    gate = Gate(page)
    page.goto(f"{origin(restartable.vault)}/upload?album={album}")
    page.locator("[data-upload-folder]").set_input_files(tmp_path / "trip")
    expect(page.locator(TITLE)).to_have_text("12 already in your vault")
    assert (gate.created, gate.offsets) == (0, [])
    assert kept(restartable.home, album) == sorted(digests)
    with looking_inside(restartable.home):
        titles = db.session.scalars(sa.select(Media.title).where(Media.sha256.in_(digests), Media.title != "")).all()
        assert titles == ["A day out"]


def test_the_pictures_of_an_archive_are_offered(restartable: Restartable, browse: Browse, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.writestr("one.jpg", jpeg(drawing(77, 20)))
    page = browse()
    open_uploader(page, restartable.vault)
    page.locator("[data-upload-files]").set_input_files(tmp_path / "old.zip")
    page.get_by_role("button", name="Import the pictures in old.zip").click()
    page.get_by_role("link", name="See the import: old.zip").click()
    page.wait_for_url("**/imports/*")
    expect(page.locator("main")).to_contain_text("old.zip")


def test_ten_thousand_files_are_a_few_lines(restartable: Restartable, browse: Browse) -> None:
    page = browse()
    open_uploader(page, restartable.vault)
    gate = Gate(page, shut_at=0)
    data = jpeg(drawing(20, 20))
    drop_made_up(page, [(f"{number}.jpg", data) for number in range(10_000)])
    expect(page.locator(TITLE)).to_have_text("Uploading 1 of 10,000")
    expect(page.locator(".tray-rest")).to_contain_text("and 9,980 more")
    expect(page.locator(".sent")).to_have_count(20)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".sent")).to_have_count(120)
    page.get_by_role("button", name="Stop all uploads").click()
    confirm(page, "Stop uploading")
    expect(page.locator(TITLE)).to_have_count(0)
    gate.end()
