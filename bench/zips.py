"""What an archive of two gigabytes costs: memory of the server (at most 100 MB more), and time."""

import tempfile
import time
from pathlib import Path

from tests.factories import House
from tests.live.client import Client
from tests.live.large import count, forget_peak, grow, peak_bytes, reading
from tests.live.server import looking_inside, running

MIB = 1024**2
SIZES = (1_200 * MIB, 1_000 * MIB)


def run() -> None:
    """Print memory and time."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "home", "--migrate", "--no-worker") as vault:
        with looking_inside(vault.home) as house:
            path, token = _album(house)
        client = vault.client(token=token)
        client.json("GET", "/me")  # so that what a process makes for its first request is not counted
        before = {pid: forget_peak(pid) for pid in vault.web_processes()}
        began = time.perf_counter()
        said, came = _read(client, path)
        seconds = time.perf_counter() - began
        grown = max(peak_bytes(pid) - held for pid, held in before.items())
        print(f"announced {said:,} bytes, came {came:,}")
        print(f"{seconds:.1f} s, {came / MIB / seconds:.0f} MB/s; {grown / MIB:.1f} MB more memory (at most 100)")


def _album(house: House) -> tuple[str, str]:
    anna = house.person("Anna")
    album = house.album(anna)
    for size in SIZES:
        grow(house, house.picture(anna, album), size)
    return f"/api/v1/albums/{album.public_id}/zip", house.token(anna)["Authorization"].removeprefix("Bearer ")


def _read(client: Client, path: str) -> tuple[int, int]:
    with reading(client, path) as answer:
        return int(answer.headers["Content-Length"]), count(answer)
