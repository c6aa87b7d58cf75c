"""`manage.py run` as a person meets it: ready, set up once, ended by Ctrl-C without a trace, quick the second time."""

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.live.commands import manage
from tests.live.processes import descendants
from tests.live.server import eventually, running

SETUP = re.compile(
    r"This vault is empty\. Set it up here, once: (http://127\.0\.0\.1:[0-9]+)(/setup/[A-Za-z0-9_-]{43})\n"
)


def test_an_empty_vault_prints_its_setup_address_once_and_it_works_once(home: Path) -> None:
    with running(home, "--no-worker") as vault:
        eventually(lambda: len(vault.printed) == 2)
        found = SETUP.fullmatch(vault.printed[1])
        assert found is not None, vault.printed
        assert found[1] == f"http://127.0.0.1:{vault.port}"
        person = vault.client()
        form = {"email": "anna@example.org", "name": "Anna", "password": "a walk by the river"}
        assert person.post(found[2], form).status == 302
        assert person.get("/").status == 200
        assert vault.client().post(found[2], form).status == 403
        assert vault.end(signal.SIGINT) == 0
    with running(home, "--no-worker") as again:
        assert again.client().get("/sign-in").status == 200
        assert again.end(signal.SIGINT) == 0
        again.clear_away()
        assert len(again.printed) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end_nothing_is_left_and_no_traceback_said(home: Path, number: signal.Signals) -> None:
    with running(home, "--web-workers", "2") as vault:
        eventually(lambda: len(vault.web_processes()) == 2 and len(vault.workers()) == 1)
        everybody = [vault.process.pid, *descendants(vault.process.pid)]
        assert vault.client().get("/sign-in").status == 200

        assert vault.end(number) == 0

        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in everybody))
        assert "Traceback" not in vault.said()


def test_a_second_start_is_ready_again(home: Path) -> None:
    seconds = []
    for _ in range(2):
        with running(home) as vault:
            assert vault.client().get("/healthz").body == b"ok\n"
            assert vault.client().get("/readyz").status == 200
            seconds.append(vault.start_seconds)
            assert vault.end(signal.SIGINT) == 0
    print(f"ready after {seconds[0]:.1f} s, and after {seconds[1]:.1f} s the second time")  # noqa: T201  # figures


def test_what_it_makes_only_its_owner_can_read(home: Path) -> None:
    with running(home, VAULT_SECRET_KEY="") as vault:
        assert vault.client().get("/readyz").status == 200
    for path in [home, *home.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


REFUSALS = {
    "a short secret": ({"VAULT_SECRET_KEY": "short"}, "VAULT_SECRET_KEY is shorter than 32 characters"),
    "a well-known secret": (
        {"VAULT_SECRET_KEY": "changeme-changeme-changeme-0123456789"},
        "VAULT_SECRET_KEY is easy to guess; remove the setting and the vault makes a good one",
    ),
    "a secret of one letter": (
        {"VAULT_SECRET_KEY": "a" * 64},
        "VAULT_SECRET_KEY is easy to guess; remove the setting and the vault makes a good one",
    ),
    "an odd origin": ({"VAULT_ORIGIN": "photos"}, "VAULT_ORIGIN is not an address like https://photos.example.org"),
    "an origin of half an address": (
        {"VAULT_ORIGIN": "http://["},
        "VAULT_ORIGIN is not an address like https://photos.example.org",
    ),
    "an odd delivery": ({"VAULT_DELIVERY": "mail"}, "VAULT_DELIVERY is neither 'direct' nor 'x-accel'"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_it_refuses_to_start_with_one_clear_line(home: Path, case: str) -> None:
    variables, line = REFUSALS[case]

    assert said(manage(home, "run", "--port", "0", environ=variables)) == (1, "", f"{line}\n")


@pytest.mark.parametrize("name", ["secret_key", "vault.env"])
def test_it_refuses_secrets_that_others_can_read(home: Path, name: str) -> None:
    (home / name).write_text("")
    (home / name).chmod(0o644)

    expected = f"{name} can be read by others on this machine: chmod 600 it\n"
    assert said(manage(home, "run", "--port", "0")) == (1, "", expected)


def test_it_refuses_to_start_on_an_old_database(tmp_path: Path) -> None:
    home = tmp_path / "home"
    refusal = (1, "", "the database is not up to date: run `manage.py migrate` first\n")
    for command in (["run", "--port", "0"], ["worker"], ["fsck"]):
        assert said(manage(home, *command)) == refusal


def test_a_vault_that_others_run_at_the_same_port_is_one_line(home: Path) -> None:
    with running(home, "--no-worker") as vault:
        done = manage(home, "run", "--port", str(vault.port))
        expected = f"Cannot listen on 127.0.0.1, port {vault.port}: Address already in use\n"
        assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)


def said(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr
