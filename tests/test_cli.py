"""The commands: exit statuses, one clear line for a refusal, no traceback for anything that somebody may type."""

import json
import os
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import House, small_picture
from tests.live.commands import manage
from tests.live.server import looking_inside, new_home
from vault.db import db
from vault.models.account import ApiToken, User
from vault.models.media import Album, Media
from vault.services import sessions

COMMANDS = [
    "run",
    "worker",
    "migrate",
    "check-migrations",
    "create-user",
    "reset-password",
    "create-token",
    "import",
    "fsck",
    "backup",
    "restore",
    "audit",
]
PASSWORD = "a walk by the river"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated home that the tests of this module share; each has people of its own."""
    home = tmp_path_factory.mktemp("cli") / "home"
    done = manage(home, "migrate")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return home


def run(home: Path, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = manage(home, *arguments, stdin=stdin)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def refused(home: Path, *arguments: str, stdin: str = "") -> str:
    """Run a command that must refuse: status 1, nothing on standard output, one line on standard error."""
    status, out, err = run(home, *arguments, stdin=stdin)
    assert (status, out, err.count("\n")) == (1, "", 1), (status, out, err)
    return err.rstrip("\n")


def test_every_command_is_listed_and_explains_itself(migrated: Path) -> None:
    status, out, _ = run(migrated, "--help")
    assert status == 0
    assert set(COMMANDS) <= set(re.findall(r"^  ([a-z-]+)  ", out, re.MULTILINE))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_how_it_is_used(migrated: Path, command: str) -> None:
    status, out, err = run(migrated, command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: manage.py {command} ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["run", "--port", "many"],
        ["run", "--port", "70000"],
        ["run", "--web-workers", "0"],
        ["create-user"],
        ["create-user", "a@example.org", "--no-such-option"],
        ["create-token", "a@example.org"],
        ["create-token", "a@example.org", "--name", "x", "--scope", "everything"],
        ["create-token", "a@example.org", "--name", "x", "--expires-in-days", "0"],
        ["import", "/no/such/folder", "--owner", "a@example.org"],
        ["import", "/"],
        ["fsck", "extra"],
        ["fsck", "--minutes", "0"],
        ["backup"],
        ["restore"],
    ],
)
def test_wrong_usage_is_status_2(migrated: Path, arguments: list[str]) -> None:
    status, out, err = run(migrated, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("Usage: ")


class TestPeople:
    def test_a_password_comes_by_standard_input_and_signs_in(self, migrated: Path) -> None:
        done = run(migrated, "create-user", "Anna@Example.org", "--admin", "--password-stdin", stdin=f"{PASSWORD}\n")
        assert done == (0, "anna@example.org can sign in now.\n", "")

        with looking_inside(migrated) as house:
            secret, _ = sessions.sign_in(
                house.vault, email="anna@example.org", password=PASSWORD, remember=False, user_agent=""
            )
            found = sessions.person_of(secret)
            assert found is not None
            assert found.is_admin

    def test_without_one_an_invitation_is_printed(self, migrated: Path) -> None:
        status, out, err = run(migrated, "create-user", "ben@example.org", "--name", "Ben")
        assert (status, err) == (0, "")
        assert re.fullmatch(r"http://127\.0\.0\.1:8000/invite/[A-Za-z0-9_-]{43}\n", out)

        status, out, _ = run(migrated, "reset-password", "ben@example.org")
        assert status == 0
        assert re.fullmatch(r"http://127\.0\.0\.1:8000/invite/[A-Za-z0-9_-]{43}\n", out)

    def test_no_command_takes_a_password_as_an_argument(self, migrated: Path) -> None:
        for command in COMMANDS:
            options = re.findall(r"--[a-z-]+", run(migrated, command, "--help")[1])
            assert {option for option in options if "password" in option} <= {"--password-stdin"}

    @pytest.mark.parametrize(
        "email", ["", "nobody", "@", "a b@example.org", "a@", "\u202e@x\n", "x" * 300 + "@example.org"]
    )
    def test_what_is_no_address_is_refused(self, migrated: Path, email: str) -> None:
        assert refused(migrated, "create-user", email) == "That is not an e-mail address."

    @pytest.mark.parametrize("password", ["", "short", "cleo@example.org", "x" * 5000])
    def test_a_bad_password_is_refused(self, migrated: Path, password: str) -> None:
        refused(migrated, "create-user", "cleo@example.org", "--password-stdin", stdin=f"{password}\n")
        with looking_inside(migrated):
            assert db.session.scalar(sa.select(User.id).where(User.email == "cleo@example.org")) is None

    def test_a_second_account_and_unknown_people_are_refused(self, migrated: Path) -> None:
        run(migrated, "create-user", "dora@example.org")
        assert (
            refused(migrated, "create-user", "DORA@example.org") == "Somebody with this e-mail address is here already."
        )
        unknown = "nobody with the e-mail address eve@example.org is here"
        assert refused(migrated, "reset-password", "eve@example.org") == unknown
        assert refused(migrated, "create-token", "eve@example.org", "--name", "x") == unknown
        assert refused(migrated, "import", str(migrated), "--owner", "eve@example.org") == unknown

    def test_a_token_is_printed_once_and_kept_as_a_digest(self, migrated: Path) -> None:
        run(migrated, "create-user", "fred@example.org", "--password-stdin", stdin=f"{PASSWORD}\n")
        scopes = ["--scope", "read", "--scope", "write"]
        status, out, err = run(
            migrated, "create-token", "fred@example.org", "--name", "x", *scopes, "--expires-in-days", "3"
        )
        assert (status, err, out.count("\n")) == (0, "", 1)
        with looking_inside(migrated) as house:
            token = db.session.query(ApiToken).one()
            assert (token.name, token.scopes, out.strip() in token.digest) == ("x", 3, False)
            answer = house.browser().get("/api/v1/me", headers={"Authorization": f"Bearer {out.strip()}"})
            assert answer.get_json()["email"] == "fred@example.org"


@pytest.fixture
def imported(tmp_path: Path, migrated: Path) -> Path:
    """Return a home of its own with Anna in it."""
    home = new_home(tmp_path, migrated / "vault.db")
    with looking_inside(home) as house:
        house.person("Owner")
    return home


def odd_tree(folder: Path) -> list[bytes]:
    """Make a tree of what people really have on their disks; return the pictures in it."""
    kept = [small_picture() for _ in range(4)]
    deep = folder / "2019" / "Süden ☀" / "a b"
    deep.mkdir(parents=True)
    (folder / "top.jpg").write_bytes(kept[0])
    (deep / "sea.JPG").write_bytes(kept[1])
    (deep / "no extension").write_bytes(kept[2])
    with (Path(os.fsdecode(os.fsencode(deep) + b"/latin-\xe9.jpg"))).open("wb") as file:
        file.write(kept[3])
    (deep / "again.jpg").write_bytes(kept[0])
    (deep / "notes.txt").write_text("not a picture")
    (deep / "empty.jpg").write_bytes(b"")
    (deep / ".hidden.jpg").write_bytes(small_picture())
    (folder / ".thumbnails").mkdir()
    (folder / ".thumbnails" / "x.jpg").write_bytes(small_picture())
    (folder / "loop").symlink_to(folder)
    (folder / "link.jpg").symlink_to(folder / "top.jpg")
    (folder / "dangling.jpg").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.jpg")
    return kept


class TestImport:
    def test_an_odd_tree_twice(self, imported: Path, tmp_path: Path) -> None:
        tree = tmp_path / "tree"
        tree.mkdir()
        kept = odd_tree(tree)
        before = {str(path): path.lstat().st_mtime_ns for path in tree.rglob("*")}
        command = ["import", str(tree), "--owner", "owner@example.org", "--album", "Old disk", "--move-nothing"]

        first = run(imported, *command)
        second = run(imported, *command)

        left_out = "  3 × a link to something else\n  2 × hidden\n  1 × This file is empty.\n"
        left_out += "  1 × no ordinary file\n  1 × no picture or video\n"
        assert (first[0], first[1]) == (1, f"4 imported, 1 already here, 1 refused, 7 left out\n{left_out}")
        assert (second[0], second[1]) == (1, f"0 imported, 5 already here, 1 refused, 7 left out\n{left_out}")
        assert [line.partition(": ")[0].rpartition("/")[2] for line in first[2].splitlines()] == ["empty.jpg"]
        assert {str(path): path.lstat().st_mtime_ns for path in tree.rglob("*")} == before
        with looking_inside(imported):
            album = db.session.query(Album).one()
            assert (album.title, album.media_count) == ("Old disk", 4)
            assert {media.size_bytes for media in db.session.query(Media)} == {len(data) for data in kept}
        assert run(imported, "fsck", "--read-data")[0] == 0

    def test_one_file_and_nothing_at_all(self, imported: Path, tmp_path: Path) -> None:
        (tmp_path / "one.jpg").write_bytes(small_picture())
        (tmp_path / "empty").mkdir()
        owner = ["--owner", "owner@example.org"]

        nothing = "0 imported, 0 already here, 0 refused"
        one = run(imported, "import", str(tmp_path / "one.jpg"), *owner)
        assert one[:2] == (0, "1 imported, 0 already here, 0 refused, 0 left out\n")
        assert run(imported, "import", str(tmp_path / "empty"), *owner)[1] == f"{nothing}, 0 left out\n"
        special = run(imported, "import", "/dev/null", *owner)[1]
        assert special == f"{nothing}, 1 left out\n  1 × no ordinary file\n"

    def test_a_disabled_person_gets_no_token(self, imported: Path) -> None:
        with looking_inside(imported) as house:
            house.disable(house.person("Gone"))
        assert "is disabled" in refused(imported, "create-token", "gone@example.org", "--name", "x")

    @pytest.mark.parametrize("album", [[], ["--album", "Summer"]])
    def test_a_disabled_owner_is_refused(self, imported: Path, tmp_path: Path, album: list[str]) -> None:
        (tmp_path / "one.jpg").write_bytes(small_picture())
        with looking_inside(imported) as house:
            house.disable(house.person("Gone"))

        refused(imported, "import", str(tmp_path), "--owner", "gone@example.org", *album)

        with looking_inside(imported):
            assert (db.session.query(Media).count(), db.session.query(Album).count()) == (0, 0)


class TestFsck:
    def a_broken_picture(self, house: House) -> str:
        media = house.picture(house.person())
        house.vault.storage.delete(media.blob_key)
        return media.public_id

    def test_it_says_what_it_found_in_words_and_in_json(self, imported: Path) -> None:
        assert run(imported, "fsck") == (0, "0 originals, 0 variants, 0 blobs, 0 pending: everything agrees\n", "")
        with looking_inside(imported) as house:
            media_id = self.a_broken_picture(house)

        status, out, _ = run(imported, "fsck")
        assert status == 1
        assert out.splitlines() == [
            f"original {media_id}: its bytes are missing",
            "1 originals, 2 variants, 2 blobs, 0 pending: 1 problems",
        ]
        status, out, _ = run(imported, "fsck", "--json", "--read-data")
        report = json.loads(out)
        assert (status, report["holds"], report["originals"]) == (1, False, 1)
        assert f"original {media_id}: its bytes are missing" in report["problems"]


BROKEN = {
    "VAULT_DATABASE_URL": ["nonsense", "mysql://u@h/d", "sqlite:////no/such/folder/x.db", "postgresql://127.0.0.1:1/x"],
    "VAULT_STORAGE_URL": ["nonsense", "ftp://host/x", "file://relative", "file:///dev/null/x"],
    "VAULT_QUEUE_URL": ["nonsense", "ftp://host/x"],
    "VAULT_MAX_UPLOAD_BYTES": ["many", "-1"],
    "VAULT_HOME": ["/dev/null", "/dev/null/x"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BROKEN.items() for value in values])
def test_a_setting_that_cannot_be_is_one_line(migrated: Path, name: str, value: str) -> None:
    done = manage(migrated, "fsck", environ={name: value})

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr


def test_a_database_that_is_none_is_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "vault.db").write_bytes(b"this is no database, but long enough to be looked at" * 100)

    assert "Traceback" not in refused(home, "fsck")


def test_settings_that_are_no_text_are_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "vault.env").write_bytes(b"VAULT_ORIGIN=\xff\xfe\x00\n")
    (home / "vault.env").chmod(0o600)

    refused(home, "fsck")
