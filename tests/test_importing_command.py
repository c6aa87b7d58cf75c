"""The command that imports: its report, its one line for each refusal, and thousands of files killed midway."""

import csv
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import small_picture
from tests.live.commands import ROOT, environment, manage
from tests.live.server import looking_inside, new_home
from tests.parcels import write_tree
from vault.db import db
from vault.models.ingest import ImportRun, RunState
from vault.models.media import Media

MANY = 2_000


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

    @pytest.mark.parametrize("what", ["home", "home/blobs", "home/blobs/deep", "", "elsewhere", "elsewhere/deep"])
    def test_the_vault_is_not_imported_into_itself(self, home: Path, tmp_path: Path, what: str) -> None:
        for place in ("home/blobs/deep", "elsewhere/deep"):
            write_tree(tmp_path / place, {"a.jpg": small_picture()})
        elsewhere = {"VAULT_STORAGE_URL": f"file://{tmp_path / 'elsewhere'}"} if what.startswith("else") else {}
        (tmp_path.parent / f"{tmp_path.name}-link").symlink_to(tmp_path / what)

        done = manage(home, *self.command(tmp_path.parent / f"{tmp_path.name}-link"), environ=elsewhere)

        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "belongs to the vault or holds it" in done.stderr
        assert kept(home) == 0

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
