"""Passwords: what is taken, what hashing costs, and that it cannot be used to exhaust the machine."""

import threading
import time
from typing import Any

import pytest

from tests.factories import PASSWORD
from vault.passwords import AT_ONCE, Passwords, TooBusy, UnacceptablePassword


def test_at_most_two_passwords_are_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(memory_kib=8_192, rounds=1)
    known = passwords.hash(PASSWORD)
    running, most, guard = 0, 0, threading.Lock()
    hasher = type(passwords._hasher)  # noqa: SLF001  # where the effort is
    verify = hasher.verify

    def slow(self: Any, *values: str) -> bool:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with guard:
            running -= 1
        return verify(self, *values)

    monkeypatch.setattr(hasher, "verify", slow)
    threads = [threading.Thread(target=passwords.matches, args=(known, PASSWORD)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == AT_ONCE == 2


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(memory_kib=8_192, rounds=1)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "123456789",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "1234567890",
        "Password12",
        "qwertyuiop1",
        "anna@example.org",
        "AnnaSmith1",
        "x" * 1025,
        "a fine sentence \ud800 with half a character",
        "é" * 600,
    ],
)
def test_what_is_easy_to_guess_or_no_text_is_not_taken(passwords: Passwords, password: str) -> None:
    with pytest.raises(UnacceptablePassword):
        passwords.hash(password, about=("anna@example.org", "AnnaSmith"))


@pytest.mark.parametrize(
    "password", [PASSWORD, "pässwörter sind schön", "雨の日の散歩は静かでいい", "x1y2z3a4b5", " spaces kept "]
)
def test_a_password_is_kept_as_argon2id_and_recognised_exactly(passwords: Passwords, password: str) -> None:
    known = passwords.hash(password)

    assert known.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    assert passwords.hash(password) != known, "salted"
    assert passwords.matches(known, password)
    for other in (password + " ", password[:-1], password.upper(), password.title(), "", "\0", password + "\0"):
        assert other == password or not passwords.matches(known, other)


def test_nobodys_password_never_matches(passwords: Passwords) -> None:
    for known in (None, "", "unusable", "$argon2id$"):
        assert not passwords.matches(known, "a password that opens nothing")
        assert not passwords.matches(known, "")


def test_a_queue_that_does_not_move_is_refused(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.passwords.PATIENCE_SECONDS", 0.01)
    turn = passwords._turn  # noqa: SLF001  # as if two were being checked
    with turn, turn, pytest.raises(TooBusy):
        passwords.matches(None, PASSWORD)
    assert not passwords.matches(None, PASSWORD)


def test_more_effort_in_the_settings_makes_a_hash_outdated(passwords: Passwords) -> None:
    known = passwords.hash(PASSWORD)

    assert not passwords.is_outdated(known)
    assert Passwords(memory_kib=16_384, rounds=1).is_outdated(known)
    assert Passwords(memory_kib=8_192, rounds=2).is_outdated(known)
