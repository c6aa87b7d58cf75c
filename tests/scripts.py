"""A person's script: asks the API with a token, and reads what it says."""

import io
from typing import Any

from werkzeug.test import TestResponse

from tests.factories import House, Person
from vault.models.account import Scope

EVERYTHING = Scope.READ | Scope.WRITE | Scope.ADMIN
READING_AND_WRITING = Scope.READ | Scope.WRITE
# Status, title and detail of what is forbidden, and of what does not exist.
CLOSED = (
    "There is nothing here, or it is not shared with you. "
    "If somebody gave you this address, ask them to share it again."
)
FORBIDDEN = (403, "This is not open to you", CLOSED)


class Script:
    """Sends requests below `/api/v1`."""

    def __init__(self, house: House, person: Person, scopes: Scope = READING_AND_WRITING) -> None:
        self.headers = house.token(person, scopes)
        self.client = house.browser()

    def ask(self, method: str, path: str, json: Any = None, **values: Any) -> TestResponse:
        """Send a request and return the whole answer."""
        if json is not None:
            values["json"] = json
        return self.client.open("/api/v1" + path, method=method, headers=self.headers, **values)

    def get(self, path: str) -> Any:
        """Return what a GET says."""
        return said(self.ask("GET", path), 200)

    def post(self, path: str, json: Any = None, status: int = 201) -> Any:
        """Return what a POST says."""
        return said(self.ask("POST", path, json), status)

    def put(self, path: str, json: Any = None, status: int = 200) -> Any:
        """Return what a PUT says."""
        return said(self.ask("PUT", path, json), status)

    def patch(self, path: str, json: Any) -> Any:
        """Return what a PATCH says."""
        return said(self.ask("PATCH", path, json), 200)

    def delete(self, path: str) -> None:
        """Send a DELETE that must work."""
        said(self.ask("DELETE", path), 204)

    def upload(self, data: bytes, name: str = "lake.jpg", **fields: str) -> TestResponse:
        """Send a picture."""
        return self.ask("POST", "/media", data={"file": (io.BytesIO(data), name), **fields})


def said(answer: TestResponse, status: int) -> Any:
    """Return the values of an answer that must have this status."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    if status == 204:
        assert (answer.data, answer.headers.get("Content-Type")) == (b"", None)
        return None
    assert answer.content_type == "application/json"
    return answer.get_json()


def problem(answer: TestResponse) -> tuple[int, str, str]:
    """Return status, title and detail of an answer that must be a problem (RFC 9457)."""
    assert answer.content_type == "application/problem+json", answer.get_data(as_text=True)
    body = answer.get_json()
    assert (body["type"], body["status"]) == ("about:blank", answer.status_code)
    return answer.status_code, body["title"], body["detail"]
