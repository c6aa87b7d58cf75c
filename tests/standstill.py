"""Two deeds at one moment: the first stands still just before its commit, and the second must wait for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.factories import House
from vault.policy import Denied


@contextmanager
def just_before_its_commit(house: House, deed: Callable[[], object]) -> Iterator[None]:
    """Let somebody else's deed stand still when all of it is written but its commit, and finish afterwards."""
    arrived, go_on = threading.Event(), threading.Event()

    def stop(_session: Session) -> None:
        if threading.current_thread() is other:
            arrived.set()
            assert go_on.wait(30)

    def run() -> None:
        with house.app.app_context():
            deed()

    other = threading.Thread(target=run)
    event.listen(Session, "before_commit", stop)
    try:
        other.start()
        assert arrived.wait(30)
        yield
    finally:
        go_on.set()
        other.join(30)
        event.remove(Session, "before_commit", stop)


def outcome_of(house: House, deed: Callable[[], object], meanwhile: Callable[[], object]) -> type[Exception] | None:
    """Return what became of a deed that began while another one stood just before its commit."""
    found: list[type[Exception] | None] = []

    def run() -> None:
        with house.app.app_context():
            try:
                deed()
            except Denied as denied:
                found.append(type(denied))
            else:
                found.append(None)

    late = threading.Thread(target=run)
    with just_before_its_commit(house, meanwhile):
        late.start()
        late.join(0.5)
        assert late.is_alive(), "it did not wait"
    late.join(30)
    return found[0]
