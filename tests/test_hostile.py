"""Malicious files and malicious names, through the doors that people use."""

import io
import json
import re
from collections import Counter
from email.message import Message
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from tests.factories import House, Person, small_picture
from vault.db import db
from vault.imaging.sandbox import Outcome, Sandbox
from vault.models.media import Media, State
from vault.services import derivatives, inspection

MEMORY_BYTES = 1 << 30
# Every one of these is a sentence of ours, and says to the person why.
REFUSALS = {413, 415, 422}
DISPOSITION = re.compile(r"""attachment; filename="([ !#-\[\]-~]+)"; filename\*=UTF-8''([A-Za-z0-9_.~%-]+)""")
LONGEST_EDGES = {"thumb": 480, "preview": 1920}
ODD_NAMES = [
    "../../etc/passwd",
    "..\\..\\win.ini",
    "/etc/passwd",
    "",
    ".",
    "a\r\nSet-Cookie: x=1.jpg",
    'a";filename="evil.html',
    "a\0.jpg",
    "\u202egpj.exe",
    "\U0001f468\u200d\U0001f469.jpg",
    "你好.jpg",
    "{{7*7}}.jpg",
    "<script>1</script>.jpg",
    "x" * 5000 + ".jpg",
]


@pytest.fixture
def peaks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return what every decoding child needed at most, in bytes, as they end."""
    seen: list[int] = []
    render = Sandbox.render

    def watched(sandbox: Sandbox, source_path: Path, out_dir: Path) -> Outcome:
        outcome = render(sandbox, source_path, out_dir)
        seen.append(outcome.peak_memory_bytes)
        return outcome

    monkeypatch.setattr(Sandbox, "render", watched)
    return seen


def upload(browser: FlaskClient, headers: dict[str, str], data: bytes, name: str) -> TestResponse:
    body, kind = body_of(name, data)
    return browser.post("/api/v1/media", data=body, content_type=kind, headers=headers)


def ending(house: House, browser: FlaskClient, headers: dict[str, str], path: Path) -> str:
    """Upload a file, render it if it was taken, and say how it ended: refused, failed or correct."""
    answer = upload(browser, headers, path.read_bytes(), path.name)
    if answer.status_code != 201:
        assert answer.status_code in REFUSALS, (path.name, answer.status_code)
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["detail"], path.name
        return "refused"
    media_id = answer.get_json()["id"]
    derivatives.render(house.vault, media_id)
    shown = browser.get(f"/api/v1/media/{media_id}", headers=headers).get_json()
    original = browser.get(f"/media/{media_id}/original", headers=headers)
    assert original.data == path.read_bytes()
    if shown["state"] == "failed":
        assert shown["failure"].endswith("."), path.name
        assert browser.get(f"/media/{media_id}/thumb", headers=headers).status_code == 404
        return "failed"
    assert shown["state"] == "ready", path.name
    for name, longest in LONGEST_EDGES.items():
        _assert_picture(browser.get(f"/media/{media_id}/{name}", headers=headers), longest, shown)
    return "correct"


def _assert_picture(answer: TestResponse, longest: int, shown: dict[str, int]) -> None:
    assert answer.status_code == 200
    with Image.open(io.BytesIO(answer.data), formats=["WEBP"]) as image:
        image.load()
        width, height = image.size
    assert max(width, height) == min(longest, max(shown["width"], shown["height"]))
    # The shape is kept, to the rounding of a pixel.
    assert abs(width * shown["height"] - height * shown["width"]) <= max(shown["width"], shown["height"])
    assert not {"exif", "xmp"} & image.info.keys()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_hostile_file_ends_as_refused_failed_or_correct(house: House, hostile: Path, peaks: list[int]) -> None:
    anna = house.person("Anna")
    browser, headers = house.browser(), house.token(anna)
    files = [path for folder in ("malformed", "odd", "valid") for path in sorted((hostile / folder).iterdir())]
    assert len(files) == 248

    ends = Counter(ending(house, browser, headers, path) for path in files)

    print(f"hostile files: {dict(ends)}; the greatest child took {max(peaks) / 2**20:.0f} MiB")  # noqa: T201  # figures
    assert set(ends) == {"refused", "failed", "correct"}
    assert max(peaks) < MEMORY_BYTES
    assert browser.get("/api/v1/media", query_string={"limit": 1000}, headers=headers).status_code == 200
    assert browser.get("/healthz").status_code == 200
    assert inspection.inspect(house.vault, read_data=True).problems == []
    # The decoder lives: an ordinary picture is rendered as ever.
    assert house.render(house.picture(anna, ready=False)).state == State.READY


def names_of(hostile: Path | None) -> list[str]:
    if hostile is None:
        return ODD_NAMES
    found: list[str] = json.loads((hostile / "filenames.json").read_text())
    assert len(found) > 90
    return found


def body_of(name: str, data: bytes) -> tuple[bytes, str]:
    """Return a form as a browser writes it: quotes and line ends escaped as HTML says, the rest as it is."""
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{escaped}"\r\n\r\n'
    return head.encode("utf-8", "surrogatepass") + data + b"\r\n--edge--\r\n", "multipart/form-data; boundary=edge"


def safe_names(header: str) -> tuple[str, str]:
    """Return the plain and the whole name of a Content-Disposition (RFC 6266, RFC 8187), after checking its grammar."""
    found = DISPOSITION.fullmatch(header)
    assert found is not None, header
    message = Message()
    message["Content-Disposition"] = header
    assert (message.get_content_disposition(), message.get_param("filename", header="Content-Disposition")) == (
        "attachment",
        found[1],
    )
    return found[1], unquote(found[2], errors="strict")


def assert_lists_and_downloads(house: House, person: Person, names: dict[str, str]) -> None:
    browser = house.browser(person)
    listed: list[str] = []
    url = "/pictures"
    while url:
        page = browser.get(url)
        assert page.status_code == 200
        assert b"<script>1</script>" not in page.data
        assert b"onerror=1>" not in page.data
        found = browser.get(url, headers={"Accept": "application/json"}).get_json()
        listed += [item["id"] for item in found["items"]]
        url = found["next"]
    assert sorted(listed) == sorted(names)
    for media_id, name in names.items():
        assert browser.get(f"/media/{media_id}").status_code == 200, name
        answer = browser.get(f"/media/{media_id}/original")
        assert answer.status_code == 200, name
        assert "Set-Cookie" not in answer.headers
        for given in safe_names(answer.headers["Content-Disposition"]):
            assert given.strip(" ."), name
            assert not set(given) & set('/\\\r\n\0":*?<>|'), (name, given)
            assert given not in (".", ".."), name
            assert given.isprintable(), name


@pytest.mark.parametrize(
    ("database_url", "source"),
    [("sqlite", "ours"), ("postgresql", "ours"), ("sqlite", "shared")],
    indirect=["database_url"],
)
def test_every_name_uploads_lists_and_downloads(house: House, source: str, request: pytest.FixtureRequest) -> None:
    names = names_of(request.getfixturevalue("hostile") if source == "shared" else None)
    anna = house.person("Anna")
    browser, headers = house.browser(), house.token(anna)
    kept: dict[str, str] = {}
    for name in names:
        body, kind = body_of(name, small_picture())
        answer = browser.post("/api/v1/media", data=body, content_type=kind, headers=headers)
        assert answer.status_code == 201, (name, answer.get_data(as_text=True))
        kept[answer.get_json()["id"]] = name
    for media in db.session.query(Media).all():
        house.make_ready(media)

    assert len(kept) == len(names)
    assert_lists_and_downloads(house, anna, kept)


def test_the_plain_form_takes_every_name_too(house: House) -> None:
    anna = house.person("Anna")
    browser = house.browser(anna)
    headers = house.csrf(browser)
    for name in ODD_NAMES:
        body, kind = body_of(name, small_picture())
        answer = browser.post("/upload", data=body, content_type=kind, headers=headers)
        assert (answer.status_code, urlsplit(answer.location).path) == (302, "/pictures"), name
    assert browser.get("/pictures").status_code == 200
    assert db.session.query(Media).count() == len(ODD_NAMES)


@pytest.mark.parametrize("name", ["photo.jpg", "a.svg", "a.html", "a.php"])
@pytest.mark.parametrize("data", [b"<svg onload='1'/>", b"<!doctype html>", b"%PDF-1.7\n"])
def test_what_could_run_in_a_browser_is_refused_whatever_it_is_called(house: House, data: bytes, name: str) -> None:
    answer = upload(house.browser(), house.token(house.person()), data, name)

    assert answer.status_code == 415
    assert list(house.vault.storage.keys()) == []
