"""Tidying up beside the rendering: what breaks in one does not stop the other."""

import threading
from typing import Any

import pytest
from click.testing import CliRunner

from tests.factories import House
from vault import logs
from vault.cli import running
from vault.cli.house import House as Commands
from vault.services import Vault, maintenance


def broken(_vault: Vault) -> None:
    raise OSError("the disk answers no more")


def test_rendering_goes_on_while_tidying_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    media = house.picture(house.person(), ready=False)
    found: list[Any] = []
    monkeypatch.setattr(maintenance, "tidy", broken)
    monkeypatch.setattr(running, "refuse_unmigrated", lambda _app: None)
    monkeypatch.setattr(logs, "configure", lambda _home: None)
    monkeypatch.setattr(running, "work", lambda _source, *, crews, **_rest: found.append(crews[0].due(())))

    done = CliRunner().invoke(running.worker, obj=Commands(lambda: house.app, lambda: 0))

    assert (done.exception, found) == (None, [("render", (media.public_id,))])


def test_a_fault_is_logged_and_the_next_hour_comes(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(maintenance, "tidy", broken)
    hours = iter([False, True])
    stopped = threading.Event()
    monkeypatch.setattr(stopped, "wait", lambda seconds: seconds == running.HOUR_SECONDS and next(hours))

    running.tidy_hourly(house.app, stopped)

    assert caplog.text.count("Could not tidy up") == 2
