"""What never leaves by a link, whatever its terms: title, keywords, stars, the name of a RAW, a date's source."""

from typing import Any

import pytest

from tests.factories import House
from tests.governed import ALL, KEEP, LOCATION, Shared
from tests.pairs import file, pair
from vault.db import transaction
from vault.models.media import Media
from vault.models.sharing import Link
from vault.policy import Action, authorize
from vault.services import library

WORDS: dict[str, Any] = {"title": "Our hut above Elm", "keywords": ["Aunt Vreni"], "rating": 4}
SECRETS = ("Our hut above Elm", "Aunt Vreni", "xmp-sidecar", "of 5 stars", "elm_hut.dng")


@pytest.fixture
def shared(house: House) -> Shared:
    """Return a picture with words from its file and by a person, and with a RAW, in an album that is shared."""
    found = Shared(house)
    raw = file(house, found.anna, "elm_hut.dng", found.album)
    with transaction() as session:
        row, other = session.get_one(Media, found.media.id), session.get_one(Media, raw.id)
        row.file_name, row.taken_at, row.shown_at = "elm_hut.jpg", other.taken_at, other.shown_at
        row.camera, row.sources = other.camera, {"taken_at": "xmp-sidecar"}
        for name, value in WORDS.items():
            setattr(row, name, value)
    assert pair(raw)
    return found


def answers(shared: Shared, link: Link) -> dict[str, str]:
    """Return all that a visitor can ask for, and what the owner sees with his eyes."""
    visitor, anna = shared.house.visitor(link), shared.house.browser(shared.anna)
    here, media = f"/l/{link.public_id}", shared.media.public_id
    there = f"/albums/{shared.album.public_id}/as/link-{link.public_id}"
    json = {"Accept": "application/json"}
    asked = {
        "page": visitor.get(f"{here}/"),
        "list": visitor.get(f"{here}/", headers=json),
        "picture": visitor.get(f"{here}/media/{media}"),
        "archive": visitor.get(f"{here}/zip"),
        "as": anna.get(there),
        "as list": anna.get(there, headers=json),
        "as picture": anna.get(f"{there}/media/{media}"),
    }
    found = {name: answer.get_data().decode("latin-1") for name, answer in asked.items()}
    headers = {f"{name}, headers": str(answer.headers) for name, answer in asked.items()}
    assert [answer.status_code for answer in asked.values()] == [200] * len(asked)
    return found | headers


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("rule", [ALL, LOCATION, KEEP])
def test_no_new_word_leaves(shared: Shared, rule: str, *, by_hand: bool) -> None:
    if by_hand:
        permit = authorize(shared.anna.viewer, Action.CAPTION, Media, shared.media.public_id)
        library.describe(permit, title="Our hut above Elm, too", keywords=["Aunt Vreni", "Elm"], rating=5)
    link = shared.link(metadata_rule=rule, neutral_names=True)

    told = {(name, secret) for name, text in answers(shared, link).items() for secret in SECRETS if secret in text}

    assert told == set()
    # And all of it is there to be seen by its owner.
    own = shared.house.browser(shared.anna).get(f"/media/{shared.media.public_id}").get_data(as_text=True)
    assert all(secret in own for secret in SECRETS if secret != "xmp-sidecar")
