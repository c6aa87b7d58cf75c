"""A client that sends files in pieces and does not give up: whatever breaks off is asked about, and gone on with."""

import base64
import hashlib
import http.client
import threading
import time
from dataclasses import dataclass

from tests.live.client import Answer, Client

BROKEN_OFF = (OSError, http.client.HTTPException)
SPOKEN = {"Tus-Resumable": "1.0.0"}
# Another request of the same upload may not have noticed yet that its sender is gone.
PASSING = {409, 423, 500, 502, 503}


class Unwelcome(Exception):
    """The vault refused, for a reason that waiting does not change."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}: {answer.body[:300]!r}")
        self.status = answer.status


@dataclass
class Resuming:
    """Sends one file after the other. `broken_off` counts the requests that did not come to their end."""

    client: Client
    stop: threading.Event
    broken_off: int = 0

    def send(self, data: bytes, name: str, *, pieces: int = 3) -> str | None:
        """Send a file until it is acknowledged, and return its media id; None when it is to stop before.

        Raises Unwelcome.
        """
        path, offset = None, 0
        size = max(1, -(-len(data) // pieces))
        while not self.stop.is_set():
            try:
                if path is None:
                    path, offset = self._begin(data, name), 0
                answer = self._piece(path, offset, data[offset : offset + size])
                if answer.status != 204:
                    answer = self._look(path)
                offset = int(answer.headers["Upload-Offset"])
                if "Vault-Media" in answer.headers:
                    return answer.headers["Vault-Media"]
            except BROKEN_OFF:
                self.broken_off += 1
                time.sleep(0.05)
                if path is not None:
                    offset = self._offset(path, offset)
        return None

    def _begin(self, data: bytes, name: str) -> str:
        said = {"filename": name, "sha256": hashlib.sha256(data).hexdigest()}
        words = ",".join(f"{word} {base64.b64encode(value.encode()).decode()}" for word, value in said.items())
        headers = {**SPOKEN, "Upload-Length": str(len(data)), "Upload-Metadata": words}
        answer = self._patiently("POST", "/uploads/", b"", headers)
        return answer.headers["Location"].partition(self.client.host)[2] or answer.headers["Location"]

    def _piece(self, path: str, offset: int, piece: bytes) -> Answer:
        kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        return self._patiently("PATCH", path, piece, {**SPOKEN, **kind})

    def _look(self, path: str) -> Answer:
        return self._patiently("HEAD", path, b"", SPOKEN)

    def _offset(self, path: str, otherwise: int) -> int:
        try:
            return int(self._look(path).headers["Upload-Offset"])
        except BROKEN_OFF:
            return otherwise

    def _patiently(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send a request. What may pass is as if the connection had broken off."""
        answer = self.client.send(method, path, body, headers)
        if answer.status in PASSING:
            raise http.client.HTTPException(f"{answer.status} to {method}")
        if answer.status >= 300:
            raise Unwelcome(answer)
        return answer
