"""Archives that somebody else made: what is in them, what is refused, and that nothing is ever unpacked to a path."""

import io
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import House, small_picture
from tests.parcels import encrypted, lying, overlapping, packed, seen, upload, work
from vault.archives import BadArchive, Entry, Unreadable
from vault.archives.zips import Limits, Zips
from vault.db import db
from vault.models.ingest import ImportRun, RunState
from vault.models.media import Album, Media
from vault.services import maintenance
from vault.services.importing import runs

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PICTURE = small_picture(1)


def opened(tmp_path: Path, data: bytes, limits: Limits | None = None) -> list[Entry]:
    """Return the entries of an archive."""
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    with Zips([path], limits or Limits()) as archive:
        return [entry for folder in archive.folders() for entry in folder.entries]


def read(tmp_path: Path, data: bytes) -> bytes:
    """Return what the one entry of an archive unpacks to."""
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    with Zips([path], Limits()) as archive:
        (folder,) = archive.folders()
        return b"".join(folder.entries[0].chunks())


def named(raw: bytes, *, flag: int = 0, mode: int = 0, extra: bytes = b"", body: bytes = PICTURE) -> bytes:
    """Return an archive with one entry of this very name."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("x" * len(raw))
        info.external_attr, info.extra = mode << 16, extra
        archive.writestr(info, body)
    changed = data.getvalue().replace(b"x" * len(raw), raw)
    at = changed.find(b"PK\x01\x02")
    return changed[: at + 8] + struct.pack("<H", flag) + changed[at + 10 :]


NAMES: dict[str, tuple[bytes, int, str]] = {
    "plain": (b"a/b.jpg", 0, "a/b.jpg"),
    "UTF-8": ("Süden/☀.jpg".encode(), 0x800, "Süden/☀.jpg"),
    "UTF-8 that does not say so": ("Süden/☀.jpg".encode(), 0, "Süden/☀.jpg"),
    "CP437": ("Süden/été.jpg".encode("cp437"), 0, "Süden/été.jpg"),
    "Shift-JIS": ("旅行/東京タワー.jpg".encode("cp932"), 0, "旅行/東京タワー.jpg"),
    "climbing": (b"../../../etc/evil.jpg", 0, "etc/evil.jpg"),
    "absolute": (b"/etc/evil.jpg", 0, "etc/evil.jpg"),
    "a drive": (b"C:\\Windows\\evil.jpg", 0, "Windows/evil.jpg"),
    "backslashes": (b"..\\..\\evil.jpg", 0, "evil.jpg"),
    "NUL": (b"evil.jpg\0.txt", 0, "evil.jpg\ufffd.txt"),
    "dots": (b"./a/./b.jpg", 0, "a/b.jpg"),
}


@pytest.mark.parametrize(("raw", "flag", "shown"), NAMES.values(), ids=NAMES)
def test_a_name_is_shown_sanely_and_leads_nowhere(tmp_path: Path, raw: bytes, flag: int, shown: str) -> None:
    (entry,) = opened(tmp_path, named(raw, flag=flag))

    assert (entry.path, entry.left_out, entry.trouble) == (shown, "", "")


KINDS = {
    "a link": (stat.S_IFLNK | 0o777, b"evil.jpg", "a link to something else"),
    "a device": (stat.S_IFBLK | 0o600, b"sda.jpg", "no ordinary file"),
    "a pipe": (stat.S_IFIFO | 0o600, b"pipe.jpg", "no ordinary file"),
    "hidden": (0, b".a.jpg", "hidden"),
    "in a hidden folder": (0, b".thumbs/a.jpg", "hidden"),
    "what a Mac adds": (0, b"__MACOSX/a.jpg", "hidden"),
}


@pytest.mark.parametrize(("mode", "raw", "why"), KINDS.values(), ids=KINDS)
def test_what_is_no_ordinary_file_is_left_out(tmp_path: Path, mode: int, raw: bytes, why: str) -> None:
    (entry,) = opened(tmp_path, named(raw, mode=mode))

    assert entry.left_out == why


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.mkdir("folder")
    assert opened(tmp_path, data.getvalue()) == []


def many(count: int) -> bytes:
    return packed({f"{number}.jpg": b"" for number in range(count)})


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "no archive": (lambda: b"PK\x03\x04 and nothing more", "no list of files"),
    "nothing": (lambda: b"", "no list of files"),
    "cut short": (lambda: packed({"a.jpg": PICTURE})[:-30], "no list of files"),
    "a list that is cut": (lambda: packed({"a.jpg": PICTURE}).replace(b"PK\x01\x02", b"PK\x01\x03"), "broken"),
    "a list larger than all": (lambda: packed({"a.jpg": PICTURE})[:-10] + b"\xff" * 8 + b"\0\0", "larger than itself"),
    "one over the other": (lambda: overlapping(PICTURE), "lie over each other"),
    "too many files": (lambda: many(101), "more files than may be imported"),
}


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD)
def test_an_archive_that_must_not_be_read_is_refused_as_a_whole(
    tmp_path: Path, make: Callable[[], bytes], why: str
) -> None:
    with pytest.raises(BadArchive, match=why):
        opened(tmp_path, make(), Limits(most_entries=100))


def test_a_directory_of_millions_is_refused_before_it_is_read(tmp_path: Path) -> None:
    one = packed({"a": b""})
    at, end = one.find(b"PK\x01\x02"), one.find(b"PK\x05\x06")
    entry, closing = one[at:end], bytearray(one[end:])
    directory = entry * 400_000
    struct.pack_into("<L", closing, 12, len(directory))
    (tmp_path / "x.zip").write_bytes(one[:at] + directory + bytes(closing))
    tracemalloc.start()
    try:
        with pytest.raises(BadArchive, match="more files"):
            Zips([tmp_path / "x.zip"], Limits())
        # The list itself, and nothing for each of its lines.
        assert tracemalloc.get_traced_memory()[1] < 3 * len(directory)
    finally:
        tracemalloc.stop()


def test_more_than_may_be_unpacked_at_once_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="more than may be unpacked"):
        opened(tmp_path, packed({"a.jpg": PICTURE, "b.jpg": PICTURE}), Limits(most_bytes=len(PICTURE)))


ENTRIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "encrypted": (lambda: encrypted(packed({"a.jpg": PICTURE})), "encrypted"),
    "packed in another way": (lambda: packed({"a.jpg": PICTURE}, way=zipfile.ZIP_LZMA), "packed in a way"),
    "a bomb": (lambda: packed({"a.jpg": b"\0" * 20_000_000}), "so much more"),
    "too large": (lambda: packed({"a.jpg": PICTURE * 100}, way=zipfile.ZIP_STORED), "larger than"),
}


@pytest.mark.parametrize(("make", "why"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_that_must_not_be_read_says_so_before(tmp_path: Path, make: Callable[[], bytes], why: str) -> None:
    (entry,) = opened(tmp_path, make(), Limits(most_entry_bytes=30_000_000 if why != "larger than" else 1000))

    assert why in entry.trouble


BROKEN: dict[str, Callable[[], bytes]] = {
    "another byte": lambda: packed({"a.jpg": PICTURE}, way=zipfile.ZIP_STORED).replace(PICTURE[-8:], b"\0" * 8),
    "less than it says": lambda: lying(packed({"a.jpg": PICTURE}), len(PICTURE) + 100),
    "more than it says": lambda: lying(packed({"a.jpg": PICTURE}), len(PICTURE) - 100),
    "another name in front": lambda: packed({"a.jpg": PICTURE}).replace(b"a.jpg", b"b.jpg", 1),
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
def test_damaged_bytes_are_noticed_while_they_are_read(tmp_path: Path, make: Callable[[], bytes]) -> None:
    with pytest.raises(Unreadable, match="damaged"):
        read(tmp_path, make())


def test_an_entry_never_becomes_more_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(lying(packed({"a.jpg": b"\0" * 50_000_000}), 1000))
    with Zips([path], Limits()) as archive:
        (folder,) = archive.folders()
        count = 0
        with pytest.raises(Unreadable):  # noqa: PT012  # what came before it raised is counted
            for chunk in folder.entries[0].chunks():
                count += len(chunk)
    assert count <= 1000


def test_good_entries_are_read_whole(tmp_path: Path) -> None:
    assert read(tmp_path, packed({"a.jpg": PICTURE})) == PICTURE
    assert read(tmp_path, packed({"a.jpg": PICTURE}, way=zipfile.ZIP_STORED)) == PICTURE


def test_an_uploaded_archive_is_taken_apart(house: House) -> None:
    anna = house.person("Anna")
    files = {
        "Summer/Lake/a.jpg": small_picture(1),
        "Summer/b.jpg": small_picture(2),
        "c.jpg": small_picture(3),
        "again.jpg": small_picture(3),
        "notes.txt": b"no picture",
        "inside.zip": packed({"x.jpg": small_picture(9)}),
        "broken.jpg": b"no picture either",
        "../../slip.jpg": small_picture(4),
    }
    run = upload(house, anna, packed(files))
    key = run.archive_key
    assert key is not None
    assert (run.state, house.vault.storage.stat(key).bytes) == (RunState.WAITING, len(packed(files)))

    work(house)

    run = seen(anna, run)
    assert (run.state, run.imported, run.already_here, run.refused, run.left_out) == (RunState.DONE, 4, 1, 1, 2)
    assert run.reasons["no picture or video"] == 2
    assert [(each.path, each.reason) for each in runs.refusals(run)] == [("broken.jpg", runs.refusals(run)[0].reason)]
    titles = {album.title: (album.media_count, album.parent_id) for album in db.session.scalars(sa.select(Album))}
    summer = db.session.scalar(sa.select(Album.id).where(Album.title == "Summer"))
    assert titles == {"Summer": (1, None), "Lake": (1, summer)}
    assert list(house.vault.storage.keys("archives/")) == []
    names = set(db.session.scalars(sa.select(Media.file_name)))
    assert names <= {"a.jpg", "b.jpg", "c.jpg", "again.jpg", "slip.jpg"}


@sqlite_only
def test_the_sweep_leaves_an_archive_that_waits(house: House) -> None:
    anna = house.person("Anna")
    run = upload(house, anna, packed({"a.jpg": PICTURE}))
    with house.vault.storage.temporary() as path:
        path.write_bytes(b"PK")
        house.vault.storage.put(f"archives/{'A' * 22}/{'B' * 22}.zip", path)

    maintenance.sweep(house.vault, grace=timedelta(0))

    assert list(house.vault.storage.keys("archives/")) == [run.archive_key]


HOSTILE = {
    "gen__zipbackslash.zip": (RunState.DONE, 1, 0, 0),
    "gen__zipbomb_300M.zip": (RunState.DONE, 0, 1, 0),
    "gen__zipslip.zip": (RunState.DONE, 1, 0, 1),
    "gen__zipsymlink.zip": (RunState.DONE, 0, 0, 1),
}


@sqlite_only
@pytest.mark.parametrize("name", HOSTILE)
def test_malicious_archives_do_nothing_beyond(house: House, hostile: Path, name: str) -> None:
    anna = house.person("Anna")
    run = upload(house, anna, (hostile / "malformed" / name).read_bytes(), name=name)

    work(house)

    run = seen(anna, run)
    assert (run.state, run.imported, run.refused, run.left_out) == HOSTILE[name]
    assert not Path("/tmp/zipslip_canary").exists()  # noqa: S108  # where the archive wants to write
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ImportRun)) == 1


@sqlite_only
def test_a_broken_archive_ends_its_import_with_a_reason(house: House) -> None:
    anna = house.person("Anna")
    run = upload(house, anna, overlapping(PICTURE))

    work(house)

    run = seen(anna, run)
    assert (run.state, run.imported, run.archive_key) == (RunState.FAILED, 0, None)
    assert "lie over each other" in (run.failure or "")
