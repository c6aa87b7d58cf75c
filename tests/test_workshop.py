"""A few benches for many threads: so many at a time, nobody making the same twice, nobody waiting for ever."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.sandboxes import new_sandbox
from vault.imaging.refusals import Reason
from vault.imaging.workshop import Occupied, Workshop


def at_once(deed: Callable[[int], None], count: int) -> None:
    """Do something in many threads, and wait for all of them."""
    threads = [threading.Thread(target=deed, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def soon() -> float:
    return time.monotonic() + 0.1


def later() -> float:
    return time.monotonic() + 20


def test_no_more_work_at_a_time_than_there_are_benches() -> None:
    workshop, guard, busy, seen = Workshop(new_sandbox, benches=2), threading.Lock(), set[int](), list[int]()

    def work(number: int) -> None:
        with workshop.bench(until=later()):
            with guard:
                busy.add(number)
                seen.append(len(busy))
            time.sleep(0.02)
            with guard:
                busy.remove(number)

    at_once(work, 8)
    assert (len(seen), max(seen)) == (8, 2)


def test_of_those_who_want_the_same_one_makes_it_and_the_others_find_it() -> None:
    workshop, made = Workshop(new_sandbox, benches=2), list[str]()

    def want(number: int) -> None:
        name = f"thing {number % 3}"
        with workshop.turn(name, until=later()):
            if name not in made:
                time.sleep(0.01)
                made.append(name)

    at_once(want, 30)
    assert sorted(made) == ["thing 0", "thing 1", "thing 2"]


def test_who_waits_too_long_is_told_and_disturbs_nobody() -> None:
    workshop = Workshop(new_sandbox, benches=1)

    def refused(_number: int) -> None:
        with pytest.raises(Occupied), workshop.turn("a", until=soon()):
            pass
        with pytest.raises(Occupied), workshop.bench(until=soon()):
            pass

    with workshop.turn("a", until=soon()), workshop.bench(until=soon()):
        at_once(refused, 3)
        with workshop.turn("b", until=soon()):
            pass
    with workshop.turn("a", until=soon()), workshop.bench(until=soon()):
        pass


def test_seats_are_few_and_fewer_for_one_guest() -> None:
    workshop = Workshop(new_sandbox, benches=2)
    with ExitStack() as seated:
        for guest in ("Ben", "Ben", "Ben", "Cem", "Cem", "Cem", "Dora"):
            seated.enter_context(workshop.seat(guest))
        for _ in range(2):  # who was sent away holds nothing
            with pytest.raises(Occupied), workshop.seat("Ben"):
                pass
        with workshop.seat("Dora"), workshop.seat(""):
            with pytest.raises(Occupied), workshop.seat("Eve"):
                pass
            with workshop.seat(""):
                pass
        with workshop.seat("Eve"):
            pass
    for _ in range(9):
        with workshop.seat("Ben"), workshop.seat("Ben"), workshop.seat("Ben"):
            pass


def test_what_failed_is_remembered_by_its_name() -> None:
    workshop = Workshop(new_sandbox, benches=1)
    workshop.give_up("a", Reason.DAMAGED)

    assert [workshop.is_hopeless(name) for name in "ab"] == [True, False]


def test_what_failed_is_remembered_only_so_often() -> None:
    workshop = Workshop(new_sandbox, benches=1)
    for number in range(1001):
        workshop.give_up(str(number), Reason.DAMAGED)

    assert not workshop.is_hopeless("0")
    assert workshop.is_hopeless("1000")
