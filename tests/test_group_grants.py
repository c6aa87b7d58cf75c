"""What is given to groups: they see it, nobody raises himself by it, and who leaves loses the very next byte."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from tests.standstill import outcome_of
from vault.db import db, utcnow
from vault.models.group import Group
from vault.models.history import Notice
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import GroupGrant, Role
from vault.policy import Action, Denied, Permit, authorize, role_on
from vault.services import Refused, albums, catalogue, group_grants, groups, sharing
from vault.services.groups import Asker

# SQLite has one writer at a time: there the second finds what the first one wrote.
postgresql_only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
MADE_UP = ("A" * 22, "", "\0", "x")


def asks(person: Person) -> Asker:
    return Asker(person.id)


def may_manage(person: Person, album: Album) -> Permit[AlbumFacts]:
    return authorize(person.viewer, Action.MANAGE, Album, album.public_id)


class TestWhatGroupsSee:
    def test_who_leaves_or_is_taken_out_loses_the_very_next_byte(self, house: House) -> None:
        anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
        album, club = house.album(anna), house.group(ben, carl, owner=anna)
        picture = house.picture(anna, album)
        house.share(album, club, Role.DOWNLOADER)
        ends: tuple[tuple[Person, Callable[[], bool]], ...] = (
            (ben, lambda: groups.remove(asks(anna), club.public_id, ben.public_id)),
            (carl, lambda: groups.leave(asks(carl), club.public_id)),
        )
        for person, end in ends:
            browser = house.browser(person)
            paths = [f"/media/{picture.public_id}/{name}" for name in ("thumb", "preview", "original")]
            tags = [browser.get(path).headers["ETag"] for path in paths]
            kept = [{"If-None-Match": tag} for tag in tags]
            assert [browser.get(path, headers=tag).status_code for path, tag in zip(paths, kept, strict=True)] == [
                304
            ] * 3

            assert end()

            found = [browser.get(path, headers=tag).status_code for path, tag in zip(paths, kept, strict=True)]
            found += [browser.get(path, headers={"Range": "bytes=0-0"}).status_code for path in paths]
            assert found == [403] * 6
            assert browser.get(f"/albums/{album.public_id}").status_code == 403

    def test_albums_shared_with_ones_groups_stand_on_ones_pages(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        album = house.album(anna, "Concert")
        below = house.album(anna, "Rehearsal", parent=album)
        house.share(album, house.group(ben), Role.CONTRIBUTOR)

        assert [card.album.title for card in albums.shared_with(ben.viewer)] == ["Concert"]
        assert [title for _, title in albums.addable(ben.viewer)] == ["Concert", "Rehearsal"]
        listed = catalogue.albums(ben.viewer, limit=10)
        assert {(entry.album.id, entry.role) for entry in listed.items} == {
            (album.id, Role.CONTRIBUTOR),
            (below.id, Role.CONTRIBUTOR),
        }
        permit = authorize(ben.viewer, Action.VIEW, Album, below.public_id)
        assert not albums.has_grant(permit)
        assert len(groups.between(permit)) == 1
        assert "Concert" in house.browser(ben).get("/").get_data(as_text=True)

    def test_a_group_that_is_deleted_takes_along_what_it_was_given(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        album, club = house.album(anna), house.group(ben, owner=anna)
        house.share(album, club, Role.VIEWER)

        groups.delete(asks(anna), club.public_id)

        assert role_on(ben.viewer, album.id) is None
        assert db.session.scalars(sa.select(GroupGrant)).all() == []


class TestGiving:
    def test_a_group_is_given_a_role_that_is_changed_and_taken_away(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        album, choir = house.album(anna), house.group(ben)
        permit = may_manage(anna, album)
        house.share(album, choir, Role.MANAGER)
        house.share(album, choir, Role.VIEWER)

        assert role_on(ben.viewer, album.id) == Role.VIEWER
        assert len(group_grants.page_of_album(permit, limit=10).items) == 1
        assert sharing.revoke_group_grant(permit, choir.public_id)
        assert not sharing.revoke_group_grant(permit, choir.public_id)
        assert role_on(ben.viewer, album.id) is None

    def test_only_the_owner_shares_with_his_groups_and_everybody_with_the_vaults(self, house: House) -> None:
        anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
        album, choir = house.album(anna), house.group(name="Choir")
        annas, bens, carls = (house.group(owner=each, name=f"{each.email}") for each in (anna, ben, carl))
        house.grant(album, ben, Role.MANAGER)

        def may_give(person: Person, group: Group) -> bool:
            try:
                sharing.grant_group(
                    may_manage(person, album), group_id=group.public_id, role=Role.VIEWER, expires_at=None
                )
            except Denied:
                return False
            return True

        assert [may_give(anna, group) for group in (choir, annas, bens, carls)] == [True, True, False, False]
        assert [may_give(ben, group) for group in (choir, annas, bens, carls)] == [True, False, False, False]
        assert [group.name for group in sharing.groups_for(may_manage(anna, album))] == [annas.name, "Choir"]
        assert [group.name for group in sharing.groups_for(may_manage(ben, album))] == ["Choir"]

    def test_nobody_gives_more_or_longer_than_he_has_nor_raises_himself(self, house: House) -> None:
        anna, ben, soon = house.person("Anna"), house.person("Ben"), utcnow() + timedelta(days=2)
        album, choir = house.album(anna), house.group()
        house.grant(album, ben, Role.MANAGER, expires_at=soon)
        permit = may_manage(ben, album)

        for role, ends in (
            (Role.OWNER, soon),
            (Role.MANAGER, None),
            (Role.VIEWER, None),
            (Role.MANAGER, soon + timedelta(days=1)),
            (Role.VIEWER, utcnow() - timedelta(days=1)),
        ):
            with pytest.raises(Refused):
                sharing.grant_group(permit, group_id=choir.public_id, role=role, expires_at=ends)
        for group_id in MADE_UP:
            with pytest.raises(Denied):
                sharing.grant_group(permit, group_id=group_id, role=Role.VIEWER, expires_at=soon)
        sharing.grant_group(permit, group_id=choir.public_id, role=Role.MANAGER, expires_at=soon)
        with pytest.raises(Refused):  # he gave it already, and no longer for that
            sharing.grant_group(permit, group_id=choir.public_id, role=Role.MANAGER, expires_at=None)

    def test_nobody_keeps_a_right_through_a_group_that_he_gave_it_to(self, house: House) -> None:
        anna, mia = house.person("Anna"), house.person("Mia")
        album, choir = house.album(anna), house.group(mia, anna)
        house.grant(album, mia, Role.MANAGER)

        for role in (Role.VIEWER, Role.MANAGER):
            with pytest.raises(Refused, match="in this group yourself"):
                sharing.grant_group(may_manage(mia, album), group_id=choir.public_id, role=role, expires_at=None)
        sharing.revoke_grant(may_manage(anna, album), mia.public_id)

        assert role_on(mia.viewer, album.id) is None
        house.share(album, choir, Role.VIEWER)  # the owner may, also where he is in it
        assert role_on(mia.viewer, album.id) == Role.VIEWER

    def test_a_permit_from_before_gives_a_group_nothing(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        album, choir, keepers = house.album(anna), house.group(), house.group(ben, owner=anna)
        house.share(album, keepers, Role.MANAGER)
        permit = may_manage(ben, album)
        groups.remove(asks(anna), keepers.public_id, ben.public_id)

        with pytest.raises(Denied):
            sharing.grant_group(permit, group_id=choir.public_id, role=Role.VIEWER, expires_at=None)
        with pytest.raises(Denied):
            sharing.revoke_group_grant(permit, keepers.public_id)

    def test_an_administrator_takes_away_and_sees_no_more_than_titles(self, house: House) -> None:
        anna, ben, admin = house.person("Anna"), house.person("Ben"), house.person("Admin", admin=True)
        album, choir = house.album(anna, "Concert"), house.group(ben, name="Choir")
        house.share(album, choir, Role.VIEWER)
        assert "Choir" in house.browser(admin).get("/admin/access").get_data(as_text=True)

        assert sharing.revoke_group_grant_as_administrator(admin.id, album.public_id, choir.public_id)

        assert not sharing.revoke_group_grant_as_administrator(admin.id, album.public_id, choir.public_id)
        for made_up in MADE_UP:
            assert not sharing.revoke_group_grant_as_administrator(admin.id, made_up, choir.public_id)
            assert not sharing.revoke_group_grant_as_administrator(admin.id, album.public_id, made_up)
        assert role_on(ben.viewer, album.id) is None


@postgresql_only
@pytest.mark.parametrize("through_a_group", [False, True])
def test_what_is_given_while_the_giver_loses_his_right_is_not_given(house: House, *, through_a_group: bool) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album, choir, keepers = house.album(anna), house.group(), house.group(ben, owner=anna)
    if through_a_group:
        house.share(album, keepers, Role.MANAGER)
    else:
        house.grant(album, ben, Role.MANAGER)
    permit, annas = may_manage(ben, album), may_manage(anna, album)

    def end() -> None:
        if through_a_group:
            assert groups.remove(asks(anna), keepers.public_id, ben.public_id)
        else:
            assert sharing.revoke_grant(annas, ben.public_id)

    def give() -> None:
        sharing.grant_group(permit, group_id=choir.public_id, role=Role.VIEWER, expires_at=None)

    assert outcome_of(house, give, end) is Denied
    db.session.rollback()
    assert db.session.scalars(sa.select(GroupGrant.group_id)).all() == ([keepers.id] if through_a_group else [])


@postgresql_only
def test_no_owner_is_left_untold_who_shares_while_somebody_joins(house: House) -> None:
    anna, ben, admin = house.person("Anna"), house.person("Ben"), house.person("Admin", admin=True)
    album, choir = house.album(anna), house.group()
    permit = may_manage(anna, album)

    def share() -> None:
        sharing.grant_group(permit, group_id=choir.public_id, role=Role.VIEWER, expires_at=None)

    def join() -> None:
        groups.add(Asker(admin.id, administers=True), choir.public_id, ben.public_id)

    assert outcome_of(house, join, share) is None
    db.session.rollback()
    assert db.session.scalars(sa.select(Notice.user_id)).all() == [anna.id]
