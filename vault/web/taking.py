"""Visitors' downloads: the limit is asked before the first byte, and what went out is counted as it goes.

Floor 4, a hall that the page files use. A download that breaks off and is resumed is one download: it is complete when
the stretches that went out cover the file (docs/adr/0012-recording.md).
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from flask import Response, request

from vault.models.sharing import LinkTerms
from vault.policy import Permit
from vault.services import recording
from vault.services.recording import Recorder
from vault.web.access import vault


def begin(permit: Permit[Any], thing: str) -> None:
    """Ask whether a visitor may begin, or go on with, the download of a thing. Raises Denied when none is left."""
    if permit.terms is not None:
        recording.claim(permit.viewer, permit.terms, thing, begins=request.method == "GET")


def counted(answer: Response, permit: Permit[Any], thing: str) -> Response:
    """Return an answer whose bytes are noted as they go out, where a visitor takes something home."""
    terms: LinkTerms | None = permit.terms
    if terms is None or permit.viewer.visit_id is None or request.method != "GET":
        return answer
    if answer.status_code not in (200, 206):
        return answer
    start, size = _stretch(answer)
    if "X-Accel-Redirect" in answer.headers:
        # The web server in front sends the bytes, and does not say how many went out.
        vault().recorder.sent(permit.viewer.visit_id, thing, (0, size), size)
        return answer
    chunks = cast("Iterable[bytes]", answer.response)
    answer.response = _Noted(chunks, vault().recorder, permit.viewer.visit_id, thing, start, size)
    return answer


def _stretch(answer: Response) -> tuple[int, int]:
    """Return with which byte an answer begins, and how many the whole has."""
    length = int(answer.headers.get("Content-Length", 0))
    found = answer.content_range
    if found.start is not None and found.length is not None:
        return found.start, found.length
    return 0, length


class _Noted:
    """Pieces of an answer, counted as they go. The server closes what it sends, also what it never began to send."""

    def __init__(  # noqa: PLR0917  # what is counted, for whom, of what
        self, chunks: Iterable[bytes], recorder: Recorder, visit_id: int, thing: str, start: int, size: int
    ) -> None:
        self._chunks, self._recorder = chunks, recorder
        self._visit_id, self._thing, self._start, self._size = visit_id, thing, start, size
        self._gone = 0
        self._is_over = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            yield chunk
            # Asked for the next one, the server has sent this one.
            self._gone += len(chunk)

    def close(self) -> None:
        """Close the file that the pieces come from, and note what went out; a second call does nothing."""
        if not self._is_over:
            self._is_over = True
            getattr(self._chunks, "close", lambda: None)()
            self._recorder.sent(self._visit_id, self._thing, (self._start, self._start + self._gone), self._size)
