"""Somebody who asks a vault over real connections, one for each request unless he keeps one."""

import http.client
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

FIELD = re.compile(r'name="csrf_token" value="([^"]+)"')
CSRF = re.compile(r'name="csrf-token" content="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON values."""
        return json.loads(self.body)


class Client:
    """A browser with a cookie, or a script with a token."""

    def __init__(self, port: int, *, token: str = "", cookie: str = "", host: str = "") -> None:
        self.port = port
        self.token = token
        self.cookie = cookie
        self.host = host or f"127.0.0.1:{port}"

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request over a connection of its own. Raises OSError, HTTPException."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, self._headers() | dict(headers or {}))
            found = connection.getresponse()
            answer = Answer(found.status, dict(found.getheaders()), found.read())
        finally:
            connection.close()
        self._remember(found.getheader("Set-Cookie"))
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for something; an underscore in a header's name stands for a hyphen."""
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def json(self, method: str, path: str, body: Any = None) -> Answer:
        """Speak to the API."""
        data = None if body is None else json.dumps(body).encode()
        return self.send(method, f"/api/v1{path}", data, {"Content-Type": "application/json"} if data else {})

    def post(self, path: str, form: Mapping[str, str] | None = None) -> Answer:
        """Send a page's form, with the token that its page would carry."""
        found = CSRF.search(self.get("/account" if self.cookie else "/sign-in").body.decode())
        fields = {"csrf_token": found[1] if found else "", **(form or {})}
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"http://{self.host}/"}
        return self.send("POST", path, urlencode(fields).encode(), kind)

    def upload(self, data: bytes, name: str = "a.jpg", *, album_id: str = "") -> Answer:
        """Upload a picture by the API."""
        mark = uuid.uuid4().hex
        parts = [("album_id", None, album_id.encode())] if album_id else []
        body = b"".join(_part(mark, *part) for part in [*parts, ("file", name, data)]) + f"--{mark}--\r\n".encode()
        return self.send("POST", "/api/v1/media", body, {"Content-Type": f"multipart/form-data; boundary={mark}"})

    def bring(self, link_id: str, data: bytes, name: str = "a.jpg") -> Answer:
        """Add a picture by a link that one came in by, as the page's own uploader does."""
        path, ticket, mark = f"/l/{link_id}/add", self.cookie, uuid.uuid4().hex
        found = FIELD.search(self.get(path).body.decode())
        cookies = {"Cookie": f"{ticket}; {self.cookie}", "Accept": "application/json"}
        parts = [("csrf_token", None, found[1].encode() if found else b""), ("file", name, data)]
        body = b"".join(_part(mark, *part) for part in parts) + f"--{mark}--\r\n".encode()
        return self.send("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={mark}", **cookies})

    def sign_in(self, email: str, password: str) -> None:
        """Open a session. Raises AssertionError when the vault does not let us in."""
        answer = self.post("/sign-in", {"email": email, "password": password})
        assert answer.status == 302, answer.status

    def _headers(self) -> dict[str, str]:
        headers = {"Host": self.host, "Connection": "close"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            headers["Cookie"] = self.cookie
        return headers

    def _remember(self, header: str | None) -> None:
        if header:
            self.cookie = "; ".join(f"{morsel.key}={morsel.value}" for morsel in SimpleCookie(header).values())


def _part(mark: str, field: str, name: str | None, data: bytes) -> bytes:
    named = f'; filename="{name}"' if name is not None else ""
    return f'--{mark}\r\nContent-Disposition: form-data; name="{field}"{named}\r\n\r\n'.encode() + data + b"\r\n"
