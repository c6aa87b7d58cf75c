"""What people learn of the work on their pictures, and administrators of everybody's together."""

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import House, Person
from vault.db import db, transaction, utcnow
from vault.models.account import Scope
from vault.models.media import Media, Playback, State
from vault.models.sharing import Role
from vault.services import progress, statistics
from vault.services.progress import Progress
from vault.storage.local import LocalStorage

EVERYTHING = {"waiting": 2, "under_way": 1, "failed": 2, "may_pass": 1, "films": 1}


def change(media: Media, **values: object) -> Media:
    with transaction() as session:
        session.execute(sa.update(Media).where(Media.id == media.id).values(**values))
    return media


def one_of_each(house: House, owner: Person) -> dict[str, Media]:
    """Make pictures of every state, and others that nobody is to be told of."""
    made = {name: house.picture(owner, ready=False) for name in ("waits", "dead", "made", "lasts", "passes", "binned")}
    change(made["dead"], claimed_at=utcnow() - timedelta(hours=1))
    change(made["made"], claimed_at=utcnow())
    change(made["lasts"], state=State.FAILED, failure="It is damaged.")
    change(made["passes"], state=State.FAILED, failure="It took too long.", failure_may_pass=True)
    change(made["binned"], state=State.FAILED, failure="It is damaged.", trashed_at=utcnow())
    change(house.picture(owner), playback=Playback.PENDING)
    house.picture(owner)
    return made


def test_the_counts_are_exact_and_ones_own(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    one_of_each(house, anna)
    house.picture(ben, ready=False)

    assert progress.of_person(house.vault, anna.viewer) == Progress(**EVERYTHING)
    assert progress.of_person(house.vault, ben.viewer) == Progress(1, 0, 0, 0, 0)


def test_the_api_says_the_same(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    one_of_each(house, anna)

    mine = house.browser().get("/api/v1/progress", headers=house.token(anna, Scope.READ))
    others = house.browser().get("/api/v1/progress", headers=house.token(ben, Scope.READ))

    assert mine.json == {("videos" if name == "films" else name): count for name, count in EVERYTHING.items()}
    assert others.json == dict.fromkeys(mine.json or {}, 0)


def test_what_is_shared_with_somebody_is_not_among_his_own(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.EDITOR)
    change(house.picture(anna, album, ready=False), state=State.FAILED, failure="A secret of Anna's.")
    browser = house.browser(ben)

    assert "secret" not in browser.get("/progress").get_data(as_text=True)
    assert progress.of_person(house.vault, ben.viewer) == Progress(0, 0, 0, 0, 0)
    assert progress.try_again(house.vault, ben.viewer) == 0


@pytest.mark.parametrize("path", ["/", "/pictures", "/upload"])
def test_pages_say_it_in_one_line_without_any_script(house: House, path: str) -> None:
    anna = house.person("Anna")
    browser = house.browser(anna)
    quiet = browser.get(path).get_data(as_text=True)
    one_of_each(house, anna)
    busy = browser.get(path).get_data(as_text=True)

    assert 'data-progress="/progress" hidden' in quiet
    assert "3 pictures and 1 video are being prepared." in busy
    assert "2 pictures could not be read." in busy
    assert 'data-progress="/progress">' in busy


def test_its_script_is_told_in_the_same_words(house: House) -> None:
    anna = house.person("Anna")
    browser = house.browser(anna)
    ask = {"Accept": "application/json"}

    assert browser.get("/progress", headers=ask).json == {"busy": "", "failed": ""}
    house.picture(anna, ready=False)
    assert browser.get("/progress", headers=ask).json == {"busy": "1 picture is being prepared.", "failed": ""}


def test_the_page_names_what_failed_and_why(house: House) -> None:
    anna = house.person("Anna")
    made = one_of_each(house, anna)
    page = house.browser(anna).get("/progress").get_data(as_text=True)

    assert "It is damaged." in page
    assert "It took too long. Another try may help." in page
    assert [f'href="/media/{made[name].public_id}"' in page for name in ("lasts", "passes", "binned", "waits")] == [
        True,
        True,
        False,
        False,
    ]


def test_its_own_page_offers_another_try_only_where_that_may_help(house: House) -> None:
    anna = house.person("Anna")
    made = one_of_each(house, anna)
    browser = house.browser(anna)
    pages = {name: browser.get(f"/media/{made[name].public_id}").get_data(as_text=True) for name in ("lasts", "passes")}

    assert {name: "Try again" in page for name, page in pages.items()} == {"lasts": False, "passes": True}


def test_only_what_may_pass_is_tried_again(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    made, others = one_of_each(house, anna), one_of_each(house, ben)
    browser = house.browser(anna)

    answer = browser.post("/progress/try-again", headers=house.csrf(browser))

    assert (answer.status_code, answer.location) == (302, "/progress")
    db.session.rollback()
    db.session.expire_all()
    states = [row.state for row in (made["passes"], made["lasts"], made["binned"], others["passes"])]
    assert states == [State.PENDING, State.FAILED, State.FAILED, State.FAILED]
    assert (made["passes"].failure, made["passes"].failure_may_pass, made["passes"].attempts) == (None, False, 0)
    assert house.render(made["passes"]).state == State.READY


def test_a_missing_original_may_be_tried_again_when_it_is_back(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna, ready=False)
    with house.vault.storage.open(media.blob_key) as file:
        data = file.read()
    house.vault.storage.delete(media.blob_key)
    assert house.render(media).failure_may_pass
    with house.vault.storage.temporary() as path:
        path.write_bytes(data)
        house.vault.storage.put(media.blob_key, path)

    assert progress.try_again(house.vault, anna.viewer) == 1
    assert house.render(media).state == State.READY


def test_a_damaged_picture_is_no_hope(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna, data=b"\xff\xd8\xff\xe0" + b"no picture" * 9, ready=False)

    assert house.render(media).state == State.FAILED
    assert progress.try_again(house.vault, anna.viewer) == 0


class TestAdministration:
    def test_it_shows_numbers_and_nobodys_name(self, house: House) -> None:
        anna, root = house.person("Anna"), house.person("Root", admin=True)
        made = one_of_each(house, anna)
        page = house.browser(root).get("/admin/").get_data(as_text=True)

        assert "2 waiting, 1 being made; 3 could not be read" in page
        assert "1 waiting, 0 being prepared" in page
        assert not any(media.public_id in page for media in made.values())
        assert "picture.jpg" not in page

    def test_it_says_for_how_long_what_came_first_waits(self, house: House) -> None:
        anna = house.person("Anna")
        change(house.picture(anna, ready=False), uploaded_at=utcnow() - timedelta(minutes=30), is_bulk=True)
        house.picture(anna, ready=False)

        assert 1799 < statistics.work(house.vault).oldest_seconds < 1900

    def test_what_is_made_once_more_is_not_taken_for_old(self, house: House) -> None:
        media = house.picture(house.person("Anna"))
        change(media, state=State.PENDING, uploaded_at=utcnow() - timedelta(days=900))

        assert statistics.work(house.vault).oldest_seconds == 0

    @pytest.mark.parametrize(
        ("free_mb", "words"), [(5_000, "4.7 GB left"), (1_000, "nearly full"), (100, "The disk is full")]
    )
    def test_it_says_before_the_disk_is_full(
        self, house: House, monkeypatch: pytest.MonkeyPatch, free_mb: int, words: str
    ) -> None:
        root = house.browser(house.person("Root", admin=True))
        disk = type("Usage", (), {"total": 10**12, "free": free_mb * 10**6})
        monkeypatch.setattr("vault.storage.local.shutil.disk_usage", lambda _path: disk)
        page = root.get("/admin/").get_data(as_text=True)

        found = [each for each in ("nearly full", "The disk is full") if each in page]
        assert words in page
        assert found == ([words] if free_mb < 5_000 else [])

    def test_it_says_that_the_queue_is_down(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        root = house.browser(house.person("Root", admin=True))
        assert "queue does not answer" not in root.get("/admin/").get_data(as_text=True)

        def down(_queue: object) -> int:
            raise OSError("gone")

        monkeypatch.setattr("vault.jobs.engine.EngineQueue.size", down)
        assert "queue does not answer" in root.get("/admin/").get_data(as_text=True)
        assert statistics.figures(house.vault)["queue_up"][1] == 0

    def test_figures_go_to_prometheus(self, house: House) -> None:
        one_of_each(house, house.person("Anna"))
        text = house.browser().get("/metrics").get_data(as_text=True)
        said = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

        names = ("media_pending", "media_under_way", "media_failed", "videos_waiting", "queue_up")
        assert [float(said[f"vault_{name}"]) for name in names] == [3, 1, 3, 1, 1]
        storage = house.vault.storage
        assert isinstance(storage, LocalStorage)
        assert float(said["vault_disk_reserve_bytes"]) == storage.room().reserve_bytes


def test_what_does_not_wait_costs_nobody_a_turn_to_write(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = house.person("Anna")
    still, film = house.picture(anna), change(house.picture(anna), playback=Playback.PENDING)
    made, failed = house.picture(anna, ready=False), change(house.picture(anna), state=State.FAILED)
    browser = house.browser(anna)
    written: list[object] = []

    def noted(**how: float) -> AbstractContextManager[Session]:
        written.append(how)
        return transaction(**how)

    monkeypatch.setattr(progress, "transaction", noted)
    monkeypatch.setattr(progress, "_noted", {})  # the database of another test has the same numbers

    for media, name in ((still, "motion"), (still, "video"), (failed, "preview"), (failed, "motion")):
        assert browser.get(f"/media/{media.public_id}/{name}").status_code in {404, 409, 503}
    assert written == []

    for media, name in ((made, "preview"), (film, "motion")):
        browser.get(f"/media/{media.public_id}/{name}")
    db.session.rollback()
    wanted = sa.select(Media.id).where(Media.wanted_at.is_not(None))
    assert (len(written), set(db.session.scalars(wanted))) == (2, {made.id, film.id})
