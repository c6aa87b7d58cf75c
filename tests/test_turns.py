"""Whose turn it is, as an order: no owner waits for all of another's, and what somebody looks at comes first."""

from collections import Counter

import pytest

from vault.jobs.turns import BULK_EVERY, FRESH_EVERY, Front, Lane, Turns

W, F, B = Lane.WANTED, Lane.FRESH, Lane.BULK


class Lines:
    """What waits, by owner and lane; the first of each owner is his most urgent."""

    def __init__(self, **left: dict[Lane, int]) -> None:
        self.left = {int(name.removeprefix("owner")): Counter(lanes) for name, lanes in left.items()}

    def fronts(self) -> list[Front]:
        found = []
        for owner, lanes in self.left.items():
            if lanes[W]:
                found.append(Front(owner, W, f"{owner}-{W}-{lanes[W]}"))
            lane = next((lane for lane in (F, B) if lanes[lane]), None)
            if lane is not None:
                found.append(Front(owner, lane, f"{owner}-{lane}-{lanes[lane]}"))
        return found

    def served(self, turns: Turns, count: int) -> list[Front]:
        found = []
        for _ in range(count):
            chosen = turns.next(self.fronts())
            if chosen is None:
                break
            self.left[chosen.owner][chosen.lane] -= 1
            found.append(chosen)
        return found


def test_nothing_waits() -> None:
    assert Turns().next([]) is None


@pytest.mark.parametrize("lane", [F, B])
def test_a_single_picture_does_not_wait_for_a_thousand_of_somebody_else(lane: Lane) -> None:
    turns, lines = Turns(), Lines(owner1={lane: 1000})
    lines.served(turns, 50)
    lines.left[2] = Counter({lane: 1})
    assert 2 in [front.owner for front in lines.served(turns, 2)]


def test_owners_take_turns_whatever_each_of_them_has() -> None:
    served = Lines(owner1={F: 1000}, owner2={F: 100}, owner3={F: 10}).served(Turns(), 30)
    assert Counter(front.owner for front in served) == {1: 10, 2: 10, 3: 10}


def test_who_comes_new_is_served_before_who_was() -> None:
    turns, lines = Turns(), Lines(owner1={F: 9}, owner2={F: 9})
    lines.served(turns, 5)
    lines.left[3] = Counter({F: 1})
    assert lines.served(turns, 1)[0].owner == 3


def test_what_somebody_looks_at_comes_next_or_second() -> None:
    for before in range(BULK_EVERY + 1):
        turns, lines = Turns(), Lines(owner1={F: 100, B: 100}, owner2={B: 100})
        lines.served(turns, before)
        lines.left[3] = Counter({W: 1, B: 500})
        assert W in [front.lane for front in lines.served(turns, 2)]


def test_what_came_by_hand_goes_before_an_import() -> None:
    served = Lines(owner1={B: 1000}, owner2={F: 10}).served(Turns(), 12)
    assert [front.lane for front in served].count(F) == 10


def test_no_lane_waits_for_ever_for_one_that_is_never_empty() -> None:
    served = Lines(owner1={W: 10_000}, owner2={F: 10_000}, owner3={B: 10_000}).served(Turns(), 160)
    lanes = Counter(front.lane for front in served)
    assert lanes[B] == 160 // BULK_EVERY
    assert lanes[F] == 160 // FRESH_EVERY - 160 // BULK_EVERY
    assert lanes[W] == 160 - lanes[B] - lanes[F]
