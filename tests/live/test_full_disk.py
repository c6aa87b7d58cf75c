"""A disk that is really full, database and all: uploads say so, and everything that makes room still works."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import PASSWORD, House, small_picture
from tests.live.server import looking_inside, new_home
from vault.db import db
from vault.models.media import Media
from vault.models.sharing import Role
from vault.services import inspection
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
        large = db.session.query(Media).filter(Media.size_bytes == MIB).first()
        assert large is not None
        path = f"/media/{large.public_id}"
        assert [browser.post(f"{path}/{deed}", headers=headers).status_code for deed in ("trash", "purge")] == [
            302,
            302,
        ]

        assert status_of_upload(house, token, MIB // 2) == 201
        db.session.rollback()
        assert inspection.inspect(house.vault).problems == []
