"""Playback: what the worker makes of videos, so that every browser plays them.

Floor 3. A row whose `playback` is pending is the job. Longer work than drawing pictures, so it has a task, a
line, limits and a child of its own; what goes wrong here leaves the video where it is, to be taken home.
"""

import hashlib
import threading
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from vault.config import Settings
from vault.db import db, transaction, utcnow
from vault.imaging import motion
from vault.imaging.kinds import EVERY_KIND, Kind
from vault.imaging.playing import PLAYBACK_VERSION, Play, Played
from vault.imaging.refusals import Reason
from vault.imaging.sandbox import Sandbox, SandboxUnavailable, Unmakeable
from vault.jobs import Message, Tasks
from vault.jobs.budget import of_process
from vault.jobs.turns import Front, Lane, Turns
from vault.models import waiting
from vault.models.media import Media, Part, Playback, Variant
from vault.models.waiting import WALL_CLOCK_FACTOR, Line
from vault.services import Vault
from vault.storage import Missing, StorageFull, variant_key

MOST_ATTEMPTS = 5
# Processor time for a second of video: a phone's largest takes about four on a slow machine.
SECONDS_PER_SECOND = 15.0
LEAST_SECONDS = 60.0
# Written anew it has at most 8 megabits a second of pictures, and sound; a copy is no larger than its original.
MOST_BYTES_PER_SECOND = 1_250_000
LEAST_BYTES = 64 * 1024 * 1024
_SENTENCES = {
    Reason.TOO_SLOW: "Preparing this video for browsers took too long.",
    Reason.TOO_MUCH_MEMORY: "This video needs too much memory to be prepared for browsers.",
    Reason.UNKNOWN_CODEC: "This video is written in a way that the vault cannot read.",
}
_DAMAGED = "This video could not be prepared for browsers; it is probably damaged."
_MISSING = "The file of this video is missing from the vault. Please tell whoever runs it."
_BROKEN_OFF = "Preparing this video was broken off again and again."

KIND_OF = {kind.media_type: kind for kind in EVERY_KIND}

tasks: Tasks[Vault] = Tasks()
_turns = Turns()
# One at a time in each worker: videos take all that they are given, and pictures want to be seen meanwhile.
_one_at_a_time = threading.Lock()


class _Wanted(NamedTuple):
    """What of a row the work needs. `is_film` is False for a picture with moving seconds behind it."""

    id: int
    is_film: bool
    kind: Kind
    blob_key: str
    size_bytes: int
    duration_seconds: float


@cache
def line(video_seconds: int) -> Line:
    """Return where videos wait; a claim holds longer than the work on one may take."""
    return waiting.films(video_seconds)


def due(vault: Vault, under_way: Collection[Message] = ()) -> Message | None:
    """Say which video is to be prepared next, fairly between owners, and count it as its owner's turn.

    None when nothing waits, or when there is no room for what would be made.
    """
    if vault.storage.free_bytes() == 0:
        return None
    names = [args[0] for task_name, args in under_way if task_name == "playback"]
    heads = waiting.heads(db.session(), line(vault.settings.video_seconds), under_way=names)
    db.session.rollback()
    chosen = _turns.next(Front(head.owner_id, Lane(head.lane), head.public_id) for head in heads)
    return ("playback", (chosen.name,)) if chosen else None


def release_claims() -> None:
    """Forget the claims of a worker that died; called when one starts. A video made twice is the same video."""
    with transaction() as session:
        pending = sa.update(Media).where(Media.playback == Playback.PENDING)
        session.execute(pending.values(playback_claimed_at=None))


@tasks.task("playback")
def prepare(vault: Vault, public_id: str) -> None:
    """Make what browsers play of a pending video."""
    settings = vault.settings
    with _one_at_a_time, of_process(settings.worker_memory_bytes).lend(settings.video_share_bytes):
        # Not before its turn and the memory are there: a claim says that somebody works at it.
        wanted = _claim(settings, public_id)
        if wanted is not None:
            _prepare(vault, wanted)


def _claim(settings: Settings, public_id: str) -> _Wanted | None:
    with transaction() as session:
        media = waiting.claim(session, line(settings.video_seconds), public_id)
        if media is None:
            return None
        media.playback_attempts, media.playback_claimed_at = media.playback_attempts + 1, utcnow()
        if media.playback_attempts > MOST_ATTEMPTS:
            media.playback, media.playback_failure = Playback.FAILED, _BROKEN_OFF
            return None
        return _Wanted(
            media.id,
            media.is_video,
            KIND_OF[media.media_type],
            media.blob_key,
            media.size_bytes,
            media.duration_seconds or 0.0,
        )


def _prepare(vault: Vault, wanted: _Wanted) -> None:
    try:
        with vault.storage.local_path(wanted.blob_key) as source, vault.storage.temporary_folder() as folder:
            path = folder / "moving.mp4"
            order = Play(0, wanted.size_bytes) if wanted.is_film else motion.find(source, wanted.kind)
            if order is None:
                raise Unmakeable(Reason.NO_PICTURES)
            with _sandbox(vault.settings, wanted) as sandbox:
                played = sandbox.play(source, path, order)
            variant = _keep(vault, wanted, played, path, "video" if wanted.is_film else "motion")
    except Missing:
        _fail(wanted, _MISSING)
    except Unmakeable as unmakeable:
        _fail(wanted, _SENTENCES.get(unmakeable.reason, _DAMAGED))
    except (StorageFull, SandboxUnavailable):
        _give_back(wanted)
        raise
    else:
        _finish(vault, wanted, variant)


def _sandbox(settings: Settings, wanted: _Wanted) -> Sandbox:
    """Return a child whose limits fit this one video; it is gone when the video is done."""
    seconds = min(float(settings.video_seconds), LEAST_SECONDS + SECONDS_PER_SECOND * wanted.duration_seconds)
    return Sandbox(
        memory_bytes=settings.video_share_bytes,
        cpu_seconds=round(seconds),
        wall_seconds=seconds * WALL_CLOCK_FACTOR,
        max_pixels=settings.max_pixels,
        max_frames=settings.max_frames,
        output_bytes=LEAST_BYTES + max(wanted.size_bytes, round(wanted.duration_seconds * MOST_BYTES_PER_SECOND)),
    )


def _keep(vault: Vault, wanted: _Wanted, played: Played, path: Path, name: str) -> Variant:
    with path.open("rb") as made:
        sha256 = hashlib.file_digest(made, "sha256").hexdigest()
    key = variant_key(wanted.blob_key, name, PLAYBACK_VERSION, "mp4")
    vault.storage.put(key, path)
    return Variant(
        media_id=wanted.id,
        name=name,
        pipeline=PLAYBACK_VERSION,
        blob_key=key,
        sha256=sha256,
        size_bytes=played.size_bytes,
        width=played.width,
        height=played.height,
    )


def _finish(vault: Vault, wanted: _Wanted, variant: Variant) -> None:
    with transaction() as session:
        media = session.scalar(sa.select(Media).where(Media.id == wanted.id).with_for_update())
        if media is not None:
            session.execute(sa.delete(Variant).where(Variant.media_id == media.id, Variant.name == variant.name))
            session.add(variant)
            media.playback, media.playback_failure, media.playback_claimed_at = Playback.READY, None, None
            if media.part == Part.MOTION:
                main = sa.update(Media).where(Media.id == media.part_of_id, Media.playback == Playback.NONE)
                session.execute(main.values(playback=Playback.READY))
    if media is None:
        vault.storage.delete(variant.blob_key)  # deleted for good meanwhile


def _give_back(wanted: _Wanted) -> None:
    """Take an attempt back that the machine broke off; the claim stays, so that it is not tried again at once."""
    _note(wanted, playback_attempts=Media.playback_attempts - 1)


def _fail(wanted: _Wanted, failure: str) -> None:
    if not wanted.is_film:
        # A fine still all the same; nobody misses what never played.
        _note(wanted, playback=Playback.NONE, playback_claimed_at=None)
        return
    _note(wanted, playback=Playback.FAILED, playback_failure=failure, playback_claimed_at=None)


def _note(wanted: _Wanted, **values: Any) -> None:
    with transaction() as session:
        mine = sa.update(Media).where(Media.id == wanted.id, Media.playback == Playback.PENDING)
        session.execute(mine.values(values))
