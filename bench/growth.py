"""Whether a decision costs the same in a large vault as in a small one, on SQLite and, where it is there, PostgreSQL.

Small: 1,000 pictures, 100 albums ten deep, 100 people in 10 groups, 100 links. Large: 1,000,000 pictures, 100,000
albums, 10,000 people in 1,000 groups, 100,000 links with a visitor each. Measured as the processor time of `authorize`
and, on PostgreSQL, of the server's process that answers: wall time says more about who else is at work. Bound: at most
1.5 times.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from bench.building import build
from bench.large import LARGE, MEMBER, OWNER, SMALL, Size, at_the_bottom, fill, link_of_tree, of_owner, trees_of_member
from vault.db import db
from vault.models.media import Media
from vault.models.sharing import Link
from vault.policy import Action, Credential, Denied, Viewer, authorize

BOUND = 1.5
CALLS, ROUNDS = 200, 25
Questions = Sequence[tuple[Viewer | Credential, str]]


def run() -> None:
    """Print the times and their ratio."""
    for name, homes in _databases():
        small: dict[str, float] = {}
        for size, (home, url) in zip((SMALL, LARGE), homes, strict=True):
            house = build(home, url)
            with house.app.app_context():
                began = time.monotonic()
                fill(size)
                print(f"{name:10} {size.pictures:9,} pictures: filled in {time.monotonic() - began:.0f} s", flush=True)
                _measure(name, size, small)
                db.session.remove()
                db.engine.dispose()


def _measure(name: str, size: Size, small: dict[str, float]) -> None:
    for who, questions in _questions(size).items():
        micros = _cost(questions, time.process_time if name == "SQLite" else _with_servers())
        ratio = micros / small.setdefault(who, micros)
        verdict = "" if ratio <= BOUND else f"  more than {BOUND}!"
        print(
            f"{name:10} {size.pictures:9,} pictures  {who:20} {micros:7.1f} µs  {ratio:5.2f} × small{verdict}",
            flush=True,
        )


def _questions(size: Size) -> dict[str, Questions]:
    """Return what is asked: by the owner, by a member of a group ten deep, by a visitor ten deep, and in vain."""
    owner, member = Viewer(user_id=OWNER), Viewer(user_id=MEMBER)
    trees = list(trees_of_member(size))
    deep = [media for tree in trees for media in at_the_bottom(tree)]
    foreign = [media for tree in trees for media in at_the_bottom(tree - 1)]
    visits: list[tuple[Viewer | Credential, str]] = []
    for tree in trees:
        number = link_of_tree(tree)
        link_id = db.session.scalar(sa.select(Link.public_id).where(Link.id == number))
        visitor = Credential(f"{number - 1:064}", link_id=link_id)
        visits += [(visitor, public_id) for public_id in _public_ids(at_the_bottom(tree))]
    found: dict[str, Questions] = {
        "owner": [(owner, each) for each in _public_ids(of_owner(size))],
        "group, ten deep": [(member, each) for each in _public_ids(deep)],
        "visitor, ten deep": visits,
        "member, in vain": [(member, each) for each in _public_ids(foreign)],
    }
    db.session.remove()
    for who, questions in found.items():
        if not all(_is_open(*each) is (who != "member, in vain") for each in questions):
            raise RuntimeError(f"the answers for {who} are wrong, so their times say nothing")
    return found


def _public_ids(numbers: Sequence[int]) -> list[str]:
    return list(db.session.scalars(sa.select(Media.public_id).where(Media.id.in_(numbers)).order_by(Media.id)))


def _cost(questions: Questions, clock: Callable[[], float]) -> float:
    asked = (list(questions) * (CALLS // len(questions) + 1))[:CALLS]
    took = []
    for _ in range(ROUNDS):  # the first of them warms what the others use
        began = clock()
        for who, public_id in asked:
            _is_open(who, public_id)
        took.append((clock() - began) / len(asked) * 1e6)
    return min(took)


def _with_servers() -> Callable[[], float]:
    """Return a clock of the processor time of this process and of all that answer to it in PostgreSQL."""
    asked = sa.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    mine = [Path(f"/proc/{pid}/schedstat") for pid in db.session.scalars(asked)]
    db.session.remove()

    def seconds() -> float:
        return time.process_time() + sum(int(each.read_text().split()[0]) for each in mine) / 1e9

    return seconds


def _is_open(who: Viewer | Credential, public_id: str) -> bool:
    with suppress(Denied):
        authorize(who, Action.VIEW, Media, public_id)
        return True
    return False


def _databases() -> Iterator[tuple[str, list[tuple[Path, str]]]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", [(Path(folder) / name, "") for name in ("small", "large")]
    with tempfile.TemporaryDirectory(prefix="v") as folder, _postgresql(Path(folder)) as urls:
        if urls:
            homes = [Path(folder) / name for name in ("small", "large")]
            yield "PostgreSQL", list(zip(homes, urls, strict=True))


@contextmanager
def _postgresql(folder: Path) -> Iterator[list[str]]:
    try:
        from tests.databases import start_postgresql  # noqa: PLC0415  # its absence is said, not raised
    except ImportError:
        print("PostgreSQL is not there")
        yield []
        return
    with start_postgresql(folder / "data") as uri:
        engine = sa.create_engine(uri.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for name in ("small", "large"):
                connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        yield [sa.make_url(uri).set(database=name).render_as_string(hide_password=False) for name in ("small", "large")]
