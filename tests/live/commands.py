"""Commands of manage.py as processes of their own, each a copy of one that has imported everything already.

A start of Python with all of the vault takes seconds, and there are a hundred commands to try.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND_SECONDS = 100
# Cheap passwords, so that a test waits for the vault and not for argon2.
CHEAP = {"VAULT_PASSWORD_MEMORY_KIB": "8192", "VAULT_PASSWORD_ROUNDS": "1"}

COPIER = """
import json, os, signal, sys, traceback
from vault.app import create_app
from vault.cli import main
from vault.serve import serve

def be(asked):
    signal.alarm(asked["seconds"])
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
    sys.stdin, sys.stdout = open(0), open(1, "w")
    sys.stderr = open(2, "w", errors="backslashreplace")
    sys.argv = asked["arguments"]
    try:
        main(create_app, serve)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        be(json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a vault in a home, without anything of this machine's own vault."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
    return {**clean, **CHEAP, "VAULT_HOME": str(home), "NO_COLOR": "1", **more}


def manage(
    home: Path, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py to its end, without a terminal."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "stdin").write_text(stdin)
        asked = {
            "folder": folder,
            "arguments": [str(ROOT / "manage.py"), *arguments],
            "environ": environment(home, **(environ or {})),
            "seconds": COMMAND_SECONDS,
        }
        status = _copier().run(json.dumps(asked))
        out, err = ((Path(folder) / name).read_text(errors="replace") for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(list(arguments), status, out, err)


class _Copier:
    def __init__(self) -> None:
        self._turn = threading.Lock()
        command = [sys.executable, "-c", COPIER]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self._close)

    def run(self, asked: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(f"{asked}\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def _close(self) -> None:
        self._process.communicate()


@cache
def _copier() -> _Copier:
    return _Copier()
