"""Importing trees: everything once, whatever happens meanwhile, and a source that stays as it is."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import House, Person, small_picture
from tests.parcels import counts, take, tree_of_albums, write_tree
from vault.archives import Folder, Unreadable, trees
from vault.cli.importing import doors_of
from vault.db import db
from vault.imaging.claims import Told
from vault.models.account import User
from vault.models.media import Album, Media
from vault.models.system import Event
from vault.policy import Action, authorize
from vault.services import albums, importing, library
from vault.services.importing import Manner, runs

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="%d"/></rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def anna(house: House) -> Person:
    """Return somebody to import for."""
    return house.person("Anna")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return an empty folder to be imported."""
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def test_folders_become_a_tree_of_albums_once(house: House, anna: Person, tree: Path) -> None:
    files = {f"{name}.jpg": small_picture() for name in ("top", "Sea/a", "Sea/Boat/b", "Sea/Boat/c")}
    write_tree(tree, {**files, "Sea/empty/notes.txt": b"nothing to see"})

    take(house, anna, tree, by_folders=True)
    assert tree_of_albums() == {"Sea": (None, 1), "Boat": ("Sea", 2)}

    # Called otherwise by now, it is still known; a second one is not made.
    boat = db.session.scalars(sa.select(Album).where(Album.title == "Boat")).one()
    albums.change(authorize(anna.viewer, Action.MANAGE, Album, boat.public_id), albums.Changes(title="Ship"))
    write_tree(tree, {"Sea/Boat/d.jpg": small_picture()})
    found = take(house, anna, tree, by_folders=True)

    assert counts(found) == {"already_here": 4, "imported": 1, "left_out": 1}
    assert tree_of_albums() == {"Sea": (None, 1), "Ship": ("Sea", 3)}


@sqlite_only
def test_a_tree_that_is_here_is_put_into_albums_afterwards(house: House, anna: Person, tree: Path) -> None:
    write_tree(tree, {"Sea/a.jpg": small_picture()})
    assert counts(take(house, anna, tree)) == {"imported": 1}

    assert counts(take(house, anna, tree, by_folders=True)) == {"already_here": 1}

    assert tree_of_albums() == {"Sea": (None, 1)}


@sqlite_only
def test_what_was_imported_is_known_without_reading_it(
    house: House, anna: Person, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tree, {f"{number}.jpg": small_picture() for number in range(3)})
    take(house, anna, tree)
    write_tree(tree, {"1.jpg": small_picture()})
    opened: list[str] = []
    really = os.open

    def noting(path: Any, *args: Any, **more: Any) -> int:
        opened.append(str(path))
        return really(path, *args, **more)

    monkeypatch.setattr(os, "open", noting)
    found = take(house, anna, tree)

    assert counts(found) == {"already_here": 2, "imported": 1}
    assert [path for path in opened if path.endswith("jpg")] == ["1.jpg"]


@sqlite_only
def test_what_lies_in_the_trash_stays_there_and_what_was_deleted_may_come_again(
    house: House, anna: Person, tree: Path
) -> None:
    write_tree(tree, {"a.jpg": small_picture()})
    (first,) = take(house, anna, tree)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, first.media_id))

    assert counts(take(house, anna, tree)) == {"already_here": 1}
    assert db.session.scalar(sa.select(Media.trashed_at)) is not None

    library.purge(house.vault, authorize(anna.viewer, Action.RESTORE, Media, first.media_id))
    assert counts(take(house, anna, tree)) == {"imported": 1}


@sqlite_only
def test_a_sidecar_speaks_of_its_picture_and_is_none(house: House, anna: Person, tree: Path) -> None:
    files = {f"{name}.jpg": small_picture() for name in ("a", "b", "c")}
    write_tree(tree, {**files, "a.jpg.xmp": (XMP % 5).encode(), "B.XMP": (XMP % 3).encode(), "other.json": b"{}"})

    found = take(house, anna, tree)

    assert counts(found) == {"imported": 3, "": 2, "left_out": 1}
    told = {media.file_name: Told.from_json(media.told) for media in db.session.scalars(sa.select(Media))}
    assert {name: each.beside.rating if each.beside else None for name, each in told.items()} == {
        "a.jpg": 5,
        "b.jpg": 3,
        "c.jpg": None,
    }
    changed = (tree / "a.jpg").stat().st_mtime
    assert told["a.jpg"].file_time is not None
    assert abs(told["a.jpg"].file_time.timestamp() - changed) < 0.001


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


# What somebody does with a file whose turn comes, after it was deleted or while it is there.
TROUBLES: dict[str, tuple[bool, Callable[[Path], object], str]] = {
    "grown": (False, lambda path: path.write_bytes(path.read_bytes() + b"more"), trees.CHANGED),
    "written over": (
        False,
        lambda path: path.write_bytes(small_picture().ljust(path.stat().st_size, b".")),
        trees.CHANGED,
    ),
    "gone": (True, lambda path: path.parent, trees.GONE),
    "a link now": (True, link, "It cannot be read"),
    "a pipe now": (True, os.mkfifo, "no ordinary file"),
    "a folder now": (True, Path.mkdir, "no ordinary file"),
}


@sqlite_only
@pytest.mark.parametrize("name", TROUBLES)
def test_a_file_that_changes_meanwhile_is_refused(house: House, anna: Person, tree: Path, name: str) -> None:
    is_deleted, change, why = TROUBLES[name]
    write_tree(tree, {"a.jpg": small_picture(), "b.jpg": small_picture()})
    run = runs.begin_here(anna.viewer, name="x", album_id=None, count=2, size_bytes=0)

    def folders() -> Iterator[Folder]:
        for folder in trees.walk(tree):
            if not folder.parts:
                if is_deleted:
                    (tree / "a.jpg").unlink()
                change(tree / "a.jpg")
            yield folder

    found = list(importing.take_in(doors_of(house.vault), run, folders(), Manner("x", remembers=True), root_id=None))

    assert [(each.entry.name, each.what) for each in found] == [("a.jpg", "refused"), ("b.jpg", "imported")]
    assert why in found[0].reason
    assert db.session.query(Media).count() == 1


class TestSwapped:
    """A folder of the tree, seen as one, that is a link to somebody else's when its turn comes."""

    @pytest.fixture
    def private(self, tmp_path: Path, tree: Path) -> Path:
        write_tree(tree, {"a.jpg": small_picture(1), "sub/b.jpg": small_picture(2), "sub/in/d.jpg": small_picture(4)})
        write_tree(tmp_path / "private", {"b.jpg": small_picture(3), "in/d.jpg": small_picture(5)})
        (tmp_path / "private" / "in" / "c.jpg").write_bytes(small_picture(6))
        return tmp_path / "private"

    def bytes_read(self, tree: Path, private: Path, *, before: tuple[str, ...]) -> set[str]:
        """Walk, swap the folder before the turn of another, and return the files that could be read."""
        found, refused = set(), set()
        for folder in trees.walk(tree):
            if folder.parts == before and not (tree / "sub").is_symlink():
                (tree / "sub").rename(tree.parent / "aside")
                (tree / "sub").symlink_to(private)
            for entry in folder.entries:
                try:
                    found.update([entry.path] if b"".join(entry.chunks()) else [])
                except Unreadable as error:
                    refused.add(str(error))
        assert refused == {trees.MOVED}
        return found

    def test_it_is_not_followed_when_it_is_listed(self, tree: Path, private: Path) -> None:
        assert self.bytes_read(tree, private, before=()) == {"a.jpg"}

    def test_it_is_not_followed_when_a_file_in_it_is_read(self, tree: Path, private: Path) -> None:
        os.utime(private / "b.jpg", ns=(1, (tree / "sub" / "b.jpg").stat().st_mtime_ns))
        assert self.bytes_read(tree, private, before=("sub",)) == {"a.jpg"}

    def test_nor_in_the_middle_of_a_way(self, tree: Path, private: Path) -> None:
        assert self.bytes_read(tree, private, before=("sub", "in")) == {"a.jpg", "sub/b.jpg"}

    def test_nor_is_the_root(self, tree: Path, private: Path) -> None:
        walk = trees.walk(tree)
        entry = next(walk).entries[0]
        tree.rename(tree.parent / "aside")
        tree.symlink_to(private)
        (private / "a.jpg").write_bytes(small_picture(1))

        with pytest.raises(Unreadable, match="another one"):
            list(entry.chunks())
        assert [each.trouble for folder in walk for each in folder.entries] == [trees.MOVED]

    def test_no_folder_stays_open_however_deep(self, tree: Path) -> None:
        deep = tree.joinpath(*["d"] * 60)
        write_tree(deep, {"a.jpg": small_picture()})
        before = len(list(Path("/proc/self/fd").iterdir()))

        read = []
        for folder in trees.walk(tree):
            assert len(list(Path("/proc/self/fd").iterdir())) == before
            read += [len(b"".join(entry.chunks())) for entry in folder.entries]
        assert read == [len(small_picture())]

    def test_too_deep_is_said(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trees, "DEEPEST", 2)
        write_tree(tree, {"1/2/a.jpg": small_picture(), "1/2/3/b.jpg": small_picture()})

        found = {entry.path: entry.trouble for folder in trees.walk(tree) for entry in folder.entries}

        assert found == {"1/2/a.jpg": "", "1/2/3": trees.TOO_DEEP}


@sqlite_only
def test_the_quota_holds_and_what_still_fits_comes_in(house: House, tree: Path) -> None:
    poor = house.person("Poor", quota=3_000)
    write_tree(tree, {f"{n}.jpg": small_picture().ljust(size, b".") for n, size in enumerate([2000, 2500, 900])})

    found = take(house, poor, tree)

    assert [each.what for each in found] == ["imported", "refused", "imported"]
    assert db.session.scalar(sa.select(User.used_bytes).where(User.id == poor.id)) == 2900


def test_an_import_is_recorded_once_beside_its_uploads(house: House, anna: Person, tree: Path) -> None:
    write_tree(tree, {f"{number}.jpg": small_picture() for number in range(3)})

    take(house, anna, tree)

    recorded = Counter(db.session.scalars(sa.select(Event.action)))
    assert (recorded["import.begin"], recorded["import.end"], recorded["media.upload"]) == (1, 1, 3)
    end = db.session.scalars(sa.select(Event).where(Event.action == "import.end")).one()
    assert (end.actor_id, end.detail["imported"], end.detail["state"]) == (anna.id, 3, "done")
