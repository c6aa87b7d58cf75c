"""Editions are kept as long as somebody asks for them and their picture is there, and no longer."""

import os
import time
from collections.abc import Iterator

import pytest

from tests.factories import House
from tests.governed import Shared, kept, one_workshop
from vault.db import db
from vault.models.media import Media
from vault.policy import Action, authorize
from vault.services import editions, inspection, library, maintenance


@pytest.fixture(autouse=True, scope="module")
def benches() -> Iterator[None]:
    with one_workshop():
        yield


@pytest.fixture
def shared(house: House) -> Shared:
    return Shared(house)


@pytest.fixture
def made(shared: Shared) -> list[str]:
    for name in ("thumb", "preview", "original"):
        editions.find(shared.house.vault, shared.permit(watermark="For Ben"), name)
    found = kept(shared.house)
    assert len(found) == 3
    return found


def age(shared: Shared, key: str, days: float) -> None:
    with shared.house.vault.storage.local_path(key) as path:
        os.utime(path, (time.time() - days * 86_400,) * 2)


def test_they_go_with_their_picture(shared: Shared, made: list[str]) -> None:
    library.trash(authorize(shared.anna.viewer, Action.TRASH, Media, shared.media.public_id))
    library.purge(shared.house.vault, authorize(shared.anna.viewer, Action.RESTORE, Media, shared.media.public_id))

    assert made
    assert list(shared.house.vault.storage.keys()) == []


def test_those_that_nobody_asked_for_in_a_month_go_with_the_sweep(shared: Shared, made: list[str]) -> None:
    for key, days in zip(made, (29.0, 31.0, 2.0), strict=True):
        age(shared, key, days)
    maintenance.sweep(shared.house.vault)

    assert kept(shared.house) == [made[0], made[2]]


def test_being_asked_for_makes_young(shared: Shared, made: list[str]) -> None:
    for key in made:
        age(shared, key, 40)
    used = editions.find(shared.house.vault, shared.permit(watermark="For Ben"), "thumb").key
    maintenance.sweep(shared.house.vault)

    assert kept(shared.house) == [used]


def test_those_of_a_lost_picture_go_with_the_sweep(shared: Shared, made: list[str]) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM album_media")
        connection.exec_driver_sql("DELETE FROM media")
    db.session.rollback()
    age(shared, made[0], 2)
    maintenance.sweep(shared.house.vault)

    assert kept(shared.house) == made[1:]


def test_fsck_has_nothing_to_say_of_them(shared: Shared, made: list[str]) -> None:
    for key in made:
        age(shared, key, 400)
    report = inspection.inspect(shared.house.vault, read_data=True)

    assert report.problems == []
    assert report.blobs == 6
