"""However long a list is, no statement takes more values than some thousands: PostgreSQL has an end of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from tests.factories import House
from vault.db import db
from vault.models import cursor
from vault.models.media import Album, Media
from vault.policy import Action, allowed, authorize
from vault.services import exposure, history
from vault.services.explaining import of_album
from vault.services.links import cards

FEW, MANY = 6, 15
WAYS = ("cards", "explaining", "allowed", "exposure", "use")


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the values that each statement takes."""
    found: list[int] = []

    def note(_connection: object, _cursor: object, _statement: str, values: list[object], *_more: object) -> None:
        found.append(len(values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("way", WAYS)
def test_no_statement_grows_with_the_list(house: House, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(cursor, "AT_A_TIME", 5)
    anna = house.person("Anna")
    album = house.album(anna)
    permit = authorize(anna.viewer, Action.EXPLAIN, Album, album.public_id)
    made = [house.link(album) for _ in range(FEW)]
    pictures = [house.picture(anna, ready=False) for _ in range(MANY)]

    ask: dict[str, Callable[[int], int]] = {
        "cards": lambda _: len(cards.of_album(house.vault, permit)),
        "explaining": lambda _: len(of_album(permit)) - 1,  # the owner is not one of the links
        "allowed": lambda count: len(
            allowed(anna.viewer, Action.VIEW, Media, [media.public_id for media in pictures[:count]])
        ),
        "exposure": lambda _: len(exposure.of_person(anna.viewer)),
        "use": lambda _: len(made) + len(history.use([link.id for link in made])),
    }
    with counted() as few:
        assert ask[way](FEW) == FEW
    made += [house.link(album) for _ in range(MANY - FEW)]
    with counted() as many:
        assert ask[way](MANY) == MANY

    assert max(many) == max(few)
    assert len(many) > len(few)
