"""Fails or kills the k-th system call of a deed, for every k until none is left, and looks at what is there then.

`python -m tests.live.faults [--short] [deed[:fault,…] …]` prints a line for each deed. Every run is a fork of this
process on a fresh copy of the home: it stops itself before the deed, `strace` takes hold of it there, and so only the
deed's own calls are counted. Linux, with Debian's strace.
"""

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

from tests.factories import House
from tests.live.fault_deeds import DEEDS, Deed
from tests.live.server import looking_inside
from vault import leftovers
from vault.db import METADATA, db
from vault.services import inspection, maintenance

CALLS = ("fsync", "fdatasync", "rename", "pwrite64", "write", "unlink", "unlinkat", "rmdir")
FAULTS = {"killed": "signal=KILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
MOST_CALLS = 400
# SQLite writes page after page: for a short sweep, which tests can wait for, every so manieth of its writes will do.
SHORT = {"pwrite64": 23, "fdatasync": 3}
DONE, FAILED, WRONG = 0, 3, 4
UNTIDY = ("no row names it", "left behind")
# prctl(2): let any process of the same person trace this one, where the system lets only parents do so.
_PR_SET_PTRACER = 0x59616D61


class Fault(NamedTuple):
    """The k-th call of a name is failed in one of the ways of `FAULTS`."""

    call: str
    way: str
    k: int

    def __str__(self) -> str:
        """Say it as a line of the figures does."""
        return f"{self.way} at {self.call} {self.k}"


@dataclass
class Figures:
    """What was tried and what was wrong afterwards."""

    runs: int = 0
    killed: int = 0
    refused: int = 0
    acknowledged: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Say it in one line."""
        counts = ", ".join(f"{count} {call}" for call, count in self.calls.items() if count)
        return (
            f"{self.runs} faults ({counts}): {self.killed} killed, {self.refused} refused, "
            f"{self.acknowledged} acknowledged all the same; {len(self.wrong)} wrong"
        )


def sweep(
    folder: Path, template: Path, deed: Deed, faults: Iterable[str] = FAULTS, *, stride: Mapping[str, int] | None = None
) -> Figures:
    """Interrupt a deed at every one of its calls, in copies of a home that is made from an empty database.

    With a `stride` only every so many of a call are interrupted.
    """
    figures = Figures()
    figures.wrong += _in_a_fork(lambda: _inside(template, deed.prepare))
    for call, way in product(CALLS, faults):
        for k in range(1, MOST_CALLS, (stride or {}).get(call, 1)):
            if not _interrupted(folder, template, deed, Fault(call, way, k), figures):
                break
            figures.calls[call] = max(figures.calls.get(call, 0), k)
        else:
            figures.wrong.append(f"{deed.name}: no end of {call}")
    return figures


def _interrupted(folder: Path, template: Path, deed: Deed, fault: Fault, figures: Figures) -> bool:
    home = folder / "home"
    shutil.copytree(template, home)
    try:
        return _run(home, deed, fault, figures)
    finally:
        shutil.rmtree(home)


def _run(home: Path, deed: Deed, fault: Fault, figures: Figures) -> bool:
    """Do the deed once, with that fault. Return whether there was a call to fail."""
    where = f"{deed.name}: {fault}"
    status, happened = _traced(home, deed, fault)
    if happened:
        figures.runs += 1
        figures.killed += status == -signal.SIGKILL
        figures.refused += status == FAILED
        figures.acknowledged += status == DONE
    elif status != DONE:
        figures.wrong.append(f"{where}: without a fault it ended with {status}")
    said = _in_a_fork(lambda: _inside(home, lambda house: _judge(house, deed, acknowledged=status == DONE)))
    figures.wrong += [f"{where}: {line}" for line in said]
    return happened


def _traced(home: Path, deed: Deed, fault: Fault) -> tuple[int, bool]:
    """Do the deed in a fork under `strace`. Return how it ended, and whether the fault happened."""
    child = os.fork()
    if child == 0:
        _be(home, deed)
    _await_stop(child)
    log = home.parent / "strace.log"
    inject = f"inject={fault.call}:{FAULTS[fault.way]}:when={fault.k}"
    command = [
        "strace",
        "-f",
        "-qq",
        "-e",
        f"trace={fault.call}",
        "-e",
        "signal=none",
        "-e",
        inject,
        "-o",
        str(log),
        "-p",
    ]
    with subprocess.Popen([*command, str(child)], stderr=subprocess.PIPE, text=True) as tracer:
        while not _is_traced(child):
            if tracer.poll() is not None:
                os.kill(child, signal.SIGKILL)
                raise AssertionError(f"strace could not take hold: {tracer.stderr.read() if tracer.stderr else ''}")
        os.kill(child, signal.SIGCONT)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, "INJECTED" in log.read_text(errors="replace") or status == -signal.SIGKILL


def _be(home: Path, deed: Deed) -> None:
    """Be the process that does the deed, from the moment at which it is traced."""
    code = WRONG
    try:
        with suppress(AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
        with looking_inside(home) as house:
            house.vault.storage.free_bytes()
            os.kill(os.getpid(), signal.SIGSTOP)
            try:
                deed.do(house)
                code = DONE
            except Exception:  # noqa: BLE001  # whatever a failing system makes of it is a refusal
                code = FAILED
            os._exit(code)
    finally:
        os._exit(code)


def _judge(house: House, deed: Deed, *, acknowledged: bool) -> list[str]:
    """Say what is wrong now, and what is still wrong once the deed was done again and everything was swept."""
    found = inspection.inspect(house.vault, read_data=True).problems
    if deed.begins_untidy:
        found = [line for line in found if not line.endswith(UNTIDY)]
    if acknowledged and not deed.kept(house):
        found.append("it was acknowledged, and is not so")
    deed.do(house)
    if not deed.kept(house):
        found.append("done again, it is still not so")
    maintenance.sweep(house.vault, grace=timedelta(0))
    storage = house.vault.storage
    found += [f"left behind: {key}" for key in leftovers.unnamed(storage, storage.keys(), grace=timedelta(0))]
    found += [f"left behind: {path.name}" for path, _ in storage.temporaries()]
    return found + [f"afterwards: {line}" for line in inspection.inspect(house.vault, read_data=True).problems]


def _inside(home: Path, deed: Callable[[House], object]) -> list[str]:
    with looking_inside(home) as house:
        said = deed(house)
    return said if isinstance(said, list) else []


def _in_a_fork(deed: Callable[[], list[str]]) -> list[str]:
    """Do something in a process of its own, so that no run inherits a connection; return the lines that it says."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = deed()
        except BaseException:  # noqa: BLE001  # it ends here either way, and has to say why
            said = [traceback.format_exc(limit=-2)]
        os.write(writer, "\0".join(said).encode()[:60_000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as lines:
        said = [line for line in lines.read().split("\0") if line]
    os.waitpid(child, 0)
    return said


def _await_stop(child: int) -> None:
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise AssertionError("the deed ended before it began")


def _is_traced(child: int) -> bool:
    for line in Path(f"/proc/{child}/status").read_text().splitlines():
        if line.startswith("TracerPid:"):
            return line.split()[1] != "0"
    return False


def main(names: list[str]) -> int:
    """Sweep the deeds of these names, or all; `name:killed,EIO` only with those faults. Return 0 if all is well."""
    # What the vault logs of a failing system is not what is looked at here.
    logging.disable()
    is_short = "--short" in names
    chosen = {name: faults for name, _, faults in (each.partition(":") for each in names if each != "--short")}
    wrong = 0
    for deed in DEEDS:
        if chosen and deed.name not in chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="vault-faults-") as folder:
            template = new_template(Path(folder))
            figures = sweep(
                Path(folder),
                template,
                deed,
                (chosen.get(deed.name) or ",".join(FAULTS)).split(","),
                stride={**SHORT, **deed.short} if is_short else None,
            )
        print(f"{deed.name}: {figures}", *figures.wrong, sep="\n  ", flush=True)  # noqa: T201  # this is what the command is for
        wrong += len(figures.wrong)
    return 1 if wrong else 0


def new_template(folder: Path) -> Path:
    """Make the home that deeds are prepared in."""
    template = folder / "template"
    template.mkdir(mode=0o700)
    # In a fork, because only forks may open the database.
    said = _in_a_fork(lambda: _inside(template, lambda _house: METADATA.create_all(db.engine)))
    if said:
        raise AssertionError(said)
    return template


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
