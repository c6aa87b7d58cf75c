"""The validators of what leaves by a link: strong, and silent on what the original is."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from tests.factories import House
from tests.governed import ALL, LOCATION, Shared, one_workshop
from vault.models.media import Media
from vault.policy import Action, authorize
from vault.services import editions


@pytest.fixture(autouse=True, scope="module")
def benches() -> Iterator[None]:
    with one_workshop():
        yield


@pytest.fixture
def shared(house: House) -> Shared:
    return Shared(house)


def test_a_validator_tells_visitors_nothing_of_the_original(shared: Shared) -> None:
    row = shared.permit().row
    said: list[dict[str, Any]] = [
        {},
        {"metadata_rule": ALL},
        {"metadata_rule": LOCATION},
        {"watermark": "a"},
        {"long_edge_px": 320},
    ]
    etags = {}
    for terms in said:
        for name in ("thumb", "preview", "original"):
            permit = shared.permit(**terms)
            etag = etags[name, str(terms)] = editions.find(shared.house.vault, permit, name).etag
            assert not any(part and part in etag for part in (row.sha256[:8], row.rendition[:8])), (name, terms)
            assert editions.find(shared.house.vault, permit, name).etag == etag
            assert permit.terms is not None
            elsewhere = dataclasses.replace(permit, terms=permit.terms._replace(link_public_id="y" * 22))
            assert editions.find(shared.house.vault, elsewhere, name).etag != etag
    assert shared.get(shared.link(metadata_rule=ALL), "original").headers["ETag"] not in etags.values()
    people = authorize(shared.anna.viewer, Action.DOWNLOAD, Media, shared.media.public_id)
    assert editions.find(shared.house.vault, people, "original").etag == row.sha256
