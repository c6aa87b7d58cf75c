"""What the worker makes of an original, and what it does when that goes wrong."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image
from PIL.ExifTags import Base
from sqlalchemy.exc import DataError

from tests import pictures
from tests.factories import House, small_picture
from tests.live.crowd import together
from vault.db import db, transaction, utcnow
from vault.imaging.render import PIPELINE_VERSION
from vault.imaging.sandbox import Sandbox, SandboxUnavailable
from vault.jobs import Message
from vault.models.media import Media, State, Variant
from vault.policy import Action, authorize
from vault.services import NotReady, derivatives, editions, inspection, library
from vault.storage import StorageFull
from vault.storage.local import LocalStorage


def of(media: Media) -> list[Variant]:
    db.session.rollback()
    found = sa.select(Variant).where(Variant.media_id == media.id).order_by(Variant.name)
    return list(db.session.scalars(found))


class TestRendering:
    def test_a_picture_becomes_ready_with_what_its_camera_said(self, house: House) -> None:
        anna = house.person("Anna")
        data = pictures.encoded(pictures.drawing(3000, 2000), "JPEG", exif=pictures.camera_exif(gps=True))
        media = house.picture(anna, data=data, ready=False)

        row = house.render(media)

        assert (row.state, row.failure, row.claimed_at, row.attempts) == (State.READY, None, None, 1)
        assert (row.width, row.height, row.pipeline) == (3000, 2000, PIPELINE_VERSION)
        assert row.latitude is not None
        assert [(variant.name, variant.width, variant.height) for variant in of(media)] == [
            ("preview", 1920, 1280),
            ("thumb", 480, 320),
        ]
        assert inspection.inspect(house.vault, read_data=True).problems == []

    def test_what_goes_out_is_what_was_made(self, house: House) -> None:
        anna = house.person("Anna")
        media = house.render(house.picture(anna, data=pictures.encoded(pictures.drawing(), "PNG"), ready=False))
        answer = house.browser(anna).get(f"/media/{media.public_id}/preview")

        with Image.open(io.BytesIO(answer.data)) as image:
            assert (image.format, image.size) == ("WEBP", (96, 64))

    def test_until_then_there_is_nothing_but_the_original(self, house: House) -> None:
        anna = house.person("Anna")
        media = house.picture(anna, ready=False)
        browser = house.browser(anna)

        permit = authorize(anna.viewer, Action.VIEW, Media, media.public_id)
        with pytest.raises(NotReady):
            editions.find(house.vault, permit, "thumb")
        statuses = [browser.get(f"/media/{media.public_id}/{name}").status_code for name in ("thumb", "original")]
        assert statuses == [404, 200]

    def test_a_broken_picture_fails_with_a_sentence_and_does_not_come_again(self, house: House) -> None:
        media = house.picture(house.person("Anna"), data=small_picture()[:200], ready=False)

        row = house.render(media)

        assert row.state == State.FAILED
        assert row.failure is not None
        assert row.failure.endswith(".")
        assert (derivatives.due(house.vault), of(media)) == (None, [])

    def test_a_date_by_hand_is_not_overwritten(self, house: House) -> None:
        anna = house.person("Anna")
        data = pictures.encoded(pictures.drawing(), "JPEG", exif=pictures.camera_exif())
        media = house.picture(anna, data=data, ready=False)
        by_hand = datetime(1999, 1, 2, tzinfo=UTC)
        library.describe(
            authorize(anna.viewer, Action.CAPTION, Media, media.public_id), caption="Ours", taken_at=by_hand
        )

        row = house.render(media)

        assert (row.taken_at, row.shown_at, row.caption) == (by_hand, by_hand, "Ours")

    def test_twice_is_the_same_as_once(self, house: House) -> None:
        media = house.render(house.picture(house.person("Anna"), ready=False))
        rendition, keys = media.rendition, set(house.vault.storage.keys())
        with transaction() as session:
            session.execute(sa.update(Media).values(state=State.PENDING, attempts=0))

        again = house.render(media)

        assert (again.state, again.rendition, set(house.vault.storage.keys())) == (State.READY, rendition, keys)

    def test_two_workers_at_once_make_it_once(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        media = house.picture(house.person("Anna"), ready=False)
        rendered: list[Path] = []
        original = Sandbox.render

        def counted(sandbox: Sandbox, source_path: Path, out_dir: Path) -> object:
            rendered.append(source_path)
            return original(sandbox, source_path, out_dir)

        monkeypatch.setattr(Sandbox, "render", counted)
        public_id = media.public_id
        limits = {"memory_bytes": 1 << 30, "cpu_seconds": 30, "max_pixels": 10**8, "max_frames": 100}
        with Sandbox(wall_seconds=30.0, **limits) as shared:
            monkeypatch.setattr(derivatives, "_sandbox", lambda _settings: shared)
            outcomes = together(house.app, [lambda: derivatives.render(house.vault, public_id)] * 4)

        assert outcomes == [None] * 4
        assert len(rendered) == 1
        assert inspection.inspect(house.vault, read_data=True).problems == []


class TestDue:
    def test_pending_and_claimed_by_nobody_alive(self, house: House) -> None:
        anna = house.person("Anna")
        free, fresh, stale, ready = (house.picture(anna, ready=ready) for ready in (False, False, False, True))
        with transaction() as session:
            for media, age in ((fresh, 10), (stale, 600)):
                claimed = utcnow() - timedelta(seconds=age)
                session.execute(sa.update(Media).where(Media.id == media.id).values(claimed_at=claimed))

        found: list[Message] = []
        while message := derivatives.due(house.vault, found):
            found.append(message)
        assert found == [("render", (free.public_id,)), ("render", (stale.public_id,))]
        assert ready.state == State.READY

        derivatives.release_claims()
        assert derivatives.due(house.vault, found) == ("render", (fresh.public_id,))

    def test_a_picture_that_always_takes_its_worker_down_fails_in_the_end(self, house: House) -> None:
        media = house.picture(house.person("Anna"), ready=False)
        with transaction() as session:
            session.execute(sa.update(Media).values(attempts=derivatives.MOST_ATTEMPTS))

        row = house.render(media)

        assert (row.state, row.failure) == (State.FAILED, "Rendering this picture was broken off again and again.")


class TestTrouble:
    def test_a_missing_original_is_said(self, house: House) -> None:
        media = house.picture(house.person("Anna"), ready=False)
        house.vault.storage.delete(media.blob_key)

        row = house.render(media)

        assert (row.state, row.failure) == (
            State.FAILED,
            "The file of this picture is missing from the vault. Please tell whoever runs it.",
        )

    def test_a_camera_of_many_words_is_cut(self, house: House) -> None:
        exif = pictures.camera_exif()
        exif[Base.Make], exif[Base.Model] = "M" * 150, "N" * 150
        data = pictures.encoded(pictures.drawing(), "JPEG", exif=exif)

        row = house.render(house.picture(house.person("Anna"), data=data, ready=False))

        assert (row.state, row.camera) == (State.READY, "M" * 150 + " " + "N" * 49)

    def test_what_the_database_refuses_fails_with_a_sentence(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise DataError("UPDATE", {}, ValueError("too long"))

        monkeypatch.setattr("vault.describing.read", refuse)
        media = house.picture(house.person("Anna"), ready=False)

        row = house.render(media)

        assert (row.state, row.failure) == (
            State.FAILED,
            "This picture says something of itself that the vault cannot keep.",
        )
        assert list(house.vault.storage.keys()) == [media.blob_key]

    def test_purged_while_rendered_it_leaves_no_blob(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        anna = house.person("Anna")
        media = house.picture(anna, ready=False)
        original = Sandbox.render

        def late(sandbox: Sandbox, source_path: Path, out_dir: Path) -> object:
            outcome = original(sandbox, source_path, out_dir)
            library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))
            library.purge(house.vault, authorize(anna.viewer, Action.RESTORE, Media, media.public_id))
            return outcome

        monkeypatch.setattr(Sandbox, "render", late)
        derivatives.render(house.vault, media.public_id)

        assert list(house.vault.storage.keys()) == []
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Media)) == 0

    @pytest.mark.parametrize("where", ["temporary_folder", "put", "sandbox"])
    def test_a_trouble_of_the_machine_is_not_the_pictures_fault(
        self, house: House, monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        media = house.picture(house.person("Anna"), ready=False)

        def refuse(*_: object) -> object:
            raise SandboxUnavailable("no child") if where == "sandbox" else StorageFull("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(
                Sandbox if where == "sandbox" else LocalStorage, "render" if where == "sandbox" else where, refuse
            )
            with pytest.raises((StorageFull, SandboxUnavailable)):
                derivatives.render(house.vault, media.public_id)

        db.session.rollback()
        db.session.expire_all()
        assert media.state == State.PENDING
        derivatives.release_claims()
        assert house.render(media).state == State.READY
