"""What the vault answers when nginx sends the bytes: the place, the headers, and nothing of the bytes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.factories import House
from vault.app import create_app
from vault.config import Settings
from vault.db import db

PRIVATE = {
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
def handed(settings: Settings) -> Iterator[House]:
    """Return an application behind nginx."""
    app = create_app(replace(settings, delivery="x-accel"))
    with app.app_context():
        yield House(app)
        db.session.remove()
        db.engine.dispose()


def test_it_names_the_blob_and_sends_no_byte(handed: House) -> None:
    anna = handed.person("Anna")
    media = handed.picture(anna)
    answer = handed.browser(anna).get(f"/media/{media.public_id}/original")

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["X-Accel-Redirect"] == f"/_blobs/{media.blob_key}"
    assert answer.headers["ETag"] == f'"{media.sha256}"'
    assert {header: answer.headers[header] for header in PRIVATE} == PRIVATE


def test_what_has_not_changed_names_no_blob(handed: House) -> None:
    anna = handed.person("Anna")
    path = f"/media/{handed.picture(anna).public_id}/thumb"
    browser = handed.browser(anna)
    etag = browser.get(path).headers["ETag"]
    answer = browser.get(path, headers={"If-None-Match": etag})

    assert answer.status_code == 304
    assert "X-Accel-Redirect" not in answer.headers
    assert {header: answer.headers[header] for header in PRIVATE} == PRIVATE


@pytest.mark.parametrize(
    "headers", [{}, {"If-None-Match": "*"}, {"Range": "bytes=0-"}, {"X-Accel-Redirect": "/_blobs/x"}]
)
def test_who_may_not_gets_403_and_no_place(handed: House, headers: dict[str, str]) -> None:
    media = handed.picture(handed.person("Anna"))
    for browser in (handed.browser(), handed.browser(handed.person("Ben"))):
        answer = browser.get(f"/media/{media.public_id}/original", headers=headers)

        assert answer.status_code == 403
        assert "X-Accel-Redirect" not in answer.headers


def test_a_missing_blob_is_not_handed_over(handed: House) -> None:
    anna = handed.person("Anna")
    media = handed.picture(anna)
    handed.vault.storage.delete(media.blob_key)
    answer = handed.browser(anna).get(f"/media/{media.public_id}/original")

    assert answer.status_code == 404
    assert "X-Accel-Redirect" not in answer.headers
