"""A shorter run of what `make torture` does at length: nothing acknowledged is ever lost."""

from pathlib import Path

import pytest

from tests.live import kills, writers

pytestmark = [pytest.mark.torture, pytest.mark.timeout(300)]


def test_killed_again_and_again_no_acknowledged_picture_is_lost(home: Path) -> None:
    figures = kills.torture(home, kills=20, seed=7)
    print(figures)  # noqa: T201  # the figures that `pytest -s` shows

    assert figures.kills["web process"] > 0
    assert figures.kills["worker"] > 0
    assert len(figures.acknowledged) > 20
    assert (figures.wrong, dict(figures.refused), figures.twice) == ([], {}, 0)
    assert set(figures.states) == {"ready"}
    assert (figures.fsck, figures.fsck_said.endswith("everything agrees\n")) == (0, True), figures.fsck_said


def test_sixteen_writers_at_once_lose_nothing(home: Path) -> None:
    figures = writers.torture(home, seconds=6.0)
    print(figures)  # noqa: T201  # the figures that `pytest -s` shows

    assert figures.statuses.keys() <= {200, 201, 204}
    assert len(figures.deeds) == 7
    assert figures.lost == []
    assert figures.fsck == 0, figures.fsck_said
