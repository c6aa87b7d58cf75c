"""The process from which decoding children are forked: everything is loaded once, and nothing is known.

Floor 0. Runs alone, in its own process, with no environment to speak of; talks to `vault.imaging.sandbox` over one
socket, and forks one confined child per picture. It opens no picture itself.
"""

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from dataclasses import asdict
from typing import BinaryIO, Final, NoReturn

from PIL import AvifImagePlugin, MpoImagePlugin

from vault.imaging import confine, warming, wire
from vault.imaging.identify import Kind, has_films
from vault.imaging.kinds import HEIFS
from vault.imaging.lending import READY, Limits, Report
from vault.imaging.playing import Play
from vault.imaging.refusals import Reason, Refused
from vault.imaging.remake import Order, remake
from vault.imaging.render import TARGETS, render

if has_films():
    from vault.imaging import film, filmwarming, rendition

_PARENT_CHECK_SECONDS: Final = 2.0
# Pillow loads these only when a picture asks for them; a confined child cannot load anything.
_LOADED_BEFOREHAND: Final = (AvifImagePlugin, MpoImagePlugin)


def main(control_fd: int, limits_json: str) -> None:
    """Serve until the other end of the socket closes or the parent is gone."""
    limits = Limits(**json.loads(limits_json))
    # Threads would not survive the fork, and confined children may start none.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    _warm_up()
    os.nice(limits.niceness)
    parent_pid = os.getppid()
    confine.become_nobody()
    _be_quiet()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=control_fd) as control:
        control.sendall(READY)
        while (request := _next_request(control, parent_pid)) is not None:
            work, descriptors = request
            report = _serve(control, work, descriptors, limits, parent_pid)
            control.sendall(json.dumps(asdict(report)).encode() + b"\n")


def _warm_up() -> None:
    """Take every path once, so that whatever is loaded on first use is loaded now."""
    warming.warm_up()
    if has_films():
        filmwarming.warm_up()


def _be_quiet() -> None:
    """Codecs print what a stranger's file makes them print; nobody shall have to read it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.close(nothing)


_Work = tuple[Kind, Order | Play | None]


def _next_request(control: socket.socket, parent_pid: int) -> tuple[_Work, list[int]] | None:
    while not select.select([control], [], [], _PARENT_CHECK_SECONDS)[0]:
        if os.getppid() != parent_pid:
            return None
    # One short line is never split: the parent sends the next only after the answer to this.
    line, descriptors, _, _ = socket.recv_fds(control, wire.MAX_REQUEST_BYTES, 1 + len(TARGETS))
    return (wire.read_request(line), list(descriptors)) if line else None


def _serve(control: socket.socket, work: _Work, descriptors: list[int], limits: Limits, parent_pid: int) -> Report:
    """Fork a child for one picture and wait until it has answered, died, or lived too long."""
    ends, says = os.pipe()
    zygote_pid = os.getpid()
    child_pid = os.fork()
    if child_pid == 0:
        control.close()
        os.close(ends)
        _child(work, descriptors, says, limits, zygote_pid)
    for descriptor in (says, *descriptors):
        os.close(descriptor)
    with contextlib.suppress(OSError):
        # The child does the same; whoever comes first, the group exists before anybody kills it.
        os.setpgid(child_pid, child_pid)
    answer, is_timed_out = _listen(ends, control, limits.wall_seconds, parent_pid)
    os.close(ends)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # Not yet waited for, so the number cannot have passed on to another process.
        os.killpg(child_pid, signal.SIGKILL)
    _, status, usage = os.wait4(child_pid, 0)
    peak = usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Report(answer.decode("ascii", "replace"), ended_by, is_timed_out, peak)


def _listen(ends: int, control: socket.socket, wall_seconds: float, parent_pid: int) -> tuple[bytes, bool]:
    """Read what the child says until it falls silent for good; and whether its time passed first."""
    deadline = time.monotonic() + wall_seconds
    heard = b""
    while len(heard) <= wire.MAX_ANSWER_BYTES:
        left = deadline - time.monotonic()
        if left <= 0:
            return heard, True
        ready, _, _ = select.select([ends, control.fileno()], [], [], min(left, _PARENT_CHECK_SECONDS))
        if control.fileno() in ready or os.getppid() != parent_pid:
            # The parent says nothing before it has its answer: it is gone, and so shall be the child.
            return b"", True
        if ends in ready:
            part = os.read(ends, wire.MAX_ANSWER_BYTES)
            if not part:
                break
            heard += part
    return heard, False


def _child(work: _Work, descriptors: list[int], says: int, limits: Limits, zygote_pid: int) -> NoReturn:
    """Decode one picture, say what became of it, and end without looking back."""
    code = 1
    try:
        gc.disable()
        os.setpgid(0, 0)
        confine.confine(
            memory_bytes=limits.memory_bytes,
            cpu_seconds=limits.cpu_seconds,
            parent_pid=zygote_pid,
            output_bytes=limits.output_bytes,
            needs_threads=work[0] in HEIFS,
        )
        files = [os.fdopen(descriptor, "rb" if at == 0 else "wb") for at, descriptor in enumerate(descriptors)]
        os.write(says, _decode(work, files[0], files[1:], limits))
        code = 0
    finally:
        # Not `sys.exit`: this process is a copy, and the original's clean-up is not its business.
        os._exit(code)


def _decode(work: _Work, source: BinaryIO, sinks: list[BinaryIO], limits: Limits) -> bytes:
    kind, order = work
    bounds = {"max_pixels": limits.max_pixels, "max_frames": limits.max_frames}
    try:
        if isinstance(order, Play):
            said = wire.write_played(rendition.play(source, kind, sinks[0], order, max_pixels=limits.max_pixels))
        elif order is not None:
            said = wire.write_made(remake(source, kind, sinks[0], order, **bounds))
        else:
            named = {target.name: sink for target, sink in zip(TARGETS, sinks, strict=True)}
            if kind.is_film:
                rendered = film.render(source, kind, named, max_pixels=limits.max_pixels)
            else:
                rendered = render(source, kind, named, **bounds)
            said = wire.write_rendered(rendered)
        for sink in sinks:
            sink.flush()
    except OSError:
        return wire.UNWRITTEN
    except Refused as refused:
        return wire.write_refusal(refused.reason)
    except MemoryError:
        return wire.write_refusal(Reason.TOO_MUCH_MEMORY)
    return said
