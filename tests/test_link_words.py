"""What the pages of a link say of a picture besides its bytes: captions, names, dates and the tiny picture."""

from typing import Any

import pytest

from tests import pictures
from tests.factories import House
from tests.governed import ALL, KEEP, LOCATION, Shared
from vault.db import db
from vault.models.media import Media, State
from vault.models.sharing import Link
from vault.policy import Action, authorize
from vault.services import library

FROM_FILE, WRITTEN = "Our hut above Elm", "The lake\nat noon"


@pytest.fixture
def shared(house: House) -> Shared:
    exif = pictures.camera_exif(taken="2024:07:06 15:04:05")
    exif[0x010E] = FROM_FILE
    return Shared(house, body=pictures.jpeg(pictures.drawing(900, 600), exif=exif))


def write(shared: Shared, caption: str) -> None:
    permit = authorize(shared.anna.viewer, Action.CAPTION, Media, shared.media.public_id)
    library.describe(permit, caption=caption)


def seen(shared: Shared, link: Link) -> dict[str, Any]:
    """The one tile that a visitor's script gets."""
    answer = shared.house.visitor(link).get(f"/l/{link.public_id}/", headers={"Accept": "application/json"})
    (tile,) = answer.get_json()["items"]
    return dict(tile)


def pages(shared: Shared, link: Link) -> str:
    """All pages that a visitor sees, and what the owner sees with his eyes."""
    visitor, anna = shared.house.visitor(link), shared.house.browser(shared.anna)
    media, here = shared.media.public_id, f"/l/{link.public_id}"
    there = f"/albums/{shared.album.public_id}/as/link-{link.public_id}"
    answers = [visitor.get(f"{here}/"), visitor.get(f"{here}/media/{media}")]
    answers += [anna.get(there), anna.get(f"{there}/media/{media}")]
    assert [each.status_code for each in answers] == [200] * 4
    return "".join(each.get_data(as_text=True) for each in answers)


@pytest.mark.parametrize(("rule", "leaves"), [(ALL, False), (LOCATION, False), (KEEP, True)])
def test_a_caption_out_of_the_file_leaves_only_where_all_is_kept(shared: Shared, rule: str, leaves: bool) -> None:  # noqa: FBT001 - what pytest gives
    link = shared.link(metadata_rule=rule)
    for back in (None, FROM_FILE, f"{FROM_FILE}\r\n"):  # a form sends back what it showed
        if back is not None:
            write(shared, back)
        assert (seen(shared, link)["caption"] == FROM_FILE) is leaves
        assert (FROM_FILE in pages(shared, link)) is leaves
    assert FROM_FILE in shared.house.browser(shared.anna).get(f"/media/{shared.media.public_id}").get_data(as_text=True)


@pytest.mark.parametrize("rule", [ALL, LOCATION, KEEP])
def test_a_caption_that_a_person_wrote_leaves(shared: Shared, rule: str) -> None:
    write(shared, WRITTEN)
    found = seen(shared, shared.link(metadata_rule=rule))

    assert (found["caption"], found["name"]) == (WRITTEN, WRITTEN)


def test_a_caption_that_a_person_took_away_does_not_come_back(shared: Shared) -> None:
    write(shared, "")
    row = db.session.get_one(Media, shared.media.id)
    row.state = State.PENDING
    db.session.commit()
    shared.house.render(row)

    assert db.session.get_one(Media, shared.media.id, populate_existing=True).caption == ""


def test_when_it_was_taken_leaves_only_with_all_else_that_the_file_says(shared: Shared) -> None:
    table = {(ALL, True): False, (LOCATION, False): False, (KEEP, True): False, (KEEP, False): True}
    for (rule, neutral), leaves in table.items():
        link = shared.link(metadata_rule=rule, neutral_names=neutral)
        assert (seen(shared, link)["shown_at"] is not None) is leaves, (rule, neutral)
        assert ("2024-07-06" in pages(shared, link)) is leaves, (rule, neutral)


def test_where_there_is_a_watermark_no_picture_leaves_without(shared: Shared) -> None:
    below = shared.house.album(shared.anna, parent=shared.album)
    shared.house.render(shared.house.picture(shared.anna, below, ready=False))
    for text in ("", "For Ben"):
        link = shared.link(watermark=text)
        assert (seen(shared, link)["placeholder"] is None) is bool(text)
        assert ("data:image" in pages(shared, link)) is not bool(text)
