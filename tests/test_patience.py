"""Who sends half a request keeps no thread, and who is merely slow is served."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests import test_serve
from tests.test_serve import Served, eventually, serving

HALF_OPEN = 70  # more than the one process has threads
HEAD = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"
HASTE = "from vault.serve import patience; patience.SILENCE_SECONDS = 1.5\n"
APP = """
    @app.post("/take")
    def take():
        return str(len(request.get_data()))

    @app.get("/give")
    def give():
        return b"x" * 4_000_000

    return app

def refuse"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_serve, "RUN", HASTE + test_serve.RUN.replace("factory=", "web_workers=1, factory=", 1))
        patch.setattr(test_serve, "APP", test_serve.APP.replace("\n    return app\n\ndef refuse", APP, 1))
        with serving(tmp_path_factory.mktemp("served")) as found:
            yield found


@pytest.mark.parametrize("half", [b"GET /about HTTP/1.1\r\nHost:", HEAD + b"half"], ids=["head", "body"])
def test_half_requests_stop_nobody_for_long(served: Served, half: bytes) -> None:
    with ExitStack() as open_ends:
        for _ in range(HALF_OPEN):
            open_ends.enter_context(socket.create_connection(("127.0.0.1", served.port))).sendall(half)
        time.sleep(0.3)
        began = time.monotonic()
        assert served.get("/about")[0] == 200
        assert time.monotonic() - began < 10


def test_a_trickle_comes_to_an_end(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.settimeout(0.2)
        client.sendall(b"GET /about HTTP/1.1\r\nX: ")
        eventually(lambda: turned_away(client))


def turned_away(client: socket.socket) -> bool:
    """Send one more byte, and say whether the server has had enough."""
    try:
        client.sendall(b"x")
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_slow_upload_arrives_whole(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(HEAD)
        for _ in range(30):
            client.sendall(b"x" * 10_000)
            time.sleep(0.1)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.read() == b"300000"


def test_a_slow_download_arrives_whole(served: Served) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", served.port))
        client.sendall(b"GET /give HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(3)  # longer than silence is borne the other way round
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert len(answer.read()) == 4_000_000
