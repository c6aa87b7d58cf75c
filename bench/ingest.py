"""What taking files in costs: two hundred of four megabytes by tus, against threads that only hash and write them.

Bounds: at least 0.4 of what four threads reach that hash the same bytes and write them with fsync, without a proxy; and
200 uploads at the same time raise the memory of the web processes by 150 MB at most.
"""

import base64
import hashlib
import http.client
import os
import random
import re
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.factories import small_picture
from tests.live.commands import manage
from tests.live.server import LiveVault, looking_inside, new_home, running

FILES, FILE_BYTES = 200, 4_000_000
SENDERS, WRITERS, ROUNDS = 8, 4, 3
PARALLEL, MIB = 200, 1 << 20
BOUND, BOUND_MIB = 0.4, 150
FIRST_BYTES = 100_000
PSS = re.compile(r"^Pss: +([0-9]+) kB$", re.MULTILINE)


def run() -> None:
    """Print the ratio and the memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manage(folder / "migrated", "migrate")
        home = new_home(folder, folder / "migrated" / "vault.db")
        with looking_inside(home) as house:
            proof = house.token(house.person("Anna"))
        with running(home, "--no-worker") as vault:
            _send_all(vault, proof, _files(8))
            _rates(vault, proof, folder)
            _memory(vault, proof)


def _rates(vault: LiveVault, proof: dict[str, str], folder: Path) -> None:
    ratios = []
    for number in range(ROUNDS):
        files, place = list(_files(FILES)), folder / f"alone-{number}"
        alone = _timed(_write_all, place, files)
        sent = _timed(_send_all, vault, proof, files)
        ratios.append(alone / sent)
        megabytes = FILES * FILE_BYTES / 1e6
        print(f"hash and write {megabytes / alone:5.0f} MB/s   by tus {ratios[-1]:5.2f} of it", flush=True)
        shutil.rmtree(place)
    ratio = statistics.median(ratios)
    print(f"ingest by tus: {ratio:.2f} of hashing and writing{'' if ratio >= BOUND else f'  less than {BOUND}!'}")


def _memory(vault: LiveVault, proof: dict[str, str]) -> None:
    """Begin 200 uploads, let all of them be halfway at the same time, and finish them."""
    before = _held(vault)
    most, done = [before], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], _held(vault))

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun = threading.Barrier(PARALLEL)
    try:
        with ThreadPoolExecutor(PARALLEL) as senders:
            statuses = Counter(senders.map(lambda data: _send_slowly(vault, proof, data, begun), _files(PARALLEL)))
    finally:
        done.set()
        watcher.join()
    risen = (most[0] - before) / MIB
    verdict = "" if risen <= BOUND_MIB else f"  more than {BOUND_MIB}!"
    answers = ", ".join(f"{count} × {status}" for status, count in statuses.items())
    print(f"{PARALLEL} uploads at the same time, answered {answers}:")
    print(f"{before / MIB:.0f} MiB of web processes rise by {risen:.0f} MiB{verdict}")


def _files(count: int) -> Iterable[bytes]:
    """Yield files that begin as pictures and are all different; the rest is what no disk can make smaller."""
    chance = random.Random()  # noqa: S311  # weight, not a secret
    for _ in range(count):
        head = small_picture()
        yield head + chance.randbytes(FILE_BYTES - len(head))


def _write_all(folder: Path, files: Iterable[bytes]) -> None:
    folder.mkdir()

    def write(numbered: tuple[int, bytes]) -> str:
        number, data = numbered
        with (folder / str(number)).open("wb", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())
        return hashlib.sha256(data).hexdigest()

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, enumerate(files)))


def _send_all(vault: LiveVault, proof: dict[str, str], files: Iterable[bytes]) -> None:
    """Send each file with its announcement, over connections that stay."""
    of_thread = threading.local()

    def send(data: bytes) -> None:
        if not hasattr(of_thread, "connection"):
            of_thread.connection = http.client.HTTPConnection("127.0.0.1", vault.port, timeout=120)
        of_thread.connection.request("POST", "/uploads/", data, _said(proof, data))
        answer = of_thread.connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.CREATED:
            raise RuntimeError(f"not kept: {answer.status}")

    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(send, files))


def _send_slowly(vault: LiveVault, proof: dict[str, str], data: bytes, begun: threading.Barrier) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", vault.port, timeout=300)
    connection.putrequest("POST", "/uploads/")
    for name, value in (_said(proof, data) | {"Content-Length": str(len(data))}).items():
        connection.putheader(name, value)
    connection.endheaders()
    # As much as fits between the two, also of those that the server has no thread for yet.
    connection.send(data[:FIRST_BYTES])
    begun.wait(120)
    connection.send(data[FIRST_BYTES:])
    status = connection.getresponse().status
    connection.close()
    return status


def _said(proof: dict[str, str], data: bytes) -> dict[str, str]:
    return proof | {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Length": str(len(data)),
        "Upload-Metadata": f"filename {base64.b64encode(b'photo.jpg').decode()}",
    }


def _held(vault: LiveVault) -> int:
    """Return the memory of all web processes together, in bytes; what they share counts once (proc(5), Pss)."""
    rolled = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in vault.web_processes()]
    return sum(int(PSS.findall(text)[0]) * 1024 for text in rolled)


def _timed(work: Callable[..., object], *given: object) -> float:
    began = time.monotonic()
    work(*given)
    return time.monotonic() - began
