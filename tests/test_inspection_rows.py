"""`fsck` on what rows say of each other, and on variants that are as they were written and yet no pictures."""

import hashlib
import io
import os
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from PIL import Image

from tests import tus
from tests.copies import path_of
from tests.factories import House
from vault.db import db, transaction, utcnow
from vault.models.media import AlbumMedia, Media, Part, Playback, State, Variant
from vault.services import inspection
from vault.storage import original_key

LONG_AGO = timedelta(days=4)


def set_on(media: Media, **values: object) -> None:
    media_id = media.id
    with transaction() as session:
        session.execute(sa.update(Media).where(Media.id == media_id).values(**values))
    db.session.expire_all()


def problems(house: House, *, fix: bool = False) -> list[str]:
    return inspection.inspect(house.vault, fix=fix).problems


def test_work_that_nobody_does_any_more_is_named_and_given_back(house: House) -> None:
    anna = house.person("Anna")
    waiting, film = house.picture(anna, ready=False), house.picture(anna)
    names = (waiting.public_id, film.public_id)
    set_on(waiting, claimed_at=utcnow())
    set_on(film, playback=Playback.PENDING, playback_claimed_at=utcnow())
    assert problems(house) == []
    set_on(waiting, claimed_at=utcnow() - LONG_AGO)
    set_on(film, playback_claimed_at=utcnow() - LONG_AGO)

    assert problems(house, fix=True) == [
        f"picture {names[0]}: claimed by a worker that is gone",
        f"video {names[1]}: claimed by a worker that is gone",
    ]
    assert problems(house) == []


class TestParts:
    def test_a_part_of_a_picture_of_its_owner_is_in_order(self, house: House) -> None:
        anna = house.person("Anna")
        main, part = house.picture(anna), house.picture(anna)
        set_on(part, part_of_id=main.id, part=Part.RAW)

        assert problems(house) == []

    @pytest.mark.parametrize("how", ["of another person", "of a part", "of no kind"])
    def test_one_that_is_none_is_an_item_of_its_own_again(self, house: House, how: str) -> None:
        anna = house.person("Anna")
        main, part = house.picture(house.person() if how == "of another person" else anna), house.picture(anna)
        main_id, public_id, part_id = main.id, part.public_id, part.id
        if how == "of a part":
            set_on(main, part_of_id=house.picture(anna).id, part=Part.MOTION)
        set_on(part, part_of_id=main_id, part=Part.NONE if how == "of no kind" else Part.RAW)

        assert problems(house, fix=True) == [f"part {public_id}: what it is a part of does not fit it"]
        assert problems(house) == []
        assert db.session.scalar(sa.select(Media.part_of_id).where(Media.id == part_id)) is None

    def test_one_in_an_album_is_taken_out_and_the_count_stays_true(self, house: House) -> None:
        anna = house.person("Anna")
        album = house.album(anna)
        main, part = house.picture(anna, album), house.picture(anna, album)
        main_id, part_id, names = main.id, part.id, (part.public_id, album.public_id)
        set_on(part, part_of_id=main_id, part=Part.RAW)

        assert problems(house, fix=True) == [f"part {names[0]}: it lies in album {names[1]}"]
        assert problems(house) == []
        assert list(db.session.scalars(sa.select(AlbumMedia.media_id))) == [main_id]
        assert db.session.get(Media, part_id) is not None


def webp_with_a_name_in_it() -> bytes:
    data = io.BytesIO()
    exif = Image.Exif()
    exif[0x013B] = "Anna Example"
    Image.new("RGB", (24, 24), "teal").save(data, "WEBP", exif=exif.tobytes())
    return data.getvalue()


def webp_without_pixels() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (24, 24), "teal").save(data, "WEBP")
    whole = bytearray(data.getvalue())
    whole[20:23] = b"\xf0\xff\xff"  # a first partition that is longer than the file (RFC 6386, 9.1)
    return bytes(whole)


@pytest.mark.parametrize("made", [webp_with_a_name_in_it, webp_without_pixels, lambda: b"no picture at all"])
def test_a_variant_that_is_as_it_was_written_and_no_bare_picture_is_made_again(
    house: House, made: Callable[[], bytes]
) -> None:
    media = house.picture(house.person("Anna"), ready=False)
    media_id, public_id = media.id, media.public_id
    assert house.render(media).state == State.READY
    assert inspection.inspect(house.vault, read_data=True).problems == []
    thumb = sa.select(Variant.blob_key).where(Variant.media_id == media_id, Variant.name == "thumb")
    path, data = path_of(house, db.session.scalars(thumb).one()), made()
    path.write_bytes(data)
    said = {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.media_id == media_id, Variant.name == "thumb").values(said))

    report = inspection.inspect(house.vault, read_data=True, fix=True)

    assert report.problems == [f"variant {public_id} thumb: it cannot be decoded"]
    db.session.expire_all()
    assert db.session.scalar(sa.select(Media.state).where(Media.id == media_id)) == State.PENDING


def test_a_video_without_its_playable_copy_is_made_playable_again(house: House) -> None:
    media = house.picture(house.person("Anna"))
    media_id, public_id = media.id, media.public_id
    set_on(media, media_type="video/mp4", playback=Playback.READY)

    assert problems(house, fix=True) == [f"variant {public_id} video: no row"]
    assert db.session.scalar(sa.select(Media.playback).where(Media.id == media_id)) == Playback.PENDING


class TestHalves:
    def test_an_open_upload_with_all_that_was_acknowledged_is_in_order(self, house: House) -> None:
        anna = tus.script(house, house.person("Anna"))
        address, whole = anna.begun(5000), tus.picture(5000)
        assert anna.send(address, 0, whole[:3000]).status_code == 204
        path = house.vault.storage.partial(address.rpartition("/")[2])
        with path.open("ab") as file:
            file.write(b"not acknowledged")
        # However long nobody has sent anything: it is open, and expires by its own time.
        os.utime(path, (0, 0))
        anna.begun(5000)  # of which nothing is here

        assert problems(house, fix=True) == []
        assert anna.send(address, 3000, whole[3000:]).status_code == 204
        assert problems(house) == []

    @pytest.mark.parametrize("left", [2999, None])
    def test_one_that_lost_bytes_is_named_and_begins_anew(self, house: House, left: int | None) -> None:
        anna = tus.script(house, house.person("Anna"))
        address = anna.begun(5000)
        assert anna.send(address, 0, tus.picture(5000)[:3000]).status_code == 204
        name = address.rpartition("/")[2]
        path = house.vault.storage.partial(name)
        path.unlink() if left is None else os.truncate(path, left)
        said = f"upload {name}: 3000 bytes acknowledged, {left or 0} there"

        assert problems(house) == problems(house, fix=True) == [said]

        assert problems(house) == []
        assert anna.ask("HEAD", address).status_code == 410


def test_a_partial_file_of_no_upload_is_named_and_removed(house: House) -> None:
    path = house.vault.storage.partial("P" * 22)
    path.write_bytes(b"left")
    assert problems(house) == []
    then = time.time() - LONG_AGO.total_seconds()
    os.utime(path, (then, then))

    assert problems(house, fix=True) == [f"partial file {'P' * 22}: of no upload"]
    assert not path.exists()


def test_mending_deletes_no_original_even_one_that_no_row_names(house: House) -> None:
    key = original_key("A" * 22, "0" * 64, "B" * 22)
    path = path_of(house, key)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"somebody's")
    then = time.time() - LONG_AGO.total_seconds()
    os.utime(path, (then, then))

    assert problems(house, fix=True) == [f"blob {key}: no row names it"]
    assert path.read_bytes() == b"somebody's"
