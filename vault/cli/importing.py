"""Importing a folder tree that lies on the machine. Floor 4."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from tqdm import tqdm

from vault.cli.house import with_vault
from vault.imaging.identify import Unsupported
from vault.policy import Viewer
from vault.services import Refused, Vault, albums, people, uploads
from vault.storage import StorageError
from vault.storage.incoming import Incoming

CHUNK = 1024 * 1024


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--owner", required=True, help="E-mail address of whose pictures they become.")
@click.option("--album", help="Title of an album to put them into; made when it is not there.")
@click.option(
    "--move-nothing", is_flag=True, help="Leave the source as it is, as always; said for scripts that want to say so."
)
@with_vault
def import_tree(vault: Vault, path: Path, owner: str, album: str | None, move_nothing: bool) -> None:  # noqa: ARG001  # nothing is ever moved
    """Import every picture below PATH. Safe to run again: what is here already is recognised."""
    person = people.named(owner)
    if person.disabled_at is not None:
        raise Refused(f"the account of {person.email} is disabled; enable it first")
    viewer = Viewer(user_id=person.id)
    album_id = _album(viewer, album) if album else None
    counts = {"imported": 0, "already here": 0, "refused": 0}
    files = list(_files(path))
    for file in tqdm(files, unit="file", disable=not sys.stderr.isatty()):
        try:
            with Incoming(vault.storage, vault.settings.max_upload_bytes) as incoming:
                _copy(file, incoming)
                received = uploads.receive(vault, viewer, incoming, file_name=file.name, album_id=album_id)
            counts["already here" if received.duplicate else "imported"] += 1
        except (Refused, Unsupported, StorageError, OSError) as error:
            counts["refused"] += 1
            tqdm.write(f"{file}: {error}", file=sys.stderr)
    click.echo(", ".join(f"{count} {what}" for what, count in counts.items()))


def _album(viewer: Viewer, title: str) -> str:
    known = next((album for album in albums.own(viewer) if album.album.title == title), None)
    return (known.album if known else albums.create(viewer, title=title)).public_id


def _files(path: Path) -> Iterator[Path]:
    """Walk a tree in order; hidden files and whatever is no ordinary file are left out, links are not followed."""
    if path.is_file():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            found = Path(folder) / name
            if not name.startswith(".") and found.is_file() and not found.is_symlink():
                yield found


def _copy(file: Path, incoming: Incoming) -> None:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            incoming.write(chunk)
