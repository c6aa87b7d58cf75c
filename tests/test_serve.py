"""One command serves it all: ready when it says so, mended when a part dies, and gone when it ends."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads the processes from /proc")

APP = """
import os, time
from flask import Flask, request
from sqlalchemy import text
from vault.config import SettingsError
from vault.db import db

def create():
    app = Flask("tiny")
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///" + os.path.abspath("tiny.db")
    db.init_app(app)
    with app.app_context():
        db.session.execute(text("SELECT 1"))

    @app.get("/healthz")
    def healthz():
        return ("ok", 200) if request.host == os.environ["VAULT_ORIGIN"].split("//")[1] else ("who?", 400)

    @app.get("/about")
    def about():
        return {"scheme": request.scheme, "address": request.remote_addr, "pid": os.getpid(), "master": os.getppid(),
                "origin": os.environ["VAULT_ORIGIN"], "pooled": db.engine.pool.checkedin()}

    @app.get("/slow")
    def slow():
        time.sleep(1.5)
        return "finished"

    return app

def refuse():
    raise SettingsError(["VAULT_SECRET_KEY is easy to guess"])

def defect():
    raise RuntimeError("a defect")
"""
WORKER = """
import os, sys, time
from pathlib import Path
Path("worker-" + sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
"""
RUN = """
import sys
from vault.serve import serve
host, port, factory = sys.argv[1:]
say = lambda origin: print("ready:", origin, flush=True)
sys.exit(serve(host, int(port), factory=factory, worker_command=("work.py", "now"), on_ready=say))
"""


class Served:
    """A supervisor of a tiny application, and what can be asked of it."""

    def __init__(self, home: Path, factory: str, *, port: int = 0, origin: str = "") -> None:
        (home / "tiny.py").write_text(APP)
        (home / "work.py").write_text(WORKER)
        self.home = home
        self.mark = f"VAULT_TEST_MARK={uuid.uuid4()}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
        name, _, value = self.mark.partition("=")
        environment = {**clean, "PYTHONPATH": f"{ROOT}{os.pathsep}{home}", name: value}
        if origin:
            environment["VAULT_ORIGIN"] = origin
        command = [sys.executable, "-c", RUN, "127.0.0.1", str(port), f"tiny:{factory}"]
        self.process = subprocess.Popen(
            command, cwd=home, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.port = 0

    def wait_until_ready(self) -> None:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("Vault is ready at http://127.0.0.1:"), line
        self.port = int(line.rpartition(":")[2])

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def about(self, **headers: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.get("/about", **headers)[1])
        return found

    def processes(self) -> set[int]:
        """Find every process that was started from here, by what it inherited."""
        found = set()
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                # A process that has ended and waits to be noticed has an empty environment.
                if self.mark.encode() in path.read_bytes().split(b"\0"):
                    found.add(int(path.parent.name))
            except (PermissionError, FileNotFoundError, ProcessLookupError):
                continue
        return found

    def worker(self) -> int:
        file = self.home / "worker-now"
        eventually(lambda: file.exists() and file.read_text() != "")
        return int(file.read_text())

    def end(self) -> tuple[str, str]:
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        return self.process.communicate(timeout=10)


def eventually(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def serving(home: Path, origin: str = "") -> Iterator[Served]:
    served = Served(home, "create", origin=origin)
    try:
        served.wait_until_ready()
        yield served
    finally:
        served.end()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


class TestReady:
    def test_it_answers_when_it_says_so(self, served: Served) -> None:
        assert served.get("/healthz", Host=f"127.0.0.1:{served.port}") == (200, "ok")

    def test_an_origin_that_nobody_configured_is_the_address(self, served: Served) -> None:
        assert served.about()["origin"] == f"http://127.0.0.1:{served.port}"

    def test_a_configured_origin_is_kept_and_handed_on(self, tmp_path: Path) -> None:
        with serving(tmp_path, origin="https://photos.example.org") as served:
            assert served.about()["origin"] == "https://photos.example.org"
            assert served.process.stdout
            assert served.process.stdout.readline() == "ready: https://photos.example.org\n"

    def test_two_processes_serve_and_a_worker_works(self, served: Served) -> None:
        # The supervisor, gunicorn's master, its two processes, the worker.
        eventually(lambda: len(served.processes()) == 5)
        assert served.worker() in served.processes()

    def test_no_connection_of_the_database_crosses_the_fork(self, served: Served) -> None:
        assert served.about()["pooled"] == 0

    def test_what_it_writes_only_its_owner_can_read(self, served: Served) -> None:
        assert stat.S_IMODE((served.home / "tiny.db").stat().st_mode) == 0o600

    def test_forwarded_headers_are_not_believed(self, served: Served) -> None:
        about = served.about(X_Forwarded_Proto="https", X_Forwarded_For="1.2.3.4", X_Forwarded_Ssl="on")
        assert (about["scheme"], about["address"]) == ("http", "127.0.0.1")

    def test_long_addresses_and_headers_are_refused(self, served: Served) -> None:
        assert served.get("/" + "x" * 9000)[0] == 414
        assert served.get("/about", X_Long="x" * 9000)[0] == 431
        assert served.get("/about", **{f"X_{number}": "x" for number in range(100)})[0] == 431


class TestRefusals:
    def test_a_taken_port_is_one_line_and_status_1(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            served = Served(tmp_path, "create", port=port)
            assert served.process.wait(20) == 1
        assert served.end() == ("", f"Cannot listen on 127.0.0.1, port {port}: Address already in use\n")

    def test_a_vault_that_refuses_to_start_says_why_and_leaves_nothing(self, tmp_path: Path) -> None:
        served = Served(tmp_path, "refuse")
        assert served.process.wait(20) == 1
        assert served.processes() == set()
        assert served.end()[1] == "VAULT_SECRET_KEY is easy to guess\nThe web server did not start\n"

    def test_a_defect_shows_where_it_is(self, tmp_path: Path) -> None:
        served = Served(tmp_path, "defect")
        assert served.process.wait(20) == 1
        errors = served.end()[1]
        assert "Traceback" in errors
        assert "RuntimeError: a defect" in errors


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_asked_to_end_all_of_it_ends(self, tmp_path: Path, number: signal.Signals) -> None:
        with serving(tmp_path) as served:
            served.worker()
            served.process.send_signal(number)
            assert served.process.wait(20) == 0
            assert served.processes() == set()

    def test_a_request_under_way_is_finished_first(self, tmp_path: Path) -> None:
        with serving(tmp_path) as served:
            connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
            connection.request("GET", "/slow")
            time.sleep(0.3)
            served.process.terminate()
            assert connection.getresponse().read() == b"finished"
            connection.close()
            assert served.process.wait(8) == 0

    def test_killed_it_leaves_no_orphan(self, tmp_path: Path) -> None:
        with serving(tmp_path) as served:
            served.worker()
            eventually(lambda: len(served.processes()) == 5)
            served.process.kill()
            served.process.wait()
            eventually(lambda: served.processes() == set(), 6)


class TestMending:
    def test_a_killed_part_is_started_again(self, tmp_path: Path) -> None:
        with serving(tmp_path) as served:
            before = served.about()
            for killed in (before["pid"], before["master"], served.worker()):
                (tmp_path / "worker-now").unlink(missing_ok=True)
                assert isinstance(killed, int)
                os.kill(killed, signal.SIGKILL)
                eventually(lambda gone=killed: gone not in served.processes())  # type: ignore[misc]  # bound now
                assert served.get("/about")[0] == 200
            assert served.worker() in served.processes()
            eventually(lambda: len(served.processes()) == 5)
            assert served.about()["master"] != before["master"]

    def test_complaints_hold_no_address(self, tmp_path: Path) -> None:
        with serving(tmp_path) as served:
            with socket.create_connection(("127.0.0.1", served.port)) as client:
                client.sendall(b"GET /l/secret-token\r\n\r\n")
                assert b"400" in client.recv(1000)
            errors = served.end()[1]
        assert "Invalid request" in errors
        assert "secret-token" not in errors
