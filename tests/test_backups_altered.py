"""A copy that is not as it was made is not believed, whatever was done to it."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.copies import another, checked, make, tree
from tests.factories import House
from vault.cli import homes
from vault.db import db
from vault.models.account import User
from vault.models.media import Media
from vault.services import Refused, auditing, backups
from vault.services.backups import manifest


def cut_manifest(copy: Path) -> None:
    path = copy / manifest.NAME
    path.write_bytes(path.read_bytes()[:-20])


def cut_lines(copy: Path) -> None:
    path = copy / manifest.NAME
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def drop_a_line(copy: Path) -> None:
    path = copy / manifest.NAME
    found = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(found[:4] + found[5:]))


def add_a_line(copy: Path) -> None:
    path = copy / manifest.NAME
    path.write_bytes(path.read_bytes() + b"[]\n")


def another_digest(copy: Path) -> None:
    path = copy / manifest.NAME
    found = path.read_bytes().splitlines(keepends=True)
    digest = found[3].split(b'"')[3]
    path.write_bytes(b"".join(found).replace(digest, hashlib.sha256(b"x").hexdigest().encode()))


def no_manifest(copy: Path) -> None:
    (copy / manifest.NAME).unlink()


def newer_format(copy: Path) -> None:
    path = copy / manifest.NAME
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))


def a_blob(copy: Path) -> Path:
    return next(path for path in sorted((copy / "blobs").rglob("*")) if path.is_file())


def missing_blob(copy: Path) -> None:
    a_blob(copy).unlink()


def flipped_bit(copy: Path) -> None:
    data = bytearray(a_blob(copy).read_bytes())
    data[len(data) // 2] ^= 1
    a_blob(copy).write_bytes(data)


def cut_blob(copy: Path) -> None:
    os.truncate(a_blob(copy), 3)


def extra_file(copy: Path) -> None:
    a_blob(copy).with_name("extra").write_bytes(b"x")


def extra_rows(copy: Path) -> None:
    (copy / "rows" / "zzz.jsonl").write_text("{}\n")


def altered_rows(copy: Path) -> None:
    path = copy / "rows" / "user_account.jsonl"
    path.write_bytes(path.read_bytes().replace(b"false", b"true ", 1))


def a_link_instead(copy: Path) -> None:
    path = a_blob(copy)
    path.rename(copy.parent / "moved")
    path.symlink_to(copy.parent / "moved")


def other_key(copy: Path) -> None:
    (copy / "keys" / "audit.key").write_text("another one")


def extra_key(copy: Path) -> None:
    (copy / "keys" / "vault.env").write_text("VAULT_ORIGIN=https://elsewhere.example.org\n")


ALTERATIONS = [
    cut_manifest, cut_lines, drop_a_line, add_a_line, another_digest, no_manifest, newer_format, missing_blob,
    flipped_bit, cut_blob, extra_file, extra_rows, altered_rows, a_link_instead, other_key, extra_key,
]  # fmt: skip


def is_believed(copy: Path) -> bool:
    try:
        checked(copy)
    except Refused:
        return False
    return True


def test_what_was_altered_is_refused(house: House, tmp_path: Path) -> None:
    tree(house)
    make(house, tmp_path / "copy")
    believed = {}
    for alter in ALTERATIONS:
        copy = Path(shutil.copytree(tmp_path / "copy", tmp_path / alter.__name__))
        assert is_believed(copy)
        alter(copy)
        believed[alter.__name__] = is_believed(copy)
    assert believed == dict.fromkeys(believed, False)


@pytest.mark.parametrize("how", ["another value", "one row more", "a row less", "no rows at all", "gone"])
def test_rows_that_change_after_they_were_looked_at_are_not_kept(
    house: House, tmp_path: Path, request: pytest.FixtureRequest, how: str
) -> None:
    tree(house)
    copy = tmp_path / "copy"
    make(house, copy)
    found = checked(copy)
    path = copy / "rows" / "api_token.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    changed = {
        "another value": [*lines[:-1], lines[-1].replace(b"1", b"2")],
        "one row more": [*lines, lines[-1]],
        "a row less": lines[:-1],
    }
    path.write_bytes(b"".join(changed.get(how, [])))
    if how == "gone":
        path.unlink()

    with another(house, db.engine.dialect.name, tmp_path, request):
        with pytest.raises(Refused, match="has changed since"):
            backups.lay_rows(copy, found)
        db.session.rollback()
        assert db.session.query(User).count() == db.session.query(Media).count() == 0


def test_heads_that_change_after_they_were_looked_at_are_not_laid(house: House, tmp_path: Path) -> None:
    tree(house)
    copy = tmp_path / "copy"
    auditing.write_head(after_seconds=0)
    make(house, copy)
    sha256 = checked(copy).files[manifest.HEADS][1]
    settings = replace(house.vault.settings, audit_heads=str(tmp_path / "heads.log"))
    (copy / manifest.HEADS).write_bytes(b"another\n")

    with pytest.raises(Refused, match="has changed since"):
        homes.lay_heads(settings, copy / manifest.HEADS, sha256)

    assert not (tmp_path / "heads.log").exists()
