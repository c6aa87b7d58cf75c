"""Sandboxes for tests, pictures that keep them busy, and what to look at afterwards."""

from pathlib import Path

from tests import pictures
from vault.imaging.refusals import Reason
from vault.imaging.sandbox import Outcome, Sandbox

MEBIBYTE = 1024 * 1024
# About a second of work, and hours of it.
SLOW = pictures.many_scans(200)
ENDLESS = pictures.many_scans(200_000)


def new_sandbox(*, memory_bytes: int = 512 * MEBIBYTE, cpu_seconds: int = 20, wall_seconds: float = 20.0) -> Sandbox:
    """A sandbox with limits that tests can reach."""
    return Sandbox(
        memory_bytes=memory_bytes,
        cpu_seconds=cpu_seconds,
        wall_seconds=wall_seconds,
        max_pixels=100_000_000,
        max_frames=1000,
    )


def names(folder: Path) -> list[str]:
    """The names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def emptied(folder: Path) -> Path:
    """The folder, with nothing left in it of what was tried before."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder


def put(folder: Path, body: bytes) -> Path:
    """A file named `source` with these bytes."""
    path = folder / "source"
    path.write_bytes(body)
    return path


def zygote_pid(sandbox: Sandbox) -> int:
    """The process that a test may kill."""
    process = sandbox._nursery._process  # noqa: SLF001 - tests kill what nobody else may reach
    assert process is not None
    return process.pid


def assert_failed(outcome: Outcome, reason: Reason, out_dir: Path) -> None:
    """The picture was refused for this reason, with a sentence, and left nothing behind."""
    assert outcome.reason is reason
    assert outcome.ok is None
    assert outcome.failure is not None
    assert outcome.failure.endswith(".")
    assert names(out_dir) == []
