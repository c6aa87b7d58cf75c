"""Keeping the house: old trash goes, leftovers of crashes go, and nothing else does."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from vault.db import db, transaction, utcnow
from vault.models.account import ApiToken, LoginSession, OneTimeToken, Purpose, SignInAttempt, User
from vault.models.history import Download, PersonSight, Visit, VisitSight
from vault.models.media import Media
from vault.models.sharing import LinkRole, Role
from vault.models.system import Event
from vault.policy import Action, authorize
from vault.services import accounts, inspection, library, maintenance
from vault.signing import digest, new_secret
from vault.storage.local import LocalStorage

TWO_DAYS = 2 * 86_400


def throw_away(person: Person, media: Media, days_ago: float) -> None:
    library.trash(authorize(person.viewer, Action.TRASH, Media, media.public_id))
    with transaction() as session:
        moment = utcnow() - timedelta(days=days_ago)
        session.execute(sa.update(Media).where(Media.id == media.id).values(trashed_at=moment))


def used(person: Person) -> int:
    db.session.rollback()
    return int(db.session.scalar(sa.select(User.used_bytes).where(User.id == person.id)) or 0)


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def root(house: House) -> Path:
    storage = house.vault.storage
    assert isinstance(storage, LocalStorage)
    return storage.root


class TestTrash:
    def test_what_is_older_than_the_setting_goes_with_bytes_and_quota(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        old, young, kept = (house.picture(anna, album) for _ in range(3))
        throw_away(anna, old, 30.1)
        throw_away(anna, young, 29.9)
        size = old.size_bytes
        before = used(anna)

        assert maintenance.empty_trash(house.vault) == 1

        assert used(anna) == before - size
        left = set(db.session.scalars(sa.select(Media.public_id)))
        assert left == {young.public_id, kept.public_id}
        assert len(list(house.vault.storage.keys())) == 6
        assert inspection.inspect(house.vault).problems == []
        assert db.session.scalar(sa.select(Event.actor_id).where(Event.action == "media.purge")) is None

    def test_more_than_a_batch_goes_in_one_run(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(maintenance, "BATCH", 2)
        anna = house.person("Anna")
        for _ in range(5):
            throw_away(anna, house.picture(anna, ready=False), 31)

        assert maintenance.empty_trash(house.vault) == 5
        assert (used(anna), list(house.vault.storage.keys())) == (0, [])


class TestSweep:
    def test_only_what_is_old_and_unnamed_goes(self, house: House) -> None:
        anna = house.person("Anna")
        media = house.picture(anna)
        names = {"named and old": media.blob_key}
        for title, mark, seconds in (("unnamed and old", "B", TWO_DAYS), ("unnamed and young", "C", 3600)):
            key = media.blob_key[:-22] + mark * 22
            names[title] = key
            with house.vault.storage.temporary() as path:
                path.write_bytes(b"left by a crash")
                house.vault.storage.put(key, path)
            age(root(house) / key, seconds)
        for key in list(house.vault.storage.keys()):
            if media.public_id in key:
                age(root(house) / key, TWO_DAYS)
        count = len(list(house.vault.storage.keys()))

        assert maintenance.sweep(house.vault) == 1

        left = set(house.vault.storage.keys())
        assert len(left) == count - 1
        assert names["unnamed and old"] not in left
        assert {names["named and old"], names["unnamed and young"]} <= left

    def test_old_temporaries_go_and_young_ones_stay(self, house: House) -> None:
        folder = root(house) / "tmp"
        for name, seconds in (("old", TWO_DAYS), ("young", 60)):
            (folder / name).write_bytes(b"x")
            (folder / f"{name}-folder").mkdir()
            (folder / f"{name}-folder" / "thumb.webp").write_bytes(b"x")
            age(folder / name, seconds)
            age(folder / f"{name}-folder", seconds)

        assert maintenance.sweep(house.vault) == 2
        assert sorted(path.name for path in folder.iterdir()) == ["young", "young-folder"]

    def test_a_second_sweep_finds_nothing(self, house: House) -> None:
        anna = house.person("Anna")
        house.picture(anna)
        for key in list(house.vault.storage.keys()):
            age(root(house) / key, TWO_DAYS)

        assert [maintenance.sweep(house.vault) for _ in range(2)] == [0, 0]
        assert inspection.inspect(house.vault).problems == []


class TestForgetting:
    def test_what_ended_is_forgotten_and_what_lives_is_not(self, house: House) -> None:
        anna = house.person("Anna")
        now = utcnow()
        house.browser(anna)
        house.token(anna)
        accounts.offer_new_password(house.vault, None, anna.id)
        with transaction() as session:
            ended = LoginSession(user_id=anna.id, digest=digest("ended"), expires_at=now - timedelta(seconds=1))
            old = OneTimeToken(
                user_id=anna.id, digest=digest("old"), purpose=Purpose.PASSWORD, expires_at=now - timedelta(days=31)
            )
            token = ApiToken(
                user_id=anna.id, digest=digest(new_secret()), name="old", scopes=1, expires_at=now - timedelta(days=31)
            )
            tries = [SignInAttempt(account="a" * 64, address="::1", at=now - timedelta(hours=h)) for h in (1, 25)]
            session.add_all([ended, old, token, *tries])

        maintenance.tidy(house.vault)

        counts = [
            db.session.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (LoginSession, OneTimeToken, ApiToken, SignInAttempt)
        ]
        assert counts == [1, 1, 1, 1]


@pytest.mark.parametrize(("days_ago", "sights"), [(364, 2), (366, 0)])
def test_who_looked_is_forgotten_after_the_days_of_the_setting(house: House, days_ago: int, sights: int) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media, link = house.picture(anna, album), house.link(album, role=LinkRole.DOWNLOADER)
    house.grant(album, ben, Role.VIEWER)
    visitor = house.visitor(link)
    for variant in ("preview", "original"):
        assert visitor.get(f"/l/{link.public_id}/media/{media.public_id}/{variant}").status_code == 200
    house.browser(ben).get(f"/media/{media.public_id}/preview")
    house.vault.recorder.flush()
    then = utcnow() - timedelta(days=days_ago)
    with transaction() as session:
        session.execute(sa.update(Visit).values(expires_at=then))
        session.execute(sa.update(PersonSight).values(last_at=then))

    maintenance.tidy(house.vault)

    db.session.rollback()
    counts = {
        kind: db.session.scalar(sa.select(sa.func.count()).select_from(kind))
        for kind in (Visit, VisitSight, Download, PersonSight)
    }
    kept = min(sights, 1)
    assert counts == {Visit: kept, VisitSight: sights, Download: kept, PersonSight: kept}
    assert house.visitor(link).get(f"/l/{link.public_id}/").status_code == 200
