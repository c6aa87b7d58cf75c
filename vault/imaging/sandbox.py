"""Pictures from strangers, decoded where nothing can happen: the parent's side.

Floor 0. Holds one zygote (`vault.imaging.zygote`), lends it open files, watches its clock, and doubts its answers.
This side never decodes.
"""

import contextlib
import json
import os
import signal
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from vault.imaging import webp, wire
from vault.imaging.identify import HEAD_BYTES, Kind, Unsupported, identify
from vault.imaging.nursery import Nursery, SandboxUnavailable, ZygoteLost
from vault.imaging.refusals import Reason, Refused, sentence
from vault.imaging.render import TARGETS, Rendered
from vault.imaging.zygote import Limits, Report

__all__ = ["Outcome", "Sandbox", "SandboxUnavailable"]

_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one picture: either `ok`, or `failure` (a sentence for people) with its `reason`.

    `peak_memory_bytes` is the most memory that the child held, 0 when none was needed to refuse.
    """

    ok: Rendered | None
    failure: str | None
    reason: Reason | None
    peak_memory_bytes: int
    seconds: float


class Sandbox:
    """Renders pictures in confined children, one at a time; make one sandbox for each worker thread.

    `memory_bytes` bounds a child's address space, `cpu_seconds` its processor time, `wall_seconds` its life.
    """

    def __init__(
        self, *, memory_bytes: int, cpu_seconds: int, wall_seconds: float, max_pixels: int, max_frames: int
    ) -> None:
        self._limits = Limits(memory_bytes, cpu_seconds, wall_seconds, max_pixels, max_frames)
        self._nursery = Nursery(json.dumps(asdict(self._limits)), patience_seconds=wall_seconds)
        self._one_at_a_time = threading.Lock()

    def render(self, source_path: Path, out_dir: Path) -> Outcome:
        """Make the variants of one picture as files in `out_dir`, named `Target.file_name`, mode 0600.

        Whatever the picture does is an `Outcome`; a failed one leaves no variants behind. Raises `OSError` when the
        source cannot be opened or the variants cannot be created, and `SandboxUnavailable` when no child can be had or
        the disk is full: that is not the picture's fault, and later may be better.
        """
        started = time.monotonic()
        peak = 0
        with self._one_at_a_time, contextlib.ExitStack() as files:
            source = _open_source(source_path)
            files.callback(os.close, source)
            try:
                kind = identify(os.pread(source, HEAD_BYTES, 0))
            except Unsupported as unsupported:
                seconds = time.monotonic() - started
                return Outcome(None, unsupported.sentence, Reason.UNSUPPORTED, 0, seconds)
            try:
                rendered, peak = self._render(source, kind, out_dir)
            except _Failed as failed:
                return self._failure(failed, time.monotonic() - started)
            return Outcome(rendered, None, None, peak, time.monotonic() - started)

    def close(self) -> None:
        """End the zygote; may be called twice. A later `render` would start a new one."""
        with self._one_at_a_time:
            self._nursery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _render(self, source: int, kind: Kind, out_dir: Path) -> tuple[Rendered, int]:
        """Render, or raise `_Failed` with all variants taken away again."""
        try:
            report = self._report(source, kind, out_dir)
            return self._believe(report, kind, out_dir), report.peak_memory_bytes
        except BaseException:
            for target in TARGETS:
                (out_dir / target.file_name).unlink(missing_ok=True)
            raise

    def _report(self, source: int, kind: Kind, out_dir: Path) -> Report:
        """Have a child render; once more when it or the zygote was killed from outside, which no picture does."""
        report: Report | None = None
        for _ in range(_ATTEMPTS):
            os.lseek(source, 0, os.SEEK_SET)
            with contextlib.ExitStack() as files:
                sinks = [_create(out_dir / target.file_name) for target in TARGETS]
                for sink in sinks:
                    files.callback(os.close, sink)
                try:
                    report = self._nursery.ask(kind.format, [source, *sinks])
                except ZygoteLost:
                    continue
            if report.answer or report.is_timed_out or report.signal != signal.SIGKILL:
                return report
        if report is None:
            raise _Failed(Reason.CRASHED, 0)
        return report

    def _believe(self, report: Report, kind: Kind, out_dir: Path) -> Rendered:
        """What the child made, if its words and its files hold; raises `_Failed` else."""
        try:
            if report.is_timed_out or not report.answer:
                raise Refused(_reason_of_death(report))
            limits = self._limits
            line = report.answer.encode("ascii", "replace")
            rendered = wire.read_answer(line, kind, max_pixels=limits.max_pixels, max_frames=limits.max_frames)
            for variant in rendered.variants:
                with (out_dir / variant.file_name).open("rb") as file:
                    if webp.measure(file) != (variant.width, variant.height) or file.tell() != variant.size_bytes:
                        raise Refused(Reason.CRASHED)
        except Refused as refused:
            raise _Failed(refused.reason, report.peak_memory_bytes) from refused
        except wire.Unwritten as unwritten:
            raise SandboxUnavailable("the variants could not be written: is the disk full?") from unwritten
        except ValueError as error:
            raise _Failed(Reason.CRASHED, report.peak_memory_bytes) from error
        return rendered

    def _failure(self, failed: "_Failed", seconds: float) -> Outcome:
        words = sentence(failed.reason, max_pixels=self._limits.max_pixels, max_frames=self._limits.max_frames)
        return Outcome(None, words, failed.reason, failed.peak_memory_bytes, seconds)


class _Failed(Exception):
    def __init__(self, reason: Reason, peak_memory_bytes: int) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.peak_memory_bytes = peak_memory_bytes


def _reason_of_death(report: Report) -> Reason:
    if report.is_timed_out or report.signal == signal.SIGXCPU:
        return Reason.TOO_SLOW
    # Twice killed, and not by us: that is how a system short of memory defends itself.
    return Reason.TOO_MUCH_MEMORY if report.signal == signal.SIGKILL else Reason.CRASHED


def _open_source(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
