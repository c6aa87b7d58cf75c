"""A disk that is really full, database and all: uploads say so, and everything that makes room still works."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import PASSWORD, House, Person, small_picture
from tests.live.server import looking_inside, new_home
from tests.tus import picture, script
from vault.db import db, transaction, utcnow
from vault.models.media import Media, State
from vault.models.sharing import Role
from vault.models.waiting import PICTURES
from vault.services import derivatives, inspection
from vault.services import uploads as taking_in
from vault.storage import StorageFull
from vault.storage.incoming import Incoming
from vault.storage.local import LocalStorage

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 16 MB, where this machine lets us make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    yield folder
    # A connection of some thread may still be open on it.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607  # found as mount was


def status_of_upload(house: House, headers: dict[str, str], size: int) -> int:
    data = small_picture().ljust(size, b".")
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    answer = house.browser().post(
        "/api/v1/media",
        data=head + data + b"\r\n--edge--\r\n",
        content_type="multipart/form-data; boundary=edge",
        headers=headers,
    )
    return answer.status_code


def test_full_to_the_brim_it_refuses_uploads_and_does_everything_else(
    small_disk: Path, migrated_database: Path
) -> None:
    with looking_inside(new_home(small_disk, migrated_database)) as house:
        anna, ben = house.person("Anna", password=PASSWORD), house.person("Ben")
        album = house.album(anna)
        media = house.picture(anna, album)
        house.grant(album, ben, Role.VIEWER)
        token = house.token(anna)

        statuses = [status_of_upload(house, token, size) for size in [MIB] * 16 + [MIB // 8] * 16 + [MIB // 64] * 40]

        assert set(statuses) == {201, 507}
        assert statuses[-1] == 507
        storage = house.vault.storage
        assert isinstance(storage, LocalStorage)
        assert list(storage.temporaries()) == []
        kept = statuses.count(201) + 1
        assert (len(list(storage.keys("originals/"))), db.session.query(Media).count()) == (kept, kept)

        browser = house.browser()
        form = {"email": anna.email, "password": PASSWORD}
        assert browser.post("/sign-in", data=form, headers=house.csrf(browser)).status_code == 302
        headers = house.csrf(browser)
        assert browser.get(f"/media/{media.public_id}/preview").status_code == 200
        assert browser.get("/pictures").status_code == 200
        revoke = f"/albums/{album.public_id}/grants/{ben.public_id}/revoke"
        assert browser.post(revoke, headers=headers).status_code == 302
        assert house.browser(ben).get(f"/media/{media.public_id}/thumb").status_code == 403
        # More than one, for what was written down meanwhile has eaten of what is held back.
        make_room(house, anna)

        assert status_of_upload(house, token, MIB // 2) == 201
        db.session.rollback()
        assert inspection.inspect(house.vault).problems == []


def fill(house: House, headers: dict[str, str]) -> None:
    """Upload until nothing more fits."""
    statuses = [status_of_upload(house, headers, size) for size in [MIB] * 16 + [MIB // 8] * 16 + [MIB // 64] * 40]
    assert statuses[-1] == 507


def make_room(house: House, anna: Person) -> None:
    """Throw the largest files away for good, as their owner does."""
    browser = house.browser(anna)
    headers = house.csrf(browser)
    db.session.rollback()
    large = db.session.query(Media).filter(Media.size_bytes == MIB).limit(4).all()
    for path in [f"/media/{media.public_id}" for media in large]:
        assert [browser.post(f"{path}/{deed}", headers=headers).status_code for deed in ("trash", "purge")] == [302] * 2


def test_an_upload_in_pieces_waits_at_its_offset_until_there_is_room(small_disk: Path, migrated_database: Path) -> None:
    with looking_inside(new_home(small_disk, migrated_database)) as house:
        anna = house.person("Anna", password=PASSWORD)
        shown = house.picture(anna)
        sender, data = script(house, anna), picture(3 * MIB)
        path = sender.begun(len(data), filename="walk.jpg")
        assert sender.send(path, 0, data[:MIB]).status_code == 204
        storage = house.vault.storage
        assert isinstance(storage, LocalStorage)

        fill(house, house.token(anna))
        refused = sender.send(path, MIB, data[MIB:])
        another = sender.create(MIB, data[:MIB], filename="another.jpg")

        assert (refused.status_code, another.status_code) == (507, 507)
        assert refused.mimetype == "application/problem+json"
        assert sender.offset(path) == MIB
        assert list(storage.temporaries()) == []
        assert [file.stat().st_size for file in (storage.root / "partial").iterdir()] == [MIB]
        browser = house.browser()
        form = {"email": anna.email, "password": PASSWORD}
        assert browser.post("/sign-in", data=form, headers=house.csrf(browser)).status_code == 302
        assert browser.get(f"/media/{shown.public_id}/preview").status_code == 200

        make_room(house, anna)
        kept = sender.send(path, MIB, data[MIB:])

        assert (kept.status_code, kept.headers["Upload-Offset"]) == (204, str(len(data)))
        original = house.browser().get(f"/media/{kept.headers['Vault-Media']}/original", headers=house.token(anna))
        assert original.data == data
        db.session.rollback()
        assert inspection.inspect(house.vault).problems == []


def test_a_picture_waits_for_room_and_is_rendered_when_there_is_some(small_disk: Path, migrated_database: Path) -> None:
    with looking_inside(new_home(small_disk, migrated_database)) as house:
        anna = house.person("Anna")
        with Incoming(house.vault.storage, MIB) as incoming:
            incoming.write(picture())
            media = taking_in.receive(house.vault, anna.viewer, incoming, file_name="a.jpg").media
        fill(house, house.token(anna))

        assert derivatives.due(house.vault) is None
        with pytest.raises(StorageFull):
            derivatives.render(house.vault, media.public_id)
        db.session.rollback()
        db.session.expire_all()
        assert (media.state, media.attempts) == (State.PENDING, 0)

        make_room(house, anna)
        with transaction():  # as when its claim is old
            db.session.get_one(Media, media.id).claimed_at = utcnow() - PICTURES.claim_life * 2
        assert derivatives.due(house.vault) is not None
        assert house.render(media).state == State.READY
