"""Looking after what is stored. Floor 4."""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Never

import click
from tqdm import tqdm

from vault.cli.house import with_vault
from vault.services import Vault, inspection
from vault.services.inspection import Reading, Report

MINUTE_SECONDS = 60.0


@click.command()
@click.option("--read-data", is_flag=True, help="Read every byte and compare it with its hash.")
@click.option(
    "--continue", "go_on", is_flag=True, help="Read on: what was read longest ago first. Implies --read-data."
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Stop reading after so many minutes.")
@click.option("--fix", is_flag=True, help="Mend what can be made again; no original is ever touched.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_vault
def fsck(vault: Vault, read_data: bool, go_on: bool, minutes: float | None, fix: bool, as_json: bool) -> None:
    """Check rows against bytes; exit status 0 only when everything agrees."""
    with _stopping(minutes) as end:
        reading = end.reading(go_on=go_on)
        wanted = read_data or go_on or minutes is not None
        report = inspection.inspect(vault, read_data=wanted, fix=fix, reading=reading)
        end.close()
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print(report)
    sys.exit(0 if report.holds and not end.is_asked_for else 1)


def _print(report: Report) -> None:
    for line in (*report.problems, *report.mended):
        click.echo(line)
    found = f"{report.originals} originals, {report.variants} variants, {report.blobs} blobs, {report.pending} pending"
    click.echo(f"{found}: {'everything agrees' if report.holds else f'{len(report.problems)} problems'}")
    if report.unread:
        click.echo(f"{report.read} originals were read, {report.unread} were not; go on with fsck --continue")


@dataclass
class _End:
    """When to stop reading: asked for by a signal, or at a moment that was set before."""

    minutes: float | None
    asked: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)
    bar: "tqdm[Never] | None" = None

    @property
    def is_asked_for(self) -> bool:
        """Whether somebody broke it off."""
        return self.asked.is_set()

    def reading(self, *, go_on: bool) -> Reading:
        """Return how to read, with progress on a terminal."""
        return Reading(go_on, self._begin, self._told, self._has_come)

    def close(self) -> None:
        """Leave the line of the progress."""
        if self.bar is not None:
            self.bar.close()

    def _begin(self, total_bytes: int) -> None:
        quiet = not sys.stderr.isatty()
        self.bar = tqdm(total=total_bytes, unit="B", unit_scale=True, desc="reading", disable=quiet)

    def _told(self, count: int) -> None:
        if self.bar is not None:
            self.bar.update(count)

    def _has_come(self) -> bool:
        is_late = self.minutes is not None and time.monotonic() - self.began > self.minutes * MINUTE_SECONDS
        return is_late or self.is_asked_for


@contextmanager
def _stopping(minutes: float | None) -> Iterator[_End]:
    """Let Ctrl-C and SIGTERM end the reading, so that what was read is remembered; a second one ends the command."""
    end = _End(minutes)

    def stop(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        end.asked.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
