"""Notes of who looked: bounded in memory, and not lost because one of them cannot be written."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import House
from vault.db import db
from vault.models.history import Download, PersonSight, Visit
from vault.models.media import Media
from vault.models.sharing import LinkRole, Role
from vault.policy import Action, authorize
from vault.services import recording


def test_a_picture_that_goes_while_its_note_is_written_takes_no_other_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.VIEWER)
    gone, stays = house.picture(anna, album), house.picture(anna, album)
    for media in (gone, stays):
        house.vault.recorder.opened(authorize(ben.viewer, Action.VIEW, Media, media.public_id), "preview")
    before, calls = recording._add_sights, list[Any]()  # noqa: SLF001  # the moment between looking and writing

    def lose(session: Session, kind: Any, seen: Any) -> None:
        if not calls and kind is PersonSight:
            calls.append(session.execute(sa.delete(Media).where(Media.id == gone.id)))
        before(session, kind, seen)

    monkeypatch.setattr(recording, "_add_sights", lose)
    house.vault.recorder.flush()

    db.session.rollback()
    assert db.session.scalars(sa.select(PersonSight.media_id)).all() in ([stays.id], [gone.id, stays.id])


def test_a_download_in_countless_pieces_is_bounded(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album)
    link = house.link(album, role=LinkRole.DOWNLOADER)
    house.visitor(link)
    db.session.rollback()
    visit = db.session.scalars(sa.select(Visit)).one()
    for start in range(0, 4 * recording.MOST_STRETCHES, 2):
        house.vault.recorder.sent(visit.id, media.public_id, (start, start + 1), 10_000)
        if start % 100 == 0:
            house.vault.recorder.flush()
    house.vault.recorder.flush()

    db.session.rollback()
    row = db.session.scalars(sa.select(Download)).one()
    assert len(row.pieces.split(",")) == recording.MOST_STRETCHES
    house.vault.recorder.sent(visit.id, media.public_id, (0, 10_000), 10_000)
    house.vault.recorder.flush()
    db.session.rollback()
    assert db.session.scalars(sa.select(Download)).one().completed_at is not None
