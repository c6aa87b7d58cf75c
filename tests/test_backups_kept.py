"""Copies that share files with earlier ones, that were broken off, and of vaults that are damaged themselves."""

import os
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.copies import another, checked, make, path_of, restore_into, tree
from tests.factories import House
from vault.db import db
from vault.models.media import Media
from vault.policy import Action, Viewer, authorize
from vault.services import Refused, inspection, library
from vault.services.backups import copying


class TestIncrement:
    def test_unchanged_files_are_the_same_files(self, house: House, tmp_path: Path) -> None:
        anna, pictures = tree(house)
        first = make(house, tmp_path / "one")
        added = house.picture(anna)

        second = make(house, tmp_path / "two", since=tmp_path / "one")

        assert (first.linked, second.linked) == (0, len(pictures))
        for media in pictures:
            same = {(tmp_path / name / "blobs" / media.blob_key).stat().st_ino for name in ("one", "two")}
            assert len(same) == 1
            assert path_of(house, media.blob_key).stat().st_ino not in same
        assert (tmp_path / "two" / "blobs" / added.blob_key).stat().st_nlink == 1
        assert checked(tmp_path / "two").head.since == first.id
        shutil.rmtree(tmp_path / "one")
        checked(tmp_path / "two")

    def test_a_file_of_the_earlier_one_that_was_cut_is_not_shared(self, house: House, tmp_path: Path) -> None:
        _, pictures = tree(house)
        make(house, tmp_path / "one")
        os.truncate(tmp_path / "one" / "blobs" / pictures[0].blob_key, 5)

        assert make(house, tmp_path / "two", since=tmp_path / "one").linked == len(pictures) - 1
        checked(tmp_path / "two")

    @pytest.mark.parametrize("since", ["nothing", "copy", "unfinished"])
    def test_what_is_no_earlier_one_is_refused(self, house: House, tmp_path: Path, since: str) -> None:
        (tmp_path / "unfinished" / "blobs").mkdir(parents=True)
        with pytest.raises(Refused):
            make(house, tmp_path / "copy", since=tmp_path / since)
        assert not (tmp_path / "copy").exists()


class TestBrokenOff:
    def test_a_full_disk_is_said_and_the_next_run_goes_on(
        self, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, pictures = tree(house, 8)
        really, room = copying.write, [5]

        def write(source: object, target: Path) -> tuple[int, str]:
            room[0] -= 1
            if room[0] < 0:
                raise OSError(28, "No space left on device")
            return really(source, target)  # type: ignore[arg-type]  # as it came

        monkeypatch.setattr(copying, "write", write)
        with pytest.raises(Refused, match="disk that the backup goes to is full"):
            make(house, tmp_path / "copy")
        with pytest.raises(Refused, match="no whole backup"):
            checked(tmp_path / "copy")
        there = {path: path.stat().st_ino for path in (tmp_path / "copy" / "blobs").rglob("*.*") if path.is_file()}
        assert there

        monkeypatch.undo()
        library.trash(authorize(Viewer(user_id=pictures[0].owner_id), Action.TRASH, Media, pictures[0].public_id))
        make(house, tmp_path / "copy")
        found = checked(tmp_path / "copy")
        assert len(list(found.below("blobs"))) == 8
        # What another thread had under way when the disk was full may be copied again, and nothing else.
        again = [path for path, inode in there.items() if path.stat().st_ino != inode]
        assert len(again) < copying.THREADS

    def test_what_was_copied_before_and_is_gone_now_is_taken_away_again(self, house: House, tmp_path: Path) -> None:
        anna, pictures = tree(house)
        stray = tmp_path / "copy" / "blobs" / pictures[0].blob_key
        stray.parent.mkdir(parents=True)
        stray.with_name("0" * 64).write_bytes(b"of a picture that was deleted for good")
        (tmp_path / "copy" / copying.NOTES).touch()

        make(house, tmp_path / "copy")

        checked(tmp_path / "copy")
        assert anna.id

    def test_a_folder_with_anything_else_in_it_is_left_alone(self, house: House, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.odt").write_bytes(b"years")
        with pytest.raises(Refused, match="is not empty"):
            make(house, tmp_path / "mine")
        assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.odt"]

        make(house, tmp_path / "copy")
        with pytest.raises(Refused, match="a whole backup already"):
            make(house, tmp_path / "copy")


def test_nobody_else_can_read_it(house: House, tmp_path: Path) -> None:
    tree(house)
    before = os.umask(0)
    try:
        make(house, tmp_path / "copy")
    finally:
        os.umask(before)

    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (tmp_path / "copy").rglob("*")}
    assert (modes, (tmp_path / "copy").stat().st_mode & 0o777) == ({True: 0o700, False: 0o600}, 0o700)


def test_what_is_rotten_in_the_vault_is_named_and_kept(
    house: House, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    _, pictures = tree(house)
    rotten, missing = path_of(house, pictures[0].blob_key), path_of(house, pictures[1].blob_key)
    data = bytearray(rotten.read_bytes())
    data[7] ^= 4
    rotten.write_bytes(data)
    missing.unlink()

    made = make(house, tmp_path / "copy")

    assert made.lost == [
        [pictures[0].blob_key, "its bytes have changed"],
        [pictures[1].blob_key, "its bytes are missing"],
    ]
    assert (tmp_path / "copy" / "blobs" / pictures[0].blob_key).read_bytes() == data
    assert checked(tmp_path / "copy").lost == made.lost
    with another(house, db.engine.dialect.name, tmp_path, request) as other:
        restore_into(other, tmp_path / "copy")
        found = inspection.inspect(other.vault, read_data=True).problems
        assert f"original {pictures[0].public_id}: its bytes have changed" in found
        assert f"original {pictures[1].public_id}: its bytes are missing" in found


def test_rot_is_not_shared_over_a_good_earlier_copy(house: House, tmp_path: Path) -> None:
    _, pictures = tree(house)
    make(house, tmp_path / "one")
    good = path_of(house, pictures[0].blob_key).read_bytes()
    path_of(house, pictures[0].blob_key).write_bytes(bytes(len(good)))

    assert make(house, tmp_path / "two", since=tmp_path / "one").lost == []
    assert (tmp_path / "two" / "blobs" / pictures[0].blob_key).read_bytes() == good


def test_it_is_an_event_and_sealed_by_the_key_of_the_events(house: House, tmp_path: Path) -> None:
    tree(house)
    made = make(house, tmp_path / "copy")

    last = db.session.execute(sa.text("SELECT action, subject FROM event ORDER BY seq DESC LIMIT 1")).one()
    assert tuple(last) == ("vault.backup", made.id)
    key = (house.vault.settings.home / "audit.key").read_text().strip()
    found = checked(tmp_path / "copy")
    assert found.is_sealed_by(key)
    assert not found.is_sealed_by(key + "x")
    assert found.sha256 == made.sha256


def test_keys_may_be_kept_elsewhere(house: House, tmp_path: Path) -> None:
    tree(house)
    make(house, tmp_path / "copy")
    (tmp_path / "copy" / "keys").rename(tmp_path / "safe")
    assert checked(tmp_path / "copy").head.keys == ["audit.key"]

    assert make(house, tmp_path / "none", with_keys=False).keys == []
    assert not (tmp_path / "none" / "keys").exists()
