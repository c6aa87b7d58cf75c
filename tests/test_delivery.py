"""The bytes: headers of the outward contract, conditional and range requests, and who gets none."""

import pytest
import sqlalchemy as sa

from tests.factories import ORIGIN, House
from vault.db import db, transaction
from vault.models.media import Media
from vault.models.sharing import Role
from vault.models.system import Event
from vault.policy import Action, Denied, authorize
from vault.web.delivery import send

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


def test_an_original_leaves_an_event_whichever_part_is_asked_for(house: House) -> None:
    anna = house.person("Anna")
    browser = house.browser(anna)
    first, second, third = (house.picture(anna).public_id for _ in range(3))

    browser.get(f"/media/{first}/original", headers={"Range": "bytes=1-"})
    browser.get(f"/media/{first}/original", headers={"Range": "bytes=0-9"})
    browser.get(f"/media/{second}/original")
    browser.get(f"/media/{second}/original")
    browser.head(f"/media/{third}/original")
    browser.get(f"/media/{third}/thumb")
    house.vault.recorder.flush()

    taken = db.session.scalars(sa.select(Event).where(Event.action == "media.download").order_by(Event.id)).all()
    assert [event.subject for event in taken] == [first, second, second]
    assert taken[0].detail == {"through": "owner"}


def test_a_permit_to_look_does_not_send_an_original(house: House) -> None:
    anna = house.person("Anna")
    permit = authorize(anna.viewer, Action.VIEW, Media, house.picture(anna).public_id)

    with house.app.test_request_context(base_url=ORIGIN), pytest.raises(Denied):
        send(permit, "original")


@pytest.mark.parametrize("delivery", ["direct", "x-accel"])
def test_who_is_signed_in_gets_the_name_and_who_has_a_link_does_not(house: House, delivery: str) -> None:
    object.__setattr__(house.vault.settings, "delivery", delivery)
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media_id = house.picture(anna, album, file_name="Müller divorce.jpeg").public_id
    house.grant(album, ben, Role.DOWNLOADER)
    link = house.link(album, role=Role.DOWNLOADER)

    names = {
        who: browser.get(f"{path}/media/{media_id}/original").headers["Content-Disposition"]
        for who, browser, path in (
            ("owner", house.browser(anna), ""),
            ("member", house.browser(ben), ""),
            ("visitor", house.visitor(link), f"/l/{link.public_id}"),
        )
    }

    assert ["divorce" in said for said in names.values()] == [True, True, False]
    neutral = f"picture-{media_id[:8]}.jpg"
    assert names["visitor"] == f"attachment; filename=\"{neutral}\"; filename*=UTF-8''{neutral}"
