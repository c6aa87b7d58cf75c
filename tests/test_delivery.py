"""The bytes: headers of the outward contract, conditional and range requests, and who gets none."""

from tests.factories import House

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
