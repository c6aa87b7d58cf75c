"""The bytes: headers of the outward contract, conditional and range requests, and who gets none."""

import sqlalchemy as sa

from tests.factories import House
from vault.db import transaction
from vault.models.media import Media
from vault.models.sharing import Role

PRIVATE_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def test_the_owner_gets_each_variant_with_exactly_the_private_headers(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna)
    browser = house.browser(anna)

    for name, kind in (("thumb", "image/webp"), ("preview", "image/webp"), ("original", "image/jpeg")):
        answer = browser.get(f"/media/{media.public_id}/{name}")

        assert answer.status_code == 200
        assert answer.content_type == kind
        assert {header: answer.headers[header] for header in PRIVATE_HEADERS} == PRIVATE_HEADERS
        assert not answer.headers["ETag"].startswith("W/")
        assert "Set-Cookie" not in answer.headers


def test_a_stranger_and_a_missing_picture_get_the_same_answer(house: House) -> None:
    media = house.picture(house.person("Anna"))
    stranger = house.browser(house.person("Ben"))

    forbidden = stranger.get(f"/media/{media.public_id}/thumb")
    missing = stranger.get(f"/media/{'A' * 22}/thumb")

    assert (forbidden.status_code, forbidden.data) == (missing.status_code, missing.data)
    assert forbidden.status_code == 403
    assert dict(forbidden.headers) == dict(missing.headers)


def test_where_it_was_taken_is_told_only_to_who_may_have_the_original(house: House) -> None:
    anna, ben, eve = house.person("Anna"), house.person("Ben"), house.person("Eve")
    album = house.album(anna)
    media_id = house.picture(anna, album).public_id
    house.grant(album, ben, Role.VIEWER)
    house.grant(album, eve, Role.DOWNLOADER)
    with transaction() as session:
        session.execute(sa.update(Media).values(latitude=48.137154, longitude=11.576124))

    pages = {who: house.browser(who).get(f"/media/{media_id}").get_data(as_text=True) for who in (anna, ben, eve)}
    answers = {who: house.browser(who).get(f"/api/v1/media/{media_id}").json for who in (anna, ben, eve)}

    assert [who.email for who, page in pages.items() if "48.137" in page] == [anna.email, eve.email]
    assert {who.email: answer["latitude"] for who, answer in answers.items() if answer} == {
        anna.email: 48.137154,
        ben.email: None,
        eve.email: 48.137154,
    }
