"""The session with the database: one way to write, one quick way to read, aware times.

Floor 0: knows SQLAlchemy and Flask-SQLAlchemy, no model and no rule.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import structlog
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, Select, TypeDecorator, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session, registry

WRITES = "vault_writes"
LAST_STEPS = "vault_last_steps"
# 8 MB a connection: the upper floors of the indexes of a million pictures, so that a decision stays in memory.
CACHE = "cache_size=-8000"
# As long as SQLite's own busy_timeout below; a write that nobody waits for gives up much sooner.
PATIENCE_SECONDS = 10.0
INCIDENTAL_PATIENCE_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 0.005


class Busy(Exception):
    """Others kept writing for as long as a request may wait; nothing of this one was written."""

    retry_after_seconds = 5


def utcnow() -> datetime:
    """Return the present moment as an aware UTC time."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time in every database; SQLite keeps it as text without an offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware time into what the driver keeps. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Give a kept time its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Base(DeclarativeBase):
    """Our own base, so that mypy knows the models; Flask-SQLAlchemy shares its metadata."""

    # A registry of our own, because Flask-SQLAlchemy makes a second base out of this one and may not repeat the map.
    registry = registry(metadata=METADATA, type_annotation_map={datetime: UtcDateTime})
    metadata = METADATA


_writers = threading.Lock()
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


@contextmanager
def transaction(*, patience_seconds: float | None = None) -> Iterator[Session]:
    """Open the one writing transaction of a use case: all of it happens, or nothing.

    What was read before is forgotten first: SQLite answers "locked" at once when a reader turns writer,
    but waits its turn (`BEGIN IMMEDIATE`) when it says so from the start.
    Raises RuntimeError when transactions are nested, Busy when its turn does not come in time.
    """
    session = db.session()
    if session.info.get(WRITES):
        raise RuntimeError("transactions do not nest")
    session.rollback()
    with _turn(db.engine, PATIENCE_SECONDS if patience_seconds is None else patience_seconds):
        session.info[WRITES], session.info[LAST_STEPS] = True, {}
        try:
            session.connection(execution_options={WRITES: True})
            yield session
            for step in session.info[LAST_STEPS].values():
                step(session)
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info[WRITES] = False


def last_steps(session: Session) -> dict[str, Callable[[Session], None]]:
    """Return what the open transaction does last before it commits, by name; to be added to.

    For what takes a lock that all writers need: nobody waits for it longer than a commit takes.
    Raises RuntimeError outside of a transaction.
    """
    if not session.info.get(WRITES):
        raise RuntimeError("there is no transaction that could have a last step")
    steps: dict[str, Callable[[Session], None]] = session.info[LAST_STEPS]
    return steps


@contextmanager
def incidental(what: str) -> Iterator[None]:
    """Let a request go on when a write beside its purpose fails: a full disk or a locked file must not stop reading.

    Goes around a `transaction` of its own; `what` names it in the log.
    """
    try:
        yield
    except (SQLAlchemyError, Busy, OSError) as error:
        structlog.get_logger().warning("not_written", what=what, why=type(error).__name__)


@contextmanager
def _turn(engine: Engine, patience_seconds: float) -> Iterator[None]:
    """Let the writers of a SQLite file in one after the other, through all threads and processes.

    SQLite itself has no queue: who finds it locked sleeps and looks again, and of two hundred writers a quarter is
    never lucky within its ten seconds. The file beside the database is empty, and free again when its holder is killed.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        yield
        return
    deadline = time.monotonic() + patience_seconds
    if not _writers.acquire(timeout=patience_seconds):
        raise Busy
    try:
        with open(f"{engine.url.database}-turn", "ab", opener=_private) as turn:
            _lock(turn, deadline)
            yield
    finally:
        _writers.release()


def _lock(turn: IO[bytes], deadline: float) -> None:
    """Look again and again, for the kernel's own waiting has no end. One thread of a process is here at a time."""
    while True:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Busy from None
            time.sleep(LOOK_AGAIN_SECONDS)
        else:
            return


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


class Prepared:
    """A reading statement compiled once and run straight on the driver.

    The byte path asks one question per request, and the driver answers it in a fifth of the time that the layers above
    it take. Bound values are text, whole numbers and aware times. The answer is the driver's own row.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def first(self, values: Mapping[str, object]) -> tuple[Any, ...] | None:
        """Return the first row, inside the writing transaction where one is open."""
        engine = db.engine
        if db.session.registry.has() and db.session.info.get(WRITES):
            return self._run(db.session.connection().connection.cursor(), engine.dialect, values)
        # Outside of one the statement is its own snapshot. A connection to SQLite is kept by its thread, because
        # lending
        # it costs as much as the question; one to PostgreSQL goes straight back.
        if engine.dialect.name == "sqlite":
            return self._run(_reading(engine).cursor(), engine.dialect, values)
        lent = engine.raw_connection()
        driver: Any = lent.driver_connection
        try:
            # Without a transaction around it there is none to roll back, which would make the driver forget what it
            # prepared: PostgreSQL takes twenty times as long to plan the question as to answer it.
            driver.autocommit = True
            row = self._run(lent.cursor(), engine.dialect, values)
            driver.autocommit = False
            return row
        except BaseException:
            lent.invalidate()
            raise
        finally:
            lent.close()

    def _run(self, cursor: Any, dialect: Dialect, values: Mapping[str, object]) -> tuple[Any, ...] | None:
        sql, order, fixed = self._sql(dialect)
        bound = {**fixed, **{name: _driver_value(value, dialect) for name, value in values.items()}}
        try:
            cursor.execute(sql, bound if order is None else [bound[name] for name in order])
            row: tuple[Any, ...] | None = cursor.fetchone()
        finally:
            cursor.close()
        return row

    def _sql(self, dialect: Dialect) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
        found = self._compiled.get(dialect.name)
        if found is None:
            compiled = self.statement.compile(dialect=dialect)
            order = tuple(compiled.positiontup) if compiled.positiontup else None
            # A value with a callable (the present moment) comes anew each time: leaving it out here makes forgetting
            # loud.
            fixed = {
                name: bind.value for name, bind in compiled.binds.items() if not bind.required and bind.callable is None
            }
            found = self._compiled[dialect.name] = (str(compiled), order, fixed)
        return found


def _driver_value(value: object, dialect: Dialect) -> object:
    if isinstance(value, datetime) and dialect.name == "sqlite":
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


class _Kept:
    """A thread's own reading connection; it never holds a transaction, and is closed with its thread."""

    def __init__(self, engine: Engine) -> None:
        lent = engine.raw_connection()
        self.connection: Any = lent.driver_connection
        lent.detach()

    def __del__(self) -> None:
        self.connection.close()


class _OfThread(threading.local):
    """What one thread keeps."""

    engine: Engine | None = None
    kept: _Kept | None = None


_of_thread = _OfThread()
# A connection must not be used on both sides of a fork.
os.register_at_fork(after_in_child=_of_thread.__dict__.clear)


def _reading(engine: Engine) -> Any:
    """Return this thread's reading connection."""
    kept = _of_thread.kept
    if kept is None or _of_thread.engine is not engine:
        kept = _of_thread.kept = _Kept(engine)
        _of_thread.engine = engine
    return kept.connection


def listen(engine: Engine) -> None:
    """Teach SQLite what the vault needs of it; PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        # The driver's own transactions begin too late to be immediate; `on_begin` begins them.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", CACHE):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
