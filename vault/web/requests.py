"""The request log: one line per request, without secrets.

Floor 4. Addresses are logged by their pattern, so that the token of a link or an invitation is never in it; values are
JSON, so that nobody can begin a line of his own.
"""

import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("vault.request")


def init(app: Flask) -> None:
    """Log every answer."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.perf_counter()


def _end(answer: Response) -> Response:
    took = (time.perf_counter() - g.began) * 1000 if "began" in g else 0.0
    if request.endpoint == "health.alive":
        return answer  # asked every few seconds by whoever watches
    rule = request.url_rule.rule if request.url_rule else "no such address"
    log.info("request", method=request.method, address=rule, status=answer.status_code, took_ms=round(took, 1))
    return answer
