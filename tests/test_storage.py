"""The storage: keys that cannot leave it, bytes that are there whole or not at all."""

import errno
import gc
import hashlib
import io
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import GeneratorType
from typing import IO, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser
from werkzeug.test import EnvironBuilder

from vault import storage as rooms
from vault.storage import BadKey, Missing, StorageError, StorageFull, TooLarge
from vault.storage.incoming import HEAD_BYTES, Incoming
from vault.storage.local import LocalStorage

OWNER = "o" * 22
MEDIA = "m" * 21 + "-"
SHA = "ab" + "0" * 62
KEY = rooms.original_key(OWNER, SHA, MEDIA)
VARIANT = rooms.variant_key(OWNER, SHA, MEDIA, "thumb", 3)


@pytest.fixture
def vault_storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "blobs")


def put(storage: LocalStorage, key: str, content: bytes) -> None:
    with storage.temporary() as source:
        source.write_bytes(content)
        storage.put(key, source)


def read(storage: LocalStorage, key: str) -> bytes:
    with storage.open(key) as blob:
        return blob.read()


def leftovers(storage: LocalStorage) -> list[Path]:
    return [path for path, _age in storage.temporaries()]


def numbered(number: int) -> str:
    return rooms.original_key(OWNER, hashlib.sha256(b"%d" % number).hexdigest(), MEDIA)


class TestKeys:
    def test_keys_are_built_from_owner_digest_and_media(self) -> None:
        assert rooms.original_key(OWNER, SHA, MEDIA) == f"originals/{OWNER}/ab/{SHA}.{MEDIA}"
        made = rooms.variant_key(OWNER, SHA, MEDIA, "thumb", 3)
        assert made == f"variants/{OWNER}/ab/{SHA}.{MEDIA}/thumb-v3.webp"

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/etc/passwd",
            f"../{KEY}",
            f"originals/{OWNER}/ab/../../../../etc/passwd",
            KEY.replace("/ab/", "/cd/"),
            KEY + "\n",
            KEY + "/",
            KEY.upper(),
            KEY.replace("originals", "variants"),
            VARIANT.replace("thumb", "../thumb"),
            VARIANT.replace("-v3", "-v"),
            VARIANT.replace("-v3", "-v٣"),
            f"tmp/{SHA}",
        ],
    )
    def test_anything_else_is_refused_everywhere(self, vault_storage: LocalStorage, key: str) -> None:
        with vault_storage.temporary() as source, pytest.raises(BadKey):
            vault_storage.put(key, source)
        for ask in (vault_storage.open, vault_storage.stat, vault_storage.delete):
            with pytest.raises(BadKey):
                ask(key)
        with pytest.raises(BadKey), vault_storage.local_path(key):
            pytest.fail("a path was lent")

    @given(
        st.sampled_from([KEY, VARIANT]),
        st.integers(0, len(VARIANT)),
        st.text(alphabet="./\\\0\n%~abz09-_A") | st.sampled_from(["/../", "//", "/./"]),
        st.integers(0, 4),
    )
    @example(KEY, 0, "", 0)
    @example(VARIANT, 0, "", 0)
    def test_what_passes_stays_below_the_root(self, key: str, at: int, piece: str, taken: int) -> None:
        mutated = key[:at] + piece + key[at + taken :]
        try:
            rooms.checked(mutated)
        except BadKey:
            assert mutated not in (KEY, VARIANT)
            return
        assert os.path.normpath(f"/root/{mutated}") == f"/root/{mutated}"
        assert not set(mutated) & set("\\\0\n%~")

    @given(st.text(max_size=30), st.text(max_size=70), st.text(max_size=30), st.text(max_size=10), st.integers())
    def test_odd_parts_never_make_a_key(self, owner: str, sha256: str, media: str, name: str, pipeline: int) -> None:
        with pytest.raises(BadKey):
            rooms.original_key(owner, sha256, media)
        with pytest.raises(BadKey):
            rooms.variant_key(owner, sha256, media, name, pipeline)


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
        put(vault_storage, rooms.variant_key(OWNER, SHA, "n" * 22, "thumb", 3), b"2")
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
        names = [rooms.variant_key(OWNER, SHA, MEDIA, name, 1) for name in ("thumb", "preview", "tiny")]
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
        with pytest.raises(Missing), vault_storage.local_path(KEY):
            pytest.fail("a path was lent")

    def test_deleting_twice_is_deleting(self, vault_storage: LocalStorage) -> None:
        put(vault_storage, VARIANT, b"1")
        vault_storage.delete(VARIANT)
        vault_storage.delete(VARIANT)
        with pytest.raises(Missing):
            vault_storage.stat(VARIANT)
        assert not (vault_storage.root / VARIANT).parent.exists()

    def test_deleting_one_variant_leaves_the_other(self, vault_storage: LocalStorage) -> None:
        other = rooms.variant_key(OWNER, SHA, MEDIA, "preview", 3)
        put(vault_storage, VARIANT, b"1")
        put(vault_storage, other, b"2")
        vault_storage.delete(VARIANT)
        assert list(vault_storage.keys()) == [other]


class TestWalking:
    def test_thousands_of_keys_come_lazily_and_in_order(self, vault_storage: LocalStorage) -> None:
        expected = sorted(numbered(number) for number in range(3000))
        for key in expected:
            path = vault_storage.root / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        put(vault_storage, VARIANT, b"")
        (vault_storage.root / "originals" / OWNER / "stranger.txt").touch()
        walk = vault_storage.keys("originals/")
        assert isinstance(walk, GeneratorType)
        first = [next(walk) for _ in range(3)]
        assert first + list(walk) == expected
        assert list(vault_storage.keys()) == [*expected, VARIANT]

    def test_a_prefix_narrows_the_walk(self, vault_storage: LocalStorage) -> None:
        for key in (KEY, VARIANT):
            put(vault_storage, key, b"")
        assert list(vault_storage.keys(f"variants/{OWNER}/")) == [VARIANT]
        assert list(vault_storage.keys(KEY[:-3])) == [KEY]
        assert list(vault_storage.keys("originals/" + "x" * 22)) == []
        assert list(vault_storage.keys("tmp/")) == []
        for bad in ("/", "../", "originals/../", "./originals/", "originals//x"):
            with pytest.raises(BadKey):
                vault_storage.keys(bad)

    def test_temporaries_of_a_crash_are_found_and_discarded(self, vault_storage: LocalStorage, tmp_path: Path) -> None:
        left = vault_storage.root / "tmp" / "left"
        left.write_bytes(b"half an upload")
        os.utime(left, (0, 0))
        (vault_storage.root / "tmp" / "folder").mkdir()
        (vault_storage.root / "tmp" / "folder" / "half.webp").touch()
        ages = dict(vault_storage.temporaries())
        assert ages.pop(left) > 1e9
        assert [age < 60 for age in ages.values()] == [True]
        for path in (left, *ages):
            vault_storage.discard(path)
        assert leftovers(vault_storage) == []
        vault_storage.discard(left)
        with pytest.raises(BadKey):
            vault_storage.discard(tmp_path)


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
        assert vault_storage.free_bytes() == 10**9 - 64 * 1024**2


class TestAddresses:
    def test_a_file_address_opens_a_folder(self, tmp_path: Path) -> None:
        storage = rooms.from_url(f"file://{tmp_path}/with%20space")
        assert isinstance(storage, LocalStorage)
        assert (tmp_path / "with space").is_dir()

    @pytest.mark.parametrize("url", ["", "blobs", "s3://bucket", "file://host/blobs", "file:blobs", "file:///"])
    def test_others_are_refused_with_a_sentence(self, url: str) -> None:
        with pytest.raises(StorageError, match="file://"):
            rooms.from_url(url)


@pytest.fixture
def incoming(vault_storage: LocalStorage) -> Iterator[Incoming]:
    with Incoming(vault_storage, max_bytes=50_000) as upload:
        yield upload


class TestIncoming:
    def test_it_hashes_and_counts_what_arrives(self, vault_storage: LocalStorage, incoming: Incoming) -> None:
        content = os.urandom(40_000)
        for start in range(0, len(content), 777):
            incoming.write(content[start : start + 777])
        assert incoming.sha256 == hashlib.sha256(content).hexdigest()
        assert (incoming.bytes, incoming.tell()) == (len(content), len(content))
        assert incoming.head == content[:HEAD_BYTES]
        assert incoming.path.read_bytes() == content
        assert incoming.seek(10) == 10
        assert incoming.read(5) == content[10:15]
        incoming.keep(KEY)
        assert read(vault_storage, KEY) == content
        assert incoming.closed
        assert leftovers(vault_storage) == []

    def test_an_empty_one_is_the_digest_of_nothing(self, incoming: Incoming) -> None:
        assert (incoming.bytes, incoming.head, incoming.read()) == (0, b"", b"")
        assert incoming.sha256 == hashlib.sha256().hexdigest()

    def test_one_byte_too_many_is_refused(self, vault_storage: LocalStorage, incoming: Incoming) -> None:
        incoming.write(b"x" * 50_000)
        with pytest.raises(TooLarge) as refused:
            incoming.write(b"x")
        assert refused.value.max_bytes == 50_000
        assert incoming.path.stat().st_size == 50_000
        incoming.discard()
        assert leftovers(vault_storage) == []

    def test_it_only_grows_at_its_end(self, incoming: Incoming) -> None:
        incoming.write(b"abc")
        incoming.seek(0)
        with pytest.raises(io.UnsupportedOperation):
            incoming.write(b"x")
        assert incoming.sha256 == hashlib.sha256(b"abc").hexdigest()

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
    def test_a_disk_that_fills_up_is_said_so(
        self, vault_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vault_storage, "temporary", lambda: nullcontext(Path("/dev/full")))
        with Incoming(vault_storage, max_bytes=100) as incoming:
            with pytest.raises(StorageFull):
                incoming.write(b"x")
            assert (incoming.bytes, incoming.sha256) == (0, hashlib.sha256().hexdigest())

    def test_room_is_looked_at_while_a_long_file_arrives(
        self, vault_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chunk = bytes(1024**2)
        with Incoming(vault_storage, max_bytes=10**9) as incoming:
            incoming.write(chunk)
            monkeypatch.setattr(vault_storage, "free_bytes", lambda: 0)
            for _ in range(14):
                incoming.write(chunk)
            with pytest.raises(StorageFull):
                incoming.write(chunk)
        assert leftovers(vault_storage) == []

    def test_a_failing_keep_keeps_nothing(
        self, vault_storage: LocalStorage, incoming: Incoming, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(_descriptor: int) -> None:
            raise OSError(errno.EIO, "broken disk")

        incoming.write(b"abc")
        monkeypatch.setattr(os, "fsync", failing)
        with pytest.raises(StorageError):
            incoming.keep(KEY)
        assert leftovers(vault_storage) == []
        with pytest.raises(StorageError):
            incoming.keep(KEY)

    def test_one_that_is_forgotten_leaves_nothing(self, vault_storage: LocalStorage) -> None:
        upload = Incoming(vault_storage, max_bytes=10)
        upload.write(b"abc")
        assert leftovers(vault_storage) == [upload.path]
        del upload
        gc.collect()
        assert leftovers(vault_storage) == []

    def test_werkzeug_streams_a_form_into_it(self, vault_storage: LocalStorage) -> None:
        content = os.urandom(300_000)
        with posted(vault_storage, content) as made:
            assert made.sha256 == hashlib.sha256(content).hexdigest()
            assert made.tell() == 0
            made.keep(KEY)
        assert read(vault_storage, KEY) == content

    def test_a_form_that_nobody_keeps_leaves_nothing(self, vault_storage: LocalStorage) -> None:
        with posted(vault_storage, b"abc"):
            assert leftovers(vault_storage) != []
        assert leftovers(vault_storage) == []


@contextmanager
def posted(storage: LocalStorage, content: bytes) -> Iterator[Incoming]:
    """Send a real multipart form through werkzeug's parser, and close its files as a request does."""
    made: list[Incoming] = []

    def begin(*_lengths: object, **_names: object) -> IO[bytes]:
        made.append(Incoming(storage, max_bytes=10**6))
        return cast("IO[bytes]", made[-1])

    builder = EnvironBuilder(method="POST", data={"file": (io.BytesIO(content), "ä/../x.jpg"), "album_id": "1"})
    with closing(builder):
        _stream, form, files = FormDataParser(begin).parse_from_environ(builder.get_environ())
    assert form["album_id"] == "1"
    with closing(files["file"]):
        yield made[0]
