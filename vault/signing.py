"""Signs and recognises what the vault hands out, with a key of its own for every purpose.

Floor 0: knows secrets and bytes, nothing of people, links or Flask.
"""

import base64
import hashlib
import hmac
import re
import secrets
from functools import lru_cache

# Part ids are made by `new_public_id`; a counter is what tells one address of a thing from its next.
TOKEN = re.compile(
    r"(?P<kid>[A-Za-z0-9_-]{6})\.(?P<subject>[A-Za-z0-9_-]{22})\.(?P<generation>0|[1-9][0-9]{0,8})\.(?P<mac>[A-Za-z0-9_-]{43})"
)
MOST_RECOGNISED = 4_096
LONGEST_TOKEN = 6 + 1 + 22 + 1 + 9 + 1 + 43


def new_public_id() -> str:
    """Make an opaque id: 128 random bits in 22 URL-safe characters. An id names a thing and grants nothing."""
    return secrets.token_urlsafe(16)


def new_secret() -> str:
    """Make a bearer secret: 256 random bits in 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what the vault keeps of a secret: SHA-256 in hex. Enough, because `new_secret` cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Signer:
    """Derives one key per purpose and secret, and signs with the first secret; the others still verify."""

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        if not secret_keys:
            raise ValueError("a signer needs a secret")
        self._secrets = {_key_id(secret): secret for secret in secret_keys}
        self._current = _key_id(secret_keys[0])
        self._recognised: dict[tuple[str, str], tuple[str, int]] = {}

    def key(self, purpose: str) -> str:
        """Return the current key of a purpose as 64 hex digits."""
        return _derive(self._secrets[self._current], purpose).hex()

    def former_keys(self, purpose: str) -> list[str]:
        """Return the keys of a purpose that still verify but no longer sign."""
        return [_derive(secret, purpose).hex() for kid, secret in self._secrets.items() if kid != self._current]

    def token(self, purpose: str, subject: str, generation: int) -> str:
        """Return `key id.subject.generation.MAC`: the same for the same input, so that it can be shown again."""
        return f"{self._current}.{subject}.{generation}.{self._mac(self._current, purpose, subject, generation)}"

    def parse(self, purpose: str, token: str) -> tuple[str, int] | None:
        """Return subject and generation of a token that this vault made for this purpose, else None.

        The MAC is compared as text: base64 has several spellings of the same bytes, and only ours is accepted.
        """
        known = self._recognised.get((purpose, token))
        if known is None:
            known = self._recognise(purpose, token)
            if known is None:
                return None
            # Every picture of a page brings the same token. Only what is right is kept, so a guess is always reckoned.
            if len(self._recognised) >= MOST_RECOGNISED:
                self._recognised.clear()
            self._recognised[purpose, token] = known
        return known

    def _recognise(self, purpose: str, token: str) -> tuple[str, int] | None:
        found = TOKEN.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
        if found is None or found["kid"] not in self._secrets:
            return None
        generation = int(found["generation"])
        expected = self._mac(found["kid"], purpose, found["subject"], generation)
        return (found["subject"], generation) if hmac.compare_digest(expected, found["mac"]) else None

    def _mac(self, kid: str, purpose: str, subject: str, generation: int) -> str:
        message = f"{kid}.{subject}.{generation}".encode()
        return _text(hmac.digest(_derive(self._secrets[kid], purpose), message, "sha256"))


@lru_cache(64)
def _derive(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), f"vault/{purpose}".encode(), "sha256")


def _key_id(secret: str) -> str:
    return _text(_derive(secret, "key id"))[:6]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
