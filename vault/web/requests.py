"""The request log: one line per request, without secrets.

Floor 4. Addresses are logged by their pattern, so that the token of a link or an invitation is never in it; values are
JSON, so that nobody can begin a line of his own.
"""

import time
from typing import cast

import structlog
from flask import Flask, Response, request

from vault.web.delivery import is_delivered
from vault.web.receiving import UploadRequest

log = structlog.get_logger("vault.request")


def init(app: Flask) -> None:
    """Log every answer."""
    app.after_request(_end)


def _end(answer: Response) -> Response:
    if is_delivered(answer) or request.endpoint == "health.alive":
        return answer  # a page has a hundred pictures; who took an original is an event
    took = (time.perf_counter() - cast("UploadRequest", request).began) * 1000
    rule = request.url_rule.rule if request.url_rule else "no such address"
    log.info("request", method=request.method, address=rule, status=answer.status_code, took_ms=round(took, 1))
    return answer
