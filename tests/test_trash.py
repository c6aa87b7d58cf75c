"""The trash: what lies there is gone at once, comes back whole, or goes for good with its bytes, counted once."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.factories import House, Person, small_picture
from tests.live.crowd import together
from vault.db import db, transaction, utcnow
from vault.models.account import User
from vault.models.media import Album, Media, MediaFacts, State
from vault.policy import Action, Denied, Permit, authorize
from vault.services import Refused, albums, inspection, library, uploads
from vault.storage.incoming import Incoming


def used(person: Person) -> int:
    db.session.rollback()
    return int(db.session.scalar(sa.select(User.used_bytes).where(User.id == person.id)) or 0)


def count(album: Album) -> int:
    db.session.rollback()
    return int(db.session.scalar(sa.select(Album.media_count).where(Album.id == album.id)) or 0)


class TestTrash:
    def test_it_is_gone_at_once_and_back_with_its_albums(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        media, other = house.picture(anna, album), house.picture(anna, album)

        library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))

        assert (count(album), _ids(anna, album)) == (1, [other.public_id])
        assert [row.public_id for row in library.in_trash(anna.viewer, limit=10).items] == [media.public_id]
        with pytest.raises(Denied):
            authorize(anna.viewer, Action.VIEW, Media, media.public_id)

        library.restore(authorize(anna.viewer, Action.RESTORE, Media, media.public_id))

        assert (count(album), set(_ids(anna, album))) == (2, {media.public_id, other.public_id})

    def test_purging_takes_bytes_and_quota_and_nothing_else(self, house: House) -> None:
        anna, data = house.person("Anna"), small_picture()
        album = house.album(anna)
        media, other = house.picture(anna, album, data=data), house.picture(anna, album)
        before = used(anna)
        theirs = {key for key in house.vault.storage.keys("") if media.public_id in key}
        assert len(theirs) == 3
        permit = _trashed(anna, media)

        library.purge(house.vault, permit)

        keys = set(house.vault.storage.keys())
        assert (used(anna), len(keys), theirs & keys) == (before - len(data), 3, set())
        assert _ids(anna, album) == [other.public_id]
        assert inspection.inspect(house.vault).problems == []

    def test_a_cover_that_is_purged_leaves_the_album(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        media, other = house.picture(anna, album), house.picture(anna, album)
        albums.set_cover(authorize(anna.viewer, Action.ARRANGE, Album, album.public_id), media.public_id)

        library.purge(house.vault, _trashed(anna, media))

        cover = albums.own(anna.viewer)[0].cover
        assert cover is not None
        assert cover.public_id == other.public_id

    @pytest.mark.parametrize("deed", ["trash", "restore", "purge"])
    def test_eight_times_at_once_counts_once(self, house: House, deed: str) -> None:
        anna, data = house.person("Anna"), small_picture()
        album = house.album(anna)
        media, other = house.picture(anna, album, data=data), house.picture(anna, album)
        if deed != "trash":
            _trashed(anna, media)
        action = Action.TRASH if deed == "trash" else Action.RESTORE
        permit = authorize(anna.viewer, action, Media, media.public_id)

        def do() -> None:
            if deed == "purge":
                library.purge(house.vault, permit)
            else:
                getattr(library, deed)(permit)

        outcomes = together(house.app, [do] * 8)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Denied"] * 7 + ["NoneType"]
        assert count(album) == (2 if deed == "restore" else 1)
        assert used(anna) == other.size_bytes + (0 if deed == "purge" else len(data))
        assert inspection.inspect(house.vault).problems == []

    def test_trash_take_out_and_upload_at_once_count_right(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        payloads = [small_picture() for _ in range(4)]
        pictures = [house.picture(anna, album, data=data) for data in payloads]

        def upload(data: bytes) -> None:
            with Incoming(house.vault.storage, 10**7) as incoming:
                incoming.write(data)
                uploads.receive(house.vault, anna.viewer, incoming, file_name="a.jpg", album_id=album.public_id)

        deeds: list[Callable[[], object]] = []
        for media, data in zip(pictures, payloads, strict=True):
            media_id = media.public_id
            permit = authorize(anna.viewer, Action.TRASH, Media, media_id)
            deeds += [
                lambda permit=permit: library.trash(permit),  # type: ignore[misc]  # bound now
                lambda media_id=media_id: albums.take_out(anna.viewer, album.public_id, media_id),  # type: ignore[misc]  # bound now
                lambda data=data: upload(data),  # type: ignore[misc]  # bound now
            ]
        outcomes = together(house.app, deeds)

        assert {type(outcome).__name__ for outcome in outcomes} <= {"NoneType", "bool", "Denied"}
        assert inspection.inspect(house.vault).problems == []

    def test_what_failed_can_be_tried_again_and_nothing_else(self, house: House) -> None:
        anna = house.person("Anna")
        media = house.picture(anna)
        permit = authorize(anna.viewer, Action.TRASH, Media, media.public_id)
        with pytest.raises(Refused):
            library.retry(house.vault, permit)
        with transaction() as session:
            session.execute(
                sa.update(Media).values(state=State.FAILED, failure="It is broken.", attempts=20, claimed_at=utcnow())
            )

        library.retry(house.vault, permit)

        db.session.expire_all()
        assert (media.state, media.failure, media.attempts, media.claimed_at) == (State.PENDING, None, 0, None)


def _trashed(person: Person, media: Media) -> Permit[MediaFacts]:
    library.trash(authorize(person.viewer, Action.TRASH, Media, media.public_id))
    return authorize(person.viewer, Action.RESTORE, Media, media.public_id)


def _ids(person: Person, album: Album) -> list[str]:
    db.session.rollback()
    permit = authorize(person.viewer, Action.VIEW, Album, album.public_id)
    return [media.public_id for media in library.of_album(permit, limit=1000).items]
