"""The signed cookie, read once and remembered: every picture of a page brings the same one.

Floor 4. What is remembered is only that a signature is ours; whether the session it names lives is asked of its row
with every request.
"""

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.wrappers import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from typing_extensions import override

MOST_REMEMBERED = 4_096


class CookieSessions(SecureCookieSessionInterface):
    """Flask's own signed cookies, without keys derived and signatures checked anew for each picture."""

    def __init__(self, app: Flask) -> None:
        """Derive the keys, once. Raises RuntimeError for an application without a secret."""
        serializer = super().get_signing_serializer(app)
        if serializer is None:
            raise RuntimeError("the application has no secret key")
        self._serializer = serializer
        self._name = self.get_cookie_name(app)
        self._sign = f"{self._name}="
        self._max_age_seconds = int(app.permanent_session_lifetime.total_seconds())
        self._verified: dict[str, dict[str, Any]] = {}

    @override
    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        return self._serializer

    @override
    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        header = request.environ.get("HTTP_COOKIE")
        # A visitor of a link brings a cookie, too, and none of ours: then there is nothing to take apart.
        if not header or self._sign not in header:
            return self.session_class()
        known = self._verified.get(header)
        if known is None:
            known = self._verify(header, request.cookies.get(self._name, ""))
        return self.session_class(known)

    @override
    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.modified:
            super().save_session(app, session, response)
        elif session.accessed and "Vary" not in response.headers:
            response.headers["Vary"] = "Cookie"

    def _verify(self, header: str, cookie: str) -> dict[str, Any]:
        if not cookie:
            return {}
        try:
            found: dict[str, Any] = self._serializer.loads(cookie, max_age=self._max_age_seconds)
        except BadSignature:
            return {}
        # A message that waits to be shown is taken out of the session in place, so it must not be remembered.
        if "_flashes" not in found:
            if len(self._verified) >= MOST_REMEMBERED:
                self._verified.clear()
            self._verified[header] = found
        return found
