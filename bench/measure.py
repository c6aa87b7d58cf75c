"""How things are timed: processor time of this process, in turns, so that a slow moment hits both alike."""

import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

Work = Callable[[], object]


def in_turns(works: dict[str, Work], *, rounds: int, repeats: int) -> dict[str, float]:
    """Return the median processor time of one call of each work, in microseconds.

    Each round runs every work `repeats` times; the works take turns, and a round that is not counted comes first.
    """
    took: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            began = time.process_time()
            for _ in range(repeats):
                work()
            if number:
                took[name].append((time.process_time() - began) / repeats * 1e6)
    return {name: statistics.median(times) for name, times in took.items()}


def wsgi_call(app: Any, environ: dict[str, Any], wanted: str = "200") -> Work:
    """Return a work that sends one request straight to an application and reads the whole answer."""

    def started(status: str, *_: object) -> Callable[[bytes], object]:
        if not status.startswith(wanted):
            raise RuntimeError(f"{environ['PATH_INFO']} answered {status}")
        return lambda _data: None

    def call() -> None:
        answer: Iterable[bytes] = app(dict(environ), started)
        for _ in answer:
            pass
        close = getattr(answer, "close", None)
        if close:
            close()

    return call
