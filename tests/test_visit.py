"""What the visitor of a link sees, besides the right to see it."""

import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.factories import House, Person
from tests.governed import one_workshop
from tests.pictures import drawing, jpeg
from vault.db import db
from vault.models.sharing import Link, LinkRole, Role
from vault.models.sharing import Scope as LinkScope
from vault.policy import Action, authorize
from vault.services import links
from vault.web import visit, zips

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NEXT = re.compile(r'data-next="([^"]+)"')
WORD = re.compile(r"[a-z]{4}-[a-z]{4}-[a-z]{4}-[0-9]{2}")


def page(browser: FlaskClient, path: str) -> str:
    return browser.get(path).get_data(as_text=True)


def make(house: House, who: Person, address: str, **said: str) -> tuple[FlaskClient, str]:
    """Send the form of a new link; return the browser and the link's page."""
    browser = house.browser(who)
    answer = browser.post(address, data=said, headers=house.csrf(browser))
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return browser, answer.location


def test_a_visitor_is_not_shown_what_is_still_being_made(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    ready, pending = house.picture(anna, album).public_id, house.picture(anna, album, ready=False).public_id
    link = house.link(album)

    seen = page(house.visitor(link), f"/l/{link.public_id}/")

    assert ready in seen
    assert pending not in seen
    assert pending in page(house.browser(anna), f"/albums/{album.public_id}")


@sqlite_only
def test_a_visitor_is_told_that_and_for_whom_visits_are_recorded(house: House) -> None:
    anna = house.person("Anna")
    open_, locked = house.link(house.album(anna)), house.link(house.album(anna), password="open sesame please")

    assert "Visits are recorded for Anna." in page(house.visitor(open_), f"/l/{open_.public_id}/")
    # Whoever does not know the password does not learn from whom it is.
    door = page(house.visitor(locked), f"/l/{locked.public_id}/")
    assert "Visits are recorded for whoever sent you the link." in door
    assert "Anna" not in door
    assert "Summer" not in door


@sqlite_only
def test_a_browser_that_keeps_no_cookies_is_told_so_and_nothing_else(house: House) -> None:
    link = house.link(house.album(house.person("Anna")))

    there, nowhere = (house.browser().get(f"/l/{public_id}/") for public_id in (link.public_id, "A" * 22))

    assert (there.status_code, nowhere.status_code) == (403, 403)
    assert there.get_data() == nowhere.get_data()
    assert "your browser keeps no cookies" in there.get_data(as_text=True)
    assert "keeps no cookies" not in page(house.browser(), house.address(link)[:-1])


def test_the_pages_of_a_visit_tell_neither_times_nor_rows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "PAGE_SIZE", 2)
    anna = house.person("Anna")
    album = house.album(anna)
    made = {house.picture(anna, album).public_id for _ in range(5)}
    link = house.link(album)
    visitor, path = house.visitor(link), f"/l/{link.public_id}/"

    seen: list[str] = []
    for _ in range(3):
        shown = page(visitor, path)
        seen += re.findall(r'data-tile="([^"]+)"', shown)
        following = NEXT.search(shown)
        path = unescape(following[1]) if following else ""
        cursor = path.partition("cursor=")[2]
        assert re.fullmatch(r"[A-Za-z0-9_-]*", cursor)

    assert path == ""
    assert (len(seen), set(seen)) == (5, made)


@sqlite_only
@pytest.mark.parametrize("neutral", [True, False])
def test_names_of_files_are_told_where_the_terms_say_so(house: House, neutral: bool) -> None:  # noqa: FBT001  # a column of the table
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album, file_name="at the lake.jpg")
    link = house.link(album, role=LinkRole.DOWNLOADER, neutral_names=neutral)
    visitor, inside = house.visitor(link), f"/l/{link.public_id}/"

    saved = visitor.get(f"{inside}media/{media.public_id}/original").headers["Content-Disposition"]
    said = [page(visitor, inside), page(visitor, f"{inside}media/{media.public_id}"), saved]

    assert ["at the lake" in each for each in said] == [not neutral] * 3


@sqlite_only
def test_a_link_is_made_with_a_password_that_is_told_once(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    form = page(house.browser(anna), f"/albums/{album.public_id}/sharing")
    suggested = WORD.search(form)
    assert suggested is not None

    said = {"label": "Ben", "role": "viewer", "protect": "y", "password": suggested[0], "ends": "week"}
    browser, made = make(house, anna, f"/albums/{album.public_id}/links", **said)

    assert suggested[0] in page(browser, made)
    assert suggested[0] not in page(browser, made)
    assert suggested[0] not in page(house.browser(anna), made)
    link = db.session.get_one(Link, 1)
    assert house.visitor(link).get(f"/l/{link.public_id}/media/x/thumb").status_code == 403
    assert house.visitor(link, password=suggested[0]).get(f"/l/{link.public_id}/").status_code == 200
    assert link.expires_at is not None
    assert link.expires_at - link.created_at < timedelta(days=8)


@sqlite_only
def test_a_password_beside_a_switch_that_is_off_is_none(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)

    browser, made = make(
        house, anna, f"/albums/{album.public_id}/links", label="Ben", role="viewer", password="bala-bala-bala-22"
    )

    shown = page(browser, made)
    assert "no password" in shown
    assert "bala-bala" not in shown


@sqlite_only
def test_chosen_pictures_are_shared_by_who_may(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    hers, his = house.picture(anna, album), house.picture(ben)
    house.grant(album, ben, Role.VIEWER)
    both = f"{hers.public_id},{his.public_id}"
    browser = house.browser(ben)
    csrf, said = house.csrf(browser), {"label": "Cem", "role": "viewer"}

    assert browser.post("/links", data={**said, "ids": his.public_id}, headers=csrf).status_code == 302
    for wrong in (both, hers.public_id, "A" * 22):
        refused = browser.post("/links", data={**said, "ids": wrong, "album": album.public_id}, headers=csrf)
        assert refused.status_code == 403, wrong
    assert browser.post("/links", data={**said, "ids": ""}, headers=csrf).status_code == 422


def test_a_selection_shows_what_was_picked_in_its_order_and_nothing_else(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    first, hidden, last = (house.picture(anna, album) for _ in range(3))
    link = house.link(album, scope=LinkScope.SELECTION, pictures=[last, first], label="Chosen for Ben")
    visitor, inside = house.visitor(link), f"/l/{link.public_id}/"

    shown = page(visitor, inside)

    assert re.findall(r'data-tile="([^"]+)"', shown) == [last.public_id, first.public_id]
    assert "Summer" not in shown
    assert visitor.get(f"{inside}media/{hidden.public_id}/thumb").status_code == 403


@sqlite_only
def test_the_code_of_an_address_is_the_managers_alone(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    link = house.link(house.album(anna))
    path = f"/links/{link.public_id}/qr.svg"

    drawn = house.browser(anna).get(path)

    assert (drawn.status_code, drawn.mimetype) == (200, "image/svg+xml")
    assert drawn.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert drawn.headers["Cache-Control"] == "private, no-store"
    assert b"<script" not in drawn.data
    assert house.browser(ben).get(path).status_code == 403
    links.rotate(authorize(anna.viewer, Action.MANAGE, Link, link.public_id))
    assert house.browser(anna).get(path).data != drawn.data


def test_a_moment_that_a_form_cannot_say_survives_it(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    ends = house.link(album).created_at.replace(microsecond=0) + timedelta(days=9)
    link = house.link(album, expires_at=ends)
    browser = house.browser(anna)
    shown = page(browser, f"/links/{link.public_id}")
    day = re.search(r'name="ends_on"[^>]*value="([0-9-]+)"', shown)
    assert day is not None

    said = {"label": "Ben", "role": "viewer", "ends": "day", "ends_on": day[1], "metadata": "all"}
    answer = browser.post(f"/links/{link.public_id}/update", data=said, headers=house.csrf(browser))

    assert answer.status_code == 302
    changed = links.terms_of(db.session.get_one(Link, link.id, populate_existing=True))
    assert (changed.label, changed.expires_at, changed.metadata_rule) == ("Ben", ends, "all")


@sqlite_only
def test_a_visitor_is_told_how_far_an_archive_is_until_it_comes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "SECONDS_UNTIL_TOLD", 0.0)
    anna = house.person("Anna")
    album = house.album(anna)
    for width in (400, 410, 420):
        house.render(house.picture(anna, album, data=jpeg(drawing(width, 300))))
    link = house.link(album, role=LinkRole.DOWNLOADER, watermark="for Dora", max_downloads=1)
    visitor = house.visitor(link)

    with one_workshop():
        asking = {"Accept": "text/html,*/*;q=0.8"}
        answers = [visitor.get(f"/l/{link.public_id}/zip", headers=asking) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 200]
    for ready, waiting in enumerate(answers[:2], 1):
        said = waiting.get_data(as_text=True)
        assert f"{ready} of 3 are ready" in said
        assert '<meta http-equiv="refresh"' in said
        assert waiting.headers["Referrer-Policy"] == "no-referrer"
    assert answers[2].mimetype == "application/zip"
    assert house.visitor(link).get(f"/l/{link.public_id}/zip").status_code == 403
