"""`fsck`: what is broken is found and named, what can be made again is mended, and no original is ever touched."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import pictures
from tests.factories import House, Person
from vault.db import db, transaction
from vault.models.account import User
from vault.models.media import Album, AlbumReach, Media, State, Variant
from vault.policy import Action, authorize
from vault.services import derivatives, inspection, library
from vault.storage import variant_key
from vault.storage.local import LocalStorage

TWO_DAYS = 2 * 86_400


def path_of(house: House, key: str) -> Path:
    storage = house.vault.storage
    assert isinstance(storage, LocalStorage)
    return storage.root / key


def problems(house: House, *, read_data: bool = False) -> list[str]:
    return inspection.inspect(house.vault, read_data=read_data).problems


def originals(house: House) -> dict[str, tuple[bytes, int]]:
    paths = {key: path_of(house, key) for key in house.vault.storage.keys("originals/")}
    return {key: (path.read_bytes(), path.stat().st_mtime_ns) for key, path in paths.items()}


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def a_vault_in_order(house: House) -> tuple[Person, Album, Media]:
    anna = house.person("Anna")
    album = house.album(anna)
    data = pictures.encoded(pictures.drawing(), "JPEG")
    media = house.render(house.picture(anna, album, data=data, ready=False))
    house.album(anna, "Below", parent=album)
    thrown = house.picture(anna, album, ready=False)
    house.render(thrown)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, thrown.public_id))
    for row in (album, media):
        db.session.refresh(row)
    db.session.expunge_all()  # an inspection forgets all rows that were read, and these are to be asked afterwards
    return anna, album, media


def test_a_vault_in_order_holds(house: House) -> None:
    a_vault_in_order(house)

    report = inspection.inspect(house.vault, read_data=True)

    assert report.as_json() == {
        "holds": True,
        "originals": 2,
        "variants": 4,
        "blobs": 6,
        "pending": 0,
        "read": 2,
        "unread": 0,
        "quarantined": 0,
        "problems": [],
        "mended": [],
    }


class TestBytes:
    def test_a_missing_original_is_found(self, house: House) -> None:
        _, _, media = a_vault_in_order(house)
        path_of(house, media.blob_key).unlink()

        assert problems(house) == [f"original {media.public_id}: its bytes are missing"]

    def test_a_truncated_original_is_found(self, house: House) -> None:
        _, _, media = a_vault_in_order(house)
        os.truncate(path_of(house, media.blob_key), 100)

        assert problems(house) == [f"original {media.public_id}: 100 bytes instead of {media.size_bytes}"]

    def test_a_flipped_bit_is_found_by_reading(self, house: House) -> None:
        _, _, media = a_vault_in_order(house)
        flip_a_bit(path_of(house, media.blob_key))

        assert problems(house) == []
        assert problems(house, read_data=True) == [f"original {media.public_id}: its bytes have changed"]

    def test_mending_leaves_a_broken_original_as_it_is(self, house: House) -> None:
        _, _, media = a_vault_in_order(house)
        flip_a_bit(path_of(house, media.blob_key))
        before = originals(house)

        for _ in range(2):
            report = inspection.inspect(house.vault, read_data=True, fix=True)
            assert report.problems == [f"original {media.public_id}: its bytes have changed"]

        assert originals(house) == before


class TestVariants:
    def break_it(self, house: House, media: Media, how: str) -> None:
        path = path_of(house, variant_key(media.blob_key, "thumb", media.pipeline))
        match how:
            case "missing":
                path.unlink()
            case "truncated":
                os.truncate(path, 10)
            case "changed":
                flip_a_bit(path)
            case _:
                with transaction() as session:
                    session.execute(sa.delete(Variant).where(Variant.media_id == media.id, Variant.name == "thumb"))

    @pytest.mark.parametrize("how", ["missing", "truncated", "changed", "without a row"])
    def test_a_broken_one_is_found_and_made_again(self, house: House, how: str) -> None:
        anna, _, media = a_vault_in_order(house)
        before = originals(house)
        self.break_it(house, media, how)

        report = inspection.inspect(house.vault, read_data=True, fix=True)

        assert len(report.problems) == 1
        assert report.problems[0].startswith(f"variant {media.public_id} thumb: ")
        assert derivatives.due(house.vault) == ("render", (media.public_id,))
        assert house.render(media).state == State.READY
        assert problems(house, read_data=True) == []
        assert originals(house) == before
        assert house.browser(anna).get(f"/media/{media.public_id}/thumb").status_code == 200


class TestLeftovers:
    @pytest.mark.parametrize(("kind", "mended"), [("originals", False), ("variants", True)])
    def test_an_old_blob_without_a_row_is_found_and_only_variants_are_removed(
        self,
        house: House,
        kind: str,
        mended: bool,  # noqa: FBT001  # a column of the table
    ) -> None:
        _, _, media = a_vault_in_order(house)
        named = media.blob_key if kind == "originals" else variant_key(media.blob_key, "thumb", media.pipeline)
        key = named.replace(media.public_id, "B" * 22)
        path = path_of(house, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left")
        assert problems(house) == []
        then = time.time() - TWO_DAYS
        os.utime(path, (then, then))

        assert inspection.inspect(house.vault, fix=True).problems == [f"blob {key}: no row names it"]
        assert path.exists() is not mended

    def test_an_old_temporary_is_found_and_removed(self, house: House) -> None:
        a_vault_in_order(house)
        path = path_of(house, "tmp") / "left"
        path.write_bytes(b"left")
        then = time.time() - TWO_DAYS
        os.utime(path, (then, then))

        assert inspection.inspect(house.vault, fix=True).problems == ["temporary file left: left behind"]
        assert problems(house) == []


def wrong_quota(anna: Person, _album: Album) -> None:
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == anna.id).values(used_bytes=1))


def wrong_count(_anna: Person, album: Album) -> None:
    with transaction() as session:
        session.execute(sa.update(Album).where(Album.id == album.id).values(media_count=7))


@pytest.mark.parametrize(
    ("spoil", "found"),
    [(wrong_quota, "quota of anna@example.org: 1 bytes"), (wrong_count, "7 pictures counted, 1 there")],
)
def test_a_wrong_sum_is_found_and_counted_anew(
    house: House, spoil: Callable[[Person, Album], None], found: str
) -> None:
    anna, album, _ = a_vault_in_order(house)
    spoil(anna, album)

    report = inspection.inspect(house.vault, fix=True)

    assert len(report.problems) == 1
    assert found in report.problems[0]
    assert problems(house) == []


def test_a_broken_reach_is_found_also_far_below_and_mended(house: House) -> None:
    anna = house.person("Anna")
    top = house.album(anna, "Top")
    middle = house.album(anna, "Middle", parent=top)
    bottom = house.album(anna, "Bottom", parent=middle)
    middle_id, bottom_id = middle.id, bottom.id
    with transaction() as session:
        # As if inheritance had been switched off above while the album below was made.
        session.execute(sa.update(Album).where(Album.id == middle_id).values(inherits=False))
        session.execute(sa.delete(AlbumReach).where(AlbumReach.album_id == middle_id, AlbumReach.distance > 0))

    assert problems(house) == [f"album number {bottom_id}: who reaches it does not fit its place in the tree"]

    inspection.inspect(house.vault, fix=True)
    assert problems(house) == []
    reached = db.session.scalars(sa.select(AlbumReach.source_id).where(AlbumReach.album_id == bottom_id))
    assert sorted(reached) == [middle_id, bottom_id]
