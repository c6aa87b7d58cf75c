"""Importing trees: everything once, whatever happens meanwhile, and a source that stays as it is."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import House, Person, small_picture
from tests.live.commands import ROOT, environment, manage
from tests.live.server import looking_inside, new_home
from tests.parcels import packed, seen, upload, work, write_tree
from vault.archives import Folder, trees
from vault.cli.importing import doors_of
from vault.db import db
from vault.imaging.claims import Told
from vault.models.account import User
from vault.models.ingest import ImportRun, RunState
from vault.models.media import Album, Media
from vault.models.system import Event
from vault.policy import Action, authorize
from vault.services import albums, importing, library
from vault.services.importing import Manner, Outcome, runs

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MANY = 2_000
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="%d"/></rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def anna(house: House) -> Person:
    """Return somebody to import for."""
    return house.person("Anna")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated home to copy, with Anna in it."""
    home = tmp_path_factory.mktemp("importing") / "home"
    assert manage(home, "migrate").returncode == 0
    assert manage(home, "create-user", "anna@example.org").returncode == 0
    return home


@pytest.fixture
def home(migrated: Path, tmp_path: Path) -> Path:
    """Return a home of its own, with Anna in it."""
    return new_home(tmp_path, migrated / "vault.db")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return an empty folder to be imported."""
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def take(house: House, owner: Person, root: Path, **manner: Any) -> list[Outcome]:
    """Import a tree as the command does; return what became of each file."""
    run = runs.begin_here(owner.viewer, name=str(root), album_id=None, count=0, size_bytes=0)
    how = Manner(str(root), remembers=True, **manner)
    found = list(importing.take_in(doors_of(house.vault), run, trees.walk(root), how, root_id=None))
    runs.end(house.vault, run.id, RunState.DONE)
    return found


def counts(found: list[Outcome]) -> dict[str, int]:
    return dict(Counter(outcome.what for outcome in found))


def tree_of_albums() -> dict[str, tuple[str | None, int]]:
    """Return every album's title with the title above it and how many pictures lie in it."""
    db.session.rollback()
    rows = list(db.session.scalars(sa.select(Album)))
    titles = {row.id: row.title for row in rows}
    return {row.title: (titles.get(row.parent_id or 0), row.media_count) for row in rows}


def test_folders_become_a_tree_of_albums_once(house: House, anna: Person, tree: Path) -> None:
    files = {f"{name}.jpg": small_picture() for name in ("top", "Sea/a", "Sea/Boat/b", "Sea/Boat/c")}
    write_tree(tree, {**files, "Sea/empty/notes.txt": b"nothing to see"})

    take(house, anna, tree, by_folders=True)
    assert tree_of_albums() == {"Sea": (None, 1), "Boat": ("Sea", 2)}

    # Called otherwise by now, it is still known; a second one is not made.
    boat = db.session.scalars(sa.select(Album).where(Album.title == "Boat")).one()
    albums.change(authorize(anna.viewer, Action.MANAGE, Album, boat.public_id), albums.Changes(title="Ship"))
    write_tree(tree, {"Sea/Boat/d.jpg": small_picture()})
    found = take(house, anna, tree, by_folders=True)

    assert counts(found) == {"already_here": 4, "imported": 1, "left_out": 1}
    assert tree_of_albums() == {"Sea": (None, 1), "Ship": ("Sea", 3)}


@sqlite_only
def test_a_tree_that_is_here_is_put_into_albums_afterwards(house: House, anna: Person, tree: Path) -> None:
    write_tree(tree, {"Sea/a.jpg": small_picture()})
    assert counts(take(house, anna, tree)) == {"imported": 1}

    assert counts(take(house, anna, tree, by_folders=True)) == {"already_here": 1}

    assert tree_of_albums() == {"Sea": (None, 1)}


@sqlite_only
def test_what_was_imported_is_known_without_reading_it(
    house: House, anna: Person, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tree, {f"{number}.jpg": small_picture() for number in range(3)})
    take(house, anna, tree)
    write_tree(tree, {"1.jpg": small_picture()})
    opened: list[str] = []
    really = os.open

    def noting(path: Any, *args: Any, **more: Any) -> int:
        opened.append(str(path))
        return really(path, *args, **more)

    monkeypatch.setattr(os, "open", noting)
    found = take(house, anna, tree)

    assert counts(found) == {"already_here": 2, "imported": 1}
    assert [path for path in opened if path.startswith(str(tree)) and path.endswith("jpg")] == [str(tree / "1.jpg")]


@sqlite_only
def test_what_lies_in_the_trash_stays_there_and_what_was_deleted_may_come_again(
    house: House, anna: Person, tree: Path
) -> None:
    write_tree(tree, {"a.jpg": small_picture()})
    (first,) = take(house, anna, tree)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, first.media_id))

    assert counts(take(house, anna, tree)) == {"already_here": 1}
    assert db.session.scalar(sa.select(Media.trashed_at)) is not None

    library.purge(house.vault, authorize(anna.viewer, Action.RESTORE, Media, first.media_id))
    assert counts(take(house, anna, tree)) == {"imported": 1}


@sqlite_only
def test_a_sidecar_speaks_of_its_picture_and_is_none(house: House, anna: Person, tree: Path) -> None:
    files = {f"{name}.jpg": small_picture() for name in ("a", "b", "c")}
    write_tree(tree, {**files, "a.jpg.xmp": (XMP % 5).encode(), "B.XMP": (XMP % 3).encode(), "other.json": b"{}"})

    found = take(house, anna, tree)

    assert counts(found) == {"imported": 3, "": 2, "left_out": 1}
    told = {media.file_name: Told.from_json(media.told) for media in db.session.scalars(sa.select(Media))}
    assert {name: each.beside.rating if each.beside else None for name, each in told.items()} == {
        "a.jpg": 5,
        "b.jpg": 3,
        "c.jpg": None,
    }
    changed = (tree / "a.jpg").stat().st_mtime
    assert told["a.jpg"].file_time is not None
    assert abs(told["a.jpg"].file_time.timestamp() - changed) < 0.001


TROUBLES: dict[str, tuple[Callable[[Path], None], str]] = {
    "grown": (lambda path: path.write_bytes(path.read_bytes() + b"more"), trees.CHANGED),
    "written over": (lambda path: path.write_bytes(small_picture().ljust(path.stat().st_size, b".")), trees.CHANGED),
    "gone": (lambda path: path.unlink(), trees.GONE),
    "a link now": (lambda path: (path.unlink(), path.symlink_to("/etc/passwd"))[0], "It cannot be read"),
    "a pipe now": (lambda path: (path.unlink(), os.mkfifo(path))[0], "no ordinary file"),
    "a folder now": (lambda path: (path.unlink(), path.mkdir())[0], "no ordinary file"),
}


@sqlite_only
@pytest.mark.parametrize(("change", "why"), TROUBLES.values(), ids=TROUBLES)
def test_a_file_that_changes_meanwhile_is_refused(
    house: House, anna: Person, tree: Path, change: Callable[[Path], None], why: str
) -> None:
    write_tree(tree, {"a.jpg": small_picture(), "b.jpg": small_picture()})
    run = runs.begin_here(anna.viewer, name="x", album_id=None, count=2, size_bytes=0)

    def folders() -> Iterator[Folder]:
        for folder in trees.walk(tree):
            if not folder.parts:
                change(tree / "a.jpg")
            yield folder

    found = list(importing.take_in(doors_of(house.vault), run, folders(), Manner("x", remembers=True), root_id=None))

    assert [(each.entry.name, each.what) for each in found] == [("a.jpg", "refused"), ("b.jpg", "imported")]
    assert why in found[0].reason
    assert db.session.query(Media).count() == 1


@sqlite_only
def test_the_quota_holds_and_what_still_fits_comes_in(house: House, tree: Path) -> None:
    poor = house.person("Poor", quota=3_000)
    write_tree(tree, {f"{n}.jpg": small_picture().ljust(size, b".") for n, size in enumerate([2000, 2500, 900])})

    found = take(house, poor, tree)

    assert [each.what for each in found] == ["imported", "refused", "imported"]
    assert db.session.scalar(sa.select(User.used_bytes).where(User.id == poor.id)) == 2900


def test_an_import_is_recorded_once_beside_its_uploads(house: House, anna: Person, tree: Path) -> None:
    write_tree(tree, {f"{number}.jpg": small_picture() for number in range(3)})

    take(house, anna, tree)

    recorded = Counter(db.session.scalars(sa.select(Event.action)))
    assert (recorded["import.begin"], recorded["import.end"], recorded["media.upload"]) == (1, 1, 3)
    end = db.session.scalars(sa.select(Event).where(Event.action == "import.end")).one()
    assert (end.actor_id, end.detail["imported"], end.detail["state"]) == (anna.id, 3, "done")


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
    monkeypatch.setattr(importing, "SLICE_SECONDS", 0.0)
    files = {f"{name}/{number}.jpg": small_picture() for name in "ab" for number in range(3)}
    first, second = (upload(house, anna, packed(dict(list(files.items())[half::2]))) for half in (0, 1))

    slices = work(house)

    assert slices >= 6
    assert [seen(anna, run).imported for run in (first, second)] == [3, 3]
    # An album of each folder, however many slices it took.
    assert {title: count for title, (_, count) in tree_of_albums().items()} == {"a": 3, "b": 3}


@sqlite_only
def test_a_stopped_import_ends_and_its_archive_is_gone(
    house: House, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SLICE_SECONDS", 0.0)
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

    with pytest.raises(importing.runs.Refused, match="still being imported"):
        upload(house, anna, packed({"a.jpg": small_picture()}))

    assert len(list(house.vault.storage.keys("archives/"))) == runs.MOST_WAITING


class TestCommand:
    def command(self, root: Path, *more: str) -> list[str]:
        return ["import", str(root), "--owner", "anna@example.org", *more]

    def test_the_report_names_every_file_and_runs_nothing(self, home: Path, tmp_path: Path) -> None:
        write_tree(tmp_path / "tree", {"=cmd|x.jpg": small_picture(1), "bad.jpg": b"nothing", "a.txt": b"x"})
        table, lines = tmp_path / "report.csv", tmp_path / "report.jsonl"

        done = manage(home, *self.command(tmp_path / "tree", "--report", str(table)))
        manage(home, *self.command(tmp_path / "tree", "--report", str(lines)))

        assert done.returncode == 1
        rows = list(csv.reader(table.read_text().splitlines()))
        assert [row[:2] for row in rows] == [
            ["path", "outcome"],
            ["'=cmd|x.jpg", "imported"],
            ["a.txt", "left out"],
            ["bad.jpg", "refused"],
        ]
        assert [json.loads(line)["outcome"] for line in lines.read_text().splitlines()] == [
            "already here",
            "left out",
            "refused",
        ]

    def test_a_report_never_lands_in_the_source(self, home: Path, tmp_path: Path) -> None:
        write_tree(tmp_path / "tree", {"a.jpg": small_picture()})

        done = manage(home, *self.command(tmp_path / "tree", "--report", str(tmp_path / "tree" / "report.csv")))

        assert (done.returncode, list((tmp_path / "tree").iterdir())) == (2, [tmp_path / "tree" / "a.jpg"])

    def test_several_folders_are_wrong_usage(self, home: Path, tmp_path: Path) -> None:
        assert manage(home, *self.command(tmp_path, str(tmp_path))).returncode == 2

    def test_an_archive_that_is_none_is_one_line(self, home: Path, tmp_path: Path) -> None:
        (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 nothing")

        done = manage(home, *self.command(tmp_path / "x.zip"))

        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)

    def test_a_full_disk_is_one_line_and_keeps_what_was_imported(self, home: Path, tmp_path: Path) -> None:
        write_tree(tmp_path / "tree", {f"{number}.jpg": small_picture() for number in range(3)})
        nearly_all = {"VAULT_RESERVE_BYTES": str(1 << 60)}

        full = manage(home, *self.command(tmp_path / "tree"), environ=nearly_all)
        freed = manage(home, *self.command(tmp_path / "tree"))

        assert (full.returncode, full.stdout, full.stderr.count("\n")) == (1, "", 1)
        assert "the disk is full" in full.stderr
        assert freed.stdout.startswith("3 imported, 0 already here")


def begun(home: Path, root: Path) -> subprocess.Popen[str]:
    """Start the command as a process of its own."""
    command = [sys.executable, str(ROOT / "manage.py"), "import", str(root), "--owner", "anna@example.org"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(home), stdout=pipe, stderr=pipe, text=True)


def kept(home: Path) -> int:
    """Return how many pictures a home holds by now."""
    with closing(sqlite3.connect(home / "vault.db", timeout=10)) as connection:
        return int(connection.execute("SELECT count(*) FROM media").fetchone()[0])


def until_kept(home: Path, process: subprocess.Popen[str], count: int) -> None:
    """Wait until so many pictures are kept."""
    deadline = time.monotonic() + 90
    while kept(home) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def many(root: Path, count: int) -> None:
    """Lay many little pictures below a folder."""
    body = small_picture(1)
    write_tree(root, {f"{number // 250}/{number:05}.jpg": body + str(number).encode() for number in range(count)})


@pytest.mark.timeout(600)
def test_two_thousand_files_killed_midway_come_in_once(home: Path, tmp_path: Path) -> None:
    many(tmp_path / "tree", MANY)
    process = begun(home, tmp_path / "tree")
    try:
        until_kept(home, process, MANY // 8)
    finally:
        process.kill()
        process.communicate()
    before = kept(home)
    assert before < MANY

    again = begun(home, tmp_path / "tree")
    out, err = again.communicate()

    # Nothing was lost of what had been kept, and nothing came in twice.
    assert (again.returncode, err) == (0, "")
    assert out == f"{MANY - before} imported, {before} already here, 0 refused, 0 left out\n"
    with looking_inside(home):
        assert db.session.query(Media).count() == MANY
        states = Counter(db.session.scalars(sa.select(ImportRun.state).order_by(ImportRun.id)))
        assert states == {RunState.STOPPED: 1, RunState.DONE: 1}
        last = db.session.scalars(sa.select(ImportRun).order_by(ImportRun.id.desc())).first()
        assert last is not None
        assert (last.done_count, last.total_count, last.imported) == (MANY, MANY, MANY - before)


@pytest.mark.timeout(300)
def test_control_c_ends_cleanly_and_says_how_to_go_on(home: Path, tmp_path: Path) -> None:
    many(tmp_path / "tree", 1_000)
    process = begun(home, tmp_path / "tree")
    until_kept(home, process, 20)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err.count("\n")) == (1, "", 1), err
    assert "Run the same command again to go on." in err
    with looking_inside(home) as house:
        run = db.session.query(ImportRun).one()
        assert (run.state, run.imported) == (RunState.STOPPED, db.session.query(Media).count())
        assert list(house.vault.storage.temporaries()) == []
