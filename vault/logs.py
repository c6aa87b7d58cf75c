"""How the vault writes logs: one event, one line of JSON, so that nobody can begin a line of his own.

A fault's trace stays inside the line too, with its line ends escaped: it may hold what a stranger sent.

Floor 0. Everything goes to `logs/vault.log` in the home; faults and warnings are shown on standard error, too.
"""

import logging
import sys
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LARGEST_BYTES = 50 * 1024 * 1024
LOUD = ("warning", "error", "critical")


def configure(home: Path | None = None) -> None:
    """Set up logging for a process and its forks; without a home only standard error is written to."""
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        *([_aloud] if home else []),
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=_file(home) if home else sys.stderr),
        cache_logger_on_first_use=True,
    )


def _file(home: Path) -> TextIO:
    """Open the log for appending: whole lines of several processes do not mix. A large one is set aside first."""
    folder = home / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "vault.log"
    if path.exists() and path.stat().st_size > LARGEST_BYTES:
        path.replace(folder / "vault.log.1")
    path.touch(mode=0o600)
    return path.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")


def _aloud(_logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    if level in LOUD:
        sys.stderr.write(f"{structlog.processors.JSONRenderer()(None, level, dict(event))!s}\n")
    return event
