"""The storage: bytes that are there whole or not at all."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.blobs import KEY, MEDIA, OWNER, SHA, VARIANT, leftovers, put, read
from vault import storage as rooms
from vault.storage import BadKey, Missing, StorageError, StorageFull
from vault.storage.local import LocalStorage


@pytest.fixture
def vault_storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "blobs")


class TestPut:
    def test_bytes_come_back_as_they_went_in(self, vault_storage: LocalStorage) -> None:
        content = os.urandom(300_000)
        put(vault_storage, KEY, content)
        assert read(vault_storage, KEY) == content
        assert vault_storage.stat(KEY).bytes == len(content)
        assert vault_storage.stat(KEY).modified_at.tzinfo is not None
        with vault_storage.local_path(KEY) as path:
            assert path.read_bytes() == content
        assert leftovers(vault_storage) == []

    def test_a_second_put_replaces_the_first(self, vault_storage: LocalStorage) -> None:
        put(vault_storage, VARIANT, b"old")
        with vault_storage.open(VARIANT) as reader:
            put(vault_storage, VARIANT, b"newer")
            assert reader.read() == b"old"
        assert read(vault_storage, VARIANT) == b"newer"

    def test_files_are_0600_and_folders_0700_whatever_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            storage = LocalStorage(tmp_path / "open" / "blobs")
            with storage.temporary_folder() as folder:
                source = folder / "thumb.webp"
                source.write_bytes(b"made by a careless child")
                source.chmod(0o666)
                storage.put(VARIANT, source)
                with storage.temporary() as other:
                    modes = {stat.S_IMODE(path.lstat().st_mode) for path in (other, storage.root / VARIANT)}
                    assert modes == {0o600}
                folders = [path for path in storage.root.rglob("*") if path.is_dir()]
                assert {stat.S_IMODE(path.lstat().st_mode) for path in (storage.root, *folders)} == {0o700}
        finally:
            os.umask(before)

    def test_the_file_is_synced_before_and_its_folders_after_the_rename(
        self, vault_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps: list[str] = []
        fsync, rename = os.fsync, os.rename

        def seen_fsync(descriptor: int) -> None:
            target = Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(vault_storage.root)
            steps.append("file" if target.parts[:1] == ("tmp",) else str(len(target.parts)))
            fsync(descriptor)

        def seen_rename(source: Path, target: Path) -> None:
            steps.append("rename")
            rename(source, target)

        monkeypatch.setattr(os, "fsync", seen_fsync)
        monkeypatch.setattr(os, "rename", seen_rename)
        put(vault_storage, VARIANT, b"1")
        # The blob's own folder, four deep, then each one above it up to the root.
        assert steps == ["file", "rename", "4", "3", "2", "1", "0"]
        steps.clear()
        put(vault_storage, rooms.variant_key(rooms.original_key(OWNER, SHA, "n" * 22), "thumb", 3), b"2")
        assert steps == ["file", "rename", "4", "3"]

    @pytest.mark.parametrize("step", ["fsync of the file", "rename", "fsync of a folder"])
    @pytest.mark.parametrize(("code", "refusal"), [(errno.ENOSPC, StorageFull), (errno.EIO, StorageError)])
    def test_a_failing_step_leaves_nothing(
        self,
        vault_storage: LocalStorage,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        code: int,
        refusal: type[StorageError],
    ) -> None:
        fsync = os.fsync

        def failing(*_arguments: object) -> None:
            raise OSError(code, os.strerror(code))

        def failing_sometimes(descriptor: int) -> None:
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            if is_folder == (step == "fsync of a folder"):
                failing()
            fsync(descriptor)

        if step == "rename":
            monkeypatch.setattr(os, "rename", failing)
        else:
            monkeypatch.setattr(os, "fsync", failing_sometimes)
        with pytest.raises(refusal) as caught:
            put(vault_storage, KEY, b"never acknowledged")
        assert type(caught.value) is refusal
        monkeypatch.undo()
        with pytest.raises(Missing):
            vault_storage.stat(KEY)
        assert list(vault_storage.keys()) == []
        assert leftovers(vault_storage) == []
        put(vault_storage, KEY, b"the next one is fine")

    def test_a_file_from_elsewhere_is_refused(self, vault_storage: LocalStorage, tmp_path: Path) -> None:
        elsewhere = tmp_path / "mine.jpg"
        elsewhere.write_bytes(b"mine")
        with pytest.raises(BadKey):
            vault_storage.put(KEY, elsewhere)
        with vault_storage.temporary() as source:
            source.unlink()
            source.symlink_to(elsewhere)
            with pytest.raises(StorageError):
                vault_storage.put(KEY, source)
        assert elsewhere.read_bytes() == b"mine"

    def test_a_folder_that_vanishes_meanwhile_is_made_again(
        self, vault_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rename = os.rename
        lost: list[Path] = []

        def rename_after_a_deletion(source: Path, target: Path) -> None:
            if not lost:
                lost.append(target)
                Path(target).parent.rmdir()
            rename(source, target)

        monkeypatch.setattr(os, "rename", rename_after_a_deletion)
        put(vault_storage, VARIANT, b"won")
        assert lost
        assert read(vault_storage, VARIANT) == b"won"

    def test_puts_and_deletions_side_by_side_do_not_disturb_each_other(self, vault_storage: LocalStorage) -> None:
        names = [rooms.variant_key(KEY, name, 1) for name in ("thumb", "preview", "tiny")]
        failures: list[Exception] = []

        def toggle(key: str) -> None:
            try:
                for _ in range(60):
                    put(vault_storage, key, key.encode())
                    assert read(vault_storage, key) == key.encode()
                    vault_storage.delete(key)
            except Exception as error:  # noqa: BLE001  # a thread's failure must reach the test
                failures.append(error)

        threads = [threading.Thread(target=toggle, args=(key,)) for key in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert list(vault_storage.keys()) == []


class TestSymbolicLinks:
    def test_none_is_followed_out_of_the_root(self, vault_storage: LocalStorage, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        (outside / "ab").mkdir(parents=True)
        secret = outside / "ab" / f"{SHA}.{MEDIA}"
        secret.write_bytes(b"secret")
        (vault_storage.root / "originals").mkdir()
        (vault_storage.root / "originals" / OWNER).symlink_to(outside)
        self.assert_refused(vault_storage, secret)

    def test_a_link_in_a_blobs_place_is_no_blob(self, vault_storage: LocalStorage, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_bytes(b"secret")
        put(vault_storage, KEY, b"blob")
        (vault_storage.root / KEY).unlink()
        (vault_storage.root / KEY).symlink_to(secret)
        self.assert_refused(vault_storage, secret)

    def assert_refused(self, storage: LocalStorage, secret: Path) -> None:
        for ask in (storage.open, storage.stat, storage.delete):
            with pytest.raises(BadKey):
                ask(KEY)
        with storage.temporary() as source, pytest.raises(BadKey):
            storage.put(KEY, source)
        assert secret.read_bytes() == b"secret"


class TestMissingAndDeleted:
    def test_what_is_not_there_is_missing(self, vault_storage: LocalStorage) -> None:
        for ask in (vault_storage.open, vault_storage.stat):
            with pytest.raises(Missing):
                ask(KEY)
        with pytest.raises(Missing), vault_storage.local_path(KEY) as path:
            path.read_bytes()

    def test_deleting_twice_is_deleting(self, vault_storage: LocalStorage) -> None:
        put(vault_storage, VARIANT, b"1")
        vault_storage.delete(VARIANT)
        vault_storage.delete(VARIANT)
        with pytest.raises(Missing):
            vault_storage.stat(VARIANT)
        assert not (vault_storage.root / VARIANT).parent.exists()

    def test_deleting_one_variant_leaves_the_other(self, vault_storage: LocalStorage) -> None:
        other = rooms.variant_key(KEY, "preview", 3)
        put(vault_storage, VARIANT, b"1")
        put(vault_storage, other, b"2")
        vault_storage.delete(VARIANT)
        assert list(vault_storage.keys()) == [other]


class TestRoom:
    def test_a_reserve_is_held_back(self, vault_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
        free = 10 * 1024**2

        def nearly_full(_path: Path) -> object:
            return type("Usage", (), {"total": 10**12, "free": free})

        assert vault_storage.free_bytes() > 0
        monkeypatch.setattr("vault.storage.local.shutil.disk_usage", nearly_full)
        assert vault_storage.free_bytes() == 0
        with pytest.raises(StorageFull), vault_storage.temporary():
            pytest.fail("a file was lent")
        free = 10**9
        assert vault_storage.free_bytes() == 10**9 - 256 * 1024**2
        assert LocalStorage(vault_storage.root, reserve_bytes=10**8).free_bytes() == 9 * 10**8
