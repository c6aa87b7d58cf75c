"""The door of every request: who is there, which mark the address bears, and the permit in place of the id.

Floor 4, a hall that the page files use. Nets 1 to 3 of docs/adr/0002-one-decision.md: `requires` swaps an id for a
Permit, `seal` refuses to start while an address bears no mark, the gate refuses it. Only here is `current_user` known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request, session
from flask.globals import request_ctx
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from vault import audit
from vault.models.account import Scope
from vault.models.media import Album, Media
from vault.models.sharing import Link
from vault.policy import NOBODY, Action, Credential, Denied, Permit, Viewer, authorize
from vault.services import Person, Vault, sessions, tokens
from vault.signing import digest

P = ParamSpec("P")
R = TypeVar("R")
MARK = "vault_mark"
SAFE_METHODS = frozenset({"GET", "HEAD"})
SMALL_BODY = 1024 * 1024
API_PREFIX = "/api/"
VISITS_PREFIX = "/l/"
ID_NAMES: dict[Any, str] = {Media: "media_id", Album: "album_id", Link: "link_id"}


class NotSignedIn(Exception):
    """The address wants somebody who is signed in, and nobody is."""


class Face(Enum):
    """What an address answers with, and so how it refuses."""

    PAGE = "page"
    BYTES = "bytes"
    API = "api"
    VISIT = "visit"
    VISIT_API = "visit api"


@dataclass(frozen=True)
class Mark:
    """What an address says of itself: whom it lets in, what scope reads it, how it refuses, how large its body is."""

    face: Face
    person: bool = False
    administrator: bool = False
    body: Callable[[Vault], int] = lambda _vault: SMALL_BODY
    reads: Scope = Scope.READ


class SignedIn(UserMixin):
    """A person as Flask-Login carries him: `get_id` is the session's own secret, never the person's id."""

    def __init__(self, person: Person, secret: str) -> None:
        self.person = person
        self.secret = secret

    def get_id(self) -> str:
        """Return what the signed cookie carries."""
        return self.secret


csrf = CSRFProtect()
login = LoginManager()
# It would sign the cookie anew whenever browser or address differ, and a picture's answer must not set a cookie.
login.session_protection = None  # type: ignore[assignment]  # as its documentation says
login.user_loader(lambda secret: SignedIn(person, secret) if (person := sessions.person_of(secret)) else None)


def vault() -> Vault:
    """Return the vault of the running application."""
    return cast("Vault", current_app.extensions["vault"])


def public(view: Callable[P, R], face: Face = Face.PAGE) -> Callable[P, R]:
    """Mark an address that is open to everybody."""
    return marked(view, Mark(face))


def signed_in(
    face: Face = Face.PAGE, *, body: Callable[[Vault], int] = lambda _vault: SMALL_BODY, reads: Scope = Scope.READ
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark an address for everybody who is signed in; what it shows is decided by the lists it asks for."""
    return lambda view: marked(view, Mark(face, person=True, body=body, reads=reads))


def admin(face: Face = Face.PAGE) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark an address for administrators of accounts and access, who see nobody's pictures by it."""
    return lambda view: marked(view, Mark(face, person=True, administrator=True))


def requires(
    action: Action, what: Any, *, face: Face = Face.PAGE, otherwise: Action | None = None
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Mark an address that acts on one thing: the id in it becomes a Permit for the action, or else for the other."""

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @wraps(view)
        def decided(*args: Any, **values: Any) -> R:
            public_id = values.pop(ID_NAMES[what])
            try:
                found = permit(action, what, public_id)
            except Denied:
                if otherwise is None:
                    raise
                found = permit(otherwise, what, public_id)
            return view(found, *args, **values)

        return marked(decided, Mark(face))

    return decorate


def permit(action: Action, what: Any, public_id: str) -> Permit[Any]:
    """Return the permit of whoever sent this request, in one statement. Raises NotSignedIn, Denied."""
    if (found := credential()) is None:
        raise NotSignedIn
    return authorize(found, action, what, public_id)


def credential() -> Credential | None:
    """Return what the request brought to prove who is there: a bearer token before a session."""
    token = _bearer()
    if token is not None:
        return Credential(digest(token), _scope())
    secret = session.get("_user_id")
    return Credential(digest(secret)) if isinstance(secret, str) else None


def person() -> Person | None:
    """Return who is signed in, looked up once per request."""
    if "person" not in g:
        token = _bearer()
        if token is not None:
            g.person = tokens.person_of(token)
        else:
            found_user: object = current_user._get_current_object()  # noqa: SLF001  # the proxy has no type, the user does
            g.person = found_user.person if isinstance(found_user, SignedIn) else None
    found: Person | None = g.person
    return found


def me() -> Person:
    """Return who is signed in. Raises NotSignedIn."""
    found = person()
    if found is None:
        raise NotSignedIn
    return found


def viewer() -> Viewer:
    """Return the viewer for lists."""
    found = person()
    return Viewer(user_id=found.user_id) if found else NOBODY


def is_administrator() -> bool:
    """Whether an administrator is there; with a token, one of scope admin."""
    found = person()
    return found is not None and found.is_admin and _has_scope(found, Scope.ADMIN)


def enter(secret: str, *, remember: bool) -> None:
    """Give the browser the cookie of a new session, and nothing of an old one."""
    found = sessions.person_of(secret)
    if found is None:
        raise NotSignedIn
    former = session.get("_user_id")
    if isinstance(former, str):
        sessions.sign_out(former)
    session.clear()
    session.permanent = remember
    login_user(SignedIn(found, secret))
    g.person = found


def leave() -> None:
    """End the browser's session, in the database and in the cookie."""
    secret = session.get("_user_id")
    if isinstance(secret, str):
        sessions.sign_out(secret)
    logout_user()
    session.clear()


def way_back(otherwise: str) -> str:
    """Return the page that a form stood on, as its field `back` says, if that is one of ours; else the other one."""
    target = request.form.get("back", "")
    return target if is_own_address(target) else otherwise


def is_own_address(target: str) -> bool:
    """Whether a redirect to this leads to a page of ours: a path that our own map of addresses knows."""
    # Looked at before it is taken apart: `urlsplit` raises at half an IPv6 address.
    if not target.startswith("/") or target.startswith("//") or "\\" in target or not target.isprintable():
        return False
    try:
        current_app.url_map.bind(vault().settings.host).match(urlsplit(target).path, method="GET")
    except (HTTPException, RequestRedirect, ValueError):
        return False
    return True


def face() -> Face:
    """Return how the present address answers; where there is no address, how those beside it do."""
    if (mark := _mark()) is not None:
        return mark.face
    return Face.API if request.path.startswith(API_PREFIX) else Face.PAGE


def init(app: Flask) -> None:
    """Put the gate before every request."""
    # Not `init_app`, which would look for a cookie of its own behind every answer; ours are the only sessions.
    app.login_manager = login  # type: ignore[attr-defined]  # where Flask-Login looks for it
    csrf.init_app(app)
    app.before_request(gate)


def gate() -> None:
    """Let a request in only where its address says for whom it is. Raises Denied, NotSignedIn, CSRFError."""
    # Looked up once: a proxy costs more than what most requests ask of it.
    asked = request_ctx.request
    audit.address.set(asked.remote_addr or "")
    # Whoever comes by a link is remembered as the setting says, in the events as in the history.
    visits = asked.environ["PATH_INFO"].startswith(VISITS_PREFIX)
    audit.kept.set(request_ctx.app.extensions["vault"].settings.history_addresses if visits else "full")
    if asked.url_rule is None:
        return  # there is no such address; Flask says so
    mark = _mark()
    if mark is None:
        raise Denied
    changes = asked.method not in SAFE_METHODS
    if changes:
        request.max_content_length = mark.body(vault())
    if mark.person or (changes and mark.face is Face.API):
        found = me()
        if not (is_administrator() if mark.administrator else _has_scope(found, _scope())):
            raise Denied
        # A person's own pages are for the person: with a token one could make oneself a mightier token there.
        if mark.face is Face.PAGE and _bearer() is not None:
            raise Denied
        # No id of ours holds a NUL, and PostgreSQL takes no text that does.
        if any("\0" in value for value in (asked.view_args or {}).values()):
            raise Denied
    # A browser sends cookies by itself and a bearer token never, so only the first needs proof that the page was ours.
    if changes and _bearer() is None:
        csrf.protect()


def seal(app: Flask) -> None:
    """Refuse to start while an address bears no mark. Raises RuntimeError that names them all."""
    unmarked = sorted(
        {rule.endpoint for rule in app.url_map.iter_rules() if not hasattr(app.view_functions[rule.endpoint], MARK)}
    )
    if unmarked:
        raise RuntimeError(f"addresses without a mark: {', '.join(unmarked)}")


def marked(view: Callable[P, R], mark: Mark) -> Callable[P, R]:
    """Let an address bear its mark."""
    setattr(view, MARK, mark)
    return view


def _mark() -> Mark | None:
    view = request_ctx.app.view_functions.get(request_ctx.request.endpoint or "")
    return cast("Mark | None", getattr(view, MARK, None))


def _bearer() -> str | None:
    # Straight from the environment: looking into the parsed headers costs more than the rest of the gate.
    header = request.environ.get("HTTP_AUTHORIZATION")
    if not header:
        return None
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _has_scope(found: Person, scope: Scope) -> bool:
    """Whether a person came with a session, or with a token that may be used for this."""
    return found.scopes is None or bool(scope & found.scopes)


def _scope() -> Scope:
    mark = _mark()
    return mark.reads if mark is not None and request.method in SAFE_METHODS else Scope.WRITE
