"""A shorter sweep of `python -m tests.live.faults`: what a failing system leaves behind is whole, or goes away."""

import shutil
import subprocess
import sys

import pytest

from tests.conftest import missing
from tests.live.commands import ROOT
from tests.live.fault_deeds import DEEDS

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600)]


@pytest.mark.parametrize("deed", [deed.name for deed in DEEDS])
def test_whatever_call_fails_or_is_the_last_the_invariants_hold(deed: str) -> None:
    if shutil.which("strace") is None:
        missing("strace")
    # A process without threads of its own, which may be forked for every run.
    command = [sys.executable, "-m", "tests.live.faults", "--short", deed]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=590)
    print(done.stdout)  # noqa: T201  # the figures that `pytest -s` shows

    assert (done.returncode, done.stderr) == (0, "")
    assert " killed, " in done.stdout
    assert "; 0 wrong" in done.stdout
