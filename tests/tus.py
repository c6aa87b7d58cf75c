"""What tests of uploads in pieces say and send: one request each, as a browser's page or a script would."""

import base64
import hashlib
from dataclasses import dataclass, field

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import House, Person, small_picture

PIECE = {"Content-Type": "application/offset+octet-stream"}
SPOKEN = {"Tus-Resumable": "1.0.0"}


def words(**said: str) -> str:
    """Write Upload-Metadata."""
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


def checksum(data: bytes, algorithm: str = "sha1") -> dict[str, str]:
    """Write Upload-Checksum."""
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


def picture(size_bytes: int = 0) -> bytes:
    """Return a small picture, made longer behind its end."""
    return small_picture().ljust(size_bytes, b".")


@dataclass
class Sends:
    """Somebody who sends files in pieces, with what proves that he may."""

    browser: FlaskClient
    proof: dict[str, str] = field(default_factory=dict)
    below: str = "/uploads/"

    def ask(self, method: str, path: str, data: bytes = b"", **headers: str | None) -> TestResponse:
        """Send a request; an underscore in a header's name stands for a hyphen, None for leaving it out."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**SPOKEN, **self.proof, **given}.items() if value is not None}
        return self.browser.open(path, method=method, data=data, headers=sent)

    def create(self, size_bytes: int, data: bytes = b"", **said: str) -> TestResponse:
        """Create an upload, with what is there already."""
        kind = PIECE["Content-Type"] if data else None
        said_in = words(**said)
        return self.ask(
            "POST", self.below, data, Upload_Length=str(size_bytes), Upload_Metadata=said_in, Content_Type=kind
        )

    def begun(self, size_bytes: int, **said: str) -> str:
        """Create an upload and return its address."""
        answer = self.create(size_bytes, b"", **said)
        assert answer.status_code == 201, answer.text
        return answer.location

    def send(self, path: str, offset: int, data: bytes, **headers: str | None) -> TestResponse:
        """Send a piece."""
        given = {"Upload-Offset": str(offset), **PIECE, **headers}
        return self.ask("PATCH", path, data, **given)

    def offset(self, path: str) -> int:
        """Ask how much is there."""
        answer = self.ask("HEAD", path)
        assert answer.status_code == 200, answer.status
        return int(answer.headers["Upload-Offset"])


def page(house: House, person: Person) -> Sends:
    """Return somebody's browser on a page of ours."""
    browser = house.browser(person)
    return Sends(browser, house.csrf(browser))


def script(house: House, person: Person) -> Sends:
    """Return somebody's script with a token."""
    return Sends(house.browser(), house.token(person))
