"""Sharing: nobody raises himself, terms are checked, and what is said of access is what the decision does."""

from datetime import timedelta
from typing import cast

import pytest
import sqlalchemy as sa

from tests.factories import House
from tests.policy_world import build
from vault.db import db, utcnow
from vault.models.media import Album, Media
from vault.models.sharing import Grant, Link, LinkRole, Role
from vault.policy import Action, Denied, Viewer, authorize, role_on, visible
from vault.services import Refused, explaining, links, sharing


def test_nobody_changes_his_own_role_or_gives_more_than_there_is(house: House) -> None:
    anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    permit = authorize(ben.viewer, Action.MANAGE, Album, album.public_id)

    for person, role in (
        (ben, Role.MANAGER),
        (ben, Role.OWNER),
        (ben, Role.VIEWER),
        (anna, Role.VIEWER),
        (carl, Role.OWNER),
    ):
        with pytest.raises(Refused):
            sharing.grant(permit, user_id=person.public_id, role=role, expires_at=None)
    sharing.grant(permit, user_id=carl.public_id, role=Role.MANAGER, expires_at=None)
    assert (role_on(ben.viewer, album.id), role_on(carl.viewer, album.id)) == (Role.MANAGER, Role.MANAGER)


def test_a_permit_from_before_is_worth_nothing_after_the_right_ended(house: House) -> None:
    anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    permit = authorize(ben.viewer, Action.MANAGE, Album, album.public_id)
    link = house.link(album, by=ben)
    link_permit = authorize(ben.viewer, Action.MANAGE, Link, link.public_id)
    sharing.revoke_grant(authorize(anna.viewer, Action.MANAGE, Album, album.public_id), ben.public_id)

    with pytest.raises(Denied):
        sharing.grant(permit, user_id=carl.public_id, role=Role.VIEWER, expires_at=None)
    with pytest.raises(Denied):
        links.create(house.vault, permit, links.Terms("x", LinkRole.VIEWER, expires_at=None))
    with pytest.raises(Denied):
        sharing.revoke_grant(permit, carl.public_id)
    with pytest.raises(Denied):
        links.rotate(link_permit)
    assert db.session.scalars(sa.select(Grant)).all() == []


def test_terms_that_make_no_sense_are_refused(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    permit = authorize(anna.viewer, Action.MANAGE, Album, album.public_id)
    past = utcnow() - timedelta(seconds=1)

    with pytest.raises(Refused):
        sharing.grant(permit, user_id=ben.public_id, role=Role.VIEWER, expires_at=past)
    for terms in (
        links.Terms(""),
        links.Terms(" \0\n"),
        links.Terms("x", cast("LinkRole", Role.OWNER)),
        links.Terms("x", expires_at=past),
    ):
        with pytest.raises(Refused):
            links.create(house.vault, permit, terms)
    for user_id in ("A" * 22, "", "\0", "x"):
        with pytest.raises(Denied):
            sharing.grant(permit, user_id=user_id, role=Role.VIEWER, expires_at=None)
    assert db.session.scalars(sa.select(Link)).all() == []


def test_a_body_sets_only_what_its_form_names(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    link = house.link(album)
    browser = house.browser(ben)
    proof = house.csrf(browser)
    extra = {"owner_id": str(ben.id), "id": "1", "public_id": "A" * 22, "generation": "9", "creator_id": str(ben.id)}
    browser.post(f"/albums/{album.public_id}/edit", data={"title": "New", "order": "newest", **extra}, headers=proof)
    browser.post(f"/links/{link.public_id}/update", data={"label": "New", "role": "viewer", **extra}, headers=proof)

    db.session.expire_all()
    changed, kept = db.session.get_one(Album, album.id), db.session.get_one(Link, link.id)
    assert (changed.title, changed.owner_id, changed.public_id) == ("New", anna.id, album.public_id)
    assert (kept.label, kept.creator_id, kept.generation) == ("New", anna.id, 1)
    for path in (f"/api/v1/albums/{album.public_id}", f"/api/v1/links/{link.public_id}"):
        assert browser.patch(path, json={"owner_id": "x"}, headers=proof).status_code == 422


def test_an_administrator_ends_grants_and_links_and_sees_no_address_of_one(house: House) -> None:
    admin, anna, ben = house.person("Admin", admin=True), house.person("Anna"), house.person("Ben")
    album = house.album(anna, "Private title")
    house.grant(album, ben, Role.VIEWER)
    link = house.link(album)
    address, browser = house.address(link), house.browser(admin)

    for path in ("/admin/access", "/admin/", "/admin/events"):
        page = browser.get(path).get_data(as_text=True)
        assert address.removeprefix("/l/") not in page
        assert address.rpartition(".")[2] not in page
    assert links.revoke_as_administrator(admin.id, link.public_id)
    assert not links.revoke_as_administrator(admin.id, link.public_id)
    assert sharing.revoke_grant_as_administrator(admin.id, album.public_id, ben.public_id)
    assert house.browser().get(address).status_code == 403
    assert house.browser(ben).get(f"/albums/{album.public_id}").status_code == 403
    assert browser.get(f"/albums/{album.public_id}").status_code == 403


def test_whoever_was_let_in_can_leave(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.VIEWER)

    assert sharing.leave(ben.viewer, album.public_id)
    with pytest.raises(Denied):
        sharing.leave(ben.viewer, album.public_id)


def test_the_role_that_is_shown_is_the_role_that_counts(house: House) -> None:
    world = build(house)
    needed = {
        Action.VIEW: Role.VIEWER,
        Action.DOWNLOAD: Role.DOWNLOADER,
        Action.ADD: Role.CONTRIBUTOR,
        Action.ARRANGE: Role.EDITOR,
        Action.MANAGE: Role.MANAGER,
        Action.DELETE: Role.OWNER,
    }
    for name, person in world.people.items():
        for title, album in world.albums.items():
            if title == "ghostly":
                continue  # its owner is disabled, which is no matter of roles
            role = role_on(person.viewer, album.id) or 0
            may = {action for action in needed if album.id in _ids(person.viewer, action)}
            assert may == {action for action, least in needed.items() if role >= least}, (name, title)


def _ids(viewer: Viewer, action: Action) -> set[int]:
    return set(db.session.scalars(visible(viewer, action, Album).with_only_columns(Album.id)))


def test_who_can_see_it_is_exactly_who_the_decision_lets_see_it(house: House) -> None:
    """The owner's page of access and the rule are written apart; here they are held against each other."""
    world = build(house)
    owner = world.people["owner"].viewer
    for name, album in world.albums.items():
        if name == "ghostly":
            continue
        permit = authorize(owner, Action.EXPLAIN, Album, album.public_id)
        assert _people(explaining.of_album(permit)) == {
            person.id for person in world.people.values() if album.id in _ids(person.viewer, Action.VIEW)
        }, name
    present = [
        Viewer(link_id=link.public_id, generation=link.generation) for link in db.session.scalars(sa.select(Link))
    ]
    for name in ("live", "pending", "loose", "below", "apart"):
        media = world.media[name]
        lines = explaining.of_media(authorize(owner, Action.EXPLAIN, Media, media.public_id))
        seen_by = {person.id for person in world.people.values() if _sees(person.viewer, media)}
        assert _people(lines) == seen_by, name
        opened_by = {viewer.link_id for viewer in present if _sees(viewer, media)}
        assert {line.link.public_id for line in lines if line.link is not None} == opened_by, name


def _people(lines: list[explaining.Access]) -> set[int]:
    return {line.user.id for line in lines if line.user} | {each.id for line in lines for each in line.members}


def _sees(viewer: Viewer, media: Media) -> bool:
    seen = visible(viewer, Action.VIEW, Media).where(Media.id == media.id)
    return db.session.scalar(seen) is not None
