"""What can be reached from outside is listed whole, the most worrying first, and ends at once where that is chosen."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import event

from tests.factories import House, Person
from vault.db import db, transaction, utcnow
from vault.models.history import Visit
from vault.models.linkrules import Rules
from vault.models.media import Album
from vault.models.sharing import Link, LinkRole, Makers, MetadataRule, Role, Scope
from vault.models.system import Event
from vault.policy import Action, Denied, Viewer, authorize, may
from vault.services import Refused, exposure, house_rules, library, links, sharing
from vault.services.exposure import Worry

MILD: dict[str, Any] = {"password": "open sesame", "expires_at": utcnow() + timedelta(days=30)}


def worries(person: Person) -> dict[str, set[Worry]]:
    return {each.link.label: set(each.worries) for each in exposure.of_person(person.viewer)}


def is_live(link: Link) -> bool:
    db.session.expire_all()
    row = db.session.get_one(Link, link.id)
    return may(Viewer(link_id=row.public_id, generation=row.generation), Action.VISIT, Link, row.public_id)


def test_each_worry_is_seen_and_the_worst_comes_first(house: House) -> None:
    anna, eve = house.person("Anna"), house.person("Eve")
    album = house.album(anna)
    house.grant(album, eve, Role.MANAGER)
    takes = {"role": LinkRole.DOWNLOADER, **MILD}
    house.link(album, label="fine", **MILD)
    house.link(album, label="small", long_edge_px=1_920, **takes)
    house.link(album, label="original", **takes)
    house.link(album, label="everlasting", password="open sesame")
    house.link(album, label="open", expires_at=MILD["expires_at"])
    house.link(album, label="place", metadata_rule="keep", **takes)
    house.link(album, label="drawn", metadata_rule="keep", watermark="for Bob", **takes)
    house.link(album, label="left", by=eve, **MILD)
    house.link(album, label="later", starts_at=utcnow() + timedelta(days=1), **MILD)
    for gone, deed in (("paused", links.pause), ("revoked", links.revoke)):
        action = Action.MANAGE if gone == "paused" else Action.DELETE
        deed(authorize(anna.viewer, action, Link, house.link(album, label=gone).public_id))
    sharing.revoke_grant(authorize(anna.viewer, Action.MANAGE, Album, album.public_id), eve.public_id)

    assert worries(anna) == {
        "fine": set(),
        "small": set(),
        "original": {Worry.ORIGINALS},
        "everlasting": {Worry.NEVER_ENDS},
        "open": {Worry.NO_PASSWORD},
        "place": {Worry.LOCATION, Worry.ORIGINALS},
        "drawn": {Worry.ORIGINALS},
        "left": {Worry.LEFT},
        "later": set(),
    }
    assert [each.link.label for each in exposure.of_person(anna.viewer)][:3] == ["place", "left", "open"]


def test_what_nobody_used_for_long_is_seen(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    made = {label: house.link(album, label=label, password="open sesame") for label in ("used", "forgotten")}
    with transaction() as session:
        seen = utcnow() + timedelta(days=80)
        times = {"opened_at": utcnow(), "last_seen_at": seen, "expires_at": seen}
        session.add(Visit(digest="0" * 64, link_id=made["used"].id, generation=1, **times))

    with time_machine.travel(utcnow() + timedelta(days=91), tick=False):
        assert [Worry.UNUSED in worries(anna)[label] for label in ("used", "forgotten")] == [False, True]


def test_it_is_all_of_one_s_own_with_the_pictures_counted(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album, inside = house.album(anna, "Summer"), None
    inside = house.album(anna, "Inside", parent=album)
    pictures = [house.picture(anna, album), house.picture(anna, album), house.picture(anna, inside)]
    library.trash(authorize(anna.viewer, Action.TRASH, type(pictures[0]), pictures[1].public_id))
    house.grant(album, ben, Role.MANAGER)
    house.link(album, by=ben, label="tree")
    house.link(album, label="flat", scope=Scope.ALBUM)
    house.link(album, label="picked", scope=Scope.SELECTION, pictures=[pictures[0]])
    house.link(album, label="drop", role=LinkRole.DROP)
    links.create_for_pictures(house.vault, anna.viewer, [pictures[2].public_id], links.Terms("pocket"))
    house.link(house.album(ben, "Ben's"), label="none of hers")

    assert {each.link.label: each.count for each in exposure.of_person(anna.viewer)} == {
        "tree": 2,
        "flat": 1,
        "picked": 1,
        "drop": 0,
        "pocket": 1,
    }
    assert {each.link.label for each in exposure.of_person(ben.viewer)} == {
        "tree",
        "flat",
        "picked",
        "drop",
        "none of hers",
    } - {"flat", "picked", "drop"}
    assert {each.link.label for each in exposure.of_vault()} >= {"tree", "pocket", "none of hers"}


def test_others_links_that_show_one_s_pictures_are_told_without_their_names(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna, "Anna's secret")
    house.picture(anna, album)
    house.grant(album, ben, Role.CONTRIBUTOR)
    his = [house.picture(ben, album) for _ in range(2)]
    house.link(album, label="Hidden label")
    house.link(album, label="picked", scope=Scope.SELECTION, pictures=[his[0]])
    links.pause(authorize(anna.viewer, Action.MANAGE, Link, house.link(album).public_id))

    def told() -> list[tuple[str, str | None, int]]:
        return [(each.creator, each.title, each.count) for each in exposure.through_others(ben.viewer)]

    assert told() == [("Anna", "Anna's secret", 1), ("Anna", "Anna's secret", 2)]
    assert exposure.of_person(ben.viewer) == []
    assert exposure.through_others(anna.viewer) == []
    sharing.revoke_grant(authorize(anna.viewer, Action.MANAGE, Album, album.public_id), ben.public_id)
    assert told() == [("Anna", None, 1), ("Anna", None, 2)]
    page = house.browser(ben).get("/exposure").get_data(as_text=True)
    assert "2 pictures of yours" in page
    assert all(text not in page for text in ("Anna's secret", "Anna&#39;s secret", "Hidden label", album.public_id))


@pytest.mark.parametrize("deed", ["end", "pause"])
def test_the_chosen_ones_end_and_no_other_and_none_of_others(house: House, deed: str) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album, his = house.album(anna), house.album(ben)
    chosen = [house.link(album, label=f"chosen {number}") for number in range(2)]
    kept, strange = house.link(album, label="kept"), house.link(his)
    browser = house.browser(anna)
    ids = [link.public_id for link in (*chosen, strange)]

    assert browser.post("/exposure", data={"deed": deed, "link": ids}).status_code == 400
    browser.post("/exposure", data={"deed": deed, "link": [*ids, "odd", "A" * 22]}, headers=house.csrf(browser))

    assert [is_live(link) for link in (*chosen, kept, strange)] == [False, False, True, True]
    action = "link.pause" if deed == "pause" else "link.revoke"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Event).where(Event.action == action)) == 2
    rows = [db.session.get_one(Link, link.id) for link in chosen]
    assert [row.revoked_at is None for row in rows] == [deed == "pause"] * 2


def test_administrators_see_labels_and_counts_and_no_picture(house: House) -> None:
    jo, anna, eve = house.person("Jo", admin=True), house.person("Anna"), house.person("Eve")
    album = house.album(anna, "Summer")
    media = house.picture(anna, album)
    one, other = house.link(album, label="Grandparents"), house.link(album, label="Neighbours")
    browser, stranger = house.browser(jo), house.browser(eve)

    page = browser.get("/admin/exposure").get_data(as_text=True)
    assert all(text in page for text in ("Grandparents", "1 picture", "of Anna"))
    assert all(text not in page for text in (media.public_id, album.public_id, house.address(one)))
    said = {"deed": "end", "link": [one.public_id]}
    assert stranger.post("/admin/exposure", data=said, headers=house.csrf(stranger)).status_code == 403
    assert is_live(one)
    browser.post("/admin/exposure", data=said, headers=house.csrf(browser))
    browser.post("/admin/exposure", data={"deed": "pause", "link": other.public_id}, headers=house.csrf(browser))
    assert [is_live(link) for link in (one, other)] == [False, False]
    assert db.session.get_one(Link, other.id).revoked_at is None


def test_of_many_links_the_worst_are_found_without_loading_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    jo, anna, ben = house.person("Jo", admin=True), house.person("Anna"), house.person("Ben")
    album, soon = house.album(anna), utcnow() + timedelta(days=3)
    house.grant(album, ben, Role.MANAGER)
    house.link(album, label="mild", password="open sesame", expires_at=soon)
    house.link(album, label="bare", expires_at=soon)
    house.link(album, label="endless", password="open sesame")
    house.link(album, label="drawn", role=LinkRole.DOWNLOADER, expires_at=soon, watermark="A", password="open sesame")
    house.link(album, label="where", role=LinkRole.DOWNLOADER, metadata_rule=MetadataRule.KEEP, expires_at=soon)
    house.link(album, by=ben, label="left", password="open sesame", expires_at=soon)
    house.link(album, label="long", password="open sesame", expires_at=utcnow() + timedelta(days=30))
    house.link(album, label="later", by=ben, expires_at=soon, starts_at=utcnow() + timedelta(days=1))
    with time_machine.travel(utcnow() - timedelta(days=100)):
        house.link(album, label="old", password="open sesame", expires_at=utcnow() + timedelta(days=200))
    house.grant(album, ben, Role.VIEWER)
    house_rules.decide(jo.id, Rules(longest_days=7, originals_allowed=False), apply=False)
    everything = exposure.of_vault()
    in_sql = db.session.execute(sa.select(Link.label, exposure._weight(house_rules.present())))  # noqa: SLF001  # held against the other

    assert dict(in_sql.all()) == {each.link.label: each.weight for each in everything}
    assert len({each.weight for each in everything}) > 6
    monkeypatch.setattr(exposure, "MOST_ROWS", 2)
    db.session.expunge_all()
    loaded: list[str] = []

    def note(link: Link, _context: object) -> None:
        loaded.append(link.label)

    event.listen(Link, "load", note)
    weights = [each.weight for each in exposure.of_vault()]
    event.remove(Link, "load", note)
    assert weights == [each.weight for each in everything][:3]
    assert len(loaded) == 3


def test_tighter_rules_are_applied_to_what_exists_when_that_is_wanted(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album)
    long = house.link(album, label="long", password="open sesame")
    bare = house.link(album, label="bare", expires_at=utcnow() + timedelta(days=3))
    large = house.link(album, label="large", role=LinkRole.DOWNLOADER, **MILD)
    fine = house.link(album, label="fine", password="open sesame", expires_at=utcnow() + timedelta(days=3))
    rules = Rules(longest_days=7, password_required=True, originals_allowed=False)

    found = house_rules.misfits(rules)
    assert (found.links, found.too_long, found.without_password, found.originals, found.ended) == (3, 2, 1, 1, 0)
    assert house_rules.decide(jo.id, rules, apply=False) == found
    assert [is_live(link) for link in (long, bare, large, fine)] == [True] * 4
    house_rules.decide(jo.id, rules, apply=True)

    assert [is_live(link) for link in (long, bare, large, fine)] == [True, False, True, True]
    assert house_rules.misfits(rules).links == 0
    rows = {link.label: db.session.get_one(Link, link.id) for link in (long, bare, large, fine)}
    limit = utcnow() + timedelta(days=8)
    assert all(row.expires_at is not None and row.expires_at <= limit for row in rows.values())
    assert rows["large"].long_edge_px == 1_920
    assert rows["fine"].long_edge_px is None
    applied = sa.select(sa.func.count()).select_from(Event).where(Event.action == "link.apply_policy")
    assert db.session.scalar(applied) == 3
    permit = authorize(anna.viewer, Action.MANAGE, Link, bare.public_id)
    with pytest.raises(Refused, match="need a password"):
        links.resume(permit)
    links.change(house.vault, permit, password="open sesame")
    links.resume(permit)
    assert is_live(bare)
    assert may(anna.viewer, Action.VIEW, type(media), media.public_id)


def test_what_is_older_than_the_longest_life_ends_at_once(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    link = house.link(house.album(anna))
    with time_machine.travel(utcnow() + timedelta(days=30), tick=False):
        rules = Rules(longest_days=7)
        assert house_rules.misfits(rules).ended == 1
        house_rules.decide(jo.id, rules, apply=True)
        assert not is_live(link)


def test_only_administrators_set_rules_and_within_reason(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    with pytest.raises(Denied):
        house_rules.decide(anna.id, Rules(makers=Makers.NOBODY), apply=True)
    for days in (0, -1, 4_000):
        with pytest.raises(Refused):
            house_rules.decide(jo.id, Rules(longest_days=days), apply=True)
    assert house_rules.present() == Rules()


def test_the_page_of_rules_asks_before_it_touches_links(house: House) -> None:
    jo, anna = house.person("Jo", admin=True), house.person("Anna")
    link = house.link(house.album(anna))
    browser = house.browser(jo)
    proof = house.csrf(browser)
    said = {"makers": "administrators", "longest_days": "7", "password_required": "y", "originals_allowed": "y"}

    asked = browser.post("/admin/policy", data=said, headers=proof).get_data(as_text=True)
    assert "1 link does not fit these rules." in asked
    assert house_rules.present() == Rules()
    browser.post("/admin/policy", data={**said, "existing": "leave"}, headers=proof)
    db.session.rollback()
    assert house_rules.present() == Rules(Makers.ADMINISTRATORS, 7, password_required=True)
    assert is_live(link)
    browser.post("/admin/policy", data={**said, "existing": "apply"}, headers=proof)
    assert not is_live(link)
    for days in ("0", "x", "99999"):
        assert browser.post("/admin/policy", data={**said, "longest_days": days}, headers=proof).status_code == 422
    with pytest.raises(Refused, match="cannot make links"):
        house.link(house.album(anna))
