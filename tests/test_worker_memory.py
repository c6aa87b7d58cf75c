"""What the decoding children of a worker may take together is bounded, pictures and videos in one count."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.factories import House
from tests.live.crowd import together
from vault.config import GIB, Settings
from vault.imaging.sandbox import SandboxUnavailable
from vault.jobs.budget import Budget
from vault.services import Vault, derivatives

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MIB = 1 << 20


def settings(**values: Any) -> Settings:
    return replace(Settings(home=Path("/nowhere"), secret_keys=("none",), worker_memory_bytes=0), **values)


@pytest.mark.parametrize(
    ("worker", "picture", "video"),
    [(8 * GIB, GIB, 2 * GIB), (2 * GIB, GIB, GIB), (GIB, GIB, GIB // 4), (GIB // 2, GIB // 2, GIB // 4)],
)
def test_a_picture_fits_beside_a_video_wherever_it_can(worker: int, picture: int, video: int) -> None:
    found = settings(worker_memory_bytes=worker, decoder_memory_bytes=GIB, video_memory_bytes=2 * GIB)
    assert (found.picture_share_bytes, found.video_share_bytes) == (picture, video)
    assert max(picture, video) <= worker


def test_without_a_setting_it_is_enough_for_one_picture() -> None:
    assert settings(decoder_memory_bytes=1 << 50, worker_memory_bytes=0).worker_memory_bytes == 1 << 50


class Lent:
    """A sandbox that is not there, which notes how many are asked at a time."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.now = self.most = 0
        self.gate = threading.Event()

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.guard:
            self.now += 1
            self.most = max(self.most, self.now)
        yield
        with self.guard:
            self.now -= 1

    def render(self, _source: Path, _folder: Path) -> object:
        with self.counted():
            self.gate.wait(0.3)
        raise SandboxUnavailable("only a count")


@sqlite_only
@pytest.mark.parametrize(("worker_mib", "at_a_time"), [(512, 1), (1024, 2), (2048, 4)])
def test_only_so_many_pictures_are_decoded_at_a_time(
    house: House, monkeypatch: pytest.MonkeyPatch, worker_mib: int, at_a_time: int
) -> None:
    lent = Lent()
    monkeypatch.setattr(derivatives, "_sandbox", lambda _settings: lent)
    narrow = replace(house.vault.settings, worker_memory_bytes=worker_mib * MIB, decoder_memory_bytes=512 * MIB)
    vault = Vault(**{**vars(house.vault), "settings": narrow})
    names = [house.picture(house.person(), ready=False).public_id for _ in range(6)]

    outcomes = together(house.app, [lambda name=name: derivatives.render(vault, name) for name in names])  # type: ignore[misc]  # bound now

    assert [type(outcome) for outcome in outcomes] == [SandboxUnavailable] * 6
    assert lent.most <= at_a_time


@sqlite_only
def test_who_waits_for_memory_has_claimed_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lent = Lent()
    monkeypatch.setattr(derivatives, "_sandbox", lambda _settings: lent)
    media = house.picture(house.person(), ready=False)
    budget = Budget(house.vault.settings.worker_memory_bytes)
    monkeypatch.setattr(derivatives, "of_process", lambda _bytes: budget)
    with budget.lend(house.vault.settings.worker_memory_bytes):
        waiting = threading.Thread(
            target=lambda: together(house.app, [lambda: derivatives.render(house.vault, media.public_id)])
        )
        waiting.start()
        while not budget._line:  # noqa: SLF001  # it stands in line
            threading.Event().wait(0.005)
        assert derivatives.due(house.vault) == ("render", (media.public_id,))
    waiting.join(30)
    assert lent.most == 1
