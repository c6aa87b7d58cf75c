"""Rendering: what the worker makes of an original.

Floor 3. A pending row is the job; the queue only says that now would be a good time. A task is idempotent: it is named
by what it makes, and making it twice writes the same keys.
"""

import hashlib
import threading
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from vault.config import Settings
from vault.db import db, transaction, utcnow
from vault.imaging.metadata import Metadata
from vault.imaging.render import PIPELINE_VERSION, Rendered
from vault.imaging.render import Variant as Picture
from vault.imaging.sandbox import Outcome, Sandbox
from vault.jobs import Tasks
from vault.models import membership
from vault.models.media import Media, State, Variant
from vault.services import Vault
from vault.storage import Missing, variant_key

# The decoder is a child of its own, so an attempt that never ended tells of a killed worker, seldom of a bad picture.
MOST_ATTEMPTS = 20
# Longer than the decoder's wall clock, so that a claim this old belongs to a worker that died.
CLAIM_LIFE = timedelta(seconds=90)
WALL_CLOCK_FACTOR = 1.5
MOST_DUE = 5_000
MOST_ISO = 10_000_000
# Characters that the columns hold: PostgreSQL refuses a longer text, SQLite does not.
LONGEST_NAME = 200
LONGEST_CAPTION = 5_000


tasks: Tasks[Vault] = Tasks()
_of_thread = threading.local()


def due() -> Iterable[tuple[str, tuple[str, ...]]]:
    """Say which pictures want rendering: pending, and claimed by nobody who is still alive."""
    free = sa.or_(Media.claimed_at.is_(None), Media.claimed_at < utcnow() - CLAIM_LIFE)
    waiting = sa.select(Media.public_id).where(Media.state == State.PENDING, free).order_by(Media.id).limit(MOST_DUE)
    return [("render", (public_id,)) for public_id in db.session.scalars(waiting)]


def release_claims() -> None:
    """Forget the claims of a worker that died; called when one starts. A picture rendered twice is the same picture."""
    with transaction() as session:
        session.execute(sa.update(Media).where(Media.state == State.PENDING).values(claimed_at=None))


@tasks.task("render")
def render(vault: Vault, public_id: str) -> None:
    """Make the variants of a pending picture, and read what it says of itself into its row."""
    claimed = _claim(public_id)
    if claimed is None:
        return
    try:
        with vault.storage.local_path(claimed.blob_key) as source, vault.storage.temporary_folder() as folder:
            outcome = _sandbox(vault.settings).render(source, folder)
            kept = _keep(vault, claimed, outcome.ok, folder) if outcome.ok else []
    except Missing:
        _fail(claimed.id, "The file of this picture is missing from the vault. Please tell whoever runs it.")
        return
    _finish(vault, claimed, outcome, kept)


def _claim(public_id: str) -> Media | None:
    with transaction() as session:
        free = sa.or_(Media.claimed_at.is_(None), Media.claimed_at < utcnow() - CLAIM_LIFE)
        wanted = sa.select(Media).where(Media.public_id == public_id, Media.state == State.PENDING, free)
        media = session.scalar(wanted.with_for_update(skip_locked=True))
        if media is None:
            return None
        media.attempts, media.claimed_at = media.attempts + 1, utcnow()
        if media.attempts > MOST_ATTEMPTS:
            media.state, media.failure = State.FAILED, "Rendering this picture was broken off again and again."
            return None
        return media


def _keep(vault: Vault, media: Media, rendered: Rendered, folder: Path) -> list[Variant]:
    return [_keep_one(vault, media, picture, folder / picture.file_name) for picture in rendered.variants]


def _keep_one(vault: Vault, media: Media, picture: Picture, path: Path) -> Variant:
    with path.open("rb") as made:
        sha256 = hashlib.file_digest(made, "sha256").hexdigest()
    key = variant_key(media.blob_key, picture.name, PIPELINE_VERSION)
    vault.storage.put(key, path)
    return Variant(
        media_id=media.id,
        name=picture.name,
        pipeline=PIPELINE_VERSION,
        blob_key=key,
        sha256=sha256,
        size_bytes=picture.size_bytes,
        width=picture.width,
        height=picture.height,
    )


def _finish(vault: Vault, claimed: Media, outcome: Outcome, kept: list[Variant]) -> None:
    if outcome.ok is None:
        _fail(claimed.id, outcome.failure or "This picture could not be read.")
        return
    keys = [variant.blob_key for variant in kept]
    try:
        with transaction() as session:
            media = session.scalar(sa.select(Media).where(Media.id == claimed.id).with_for_update())
            if media is not None:
                _write(session, media, outcome.ok, kept)
    except DataError:
        # It would be tried again and again, and never fit.
        media = None
        _fail(claimed.id, "This picture says something of itself that the vault cannot keep.")
    if media is None:
        for key in keys:  # deleted for good while it was rendered, or not to be kept
            vault.storage.delete(key)


def _write(session: Session, media: Media, rendered: Rendered, kept: list[Variant]) -> None:
    session.execute(sa.delete(Variant).where(Variant.media_id == media.id))
    session.add_all(kept)
    media.state, media.failure, media.claimed_at = State.READY, None, None
    media.pipeline, media.placeholder = PIPELINE_VERSION, rendered.placeholder
    media.rendition = hashlib.sha256("".join(variant.sha256 for variant in kept).encode()).hexdigest()[:32]
    media.width, media.height = rendered.width, rendered.height
    _describe(media, rendered.metadata)
    session.flush()
    membership.redate(session, media)


def _describe(media: Media, said: Metadata) -> None:
    if media.taken_at is None and said.taken_at is not None:
        media.taken_at = media.shown_at = said.taken_at
    make, model = said.camera_make or "", said.camera_model or ""
    camera = model if model.lower().startswith(make.lower().split(" ")[0]) else f"{make} {model}".strip()
    media.camera, media.lens = camera[:LONGEST_NAME], (said.lens or "")[:LONGEST_NAME]
    media.f_number, media.exposure_seconds = said.f_number, said.exposure_seconds
    media.iso = round(said.iso) if said.iso is not None and said.iso < MOST_ISO else None
    media.focal_length_mm = said.focal_length_mm
    media.latitude, media.longitude, media.altitude_m = said.latitude, said.longitude, said.altitude_m
    if not media.caption_by_person:
        media.caption = media.caption or (said.caption or said.title or "")[:LONGEST_CAPTION]


def _fail(media_id: int, failure: str) -> None:
    with transaction() as session:
        failed = {"state": State.FAILED, "failure": failure[:300], "claimed_at": None}
        session.execute(sa.update(Media).where(Media.id == media_id, Media.state == State.PENDING).values(failed))


def _sandbox(settings: Settings) -> Sandbox:
    """Return this worker thread's own child, started with its first picture."""
    sandbox: Sandbox | None = getattr(_of_thread, "sandbox", None)
    if sandbox is None:
        sandbox = _of_thread.sandbox = Sandbox(
            memory_bytes=settings.decoder_memory_bytes,
            cpu_seconds=settings.decoder_seconds,
            wall_seconds=settings.decoder_seconds * WALL_CLOCK_FACTOR,
            max_pixels=settings.max_pixels,
            max_frames=settings.max_frames,
        )
    return sandbox
