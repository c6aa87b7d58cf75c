"""Uploads that something stands in the way of: a pause, a reload, a sign-out, no network, no room, no more wish."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Browse
from tests.journeys.parcels import PIECE, TITLE, Gate, Restartable, draw, open_uploader
from tests.journeys.steps import origin, sign_in

# A browser without room; pages that are none of the vault's have no store at all.
FULL = "if (navigator.storage) navigator.storage.estimate = async () => ({quota: 0, usage: 0})"
pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("album")]


def test_a_paused_upload_goes_on_where_it_stopped(restartable: Restartable, browse: Browse, film_roll: Path) -> None:
    page = browse()
    open_uploader(page, restartable.vault)
    gate = Gate(page, shut_at=2 * PIECE)
    page.locator("[data-upload-files]").set_input_files(film_roll)
    gate.wait()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(TITLE)).to_have_text("0 of 1 uploaded")
    gate.shut_at = None
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(TITLE)).to_have_text("1 uploaded")
    pieces = range(0, film_roll.stat().st_size, PIECE)
    assert gate.offsets == [*pieces[:3], *pieces[2:]]
    assert gate.created == 1
    gate.end()


def test_a_reload_in_the_middle_of_a_file_goes_on_there(
    restartable: Restartable, browse: Browse, film_roll: Path
) -> None:
    page = browse()
    open_uploader(page, restartable.vault)
    gate = Gate(page, shut_at=2 * PIECE)
    page.locator("[data-upload-files]").set_input_files(film_roll)
    gate.wait()
    gate.shut_at = None
    # Another page than the one where it began.
    page.goto(f"{origin(restartable.vault)}/albums")
    expect(page.locator(TITLE)).to_have_text("1 uploaded")
    assert gate.offsets[:4] == [0, PIECE, 2 * PIECE, 2 * PIECE]
    assert gate.created == 1
    gate.end()


def test_what_the_browser_had_no_room_for_goes_on_when_it_is_chosen_again(
    restartable: Restartable, browse: Browse, film_roll: Path
) -> None:
    page = browse()
    page.context.add_init_script(FULL)
    page.on("dialog", lambda dialog: dialog.accept())
    open_uploader(page, restartable.vault)
    gate = Gate(page, shut_at=2 * PIECE)
    page.locator("[data-upload-files]").set_input_files(film_roll)
    gate.wait()
    gate.shut_at = None
    page.reload()
    expect(page.locator(".tray-note")).to_contain_text("1 file waits to be chosen again")
    page.locator("[data-upload-files]").set_input_files(film_roll)
    expect(page.locator(TITLE)).to_have_text("1 uploaded")
    assert (gate.created, gate.offsets[:4]) == (1, [0, PIECE, 2 * PIECE, 2 * PIECE])
    gate.end()


def test_who_is_signed_out_signs_in_and_it_goes_on(restartable: Restartable, browse: Browse, film_roll: Path) -> None:
    page = browse()
    open_uploader(page, restartable.vault)
    gate = Gate(page, shut_at=2 * PIECE)
    page.locator("[data-upload-files]").set_input_files(film_roll)
    gate.wait()
    page.get_by_role("button", name="Pause").click()
    page.context.clear_cookies()
    gate.shut_at = None
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".tray-note")).to_contain_text("You have been signed out. Sign in again, and it goes on.")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    sign_in(opened.value, restartable.vault, "Anna")
    expect(opened.value.locator(".account-menu")).to_be_visible()
    opened.value.close()
    page.bring_to_front()
    again = page.get_by_role("button", name="Go on")
    if again.is_visible():
        again.click()
    expect(page.locator(TITLE)).to_have_text("1 uploaded")
    assert gate.offsets.count(0) == 1
    gate.end()


def test_what_is_offline_waits_and_goes_on(restartable: Restartable, browse: Browse, film_roll: Path) -> None:
    page = browse(may_be_cut_off=True)
    open_uploader(page, restartable.vault)
    gate = Gate(page, shut_at=2 * PIECE)
    page.locator("[data-upload-files]").set_input_files(film_roll)
    gate.wait()
    page.context.set_offline(True)
    expect(page.locator(".tray-note")).to_have_text("You are offline. It goes on as soon as you are back.")
    gate.shut_at = None
    page.context.set_offline(False)
    expect(page.locator(TITLE)).to_have_text("1 uploaded")
    assert gate.offsets.count(0) == 1
    gate.end()


@pytest.mark.parametrize(
    "stop",
    [
        (507, "The disk is full, says the vault.", "Try again"),
        (413, "Your space is full, says the vault.", "Try again"),
        (429, "Many are sending just now. It goes on by itself.", "Try now"),
    ],
)
def test_what_stops_one_stops_all_and_is_said_once(
    restartable: Restartable, browse: Browse, tmp_path: Path, stop: tuple[int, str, str]
) -> None:
    status, words, button = stop
    draw(tmp_path / "trip", 10, seed=status)
    page = browse(may_be_cut_off=True)
    open_uploader(page, restartable.vault)
    problem = {"title": "No", "detail": words.removesuffix(" It goes on by itself."), "status": status}
    with_problem = {"status": status, "json": problem, "headers": {"Retry-After": "600"}}
    page.route("**/uploads/", lambda route: route.fulfill(**with_problem))
    page.locator("[data-upload-folder]").set_input_files(tmp_path / "trip")
    expect(page.locator(".tray-note")).to_have_count(1)
    expect(page.locator(".tray-note p")).to_have_text(words)
    expect(page.locator(".sent.is-failed")).to_have_count(0)
    page.unroute("**/uploads/")
    page.get_by_role("button", name=button).click()
    expect(page.locator(TITLE)).to_have_text("10 uploaded")


def test_one_that_is_let_go_is_forgotten_by_the_vault(
    restartable: Restartable, browse: Browse, film_roll: Path
) -> None:
    page = browse()
    open_uploader(page, restartable.vault)
    gate = Gate(page, shut_at=2 * PIECE)
    page.locator("[data-upload-files]").set_input_files(film_roll)
    gate.wait()
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as ended:
        page.get_by_role("button", name=f"Do not upload {film_roll.name}").click()
    assert ended.value.status == 204
    expect(page.locator(TITLE)).to_have_count(0)
    gate.end()


def test_whoever_signs_out_takes_the_queue_along(restartable: Restartable, browse: Browse, film_roll: Path) -> None:
    page = browse()
    open_uploader(page, restartable.vault)
    gate = Gate(page, shut_at=0)
    page.locator("[data-upload-files]").set_input_files(film_roll)
    expect(page.locator(TITLE)).to_have_text("Uploading 1 of 1")
    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    open_uploader(page, restartable.vault)
    expect(page.locator(TITLE)).to_have_count(0)
    assert page.evaluate("localStorage.getItem('vault-uploads')") is None
    gate.end()
