"""Whether a decision costs the same in a large vault as in a small one, on SQLite and, where it is there, PostgreSQL.

Measured as the processor time of `authorize` on SQLite and as its wall time on PostgreSQL, whose work is another
process's. Bound: 1,000,000 pictures cost at most 1.5 times what 1,000 cost.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.building import build, fill_album
from tests.factories import House
from vault.db import db
from vault.models.media import Media
from vault.models.sharing import Role
from vault.policy import Action, Denied, Viewer, authorize

SIZES = (1_000, 1_000_000)
START = datetime(2000, 1, 1, tzinfo=UTC)
CALLS, ROUNDS = 200, 15


def run() -> None:
    """Print the times and their ratio."""
    for name, home, url in _databases():
        house = build(home, url)
        with house.app.app_context():
            _grow(name, house)
            db.session.remove()
            db.engine.dispose()


def _grow(name: str, house: House) -> None:
    anna, ben, eve = house.person("Anna"), house.person("Ben"), house.person("Eve")
    album = house.album(anna)
    house.grant(album, ben, Role.VIEWER)
    link = house.link(album)
    viewers = {
        "owner": anna.viewer,
        "member": ben.viewer,
        "stranger": eve.viewer,
        "link": Viewer(link_id=link.public_id, generation=1),
    }
    ids: list[str] = []
    small: dict[str, float] = {}
    for size in SIZES:
        ids += fill_album(album, anna, size - len(ids), START + len(ids) * timedelta(minutes=1), timedelta(minutes=1))
        db.session.remove()
        sample = ids[:: max(1, len(ids) // CALLS)][:CALLS]
        for who, viewer in viewers.items():
            micros = _cost(viewer, sample, time.process_time if name == "SQLite" else time.perf_counter)
            small.setdefault(who, micros)
            print(f"{name:10} {size:9,} pictures  {who:8} {micros:7.1f} µs  {micros / small[who]:5.2f} × small")


def _cost(viewer: Viewer, ids: list[str], clock: Callable[[], float]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = clock()
        for public_id in ids:
            _ask(viewer, public_id)
        took.append((clock() - began) / len(ids) * 1e6)
    return min(took)


def _ask(viewer: Viewer, public_id: str) -> None:
    with suppress(Denied):
        authorize(viewer, Action.VIEW, Media, public_id)


def _databases() -> Iterator[tuple[str, Path, str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", Path(folder), ""
    with tempfile.TemporaryDirectory(prefix="v") as folder, _postgresql(Path(folder)) as url:
        if url:
            yield "PostgreSQL", Path(folder) / "home", url


@contextmanager
def _postgresql(folder: Path) -> Iterator[str | None]:
    try:
        from tests.databases import start_postgresql  # noqa: PLC0415  # its absence is said, not raised
    except ImportError:
        print("PostgreSQL is not there")
        yield None
        return
    with start_postgresql(folder / "data") as uri:
        yield uri
