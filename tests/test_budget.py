"""Memory that is lent: never more than there is, and in the order in which it was asked for."""

import threading
import time
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from vault.jobs.budget import Budget, of_process


class Meter:
    """How much is lent at a time, and the most that ever was."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.now = self.most = 0
        self.order: list[int] = []

    def use(self, budget: Budget, size: int, deed: Callable[[], object]) -> None:
        with budget.lend(size):
            with self.guard:
                self.now += size
                self.most = max(self.most, self.now)
                self.order.append(size)
            deed()
            with self.guard:
                self.now -= size


def all_at_once(deeds: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 10), min_size=1, max_size=12))
def test_never_more_is_lent_than_there_is(sizes: list[int]) -> None:
    meter, budget = Meter(), Budget(10)
    all_at_once([lambda size=size: meter.use(budget, size, lambda: time.sleep(0.001)) for size in sizes])  # type: ignore[misc]  # bound now
    assert meter.most <= 10
    assert (meter.now, sorted(meter.order)) == (0, sorted(sizes))


def test_who_fits_works_beside_others() -> None:
    together = threading.Barrier(3)
    budget = Budget(9)
    meter = Meter()
    all_at_once([lambda: meter.use(budget, 3, lambda: together.wait(20))] * 3)
    assert meter.most == 9


def test_who_wants_much_is_not_passed_by_those_who_want_little() -> None:
    budget, meter = Budget(10), Meter()
    first, gate = threading.Event(), threading.Event()

    def hold() -> None:
        first.set()
        gate.wait(20)

    waiting = [threading.Thread(target=meter.use, args=(budget, 4, hold))]
    waiting[0].start()
    assert first.wait(20)
    for size in (10, 1):
        waiting.append(threading.Thread(target=meter.use, args=(budget, size, lambda: None)))
        waiting[-1].start()
        while len(budget._line) < len(waiting) - 1:  # noqa: SLF001  # each stands in line before the next comes
            time.sleep(0.001)
    gate.set()
    for thread in waiting:
        thread.join(20)
    assert meter.order == [4, 10, 1]


def test_who_wants_more_than_there_is_gets_all_of_it() -> None:
    with Budget(10).lend(100):
        pass


def test_one_who_fails_gives_back_what_he_had() -> None:
    budget = Budget(10)
    for _ in range(3):
        try:
            with budget.lend(10):
                raise RuntimeError("boom")
        except RuntimeError:
            continue


def test_all_of_a_process_share_one() -> None:
    assert of_process(123) is of_process(123)
    assert of_process(123) is not of_process(124)
