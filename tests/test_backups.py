"""Copies of the whole vault, made while it runs: what comes back is what was there at one moment."""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest
import sqlalchemy as sa

from tests.copies import ENDED, another, bytes_of, exported, lines, make, path_of, restore_into, tree
from tests.factories import House, Person
from vault.db import db
from vault.models.history import Visit
from vault.models.media import Media, State
from vault.policy import Action, Denied, Viewer, authorize
from vault.services import inspection, library, maintenance, sessions, tokens
from vault.storage import Held


class TestRoundTrip:
    @pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
    def test_every_row_and_byte_comes_back_into_either_database(
        self, house: House, tmp_path: Path, kind: str, request: pytest.FixtureRequest
    ) -> None:
        _, pictures = tree(house)
        made = make(house, tmp_path / "copy", with_variants=True)
        kept = bytes_of(house)

        with another(house, kind, tmp_path, request) as other:
            restore_into(other, tmp_path / "copy")

            back = exported(tmp_path / "exported")
            for table, found in back.items():
                said = lines(tmp_path / "copy" / "rows" / f"{table}.jsonl")
                if table in ENDED:
                    assert len(found) == 1, table
                elif table == "visit":
                    assert len(found) == len(said) == 2
                else:
                    assert found == said, table
            assert {"media", "album", "link", "event"} <= {table for table, found in back.items() if len(found) > 1}
            assert {key: data for key, data in bytes_of(other).items() if not key.startswith("editions")} == {
                key: data for key, data in kept.items() if not key.startswith("editions")
            }
            assert made.lost == []
            # New rows are numbered behind those that came back.
            assert other.picture(other.person("New")).id > pictures[-1].id

    def test_whoever_was_inside_is_not_any_more(
        self, house: House, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        anna, _ = tree(house)
        entered, _ = sessions.open_for(house.vault, anna.id, user_agent="a browser")
        token = house.token(anna)["Authorization"].removeprefix("Bearer ")
        house.visitor(house.link(house.album(anna, "Shared")))
        staying = sa.select(sa.func.count()).select_from(Visit).where(Visit.ended_at.is_(None))
        assert sessions.person_of(entered)
        assert tokens.person_of(token)
        assert db.session.scalar(staying) == 2
        make(house, tmp_path / "copy")

        with another(house, db.engine.dialect.name, tmp_path, request) as other:
            restore_into(other, tmp_path / "copy")

            assert sessions.person_of(entered) is None
            assert tokens.person_of(token) is None
            assert db.session.scalar(staying) == 0

    def test_without_variants_pictures_are_made_again(
        self, house: House, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        _, pictures = tree(house)
        make(house, tmp_path / "copy")
        assert not (tmp_path / "copy" / "blobs" / "variants").exists()

        with another(house, db.engine.dialect.name, tmp_path, request) as other:
            restore_into(other, tmp_path / "copy")

            states = set(db.session.scalars(sa.select(Media.state)))
            assert states == {State.PENDING}
            report = inspection.inspect(other.vault)
            assert report.originals == len(pictures) == report.pending
            assert [found for found in report.problems if not found.startswith("part ")] == []


class Crowd:
    """People who upload, throw away and delete for good until they are told to stop."""

    def __init__(self, house: House, people: list[Person]) -> None:
        self._house = house
        self._stop = threading.Event()
        self.faults: list[BaseException] = []
        self.deeds = 0
        self._threads = [threading.Thread(target=self._live, args=(person.viewer,)) for person in people]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _live(self, viewer: Viewer) -> None:
        try:
            with self._house.app.app_context():
                while not self._stop.is_set():
                    self._once(viewer)
                db.session.remove()
        except BaseException as fault:  # noqa: BLE001  # the test looks at it
            self.faults.append(fault)

    def _once(self, viewer: Viewer) -> None:
        kept = [self._house.picture(Person(viewer.user_id, "", ""), ready=False).public_id for _ in range(3)]
        for public_id in kept[:2]:
            with suppress(Denied):
                library.trash(authorize(viewer, Action.TRASH, Media, public_id))
        library.purge(self._house.vault, authorize(viewer, Action.RESTORE, Media, kept[0]))
        self.deeds += 1


def test_a_copy_made_while_people_write_is_one_moment(
    house: House, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    people = [house.person() for _ in range(3)]
    for person in people:
        for _ in range(10):
            house.picture(person)
    db.session.rollback()
    with Crowd(house, people) as crowd:
        made = [make(house, tmp_path / f"copy{number}") for number in range(3)]
    assert crowd.faults == []
    assert crowd.deeds > 0

    assert [each.lost for each in made] == [[], [], []]
    with another(house, db.engine.dialect.name, tmp_path, request) as other:
        restore_into(other, tmp_path / "copy2")
        # Read, not only listed: whatever a row names is there with its very bytes, and the events are a whole chain.
        report = inspection.inspect(other.vault, read_data=True)
        assert report.problems == []
        assert report.originals >= 30
        said = lines(tmp_path / "copy2" / "rows" / "media.jsonl")
        assert report.originals == len(said) - 1
        assert exported(tmp_path / "exported")["event"] == lines(tmp_path / "copy2" / "rows" / "event.jsonl")


class TestHold:
    def test_what_is_deleted_meanwhile_is_copied_and_swept_later(self, house: House, tmp_path: Path) -> None:
        anna, pictures = tree(house)
        gone, key = pictures[1].public_id, pictures[1].blob_key
        library.trash(authorize(anna.viewer, Action.TRASH, Media, gone))
        data = path_of(house, key).read_bytes()

        def purge(_bytes: int) -> None:
            library.purge(house.vault, authorize(anna.viewer, Action.RESTORE, Media, gone))

        made = make(house, tmp_path / "copy", begin=purge)

        assert made.lost == []
        assert (tmp_path / "copy" / "blobs" / key).read_bytes() == data
        assert path_of(house, key).exists()
        old = path_of(house, key).stat().st_mtime - 2 * 86_400
        os.utime(path_of(house, key), (old, old))
        maintenance.sweep(house.vault)
        assert not path_of(house, key).exists()

    def test_there_is_one_at_a_time_and_deleting_goes_on_afterwards(self, house: House, tmp_path: Path) -> None:
        anna = house.person()
        media = house.picture(anna)
        with house.vault.storage.held(), pytest.raises(Held):
            make(house, tmp_path / "copy")
        house.vault.storage.delete(media.blob_key)
        assert not path_of(house, media.blob_key).exists()
