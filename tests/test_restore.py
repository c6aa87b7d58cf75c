"""Coming back from a copy, as a command: what is refused, what is put aside, and what is true afterwards."""

import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import House, small_picture
from tests.live.commands import ROOT, environment, manage
from tests.live.server import looking_inside, new_home
from vault.db import db
from vault.models.account import LoginSession
from vault.models.media import Media
from vault.models.system import Event
from vault.services import backups, sessions
from vault.services.backups import manifest
from vault.services.backups.manifest import Writer

EMAIL, PASSWORD = "anna@example.org", "a walk by the river in June"
OLDER = """
from flask_migrate import downgrade
from vault.app import create_app
with create_app().app_context():
    downgrade(revision="0003")
"""
# Kills itself at the k-th time that something is made durable, for every so manieth k, in a folder of its own.
KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from tests.live.server import looking_inside
from vault.services import backups

home, into, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
really = os.fsync

def copy(k):
    def fsync(descriptor):
        fsync.count += 1
        if fsync.count == k:
            os.kill(os.getpid(), signal.SIGKILL)
        really(descriptor)
    fsync.count = 0
    with looking_inside(home) as house:
        os.fsync = fsync
        backups.backup(house.vault, into / str(k), backups.Wanted("0004"))
    os._exit(0)

for k in range(1, 10_000, step):
    pid = os.fork()
    if pid == 0:
        copy(k)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(k, status, flush=True)
    if status != -signal.SIGKILL:
        break
"""


def run(home: Path, *arguments: str) -> tuple[int, str, str]:
    done = manage(home, *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def refused(home: Path, *arguments: str) -> str:
    status, out, err = run(home, *arguments)
    assert (status, out, err.count("\n")) == (1, "", 1), (status, out, err)
    return err.rstrip("\n")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated home with a key of the events."""
    home = tmp_path_factory.mktemp("restore") / "template"
    assert manage(home, "migrate").returncode == 0
    return home


def furnished(home: Path) -> None:
    """Put somebody with pictures into a home, and have her signed in."""
    with looking_inside(home) as house:
        anna = house.person("Anna", password=PASSWORD)
        album = house.album(anna)
        for _ in range(3):
            house.picture(anna, album)
        house.browser(anna)


@pytest.fixture
def home(tmp_path: Path, template: Path) -> Path:
    """Return a home with pictures in it."""
    made = new_home(tmp_path, template / "vault.db")
    for name in ("secret_key", "audit.key", "audit-heads.log"):
        shutil.copy(template / name, made / name)
    # In a thread of its own, because a thread keeps its connection for as long as it lives.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(furnished, made).result()
    return made


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """Return a copy of that home."""
    status, out, err = run(home, "backup", str(tmp_path / "copy"))
    assert status == 0, err
    assert "keep them elsewhere" in err
    assert out.endswith(f"manifest {backups.manifest.read(tmp_path / 'copy').sha256}\n")
    return tmp_path / "copy"


def seen(home: Path) -> list[tuple[str, bytes]]:
    with looking_inside(home) as house:
        rows = db.session.execute(sa.select(Media.public_id, Media.blob_key).order_by(Media.id)).all()
        return [(public_id, _bytes(house, key)) for public_id, key in rows]


def _bytes(house: House, key: str) -> bytes:
    with house.vault.storage.open(key) as blob:
        return blob.read()


def test_a_vault_comes_back_on_an_empty_machine(home: Path, copy: Path, tmp_path: Path) -> None:
    status, out, err = run(tmp_path / "unused", "restore", str(copy), "--home", str(tmp_path / "new"))

    assert (status, "3 originals" in out) == (0, True), err
    assert "sign in again" in err
    assert seen(tmp_path / "new") == seen(home)
    assert (tmp_path / "new" / "secret_key").read_bytes() == (home / "secret_key").read_bytes()
    assert not (tmp_path / "unused").exists()
    assert [path.name for path in (tmp_path / "new").iterdir() if "before" in path.name] == []
    assert run(tmp_path / "new", "audit", "verify")[0] == 0
    assert run(tmp_path / "new", "fsck", "--read-data")[0] == 0
    with looking_inside(tmp_path / "new") as house:
        assert db.session.scalar(sa.select(sa.func.count()).select_from(LoginSession)) == 0
        last = sa.select(Event.action).order_by(Event.seq.desc()).limit(2)
        assert list(db.session.scalars(last)) == ["vault.restore", "vault.backup"]
        entered, _ = sessions.sign_in(house.vault, email=EMAIL, password=PASSWORD, remember=False, user_agent="")
        assert sessions.person_of(entered) is not None
    modes = {path: path.stat().st_mode & 0o077 for path in (tmp_path / "new").rglob("*")}
    assert [path for path, open_to_others in modes.items() if open_to_others] == []


def test_a_vault_with_people_in_it_is_only_put_aside_when_that_is_said(home: Path, copy: Path, tmp_path: Path) -> None:
    kept = seen(home)
    (tmp_path / "added.jpg").write_bytes(small_picture())
    assert run(home, "import", str(tmp_path / "added.jpg"), "--owner", EMAIL)[0] == 0
    before = seen(home)
    assert len(before) == len(kept) + 1

    assert "Say --replace" in refused(home, "restore", str(copy))
    assert seen(home) == before

    status, out, err = run(home, "restore", str(copy), "--replace")
    assert status == 0, err
    assert seen(home) == kept
    aside = Path(out.splitlines()[-1].removeprefix("what was there before lies in "))
    assert aside.parent == home
    assert seen(aside) == before


@pytest.mark.parametrize("alter", ["no manifest", "flipped bit"])
def test_a_bad_copy_touches_nothing(home: Path, copy: Path, tmp_path: Path, alter: str) -> None:
    if alter == "no manifest":
        (copy / manifest.NAME).unlink()
    else:
        blob = next(path for path in sorted((copy / "blobs").rglob("*")) if path.is_file())
        blob.write_bytes(bytes([blob.read_bytes()[0] ^ 1]) + blob.read_bytes()[1:])
    before = seen(home)

    refused(home, "restore", str(copy), "--replace")
    refused(home, "restore", str(copy), "--check")
    refused(home, "restore", str(copy), "--home", str(tmp_path / "new"))

    assert seen(home) == before
    assert not (tmp_path / "new").exists()


def test_a_running_vault_is_not_put_aside(home: Path, copy: Path) -> None:
    with closing(sqlite3.connect(home / "vault.db")) as serving:
        serving.execute("SELECT count(*) FROM media").fetchall()
        assert refused(home, "restore", str(copy), "--replace") == "The vault that is there is running. Stop it first."
    assert run(home, "fsck")[0] == 0


def test_without_its_keys_nothing_comes_back_unless_that_is_said(copy: Path, tmp_path: Path) -> None:
    new = str(tmp_path / "new")
    (copy / "keys").rename(tmp_path / "safe")

    assert "Name their folder with --keys" in refused(tmp_path / "x", "restore", str(copy), "--home", new)
    assert not Path(new).exists()
    assert run(tmp_path / "x", "restore", str(copy), "--home", new, "--keys", str(tmp_path / "safe"))[0] == 0
    assert run(Path(new), "audit", "verify")[0] == 0

    other = str(tmp_path / "other")
    assert run(tmp_path / "x", "restore", str(copy), "--home", other, "--new-keys")[0] == 0
    assert run(Path(other), "audit", "verify")[0] == 1


def test_keys_of_another_vault_are_refused(home: Path, copy: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy / "keys")
    (tmp_path / "other").mkdir(mode=0o700)
    assert manage(tmp_path / "other", "migrate").returncode == 0

    assert "Name their folder with --keys" in refused(tmp_path / "other", "restore", str(copy))
    assert seen(home)


def rewritten(copy: Path, **head: object) -> None:
    """Write the manifest anew, as if another version had made the copy."""
    found = manifest.read(copy)
    key = (copy / "keys" / "audit.key").read_text().strip()
    with Writer(copy, manifest.Head(**{**vars(found.head), **head})) as writer:
        for path in sorted(found.files):
            if (copy / path).exists():
                data = (copy / path).read_bytes()
                writer.add(manifest.File(path, len(data), hashlib.sha256(data).hexdigest()))
        writer.finish([], key)
    manifest.publish(copy)


def test_a_copy_of_a_newer_vault_is_refused(copy: Path, tmp_path: Path) -> None:
    rewritten(copy, revision="9999", version="9.9")

    said = refused(tmp_path / "x", "restore", str(copy), "--home", str(tmp_path / "new"))

    assert said == "This backup was made by a newer vault (9.9). Update this one first."


def test_a_copy_of_an_older_vault_is_brought_up_to_date(home: Path, copy: Path, tmp_path: Path, template: Path) -> None:
    older = new_home(tmp_path, template / "vault.db", "older")
    subprocess.run([sys.executable, "-c", OLDER], cwd=ROOT, env=environment(older), check=True, capture_output=True)
    with closing(sqlite3.connect(older / "vault.db")) as there:
        tables = {name for (name,) in there.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = {table: {row[1] for row in there.execute(f"PRAGMA table_info({table})")} for table in tables}
    assert "upload" not in tables
    for path in (copy / "rows").iterdir():
        if path.stem not in tables:
            path.unlink()
            continue
        _keep_columns(path, columns[path.stem])
    rewritten(copy, revision="0003", version="0.3")

    status, _, err = run(tmp_path / "x", "restore", str(copy), "--home", str(tmp_path / "new"))

    assert status == 0, err
    assert seen(tmp_path / "new") == seen(home)
    assert run(tmp_path / "new", "check-migrations")[0] == 0


def _keep_columns(path: Path, kept: set[str]) -> None:
    first, *rest = [json.loads(line) for line in path.read_text().splitlines()]
    places = [place for place, (name, _) in enumerate(first["columns"]) if name in kept]
    first["columns"] = [first["columns"][place] for place in places]
    rows = [[row[place] for place in places] for row in rest]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in (first, *rows)))


def test_killed_at_any_moment_it_is_no_copy_until_it_is_whole(home: Path, tmp_path: Path) -> None:
    into = tmp_path / "killed"
    into.mkdir()
    command = [sys.executable, "-c", KILLED, str(home), str(into), "9"]
    done = subprocess.run(command, cwd=ROOT, env=environment(home), capture_output=True, text=True, check=True)
    ends = [line.split() for line in done.stdout.splitlines()]
    killed = [k for k, status in ends if status == str(-signal.SIGKILL)]

    assert len(killed) >= 4
    assert ends[-1][1] == "0"
    for k in killed:
        assert "no whole backup" in refused(home, "restore", str(into / k), "--check")
    assert run(home, "restore", str(into / ends[-1][0]), "--check")[0] == 0
    # It goes on where it was broken off.
    for k in (killed[0], killed[-1]):
        assert run(home, "backup", str(into / k))[0] == 0
        assert run(home, "restore", str(into / k), "--check")[0] == 0


def test_a_damaged_vault_is_copied_and_the_command_says_so(home: Path, tmp_path: Path) -> None:
    with looking_inside(home) as house:
        key = db.session.scalars(sa.select(Media.blob_key)).first()
        assert key is not None
        path = house.vault.storage.root / key  # type: ignore[attr-defined]  # a local one
        path.write_bytes(b"\0" * path.stat().st_size)

    status, _, err = run(home, "backup", str(tmp_path / "copy"))
    assert (status, f"{key}: its bytes have changed" in err) == (1, True)

    status, _, err = run(tmp_path / "x", "restore", str(tmp_path / "copy"), "--home", str(tmp_path / "new"))
    assert (status, "its bytes have changed" in err) == (1, True)
    with looking_inside(tmp_path / "new"):
        assert db.session.scalar(sa.select(Media.quarantined_at).where(Media.blob_key == key)) is not None
