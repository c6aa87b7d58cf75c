"""Groups: who keeps them, who reads which names, and that nobody comes to see something by them unnoticed."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from vault.db import db, transaction, utcnow
from vault.models.group import Group, GroupMember
from vault.models.history import Notice
from vault.models.sharing import GroupGrant, Role
from vault.models.system import Event
from vault.policy import Denied, role_on
from vault.services import Conflict, Refused, groups
from vault.services.groups import Asker

MADE_UP = ("A" * 22, "", "\0", "x")


def asks(person: Person, *, administers: bool = False) -> Asker:
    return Asker(person.id, administers)


def members(group: Group) -> set[int]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(GroupMember.user_id).where(GroupMember.group_id == group.id)))


def notices() -> list[tuple[int, str, dict[str, object]]]:
    db.session.rollback()
    return [(row.user_id, row.kind, row.detail) for row in db.session.scalars(sa.select(Notice).order_by(Notice.id))]


class TestKeeping:
    def test_a_group_is_made_renamed_filled_and_deleted_and_all_of_it_is_recorded(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        made = groups.create(asks(anna), name=" Choir\n").group
        groups.rename(asks(anna), made.public_id, name="Big choir")
        groups.add(asks(anna), made.public_id, ben.public_id)
        groups.add(asks(anna), made.public_id, ben.public_id)
        assert members(made) == {ben.id}
        assert groups.remove(asks(anna), made.public_id, ben.public_id)
        assert not groups.remove(asks(anna), made.public_id, ben.public_id)
        groups.delete(asks(anna), made.public_id)

        said = db.session.scalars(sa.select(Event.action).where(Event.subject == made.public_id).order_by(Event.id))
        assert said.all() == [
            "group.create",
            "group.rename",
            "group.member_added",
            "group.member_removed",
            "group.delete",
        ]
        assert groups.known(asks(anna)) == []

    def test_only_its_owner_keeps_a_group(self, house: House) -> None:
        anna, ben, admin = house.person("Anna"), house.person("Ben"), house.person("Admin", admin=True)
        club = house.group(ben, owner=anna).public_id

        for asker in (asks(ben), asks(admin, administers=True)):
            for deed in (
                lambda asker: groups.rename(asker, club, name="Mine"),
                lambda asker: groups.add(asker, club, admin.public_id),
                lambda asker: groups.remove(asker, club, ben.public_id),
                lambda asker: groups.delete(asker, club),
                lambda asker: groups.members(asker, club, limit=10),
            ):
                with pytest.raises(Denied):
                    deed(asker)
        with pytest.raises(Denied):
            groups.get(asks(admin, administers=True), club)

    def test_only_administrators_keep_the_vaults_groups_and_not_by_their_name_alone(self, house: House) -> None:
        anna, admin = house.person("Anna"), house.person("Admin", admin=True)
        choir = house.group().public_id

        for asker in (asks(anna), asks(anna, administers=True), asks(admin)):
            with pytest.raises(Denied):
                groups.create(asker, name="All", is_vaults=True)
            with pytest.raises(Denied):
                groups.rename(asker, choir, name="Mine")
            with pytest.raises(Denied):
                groups.delete(asker, choir)
            with pytest.raises(Denied):
                groups.add(asker, choir, anna.public_id)
        groups.rename(asks(admin, administers=True), choir, name="All")

    def test_who_is_disabled_keeps_nothing(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        club = house.group(owner=anna)
        house.disable(anna)

        with pytest.raises(Denied):
            groups.add(asks(anna), club.public_id, ben.public_id)
        with pytest.raises(Denied):
            groups.create(asks(anna), name="Another")

    def test_names_and_members_that_make_no_sense_are_refused(self, house: House) -> None:
        anna, gone = house.person("Anna"), house.person("Gone")
        house.disable(gone)
        club = groups.create(asks(anna), name="Club").group.public_id
        for name in ("", " \0\n"):
            with pytest.raises(Refused):
                groups.create(asks(anna), name=name)
        with pytest.raises(Conflict):
            groups.create(asks(anna), name="Club")
        for user_id in (*MADE_UP, gone.public_id):
            with pytest.raises(Denied):
                groups.add(asks(anna), club, user_id)
        for email in ("nobody@example.org", gone.email, "\0", "", "x" * 10_000):
            with pytest.raises(Refused, match="Nobody with this e-mail address has an account here"):
                groups.add_by_email(asks(anna), club, email=email)
        for group_id in MADE_UP:
            with pytest.raises(Denied):
                groups.get(asks(anna), group_id)
            with pytest.raises(Denied):
                groups.delete(asks(anna), group_id)
            assert not groups.leave(asks(anna), group_id)

    def test_names_are_read_by_members_of_the_vaults_groups_and_by_who_keeps_them(self, house: House) -> None:
        anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
        admin = house.person("Admin", admin=True)
        choir, club = house.group(ben).public_id, house.group(ben, owner=anna).public_id

        def reads(asker: Asker, group_id: str) -> bool:
            try:
                found = groups.members(asker, group_id, limit=10)
            except Denied:
                return False
            return [member.person.id for member in found.items] == [ben.id]

        everybody = (asks(anna), asks(ben), asks(carl), asks(admin, administers=True))
        assert [reads(each, choir) for each in everybody] == [False, True, False, True]
        assert [reads(each, club) for each in everybody] == [True, False, False, False]
        assert groups.get(asks(carl), choir).member_count == 1
        assert {line.group.public_id for line in groups.known(asks(ben))} == {choir, club}
        assert {line.group.public_id for line in groups.known(asks(carl))} == {choir}


class TestNobodyUnnoticed:
    def test_nobody_puts_himself_into_a_group_that_he_keeps(self, house: House) -> None:
        anna, admin = house.person("Anna"), house.person("Admin", admin=True)
        album, choir, club = house.album(anna), house.group(), house.group(owner=anna)
        house.share(album, choir, Role.VIEWER)

        for asker, group, oneself in ((asks(admin, administers=True), choir, admin), (asks(anna), club, anna)):
            with pytest.raises(Refused):
                groups.add(asker, group.public_id, oneself.public_id)
            with pytest.raises(Refused):
                groups.add_by_email(asker, group.public_id, email=oneself.email)
            assert members(group) == set()
        assert role_on(admin.viewer, album.id) is None
        assert notices() == []

    def test_owners_are_told_of_whoever_comes_to_see_their_albums(self, house: House) -> None:
        anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
        admin, second = house.person("Admin", admin=True), house.person("Second", admin=True)
        choir = house.group(name="Choir")
        for owner, count in ((anna, 2), (ben, 1)):
            for _ in range(count):
                house.share(house.album(owner), choir, Role.VIEWER)
        ended = house.album(carl)
        house.share(ended, choir, Role.VIEWER, expires_at=utcnow() + timedelta(days=1))
        with transaction() as session:
            past = sa.update(GroupGrant).where(GroupGrant.album_id == ended.id)
            session.execute(past.values(expires_at=utcnow() - timedelta(days=1)))

        for _ in range(2):  # who is in it already is no news
            groups.add(asks(admin, administers=True), choir.public_id, second.public_id)

        said = {"group": "Choir", "person": "Second", "by": "Admin"}
        assert sorted(notices(), key=lambda notice: notice[0]) == [
            (anna.id, "group.member_added", said | {"albums": 2}),
            (ben.id, "group.member_added", said | {"albums": 1}),
        ]

    def test_nobody_joins_when_the_owners_cannot_be_told(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        anna, ben, admin = house.person("Anna"), house.person("Ben"), house.person("Admin", admin=True)
        choir = house.group()
        house.share(house.album(anna), choir, Role.VIEWER)

        def fail(*_: object) -> None:
            raise OSError

        monkeypatch.setattr(groups, "_tell_owners", fail)
        with pytest.raises(OSError):  # noqa: PT011  # our own
            groups.add(asks(admin, administers=True), choir.public_id, ben.public_id)

        assert members(choir) == set()

    def test_of_ones_own_group_nobody_else_has_to_be_told(self, house: House) -> None:
        anna, ben = house.person("Anna"), house.person("Ben")
        album, club = house.album(anna), house.group(owner=anna)
        house.share(album, club, Role.EDITOR)

        groups.add_by_email(asks(anna), club.public_id, email=" BEN@example.org")

        assert role_on(ben.viewer, album.id) == Role.EDITOR
        assert notices() == []
