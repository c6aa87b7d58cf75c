"""Strangers who send slowly what nobody asked them for: the vault goes on answering everybody else."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.server import running
from vault.serve.child import THREADS

SLOW = THREADS + 16
"""More than one process has threads."""


@pytest.mark.parametrize("path", [f"/l/{'A' * 22}/uploads/", "/uploads/"])
def test_slow_strangers_stop_nobody(home: Path, path: str) -> None:
    with running(home, "--no-worker", "--web-workers", "1") as vault, ExitStack() as open_ends:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{vault.port}\r\nTus-Resumable: 1.0.0\r\n"
            "Content-Type: application/offset+octet-stream\r\nContent-Length: 16777216\r\n\r\n"
        )
        strangers = [open_ends.enter_context(socket.create_connection(("127.0.0.1", vault.port))) for _ in range(SLOW)]
        for each in strangers:
            each.sendall(head.encode() + b"x" * 2_000)
        # Each has his answer while he still sends: nobody waits for the rest of it.
        for each in strangers:
            each.settimeout(30)
            assert each.recv(12).startswith(b"HTTP/1.1 40")
        # Closing them one after the other, and listening to each for two seconds more, would take much longer.
        began = time.monotonic()
        assert vault.client().get("/healthz").status == 200
        assert time.monotonic() - began < 30
