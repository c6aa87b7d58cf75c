"""Signed links: what a token is, when it stops, and that a visitor sees nothing else."""

import string
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from werkzeug.test import TestResponse

from tests.factories import SECRET, House, Person
from tests.statements import listen
from vault.app import create_app
from vault.audit import Bounded
from vault.config import Settings
from vault.db import db, transaction, utcnow
from vault.models.media import Album, Media
from vault.models.sharing import Link, LinkRole, Role
from vault.models.system import Event
from vault.policy import Action, authorize
from vault.services import links, visiting
from vault.signing import Signer
from vault.web import errors

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ALPHABET = string.ascii_letters + string.digits + "-_"
OTHER_SECRET = "another-secret-0987654321-zyxwvutsrqponmlkjih"


@sqlite_only
def test_a_token_with_any_character_changed_is_refused_without_a_query(house: House) -> None:
    statements = listen()
    anna = house.person("Anna")
    album = house.album(anna)
    token = house.address(house.link(album)).removeprefix("/l/")
    assert house.browser().get(f"/l/{token}").status_code == 303

    for place, character in enumerate(token):
        for other in (ALPHABET[(ALPHABET.find(character) + 1) % 64], "." if character != "." else "-", "=", "é"):
            changed = token[:place] + other + token[place + 1 :]
            with statements.counted() as asked:
                page = house.browser().get(f"/l/{changed}")
            assert (page.status_code, asked) == (403, []), (place, other)


@sqlite_only
def test_the_last_character_has_only_one_spelling(house: House) -> None:
    """Base64 has several spellings of the same bytes; only ours is a token."""
    token = house.address(house.link(house.album(house.person("Anna")))).removeprefix("/l/")
    visitor = house.browser()

    found = [other for other in ALPHABET if visitor.get(f"/l/{token[:-1]}{other}").status_code == 303]
    assert found == [token[-1]]


@sqlite_only
def test_tokens_of_another_shape_are_refused_without_a_query(house: House) -> None:
    statements = listen()
    token = house.address(house.link(house.album(house.person("Anna")))).removeprefix("/l/")
    kid, subject, generation, mac = token.split(".")
    visitor = house.browser()
    shapes = (
        "x",
        token + "A",
        "A" + token,
        token + ".",
        token + "%0a",
        f"{kid}.{subject}.0{generation}.{mac}",
        f"{kid}.{subject}.+{generation}.{mac}",
        f"{kid}.{subject}.-1.{mac}",
        f"{kid}.{subject}.²{generation}.{mac}",
        f"{kid}.{subject}.{generation}{'0' * 5000}.{mac}",
        f"{kid}.{subject}.{generation}.",
        f"{kid}..{generation}.{mac}",
        f"{kid}.{subject}.{mac}",
        f"{kid}.{subject}.{generation}.{mac}.{mac}",
        "A" * 100_000,
    )
    for shape in shapes:
        with statements.counted() as asked:
            assert (visitor.get(f"/l/{shape}").status_code, asked) == (403, []), shape


def test_a_token_for_another_purpose_opens_nothing(house: House) -> None:
    link = house.link(house.album(house.person("Anna")))
    signer = house.vault.signer
    for purpose in ("invitation", "session", "csrf", "links", "LINK", ""):
        assert house.browser().get(f"/l/{signer.token(purpose, link.public_id, 1)}").status_code == 403
    assert house.browser().get(f"/l/{signer.token('link', link.public_id, 1)}").status_code == 303


def test_links_outlive_a_new_secret_as_long_as_the_old_one_is_named(house: House, settings: Settings) -> None:
    address = house.address(house.link(house.album(house.person("Anna"))))
    values = {**vars(settings)}

    both = House(create_app(Settings(**{**values, "secret_keys": (OTHER_SECRET, SECRET)})))
    only_new = House(create_app(Settings(**{**values, "secret_keys": (OTHER_SECRET,)})))
    assert both.browser().get(address, follow_redirects=True).status_code == 200
    assert only_new.browser().get(address).status_code == 403
    for other in (both, only_new):
        with other.app.app_context():
            db.engine.dispose()


def test_a_link_is_recomputed_the_same_until_it_is_rotated(house: House) -> None:
    anna = house.person("Anna")
    link = house.link(house.album(anna))
    before = house.address(link)
    assert house.address(link) == before

    links.rotate(authorize(anna.viewer, Action.MANAGE, Link, link.public_id))
    after = house.address(link)
    visitor = house.browser()
    assert after != before
    assert visitor.get(before).status_code == 403
    assert visitor.get(after, follow_redirects=True).status_code == 200


def _revoke(house: House, owner: Person, link: Link) -> None:
    links.revoke(authorize(owner.viewer, Action.DELETE, Link, link.public_id))


def _end(house: House, owner: Person, link: Link) -> None:
    with transaction() as session:
        session.execute(sa.update(Link).where(Link.id == link.id).values(expires_at=utcnow()))


def _disable(house: House, owner: Person, link: Link) -> None:
    house.disable(owner)


def _delete_album(house: House, owner: Person, link: Link) -> None:
    with transaction() as session:
        session.execute(sa.delete(Album).where(Album.id == link.album_id))


@pytest.mark.parametrize("end", [_revoke, _end, _disable, _delete_album])
def test_a_link_that_ended_gives_no_byte_also_not_to_conditions(house: House, end: object) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media, link = house.picture(anna, album), house.link(album, role=LinkRole.DOWNLOADER)
    inside, visitor = f"/l/{link.public_id}/", house.visitor(link)
    tails = ("", "zip", *(f"media/{media.public_id}{each}" for each in ("", "/thumb", "/preview", "/original")))
    paths = [f"{inside}{tail}" for tail in tails]
    kept = {path: visitor.get(path) for path in paths}
    assert {answer.status_code for answer in kept.values()} == {200}

    end(house, anna, link)  # type: ignore[operator]  # one of the four above
    for path, answer in kept.items():
        for headers in ({}, {"If-None-Match": answer.headers.get("ETag", "*")}, {"Range": "bytes=0-3"}):
            refused = visitor.get(path, headers=headers)
            assert refused.status_code == 403
            assert "ETag" not in refused.headers


def test_a_link_of_a_manager_is_worth_what_he_may_share_now(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.picture(anna, album)
    house.grant(album, ben, Role.MANAGER)
    link = house.link(album, by=ben)
    inside, visitor = f"/l/{link.public_id}/", house.visitor(link)
    assert visitor.get(inside).status_code == 200

    house.grant(album, ben, Role.EDITOR)
    assert visitor.get(inside).status_code == 403
    assert house.browser().get(house.address(link)).status_code == 403
    house.grant(album, ben, Role.MANAGER)
    assert visitor.get(inside).status_code == 200
    house.disable(ben)
    assert visitor.get(inside).status_code == 403


def test_a_visitor_who_is_signed_in_is_still_only_a_visitor(house: House) -> None:
    """The owner who looks at his own link sees what the link opens; a link never turns into its owner."""
    anna = house.person("Anna")
    album = house.album(anna)
    media, loose = house.picture(anna, album), house.picture(anna)
    link, owner = house.link(album), house.browser(anna)
    inside = f"/l/{link.public_id}/media"
    assert owner.get(f"{inside}/{media.public_id}/thumb").status_code == 403
    owner.get(house.address(link), follow_redirects=True)

    assert owner.get(f"{inside}/{media.public_id}/thumb").status_code == 200
    assert owner.get(f"{inside}/{media.public_id}/original").status_code == 403
    assert owner.get(f"{inside}/{loose.public_id}/thumb").status_code == 403


@sqlite_only
def test_a_visitors_pages_keep_the_key_and_the_names_to_themselves(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album, file_name="Müller divorce lawyer 2026.jpg")
    house.picture(anna, album, file_name="second secret name.jpg", ready=False)
    link = house.link(album)
    inside, visitor, token = f"/l/{link.public_id}/", house.visitor(link), house.address(link)
    pages: list[TestResponse] = [
        visitor.get(inside),
        visitor.get(inside, headers={"Accept": "application/json"}),
        visitor.get(f"{inside}media/{media.public_id}"),
        visitor.get("/l/made-up"),
    ]
    for page in pages:
        text = page.get_data(as_text=True)
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "private, no-store"
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "Set-Cookie" not in page.headers
        assert [word for word in ("divorce", "secret name", anna.email, "/media/" + "A") if word in text] == []
        assert token not in text
        assert f'"/media/{media.public_id}' not in text
        assert f"/albums/{album.public_id}" not in text
    bytes_ = visitor.get(f"{inside}media/{media.public_id}/thumb")
    assert bytes_.headers["Referrer-Policy"] == "no-referrer"
    assert "Content-Disposition" not in bytes_.headers or "divorce" not in bytes_.headers["Content-Disposition"]


def test_a_visitor_finds_no_way_out_of_the_album(house: House) -> None:
    anna = house.person("Anna")
    album, other = house.album(anna), house.album(anna, "Private")
    media, secret = house.picture(anna, album), house.picture(anna, other)
    link = house.link(album)
    inside, visitor = f"/l/{link.public_id}/", house.visitor(link)

    for path in (
        f"{inside}albums/{other.public_id}",
        f"{inside}media/{secret.public_id}",
        f"{inside}media/{secret.public_id}/thumb",
        f"{inside}media/{secret.public_id}/preview",
        f"{inside}media/{media.public_id}?album={other.public_id}",
        f"/l/{house.link(other).public_id}/",
    ):
        assert visitor.get(path).status_code == 403, path
    token = house.address(link).removeprefix("/l/")
    for header in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"vault={token}"}):
        assert visitor.get(f"/media/{media.public_id}/thumb", headers=header).status_code == 403
    assert secret.public_id not in visitor.get(inside).get_data(as_text=True)


def test_a_cursor_of_another_album_shows_nothing_of_it(house: House) -> None:
    anna = house.person("Anna")
    album, other = house.album(anna), house.album(anna, "Private")
    house.picture(anna, album)
    secret = house.picture(anna, other)
    link = house.link(album)
    visitor, elsewhere = house.visitor(link), house.link(other)
    signer, high = house.vault.signer, f"{2**59}.{secret.id}"

    for cursor in (
        high,
        signer.seal(f"cursor of {elsewhere.public_id}", high),
        signer.seal(f"cursor of {link.public_id}", high),
        f"{2**62}.{secret.public_id}",
        "0.x",
        "x",
        "9" * 19 + "." + "A" * 22,
        "-1.",
        "1.\0",
        "²." + "A" * 22,
    ):
        answer = visitor.get(f"/l/{link.public_id}/", query_string={"cursor": cursor})
        assert answer.status_code == 200, cursor
        assert secret.public_id not in answer.get_data(as_text=True)


def test_a_link_ends_at_its_very_moment(house: House) -> None:
    moment = utcnow() + timedelta(hours=1)
    address = house.address(house.link(house.album(house.person("Anna")), expires_at=moment))
    with time_machine.travel(moment - timedelta(milliseconds=1), tick=False):
        assert house.browser().get(address, follow_redirects=True).status_code == 200
    with time_machine.travel(moment, tick=False):
        assert house.browser().get(address).status_code == 403


def test_downloads_through_a_link_are_remembered_and_so_are_refusals(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "_refusals", Bounded(most=3, seconds=3600))
    anna = house.person("Anna")
    album = house.album(anna)
    media, link = house.picture(anna, album), house.link(album, role=LinkRole.DOWNLOADER)
    inside, visitor = f"/l/{link.public_id}/", house.visitor(link)

    assert visitor.get(f"{inside}media/{media.public_id}/original").status_code == 200
    house.vault.recorder.flush()
    _revoke(house, anna, link)
    for _ in range(10):
        assert visitor.get(inside).status_code == 403
    events = db.session.execute(sa.select(Event.action, Event.actor, Event.subject).order_by(Event.id)).all()
    assert ("media.download", f"link {link.public_id}", media.public_id) in [tuple(event) for event in events]
    assert [event.action for event in events].count("request.refused") == 3


def test_a_token_of_another_vault_is_none_here(house: House) -> None:
    link = house.link(house.album(house.person("Anna")))
    token = Signer((OTHER_SECRET,)).token("link", link.public_id, link.generation)

    with pytest.raises(visiting.MadeUp):
        visiting.holder(house.vault, token)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Media)) == 0
