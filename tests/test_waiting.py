"""The rows that say whose turn it is: fair between owners, exact for several workers, flat at any number."""

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.factories import House, Person
from tests.live.crowd import together
from vault.db import db, transaction, utcnow
from vault.jobs import Message
from vault.jobs.turns import Front, Lane, Turns
from vault.models import waiting
from vault.models.media import Media, State
from vault.models.waiting import PICTURES
from vault.services import derivatives, progress
from vault.storage import StorageFull
from vault.storage.local import LocalStorage

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def fresh_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody was served before."""
    monkeypatch.setattr(derivatives, "_turns", Turns())
    monkeypatch.setattr(progress, "_noted", {})


def pictures(house: House, owner: Person, count: int, **values: object) -> list[Media]:
    made = [house.picture(owner, ready=False) for _ in range(count)]
    change(made, **values)
    return made


def change(made: list[Media], **values: object) -> None:
    if values:
        with transaction() as session:
            session.execute(sa.update(Media).where(Media.id.in_([media.id for media in made])).values(**values))


def in_order(house: House, most: int) -> list[str]:
    """Return what would be rendered, one after the other."""
    db.session.rollback()
    found: list[Message] = []
    while len(found) < most and (message := derivatives.due(house.vault, found)):
        found.append(message)
    return [args[0] for _, args in found]


def test_one_picture_does_not_wait_for_all_of_somebody_else(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    pictures(house, anna, 12)
    (single,) = pictures(house, ben, 1)

    assert single.public_id in in_order(house, 2)


def test_all_are_named_once_and_in_turns(house: House) -> None:
    people = [house.person() for _ in range(3)]
    owner_of = {media.public_id: person.id for person in people for media in pictures(house, person, 4)}

    order = in_order(house, 100)

    assert sorted(order) == sorted(owner_of)
    for start in range(0, 12, 3):
        assert Counter(owner_of[name] for name in order[start : start + 3]) == {person.id: 1 for person in people}


def test_a_picture_that_somebody_looks_at_comes_first(house: House) -> None:
    anna = house.person("Anna")
    made = pictures(house, anna, 6)
    browser = house.browser(anna)

    assert browser.get(f"/media/{made[4].public_id}/thumb").status_code == 404

    assert in_order(house, 6) == [each.public_id for each in (made[4], *made[:4], made[5])]


@pytest.mark.parametrize("path", ["/media/{}", "/media/{}/preview", "/api/v1/media/{}/none", "/api/v1/media?ids={}"])
def test_its_page_its_bytes_and_its_tile_all_say_so(house: House, path: str) -> None:
    anna = house.person("Anna")
    first, second = pictures(house, anna, 2)
    house.browser(anna).get(path.format(second.public_id))

    db.session.rollback()
    db.session.expire_all()
    looked_at = "none" not in path
    assert (second.wanted_at is not None) == looked_at
    assert first.wanted_at is None
    assert in_order(house, 1) == [second.public_id if looked_at else first.public_id]


def test_who_may_not_see_a_picture_cannot_hurry_it(house: House) -> None:
    (media,) = pictures(house, house.person("Anna"), 1)
    stranger = house.browser(house.person("Ben"))
    for path in ("/media/{}", "/media/{}/thumb", "/api/v1/media?ids={}"):
        stranger.get(path.format(media.public_id))

    db.session.rollback()
    db.session.expire_all()
    assert media.wanted_at is None


def test_looking_again_and_again_is_written_once(house: House) -> None:
    anna = house.person("Anna")
    (media,) = pictures(house, anna, 1)
    browser = house.browser(anna)
    browser.get(f"/media/{media.public_id}/thumb")
    db.session.rollback()
    before = db.session.scalar(sa.select(Media.wanted_at))
    for _ in range(5):
        browser.get(f"/media/{media.public_id}/thumb")

    db.session.rollback()
    assert db.session.scalar(sa.select(Media.wanted_at)) == before


def test_a_ready_picture_is_never_noted(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna)
    browser = house.browser(anna)
    for name in ("thumb", "preview"):
        assert browser.get(f"/media/{media.public_id}/{name}").status_code == 200
    browser.get(f"/media/{media.public_id}")

    db.session.rollback()
    assert db.session.scalar(sa.select(Media.wanted_at)) is None


def test_nobody_looks_for_ever(house: House) -> None:
    anna = house.person("Anna")
    first, second = pictures(house, anna, 2)
    change([second], wanted_at=utcnow() - waiting.WANTED_LIFE - timedelta(seconds=1))

    assert in_order(house, 2) == [first.public_id, second.public_id]


def test_what_came_by_hand_goes_before_an_import(house: House) -> None:
    anna = house.person("Anna")
    mass = pictures(house, anna, 3, is_bulk=True)
    by_hand = pictures(house, anna, 2)

    assert in_order(house, 9) == [each.public_id for each in (*by_hand, *mass)]


def test_what_is_claimed_is_not_named_until_its_claim_is_old(house: House) -> None:
    anna = house.person("Anna")
    media = pictures(house, anna, 2)
    change(media[:1], claimed_at=utcnow())
    assert in_order(house, 9) == [media[1].public_id]

    change(media[:1], claimed_at=utcnow() - PICTURES.claim_life - timedelta(seconds=1))
    assert in_order(house, 9) == [each.public_id for each in media]


@pytest.mark.parametrize("wanted", [True, False])
def test_nothing_is_made_out_of_rot_until_it_is_whole_again(house: House, *, wanted: bool) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    damaged = pictures(house, anna, 1, quarantined_at=utcnow(), wanted_at=utcnow() if wanted else None)
    (whole,) = pictures(house, anna, 1)
    hers = pictures(house, ben, 1, quarantined_at=utcnow())

    assert in_order(house, 3) == [whole.public_id]
    derivatives.render(house.vault, damaged[0].public_id)
    assert db.session.get_one(Media, damaged[0].id, populate_existing=True).state == State.PENDING
    assert waiting.count(db.session(), PICTURES) == (1, 0, 0)

    change([*damaged, *hers], quarantined_at=None)
    assert set(in_order(house, 3)) == {each.public_id for each in (*damaged, whole, *hers)}


def test_several_workers_take_each_picture_once(house: House) -> None:
    made = [media.public_id for number in range(3) for media in pictures(house, house.person(f"P{number}"), 4)]
    taken: list[str] = []

    def work() -> None:
        # As a worker does: what is next, then the claim; whoever loses it goes on.
        turns = Turns()
        while heads := waiting.heads(db.session(), PICTURES):
            db.session.rollback()
            chosen = turns.next(Front(h.owner_id, Lane(h.lane), h.public_id) for h in heads)
            assert chosen is not None
            with transaction() as session:
                media = waiting.claim(session, PICTURES, chosen.name)
                if media is not None:
                    media.claimed_at = utcnow()
                    taken.append(media.public_id)
        db.session.rollback()

    together(house.app, [work] * 4)

    assert sorted(taken) == sorted(made)


def test_a_full_disk_fails_no_picture_and_is_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (media,) = pictures(house, house.person("Anna"), 1)
    with monkeypatch.context() as full:
        full.setattr(LocalStorage, "free_bytes", lambda _storage: 0)
        assert in_order(house, 9) == []
        with pytest.raises(StorageFull):
            derivatives.render(house.vault, media.public_id)
        db.session.rollback()
        db.session.expire_all()
        assert (media.state, media.attempts) == (State.PENDING, 0)

    change([media], claimed_at=utcnow() - PICTURES.claim_life - timedelta(seconds=1))
    assert in_order(house, 9) == [media.public_id]
    assert house.render(media).state == State.READY


def plan(question: sa.Select[*tuple[object, ...]]) -> list[str]:
    """Return how the database would answer."""
    bind = db.session.get_bind()
    compiled = question.params(before=utcnow(), under_way=["A", "B"]).compile(
        bind, compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    explain = "EXPLAIN QUERY PLAN " if bind.dialect.name == "sqlite" else "EXPLAIN "
    return [
        " ".join(map(str, row))
        for row in db.session.connection().exec_driver_sql(f"{explain}{compiled}".replace("%", "%%"))
    ]


@pytest.mark.parametrize("line", [PICTURES, waiting.films(100)], ids=["pictures", "films"])
@pytest.mark.parametrize("lane", [{}, {"bulk": False}], ids=["any", "by hand"])
@sqlite_only
def test_whose_turn_it_is_is_answered_by_indexes_alone_on_sqlite(
    house: House, line: waiting.Line, lane: dict[str, bool]
) -> None:
    steps = plan(waiting.first_of_each_owner(line, **lane))
    index = f"ix_media_{line.state}_owner_id_is_bulk_id"
    assert len([step for step in steps if f"INDEX {index}" in step]) == 3
    assert [step for step in steps if "SCAN media" in step or "TEMP B-TREE" in step] == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_whose_turn_it_is_can_be_answered_by_indexes_alone_on_postgresql(house: House) -> None:
    db.session.execute(sa.text("SET enable_seqscan = off"))
    db.session.execute(sa.text("SET enable_bitmapscan = off"))
    try:
        steps = plan(waiting.first_of_each_owner(PICTURES))
        assert len([step for step in steps if "ix_media_state_owner_id_is_bulk_id" in step]) >= 2
        assert [step for step in steps if "Seq Scan on media" in step] == []
    finally:
        db.session.execute(sa.text("RESET enable_seqscan"))
        db.session.execute(sa.text("RESET enable_bitmapscan"))
