"""A Takeout comes out with dates, captions and albums, by the command and by the worker alike."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import House, small_picture
from tests.live.commands import manage
from tests.live.server import looking_inside
from tests.parcels import TAKEN, packed, seen, takeout, upload, work, write_tree
from vault.db import db
from vault.imaging.claims import Told
from vault.models.ingest import RunState
from vault.models.media import Album, AlbumMedia, Media

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CAPTIONS = {
    1: "The lake",
    2: "Another lake",
    3: "The lake",  # edited, and without a list of its own
    4: "Long",
    5: "Wrong extension",
    7: "Forum",
}


def in_albums() -> dict[str, set[str]]:
    """Return the albums with the names of what lies in them."""
    held = sa.select(Album.title, Media.file_name).outerjoin(AlbumMedia, AlbumMedia.album_id == Album.id)
    found: dict[str, set[str]] = {}
    for title, name in db.session.execute(held.outerjoin(Media, Media.id == AlbumMedia.media_id)):
        found.setdefault(title, set()).add(name)
    return found


def assert_all_is_there() -> None:
    """Check what the Takeout of tests/parcels.py comes out as."""
    found = {media.sha256: Told.from_json(media.told).beside for media in db.session.scalars(sa.select(Media))}
    assert set(found) == {sha256(small_picture(number)).hexdigest() for number in CAPTIONS}
    for number, caption in CAPTIONS.items():
        beside = found[sha256(small_picture(number)).hexdigest()]
        assert beside is not None
        moment = datetime.fromtimestamp(TAKEN + 60 if number == 2 else TAKEN, UTC)
        assert (beside.caption, beside.taken_at, beside.latitude) == (caption, moment, 47.5)
    assert in_albums() == {"Rome & around: 2019": {"IMG_1.jpg", "IMG_9.jpg"}}


def test_an_uploaded_takeout_comes_out_whole(house: House) -> None:
    anna = house.person("Anna")
    run = upload(house, anna, packed(takeout(small_picture)), name="takeout-001.zip")

    work(house)

    run = seen(anna, run)
    assert (run.state, run.failure) == (RunState.DONE, None)
    assert (run.imported, run.already_here, run.refused, run.left_out) == (6, 1, 0, 2)
    assert run.done_count == run.total_count == len(takeout(small_picture))
    assert_all_is_there()


@pytest.mark.parametrize("how", ["tree", "one zip", "two zips"])
def test_the_command_takes_the_same(tmp_path: Path, how: str) -> None:
    home, files = tmp_path / "home", takeout(small_picture)
    assert manage(home, "migrate").returncode == 0
    assert manage(home, "create-user", "anna@example.org").returncode == 0
    write_tree(tmp_path / "tree", files)
    # The lists in one archive, what they speak of in the other.
    halves = [{name: files[name] for name in files if name.endswith(".json") == lists} for lists in (False, True)]
    for number, half in enumerate(halves):
        (tmp_path / f"half{number}.zip").write_bytes(packed(half))
    (tmp_path / "all.zip").write_bytes(packed(files))
    paths = {"tree": ["tree"], "one zip": ["all.zip"], "two zips": ["half0.zip", "half1.zip"]}[how]
    command = ["import", *(str(tmp_path / path) for path in paths), "--owner", "anna@example.org"]

    first, second = manage(home, *command), manage(home, *command)

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines()[0] == "6 imported, 1 already here, 0 refused, 2 left out"
    assert second.stdout.splitlines()[0] == "0 imported, 7 already here, 0 refused, 2 left out"
    with looking_inside(home):
        assert_all_is_there()


@sqlite_only
def test_a_chosen_album_takes_all_of_it(house: House) -> None:
    anna = house.person("Anna")
    chosen = house.album(anna, "Everything")
    upload(house, anna, packed(takeout(small_picture)), album_id=chosen.public_id)

    work(house)

    assert {title: len(found) for title, found in in_albums().items()} == {"Everything": 6}
