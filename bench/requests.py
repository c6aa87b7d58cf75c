"""What the decision costs: a picture request against a bare Flask view that answers the same number of bytes.

Bound: at most 3 times (the usual way, with an ORM user and an ORM permission query, costs about 7 times). Also: the
page of the 5,000th picture of an album against that of the first.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from werkzeug.test import EnvironBuilder

from bench.building import browser_cookie, build, fill_album
from bench.measure import in_turns, wsgi_call
from vault.models.sharing import Role

ROUNDS, REPEATS = 15, 300
COOKIE = "vault-visit"
PICTURES = 5_000


def run() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        house = build(Path(folder))
        with house.app.app_context():
            anna, ben = house.person("Anna"), house.person("Ben")
            album = house.album(anna)
            media = house.picture(anna, album)
            house.grant(album, ben, Role.VIEWER)
            size = len(house.browser(anna).get(f"/media/{media.public_id}/thumb").data)
            link = house.link(album)
            visitor = house.visitor(link)
            ticket = visitor.get_cookie(COOKIE, domain="127.0.0.1", path=f"/l/{link.public_id}/")
            start = datetime(2020, 1, 1, tzinfo=UTC)
            pages = fill_album(album, anna, PICTURES, start, timedelta(minutes=7))
            media_id, album_id = media.public_id, album.public_id
            cookies = {"owner": browser_cookie(house, anna), "member": browser_cookie(house, ben)}
            cookies["visitor"], below = f"{COOKIE}={ticket.value if ticket else ''}", f"/l/{link.public_id}"
        _bytes(house.app, media_id, below, cookies, size)
        _pages(house.app, album_id, pages, cookies["owner"])


def _bytes(app: Flask, media_id: str, below: str, cookies: dict[str, str], size: int) -> None:
    bare = Flask("bare")
    constant = b"x" * size
    bare.add_url_rule("/media/<media_id>/thumb", view_func=lambda media_id: constant)  # noqa: ARG005  # as in the vault
    path = f"/media/{media_id}/thumb"
    works = {
        "a bare view": wsgi_call(bare, _environ(path, "")),
        "thumb, its owner": wsgi_call(app, _environ(path, cookies["owner"])),
        "thumb, by a grant": wsgi_call(app, _environ(path, cookies["member"])),
        "thumb, by a link": wsgi_call(app, _environ(f"{below}{path}", cookies["visitor"])),
    }
    found = in_turns(works, rounds=ROUNDS, repeats=REPEATS)
    for name, micros in found.items():
        print(f"{name:24} {micros:8.1f} µs  {micros / found['a bare view']:5.2f} × bare")


def _pages(app: Flask, album_id: str, pages: list[str], cookie: str) -> None:
    works = {
        name: wsgi_call(app, _environ(f"/media/{media_id}", cookie, f"album={album_id}"))
        for name, media_id in (("page of picture 1", pages[0]), (f"page of picture {len(pages)}", pages[-1]))
    }
    found = in_turns(works, rounds=9, repeats=20)
    first = next(iter(found.values()))
    for name, micros in found.items():
        print(f"{name:24} {micros:8.1f} µs  {micros / first:5.2f} × the first")


def _environ(path: str, cookie: str, query: str = "") -> dict[str, object]:
    headers = [("Cookie", cookie)] if cookie else []
    builder = EnvironBuilder(path=path, base_url="http://127.0.0.1:8000", headers=headers, query_string=query)
    return builder.get_environ()
