"""Rendering: what the worker makes of an original.

Floor 3. A pending row is the job; the queue only says that now would be a good time. A task is idempotent: it is named
by what it makes, and making it twice writes the same keys.
"""

import hashlib
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlalchemy.orm import Session

from vault import describing, pairing
from vault.config import Settings
from vault.db import Busy, db, transaction, utcnow
from vault.imaging import motion
from vault.imaging.allowance import sandbox_for_pictures
from vault.imaging.refusals import Reason
from vault.imaging.render import PIPELINE_VERSION, Rendered
from vault.imaging.render import Variant as Picture
from vault.imaging.sandbox import Outcome, Sandbox, SandboxUnavailable
from vault.jobs import Message, Tasks
from vault.jobs.budget import of_process
from vault.jobs.turns import Front, Lane, Turns
from vault.models import membership, waiting
from vault.models.media import Media, Playback, State, Variant
from vault.models.waiting import PICTURES
from vault.services import Vault, pair_up
from vault.storage import Missing, StorageFull, variant_key

# The decoder is a child of its own, so an attempt that never ended tells of a killed worker, seldom of a bad picture.
MOST_ATTEMPTS = 20
# What another moment, or a stronger machine, may render after all.
MAY_PASS = frozenset({Reason.TOO_SLOW, Reason.TOO_MUCH_MEMORY, Reason.CRASHED})
# Pages and pictures that somebody waits for go before: of the processor this is what is left over.
NICENESS = 10


tasks: Tasks[Vault] = Tasks()
_of_thread = threading.local()
_turns = Turns()


def due(vault: Vault, under_way: Collection[Message] = ()) -> Message | None:
    """Say which picture is to be rendered next, fairly between owners, and count it as its owner's turn.

    None when nothing waits, or when there is no room for what would be made.
    """
    if vault.storage.free_bytes() == 0:
        return None
    names = [args[0] for task_name, args in under_way if task_name == "render"]
    heads = waiting.heads(db.session(), PICTURES, under_way=names)
    db.session.rollback()
    chosen = _turns.next(Front(head.owner_id, Lane(head.lane), head.public_id) for head in heads)
    return ("render", (chosen.name,)) if chosen else None


def release_claims() -> None:
    """Forget the claims of a worker that died, and join what it left apart; called when one starts.

    A picture rendered twice is the same picture, and joined twice it is joined once.
    """
    with transaction() as session:
        session.execute(sa.update(Media).where(Media.state == State.PENDING).values(claimed_at=None))
    left = db.session.scalars(sa.select(Media.id).where(Media.claimed_at.is_not(None), Media.state == State.READY))
    for media_id in left.all():
        _pair(media_id)


@tasks.task("render")
def render(vault: Vault, public_id: str) -> None:
    """Make the variants of a pending picture, and read what it says of itself into its row."""
    with of_process(vault.settings.worker_memory_bytes).lend(vault.settings.picture_share_bytes):
        # Not before the memory is there: a claim says that somebody works at it.
        claimed = _claim(public_id)
        if claimed is not None:
            _render(vault, claimed)


def _render(vault: Vault, claimed: Media) -> None:
    try:
        with vault.storage.local_path(claimed.blob_key) as source, vault.storage.temporary_folder() as folder:
            outcome = _sandbox(vault.settings).render(source, folder)
            moves = outcome.ok is not None and (
                outcome.ok.kind.is_film or motion.find(source, outcome.ok.kind) is not None
            )
            # Last, when the original is needed no more: it may be deleted for good meanwhile.
            kept = _keep(vault, claimed, outcome.ok, folder) if outcome.ok else []
    except Missing:
        _fail(
            claimed.id,
            "The file of this picture is missing from the vault. Please tell whoever runs it.",
            may_pass=True,
        )
        return
    except (StorageFull, SandboxUnavailable):
        _give_back(claimed.id)
        raise
    _finish(vault, claimed, outcome, kept, moves=moves)


def _claim(public_id: str) -> Media | None:
    with transaction() as session:
        media = waiting.claim(session, PICTURES, public_id)
        if media is None:
            return None
        media.attempts, media.claimed_at = media.attempts + 1, utcnow()
        if media.attempts > MOST_ATTEMPTS:
            media.state, media.failure = State.FAILED, "Rendering this picture was broken off again and again."
            media.failure_may_pass = True
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


def _finish(vault: Vault, claimed: Media, outcome: Outcome, kept: list[Variant], *, moves: bool) -> None:
    if outcome.ok is None:
        may_pass = outcome.reason in MAY_PASS
        _fail(claimed.id, outcome.failure or "This picture could not be read.", may_pass=may_pass)
        return
    keys = [variant.blob_key for variant in kept]
    try:
        with transaction() as session:
            # Read anew: somebody may have written on it, or laid a sidecar beside it, while it was rendered.
            media = membership.hold(session, claimed.id)
            if media is not None:
                _write(session, media, outcome.ok, kept)
                # The claim stays on what is still to be joined, so that it is found if this process dies before.
                is_to_pair = bool(pairing.candidates(session, media.id))
                media.claimed_at = utcnow() if is_to_pair else None
                if moves and media.playback == Playback.NONE:
                    media.playback = Playback.PENDING
    except DataError:
        # It would be tried again and again, and never fit.
        media = None
        _fail(claimed.id, "This picture says something of itself that the vault cannot keep.")
    if media is None:
        for key in keys:  # deleted for good while it was rendered, or not to be kept
            vault.storage.delete(key)
    else:
        _pair(claimed.id)
        if moves:
            vault.queue.enqueue("playback", claimed.public_id)


def _pair(media_id: int) -> None:
    """Join a picture that is ready with what belongs to it, and let go of it."""
    pair_up(media_id)
    held = sa.select(Media.id).where(Media.id == media_id, Media.claimed_at.is_not(None), Media.state == State.READY)
    is_marked = db.session.scalar(held) is not None
    db.session.rollback()
    if is_marked:
        with transaction() as session:
            session.execute(sa.update(Media).where(Media.id.in_(held)).values(claimed_at=None))


def _write(session: Session, media: Media, rendered: Rendered, kept: list[Variant]) -> None:
    names = [variant.name for variant in kept]
    session.execute(sa.delete(Variant).where(Variant.media_id == media.id, Variant.name.in_(names)))
    session.add_all(kept)
    media.state, media.failure, media.claimed_at = State.READY, None, None
    media.pipeline, media.placeholder = PIPELINE_VERSION, rendered.placeholder
    media.rendition = hashlib.sha256("".join(variant.sha256 for variant in kept).encode()).hexdigest()[:32]
    # At the door only the first bytes were seen, and some RAW look like a TIFF there.
    media.media_type = rendered.kind.media_type
    media.width, media.height = rendered.width, rendered.height
    media.duration_seconds = rendered.duration_seconds
    shown_at = media.shown_at
    describing.read(media, rendered.metadata)
    if media.shown_at != shown_at:
        session.flush()
        membership.redate(session, media)


def _give_back(media_id: int) -> None:
    """Take an attempt back that the machine broke off. The claim stays, so that it is not tried again at once."""
    with suppress(SQLAlchemyError, Busy), transaction() as session:  # on a full disk not even that may be possible
        mine = sa.update(Media).where(Media.id == media_id, Media.state == State.PENDING, Media.attempts > 0)
        session.execute(mine.values(attempts=Media.attempts - 1))


def _fail(media_id: int, failure: str, *, may_pass: bool = False) -> None:
    with transaction() as session:
        failed = {"state": State.FAILED, "failure": failure[:300], "failure_may_pass": may_pass, "claimed_at": None}
        session.execute(sa.update(Media).where(Media.id == media_id, Media.state == State.PENDING).values(failed))


def _sandbox(settings: Settings) -> Sandbox:
    """Return this worker thread's own child, started with its first picture."""
    sandbox: Sandbox | None = getattr(_of_thread, "sandbox", None)
    if sandbox is None:
        sandbox = sandbox_for_pictures(settings, most_memory_bytes=settings.worker_memory_bytes, niceness=NICENESS)
        _of_thread.sandbox = sandbox
    return sandbox
