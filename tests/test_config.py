"""Settings: what starts, what is refused with which sentence, and where the secret comes from."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vault.config import BOUNDS, Settings, SettingsError, load, weaknesses

GOOD = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the vault a home of its own and nothing else from the environment."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("VAULT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("VAULT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def restored() -> object:
    """Undo what reading `vault.env` left in the environment."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def problems(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    """Return what is said against settings."""
    for name, value in values.items():
        monkeypatch.setenv(f"VAULT_{name.upper()}", value)
    with pytest.raises(SettingsError) as refusal:
        load()
    return refusal.value.problems


def test_nothing_set_makes_a_home_with_a_good_secret_that_stays(home: Path) -> None:
    first = load()

    assert load() == first
    assert weaknesses(first.secret_keys[0]) == []
    assert (home.stat().st_mode & 0o777, (home / "secret_key").stat().st_mode & 0o777) == (0o700, 0o600)
    assert [path.name for path in home.iterdir()] == ["secret_key"]
    assert first.database_url == f"sqlite:///{home}/vault.db"
    assert first.storage_url == f"file://{home}/blobs"
    assert (first.origin, first.host, first.is_loopback_http) == ("http://127.0.0.1:8000", "127.0.0.1", True)


def test_two_that_start_at_the_same_moment_have_the_same_secret() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({settings.secret_keys for settings in pool.map(lambda _: load(), range(8))}) == 1


@pytest.mark.parametrize("kept", ["", "\n", "short", "a" * 64, "changeme" * 8, "\0" * 64])
def test_a_kept_secret_that_is_damaged_refuses_to_start(home: Path, kept: str) -> None:
    home.mkdir()
    (home / "secret_key").write_text(kept)
    (home / "secret_key").chmod(0o600)

    with pytest.raises(SettingsError, match="secret_key is damaged"):
        load()


@pytest.mark.parametrize(
    "secret",
    ["x", "a" * 64, "short-but-random-8f3a", "changeme" * 8, "my-secret-" + "0123456789abcdef" * 3, "password" * 10],
)
def test_a_weak_secret_refuses_to_start_and_is_not_said(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    (problem,) = problems(monkeypatch, secret_key=secret)

    assert "VAULT_SECRET_KEY" in problem
    assert secret not in problem


def test_one_weak_secret_among_good_ones_refuses_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(problems(monkeypatch, secret_key=f"{GOOD},weak")) == 1


def test_the_first_of_several_secrets_signs(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("VAULT_SECRET_KEY", f" {GOOD} , {GOOD[::-1]},")

    assert load().secret_keys == (GOOD, GOOD[::-1])
    assert not (home / "secret_key").exists()


def test_every_problem_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = problems(
        monkeypatch, secret_key="weak", origin="ftp://x", delivery="pigeon", trash_days="many", worker_threads="0"
    )

    assert len(said) == 5
    for name in ("SECRET_KEY", "ORIGIN", "DELIVERY", "TRASH_DAYS", "WORKER_THREADS"):
        assert any(name in problem for problem in said), name


@pytest.mark.parametrize(
    "origin",
    [
        "photos.example.org",
        "https://",
        "https://photos.example.org/vault",
        "https://photos.example.org?x=1",
        "https://me@photos.example.org",
        "https://[::1",
        "https://x:99999",
        "javascript:alert(1)",
        "http://photos.example.org",
        "http://192.168.1.5:8000",
    ],
)
def test_an_origin_that_cannot_serve_is_refused(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    (problem,) = problems(monkeypatch, origin=origin)

    assert problem.startswith("VAULT_ORIGIN")


@pytest.mark.parametrize("name", BOUNDS)
def test_every_number_keeps_within_its_bounds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    least, greatest = BOUNDS[name]
    monkeypatch.setenv(f"VAULT_{name.upper()}", str(least))
    assert getattr(load(), name) == least
    for value in (str(least - 1), "1e3", "x", "1.5", "-", *([str(greatest + 1)] if greatest else [])):
        assert len(problems(monkeypatch, **{name: value})) == 1, value


@pytest.mark.parametrize("name", ["vault.env", "secret_key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_secrets_that_others_can_read_refuse_to_start(home: Path, name: str, mode: int) -> None:
    load()
    (home / "vault.env").touch(0o600)
    (home / name).chmod(mode)

    with pytest.raises(SettingsError, match=f"{name} can be read by others"):
        load()


def test_the_environment_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    (home / "vault.env").write_text("VAULT_TRASH_DAYS=5\nVAULT_SESSION_DAYS=6\n")
    (home / "vault.env").chmod(0o600)
    monkeypatch.setenv("VAULT_SESSION_DAYS", "7")

    assert (load().trash_days, load().session_days) == (5, 7)


def test_settings_do_not_say_their_secrets_and_do_not_change() -> None:
    settings = Settings(home=Path("/x"), secret_keys=(GOOD,), database_url="postgresql://me:hunter2@host/db")

    assert GOOD not in repr(settings)
    assert "hunter2" not in repr(settings)
    with pytest.raises(AttributeError):
        setattr(settings, "origin", "https://evil.example")  # noqa: B010  # mypy would refuse the plain way, too


def test_only_loopback_http_goes_without_secure_cookies() -> None:
    def is_loopback(origin: str) -> bool:
        return Settings(home=Path("/x"), secret_keys=(GOOD,), origin=origin).is_loopback_http

    assert all(map(is_loopback, ("http://127.0.0.1:8000", "http://localhost", "http://[::1]:80")))
    assert not any(
        map(is_loopback, ("https://127.0.0.1", "http://127.0.0.1.example.org", "https://photos.example.org"))
    )
