"""What tests of uploads in pieces say and send: one request each, as a browser's page or a script would."""

import base64
import hashlib
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import House, Person, small_picture
from vault.db import db, transaction
from vault.models.account import User
from vault.models.ingest import Upload
from vault.models.media import Media

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


def partials(house: House) -> list[str]:
    """Return the names of what is half here."""
    return [name for name, _ in house.vault.storage.partials()]


def kept(house: House, media_id: str) -> bytes:
    """Return the bytes of a picture."""
    db.session.rollback()
    media = db.session.scalars(sa.select(Media).where(Media.public_id == media_id)).one()
    with house.vault.storage.open(media.blob_key) as blob:
        return blob.read()


def spoken(headers: dict[str, str]) -> dict[str, str]:
    """Write headers' names as `ask` takes them."""
    return {name.replace("-", "_"): value for name, value in headers.items()}


def change_person(user_id: int, **values: object) -> None:
    """Write to somebody's row."""
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == user_id).values(**values))


def nothing_is_here(house: House) -> bool:
    """Whether neither a byte nor a picture is here, and no upload of which anything came."""
    db.session.rollback()
    storage = house.vault.storage
    rows = [
        *db.session.scalars(sa.select(Media.id)),
        *db.session.scalars(sa.select(Upload.id).where(Upload.finished_at.is_(None)).where(Upload.received_bytes > 0)),
    ]
    return [*partials(house), *storage.keys(), *storage.temporaries(), *rows] == []
