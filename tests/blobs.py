"""Keys and bytes that the tests of the storage share."""

from pathlib import Path

from vault.storage import original_key, variant_key
from vault.storage.local import LocalStorage

OWNER = "o" * 22
MEDIA = "m" * 21 + "-"
SHA = "ab" + "0" * 62
KEY = original_key(OWNER, SHA, MEDIA)
VARIANT = variant_key(KEY, "thumb", 3)


def put(storage: LocalStorage, key: str, content: bytes) -> None:
    with storage.temporary() as source:
        source.write_bytes(content)
        storage.put(key, source)


def read(storage: LocalStorage, key: str) -> bytes:
    with storage.open(key) as blob:
        return blob.read()


def leftovers(storage: LocalStorage) -> list[Path]:
    return [path for path, _age in storage.temporaries()]
