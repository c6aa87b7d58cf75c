"""Archives as bytes: exact in length, whole in content, and to be unpacked anywhere."""

import io
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.factories import House
from vault.models.media import Album, Media
from vault.policy import Action, authorize
from vault.services import Vault, library, zipping
from vault.services.zipping import BrokenOff, Entry, Folder, Zip, choosing

MOMENT = datetime(2024, 7, 14, 18, 30, 22, tzinfo=UTC)
MIB = 1024**2
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def archive(house: House, names: list[str], contents: list[bytes], *, title: str = "Summer", folders: int = 0) -> Zip:
    """Return an archive of made-up bytes under made-up names; all stand for one picture of their owner."""
    anna = house.person()
    media = house.picture(anna)
    inside = tuple(Folder(str(depth), "Below") for depth in range(folders))
    entries = [
        Entry(media.public_id, name, len(data), MOMENT, inside) for name, data in zip(names, contents, strict=True)
    ]
    waiting = iter(contents)

    def source(_vault: Vault, _permit: object) -> tuple[int, BinaryIO]:
        data = next(waiting)
        return len(data), io.BytesIO(data)

    return zipping.of(house.vault, anna.viewer, title, entries, source=source)


SHAPES: dict[str, list[str]] = {
    "none": [],
    "one": ["a.jpg"],
    "hundreds": [f"IMG_{number:04}.jpg" for number in range(300)],
    "of everywhere": [
        "猫と犬.jpg",
        "👩\u200d👩\u200d👧.jpg",
        "é.jpg",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.jpg",
    ],
    "alike": ["a.jpg", "A.jpg", "a (2).jpg", "a.jpg", "a.JPG"],
    "hostile": [
        "../../etc/passwd",
        "CON",
        "nul.jpg",
        ".htaccess",
        "\u202egpj.exe",
        "猫" * 300,
        "x" * 300,
        "\ud800.jpg",
    ],
}


@sqlite_only
@pytest.mark.parametrize("title", ["Summer", "夏/../🏖", "con", "x" * 200])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_archive_is_as_long_as_was_said_and_unpacks_whole(
    house: House, tmp_path: Path, shape: str, title: str
) -> None:
    names = SHAPES[shape]
    contents = [f"{number} {name}".encode(errors="replace") * 50 for number, name in enumerate(names)]
    found = archive(house, names, contents, title=title, folders=len(names) % 3)

    data = b"".join(found.chunks)

    assert len(data) == found.length
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        files = [info for info in opened.infolist() if not info.is_dir()]
        assert [opened.read(info) for info in files] == contents
    paths = [info.filename for info in files]
    assert len({path.casefold() for path in paths}) == len(names)
    assert {path.partition("/")[0] for path in paths} <= {found.file_name.removesuffix(".zip")}
    assert [path for path in paths if {"", ".", ".."} & set(path.split("/"))] == []
    assert {info.date_time for info in files} <= {(2024, 7, 14, 18, 30, 22)}
    assert {info.compress_type for info in files} <= {zipfile.ZIP_STORED}
    (tmp_path / "a.zip").write_bytes(data)
    unzip(tmp_path / "a.zip")


def unzip(path: Path) -> None:
    """Let somebody else's program check an archive, where this machine has it."""
    if (program := shutil.which("unzip")) is not None:
        done = subprocess.run([program, "-tqq", path], capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (0, b""), done


@sqlite_only
def test_names_beyond_ascii_are_marked_as_utf_8(house: House) -> None:
    data = b"".join(archive(house, ["猫.jpg"], [b"cat"]).chunks)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        (info,) = opened.infolist()
        assert (info.filename, info.flag_bits & 0x800) == ("Summer/猫.jpg", 0x800)


@sqlite_only
def test_more_entries_than_the_old_format_counts(house: House, tmp_path: Path) -> None:
    many = 65_600
    found = archive(house, [f"{number}.jpg" for number in range(many)], [b"%d" % number for number in range(many)])
    with (tmp_path / "many.zip").open("wb") as file:
        for chunk in found.chunks:
            file.write(chunk)
    assert (tmp_path / "many.zip").stat().st_size == found.length
    with zipfile.ZipFile(tmp_path / "many.zip") as opened:
        assert len(opened.namelist()) == many
        assert opened.read("Summer/65599.jpg") == b"65599"
    unzip(tmp_path / "many.zip")


class Zeros(io.RawIOBase):
    """A file of nothing but zeros, as long as one likes."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        taken = min(size, self.left)
        self.left -= taken
        return bytes(taken)


@sqlite_only
def test_an_entry_of_more_than_four_gigabytes_and_one_behind_it(house: House, tmp_path: Path) -> None:
    anna = house.person()
    media = house.picture(anna).public_id
    sizes = [4 * 1024 * MIB + 5, 7]
    entries = [Entry(media, f"{size}.avif", size, MOMENT) for size in sizes]
    waiting = iter(sizes)

    def source(_vault: Vault, _permit: object) -> tuple[int, BinaryIO]:
        size = next(waiting)
        return size, Zeros(size)  # type: ignore[return-value]  # it reads, and nothing else is asked of it

    found = zipping.of(house.vault, anna.viewer, "Large", entries, source=source)
    with (tmp_path / "large.zip").open("wb") as file:
        for chunk in found.chunks:
            if any(chunk[:64]) or any(chunk[-64:]):
                file.write(chunk)
            else:
                file.seek(len(chunk), io.SEEK_CUR)  # kept as a hole: four gigabytes are counted and not written
        assert file.tell() == found.length
    with zipfile.ZipFile(tmp_path / "large.zip") as opened:
        assert [info.file_size for info in opened.infolist()] == sizes
        assert opened.infolist()[1].header_offset > 4 * 1024 * MIB
        assert opened.read("Large/7.avif") == bytes(7)


@sqlite_only
@pytest.mark.parametrize("said", [4, 6])
def test_an_entry_that_is_not_as_long_as_was_said_breaks_it_off(house: House, said: int) -> None:
    anna = house.person()
    entry = Entry(house.picture(anna).public_id, "a.jpg", said, MOMENT)
    for announced in (5, said):
        source = lambda _vault, _permit, size=announced: (size, io.BytesIO(b"12345"[: said - 1]))  # noqa: E731  # it is one line
        found = zipping.of(house.vault, anna.viewer, "Summer", [entry], source=source)
        with pytest.raises(BrokenOff):
            b"".join(found.chunks)


@sqlite_only
def test_pictures_older_than_the_format_are_as_old_as_it_can_say(house: House) -> None:
    anna = house.person()
    media = house.picture(anna)
    entries = [
        Entry(media.public_id, "a.jpg", media.size_bytes, datetime(year, 1, 2, tzinfo=UTC)) for year in (1908, 2200)
    ]
    data = b"".join(zipping.of(house.vault, anna.viewer, "Old", entries).chunks)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert [info.date_time for info in opened.infolist()] == [(1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)]


@sqlite_only
def test_a_reader_who_goes_away_leaves_no_file_open(house: House) -> None:
    anna = house.person()
    media = house.picture(anna)
    opened: list[BinaryIO] = []

    def source(_vault: Vault, _permit: object) -> tuple[int, BinaryIO]:
        opened.append(io.BytesIO(bytes(3 * zipping.PIECE_BYTES)))
        return 3 * zipping.PIECE_BYTES, opened[-1]

    entries = [Entry(media.public_id, "a.jpg", 3 * zipping.PIECE_BYTES, MOMENT)] * 3
    found = zipping.of(house.vault, anna.viewer, "Summer", entries, source=source)
    for _ in range(5):
        next(found.chunks)
    assert [file.closed for file in opened] == [True, False]
    found.chunks.close()
    assert [file.closed for file in opened] == [True, True]


def test_an_album_is_weighed_as_far_as_one_may_take_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    kept = [house.picture(anna, album) for _ in range(2)]
    binned = house.picture(anna, album)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, binned.public_id))
    permit = authorize(anna.viewer, Action.DOWNLOAD, Album, album.public_id)

    assert choosing.weigh(permit) == (2, sum(media.size_bytes for media in kept))
    monkeypatch.setattr(choosing, "MOST_WEIGHED", 1)
    assert choosing.weigh(permit) is None
