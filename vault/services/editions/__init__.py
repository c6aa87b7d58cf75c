"""Editions: what leaves of a picture, under which terms, and where the byte path finds it.

Floor 3. People get the file as it is kept, and so do visitors of a link that demands nothing. Else the terms of the
link hold for every byte, alike in the grid, the page, the single file and the archive: metadata is cut out of the
original without touching its pixels or, where that cannot be, the picture is made anew; so is whatever must be smaller
or carry a name. A cut is computed from the file whenever it is asked for, in a few milliseconds. What was made anew has
no metadata at all, and is kept as a blob of its own: a cache without rows, which sweeps may take and no backup needs.
"""

import hmac
import io
import os
from functools import lru_cache
from typing import Any, BinaryIO, cast

import sqlalchemy as sa

from vault.db import Prepared, db
from vault.imaging.cut import CUT_VERSION, Cut, Rule, Uncuttable, cut
from vault.imaging.identify import EVERY_KIND, KINDS
from vault.imaging.remake import Order
from vault.imaging.render import PREVIEW, TARGETS
from vault.imaging.spliced import Spliced
from vault.jobs import Tasks
from vault.models.media import Media, MediaFacts, State
from vault.models.sharing import Link, LinkTerms, MetadataRule
from vault.policy import Action, Permit, Viewer, visible
from vault.services import NotReady, Vault
from vault.services.editions import films
from vault.services.editions.making import Edition, StillBeingMade, made
from vault.storage import Missing, Storage, variant_key

__all__ = ["Edition", "StillBeingMade", "find", "make_ahead", "opened", "tasks", "to_take"]

# More than the first screens of an album are not made ahead: new uploads wait in the same queue.
MOST_AHEAD = 100
CUT_BUFFER_BYTES = 64 * 1024
# What is remembered of cuts, and up to how many bytes (or pieces) one of them counts as small.
MOST_CUTS, SMALL_CUT = 512, 16 * 1024
KIND_OF = {kind.media_type: kind for kind in KINDS}
EXTENSION_OF = {kind.media_type: kind.extension for kind in EVERY_KIND}
LONG_EDGE_OF = {target.name: target.long_edge_px for target in TARGETS}

_SIZE = Prepared(cast("sa.Select[Any]", sa.select(Media.width, Media.height).where(Media.id == sa.bindparam("id"))))
tasks: Tasks[Vault] = Tasks()
_cuts: dict[tuple[str, Rule], Cut | None] = {}


def find(vault: Vault, permit: Permit[MediaFacts], name: str) -> Edition:
    """Return the edition that a permit gives of "thumb", "preview", "original", "video" or "motion".

    Makes it where it is missing, but for the latter two, which the worker makes; terms that those would slip through
    raise Denied.

    Without terms, or with terms that demand nothing, that takes no query and looks at no file. Raises NotReady for a
    picture of which there is none, StillBeingMade when it would take too long, Missing, StorageFull.
    """
    terms = permit.terms
    if name in films.MOVING:
        edition = films.moving(permit.row, terms, name)
        return edition if terms is None else _under_terms(vault, terms, edition)
    if terms is None:
        return _kept(permit.row, name)
    return _under_terms(vault, terms, _under(vault, permit.row, terms, name))


def _under_terms(vault: Vault, terms: LinkTerms, edition: Edition) -> Edition:
    # By itself it would say which original this is, to whoever has that too or gets it by another link.
    return edition._replace(etag=_veiled(vault.signer.key("edition"), f"{terms.link_public_id} {edition.etag}"))


@lru_cache(4_096)
def _veiled(key: str, said: str) -> str:
    return hmac.digest(key.encode(), said.encode(), "sha256").hex()[:40]


def opened(vault: Vault, edition: Edition) -> BinaryIO:
    """Open an edition for reading, at any place. Raises Missing."""
    file = vault.storage.unbuffered(edition.key)
    if edition.cut is None:
        return cast("BinaryIO", file)
    return io.BufferedReader(Spliced(file, edition.cut), CUT_BUFFER_BYTES)


def to_take(vault: Vault, permit: Permit[MediaFacts]) -> tuple[int, BinaryIO]:
    """Return how many bytes the edition of an original has, and open it: what an archive asks. Raises as `find`."""
    edition = find(vault, permit, "original")
    file = opened(vault, edition)
    if edition.size_bytes is not None:
        return edition.size_bytes, file
    return file.seek(0, os.SEEK_END) - file.seek(0), file


def make_ahead(vault: Vault, link: Link) -> None:
    """Leave a hint that pictures be drawn for a link, where its terms want that, before somebody waits for them."""
    if link.watermark or (link.long_edge_px is not None and link.long_edge_px < PREVIEW.long_edge_px):
        vault.queue.enqueue("link", link.public_id)


@tasks.task("link")
def begin(vault: Vault, public_id: str) -> None:
    """Leave a hint for each of the first pictures that a link opens."""
    link = db.session.scalar(sa.select(Link).where(Link.public_id == public_id))
    if link is None:
        return
    said = (link.metadata_rule, str(link.long_edge_px or ""), link.watermark)
    opened_by = visible(Viewer(link_id=public_id, generation=link.generation), Action.VIEW, Media)
    newest = opened_by.with_only_columns(Media.public_id).order_by(Media.shown_at.desc()).limit(MOST_AHEAD)
    ids = db.session.scalars(newest).all()
    db.session.rollback()
    for media_id in ids:
        vault.queue.enqueue("editions", media_id, *said)


@tasks.task("editions")
def prepare(vault: Vault, public_id: str, metadata_rule: str, long_edge_px: str, watermark: str) -> None:
    """Make the thumb and the preview of a picture for terms, where they have to be made and are not there."""
    columns = [getattr(Media, name) for name in MediaFacts._fields]
    row = db.session.execute(sa.select(*columns).where(Media.public_id == public_id)).first()
    db.session.rollback()
    if row is None:
        return
    edge = int(long_edge_px) if long_edge_px else None
    terms = LinkTerms(0, "", metadata_rule, edge, watermark, neutral_names=True, max_downloads=None)
    for name in LONG_EDGE_OF:
        try:
            _under(vault, MediaFacts._make(row), terms, name)
        except (NotReady, Missing):
            return  # only a hint: whoever asks for it will have it made, or hear why not


def _kept(row: MediaFacts, name: str) -> Edition:
    """Return what people get: the original byte for byte, and variants, which say nothing but their pixels."""
    if name == "original":
        extension = EXTENSION_OF.get(row.media_type, "bin")
        return Edition(row.blob_key, row.media_type, row.sha256, row.size_bytes, None, extension)
    if row.state != State.READY:
        raise NotReady
    key = variant_key(row.blob_key, name, row.pipeline)
    return Edition(key, "image/webp", f"{row.rendition}-{name}", None, None, "webp")


def _under(vault: Vault, row: MediaFacts, terms: LinkTerms, name: str) -> Edition:
    if name == "original":
        return _to_take_home(vault, row, terms)
    longest = LONG_EDGE_OF[name]
    if not terms.watermark and not _limits(terms, longest):
        return _kept(row, name)
    if row.state != State.READY:
        raise NotReady
    order = Order("screen", min(terms.long_edge_px or longest, longest), terms.watermark)
    return made(vault, row, name, order, terms.link_public_id)


def _to_take_home(vault: Vault, row: MediaFacts, terms: LinkTerms) -> Edition:
    if row.media_type.startswith("video/"):
        is_whole = terms.metadata_rule == MetadataRule.KEEP and not terms.watermark
        if is_whole and (terms.long_edge_px is None or _fits(row, terms.long_edge_px)):
            return _kept(row, "original")
        return films.moving(row, terms, "video")
    edge = terms.long_edge_px
    if edge is not None and _fits(row, edge):
        edge = None
    if edge is None and not terms.watermark:
        if terms.metadata_rule == MetadataRule.KEEP:
            return _kept(row, "original")
        # A rule that this code does not know counts as the strictest.
        rule: Rule = "location" if terms.metadata_rule == MetadataRule.STRIP_LOCATION else "all"
        found = _cut(vault.storage, row.blob_key, row.media_type, rule)
        if found is not None:
            etag = f"{row.sha256}-{rule}-{CUT_VERSION}"
            return Edition(row.blob_key, row.media_type, etag, found.size_bytes, found, EXTENSION_OF[row.media_type])
    return made(vault, row, "original", Order("file", edge, terms.watermark), terms.link_public_id)


def _limits(terms: LinkTerms, long_edge_px: int) -> bool:
    return terms.long_edge_px is not None and terms.long_edge_px < long_edge_px


def _fits(row: MediaFacts, long_edge_px: int) -> bool:
    """Whether an original is no longer than that; one that nobody has measured is not."""
    size = _SIZE.first({"id": row.id})
    return size is not None and None not in size and max(size) <= long_edge_px


def _cut(storage: Storage, key: str, media_type: str, rule: Rule) -> Cut | None:
    """Return the cut of an original, None where it must be made anew.

    Small ones are remembered: an original never changes, and a download in pieces asks again and again. Raises Missing.
    """
    if (key, rule) in _cuts:
        return _cuts[key, rule]
    with storage.unbuffered(key) as file:
        try:
            found = cut(cast("BinaryIO", file), KIND_OF[media_type], rule)
        except (Uncuttable, KeyError):
            found = None
    if (
        found is None
        or len(found.pieces) + sum(len(each) for each in found.pieces if isinstance(each, bytes)) < SMALL_CUT
    ):
        if len(_cuts) >= MOST_CUTS:
            _cuts.clear()
        _cuts[key, rule] = found
    return found
