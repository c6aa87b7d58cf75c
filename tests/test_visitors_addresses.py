"""How much of a visitor's address the events keep: as much as the history. Throttling knows all of it."""

import pytest
import sqlalchemy as sa

from tests.factories import House, small_picture
from tests.test_guests import bring, brought, withdraw
from vault import audit
from vault.db import db
from vault.models.sharing import LinkRole
from vault.models.system import Event

HERE = "203.0.113.9"


def addresses(*actions: str) -> dict[str, str]:
    """Return the addresses that events of these kinds were written with."""
    db.session.rollback()  # what requests wrote since
    return {event.action: event.address for event in db.session.scalars(sa.select(Event)) if event.action in actions}


@pytest.mark.parametrize(("kept", "shown"), [("full", HERE), ("network", "203.0.113.0/24"), ("none", "")])
def test_events_of_visitors_keep_as_much_of_an_address_as_the_setting_says(house: House, kept: str, shown: str) -> None:
    object.__setattr__(house.vault.settings, "history_addresses", kept)
    anna = house.person("Anna")
    album = house.album(anna)
    link, full = house.link(album, role=LinkRole.DROP), house.link(album, max_visits=1)
    visitor = house.visitor(link)
    late = house.browser()
    house.visitor(full)
    visitor.environ_base["REMOTE_ADDR"] = late.environ_base["REMOTE_ADDR"] = HERE

    bring(visitor, link, small_picture())
    assert withdraw(visitor, link, *brought()) == 303
    for path in (house.address(full), f"/l/{full.public_id}/", f"/l/{full.public_id}/media/{'A' * 22}/thumb"):
        late.get(path)

    kinds = ("media.upload", "media.withdraw", "link.refused", "request.refused")
    assert addresses(*kinds) == dict.fromkeys(kinds, shown)


def test_events_of_people_keep_the_whole_address(house: House) -> None:
    anna = house.person("Anna")
    house.visitor(house.link(house.album(anna)))
    script = house.browser()
    script.environ_base["REMOTE_ADDR"] = HERE
    script.post("/api/v1/albums", json={"title": "Sea"}, headers=house.token(anna))

    assert addresses("album.create") == {"album.create": HERE}


def test_refusals_are_counted_by_the_whole_address(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    object.__setattr__(house.vault.settings, "history_addresses", "none")
    asked: list[str] = []

    def note(_bounded: audit.Bounded, key: str) -> bool:
        asked.append(key)
        return False

    monkeypatch.setattr(audit.Bounded, "admits", note)
    link = house.link(house.album(house.person("Anna")), max_visits=1)
    house.visitor(link)
    late = house.browser()
    late.environ_base["REMOTE_ADDR"] = HERE

    for path in (house.address(link), f"/l/{link.public_id}/"):
        late.get(path)

    assert f"{link.public_id} {HERE}" in asked
