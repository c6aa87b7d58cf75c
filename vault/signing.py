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
# A sealed text: its MAC, and as many bytes as one digest hides.
MAC_BYTES, LONGEST_SEALED = 16, 32
SEALED = re.compile(r"[A-Za-z0-9_-]{22,64}")
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

    def seal(self, purpose: str, text: str) -> str:
        """Return a text of at most 32 bytes so that nobody can read or change it: the same for the same text.

        What opens it is its own MAC, as in RFC 5297: a text that was tampered with opens to nothing.
        """
        raw = text.encode()
        if len(raw) > LONGEST_SEALED:
            raise ValueError("this text is too long to be sealed")
        key = _derive(self._secrets[self._current], f"seal {purpose}")
        mac = _mac_of(key, raw)
        return _text(mac + _hidden(key, mac, raw))

    def unseal(self, purpose: str, sealed: str) -> str | None:
        """Return the text that was sealed for this purpose, by this secret or a former one; None for anything else."""
        if not SEALED.fullmatch(sealed):
            return None
        found = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)) if len(sealed) % 4 != 1 else b""
        for secret in self._secrets.values():
            key = _derive(secret, f"seal {purpose}")
            raw = _hidden(key, found[:MAC_BYTES], found[MAC_BYTES:])
            # As with tokens, only our own spelling of the bytes is taken.
            if hmac.compare_digest(_text(_mac_of(key, raw) + found[MAC_BYTES:]), sealed):
                return raw.decode()
        return None

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


def _mac_of(key: bytes, raw: bytes) -> bytes:
    return hmac.digest(key, b"text" + raw, "sha256")[:MAC_BYTES]


def _hidden(key: bytes, mac: bytes, raw: bytes) -> bytes:
    """Hide a text, or show it again."""
    stream = hmac.digest(key, b"stream" + mac, "sha256")
    return bytes(one ^ other for one, other in zip(raw, stream, strict=False))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
