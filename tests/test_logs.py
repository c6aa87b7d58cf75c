"""A log is lines of JSON, whatever a fault carries; on standard error as in the file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from vault import logs


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Write the log as a running vault does; return its file."""
    logs.configure(tmp_path)
    configured = structlog.get_config()
    structlog.configure(cache_logger_on_first_use=False)
    yield tmp_path / "logs" / "vault.log"
    structlog.reset_defaults()
    configured["logger_factory"]._file.close()  # noqa: SLF001  # nobody else holds it


def test_a_fault_is_one_line_whatever_it_carries(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().error("fault", exc_info=RuntimeError('\n{"event": "forged"}\n'))

    for written in (log.read_text(), capsys.readouterr().err):
        said = [json.loads(line) for line in written.splitlines()]
        assert [line["event"] for line in said] == ["fault"]
        assert "RuntimeError" in said[0]["exception"]


def test_what_is_no_trouble_is_not_said_aloud(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("request")

    assert capsys.readouterr().err == ""
    assert json.loads(log.read_text())["event"] == "request"
