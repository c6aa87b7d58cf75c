"""The one table that turns a refusal into a status and an answer.

Floor 4. Refusals know nothing of HTTP; how one is worded depends on what the address answers with.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask.globals import request_ctx
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from vault import audit
from vault.db import INCIDENTAL_PATIENCE_SECONDS, Busy, incidental, transaction
from vault.imaging.identify import Unsupported
from vault.passwords import TooBusy, UnacceptablePassword
from vault.policy import Denied
from vault.services import Conflict, NotReady, OverQuota, Refused
from vault.services.editions import StillBeingMade
from vault.services.sessions import Throttled
from vault.services.uploads.fitting import TooManyOpen
from vault.services.uploads.pouring import Altered, TooLong
from vault.services.uploads.promises import Malformed, NotTheFile, Over
from vault.services.visiting import MadeUp
from vault.services.zipping.choosing import TooMany
from vault.services.zipping.places import Crowded
from vault.storage import InUse, Missing, StorageFull, TooLarge
from vault.web import access
from vault.web.access import Face, NotSignedIn

log = structlog.get_logger()
# How the addresses below a link answer.
VISITORS = (Face.VISIT, Face.VISIT_API)
FORBIDDEN_TITLE = "This is not open to you"
FORBIDDEN = (
    "There is nothing here, or it is not shared with you. "
    "If somebody gave you this address, ask them to share it again."
)


@dataclass(frozen=True)
class Answer:
    """A refusal in words: status, headline, and what to do."""

    status: int
    title: str
    detail: str
    retry_after_seconds: int | None = None
    fields: dict[str, str] | None = None


TABLE: dict[type[Exception], tuple[int, str]] = {
    Conflict: (409, "That is there already"),
    IntegrityError: (409, "Somebody was faster"),
    OverQuota: (413, "Your space is full"),
    Throttled: (429, "One moment, please"),
    TooBusy: (429, "One moment, please"),
    Busy: (503, "One moment, please"),
    Crowded: (503, "One moment, please"),
    UnacceptablePassword: (422, "Please choose another password"),
    TooMany: (422, "This is more than fits into one archive"),
    Malformed: (400, "That is not a request we understand"),
    TooManyOpen: (429, "One moment, please"),
    TooLong: (413, "This file is too large"),
    Altered: (460, "It changed on its way"),
    NotTheFile: (460, "This is another file"),
    Over: (410, "This upload is over"),
    InUse: (423, "One moment, please"),
    Refused: (422, "That did not work"),
    Unsupported: (415, "This file cannot be kept"),
    TooLarge: (413, "This file is too large"),
    StorageFull: (507, "The vault is full"),
    NotReady: (404, "Not ready yet"),
    StillBeingMade: (503, "One moment, please"),
    Missing: (404, "The bytes are missing"),
    CSRFError: (400, "This form is out of date"),
}
DETAILS: dict[type[Exception], str] = {
    IntegrityError: "The same was asked for twice at one moment, and one of the two was done. Please look again.",
    TooBusy: "Many people are signing in at this moment. Please try again in a few seconds.",
    Busy: "The vault is writing for others at this moment, and nothing was changed. Please try again in a few seconds.",
    Crowded: "As many archives as this vault sends at once are on their way. Please try again in half a minute.",
    InUse: "Another request is sending the same file at this moment. Please go on when it has ended.",
    StorageFull: "Nothing of the file was kept. Whoever runs the vault has to make room; looking, sharing and "
    "deleting still work.",
    NotReady: "The picture is still being prepared, or could not be read.",
    StillBeingMade: "The picture is being drawn for you. Please try again in a few seconds.",
    Missing: "The vault has lost the file of this picture. Please tell whoever runs it: “manage.py fsck” says more.",
    CSRFError: "It was open for too long, or in another window you signed in or out. Please go back, load the page "
    "anew and try again.",
}
HTTP_WORDS = {
    400: ("That is not a request we understand", "The body is not what its headers say."),
    404: ("There is no such page", "Check the address, or go back to the beginning."),
    405: ("That cannot be done here", "This address does not take that kind of request."),
    413: ("That is too large", "It is larger than what this address takes."),
    415: ("That kind of body is not taken here", "Send what the API's own description names as the content type."),
    416: ("No such part of the file", "The file is shorter than the part that was asked for."),
    500: (
        "Something went wrong",
        "It is not your fault, and nothing was lost. Whoever runs the vault finds the reason in its log.",
    ),
}
# What is said of the fields of a body that was refused: as many as a person reads, and no more of a stranger's text.
MOST_FIELDS = 20
LONGEST_FIELD_NAME = 60
_refusals = audit.Bounded(most=20, seconds=3600)


def init(app: Flask) -> None:
    """Answer every refusal of the table, every HTTP error and everything unforeseen."""
    for kind in TABLE:
        app.register_error_handler(kind, answer_refusal)
    app.register_error_handler(Denied, answer_denied)
    app.register_error_handler(NotSignedIn, answer_not_signed_in)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(Exception, answer_unforeseen)


def words(error: Exception) -> Answer:
    """Return how the table words a refusal."""
    kind = next(base for base in type(error).__mro__ if base in TABLE)
    status, title = TABLE[kind]
    detail = DETAILS.get(kind) or getattr(error, "sentence", None) or str(error)
    return Answer(status, title, detail, getattr(error, "retry_after_seconds", None))


def answer_refusal(error: Exception) -> AnyResponse:
    """Answer what a use case refuses."""
    if isinstance(error, IntegrityError):
        log.warning("conflict", path=request.endpoint, kind=type(error.orig).__name__)
    return _worded(words(error))


def answer_denied(error: Denied) -> AnyResponse:
    """Answer what the policy refuses: the same for what is forbidden and what does not exist."""
    if access.face() not in VISITORS and access.credential() is not None and access.person() is None:
        return answer_not_signed_in(NotSignedIn())
    if not isinstance(error, MadeUp):
        _record_refusal()
    if access.face() is Face.VISIT:
        return make_response(render_template("visit/closed.html"), 403)
    return _worded(Answer(403, FORBIDDEN_TITLE, FORBIDDEN))


def answer_not_signed_in(_error: NotSignedIn) -> AnyResponse:
    """Answer who is not signed in: a page leads to the sign-in, bytes say 403, the API 401."""
    match access.face():
        case Face.API:
            answer = _worded(Answer(401, "Please sign in", "Send an API token: Authorization: Bearer …"))
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        case Face.PAGE:
            wanted = request.full_path.rstrip("?") if request.method in access.SAFE_METHODS else None
            return redirect(url_for("auth.sign_in", next=wanted))
        case _:
            return _worded(Answer(403, FORBIDDEN_TITLE, FORBIDDEN))


def answer_http(error: HTTPException) -> AnyResponse:
    """Answer what Flask and Werkzeug refuse, in our words."""
    if error.response is not None or error.code is None or error.code < 400:  # below are redirects
        return error.get_response()
    title, detail = HTTP_WORDS.get(error.code, (error.name, error.description or ""))
    fields = _fields_at_fault(error)
    if fields:
        title = TABLE[Refused][1]
        detail = " ".join(f"{name}: {said}" for name, said in fields.items())
    answer = _worded(Answer(error.code, title, detail, fields=fields))
    for name in ("Allow", "Content-Range", "Retry-After"):
        value = dict(error.get_headers()).get(name)
        if value:
            answer.headers[name] = value
    return answer


def answer_unforeseen(error: Exception) -> AnyResponse:
    """Answer a fault of ours; the reason goes to the log and not to the person."""
    log.error("fault", path=request.endpoint, exc_info=error)
    return _worded(Answer(500, *HTTP_WORDS[500]))


def _worded(said: Answer) -> Response:
    headers = {"Retry-After": str(said.retry_after_seconds)} if said.retry_after_seconds else {}
    if request_ctx.url_adapter is None:
        # A Host that is not ours: without our own address no page can be drawn.
        return Response(
            f"This vault answers only at {access.vault().settings.origin}\n", said.status, mimetype="text/plain"
        )
    match access.face():
        case Face.API | Face.VISIT_API:
            fields = {"fields": said.fields} if said.fields else {}
            answer = jsonify(type="about:blank", title=said.title, status=said.status, detail=said.detail, **fields)
            answer.mimetype = "application/problem+json"
            answer.status_code = said.status
        case Face.BYTES:
            # One body for everything forbidden: no byte tells one picture from another, or from none.
            answer = Response(f"{said.title}\n", said.status, mimetype="text/plain")
        case _:
            page = render_template("errors/error.html", status=said.status, title=said.title, message=said.detail)
            answer = make_response(page, said.status)
    answer.headers.extend(headers)
    return answer


def _fields_at_fault(error: HTTPException) -> dict[str, str] | None:
    """Return what flask-smorest found wrong in a request, by the name of the field."""
    places: dict[str, Any] = getattr(error, "data", {}).get("messages", {})
    named = [(str(name), said) for found in places.values() if isinstance(found, dict) for name, said in found.items()]
    shown = named[:MOST_FIELDS] or list(places.items())
    return {name[:LONGEST_FIELD_NAME]: _sentence(said) for name, said in shown} or None


def _sentence(said: Any) -> str:
    """Return the first of what is said of a field; of a list's member as of the list."""
    while isinstance(said, dict | list):
        said = next(iter(said.values() if isinstance(said, dict) else said), "")
    return str(said)


def _record_refusal() -> None:
    """Remember a refused request, but no more of one viewer than fits into a page."""
    found = access.person()
    if not _refusals.admits(str(found.user_id) if found else f"at {audit.network()}"):
        return
    with incidental("request.refused"), transaction(patience_seconds=INCIDENTAL_PATIENCE_SECONDS) as session:
        by = "the visitor of a link" if access.face() in VISITORS else "somebody"
        audit.record(
            session, "request.refused", actor_id=found.user_id if found else None, by=by, address_of=request.endpoint
        )
