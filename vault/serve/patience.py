"""How long the web server waits for somebody who sends a request: half of one must not keep a thread for ever.

Floor 5: knows gunicorn's threads and sockets. What is sent out is not hurried: a download takes as long as its line.
"""

import select
import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker
from typing_extensions import override

# Nothing at all for this long, and the sender counts as gone. As long is what every request has for free.
SILENCE_SECONDS = 20.0
# A whole request may take that and a second for each of these: slower than any line that somebody uploads by.
LEAST_BYTES_A_SECOND = 1024


class PatientWorker(ThreadWorker):
    """gunicorn's worker of threads, with an end to waiting for the rest of a request."""

    @override
    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection."""
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = PatientUnreader(conn.sock)
        conn.parser.unreader.begin()
        goes_on = super().handle(conn)
        if not goes_on:
            # The one thread that takes in everybody closes it, and would listen two seconds more to who still sends.
            with suppress(OSError):  # gone already
                conn.sock.shutdown(socket.SHUT_RD)
        return goes_on


class PatientUnreader(SocketUnreader):
    """What a client sends, as long as he goes on sending. Afterwards it looks as if he had hung up."""

    # gunicorn would hold a mebibyte for each of so many threads, and uploads are written in pieces of this size.
    max_body_chunk = 128 * 1024

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self._is_over = False
        self.begin()

    def begin(self) -> None:
        """Begin to count anew, for the next request of a connection."""
        self._waited_seconds = 0.0
        self._received_bytes = 0

    @override
    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next bytes, none at the end. Only waiting counts, not what the vault does in between."""
        if self._is_over:
            return b""
        if self.sock.gettimeout() is None:  # otherwise gunicorn is bounding it: it reads away what nobody wanted
            allowed = SILENCE_SECONDS + self._received_bytes / LEAST_BYTES_A_SECOND - self._waited_seconds
            began = time.monotonic()
            if not _is_readable(self.sock, min(SILENCE_SECONDS, allowed)):
                self._is_over = True
                with suppress(OSError):  # gone already
                    # Or gunicorn, closing it politely, would wait two seconds more, and with it all of the process.
                    self.sock.shutdown(socket.SHUT_RD)
                return b""
            self._waited_seconds += time.monotonic() - began
        found: bytes = super().chunk(size_hint)  # type: ignore[call-arg]  # the types are of an older gunicorn
        self._received_bytes += len(found)
        return found


def _is_readable(sock: Any, seconds: float) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))
