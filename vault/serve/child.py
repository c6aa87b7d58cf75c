"""What the supervisor's children do: be the web server, or run the worker's script.

Floor 5: knows gunicorn and how to end with the supervisor. Must not know pages or rows.
"""

import ctypes
import gc
import importlib
import logging
import os
import re
import runpy
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from typing_extensions import override

# Sixteen slow readers stop a server with few threads; with 64 a process, 120 of them are not noticed.
THREADS = 64
# What one process holds open at most; those without a request under way cost no thread.
CONNECTIONS = 1024
KEEP_ALIVE_SECONDS = 15
# About the process as a whole: each thread may take as long as an upload or a download needs.
HEARTBEAT_SECONDS = 60
REQUEST_GRACE_SECONDS = 3
LONGEST_LINE_BYTES = 8190
MOST_HEADERS = 64
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # gunicorn makes its own unguessable file there
WATCH_SECONDS = 0.5
PR_SET_PDEATHSIG = 1
# What malloc keeps for the next buffer and does not give back: from how many bytes on a buffer has its own pages, free
# bytes at the end of a heap, heaps. The kernel clears each page anew, which was a quarter of what an upload cost.
MALLOC = {-3: 1 << 20, -1: 4 << 20, -8: 8}

PATH = re.compile(r"/\S*")


class Web(BaseApplication):
    """gunicorn around the application, on a socket that is already bound."""

    def __init__(self, listener: int, processes: int, factory: str) -> None:
        self._listener = listener
        self._processes = processes
        self._factory = factory
        super().__init__()

    @override
    def load_config(self) -> None:
        settings = {
            "bind": f"fd://{self._listener}",
            "workers": self._processes,
            "worker_class": "vault.serve.patience.PatientWorker",
            "threads": THREADS,
            "worker_connections": CONNECTIONS,
            "preload_app": True,
            "keepalive": KEEP_ALIVE_SECONDS,
            "timeout": HEARTBEAT_SECONDS,
            "graceful_timeout": REQUEST_GRACE_SECONDS,
            "limit_request_line": LONGEST_LINE_BYTES,
            "limit_request_fields": MOST_HEADERS,
            "limit_request_field_size": LONGEST_LINE_BYTES,
            # Proxies are counted in the application; the server believes no forwarded header.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "accesslog": None,
            "loglevel": "warning",
            "control_socket_disable": True,
            # Threads do not live through a fork, so each process begins to write its own notes.
            "post_worker_init": _begin_recording,
            "worker_exit": _end_recording,
            "proc_name": "vault",
            # A heartbeat on a disk that is busy with uploads would be late.
            "worker_tmp_dir": str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    @override
    def load(self) -> Any:
        """Make the application before the processes fork, and leave it no connection that they would share."""
        module, _, name = self._factory.partition(":")
        app = getattr(importlib.import_module(module), name)()
        database = app.extensions.get("sqlalchemy")
        if database:
            with app.app_context():
                for engine in database.engines.values():
                    engine.dispose()
        _spare_the_collector()
        return app


def begin(deed: Callable[[], None]) -> int:
    """Do something in a copy of this process, which ends with us at the latest, and return the copy's number."""
    parent = os.getpid()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        # A group of its own: Ctrl-C reaches the supervisor alone, which then ends everybody in order.
        os.setpgid(0, 0)
        _end_with(parent)
        deed()
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001  # nothing of a copy may go back up into the supervisor's code
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def serve_web(listener: int, processes: int, factory: str) -> None:
    """Be gunicorn on a listening socket, around what `module:function` makes."""
    _keep_buffers()
    logging.getLogger("gunicorn.error").addFilter(_hide_addresses)
    web = Web(listener, processes, factory)
    try:
        web.wsgi()
    except Exception as error:
        # A refusal of ours is one clear sentence; anything else is a defect and shows where.
        if not type(error).__module__.startswith("vault."):
            raise
        click.echo(str(error), err=True)
        raise SystemExit(1) from None
    web.run()


def run_script(listener: socket.socket, script: str, arguments: list[str]) -> None:
    """Run a Python file as if it had been called, without the socket that it has no use for."""
    listener.close()
    sys.argv = [str(Path(script).resolve()), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")


def _spare_the_collector() -> None:
    """Let what is there for good be looked through no more: a request in the middle of that waits half a second."""
    gc.collect()
    gc.freeze()


def _keep_buffers() -> None:
    """Let the buffers of requests be used again; other C libraries than glibc go on as they do."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in MALLOC.items():
            mallopt(option, value)


def _begin_recording(worker: Any) -> None:
    vault = _extensions(worker).get("vault")
    if vault:
        vault.recorder.start()


def _end_recording(_server: Any, worker: Any) -> None:
    vault = _extensions(worker).get("vault")
    if vault:
        vault.recorder.stop()


def _extensions(worker: Any) -> dict[str, Any]:
    """Return what the application holds; a bare function holds nothing."""
    found: dict[str, Any] = getattr(worker.wsgi, "extensions", {})
    return found


def _end_with(parent: int) -> None:
    """Make sure that this process is asked to end when its supervisor dies, in whatever way."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        raise SystemExit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _hide_addresses(record: logging.LogRecord) -> bool:
    """Cut the addresses of requests out of gunicorn's complaints: they may hold a token."""
    record.msg, record.args = PATH.sub("/…", record.getMessage()), None
    return True
