"""Many at the same moment: threads that each have their own application context, as the server's have."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import Flask

from vault.db import db

T = TypeVar("T")


def together(app: Flask, deeds: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Begin all deeds at once and return what became of each: its result, or what it raised."""
    outcomes: list[T | Exception] = [RuntimeError("did not end")] * len(deeds)
    start = threading.Barrier(len(deeds))

    def do(number: int) -> None:
        with app.app_context():
            start.wait(30)
            try:
                outcomes[number] = deeds[number]()
            except Exception as error:  # noqa: BLE001  # the caller looks at every outcome
                outcomes[number] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes
