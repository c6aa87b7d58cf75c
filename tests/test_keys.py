"""The keys of blobs and the walk over them: none leaves the storage, and a million need no memory."""

import hashlib
import os
from pathlib import Path
from types import GeneratorType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.blobs import KEY, MEDIA, OWNER, SHA, VARIANT, leftovers, put
from vault import storage as rooms
from vault.storage import BadKey, StorageError
from vault.storage.local import LocalStorage


@pytest.fixture
def vault_storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "blobs")


def numbered(number: int) -> str:
    return rooms.original_key(OWNER, hashlib.sha256(b"%d" % number).hexdigest(), MEDIA)


class TestKeys:
    def test_keys_are_built_from_owner_digest_and_media(self) -> None:
        assert rooms.original_key(OWNER, SHA, MEDIA) == f"originals/{OWNER}/ab/{SHA}.{MEDIA}"
        made = rooms.variant_key(rooms.original_key(OWNER, SHA, MEDIA), "thumb", 3)
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
        assert os.path.normpath(f"/base/{mutated}") == f"/base/{mutated}"
        assert not set(mutated) & set("\\\0\n%~")

    @given(st.text(max_size=30), st.text(max_size=70), st.text(max_size=30), st.text(max_size=10), st.integers())
    def test_odd_parts_never_make_a_key(self, owner: str, sha256: str, media: str, name: str, pipeline: int) -> None:
        with pytest.raises(BadKey):
            rooms.original_key(owner, sha256, media)
        with pytest.raises(BadKey):
            rooms.variant_key(f"originals/{owner}/{sha256}.{media}", name, pipeline)


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


class TestAddresses:
    def test_a_file_address_opens_a_folder(self, tmp_path: Path) -> None:
        storage = rooms.from_url(f"file://{tmp_path}/with%20space")
        assert isinstance(storage, LocalStorage)
        assert (tmp_path / "with space").is_dir()

    @pytest.mark.parametrize("url", ["", "blobs", "s3://bucket", "file://host/blobs", "file:blobs", "file:///"])
    def test_others_are_refused_with_a_sentence(self, url: str) -> None:
        with pytest.raises(StorageError, match="file://"):
            rooms.from_url(url)
