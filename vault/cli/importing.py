"""Importing what lies on the machine: a tree of folders, or archives. Floor 4."""

import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import click
from tqdm import tqdm

from vault import tables
from vault.archives import BadArchive, Folder, trees
from vault.archives.zips import Zips
from vault.cli.house import with_vault
from vault.db import Busy
from vault.models.ingest import ImportRun, RunState
from vault.policy import Denied, Viewer
from vault.services import Refused, Vault, albums, importing, people, uploads
from vault.services.importing import Doors, Manner, Outcome, Stopped, runs
from vault.storage import StorageError, StorageFull

READERS = 4
JSON_LINES = (".json", ".jsonl", ".ndjson")
HEAD = ("path", "outcome", "reason", "id")
COUNTS = {"imported": "imported", "already_here": "already here", "refused": "refused", "left_out": "left out"}
SIDECAR = "sidecar"
GO_ON = "Run the same command again to go on."
FULL = f"the disk is full: what was imported before is kept. Make room, then: {GO_ON}"


class Source(NamedTuple):
    """What is imported: how it is called, what is in it, and how its folders are remembered."""

    name: str
    folders: Callable[[], Iterable[Folder]]
    files: int
    size_bytes: int
    base: str


@click.command("import")
@click.argument(
    "paths",
    metavar="PATH...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, resolve_path=False, path_type=Path),
)
@click.option("--owner", required=True, help="E-mail address of whose pictures they become.")
@click.option("--album", help="Title of an album to put them into; made when it is not there.")
@click.option("--albums-from-folders", is_flag=True, help="Make albums of the folders, as a tree like theirs.")
@click.option("--readers", default=READERS, show_default=True, type=click.IntRange(1, 32), help="Files read at once.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write what became of every file: CSV, or JSON lines where the name ends in .json, .jsonl or .ndjson.",
)
@click.option(
    "--move-nothing", is_flag=True, help="Leave the source as it is, as always; said for scripts that want to say so."
)
@with_vault
def import_tree(
    vault: Vault,
    paths: tuple[Path, ...],
    owner: str,
    album: str | None,
    albums_from_folders: bool,
    readers: int,
    report: Path | None,
    move_nothing: bool,  # noqa: ARG001  # nothing is ever moved
) -> None:
    """Import every picture and video below PATH: a folder, a file, or one or several zip archives.

    Safe to run again: what is here already is recognised, without reading it where nothing changed.
    """
    _refuse_writing_into(paths, report)
    person = people.named(owner)
    if person.disabled_at is not None:
        raise Refused(f"the account of {person.email} is disabled; enable it first")
    viewer = Viewer(user_id=person.id)
    with ExitStack() as stack:
        source = _source(vault, paths, stack)
        root_id = _album(viewer, album) if album else None
        sink = stack.enter_context(_report(report))
        run = runs.begin_here(
            viewer, name=source.name, album_id=root_id, count=source.files, size_bytes=source.size_bytes
        )
        manner = Manner(source.base, by_folders=albums_from_folders, remembers=True, readers=readers)
        counts = _take_in(vault, run, source, manner, root_id, sink)
    _say(counts, run)
    sys.exit(1 if counts["refused"] else 0)


def doors_of(vault: Vault) -> Doors:
    """Return what imports need of other use cases."""
    return Doors(vault, partial(uploads.receive, bulk=True), _make_album, uploads.room_left)


def _take_in(
    vault: Vault, run: ImportRun, source: Source, manner: Manner, root_id: str | None, sink: Callable[[Outcome], None]
) -> Counter[str]:
    """Import all of a source, and end its run in every case that leaves time for it."""
    counts: Counter[str] = Counter()
    outcomes = importing.take_in(doors_of(vault), run, source.folders(), manner, root_id=root_id)
    state, failure = RunState.FAILED, "It broke off. " + GO_ON
    try:
        with _interruptible() as is_interrupted, tqdm(total=source.files, unit="file", disable=_is_silent()) as bar:
            for outcome in outcomes:
                counts[outcome.what] += 1
                sink(outcome)
                bar.update()
                if outcome.what == "refused":
                    tqdm.write(f"{_shown(outcome.entry.path)}: {outcome.reason}", file=sys.stderr)
                if is_interrupted():
                    outcomes.close()
                    state, failure = RunState.STOPPED, ""
                    raise Refused(f"stopped after {counts.total()} of {source.files} files. {GO_ON}")
        state, failure = RunState.DONE, ""
    except StorageFull as error:
        failure = FULL
        raise Refused(FULL) from error
    except StorageError as error:
        raise Refused(f"{error}. {GO_ON}") from error
    except Busy as error:
        raise Refused(f"the vault was busy writing for others. {GO_ON}") from error
    except Stopped as error:
        raise Refused("this import was stopped from elsewhere; what was imported before is kept") from error
    except Denied as error:
        raise Refused("the account or the album is not open to this import any more") from error
    finally:
        runs.end(vault, run.id, state, failure)
    return counts


def _source(vault: Vault, paths: tuple[Path, ...], stack: ExitStack) -> Source:
    """Look at what is to be imported. Raises click.UsageError, Refused for an archive that cannot be read."""
    zips = [path for path in paths if path.suffix.lower() == ".zip" and path.is_file()]
    if not zips:
        if len(paths) > 1:
            raise click.UsageError("Name one folder or file, or one or several zip archives.")
        root = paths[0].absolute()
        _refuse_the_vault(vault, root)
        count = size_bytes = 0
        for folder in trees.walk(root):
            count += len(folder.entries)
            size_bytes += sum(entry.size_bytes for entry in folder.entries)
        return Source(str(root), lambda: trees.walk(root), count, size_bytes, str(root))
    if len(zips) < len(paths):
        raise click.UsageError("Name one folder or file, or one or several zip archives.")
    try:
        archive = stack.enter_context(Zips(zips, importing.limits(vault)))
    except BadArchive as error:
        raise Refused(str(error)) from error
    name = ", ".join(str(path.absolute()) for path in zips)
    return Source(name, archive.folders, archive.count, archive.bytes, f"zip:{zips[0].name}")


def _refuse_writing_into(paths: tuple[Path, ...], report: Path | None) -> None:
    """Raise click.UsageError where the report would change the source."""
    if report is not None and any(report.resolve().is_relative_to(path.resolve()) for path in paths):
        raise click.UsageError("The report would lie in what is imported, and that is never changed.")


def _refuse_the_vault(vault: Vault, root: Path) -> None:
    """Raise Refused where what is imported is the vault itself, or a part of it, or holds it."""
    source = root.resolve()
    own = [vault.settings.home.resolve(), *_blobs(vault.settings.storage_url)]
    if any(source.is_relative_to(place) or place.is_relative_to(source) for place in own):
        raise Refused(f"{root} belongs to the vault or holds it. Import a folder that has nothing to do with it.")


def _blobs(storage_url: str) -> list[Path]:
    scheme, _, place = storage_url.partition("://")
    return [Path(place).resolve()] if scheme == "file" else []


def _album(viewer: Viewer, title: str) -> str:
    known = next((album for album in albums.own(viewer) if album.album.title == title), None)
    return (known.album if known else albums.create(viewer, title=title)).public_id


def _make_album(viewer: Viewer, title: str, above: str | None) -> str:
    return albums.create(viewer, title=title, parent_id=above).public_id


@contextmanager
def _report(path: Path | None) -> Iterator[Callable[[Outcome], None]]:
    """Open the report and return what writes one line of it."""
    if path is None:
        yield lambda _outcome: None
        return
    as_json = path.suffix.lower() in JSON_LINES
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        if not as_json:
            file.write(tables.line(HEAD))
        yield lambda outcome: _write(file, outcome, as_json=as_json)


def _write(file: IO[str], outcome: Outcome, *, as_json: bool) -> None:
    what = COUNTS.get(outcome.what, SIDECAR)
    cells = (_shown(outcome.entry.path), what, outcome.reason, outcome.media_id)
    file.write(json.dumps(dict(zip(HEAD, cells, strict=True))) + "\n" if as_json else tables.line(cells))


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C and SIGTERM end the run between two files; a second one ends it at once."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(number, former[number])

    former: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in former:
        signal.signal(number, note)
    try:
        yield lambda: bool(received)
    finally:
        for number, before in former.items():
            signal.signal(number, before)


def _say(counts: Counter[str], run: ImportRun) -> None:
    """Print the counts, and for which reasons files were refused or left out."""
    click.echo(", ".join(f"{counts[what]} {words}" for what, words in COUNTS.items()))
    for reason, count in sorted(runs.reasons(run).items(), key=lambda each: (-each[1], each[0])):
        click.echo(f"  {count} × {reason}")


def _is_silent() -> bool:
    return not sys.stderr.isatty()


def _shown(path: str) -> str:
    """Return a path of any bytes as a terminal and a file take it."""
    return path.encode("utf-8", "backslashreplace").decode()
