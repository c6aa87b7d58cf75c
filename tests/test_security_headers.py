"""The headers of every answer, as whole values: what may be kept, framed, run and told to others."""

import re

import pytest

from tests.factories import House
from tests.routes_api import API
from tests.routes_table import ACCOUNTS, PAGES, VISITS
from tests.routes_world import build, rows

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
BYTES = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
}
INLINE = re.compile(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


def test_every_answer_is_closed_whatever_it_says(house: House) -> None:
    world, wrong = build(house), []
    for row in rows(PAGES, VISITS, ACCOUNTS, API):
        if row.uses_up:
            continue
        for who in ("nobody", "owner", "administrator", "visitor"):
            answer = world.send(row.method, world.path(row, who), who, **row.body)
            is_media = answer.content_type in ("image/webp", "image/jpeg", "video/mp4") and answer.status_code == 200
            is_zip = answer.content_type == "application/zip"
            expected = dict(BYTES if is_media or is_zip else PAGE)
            if is_zip:
                expected["Cache-Control"] = "private, no-store"
            if row.path.endswith("/qr.svg") and answer.status_code == 200:
                expected["Content-Security-Policy"] = BYTES["Content-Security-Policy"]
            if row.path.startswith("/l/"):
                expected["Referrer-Policy"] = "no-referrer"
            if row.path.startswith("/static/"):
                expected["Cache-Control"] = "public, max-age=3600"
            found = {name: answer.headers.get(name) for name in expected}
            if found != expected:
                wrong.append(f"{row.method} {row.path} as {who}: {set(found.items()) ^ set(expected.items())}")
            if "public" in answer.headers["Cache-Control"] and not row.path.startswith("/static/"):
                wrong.append(f"{row.method} {row.path} as {who} may be kept by everybody")
            if row.path == "/sign-out":
                world.renew_browser(who)
    assert wrong == []


def test_pages_run_and_style_nothing_inline(house: House) -> None:
    world, wrong = build(house), []
    for row in rows(PAGES, VISITS, ACCOUNTS):
        if row.method != "GET":
            continue
        who = "administrator" if row.path.startswith("/admin") else "owner"
        answer = world.send("GET", world.path(row, who), who)
        if answer.mimetype == "text/html":
            wrong += [f"{row.path}: {found}" for found in INLINE.findall(answer.get_data(as_text=True))]
    assert wrong == []


def test_what_people_write_is_text_on_every_page(house: House) -> None:
    """Titles, names, captions and labels with markup in them come out as they were typed, never as markup."""
    nasty = "\"'><img src=x onerror=alert(1)></title></script><script>alert(1)</script>{{7*7}}"
    anna = house.person("Anna")
    album = house.album(anna, nasty)
    media = house.picture(anna, album, file_name=nasty)
    link = house.link(album, label=nasty)
    browser = house.browser(anna)
    proof = house.csrf(browser)
    browser.post(f"/media/{media.public_id}/edit", data={"caption": nasty}, headers=proof)
    browser.post("/account/name", data={"name": nasty}, headers=proof)
    paths = ["/", "/pictures", "/albums", "/account", "/links", "/upload", f"/media/{media.public_id}"]
    paths += [f"/albums/{album.public_id}{tail}" for tail in ("", "/edit", "/delete", "/sharing")]
    paths += [house.address(link), f"{house.address(link)}/media/{media.public_id}"]
    for path in paths:
        page = browser.get(path).get_data(as_text=True)
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "onerror=alert(1)&gt;" in page or "onerror" not in page, path


def test_pictures_pages_and_errors_are_never_kept_by_others(house: House) -> None:
    anna = house.person("Anna")
    media, browser = house.picture(anna), house.browser(anna)
    etag = browser.get(f"/media/{media.public_id}/thumb").headers["ETag"]
    for headers, status in (
        ({"If-None-Match": etag}, 304),
        ({"Range": "bytes=0-1"}, 206),
        ({"Range": "bytes=9999999-"}, 416),
    ):
        answer = browser.get(f"/media/{media.public_id}/thumb", headers=headers)
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] in ("private, no-cache", "private, no-store")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/no-such-page", "/static/no-such-file", "/static/../app.py", "/static/%2e%2e/app.py"):
        missing = browser.get(path)
        assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "private, no-store")
