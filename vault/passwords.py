"""Passwords: what is acceptable, how they are hashed, and that hashing cannot be used to exhaust the machine.

Floor 0: knows argon2 and threads, no person.
"""

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
LONGEST_BYTES = 1024
# argon2id takes 64 MiB and a tenth of a second by default; more than two at a time only queue for the same cores.
AT_ONCE = 2
PATIENCE_SECONDS = 10.0
# Without those that sound or look like others.
CONSONANTS, VOWELS = "bdfghklmnprstvwz", "aeiou"


class UnacceptablePassword(Exception):
    """The password is too weak; the text says why."""


class TooBusy(Exception):
    """Too many passwords are being checked at this moment; try again in `retry_after_seconds`."""

    retry_after_seconds = 5


class Passwords:
    """Hashes and checks with argon2id (RFC 9106), at most two at a time in a process."""

    def __init__(self, *, memory_kib: int, rounds: int) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = ""

    def hash(self, password: str, *, about: tuple[str, ...] = (), shortest: int = SHORTEST) -> str:
        """Return the hash of a new password. Raises UnacceptablePassword.

        `about` are words it must not consist of, `shortest` how many characters it has at least.
        """
        _accept(password, about, shortest)
        with self._a_turn():
            return self._hasher.hash(password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Compare; the same effort for a person who does not exist or has no password yet (ASVS 5.0, 6.3.8)."""
        if not 0 < _bytes(password) <= LONGEST_BYTES:
            return False
        with self._a_turn():
            try:
                self._hasher.verify(password_hash or self._of_nobody(), password)
            except (VerificationError, InvalidHashError):
                return False
        return bool(password_hash)

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the settings ask for more effort than this hash was made with."""
        return self._hasher.check_needs_rehash(password_hash)

    def _of_nobody(self) -> str:
        if not self._nobody:
            self._nobody = self._hasher.hash("a password that opens nothing")
        return self._nobody

    def _a_turn(self) -> "_Turn":
        return _Turn(self._turn)


def suggested() -> str:
    """Return a password that can be told on the telephone: 44 random bits in syllables and two digits."""
    words = ["".join(secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(2)) for _ in range(3)]
    return "-".join([*words, f"{secrets.randbelow(90) + 10}"])


class _Turn:
    def __init__(self, semaphore: threading.BoundedSemaphore) -> None:
        self._semaphore = semaphore

    def __enter__(self) -> None:
        if not self._semaphore.acquire(timeout=PATIENCE_SECONDS):
            raise TooBusy

    def __exit__(self, *_: object) -> None:
        self._semaphore.release()


def _accept(password: str, about: tuple[str, ...], shortest: int) -> None:
    if len(password) < shortest:
        raise UnacceptablePassword(f"Please use at least {shortest} characters; a short sentence is easy to remember.")
    if not _bytes(password) <= LONGEST_BYTES:
        raise UnacceptablePassword(f"Please use ordinary characters, and at most {LONGEST_BYTES} bytes of them.")
    if len(set(password)) < shortest // 2 or _is_made_of(password.lower(), about, shortest // 2):
        raise UnacceptablePassword("That one is easy to guess. A short sentence of your own is hard to guess.")


def _is_made_of(password: str, about: tuple[str, ...], least: int) -> bool:
    """Whether little is left once the person's own words and the commonest passwords are taken out."""
    for word in (
        *(part.lower() for part in about if len(part) > 2),
        "password",
        "qwertyuiop",
        "1234567890",
        "123456789",
        "vault",
    ):
        password = password.replace(word, "")
    return len(password) < least


def _bytes(password: str) -> int:
    """Return the length in UTF-8; beyond any limit for what is no text (a lone surrogate out of JSON)."""
    try:
        return len(password.encode())
    except UnicodeEncodeError:
        return LONGEST_BYTES + 1
