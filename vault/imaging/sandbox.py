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
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from vault.imaging import boxes, webp, wire
from vault.imaging.confine import MAX_OUTPUT_BYTES
from vault.imaging.cut import Uncuttable, cut
from vault.imaging.identify import HEAD_BYTES, WEBP, Kind, Unsupported, identify
from vault.imaging.lending import Limits, Report
from vault.imaging.nursery import Nursery, SandboxUnavailable, ZygoteLost
from vault.imaging.playing import Play, Played
from vault.imaging.refusals import Reason, Refused, film_sentence, sentence
from vault.imaging.remake import Made, Order
from vault.imaging.render import PREVIEW, TARGETS, Rendered

__all__ = ["Outcome", "Sandbox", "SandboxUnavailable", "Unmakeable"]

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


class Unmakeable(Exception):
    """Nothing can be made of a picture, for the given reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Sandbox:
    """Renders pictures in confined children, one at a time; make one sandbox for each worker thread.

    `memory_bytes` bounds a child's address space, `cpu_seconds` its processor time, `wall_seconds` its life,
    `output_bytes` each file that it writes; `niceness`, 0 to 19, is how much it lets others go before.
    """

    def __init__(
        self,
        *,
        memory_bytes: int,
        cpu_seconds: int,
        wall_seconds: float,
        max_pixels: int,
        max_frames: int,
        output_bytes: int = MAX_OUTPUT_BYTES,
        niceness: int = 0,
    ) -> None:
        self._limits = Limits(memory_bytes, cpu_seconds, wall_seconds, max_pixels, max_frames, output_bytes, niceness)
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
                kind = _kind(source)
            except Unsupported as unsupported:
                seconds = time.monotonic() - started
                return Outcome(None, unsupported.sentence, Reason.UNSUPPORTED, 0, seconds)
            try:
                rendered, peak = self._render(source, kind, out_dir)
            except _Failed as failed:
                return self._failure(failed, time.monotonic() - started, is_film=kind.is_film)
            return Outcome(rendered, None, None, peak, time.monotonic() - started)

    def remake(self, source_path: Path, out_path: Path, order: Order) -> Made:
        """Make one picture anew as a file of mode 0600 at `out_path`.

        Raises `Unmakeable` for what the picture does, and then leaves no file; `OSError` and `SandboxUnavailable` as
        `render`.
        """
        with self._one_at_a_time, contextlib.ExitStack() as files:
            source = _open_source(source_path)
            files.callback(os.close, source)
            try:
                kind = _kind(source)
                report = self._report(source, wire.write_request(kind, order), [out_path])
                return self._believe_made(report, order, out_path)
            except BaseException as error:
                out_path.unlink(missing_ok=True)
                if isinstance(error, Unsupported):
                    raise Unmakeable(Reason.UNSUPPORTED) from error
                if isinstance(error, _Failed):
                    raise Unmakeable(error.reason) from error
                raise

    def play(self, source_path: Path, out_path: Path, order: Play) -> Played:
        """Make what browsers play of a video as a file of mode 0600 at `out_path`. Raises as `remake`."""
        with self._one_at_a_time, contextlib.ExitStack() as files:
            source = _open_source(source_path)
            files.callback(os.close, source)
            try:
                kind = identify(os.pread(source, HEAD_BYTES, order.offset))
                if not kind.is_film:
                    raise _Failed(Reason.UNSUPPORTED, 0)
                report = self._report(source, wire.write_request(kind, order), [out_path])
                return self._believe_played(report, out_path)
            except BaseException as error:
                out_path.unlink(missing_ok=True)
                if isinstance(error, Unsupported):
                    raise Unmakeable(Reason.UNSUPPORTED) from error
                if isinstance(error, _Failed):
                    raise Unmakeable(error.reason) from error
                raise

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
        paths = [out_dir / target.file_name for target in TARGETS]
        try:
            report = self._report(source, wire.write_request(kind, None), paths)
            return self._believe(report, kind, out_dir), report.peak_memory_bytes
        except BaseException:
            for path in paths:
                path.unlink(missing_ok=True)
            raise

    def _report(self, source: int, request: str, paths: list[Path]) -> Report:
        """Have a child work; once more when it or the zygote was killed from outside, which no picture does."""
        report: Report | None = None
        for _ in range(_ATTEMPTS):
            os.lseek(source, 0, os.SEEK_SET)
            with contextlib.ExitStack() as files:
                sinks = [_create(path) for path in paths]
                for sink in sinks:
                    files.callback(os.close, sink)
                try:
                    report = self._nursery.ask(request, [source, *sinks])
                except ZygoteLost:
                    continue
            if report.answer or report.is_timed_out or report.signal != signal.SIGKILL:
                return report
        if report is None:
            raise _Failed(Reason.CRASHED, 0)
        return report

    def _believe(self, report: Report, kind: Kind, out_dir: Path) -> Rendered:
        """What the child rendered, if its words and its files hold; raises `_Failed` else."""
        limits = self._limits
        with _doubting(report) as line:
            rendered = wire.read_answer(line, kind, max_pixels=limits.max_pixels, max_frames=limits.max_frames)
            for variant in rendered.variants:
                path, size = out_dir / variant.file_name, (variant.width, variant.height)
                # Of a picture that moves the preview may move too, and nothing else.
                most_frames = rendered.frames if variant.name == PREVIEW.name and not kind.is_film else 1
                _require_bare_webp(path, size, variant.size_bytes, most_frames=most_frames)
            return rendered

    def _believe_made(self, report: Report, order: Order, path: Path) -> Made:
        """What the child made of an order, if its words hold and the file has nothing in it but pixels."""
        with _doubting(report) as line:
            made = wire.read_made(line, order, max_pixels=self._limits.max_pixels)
            if made.kind is WEBP:
                _require_bare_webp(path, (made.width, made.height), made.size_bytes)
            else:
                _require_bare_file(path, made)
            return made

    def _believe_played(self, report: Report, path: Path) -> Played:
        """What the child made for browsers, if its words hold and the file has nothing in it but pictures and sound."""
        limits = self._limits
        with _doubting(report) as line:
            played = wire.read_played(line, max_pixels=limits.max_pixels, max_bytes=limits.output_bytes)
            with path.open("rb") as file:
                boxes.require_bare(file, played.size_bytes)
            return played

    def _failure(self, failed: "_Failed", seconds: float, *, is_film: bool) -> Outcome:
        most = self._limits.max_pixels
        words = sentence(failed.reason, max_pixels=most, max_frames=self._limits.max_frames)
        if is_film:
            words = film_sentence(failed.reason, max_pixels=most)
        return Outcome(None, words, failed.reason, failed.peak_memory_bytes, seconds)


class _Failed(Exception):
    def __init__(self, reason: Reason, peak_memory_bytes: int) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.peak_memory_bytes = peak_memory_bytes


@contextlib.contextmanager
def _doubting(report: Report) -> Iterator[bytes]:
    """Lend the child's line to be looked at; raises `_Failed` when it, or what it speaks of, does not hold."""
    try:
        if report.is_timed_out or not report.answer:
            raise Refused(_reason_of_death(report))
        yield report.answer.encode("ascii", "replace")
    except Refused as refused:
        raise _Failed(refused.reason, report.peak_memory_bytes) from refused
    except wire.Unwritten as unwritten:
        raise SandboxUnavailable("what was made could not be written: is the disk full?") from unwritten
    except (ValueError, Uncuttable) as error:
        raise _Failed(Reason.CRASHED, report.peak_memory_bytes) from error


def _require_bare_webp(path: Path, size: tuple[int, int], size_bytes: int, *, most_frames: int = 1) -> None:
    with path.open("rb") as file:
        if webp.measure(file, most_frames=most_frames) != size or file.tell() != size_bytes:
            raise Refused(Reason.CRASHED)


def _require_bare_file(path: Path, made: Made) -> None:
    """Refuse a file out of which anything could be cut."""
    with path.open("rb") as file:
        if not cut(file, made.kind, "all").size_bytes == made.size_bytes == os.fstat(file.fileno()).st_size:
            raise Refused(Reason.CRASHED)


def _reason_of_death(report: Report) -> Reason:
    if report.is_timed_out or report.signal == signal.SIGXCPU:
        return Reason.TOO_SLOW
    # Twice killed, and not by us: that is how a system short of memory defends itself.
    return Reason.TOO_MUCH_MEMORY if report.signal == signal.SIGKILL else Reason.CRASHED


def _kind(source: int) -> Kind:
    return identify(os.pread(source, HEAD_BYTES, 0), lambda offset, length: os.pread(source, length, offset))


def _open_source(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _create(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
