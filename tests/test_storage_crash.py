"""The storage under kill -9: what was acknowledged is there with its bytes, the rest is whole, absent or temporary."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.blobs import MEDIA, OWNER
from vault.storage import original_key
from vault.storage.local import LocalStorage

UPLOADS = """
import hashlib, os, sys
from pathlib import Path
from tests.blobs import MEDIA, OWNER
from vault.storage import original_key
from vault.storage.incoming import Incoming
from vault.storage.local import LocalStorage

storage = LocalStorage(Path(sys.argv[1]))
while True:
    with Incoming(storage, 10**7) as incoming:
        for _ in range(20):
            incoming.write(os.urandom(10_000))
        key = original_key(OWNER, incoming.sha256, MEDIA)
        incoming.keep(key)
    print(key, flush=True)
"""
ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.torture
def test_an_upload_killed_at_any_moment_is_whole_or_not_there(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "blobs")
    acknowledged: set[str] = set()
    for turn in range(10):
        command = [sys.executable, "-c", UPLOADS, str(storage.root)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as uploads:
            assert uploads.stdout
            acknowledged.add(uploads.stdout.readline().strip())
            time.sleep(0.003 * turn)
            uploads.kill()
            # The last line may have been cut off by the kill; a whole one was acknowledged.
            acknowledged |= {line.strip() for line in uploads.stdout if line.endswith("\n")}
    kept = set(storage.keys())
    assert len(acknowledged) >= 10
    assert acknowledged <= kept
    for key in kept:
        with storage.open(key) as blob:
            assert original_key(OWNER, hashlib.sha256(blob.read()).hexdigest(), MEDIA) == key
    for path, _age in list(storage.temporaries()):
        storage.discard(path)
    assert list((storage.root / "tmp").iterdir()) == []
