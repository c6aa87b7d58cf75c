"""The pages of links: the list, one link's own, and what their forms refuse."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import House, Person
from tests.statements import listen
from vault.db import db, transaction, utcnow
from vault.models.media import Album
from vault.models.sharing import Link, LinkPolicy, LinkRole, Makers, MetadataRule, Role
from vault.policy import Action, authorize
from vault.services import links
from vault.services.links import Terms

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SAID = {"label": "Ben", "role": "downloader"}


def send(house: House, who: Person | FlaskClient, path: str, **said: str) -> TestResponse:
    browser = house.browser(who) if isinstance(who, Person) else who
    return browser.post(path, data=said, headers=house.csrf(browser))


def terms(link: Link) -> Terms:
    return links.terms_of(db.session.get_one(Link, link.id, populate_existing=True))


def in_state(house: House, anna: Person, album: Album) -> dict[str, Link]:
    """Make a link in each state."""
    later = utcnow() + timedelta(days=1)
    made = {
        "Live": house.link(album, label="L"),
        "Waiting": house.link(album, label="W", starts_at=later),
        "Paused": house.link(album, label="P"),
        "Used up": house.link(album, label="U", max_visits=1),
        "Ended": house.link(album, label="E"),
    }
    links.pause(authorize(anna.viewer, Action.MANAGE, Link, made["Paused"].public_id))
    house.visitor(made["Used up"])
    with transaction() as session:
        session.get_one(Link, made["Ended"].id).expires_at = utcnow()
    return made


@sqlite_only
def test_the_list_is_narrowed_by_state_and_says_what_each_means(house: House) -> None:
    anna = house.person("Anna")
    made = in_state(house, anna, house.album(anna))
    browser = house.browser(anna)

    def shown(query: str) -> set[str]:
        page = browser.get(f"/links{query}").get_data(as_text=True)
        return {state for state, link in made.items() if f"/links/{link.public_id}" in page}

    assert shown("") == shown("?state=odd") == set(made)
    for state, link in made.items():
        assert shown(f"?state={state.lower()}") == {state}
        page = browser.get(f"/links/{link.public_id}").get_data(as_text=True)
        assert f">{state}</span>" in page


@sqlite_only
def test_a_hundred_links_take_as_many_statements_as_ten(house: House) -> None:
    statements = listen()
    anna = house.person("Anna")
    album = house.album(anna)
    browser, taken = house.browser(anna), []
    for count in (10, 90):
        for _ in range(count):
            house.link(album)
        for path in ("/links", f"/albums/{album.public_id}/sharing"):
            browser.get(path)
            with statements.counted() as asked:
                assert browser.get(path).status_code == 200
            taken.append(len(asked))
    assert taken[2:] == taken[:2]


def test_a_link_is_changed_paused_copied_and_ended_on_its_page(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    link, browser = house.link(album, label="Ben", password="open sesame please"), house.browser(anna)
    here = f"/links/{link.public_id}"
    more = {"size": "edge", "long_edge_px": "3000", "metadata": "all", "mark": "name", "show_names": "y"}

    said = send(house, browser, f"{here}/update", **SAID, protect="y", ends="never", max_visits="7", **more)

    assert (said.status_code, said.location) == (302, here)
    wanted: dict[str, Any] = {"role": LinkRole.DOWNLOADER, "max_visits": 7, "long_edge_px": 3000, "expires_at": None}
    wanted |= {"metadata_rule": MetadataRule.STRIP_ALL, "watermark": "Ben", "neutral_names": False}
    assert {name: getattr(terms(link), name) for name in wanted} == wanted
    assert house.visitor(link, password="open sesame please").get(f"/l/{link.public_id}/").status_code == 200
    copied = send(house, browser, f"{here}/copy", label="Cem")
    assert ">Cem " in browser.get(copied.location).get_data(as_text=True)
    for deed, status in (("pause", 403), ("resume", 303), ("revoke", 403)):
        assert send(house, browser, f"{here}/{deed}").status_code == 302
        assert house.browser().get(house.address(link)).status_code == status, deed
    assert browser.get(here).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": ""},
        {"label": "x" * 201},
        {"role": "manager"},
        {"ends": "day"},
        {"ends": "day", "ends_on": "2001-01-01"},
        {"ends": "day", "ends_on": "tomorrow"},
        {"ends": "sometime"},
        {"size": "edge"},
        {"size": "edge", "long_edge_px": "1"},
        {"max_visits": "0"},
        {"max_downloads": "many"},
        {"metadata": "none"},
        {"protect": "y"},
        {"protect": "y", "password": "abc"},
        {"starts_on": "2999-01-01"},
    ],
)
@sqlite_only
def test_a_form_that_says_something_odd_makes_and_changes_nothing(house: House, wrong: dict[str, str]) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    link, picture = house.link(album, label="Before"), house.picture(anna, album).public_id
    before, said = terms(link), SAID | wrong

    for path, more in (
        (f"/albums/{album.public_id}/links", {}),
        ("/links", {"ids": picture}),
        (f"/links/{link.public_id}/update", {}),
    ):
        answer = send(house, anna, path, **said, **more)
        assert answer.status_code == 422, path
        assert re.search(r'class="field-error"', answer.get_data(as_text=True)), path
    assert terms(link) == before
    assert db.session.query(Link).count() == 1


@sqlite_only
@pytest.mark.parametrize("rules", [{"makers": Makers.NOBODY}, {"password_required": True}, {"longest_days": 3}])
def test_what_the_instance_does_not_allow_is_said_on_the_form(house: House, rules: dict[str, Any]) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    with transaction() as session:
        session.add(LinkPolicy(id=1, **rules))

    answer = send(house, anna, f"/albums/{album.public_id}/links", **SAID)

    assert answer.status_code == 422
    assert "this vault" in answer.get_data(as_text=True)
    page = house.browser(anna).get(f"/albums/{album.public_id}/sharing").get_data(as_text=True)
    assert ("Make the link" in page) == ("makers" not in rules)


def test_a_link_whose_maker_may_share_no_more_is_told_as_not_working(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    link = house.link(album, by=ben)
    house.grant(album, ben, Role.VIEWER)
    browser = house.browser(ben)

    for path in ("/links", "/links?state=dormant", f"/links/{link.public_id}"):
        page = browser.get(path).get_data(as_text=True)
        assert "Not working" in page, path
        assert ">Dormant" not in page, path
    assert "Not working <span>1</span>" in browser.get("/links").get_data(as_text=True)


def test_ending_a_link_says_so_in_the_same_word(house: House) -> None:
    anna = house.person("Anna")
    link = house.link(house.album(anna))
    browser = house.browser(anna)
    page = browser.get(f"/links/{link.public_id}").get_data(as_text=True)
    assert "End the link" in page

    ended = browser.post(f"/links/{link.public_id}/revoke", headers=house.csrf(browser), follow_redirects=True)

    assert "The link is ended. Whoever has its address sees nothing any more." in ended.get_data(as_text=True)
