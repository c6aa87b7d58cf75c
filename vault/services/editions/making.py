"""Making editions that are not there yet: drawn in confined children, a few at a time, and kept without rows.

Floor 3. Knows what is to be drawn, and not why: what terms demand is for the room that this belongs to.
"""

import hashlib
import os
import time
from datetime import timedelta
from typing import NamedTuple

import PIL

from vault.config import Settings
from vault.db import utcnow
from vault.imaging.allowance import sandbox_for_pictures
from vault.imaging.cut import Cut
from vault.imaging.remake import FORMS, REMAKE_VERSION, Order
from vault.imaging.render import PREVIEW
from vault.imaging.sandbox import SandboxUnavailable, Unmakeable
from vault.imaging.workshop import Occupied, Workshop
from vault.models.media import MediaFacts
from vault.services import NotReady, Vault
from vault.storage import Missing, Storage, edition_key, variant_key

BENCHES = 2
PATIENCE_SECONDS = 20.0
RETRY_SECONDS = 5
# How often an edition that is in use is made young, so that the sweep takes only what nobody asks for.
TOUCHED_EVERY = timedelta(days=1)

_of_process: dict[tuple[int, Settings], Workshop] = {}


class StillBeingMade(NotReady):
    """Too many want pictures made for them at this moment; in a few seconds it is there."""

    retry_after_seconds = RETRY_SECONDS


class Edition(NamedTuple):
    """What is sent: where its bytes lie, and the strong validator that names them.

    With a `cut` the bytes are those of the cut and not those of the blob. `size_bytes` is None where only the storage
    knows it. `is_new` says that it was made for whoever asks, and was not there before.
    """

    key: str
    media_type: str
    etag: str
    size_bytes: int | None
    cut: Cut | None
    extension: str
    is_new: bool = False


def made(vault: Vault, row: MediaFacts, name: str, order: Order, guest: str) -> Edition:
    """Return an edition that was made of an order, making it where it is missing; of one guest only few may wait."""
    digest = _digest(name, order)
    found = _found(vault.storage, row, name, order, digest)
    if found is not None:
        return found
    workshop, wanted = _workshop(vault.settings), f"{row.blob_key} {digest}"
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        with workshop.seat(guest), workshop.turn(wanted, until=until):
            found = _found(vault.storage, row, name, order, digest)
            if found is None and workshop.is_hopeless(wanted):
                raise NotReady
            return found or _make(vault, row, name, order, digest, until)
    except Unmakeable as unmakeable:
        workshop.give_up(wanted, unmakeable.reason)
        raise NotReady from unmakeable
    except (Occupied, SandboxUnavailable) as error:
        raise StillBeingMade from error


def _digest(name: str, order: Order) -> str:
    """Name everything that the bytes depend on, besides the original."""
    words = (PIL.__version__, REMAKE_VERSION, name, order.form, order.long_edge_px, order.watermark)
    return hashlib.sha256(repr(words).encode()).hexdigest()[:32]


def _found(storage: Storage, row: MediaFacts, name: str, order: Order, digest: str) -> Edition | None:
    for kind in FORMS[order.form]:
        key = edition_key(row.blob_key, name, digest, kind.extension)
        try:
            stat = storage.stat(key)
            if utcnow() - stat.modified_at > TOUCHED_EVERY:
                storage.touch(key)
        except Missing:
            continue
        return Edition(key, kind.media_type, f"{row.sha256[:32]}-{digest}", stat.bytes, None, kind.extension)
    return None


def _make(vault: Vault, row: MediaFacts, name: str, order: Order, digest: str, until: float) -> Edition:  # noqa: PLR0917 - one step of `made`
    """Draw an edition and keep it: a thumb from the preview, which is small, and all else from the original.

    A video's pictures come from its preview, too: what stood still is all that can be drawn of it.
    """
    from_preview = name == "thumb" or row.media_type.startswith("video/")
    source_key = variant_key(row.blob_key, PREVIEW.name, row.pipeline) if from_preview else row.blob_key
    storage = vault.storage
    with _workshop(vault.settings).bench(until=until) as sandbox, storage.temporary_folder() as folder:
        path = folder / "edition"
        with storage.local_path(source_key) as source:
            made = sandbox.remake(source, path, order)
        key = edition_key(row.blob_key, name, digest, made.kind.extension)
        storage.put(key, path)
    etag = f"{row.sha256[:32]}-{digest}"
    return Edition(key, made.kind.media_type, etag, made.size_bytes, None, made.kind.extension, is_new=True)


def _workshop(settings: Settings) -> Workshop:
    """Return the benches of this process: a server that forks leaves those of its parent alone."""
    place = (os.getpid(), settings)
    found = _of_process.get(place)
    # Of two threads that come first one wins; a workshop that nobody used has started nothing.
    return found or _of_process.setdefault(place, Workshop(lambda: sandbox_for_pictures(settings), benches=BENCHES))
