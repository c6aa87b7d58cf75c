"""Imports of uploaded archives: in slices, killed, stopped, and never counted twice."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import House, Person, small_picture
from tests.parcels import packed, said, seen, tree_of_albums, upload, work
from vault.archives import takeout
from vault.cli.importing import doors_of
from vault.db import db, transaction, utcnow
from vault.imaging.claims import Told
from vault.models.ingest import ImportRefusal, ImportRun, RunState
from vault.models.media import Media
from vault.services import Refused, importing, maintenance
from vault.services.importing import beside, runs, slices

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def anna(house: House) -> Person:
    """Return somebody to import for."""
    return house.person("Anna")


def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every slice end with its first file."""
    monkeypatch.setattr(slices, "SECONDS", 0.0)
    monkeypatch.setattr(slices, "LEAST_FILES", 1)


@sqlite_only
def test_a_worker_that_died_goes_on_and_counts_nothing_twice(
    house: House, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = upload(house, anna, packed({f"{n}.jpg": small_picture() for n in range(20)} | {"bad.jpg": b"no picture"}))
    done = iter(range(7))
    really = importing.runs.Ledger.written

    def dying(self: runs.Ledger, **also: Any) -> None:
        really(self, **also)
        if also and next(done, None) is None:
            raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(runs.Ledger, "written", dying)
        with pytest.raises(SystemExit):
            work(house)
    assert 0 < seen(anna, run).imported < 20

    work(house)

    run = seen(anna, run)
    assert (run.state, run.imported, run.already_here, run.refused, run.done_count) == (RunState.DONE, 20, 0, 1, 21)
    assert len(runs.refusals(run)) == 1


@sqlite_only
def test_an_import_is_done_in_slices(house: House, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    short_slices(monkeypatch)
    files = {f"{name}/{number}.jpg": small_picture() for name in "ab" for number in range(3)}
    first, second = (upload(house, anna, packed(dict(list(files.items())[half::2]))) for half in (0, 1))

    assert work(house) >= 6
    assert [seen(anna, run).imported for run in (first, second)] == [3, 3]
    # An album of each folder, however many slices it took.
    assert {title: count for title, (_, count) in tree_of_albums().items()} == {"a": 3, "b": 3}


@sqlite_only
def test_a_large_folder_is_looked_through_once_however_many_slices_it_takes(
    house: House, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    monkeypatch.setattr(beside, "LARGE_FOLDER", 5)
    looked: list[int] = []
    really = takeout.match

    def match(names: list[str], title_of: Any) -> dict[str, str]:
        looked.append(len(names))
        return really(names, title_of)

    monkeypatch.setattr(takeout, "match", match)
    own, other = (
        {f"{n}.jpg": small_picture() for n in range(first, first + 5)}
        | {f"{n}.jpg.json": said(f"{n}.jpg", caption=f"{first} {n}") for n in range(first, first + 5)}
        for first in (0, 5)
    )
    first, second = (upload(house, anna, packed(files)) for files in (own, other))

    assert work(house) >= 10

    assert looked == [10, 10]
    assert [seen(anna, run).imported for run in (first, second)] == [5, 5]
    captions = [Told.from_json(media.told).beside for media in db.session.scalars(sa.select(Media))]
    assert sorted(each.caption or "" for each in captions if each) == sorted(f"{n // 5 * 5} {n}" for n in range(10))
    assert beside._kept == {}  # noqa: SLF001  # nothing else shows that it lets go


class TestSlice:
    """A slice of work, by a clock of the test's own."""

    @pytest.fixture
    def now(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        moment = [1_000.0]
        monkeypatch.setattr("vault.services.importing.slices.time.monotonic", lambda: moment[0])
        return moment

    def test_its_clock_starts_with_its_first_file(self, now: list[float]) -> None:
        turn = slices.Slice()
        now[0] += 3_600
        assert not turn.is_over()

    def test_it_does_some_hundred_files_whatever_they_cost(self, now: list[float]) -> None:
        turn, files = slices.Slice(), 1
        turn.is_over()
        now[0] += slices.SECONDS
        while not turn.is_over():
            files += 1
        assert files + 1 == slices.LEAST_FILES

    def test_but_ends_where_a_few_take_very_long(self, now: list[float]) -> None:
        turn = slices.Slice()
        turn.is_over()
        now[0] += slices.LONGEST_SECONDS
        assert turn.is_over()


@sqlite_only
def test_a_stopped_import_ends_and_its_archive_is_gone(
    house: House, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    run = upload(house, anna, packed({f"{number}.jpg": small_picture() for number in range(5)}))
    importing.tasks.run(doors_of(house.vault), "import", (run.public_id,))

    runs.stop(house.vault, anna.viewer, run.public_id)
    work(house)

    run = seen(anna, run)
    assert (run.state, run.archive_key) == (RunState.STOPPED, None)
    assert 0 < run.imported < 5
    assert list(house.vault.storage.keys("archives/")) == []


@sqlite_only
def test_a_disabled_person_s_import_ends_with_a_reason(house: House, anna: Person) -> None:
    run = upload(house, anna, packed({"a.jpg": small_picture()}))
    house.disable(anna)

    work(house)

    run = seen(anna, run)
    assert (run.state, run.imported, run.failure) == (RunState.FAILED, 0, importing.CLOSED)


@sqlite_only
@pytest.mark.usefixtures("house")
def test_of_two_who_do_one_import_the_second_gives_way(anna: Person) -> None:
    run = runs.begin_here(anna.viewer, name="x", album_id=None, count=2, size_bytes=2)
    first, second = runs.Ledger(run.id), runs.Ledger(run.id)
    for ledger in (first, second):
        ledger.note("left_out", 1, reason="hidden")
    first.flush()

    with pytest.raises(importing.Stopped):
        second.flush()

    assert (seen(anna, run).done_count, seen(anna, run).left_out) == (1, 1)


@sqlite_only
def test_a_fourth_archive_waits_for_the_others(house: House, anna: Person) -> None:
    for _ in range(runs.MOST_WAITING):
        upload(house, anna, packed({"a.jpg": small_picture()}))

    with pytest.raises(Refused, match="still being imported"):
        upload(house, anna, packed({"a.jpg": small_picture()}))

    assert len(list(house.vault.storage.keys("archives/"))) == runs.MOST_WAITING


@sqlite_only
@pytest.mark.usefixtures("house")
def test_of_very_many_refusals_the_first_are_kept_and_all_counted(anna: Person) -> None:
    run = runs.begin_here(anna.viewer, name="x", album_id=None, count=2_000, size_bytes=0)
    ledger = runs.Ledger(run.id)
    for some in (range(400), range(400, 800), range(800, 2_000)):
        for number in some:
            ledger.note("refused", 0, path=f"{number}.jpg", reason="damaged")
        ledger.flush()

    rows = db.session.scalars(sa.select(ImportRefusal.path).order_by(ImportRefusal.id)).all()

    assert rows == [f"{number}.jpg" for number in range(runs.MOST_SHOWN)]
    assert (seen(anna, run).refused, seen(anna, run).done_count) == (2_000, 2_000)


def test_what_ended_long_ago_is_forgotten_but_for_what_it_brought(house: House, anna: Person) -> None:
    old, young, alive = (
        upload(house, anna, packed({"a.jpg": small_picture(n), "b.jpg": b"bad"}), name=f"{n}.zip") for n in range(3)
    )
    work(house)
    with transaction() as session:
        for run, days in ((old, 366), (young, 364), (alive, 1_000)):
            row = session.get_one(ImportRun, run.id)
            row.finished_at = utcnow() - timedelta(days=days)
        session.get_one(ImportRun, alive.id).state = RunState.RUNNING
        session.get_one(ImportRun, alive.id).finished_at = None

    maintenance.tidy(house.vault)

    db.session.rollback()
    assert set(db.session.scalars(sa.select(ImportRun.id))) == {young.id, alive.id}
    assert set(db.session.scalars(sa.select(ImportRefusal.run_id))) == {young.id, alive.id}
    assert db.session.query(Media).count() == 3
