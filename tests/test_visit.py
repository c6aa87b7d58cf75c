"""What the visitor of a link sees, besides the right to see it."""

from tests.factories import House


def test_a_visitor_is_not_shown_what_is_still_being_made(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    ready, pending = house.picture(anna, album).public_id, house.picture(anna, album, ready=False).public_id

    seen = house.browser().get(house.address(house.link(album))).get_data(as_text=True)

    assert ready in seen
    assert pending not in seen
    assert pending in house.browser(anna).get(f"/albums/{album.public_id}").get_data(as_text=True)
