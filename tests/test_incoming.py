"""Files on their way in: hashed, counted and limited while they arrive."""

import errno
import gc
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import IO, cast

import pytest
from werkzeug.formparser import FormDataParser
from werkzeug.test import EnvironBuilder

from tests.blobs import KEY, leftovers, read
from vault.storage import StorageError, StorageFull, TooLarge
from vault.storage.incoming import HEAD_BYTES, Incoming
from vault.storage.local import LocalStorage


@pytest.fixture
def vault_storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "blobs")


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
